/*
 * Every reason of the link and media stages is produced here, one by one: a
 * reason that is added to the table without a function below does not compile.
 */
#include "tests/dataplane/bed.h"

#include <arpa/inet.h>
#include <string.h>

#include "dataplane/icmp.h"
#include "dataplane/output.h"
#include "dataplane/relay.h"
#include "dataplane/steer.h"

static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static struct frame f;
static uint8_t rtp[256];

static struct frame_spec phone(void)
{
	return bed_spec(OUTSIDE, PHONE, PHONE_MAC);
}

static void put(struct bed *b)
{
	bed_put(b, OUTSIDE, &f);
	bed_turn(b);
}

static void echo(struct bed *b, const struct frame_spec *s)
{
	frame_icmp_echo(&f, s, 1, 8);
	put(b);
}

static void udp(struct bed *b, uint16_t port)
{
	struct frame_spec s = phone();

	s.dport = port;
	frame_udp(&f, &s, "12345678", 8);
	put(b);
}

static void piece(struct bed *b, uint16_t id, uint16_t frag)
{
	struct frame_spec s = phone();

	s.id = id;
	s.frag = frag;
	frame_ip(&f, &s, "12345678", 8);
	put(b);
}

static void l2(struct bed *b, uint32_t at, uint8_t value)
{
	struct frame_spec s = phone();

	frame_icmp_echo(&f, &s, 1, 8);
	f.b[at] = value;
	put(b);
}

static void produce_L2_SHORT(struct bed *b)
{
	f.n = 10;
	put(b);
}

static void produce_L2_VLAN(struct bed *b)
{
	struct frame_spec s = phone();

	s.vlan = 9;
	echo(b, &s);
}

static void produce_L2_TYPE(struct bed *b)
{
	l2(b, 12, 0x86);
}

static void produce_L2_OTHER(struct bed *b)
{
	l2(b, 5, 0x77);
}

static void arp(struct bed *b, const uint8_t *from, uint32_t tip)
{
	struct frame_spec s = {.to = everyone, .from = from};

	frame_arp(&f, &s, 1, PHONE_MAC, PHONE, tip);
	put(b);
}

static void produce_ARP_BAD(struct bed *b)
{
	arp(b, EVIL_MAC, OUT_IP);
}

static void produce_ARP_OTHER(struct bed *b)
{
	arp(b, PHONE_MAC, PHONE + 1);
}

static void produce_IP_BAD(struct bed *b)
{
	l2(b, 14 + 10, 0x55);
}

static void produce_IP_NOT_OURS(struct bed *b)
{
	struct frame_spec s = phone();

	s.dst = IN_IP;
	echo(b, &s);
}

static void produce_IP_SOURCE(struct bed *b)
{
	struct frame_spec s = phone();

	s.src = OUT_IP;
	echo(b, &s);
}

static void produce_IP_TTL(struct bed *b)
{
	struct frame_spec s = phone();

	s.ttl = TTL_ZERO;
	echo(b, &s);
}

static void produce_FRAG_BAD(struct bed *b)
{
	piece(b, 1, 0x2000);
	piece(b, 1, 0x2000);
}

static void produce_FRAG_TABLE(struct bed *b)
{
	for (uint16_t i = 0; i <= 2 * REASSEMBLY_PER_SOURCE; i++)
		piece(b, i, 0x2000);
}

static void produce_FRAG_TIMEOUT(struct bed *b)
{
	piece(b, 1, 0x2000);
	bed_elapse(b, REASSEMBLY_MS + 5);
}

static void produce_IP_PROTO(struct bed *b)
{
	struct frame_spec s = phone();

	s.proto = 6;
	frame_ip(&f, &s, "12345678", 8);
	put(b);
}

static void produce_ICMP_OTHER(struct bed *b)
{
	struct frame_spec s = phone();

	s.proto = 1;
	frame_ip(&f, &s, "\x03\x00\xfc\xff\0\0\0\0", 8);
	put(b);
}

