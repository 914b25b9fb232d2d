/*
 * message: what a load generator needs of a SIP message: its first line, the
 * headers that make up transactions and dialogs, and the body. Values are cut
 * out, not understood; message_read() is false for what is not SIP, lacks one of
 * them, has one twice, or whose Content-Length is not what came.
 */
#ifndef TESTS_BENCH_GEN_MESSAGE_H
#define TESTS_BENCH_GEN_MESSAGE_H

#include "tests/bench/gen/scan.h"

enum method {
	METHOD_INVITE,
	METHOD_ACK,
	METHOD_BYE,
	METHOD_REGISTER,
	METHOD_OPTIONS,
	METHOD_OTHER
};

struct message {
	const char *p;
	uint32_t n;
	uint16_t status;    /* 0: a request */
	enum method method; /* of CSeq; of a request the same in its first line */
	uint32_t cseq;
	struct text uri; /* of a request */
	struct text via, from, to, call_id, cseq_value;
	struct text contact; /* may be missing: n 0 */
	struct text expires;
	struct text body;
	bool leak;
	uint32_t leak_at;
};

bool message_read(struct message *m, const char *p, uint32_t n, const struct scan_forbidden *f);

/* The tag of a From or To value; n 0 when there is none. */
struct text message_tag(struct text value);

/* The URI between < and >; n 0 when there is none. */
struct text message_uri(struct text value);

/* A parameter's value of a Via; n 0 when there is none. `name` with its '='. */
struct text message_param(struct text value, struct text name);

/* What stands between "SIP/2.0/UDP " and the first ';' of a Via. */
struct text message_sent_by(struct text via);

#endif
