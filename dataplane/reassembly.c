#include "dataplane/reassembly.h"

#include <stdlib.h>

#include "dataplane/checksum.h"
#include "dataplane/worker.h"

struct fragment {
	struct rte_mbuf *m;
	uint32_t off;
	uint32_t len;
};

struct partial {
	bool used;
	bool poisoned;
	uint8_t proto;
	uint16_t port;
	uint16_t id;
	uint16_t count;
	uint32_t src;
	uint32_t dst;
	uint32_t total; /* 0 until the last fragment is here */
	uint32_t have;
	uint64_t deadline;
	struct fragment frag[REASSEMBLY_FRAGMENTS]; /* ascending */
};

struct reassembly {
	uint32_t used;
	uint32_t held;
	struct partial partial[REASSEMBLY_DATAGRAMS];
};

struct reassembly *reassembly_create(void)
{
	return calloc(1, sizeof(struct reassembly));
}

void reassembly_free(struct reassembly *r)
{
	if (r == NULL)
		return;
	for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++)
		for (uint16_t k = 0; k < r->partial[i].count; k++)
			packet_free(r->partial[i].frag[k].m);
	free(r);
}

/* Drops the fragments held, each counted. */
static void release(struct worker *w, struct partial *p, enum reason why)
{
	w->reassembly->held -= p->count;
	for (uint16_t k = 0; k < p->count; k++)
		worker_drop(w, p->frag[k].m, why);
	p->count = 0;
}

static void poison(struct worker *w, struct partial *p)
{
	release(w, p, REASON_FRAG_BAD);
	p->poisoned = true;
}

static struct partial *find(struct worker *w, struct rte_mbuf *m, const uint8_t *ip)
{
	struct reassembly *r = w->reassembly;
	struct partial *room = NULL;
	uint32_t of_source = 0;
	uint32_t src = ip_get(ip + IP4_SRC);

	for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
		struct partial *p = &r->partial[i];

		if (!p->used) {
			room = p;
			continue;
		}
		of_source += p->src == src;
		if (p->src == src && p->dst == ip_get(ip + IP4_DST) &&
		    p->id == be16_get(ip + IP4_ID) && p->proto == ip[IP4_PROTO] &&
		    p->port == packet_port(m))
			return p;
	}
	/* One source cannot keep the others from being put together. */
	if (room == NULL || of_source >= REASSEMBLY_PER_SOURCE)
		return NULL;
	*room = (struct partial){.used = true,
				 .src = src,
				 .dst = ip_get(ip + IP4_DST),
				 .id = be16_get(ip + IP4_ID),
				 .proto = ip[IP4_PROTO],
				 .port = packet_port(m),
				 .deadline = w->now + REASSEMBLY_MS};
	r->used++;
	return room;
}

static bool same_bytes(const struct fragment *f, struct rte_mbuf *m)
{
	return memcmp(packet_ip(f->m) + PACKET_IP_LEN, packet_ip(m) + PACKET_IP_LEN, f->len) == 0;
}

enum placing { PLACED, DOUBLED, OVERLAPS };

static enum placing place(struct partial *p, const struct fragment *f)
{
	uint16_t at = p->count;

	while (at > 0 && p->frag[at - 1].off > f->off)
		at--;
	if (at > 0 && p->frag[at - 1].off == f->off && p->frag[at - 1].len == f->len &&
	    same_bytes(&p->frag[at - 1], f->m))
		return DOUBLED;
	if (at > 0 && p->frag[at - 1].off + p->frag[at - 1].len > f->off)
		return OVERLAPS;
	if (at < p->count && f->off + f->len > p->frag[at].off)
		return OVERLAPS;
	memmove(&p->frag[at + 1], &p->frag[at], (p->count - at) * sizeof(p->frag[0]));
	p->frag[at] = *f;
	p->count++;
	p->have += f->len;
	return PLACED;
}

