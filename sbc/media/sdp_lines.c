#include "sbc/media/sdp_lines.h"

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

/* The line body.p[at..end) without its line end; it has no control characters. */
static inline enum sbc_err take(struct sdp *d, uint32_t at, uint32_t end)
{
	const char *p = d->body.p + at;
	const uint32_t n = end - at;

	if (n < 2 || p[1] != '=' || (uint8_t)(p[0] - 'a') > 'z' - 'a')
		return SBC_EBAD;
	if (d->lines == SDP_MAX_LINES || n - 2 > SDP_MAX_LINE)
		return SBC_ELIMIT;
	d->line[d->lines++] = (struct sdp_line){.at = at + 2, .n = (uint16_t)(n - 2), .type = *p};
	return SBC_OK;
}

/*
 * By the offsets of all LF, each of which may have one control character in front:
 * CR belongs to the line end, and others are what they are.
 */
static enum sbc_err cut_at(struct sdp *d, const uint16_t *lf, uint32_t count)
{
	const char *p = d->body.p;
	enum sbc_err err = SBC_OK;
	uint32_t at = 0;

	for (uint32_t i = 0; i < count && err == SBC_OK; at = lf[i++] + 1u) {
		uint32_t end = lf[i];

		if (end != at && p[end - 1] == '\r')
			end--;
		else
			d->crlf = false;
		if (end == at)
			continue;
		err = is_control(p[end - 1]) ? SBC_EBAD : take(d, at, end);
	}
	return err == SBC_OK && at < d->body.n ? take(d, at, d->body.n) : err;
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
		err = take(d, at, at + line.n);
	}
	return err;
}

enum sbc_err sdp_lines_cut(struct sdp *d)
{
	uint16_t lf[SCAN_TEXT_ROOM];
	const uint32_t count =
		d->body.n <= UINT16_MAX ? scan_text(d->body.p, d->body.n, lf) : SCAN_NOT_PLAIN;

	d->crlf = count != SCAN_NOT_PLAIN;
	return d->crlf ? cut_at(d, lf, count) : cut_by_line(d);
}
