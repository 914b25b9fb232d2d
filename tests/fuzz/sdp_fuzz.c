/*
 * Any bytes as a session description: both ways of reading and writing it do the same;
 * what can be read is written for the other side, and what was written is read and
 * written again, to the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/media/sdp.h"
#include "tests/lib/sdp_plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int promise)
{
	if (!promise)
		abort();
}

static bool within(struct slice s, struct slice body)
{
	return s.n == 0 || (s.p >= body.p && s.p + s.n <= body.p + body.n);
}

static void check_bounds(const struct sdp *d, struct slice body)
{
	must(d->lines <= SDP_MAX_LINES && d->media_count <= SDP_MAX_MEDIA);
	must(slice_eq(d->body, body));
	for (uint32_t i = 0; i < d->lines; i++)
		must(within(sdp_line_value(d, &d->line[i]), body) && d->line[i].n <= SDP_MAX_LINE);
	for (uint32_t i = 0; i < d->media_count; i++) {
		const struct sdp_media *m = &d->media[i];
		must(within(m->type, body) && within(m->formats, body));
		must(m->first_line + m->line_count <= d->lines);
		must(m->clock_rate >= 1 && m->clock_rate <= 1000000);
	}
}

/* Each line is of a kind the border writes; origin, connection and time stand once. */
static void check_lines(struct slice text)
{
	uint32_t once[256] = {0};

	while (text.n) {
		int32_t lf = slice_find(text, '\n');
		must(lf > 2 && text.p[lf - 1] == '\r' && text.p[1] == '=');
		must(slice_find(SLICE_LIT("vosctbma"), text.p[0]) >= 0);
		once[(uint8_t)text.p[0]]++;
		must(!slice_starts(text, SLICE_LIT("a=candidate:")));
		must(!slice_starts(text, SLICE_LIT("a=candidate ")));
		must(!slice_starts(text, SLICE_LIT("a=ice-")));
		text = slice_of(text.p + lf + 1, text.n - (uint32_t)lf - 1);
	}
	must(once['v'] == 1 && once['o'] == 1 && once['s'] == 1 && once['c'] == 1);
	must(once['t'] == 1);
}

static struct slice write_out(char *room, uint32_t cap, const struct sdp *d, bool carry_unknown)
{
	struct sdp_out out = {.session_id = 1, .session_version = 2, .ip = 0x0100000a};
	struct wbuf w;

	out.carry_unknown = carry_unknown;
	for (uint16_t i = 0; i < SDP_MAX_MEDIA; i++) {
		out.media[i].port = (uint16_t)(20000 + 2 * i);
		out.media[i].rtcp_port = i % 2 ? 30000 : 0;
		out.media[i].refuse = i == 5;
	}
	wbuf_init(&w, room, cap);
	must(sdp_write(&w, d, &out) == (wbuf_ok(&w) ? SBC_OK : SBC_EFULL));
	return wbuf_ok(&w) ? wbuf_slice(&w) : SLICE_NONE;
}

static void check_round_trip(const struct sdp *d, bool carry_unknown)
{
	static char first[256 * 1024], second[256 * 1024];
	static struct sdp again;
	struct slice one = write_out(first, sizeof(first), d, carry_unknown);

	must(one.n != 0);
	check_lines(one);
	enum sbc_err err = sdp_parse(&again, one);
	must(err == SBC_OK || (err == SBC_ELIMIT && d->lines > SDP_MAX_LINES / 2));
	if (err != SBC_OK)
		return;
	struct slice two = write_out(second, sizeof(second), &again, carry_unknown);
	must(slice_eq(one, two) && sdp_fingerprint(one) == sdp_fingerprint(two));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sdp d;
	char small[100];

	if (size > 65536)
		return 0;
	/* A copy of just that size: the sanitizer sees a byte too far. */
	char *copy = malloc(size ? size : 1);
	if (copy == NULL)
		return 0;
	if (size)
		memcpy(copy, data, size);
	struct slice body = slice_of(copy, (uint32_t)size);
	must(sdp_plain_differs(body) == NULL);
	if (sdp_parse(&d, body) == SBC_OK) {
		check_bounds(&d, body);
		check_round_trip(&d, false);
		check_round_trip(&d, true);
		(void)write_out(small, sizeof(small), &d, true);
	}
	free(copy);
	return 0;
}