/* The header of the first fragment becomes the datagram's. */
static struct rte_mbuf *chain(struct worker *w, struct partial *p)
{
	struct rte_mbuf *head = p->frag[0].m;
	uint8_t *ip;

	rte_pktmbuf_adj(head, head->l2_len);
	head->l2_len = 0;
	ip = rte_pktmbuf_mtod(head, uint8_t *);
	be16_put(ip + IP4_TOTAL, (uint16_t)(PACKET_IP_LEN + p->total));
	be16_put(ip + IP4_FRAG, 0);
	checksum_ip_write(ip, PACKET_IP_LEN);
	for (uint16_t k = 1; k < p->count; k++) {
		struct rte_mbuf *m = p->frag[k].m;

		rte_pktmbuf_adj(m, (uint16_t)(m->l2_len + PACKET_IP_LEN));
		rte_pktmbuf_chain(head, m);
	}
	w->reassembly->held -= p->count;
	w->reassembly->used--;
	p->used = false;
	p->count = 0;
	return head;
}

/* Whether a fragment says something that no other fragment can make true. */
static bool fragment_ok(const struct fragment *f, bool more)
{
	if (f->len == 0 || f->off + f->len > PACKET_DATAGRAM - PACKET_IP_LEN)
		return false;
	return !more || f->len % 8 == 0;
}

struct rte_mbuf *reassembly_add(struct worker *w, struct rte_mbuf *m)
{
	const uint8_t *ip = packet_ip(m);
	uint16_t bits = be16_get(ip + IP4_FRAG);
	bool more = bits & IP4_FRAG_MORE;
	struct fragment f = {.m = m,
			     .off = (bits & IP4_FRAG_OFFSET) * 8u,
			     .len = m->data_len - m->l2_len - PACKET_IP_LEN};
	struct partial *p;

	if (!fragment_ok(&f, more)) {
		worker_drop(w, m, REASON_FRAG_BAD);
		return NULL;
	}
	p = w->reassembly->held < REASSEMBLY_HELD ? find(w, m, ip) : NULL;
	if (p == NULL) {
		worker_drop(w, m, REASON_FRAG_TABLE);
		return NULL;
	}
	/* Two different ends, or bytes behind the end, are an overlap too. */
	if (!p->poisoned &&
	    (p->count == REASSEMBLY_FRAGMENTS || (p->total != 0 && f.off + f.len > p->total) ||
	     (!more && p->total != 0 && f.off + f.len != p->total) ||
	     (!more && p->count &&
	      p->frag[p->count - 1].off + p->frag[p->count - 1].len > f.off + f.len)))
		poison(w, p);
	if (p->poisoned) {
		worker_drop(w, m, REASON_FRAG_BAD);
		return NULL;
	}
	switch (place(p, &f)) {
	case OVERLAPS:
		poison(w, p);
		__attribute__((fallthrough));
	case DOUBLED:
		worker_drop(w, m, REASON_FRAG_BAD);
		return NULL;
	case PLACED:
		break;
	}
	w->reassembly->held++;
	if (!more)
		p->total = f.off + f.len;
	return p->total != 0 && p->have == p->total ? chain(w, p) : NULL;
}

void reassembly_expire(struct worker *w)
{
	struct reassembly *r = w->reassembly;

	if (r->used == 0)
		return;
	for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
		struct partial *p = &r->partial[i];

		if (!p->used || w->now < p->deadline)
			continue;
		release(w, p, REASON_FRAG_TIMEOUT);
		p->used = false;
		r->used--;
	}
}

uint64_t reassembly_due(const struct worker *w)
{
	const struct reassembly *r = w->reassembly;
	uint64_t due = UINT64_MAX;

	for (uint32_t i = 0; r->used != 0 && i < REASSEMBLY_DATAGRAMS; i++)
		if (r->partial[i].used)
			due = RTE_MIN(due, r->partial[i].deadline);
	return due;
}
