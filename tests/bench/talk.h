/*
 * talk: what the two phones of a benchmark's call say, and the border between them.
 *
 * A caller behind NAT in an untrusted realm, a callee at a trusted peer. Calls are
 * told apart by a number that stands in the caller's Call-ID.
 */
#ifndef TESTS_BENCH_TALK_H
#define TESTS_BENCH_TALK_H

#include "sbc/core/engine.h"
#include "sbc/sip/msg.h"

#define TALK_MESSAGE 4096u

/* Realms, listeners: 0 the caller's, 1 the callee's. */
void talk_snapshot(struct snapshot *s);

/* Where the messages that come to a listener come from. */
struct net_addr talk_source(const struct snapshot *s, uint16_t listener);

/* Each writes a message into `out` (TALK_MESSAGE bytes) and says how long it is. */
uint32_t talk_invite(char *out, unsigned id);
uint32_t talk_in_dialog(char *out, const char *method, unsigned cseq, unsigned id,
			const char *target, const char *to);
/* The callee's answer to a request that it was sent; `sdp`: with one. 0: it was no request. */
uint32_t talk_answer(char *out, struct slice request, const char *status, const char *to_tag,
		     bool sdp);

/* The call that a message to the caller is of. */
bool talk_call_of(const struct sip_msg *m, unsigned *id);

/* Remote target and To of a 2xx, as strings. False: it is none. */
bool talk_dialog(const struct sip_msg *m, char *target, size_t target_cap, char *to, size_t to_cap);

#endif
