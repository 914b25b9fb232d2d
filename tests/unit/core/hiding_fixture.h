/*
 * A snapshot of two realms and the values an engine would put into a rewritten
 * message, for the tests of core/hiding.
 */
#ifndef TESTS_UNIT_CORE_HIDING_FIXTURE_H
#define TESTS_UNIT_CORE_HIDING_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sbc/core/hiding.h"
#include "sbc/core/reply.h"

enum { ACCESS, CORE };

static inline uint32_t ip_of(const char *text)
{
	uint32_t ip = 0;

	assert_true(net_ip_parse(slice_str(text), &ip));
	return ip;
}

static inline void fixture_snapshot(struct snapshot *s)
{
	snapshot_defaults(s);
	s->realms = 2;
	snapshot_realm_defaults(&s->realm[ACCESS], SNAPSHOT_UNTRUSTED, true);
	snapshot_realm_defaults(&s->realm[CORE], SNAPSHOT_TRUSTED, false);
	strcpy(s->realm[ACCESS].name, "access");
	strcpy(s->realm[CORE].name, "core");
	s->realm[ACCESS].media_ip = ip_of("203.0.113.1");
	s->realm[CORE].media_ip = ip_of("10.0.0.1");
	s->listeners = 2;
	s->listener[0] =
		(struct snapshot_listener){ACCESS, (struct net_addr){ip_of("203.0.113.1"), 5060}};
	s->listener[1] =
		(struct snapshot_listener){CORE, (struct net_addr){ip_of("10.0.0.1"), 5060}};
	s->peers = 1;
	strcpy(s->peer[0].name, "pbx");
	s->peer[0].realm = CORE;
	s->peer[0].addr = (struct net_addr){ip_of("10.0.0.10"), 5060};
	s->domains = 1;
	strcpy(s->domain[0], "example.com");
}

static inline void fixture_parse(struct sip_msg *m, struct slice text)
{
	struct sip_fault fault;
	enum sbc_err err = sip_msg_parse(m, text.p, text.n, &fault);

	if (err != SBC_OK)
		fail_msg("%d %s in:\n%.*s", fault.status, fault.text ? fault.text : "", (int)text.n,
			 text.p);
}

/* What an engine passes with a request from `from` to the other realm. */
static inline struct hiding_request fixture_request(const struct snapshot *s, uint16_t from)
{
	return (struct hiding_request){
		.snap = s,
		.from_realm = from,
		.to_realm = from == ACCESS ? CORE : ACCESS,
		.listener = from == ACCESS ? CORE : ACCESS,
		.request_uri = SLICE_LIT("sip:dialled@far.invalid"),
		.branch = SLICE_LIT("z9hG4bKours"),
		.from = SLICE_LIT("<sip:caller@border.invalid>;tag=ourfrom"),
		.to = SLICE_LIT("<sip:dialled@far.invalid>"),
		.call_id = SLICE_LIT("ourcallid"),
		.cseq = 7,
		.contact = SLICE_LIT("<sip:minted@border.invalid>"),
		.max_forwards = 69,
	};
}

#define FIXTURE_HEAD                                                                               \
	"Via: SIP/2.0/UDP far.invalid;branch=z9hG4bKtheirs\r\n"                                    \
	"From: <sip:a@far.invalid>;tag=theirs\r\n"                                                 \
	"Call-ID: theircallid\r\n"                                                                 \
	"CSeq: 3 INVITE\r\n"                                                                       \
	"To: <sip:b@border.invalid>"

static inline struct hiding_response fixture_response(const struct snapshot *s, uint16_t from,
						      uint16_t status)
{
	return (struct hiding_response){
		.snap = s,
		.from_realm = from,
		.to_realm = from == ACCESS ? CORE : ACCESS,
		.head = SLICE_LIT(FIXTURE_HEAD),
		.status = status,
		.to_tag = SLICE_LIT("ourto"),
		.contact = SLICE_LIT("<sip:minted@border.invalid>"),
	};
}

#endif
