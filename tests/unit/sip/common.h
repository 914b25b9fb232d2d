/* common: what the SIP unit tests share. */
#ifndef TESTS_UNIT_SIP_COMMON_H
#define TESTS_UNIT_SIP_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sbc/sip/msg.h"
#include "tests/lib/guard.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Says which vector failed: cmocka alone shows only the line of the loop. */
#define check_vector(cond, text)                                                                   \
	do {                                                                                       \
		if (!(cond))                                                                       \
			fail_msg("%s: for <%s>", #cond, (text));                                   \
	} while (0)

static inline int slice_is(struct slice s, const char *want)
{
	return slice_eq(s, slice_str(want));
}

#define assert_slice(s, want)                                                                      \
	do {                                                                                       \
		struct slice got_ = (s);                                                           \
		if (!slice_is(got_, (want)))                                                       \
			fail_msg("<%.*s> is not <%s>", (int)got_.n, got_.n ? got_.p : "", want);   \
	} while (0)

/* Calls `f` with each prefix of `text`, its last byte the last readable one. */
static inline void each_prefix(const char *text, size_t len, void (*f)(struct slice))
{
	for (size_t n = 0; n <= len; n++) {
		struct guard g;
		const char *p = guard_end(&g, text, n);

		guard_seal(&g);
		f(slice_of(p, (uint32_t)n));
		guard_free(&g);
	}
}

/* Text over what stands at `at`, without a NUL. */
static inline void put_at(char *text, size_t at, const char *s)
{
	while (*s != '\0')
		text[at++] = *s++;
}

static inline void append(char *text, size_t room, const char *s)
{
	const size_t n = strlen(text);

	if ((size_t)snprintf(text + n, room - n, "%s", s) >= room - n)
		fail_msg("no room for <%s>", s);
}

/* The least a request must have, before and after the lines under test. */
#define REQUEST_LINE "INVITE sip:bob@example.com SIP/2.0\r\n"
#define MANDATORY                                                                                  \
	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"                                           \
	"From: <sip:alice@example.org>;tag=1\r\n"                                                  \
	"To: <sip:bob@example.com>\r\n"                                                            \
	"Call-ID: a@b\r\n"                                                                         \
	"CSeq: 1 INVITE\r\n"

#endif
