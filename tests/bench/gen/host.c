#include <arpa/inet.h>
#include <stdio.h>

#include "tests/bench/gen/gen.h"
#include "tests/bench/gen/ident.h"

void host_set(struct host *h, uint32_t ip)
{
	const uint8_t *b = (const uint8_t *)&ip;

	h->ip = ip;
	h->name.n = (uint32_t)snprintf(h->dotted, sizeof(h->dotted), "%u.%u.%u.%u", b[0], b[1],
				       b[2], b[3]);
	h->via.n = (uint32_t)snprintf(h->sent_by, sizeof(h->sent_by), "%s:%u", h->dotted,
				      GEN_SIP_PORT);
	h->name.p = h->dotted;
	h->via.p = h->sent_by;
}

/* All answerers are one peer: a trusted side's signalling comes from one address. */
const struct host *host_of_call(const struct gen *g, enum side side, uint32_t call)
{
	return &g->port[side].host[side == OUTSIDE ? call / GEN_PER_ADDRESS : 0];
}

const struct host *host_peer(const struct gen *g, enum side side, uint32_t call)
{
	return g->direct ? host_of_call(g, other_side(side), call) : &g->port[side].border;
}

/* "203.0.113.": the border's address there must not cross either. */
static void network_of(struct port *p)
{
	uint32_t dots = 0, n = 0;

	while (dots < 3)
		dots += p->border.dotted[n++] == '.';
	memcpy(p->network, p->border.dotted, n);
	p->network[n] = '\0';
}

void host_forbid(struct gen *g)
{
	static const char mark[2] = {IDENT_MARK_OUTSIDE, IDENT_MARK_INSIDE};
	static const struct text name[2] = {{IDENT_HOST_OUTSIDE, sizeof(IDENT_HOST_OUTSIDE) - 1},
					    {IDENT_HOST_INSIDE, sizeof(IDENT_HOST_INSIDE) - 1}};

	network_of(&g->port[OUTSIDE]);
	network_of(&g->port[INSIDE]);
	if (g->direct)
		return;
	for (int side = 0; side < 2; side++) {
		const struct port *other = &g->port[!side];

		g->port[side].forbidden = (struct scan_forbidden){
			.mark = mark[!side],
			.string = {{other->network, (uint32_t)strlen(other->network)},
				   name[!side]}};
	}
}
