/*
 * sdp_plain: what sdp_parse() and sdp_write() mean, a line, a word and a byte at a time;
 * for tests to compare with.
 */
#ifndef TESTS_LIB_SDP_PLAIN_H
#define TESTS_LIB_SDP_PLAIN_H

#include "sbc/media/sdp.h"

struct sdp_plain_line {
	char type;
	struct slice value;
};

struct sdp_plain {
	struct sdp_conn conn;
	enum sdp_direction direction;
	uint16_t session_lines, lines;
	uint8_t media_count;
	struct sdp_media media[SDP_MAX_MEDIA]; /* `plain` is not set */
	struct sdp_plain_line line[SDP_MAX_LINES];
};

enum sbc_err sdp_plain_parse(struct sdp_plain *d, struct slice body);
enum sbc_err sdp_plain_write(struct wbuf *w, const struct sdp_plain *d, const struct sdp_out *out);
uint64_t sdp_plain_fingerprint(struct slice written);

/* A word off the front of a value, and a direction's name: what reading and writing share. */
struct slice sdp_plain_word(struct slice *s);
struct slice sdp_plain_direction(enum sdp_direction d);

/* The i-th attribute that has a policy of its own; NULL behind the last. */
const char *sdp_plain_name(uint32_t i);

/* The first thing in which a body's two readings differ, the written ones included; or NULL. */
const char *sdp_plain_differs(struct slice body);

#endif