static void produce_ICMP_RATE(struct bed *b)
{
	struct frame_spec s = phone();

	for (uint32_t i = 0; i <= ICMP_BURST; i++)
		echo(b, &s);
}

static void produce_UDP_BAD(struct bed *b)
{
	struct frame_spec s = phone();

	frame_ip(&f, &s, "1234", 4);
	put(b);
}

static void produce_UDP_CHECKSUM(struct bed *b)
{
	struct frame_spec s = phone();

	frame_udp(&f, &s, "12345678", 8);
	f.b[f.n - 1] ^= 1;
	put(b);
}

static void produce_UDP_PORT(struct bed *b)
{
	udp(b, 9);
}

/* Worker 1 does not turn while worker 0 hands it more than its ring takes. */
static void produce_RING_FULL(struct bed *b)
{
	struct worker *w = b->dp->worker[0];

	for (uint32_t i = 0; i < WORKER_HANDOFF + WORKER_BURST; i++) {
		struct rte_mbuf *m = packet_alloc(b->pool);

		assert_non_null(m);
		m->packet_type = PACKET_DROP;
		steer_packet(w, 1, m);
	}
	steer_flush(w);
	bed_elapse(b, 2);
	for (uint32_t i = 0; i < WORKER_HANDOFF / WORKER_BURST; i++)
		bed_turn(b);
}

static void produce_NO_MBUF(struct bed *b)
{
	static struct rte_mbuf *held[8192];
	uint32_t n = 0;

	while ((held[n] = packet_alloc(b->dp->pool[0])) != NULL)
		n++;
	output_udp(b->dp->worker[0], OUTSIDE, (struct net_addr){htonl(OUT_IP), SIP},
		   (struct net_addr){htonl(PHONE), SIP}, 0, SLICE_LIT("x"));
	rte_pktmbuf_free_bulk(held, n);
}

static void produce_TX_FULL(struct bed *b)
{
	struct rte_ring *r = b->tx[OUTSIDE];
	void *m;

	for (uint32_t i = 0; i < 4096 + 200; i++) {
		if (i % 32 == 0)
			bed_turn(b);
		arp(b, PHONE_MAC, OUT_IP);
	}
	for (uint32_t i = 0; i < 20; i++) {
		while (rte_ring_dequeue(r, &m) == 0)
			packet_free(m);
		bed_turn(b);
	}
}

static void fill_pending(struct bed *b)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE + 1, PHONE_MAC);

	for (uint32_t i = 0; i <= WORKER_PENDING_N; i++)
		echo(b, &s);
}

static void produce_NEIGH_PENDING(struct bed *b)
{
	fill_pending(b);
	bed_elapse(b, 6000);
}

static void produce_NEIGH_FAILED(struct bed *b)
{
	fill_pending(b);
	bed_elapse(b, 6000);
}

static void produce_NEIGH_TABLE(struct bed *b)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE + 2, PHONE_MAC);

	for (uint32_t i = 0; i < NEIGH_ENTRIES; i++)
		b->dp->neigh->entry[i].key = UINT64_MAX - i;
	echo(b, &s);
}

static void produce_NO_ROUTE(struct bed *b)
{
	struct frame_spec s = bed_spec(INSIDE, FAR, PBX_MAC);

	frame_icmp_echo(&f, &s, 1, 8);
	bed_put(b, INSIDE, &f);
	bed_turn(b);
}

static void produce_TX_TOO_LONG(struct bed *b)
{
	static char big[PACKET_DATAGRAM];

	output_udp(b->dp->worker[0], OUTSIDE, (struct net_addr){htonl(OUT_IP), SIP},
		   (struct net_addr){htonl(PHONE), SIP}, 0, slice_of(big, sizeof(big) - 27));
}

/* ---- groups: all is of group 0, which is ours but where a test takes it away ---- */

static void group_lose(struct bed *b)
{
	dp_group_until(b->dp, 0, 0);
	bed_turn(b);
}

