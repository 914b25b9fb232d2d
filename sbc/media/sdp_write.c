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
	const char front[] = {type, '='};

	wbuf_put(w, slice_of(front, sizeof(front)));
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

static void write_if_bandwidth(struct wbuf *w, struct slice v)
{
	if (is_bandwidth(v))
		write_line(w, 'b', v);
}

static inline void write_bandwidth(struct wbuf *w, const struct sdp *d, const struct sdp_line *l,
				   uint32_t n)
{
	for (const struct sdp_line *end = l + n; l < end; l++)
		if (l->type == 'b')
			write_if_bandwidth(w, sdp_line_value(d, l));
}

/* Nothing but CRLF and "a=" stands between the values of two lines. */
static inline bool are_joined(const struct sdp *d, const struct sdp_line *a,
			      const struct sdp_line *b)
{
	return d->crlf && b->at == a->at + a->n + 4u;
}

/* Those that stand side by side in the original go on in one piece. */
static void write_attributes(struct wbuf *w, const struct sdp *d, const struct sdp_line *l,
			     uint32_t n, bool carry_unknown)
{
	const uint32_t carried = 1u << SDP_ATTR_CARRY | (uint32_t)carry_unknown << SDP_ATTR_UNKNOWN;
	const struct sdp_line *end = l + n;

	while (l < end) {
		const struct sdp_line *first = l++, *last = first;

		if (!(carried >> first->attr & 1))
			continue;
		for (; l < end && carried >> l->attr & 1 && are_joined(d, last, l); l++)
			last = l;
		write_line(w, 'a', slice_of(d->body.p + first->at, last->at + last->n - first->at));
	}
}

static bool is_unbounded(struct slice timing)
{
	return timing.n == 3 && memcmp(timing.p, "0 0", 3) == 0;
}

/* The first that is well-formed, or that the session is not bounded. */
static void write_timing(struct wbuf *w, const struct sdp *d)
{
	for (uint32_t i = 0; i < d->session_lines; i++) {
		const struct slice v = sdp_line_value(d, &d->line[i]);

		if (d->line[i].type != 't')
			continue;
		if (is_unbounded(v))
			break;
		if (is_timing(v)) {
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
	wbuf_lit(w, "v=0\r\no=- ");
	wbuf_u64(w, out->session_id);
	wbuf_char(w, ' ');
	wbuf_u64(w, out->session_version);
	wbuf_lit(w, " IN IP4 ");
	net_ip_write(w, out->ip);
	wbuf_lit(w, "\r\ns=-\r\n");
	write_connection(w, session_ip(out));
	write_bandwidth(w, d, d->line, d->session_lines);
	write_timing(w, d);
	write_attributes(w, d, d->line, d->session_lines, out->carry_unknown);
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
	wbuf_put(w, m->proto_name);
	if (m->formats.n)
		write_formats_once(w, m);
	else
		wbuf_lit(w, " 0");
}

static void write_media_line(struct wbuf *w, const struct sdp_media *m, uint16_t port)
{
	const char *proto = m->proto_name.p;

	wbuf_lit(w, "m=");
	wbuf_put(w, m->type);
	wbuf_char(w, ' ');
	wbuf_u64(w, port);
	wbuf_char(w, ' ');
	if (m->plain)
		wbuf_put(w, slice_of(proto, (uint32_t)(m->formats.p + m->formats.n - proto)));
	else
		write_formats(w, m);
	wbuf_lit(w, "\r\n");
}

static void write_direction(struct wbuf *w, enum sdp_direction d)
{
	static const char lines[][12] = {
		[SDP_SENDRECV] = "a=sendrecv\r\n",
		[SDP_SENDONLY] = "a=sendonly\r\n",
		[SDP_RECVONLY] = "a=recvonly\r\n",
		[SDP_INACTIVE] = "a=inactive\r\n",
	};

	wbuf_put(w, slice_of(lines[d], sizeof(lines[0])));
}

static void write_media(struct wbuf *w, const struct sdp *d, const struct sdp_media *m,
			const struct sdp_out *out, const struct sdp_out_media *om)
{
	const struct sdp_line *line = &d->line[m->first_line];

	if (om->refuse || m->port == 0 || om->port == 0) {
		write_media_line(w, m, 0);
		return;
	}
	write_media_line(w, m, om->port);
	if (om->ip && om->ip != session_ip(out))
		write_connection(w, om->ip);
	write_bandwidth(w, d, line, m->line_count);
	write_attributes(w, d, line, m->line_count, out->carry_unknown);
	if (m->proto == SDP_PROTO_RTP || m->direction != SDP_SENDRECV)
		write_direction(w, m->direction);
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

/* siphash24() of "v=0\r\n" under the key of sdp_fingerprint(): what sdp_write() begins with. */
#define FINGERPRINT_USUAL 0x3116943f2710fc07u

uint64_t sdp_fingerprint(struct slice written)
{
	/* No secret is needed: who makes two of his own descriptions collide fools himself. */
	struct siphash_key key = {0x706f737465726e00u, 0x7364702d6f6c696eu};
	const struct slice usual = SLICE_LIT("v=0\r\no=");
	const bool is_usual = slice_starts(written, usual);
	int32_t from = is_usual ? (int32_t)usual.n - 2 : slice_search(written, SLICE_LIT("o="));

	if (from < 0)
		return siphash24(&key, written.p, written.n);
	int32_t end = slice_find(after(written, from), '\n');
	struct slice rest = end < 0 ? SLICE_NONE : after(written, from + 1 + end);
	key.k0 ^= is_usual ? FINGERPRINT_USUAL : siphash24(&key, written.p, (size_t)from);
	return siphash24(&key, rest.p, rest.n);
}
