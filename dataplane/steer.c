#include "dataplane/steer.h"

#include "dataplane/group.h"
#include "dataplane/relay.h"
#include "dataplane/sip_stage.h"
#include "dataplane/worker.h"
#include "sbc/base/ident.h"

static uint16_t owner_of_sip(struct worker *w, struct rte_mbuf *m)
{
	uint32_t n;
	const uint8_t *ip = worker_contiguous(w, m, &n);
	const uint32_t headers = PACKET_IP_LEN + PACKET_UDP_LEN;

	return ident_shard(engine_bucket(&w->dp->conf.key, (const char *)ip + headers, n - headers),
			   w->dp->workers);
}

static uint16_t owner_of_fragment(struct worker *w, struct rte_mbuf *m)
{
	const uint8_t *ip = packet_ip(m);
	struct {
		uint32_t src, dst;
		uint16_t id, proto;
		uint16_t port, zero;
	} key = {ip_get(ip + IP4_SRC), ip_get(ip + IP4_DST), be16_get(ip + IP4_ID),
		 ip[IP4_PROTO],        packet_port(m),       0};

	return (uint16_t)(siphash13(&w->dp->conf.key, &key, sizeof(key)) % w->dp->workers);
}

/* A port that no slice has (an odd end of the range) is anybody's: it has no flow. */
static uint16_t owner_of_media(struct worker *w, struct rte_mbuf *m)
{
	return relay_owner(w, m->hash.usr);
}

uint16_t steer_owner(struct worker *w, enum packet_kind kind, struct rte_mbuf *m)
{
	if (w->dp->workers == 1)
		return 0;
	switch (kind) {
	case PACKET_SIP:
		return owner_of_sip(w, m);
	case PACKET_MEDIA:
		return owner_of_media(w, m);
	case PACKET_FRAGMENT:
		return owner_of_fragment(w, m);
	case PACKET_ARP:
		return 0;
	case PACKET_ICMP:
	case PACKET_ICMP6:
	case PACKET_DROP:
		break;
	}
	return w->id;
}

static void handoff_flush(struct worker *w, uint16_t to)
{
	struct worker_handoff *h = &w->handoff[to];
	unsigned int sent;

	if (h->n == 0)
		return;
	w->bells |= 1u << to;
	sent = rte_ring_sp_enqueue_burst(h->ring, (void **)h->pkt, h->n, NULL);
	w->count.handed_off += sent;
	for (unsigned int i = sent; i < h->n; i++)
		worker_drop(w, h->pkt[i], REASON_RING_FULL);
	h->n = 0;
}

void steer_packet(struct worker *w, uint16_t to, struct rte_mbuf *m)
{
	struct worker_handoff *h = &w->handoff[to];

	if (h->n == WORKER_BURST)
		handoff_flush(w, to);
	h->pkt[h->n++] = m;
}

void steer_flush(struct worker *w)
{
	if (w->dp->workers == 1)
		return;
	for (uint16_t i = 0; i < w->dp->workers; i++)
		handoff_flush(w, i);
}

struct shard_message *steer_message(struct worker *w)
{
	void *msg;

	if (rte_mempool_get(w->dp->messages, &msg) != 0) {
		reason_count(&w->reasons, REASON_RING_FULL);
		return NULL;
	}
	packet_got(msg);
	return msg;
}

void steer_post(struct worker *w, uint16_t to, struct shard_message *msg)
{
	w->bells |= 1u << to;
	if (rte_ring_sp_enqueue(w->message_out[to], msg) == 0)
		return;
	reason_count(&w->reasons, REASON_RING_FULL);
	packet_gives(msg);
	rte_mempool_put(w->dp->messages, msg);
}

bool steer_neigh_want(struct worker *w, uint16_t port, uint32_t ip)
{
	struct shard_message *msg;

	if (w->id == 0)
		return neigh_want(w, port, ip);
	/* One that is waited for has been asked already; it is asked again when given up. */
	for (uint32_t i = 0; i < WORKER_PENDING; i++)
		if (w->pending[i].ip == ip && w->pending[i].port == port)
			return true;
	msg = steer_message(w);
	if (msg == NULL)
		return false;
	msg->type = SHARD_NEIGH_WANT;
	msg->neigh.port = port;
	msg->neigh.ip = ip;
	steer_post(w, 0, msg);
	return true;
}

uint32_t steer_drain_packets(struct worker *w)
{
	struct rte_mbuf *m[WORKER_BURST];
	uint32_t all = 0;

	if (w->dp->workers == 1)
		return 0;
	for (uint16_t from = 0; from < w->dp->workers; from++) {
		uint32_t n = rte_ring_sc_dequeue_burst(w->handoff_in[from], (void **)m,
						       WORKER_BURST, NULL);

		for (uint32_t i = 0; i < n; i++)
			rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
		for (uint32_t i = 0; i < n; i++) {
			if (likely(group_packet_ok(w, m[i])))
				worker_take(w, (enum packet_kind)m[i]->packet_type, m[i]);
			else
				worker_drop(w, m[i], REASON_GROUP_PASSIVE);
		}
		all += n;
	}
	return all;
}

static void message_take(struct worker *w, const struct shard_message *msg)
{
	switch (msg->type) {
	case SHARD_ASK:
		sip_stage_ask(w, &msg->ask);
		break;
	case SHARD_ANSWER:
		sip_stage_answer(w, &msg->answer);
		break;
	case SHARD_NEIGH_WANT:
		if (!neigh_want(w, msg->neigh.port, msg->neigh.ip))
			reason_count(&w->reasons, REASON_NEIGH_TABLE);
		break;
	}
}

uint32_t steer_drain_messages(struct worker *w)
{
	void *msg[WORKER_BURST];
	uint32_t all = 0;

	for (uint16_t from = 0; from < w->dp->workers; from++) {
		uint32_t n =
			rte_ring_sc_dequeue_burst(w->message_in[from], msg, WORKER_BURST, NULL);

		for (uint32_t i = 0; i < n; i++) {
			message_take(w, msg[i]);
			packet_gives(msg[i]);
			rte_mempool_put(w->dp->messages, msg[i]);
		}
		all += n;
	}
	return all;
}
