#include <string.h>

#include "sbc/base/siphash.h"
#include "tests/lib/sdp_plain.h"

static const char *const carried[] = {"rtpmap",
				      "fmtp",
				      "ptime",
				      "maxptime",
				      "minptime",
				      "rtcp-fb",
				      "rtcp-mux",
				      "rtcp-mux-only",
				      "rtcp-rsize",
				      "rtcp-xr",
				      "silenceSupp",
				      "ecan",
				      "gpmd",
				      "framerate",
				      "framesize",
				      "quality",
				      "imageattr",
				      "extmap",
				      "extmap-allow-mixed",
				      "rid",
				      "simulcast",
				      "mid",
				      "label",
				      "content",
				      "lang",
				      "sdplang",
				      "charset",
				      "type",
				      "orient",
				      "crypto",
				      "fingerprint",
				      "setup",
				      "connection",
				      "tls-id",
				      "zrtp-hash",
				      "curr",
				      "des",
				      "conf",
				      "floorctrl",
				      "confid",
				      "userid",
				      "floorid",
				      "sctp-port",
				      "max-message-size",
				      NULL};
static const char *const ours[] = {"sendrecv", "sendonly", "recvonly", "inactive", "rtcp", NULL};
static const char *const dropped[] = {"candidate",
				      "remote-candidates",
				      "end-of-candidates",
				      "alt",
				      "altc",
				      "source-filter",
				      "rtcp-unicast",
				      "path",
				      "msrp-cema",
				      "ts-refclk",
				      "key-mgmt",
				      "identity",
				      "ssrc",
				      "ssrc-group",
				      "msid",
				      "msid-semantic",
				      "cname",
				      "group",
				      "bundle-only",
				      "acap",
				      "tcap",
				      "pcfg",
				      "acfg",
				      "tool",
				      "cat",
				      "keywds",
				      NULL};

static bool is_listed(const char *const *names, struct slice name)
{
	for (; *names != NULL; names++)
		if (slice_ieq(name, slice_str(*names)))
			return true;
	return false;
}

const char *sdp_plain_name(uint32_t i)
{
	static const char *const *const list[] = {carried, ours, dropped};

	for (uint32_t k = 0; k < 3; k++)
		for (const char *const *name = list[k]; *name != NULL; name++)
			if (i-- == 0)
				return *name;
	return NULL;
}

static bool has_prefix(struct slice name, struct slice prefix)
{
	return name.n >= prefix.n && slice_ieq(slice_of(name.p, prefix.n), prefix);
}

static bool name_is_carried(struct slice name, bool carry_unknown)
{
	if (is_listed(carried, name))
		return true;
	if (is_listed(ours, name) || is_listed(dropped, name))
		return false;
	return has_prefix(name, SLICE_LIT("T38")) ||
	       (carry_unknown && !has_prefix(name, SLICE_LIT("ice-")));
}

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

static void write_bandwidth(struct wbuf *w, const struct sdp_plain_line *line, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (line[i].type == 'b' && is_bandwidth(line[i].value))
			write_line(w, 'b', line[i].value);
}

/* A name with a space in it is none: "candidate 1 ..." is not carried as unknown. */
static bool is_carried(struct slice attribute, bool carry_unknown)
{
	int32_t colon = slice_find(attribute, ':');
	struct slice name = colon < 0 ? attribute : slice_of(attribute.p, (uint32_t)colon);

	if (name.n == 0 || slice_find(name, ' ') >= 0 || slice_find(name, '\t') >= 0)
		return false;
	return name_is_carried(name, carry_unknown);
}

static void write_attributes(struct wbuf *w, const struct sdp_plain_line *line, uint32_t n,
			     bool carry_unknown)
{
	for (uint32_t i = 0; i < n; i++)
		if (line[i].type == 'a' && is_carried(line[i].value, carry_unknown))
			write_line(w, 'a', line[i].value);
}

static void write_timing(struct wbuf *w, const struct sdp_plain *d)
{
	for (uint32_t i = 0; i < d->session_lines; i++) {
		if (d->line[i].type == 't' && is_timing(d->line[i].value)) {
			write_line(w, 't', d->line[i].value);
			return;
		}
	}
	wbuf_lit(w, "t=0 0\r\n");
}

