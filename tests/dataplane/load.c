#include "tests/dataplane/load.h"

#define RANGE 2000u

void load_open(struct bed *b, uint16_t workers, uint16_t queues)
{
	bed_init(b, workers);
	b->queues = queues;
	b->apart = true;
	for (uint32_t r = 0; r < 2; r++)
		b->snapshot.realm[r].media_hi =
			(uint16_t)(b->snapshot.realm[r].media_lo + RANGE - 1);
	engine_limits_for(&b->conf.limits, LOAD_CALLS, 64);
	bed_open(b, 8192);
	bed_learn_all(b);
}

void load_packet(struct load *l, uint32_t call, struct frame *f)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	uint8_t rtp[200];
	uint16_t seq = ++l->seq[call];

	s.sport = TALK_PHONE_RTP;
	s.dport = l->port[call];
	frame_udp(f, &s, rtp, frame_rtp(rtp, 1000 + call, seq, seq * 160u, 160));
}

void load_calls(struct bed *b, struct load *l)
{
	static struct frame f;
	struct talk t;

	memset(l, 0, sizeof(*l));
	for (uint32_t i = 0; i < LOAD_CALLS; i++) {
		/* Admission limits a source to some calls a second. */
		bed_sleep(b, 200);
		talk_init(&t, i);
		talk_call(b, &t);
		l->port[i] = t.out_rtp;
		for (uint32_t k = 0; k < 3; k++) {
			load_packet(l, i, &f);
			bed_put(b, OUTSIDE, &f);
			bed_turn(b);
		}
		bed_drain(b);
	}
}

uint16_t load_owner(const struct bed *b, const struct load *l, uint32_t call)
{
	const struct realm_media *r = &b->dp->realm[OUTSIDE];

	return b->dp->flow_owner[r->base + l->port[call] - r->lo];
}
