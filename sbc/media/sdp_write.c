#include "sbc/base/siphash.h"
#include "sbc/media/sdp.h"

static bool is_digits(struct slice s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n != 0 && s.n <= 20;
}

static struct slice after(struct slice s, int32_t at)
{
	return slice_of(s.p + at + 1, s.n - (uint32_t)at - 1);
}

static void write_line(struct wbuf *w, char type, struct slice value)
{
	wbuf_char(w, type);
	wbuf_char(w, '=');
	wbuf_put(w, value);
	wbuf_lit(w, "\r\n");
}

/* "token:digits", RFC 8866 5.8. */
static bool is_bandwidth(struct slice v)
{
	int32_t colon = slice_find(v, ':');

	if (colon <= 0 || !is_digits(after(v, colon)))
		return false;
	for (int32_t i = 0; i < colon; i++)
		if (v.p[i] <= ' ' || v.p[i] > '~')
			return false;
	return true;
}

/* "digits digits", RFC 8866 5.9. */
static bool is_timing(struct slice v)
{
	int32_t space = slice_find(v, ' ');

	return space > 0 && is_digits(slice_of(v.p, (uint32_t)space)) && is_digits(after(v, space));
}

/* Lines of a description: the session's, or a media line's. */
struct lines {
	const struct sdp *d;
	const struct sdp_line *at, *end;
};

static struct lines lines_of(const struct sdp *d, uint32_t first, uint32_t count)
{
	return (struct lines){d, d->line + first, d->line + first + count};
}

static void write_bandwidth(struct wbuf *w, struct lines l)
{
	for (; l.at < l.end; l.at++)
		if (l.at->type == 'b' && is_bandwidth(sdp_line_value(l.d, l.at)))
			write_line(w, 'b', sdp_line_value(l.d, l.at));
}

static inline bool is_carried(const struct sdp_line *line, bool carry_unknown)
{
	return line->type == 'a' &&
	       (line->attr == SDP_ATTR_CARRY || (line->attr == SDP_ATTR_UNKNOWN && carry_unknown));
}

/* Nothing but CRLF and "a=" stands between the values of two lines. */
static inline bool are_joined(const struct sdp *d, const struct sdp_line *a,
			      const struct sdp_line *b)
{
	return d->crlf && b->at == a->at + a->n + 4u;
}

/* Those that stand side by side in the original go on in one piece. */
static void write_attributes(struct wbuf *w, struct lines l, bool carry_unknown)
{
	while (l.at < l.end) {
		const struct sdp_line *first = l.at++, *last = first;

		if (!is_carried(first, carry_unknown))
			continue;
		while (l.at < l.end && is_carried(l.at, carry_unknown) &&
		       are_joined(l.d, last, l.at))
			last = l.at++;
		write_line(w, 'a',
			   slice_of(l.d->body.p + first->at, last->at + last->n - first->at));
	}
}

static void write_timing(struct wbuf *w, struct lines l)
{
	for (; l.at < l.end; l.at++) {
		const struct slice v = sdp_line_value(l.d, l.at);

		if (l.at->type == 't' && is_timing(v)) {
			write_line(w, 't', v);
			return;
		}
	}
	wbuf_lit(w, "t=0 0\r\n");
}

static uint32_t session_ip(const struct sdp_out *out)
{
	return out->media_ip ? out->media_ip : out->ip;
}

static void write_connection(struct wbuf *w, uint32_t ip)
{
	wbuf_lit(w, "c=IN IP4 ");
	net_ip_write(w, ip);
	wbuf_lit(w, "\r\n");
}

static void write_session(struct wbuf *w, const struct sdp *d, const struct sdp_out *out)
{
	const struct lines session = lines_of(d, 0, d->session_lines);

	wbuf_lit(w, "v=0\r\no=- ");
	wbuf_u64(w, out->session_id);
	wbuf_char(w, ' ');
	wbuf_u64(w, out->session_version);
	wbuf_lit(w, " IN IP4 ");
	net_ip_write(w, out->ip);
	wbuf_lit(w, "\r\ns=-\r\n");
	write_connection(w, session_ip(out));
	write_bandwidth(w, session);
	write_timing(w, session);
	write_attributes(w, session, out->carry_unknown);
}

