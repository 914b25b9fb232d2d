/*
 * engine_fixture: a phone behind NAT, the border, and a pbx, for the engine's
 * unit tests. Runs on tests/lib/driver, so that each test also holds what must
 * always be true; fixture_end() fails on the first breach, and on anything that
 * has not been given back.
 */
#ifndef TESTS_UNIT_CORE_ENGINE_FIXTURE_H
#define TESTS_UNIT_CORE_ENGINE_FIXTURE_H

#include "tests/lib/driver.h"
#include "tests/lib/text.h"
#include "tests/lib/unit.h"

#define ACCESS 0u /* realm and listener of the phones */
#define CORE   1u

#define FIXTURE_QUEUE 4096u
#define FIXTURE_BYTES 4096u

struct sent {
	uint16_t listener;
	struct net_addr to;
	uint32_t n;
	char bytes[FIXTURE_BYTES];
};

struct fixture {
	struct snapshot snapshot;
	struct driver *driver;
	struct sent queue[FIXTURE_QUEUE];
	uint32_t head, tail;
	uint32_t records[RECORD_UNREGISTERED + 1];
	enum engine_end end; /* of the call that ended last */
	uint16_t status;
	char text[FIXTURE_BYTES];
};

/* One call at a time: what both ends know of it. */
struct parties {
	unsigned id; /* makes Call-ID, tags and branches */
	char to[256], target[256];
	char invite[FIXTURE_BYTES]; /* as the pbx got it */
};

extern const char *const phone_sdp;
extern const char *const pbx_sdp;

struct net_addr fixture_phone(void);
struct net_addr fixture_pbx(void);

/* A snapshot with access (untrusted, NAT) and core (trusted, one peer: pbx). */
void fixture_snapshot(struct snapshot *s);

void fixture_begin(struct fixture *f, uint16_t shards, uint32_t calls);
void fixture_end(struct fixture *f);

void fixture_recv(struct fixture *f, uint16_t listener, struct net_addr from, const char *text);
void fixture_elapse(struct fixture *f, uint64_t ms);

/* The next message sent, which must begin so and go to that side; NUL-terminated. */
const char *fixture_take(struct fixture *f, uint16_t listener, const char *start);

/* Nothing more was sent. */
void fixture_silent(struct fixture *f);
void fixture_discard(struct fixture *f);

uint64_t fixture_reason(const struct fixture *f, enum reason r);
struct engine_stats fixture_stats(const struct fixture *f);

/* ---- the parties ---- */

/* INVITE of the phone; `extra` are header lines, `sdp` may be empty. */
void phone_invite(struct fixture *f, struct parties *p, const char *extra, const char *sdp);

/* Takes 100 and the INVITE at the pbx. */
void pbx_gets_invite(struct fixture *f, struct parties *p);

/* The answer of whoever is at `listener` to a request; `tag` is put to To. */
void answer(struct fixture *f, uint16_t listener, const char *request, const char *status,
	    const char *tag, const char *extra, const char *sdp);

/* A request of the phone in its dialog. */
void phone_request(struct fixture *f, struct parties *p, const char *method, unsigned cseq,
		   const char *extra, const char *sdp);

/* A request of the pbx in the dialog begun by `p->invite`. */
void pbx_request(struct fixture *f, struct parties *p, const char *method, unsigned cseq,
		 const char *extra, const char *sdp);

/* INVITE to ACK. */
void call_up(struct fixture *f, struct parties *p);

/* Reads To and Contact of the response taken last by the phone. */
void phone_learns(struct parties *p, const char *response);

/* REGISTER of a phone and the registrar's grant; leaves our Contact URI in `uri`. */
void phone_registers(struct fixture *f, const char *user, unsigned id, const char *contact,
		     unsigned granted, char *uri, size_t cap);

#endif
