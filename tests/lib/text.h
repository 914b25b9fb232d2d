/*
 * text: an independent reader of SIP and SDP as text, for tests.
 *
 * Shares no code with sbc/sip and sbc/media, so that a mistake there is not
 * repeated by what checks it. Slow, simple and lenient; slices point into the
 * message. Header names may be given in their long form and are found in
 * either form and any case. Nothing here is for hostile lengths: messages are
 * those that a test sends and the border answers.
 */
#ifndef TESTS_LIB_TEXT_H
#define TESTS_LIB_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/slice.h"

bool text_ieq(struct slice a, struct slice b);
bool text_is(struct slice a, const char *b); /* any case */
struct slice text_trim(struct slice s);

/* First position of `needle` (any case when `fold`), or -1. */
int32_t text_find(struct slice hay, struct slice needle, bool fold);

/* Shell-like match: '*' any run of bytes, '?' one byte; all else byte by byte. */
bool text_glob(struct slice s, struct slice pattern);

/* Without line end; the start line is cut off `*rest`. False at the end. */
bool text_next_line(struct slice *rest, struct slice *line);

struct slice text_start_line(struct slice msg);
bool text_is_request(struct slice msg);
unsigned text_status(struct slice msg);          /* 0: a request */
struct slice text_method(struct slice msg);      /* of a response: CSeq's */
struct slice text_request_uri(struct slice msg); /* empty for a response */
struct slice text_head(struct slice msg);        /* with start line, without the empty line */
struct slice text_body(struct slice msg);

/* Walks the header lines with folding inside the value; `*pos` is 0 at first. */
bool text_next_header(struct slice msg, uint32_t *pos, struct slice *name, struct slice *value);

/* Whether a header name as it stands on the wire is `name` (its long form). */
bool text_name_is(struct slice wire, const char *name);

/* The nth line (from 0) of a header; SLICE_NONE when there is none. */
struct slice text_header(struct slice msg, const char *name, uint32_t nth);
uint32_t text_count(struct slice msg, const char *name);

/* First element of a comma-separated value, cut off `*rest`. */
bool text_next_element(struct slice *rest, struct slice *element);

struct slice text_uri(struct slice value);                     /* in <>, or up to ';' */
struct slice text_user(struct slice uri);                      /* empty when there is none */
struct slice text_host(struct slice uri);                      /* without port */
struct slice text_param(struct slice value, const char *name); /* header parameter, outside <> */
uint32_t text_cseq(struct slice msg);
uint32_t text_number(struct slice s); /* leading digits, 0 without */

/* Value after "x=" of the nth line (from 0) of that type in a body. */
struct slice text_sdp(struct slice body, char type, uint32_t nth);

#endif