static struct slice next_format(struct slice *rest)
{
	*rest = slice_trim(*rest);
	uint32_t n = 0;
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	struct slice word = slice_of(rest->p, n);
	*rest = slice_of(rest->p + n, rest->n - n);
	return word;
}

/* Each once: codecs named again and again have crashed receivers. */
static void write_formats_once(struct wbuf *w, const struct sdp_media *m)
{
	struct slice rest = m->formats, word;
	uint64_t seen[2] = {0, 0};
	uint32_t pt;

	while ((word = next_format(&rest)).n) {
		if (m->proto == SDP_PROTO_RTP && slice_u32(word, 127, &pt)) {
			if (seen[pt >> 6] >> (pt & 63) & 1)
				continue;
			seen[pt >> 6] |= 1ull << (pt & 63);
		}
		wbuf_char(w, ' ');
		wbuf_put(w, word);
	}
}

static void write_formats(struct wbuf *w, const struct sdp_media *m)
{
	if (m->formats_plain) {
		wbuf_char(w, ' ');
		wbuf_put(w, m->formats);
	} else if (m->formats.n) {
		write_formats_once(w, m);
	} else {
		wbuf_lit(w, " 0");
	}
}

static void write_media_line(struct wbuf *w, const struct sdp_media *m, uint16_t port)
{
	wbuf_lit(w, "m=");
	wbuf_put(w, m->type);
	wbuf_char(w, ' ');
	wbuf_u64(w, port);
	wbuf_char(w, ' ');
	wbuf_put(w, m->proto_name);
	write_formats(w, m);
	wbuf_lit(w, "\r\n");
}

static void write_media(struct wbuf *w, const struct sdp *d, const struct sdp_media *m,
			const struct sdp_out *out, const struct sdp_out_media *om)
{
	const struct lines lines = lines_of(d, m->first_line, m->line_count);

	if (om->refuse || m->port == 0 || om->port == 0) {
		write_media_line(w, m, 0);
		return;
	}
	write_media_line(w, m, om->port);
	if (om->ip && om->ip != session_ip(out))
		write_connection(w, om->ip);
	write_bandwidth(w, lines);
	write_attributes(w, lines, out->carry_unknown);
	if (m->proto == SDP_PROTO_RTP || m->direction != SDP_SENDRECV)
		write_line(w, 'a', sdp_direction_name(m->direction));
	if (om->rtcp_port != 0 && om->rtcp_port != om->port + 1u) {
		wbuf_lit(w, "a=rtcp:");
		wbuf_u64(w, om->rtcp_port);
		wbuf_lit(w, "\r\n");
	}
}

enum sbc_err sdp_write(struct wbuf *w, const struct sdp *d, const struct sdp_out *out)
{
	write_session(w, d, out);
	for (uint32_t i = 0; i < d->media_count; i++)
		write_media(w, d, &d->media[i], out, &out->media[i]);
	return wbuf_ok(w) ? SBC_OK : SBC_EFULL;
}

uint64_t sdp_fingerprint(struct slice written)
{
	/* No secret is needed: who makes two of his own descriptions collide fools himself. */
	struct siphash_key key = {0x706f737465726e00u, 0x7364702d6f6c696eu};
	int32_t from = slice_search(written, SLICE_LIT("o="));

	if (from < 0)
		return siphash24(&key, written.p, written.n);
	int32_t end = slice_find(after(written, from), '\n');
	struct slice rest = end < 0 ? SLICE_NONE : after(written, from + 1 + end);
	key.k0 ^= siphash24(&key, written.p, (size_t)from);
	return siphash24(&key, rest.p, rest.n);
}