static void group_get(struct bed *b)
{
	dp_group_until(b->dp, 0, UINT64_MAX);
	bed_turn(b);
}

static void say_to(struct bed *b, uint32_t host)
{
	output_udp(b->dp->worker[0], OUTSIDE, (struct net_addr){htonl(OUT_IP), SIP},
		   (struct net_addr){htonl(host), SIP}, 0, SLICE_LIT("x"));
}

static void produce_GROUP_PASSIVE(struct bed *b)
{
	struct frame_spec s = phone();

	group_lose(b);
	echo(b, &s);
	group_get(b);
}

static void produce_GROUP_SOURCE(struct bed *b)
{
	group_lose(b);
	say_to(b, PHONE);
	group_get(b);
}

static void produce_GROUP_FENCED(struct bed *b)
{
	say_to(b, PHONE + 5);
	group_lose(b);
	group_get(b);
}

static const uint8_t our6[16] = {0xfd, 0, [15] = 1};
static const uint8_t their6[16] = {0xfd, 0, [15] = 9};

static void solicit(struct bed *b, const uint8_t target[16], uint8_t hops)
{
	struct frame_spec s = phone();
	uint8_t icmp[24] = {135};

	memcpy(icmp + 8, target, 16);
	frame_icmp6(&f, &s, their6, our6, hops, icmp, sizeof(icmp));
	put(b);
}

static void produce_ND_BAD(struct bed *b)
{
	solicit(b, our6, 254);
}

static void produce_ND_OTHER(struct bed *b)
{
	solicit(b, their6, 255);
}

static void produce_CONTROL_FULL(struct bed *b)
{
	static const char request[60000] = {'B', 'Y', 'E'};
	struct engine_forward out = {.bytes = slice_of(request, sizeof(request))};
	struct dp_forward in;

	for (uint32_t i = 0; i <= STATE_FORWARDS / sizeof(request); i++)
		state_forward(b->dp->worker[0], &out);
	while (dp_forward_take(b->dp, &in))
		assert_int_equal(in.bytes.n, sizeof(request));
}

/* ---- media: the phone's flow at 20000, worker 0's; its partner is the PBX's ---- */

static struct flow_spec outside(void)
{
	return (struct flow_spec){.realm = OUTSIDE,
				  .port = 20000,
				  .peer_realm = INSIDE,
				  .peer_port = 30000,
				  .gate_ip = htonl(PHONE),
				  .latch = true,
				  .epoch = 1};
}

static struct flow_spec inside(void)
{
	return (struct flow_spec){.realm = INSIDE,
				  .port = 30000,
				  .peer_realm = OUTSIDE,
				  .peer_port = 20000,
				  .remote = {htonl(PBX), 17000},
				  .proven = true,
				  .epoch = 1};
}

static void media(struct bed *b, uint32_t src, const void *bytes, uint32_t n)
{
	struct flow_spec o = outside(), i = inside();
	struct frame_spec s = phone();

	if (b->dp->worker[0]->live_count == 0) {
		relay_publish(b->dp->worker[0], &o);
		relay_publish(b->dp->worker[0], &i);
	}
	s.src = src;
	s.sport = 40000;
	s.dport = 20000;
	frame_udp(&f, &s, bytes, n);
	put(b);
}

static void rtp_from(struct bed *b, uint32_t src, uint16_t seq)
{
	media(b, src, rtp, frame_rtp(rtp, 1, seq, seq, 20));
}

static void produce_FLOW_NONE(struct bed *b)
{
	udp(b, 20010);
}

static void produce_FLOW_SOURCE(struct bed *b)
{
	rtp_from(b, PHONE, 1);
	rtp_from(b, PHONE, 2);
	rtp_from(b, FAR, 3);
}

static void produce_FLOW_GATE(struct bed *b)
{
	rtp_from(b, FAR, 1);
}

static void produce_FLOW_SSRC(struct bed *b)
{
	rtp_from(b, PHONE, 1);
}

