#include "sbc/media/sdp_lines.h"

#include <assert.h>

#include "sbc/base/scan.h"

/* For scan_span(): bit h of row l is byte (h << 4 | l). */
static const struct scan_set text_set = {/* no control character but HTAB */
					 {0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc,
					  0xfd, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc},
					 true};

static inline bool is_control(char c)
{
	return (uint8_t)c < ' ' && c != '\t';
}

/* The line p[at..at + n) without its line end; it has no control characters. */
static inline enum sbc_err take(struct sdp_line *to, const char *p, uint32_t at, uint32_t n)
{
	if (n < 2)
		return SBC_EBAD;
	/* "x=", x of 'a' to 'z', in one comparison: the two bytes as a number. */
	p += at;
	const uint32_t two = (uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8;

	if (two - ('a' | '=' << 8) > 'z' - 'a')
		return SBC_EBAD;
	*to = (struct sdp_line){at + 2, (uint16_t)(n - 2), (char)two, SDP_ATTR_DROP};
	return n - 2 <= SDP_MAX_LINE ? SBC_OK : SBC_ELIMIT;
}

/* The same, where there may be too many. */
static enum sbc_err take_next(struct sdp *d, uint32_t at, uint32_t n)
{
	struct sdp_line too_many;
	const bool full = d->lines == SDP_MAX_LINES;
	const enum sbc_err err = take(full ? &too_many : &d->line[d->lines], d->body.p, at, n);

	if (err == SBC_OK && full)
		return SBC_ELIMIT;
	d->lines++;
	return err;
}

static_assert(SCAN_TEXT_LINES <= SDP_MAX_LINES,
	      "only the line behind the last LF can be one too many");

/*
 * By the offsets of all LF, the first of which is not 0. Each may have one control
 * character in front: CR belongs to the line end, and others are what they are.
 */
static enum sbc_err cut_at(struct sdp *d, const uint16_t *lf, uint32_t count)
{
	const char *p = d->body.p;
	struct sdp_line *to = d->line;
	enum sbc_err err = SBC_OK;
	uint32_t at = 0;
	bool crlf = true;

	for (const uint16_t *end = lf + count; lf < end; at = *lf++ + 1u) {
		uint32_t n = *lf - at;

		if (p[*lf - 1u] == '\r') {
			n--;
		} else {
			crlf = false;
			if (is_control(p[*lf - 1u]) && n)
				return SBC_EBAD;
		}
		if (n == 0)
			continue;
		err = take(to++, p, at, n);
		if (err != SBC_OK)
			return err;
	}
	d->crlf = crlf;
	d->lines = (uint16_t)(to - d->line);
	if (at == d->body.n)
		return SBC_OK;
	return take_next(d, at, d->body.n - at);
}

/* Takes a line off the front, without its LF or CRLF. */
static struct slice take_line(struct slice *rest)
{
	const int32_t lf = slice_find(*rest, '\n');
	struct slice line = lf < 0 ? *rest : slice_of(rest->p, (uint32_t)lf);
	const uint32_t used = lf < 0 ? rest->n : (uint32_t)lf + 1;

	*rest = slice_of(rest->p + used, rest->n - used);
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* One line after the other, each looked at byte by byte. */
static enum sbc_err cut_by_line(struct sdp *d)
{
	struct slice rest = d->body;
	enum sbc_err err = SBC_OK;

	while (rest.n && err == SBC_OK) {
		const struct slice line = take_line(&rest);
		const uint32_t at = (uint32_t)(line.p - d->body.p);

		if (line.n == 0)
			continue;
		if (scan_span(&text_set, line.p, line.n) != line.n)
			return SBC_EBAD;
		err = take_next(d, at, line.n);
	}
	return err;
}

enum sbc_err sdp_lines_cut(struct sdp *d)
{
	uint16_t lf[SCAN_TEXT_ROOM];
	uint32_t count = SCAN_NOT_PLAIN;

	if (d->body.n <= UINT16_MAX)
		count = scan_text(d->body.p, d->body.n, lf);
	if (count == SCAN_NOT_PLAIN || (count && lf[0] == 0))
		return cut_by_line(d);
	return cut_at(d, lf, count);
}
