#include "tests/bench/gen/call.h"
#include "tests/bench/gen/phone.h"
#include "tests/bench/gen/port.h"

/* Where a response belongs: our branch is mark, number, serial, and the transaction's letter. */
static void response(struct gen *g, enum side side, const struct message *m)
{
	static const char mark[2] = {IDENT_MARK_OUTSIDE, IDENT_MARK_INSIDE};
	struct text branch = message_param(m->via, TEXT("branch="));
	bool stale = false;
	struct ident id;
	struct call *c;
	char letter;

	if (branch.n != 9 + IDENT_LEN || branch.p[7] != mark[side] || !ident_of(branch, 8, &id)) {
		g->count.unexpected++;
		return;
	}
	letter = branch.p[8 + IDENT_LEN];
	if (side == OUTSIDE && letter == 'r') {
		phone_response(g, id, m);
		return;
	}
	c = call_of(g, id, &stale);
	if (c && side == OUTSIDE) {
		caller_response(g, c, m, letter);
	} else if (c) {
		answerer_response(g, c, m);
	} else if (stale) {
		g->count.stale++;
		if (side == OUTSIDE && letter == 'i' && m->status >= 200)
			call_transmit(g, NULL, side, write_ack(g, id.index, m), false);
	} else {
		g->count.unexpected++;
	}
}

/* A call that is over still answers, or the border would ask again and again. */
static void stale_request(struct gen *g, enum side side, uint32_t index, const struct message *m)
{
	struct text status =
		m->method == METHOD_INVITE ? TEXT("480 Temporarily Unavailable") : TEXT("200 OK");

	g->count.stale++;
	if (m->method != METHOD_ACK)
		call_transmit(g, NULL, side, write_reply(g, side, index, m, status), false);
}

static void request(struct gen *g, enum side side, const struct message *m)
{
	struct text own = side == OUTSIDE ? TEXT("sip:c") : TEXT("sip:d");
	bool stale = false;
	struct ident id;
	struct call *c;

	if (side == INSIDE && m->method == METHOD_REGISTER) {
		registrar_request(g, m);
		return;
	}
	if (!text_begins(m->uri, own) || !ident_of(m->uri, own.n, &id)) {
		g->count.unexpected++;
		return;
	}
	c = call_of(g, id, &stale);
	if (c && side == OUTSIDE)
		caller_request(g, c, m);
	else if (c)
		answerer_request(g, c, m);
	else if (stale)
		stale_request(g, side, id.index, m);
	else
		g->count.unexpected++;
}

/* All that we are sent comes from the border's listener. */
static bool from_border(const struct gen *g, enum side side, const struct frame_way *way)
{
	return g->direct || (way->src == g->port[side].border.ip && way->sport == GEN_SIP_PORT);
}

void sip_input(struct gen *g, enum side side, const struct frame_seen *seen)
{
	struct message m;
	bool ok = message_read(&m, (const char *)seen->payload, seen->n, &g->port[side].forbidden);

	g->count.sip_rx[side]++;
	g->count.fault[FAULT_LEAK] += m.leak; /* whatever it belongs to */
	if (!ok)
		g->count.malformed++;
	else if (!from_border(g, side, &seen->way))
		g->count.unexpected++;
	else if (m.status != 0)
		response(g, side, &m);
	else
		request(g, side, &m);
}