static void produce_FLOW_UNPROVEN(struct bed *b)
{
	struct frame_spec s = bed_spec(INSIDE, PBX, PBX_MAC);

	rtp_from(b, FAR, 1);
	s.sport = 17000;
	s.dport = 30000;
	frame_udp(&f, &s, rtp, frame_rtp(rtp, 2, 1, 1, 20));
	bed_put(b, INSIDE, &f);
	bed_turn(b);
}

static void produce_FLOW_HELD(struct bed *b)
{
	struct flow_spec o = outside();

	rtp_from(b, PHONE, 1);
	rtp_from(b, PHONE, 2);
	o.closed = true;
	relay_publish(b->dp->worker[0], &o);
	rtp_from(b, PHONE, 3);
}

static void produce_FLOW_BAD(struct bed *b)
{
	media(b, PHONE, "hello", 5);
}

static void produce_FLOW_STUN(struct bed *b)
{
	media(b, PHONE, "\0\1\0\0\x21\x12\xa4\x42\0\0\0\0\0\0\0\0\0\0\0\0", 20);
}

static void produce_FLOW_EMPTY(struct bed *b)
{
	media(b, PHONE, "", 0);
}

static void publish_pair(struct bed *b, struct flow_spec in, struct flow_spec out)
{
	in.realm = out.realm = in.peer_realm = out.peer_realm = INSIDE;
	in.proven = out.proven = true;
	in.peer_port = out.port;
	out.peer_port = in.port;
	relay_publish(b->dp->worker[0], &in);
	relay_publish(b->dp->worker[0], &out);
}

/* Calls in a row on our own address, each the next one's far end, one too many. */
static void produce_RELAY_LOOP(struct bed *b)
{
	struct flow_spec first = inside(), o = outside();

	first.remote = (struct net_addr){htonl(IN_IP), 30002};
	relay_publish(b->dp->worker[0], &o);
	relay_publish(b->dp->worker[0], &first);
	for (uint16_t port = 30002; port <= 30002 + 4 * RELAY_TURNS; port += 4)
		publish_pair(b,
			     (struct flow_spec){.port = port,
						.remote = {htonl(IN_IP), (uint16_t)(port - 2)}},
			     (struct flow_spec){.port = (uint16_t)(port + 2),
						.remote = {htonl(IN_IP), (uint16_t)(port + 4)}});
	rtp_from(b, PHONE, 1);
	rtp_from(b, PHONE, 2);
	assert_int_equal(b->dp->worker[0]->count.relayed, 1 + RELAY_TURNS);
	assert_int_equal(bed_count(b, REASON_RELAY_LOOP), 1);
}

struct producer {
	enum reason reason;
	void (*produce)(struct bed *b);
};

static const struct producer producers[] = {
#define X(symbol, name, text) {REASON_##symbol, produce_##symbol},
	REASONS_LINK(X) REASONS_MEDIA(X)
#undef X
};

static void reason_is_produced(void **state)
{
	const struct producer *p = *state;
	struct bed b;

	bed_init(&b, 2);
	b.conf.groups_held = true;
	b.conf.port[OUTSIDE].addresses6 = 1;
	memcpy(b.conf.port[OUTSIDE].address6[0].ip, our6, 16);
	bed_open(&b, 0);
	dp_group_until(b.dp, 0, UINT64_MAX);
	bed_learn_all(&b);
	assert_int_equal(bed_count(&b, p->reason), 0);
	p->produce(&b);
	assert_true(bed_count(&b, p->reason) > 0);
	bed_elapse(&b, 6000);
	bed_close(&b);
}

int main(void)
{
	struct CMUnitTest tests[sizeof(producers) / sizeof(producers[0])];

	for (uint32_t i = 0; i < sizeof(producers) / sizeof(producers[0]); i++)
		tests[i] = (struct CMUnitTest){
			.name = reason_name(producers[i].reason),
			.test_func = reason_is_produced,
			.initial_state = (void *)(uintptr_t)&producers[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
