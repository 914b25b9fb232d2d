#include "dataplane/nd.h"

#include "dataplane/checksum.h"
#include "dataplane/icmp.h"
#include "dataplane/output.h"
#include "dataplane/worker.h"

#define ICMP6            58u
#define ICMP6_ECHO       128u
#define ICMP6_ECHO_REPLY 129u
#define ICMP6_SOLICIT    135u
#define ICMP6_ADVERTISE  136u
#define ICMP6_SUM        2u

/* Neighbour messages (RFC 4861 4.3, 4.4): type, code, sum, flags, target, options. */
#define ND_FLAGS     4u
#define ND_TARGET    8u
#define ND_LEN       24u
#define ND_OPTION    8u /* one link-layer address option */
#define ND_HOPS      255u
#define ND_SOURCE    1u /* option: source link-layer address */
#define ND_TO        2u /* option: target link-layer address */
#define ND_SOLICITED 0x40u
#define ND_OVERRIDE  0x20u

static const uint8_t unspecified[16];
static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t solicited_node[13] = {0xff, 2, [11] = 1, 0xff};

static bool is_multicast(const uint8_t *ip)
{
	return ip[0] == 0xff;
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, 16) == 0;
}

/* The solicited-node group of an address: RFC 4291 2.7.1. */
static bool is_solicited_node(const uint8_t *dst, const uint8_t *ip)
{
	return memcmp(dst, solicited_node, 13) == 0 && memcmp(dst + 13, ip + 13, 3) == 0;
}

static const struct address6 *find(const struct port *p, const uint8_t *ip)
{
	for (uint16_t i = 0; i < p->addresses6; i++)
		if (same(p->address6[i].ip, ip))
			return &p->address6[i];
	return NULL;
}

static bool is_for(const struct port *p, const uint8_t *dst)
{
	for (uint16_t i = 0; i < p->addresses6; i++)
		if (same(p->address6[i].ip, dst) || is_solicited_node(dst, p->address6[i].ip))
			return true;
	return false;
}

/* No extension headers: neither message has a use for one. */
bool nd_is_ours(const struct port *p, struct rte_mbuf *m)
{
	const uint8_t *ip = packet_ip(m);
	uint32_t room = m->data_len - m->l2_len;

	return room > IP6_LEN && ip[0] >> 4 == 6 && ip[IP6_NEXT] == ICMP6 &&
	       (ip[IP6_LEN] == ICMP6_SOLICIT || ip[IP6_LEN] == ICMP6_ECHO) &&
	       is_for(p, ip + IP6_DST);
}

/* Over the pseudo header (RFC 8200 8.1) and `n` bytes of ICMPv6. */
static uint16_t sum6(const uint8_t *ip, uint32_t n)
{
	uint64_t sum = checksum_add(0, ip + IP6_SRC, 32);

	return checksum_fold(
		checksum_add(sum + htons((uint16_t)n) + htons(ICMP6), ip + IP6_LEN, n));
}

static void sum6_write(uint8_t *ip, uint32_t n)
{
	uint16_t sum;

	memset(ip + IP6_LEN + ICMP6_SUM, 0, 2);
	sum = (uint16_t)~sum6(ip, n);
	memcpy(ip + IP6_LEN + ICMP6_SUM, &sum, 2);
}

/*
 * The options of a solicitation from `station`. A source address that is not the
 * station's would have us answer somebody else: as with ARP, not believed.
 */
static bool options_ok(const uint8_t *o, uint32_t n, const uint8_t *src, const uint8_t *station)
{
	while (n != 0) {
		uint32_t len = n >= 2 ? o[1] * 8u : 0;

		if (len == 0 || len > n)
			return false;
		if (o[0] == ND_SOURCE && (same(src, unspecified) || memcmp(o + 2, station, 6) != 0))
			return false;
		o += len;
		n -= len;
	}
	return true;
}

/* RFC 4861 7.1.1, all of it. */
static bool solicitation_ok(const uint8_t *ip, uint32_t n, const uint8_t *station)
{
	const uint8_t *icmp = ip + IP6_LEN;

	if (ip[IP6_HOPS] != ND_HOPS || n < ND_LEN || icmp[1] != 0 ||
	    is_multicast(icmp + ND_TARGET) || is_multicast(ip + IP6_SRC))
		return false;
	if (same(ip + IP6_SRC, unspecified) && memcmp(ip + IP6_DST, solicited_node, 13) != 0)
		return false;
	return options_ok(icmp + ND_LEN, n - ND_LEN, ip + IP6_SRC, station);
}

