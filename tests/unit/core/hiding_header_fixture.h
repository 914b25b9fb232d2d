/*
 * hiding_header_fixture: a header or a few in a request and in a response, and what is left
 * of them on the other side.
 */
#ifndef TESTS_UNIT_CORE_HIDING_HEADER_FIXTURE_H
#define TESTS_UNIT_CORE_HIDING_HEADER_FIXTURE_H

#include "tests/unit/core/hiding_fixture.h"

#define HEADER_ROOM 70000u

/* To be filled by fixture_snapshot() before the tests. */
extern struct snapshot header_snapshot;

/* A message as received, and what became of it: of the last that was rewritten. */
extern char header_in[HEADER_ROOM], header_out[HEADER_ROOM];

/* The value of a header in rewritten bytes, or NULL; checks that they are SIP again. */
const char *header_value(struct slice text, const char *name, char *buf);

/* Rewritten, in the memory above. Lines end in CRLF. */
struct slice header_request(uint16_t from, const char *lines, const char *body);
struct slice header_response(uint16_t from, const char *lines);

struct header_vector {
	const char *line; /* as received, one or more lines without the last line end */
	const char *name; /* header looked for afterwards */
	const char *want; /* its value, NULL: gone */
};

/* Of each line in both, what is wanted. */
void header_run(uint16_t from, const struct header_vector *v, size_t n);

#define RUN(from, v) header_run((from), (v), sizeof(v) / sizeof((v)[0]))

#endif
