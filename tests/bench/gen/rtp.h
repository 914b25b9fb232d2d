/*
 * rtp: a stream each way for every call.
 *
 * A frame's first 64 bytes hold all that differs between streams and packets:
 * headers, RTP header, the time of sending and the number of the run. They are
 * kept prepared, one cache line a stream; the rest of the payload is the same
 * everywhere and already in the buffers, which come from a pool of their own.
 *
 * A packet is known by the address and port that it came to, which are a call's,
 * and must then have that call's SSRC and the source that was signalled: else it
 * is misdelivered. Its sequence number says whether it is late or a copy
 * (track.h); what never came is the difference, taken when all is quiet.
 */
#ifndef TESTS_BENCH_GEN_RTP_H
#define TESTS_BENCH_GEN_RTP_H

#include "tests/bench/gen/call.h"
#include "tests/bench/gen/job.h"
#include "tests/bench/gen/port.h"
#include "tests/bench/gen/track.h"

#define RTP_FRAME 214u /* 14 Ethernet, 20 IPv4, 8 UDP, 12 RTP, 160 of G.711 */
#define RTP_HEAD  64u

/* Offsets in a frame. */
enum {
	RTP_AT_UDP_SUM = 40,
	RTP_AT_SEQ = 44,
	RTP_AT_STAMP = 46,
	RTP_AT_SSRC = 50,
	RTP_AT_TIME = 54,
	RTP_AT_RUN = 62
};

struct rtp_stream {
	uint8_t head[RTP_HEAD];
} __rte_cache_aligned;

/* The receiving end of a stream: where its packets must come from, and which have. */
struct rtp_end {
	struct track track;
	uint32_t source_ip;
	uint16_t source_port; /* network order */
	bool proven;
};

struct rtp_counts {
	uint64_t tx, rx; /* rx: each packet once */
	uint64_t reordered, duplicated, misdelivered, stale, corrupted;
	uint64_t tx_side[2], rx_side[2]; /* by sender */
};

enum rtp_phase { RTP_PROVE, RTP_WARM, RTP_RUN, RTP_DRAIN };

struct rtp {
	struct rtp_stream *stream[2]; /* by sender, then by call */
	struct rtp_end *end[2];       /* by sender, too */
	struct rte_mempool *pool;
	uint32_t *live; /* calls with streams that are sent on */
	uint32_t lives, next[2], checked;
	uint16_t run;
	struct rtp_counts count;
	struct hist latency;
	enum rtp_phase phase;
	uint32_t turn, tries, unproven;
	uint64_t quiet_since, measured_from, rx_at_end, rx_seen;
	double rate, seconds, warmup, busy;
	struct counts before;
};

int rtp_init(struct gen *g);
void rtp_free(struct gen *g);

/* Prepares both streams of a call, whose media has been agreed on. */
void rtp_call_open(struct gen *g, const struct call *c);
void rtp_call_send(struct gen *g, const struct call *c, enum side side, uint32_t n);

/* Prepares made-up streams for all calls there may be. */
void rtp_reference_open(struct gen *g);

/* Packets of the next live streams of a side; returns how many the device took. */
uint32_t rtp_send(struct gen *g, enum side side, uint32_t n);

/* True when the frame was RTP; it has been counted then. */
bool rtp_input(struct gen *g, enum side side, const struct rte_mbuf *m, uint64_t now);

const char *rtp_begin(struct gen *g, struct job *j, int argc, char **argv);

static inline uint32_t rtp_ssrc(uint32_t call, enum side sender)
{
	return 0x50000000u | call << 1 | (uint32_t)sender;
}

#endif