/* An advertisement (RFC 4861 7.2.4) of `target`, with the override flag: it is ours alone. */
static void advertise(struct worker *w, uint16_t port, const uint8_t *target, const uint8_t *to,
		      const uint8_t *station, uint8_t flags)
{
	const uint32_t n = ND_LEN + ND_OPTION;
	struct rte_mbuf *m = packet_alloc(w->pool);
	uint8_t ip[IP6_LEN + ND_LEN + ND_OPTION] = {0x60};

	if (m == NULL) {
		reason_count(&w->reasons, REASON_NO_MBUF);
		return;
	}
	be16_put(ip + IP6_LENGTH, (uint16_t)n);
	ip[IP6_NEXT] = ICMP6;
	ip[IP6_HOPS] = ND_HOPS;
	memcpy(ip + IP6_SRC, target, 16);
	memcpy(ip + IP6_DST, to, 16);
	ip[IP6_LEN] = ICMP6_ADVERTISE;
	ip[IP6_LEN + ND_FLAGS] = flags;
	memcpy(ip + IP6_LEN + ND_TARGET, target, 16);
	ip[IP6_LEN + ND_LEN] = ND_TO;
	ip[IP6_LEN + ND_LEN + 1] = 1; /* times 8 bytes */
	memcpy(ip + IP6_LEN + ND_LEN + 2, w->dp->port[port].mac, 6);
	sum6_write(ip, n);
	memcpy(rte_pktmbuf_append(m, sizeof(ip)), ip, sizeof(ip));
	output_frame(w, port, m, station, RTE_ETHER_TYPE_IPV6);
}

void nd_announce(struct worker *w, uint16_t port, const uint8_t ip[16])
{
	advertise(w, port, ip, all_nodes, all_nodes_mac, ND_OVERRIDE);
}

static void solicited(struct worker *w, struct rte_mbuf *m, const uint8_t *ip,
		      const uint8_t *station)
{
	const uint8_t *target = ip + IP6_LEN + ND_TARGET, *src = ip + IP6_SRC;
	uint16_t port = packet_port(m);
	const struct address6 *a = find(&w->dp->port[port], target);

	if (a == NULL || !(a->gate & w->active)) {
		worker_drop(w, m, a == NULL ? REASON_ND_OTHER : REASON_GROUP_PASSIVE);
		return;
	}
	/* Who asks without an address of his own hears it with all others. */
	if (same(src, unspecified))
		nd_announce(w, port, target);
	else
		advertise(w, port, target, src, station, ND_SOLICITED | ND_OVERRIDE);
	packet_free(m);
}

static void echoed(struct worker *w, struct rte_mbuf *m, uint8_t *ip, uint32_t n,
		   const uint8_t *station)
{
	const struct address6 *a = find(&w->dp->port[packet_port(m)], ip + IP6_DST);
	uint8_t mac[6], src[16];

	/* To one address, from one: an answer to many would be a weapon. */
	if (a == NULL || n < 8 || ip[IP6_LEN + 1] != 0 || is_multicast(ip + IP6_SRC) ||
	    same(ip + IP6_SRC, unspecified)) {
		worker_drop(w, m, REASON_ND_BAD);
		return;
	}
	if (!(a->gate & w->active)) {
		worker_drop(w, m, REASON_GROUP_PASSIVE);
		return;
	}
	if (!icmp_rate_ok(w)) {
		worker_drop(w, m, REASON_ICMP_RATE);
		return;
	}
	memcpy(mac, station, 6);
	memcpy(src, ip + IP6_SRC, 16);
	memcpy(ip + IP6_SRC, ip + IP6_DST, 16);
	memcpy(ip + IP6_DST, src, 16);
	ip[IP6_HOPS] = 64;
	ip[IP6_LEN] = ICMP6_ECHO_REPLY;
	sum6_write(ip, n);
	rte_pktmbuf_adj(m, m->l2_len);
	rte_pktmbuf_trim(m, (uint16_t)(m->data_len - IP6_LEN - n));
	output_frame(w, packet_port(m), m, mac, RTE_ETHER_TYPE_IPV6);
}

void nd_receive(struct worker *w, struct rte_mbuf *m)
{
	const uint8_t *station = rte_pktmbuf_mtod(m, const uint8_t *) + RTE_ETHER_ADDR_LEN;
	const struct address6 *src;
	uint8_t *ip = packet_ip(m);
	uint32_t n = be16_get(ip + IP6_LENGTH), room = m->data_len - m->l2_len;

	src = find(&w->dp->port[packet_port(m)], ip + IP6_SRC);
	/* A station that has an address of ours contradicts us. */
	if (n > room - IP6_LEN || sum6(ip, n) != 0xffff || (station[0] & 1) ||
	    (src != NULL && (src->gate & w->active)) ||
	    (ip[IP6_LEN] == ICMP6_SOLICIT && !solicitation_ok(ip, n, station)))
		worker_drop(w, m, REASON_ND_BAD);
	else if (ip[IP6_LEN] == ICMP6_SOLICIT)
		solicited(w, m, ip, station);
	else
		echoed(w, m, ip, n, station);
}