static uint32_t session_ip(const struct sdp_out *out)
{
	return out->media_ip ? out->media_ip : out->ip;
}

static void write_ip(struct wbuf *w, uint32_t ip)
{
	uint8_t octet[4];

	memcpy(octet, &ip, 4);
	for (int i = 0; i < 4; i++) {
		if (i)
			wbuf_char(w, '.');
		wbuf_u64(w, octet[i]);
	}
}

static void write_connection(struct wbuf *w, uint32_t ip)
{
	wbuf_lit(w, "c=IN IP4 ");
	write_ip(w, ip);
	wbuf_lit(w, "\r\n");
}

static void write_session(struct wbuf *w, const struct sdp_plain *d, const struct sdp_out *out)
{
	wbuf_lit(w, "v=0\r\no=- ");
	wbuf_u64(w, out->session_id);
	wbuf_char(w, ' ');
	wbuf_u64(w, out->session_version);
	wbuf_lit(w, " IN IP4 ");
	write_ip(w, out->ip);
	wbuf_lit(w, "\r\ns=-\r\n");
	write_connection(w, session_ip(out));
	write_bandwidth(w, d->line, d->session_lines);
	write_timing(w, d);
	write_attributes(w, d->line, d->session_lines, out->carry_unknown);
}

/* Each once: codecs named again and again have crashed receivers. */
static void write_formats(struct wbuf *w, const struct sdp_media *m)
{
	struct slice rest = m->formats, word;
	bool seen[128] = {false}, any = false;
	uint32_t pt;

	while ((word = sdp_plain_word(&rest)).n) {
		if (m->proto == SDP_PROTO_RTP && slice_u32(word, 127, &pt)) {
			if (seen[pt])
				continue;
			seen[pt] = true;
		}
		wbuf_char(w, ' ');
		wbuf_put(w, word);
		any = true;
	}
	if (!any)
		wbuf_lit(w, " 0");
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

static void write_media(struct wbuf *w, const struct sdp_plain *d, const struct sdp_media *m,
			const struct sdp_out *out, const struct sdp_out_media *om)
{
	const struct sdp_plain_line *line = &d->line[m->first_line];

	if (om->refuse || m->port == 0 || om->port == 0) {
		write_media_line(w, m, 0);
		return;
	}
	write_media_line(w, m, om->port);
	if (om->ip && om->ip != session_ip(out))
		write_connection(w, om->ip);
	write_bandwidth(w, line, m->line_count);
	write_attributes(w, line, m->line_count, out->carry_unknown);
	if (m->proto == SDP_PROTO_RTP || m->direction != SDP_SENDRECV)
		write_line(w, 'a', sdp_plain_direction(m->direction));
	if (om->rtcp_port != 0 && om->rtcp_port != om->port + 1u) {
		wbuf_lit(w, "a=rtcp:");
		wbuf_u64(w, om->rtcp_port);
		wbuf_lit(w, "\r\n");
	}
}

enum sbc_err sdp_plain_write(struct wbuf *w, const struct sdp_plain *d, const struct sdp_out *out)
{
	write_session(w, d, out);
	for (uint32_t i = 0; i < d->media_count; i++)
		write_media(w, d, &d->media[i], out, &out->media[i]);
	return wbuf_ok(w) ? SBC_OK : SBC_EFULL;
}

uint64_t sdp_plain_fingerprint(struct slice written)
{
	struct siphash_key key = {0x706f737465726e00u, 0x7364702d6f6c696eu};
	int32_t from = slice_search(written, SLICE_LIT("o="));

	if (from < 0)
		return siphash24(&key, written.p, written.n);
	int32_t end = slice_find(after(written, from), '\n');
	struct slice rest = end < 0 ? SLICE_NONE : after(written, from + 1 + end);
	key.k0 ^= siphash24(&key, written.p, (size_t)from);
	return siphash24(&key, rest.p, rest.n);
}
