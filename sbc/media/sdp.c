#include "sbc/media/sdp.h"

#include <stddef.h>
#include <string.h>

#include "sbc/media/sdp_attr.h"
#include "sbc/media/sdp_lines.h"

/* ---- tokens ---- */

static inline bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool is_visible(char c)
{
	return (uint8_t)(c - '!') <= '~' - '!';
}

/* What is left of a value: from the front on to `end`. */
static inline void leave(struct slice *s, const char *from, const char *end)
{
	*s = slice_of(from, (uint32_t)(end - from));
}

static inline void skip_spaces(struct slice *s)
{
	const char *p = s->p, *end = p + s->n;

	while (p < end && is_space(*p))
		p++;
	leave(s, p, end);
}

/* slice_trim() of what has no line ends in it. */
static inline struct slice trim(struct slice s)
{
	skip_spaces(&s);
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Takes the next run of non-spaces off the front; empty at the end. */
static inline struct slice take_word(struct slice *s)
{
	skip_spaces(s);
	const char *p = s->p, *from = p, *end = p + s->n;

	while (p < end && !is_space(*p))
		p++;
	leave(s, p, end);
	return slice_of(from, (uint32_t)(p - from));
}

/* The same for a word of visible characters, 0x21 to 0x7e; empty when it is none. */
static inline struct slice take_visible(struct slice *s)
{
	skip_spaces(s);
	const char *p = s->p, *from = p, *end = p + s->n;

	while (p < end && is_visible(*p))
		p++;
	leave(s, p, end);
	return slice_of(from, p < end && !is_space(*p) ? 0 : (uint32_t)(p - from));
}

/* Takes decimal digits off the front; false when there are none, or their value is above `max`. */
static inline bool take_number(struct slice *s, uint32_t max, uint32_t *out)
{
	const char *p = s->p, *from = p, *end = p + s->n;
	uint32_t v = 0, digit;

	for (; p < end && (digit = (uint32_t)(uint8_t)*p - '0') <= 9; p++)
		v = v * 10 + digit;
	leave(s, p, end);
	/* Nine digits do not overflow, more may. */
	if (p - from > 9 && !slice_u32(slice_of(from, (uint32_t)(p - from)), max, &v))
		return false;
	*out = v;
	return p != from && v <= max;
}

/* Takes `c` off the front, if it is there. */
static inline bool take_char(struct slice *s, char c)
{
	if (s->n == 0 || *s->p != c)
		return false;
	*s = slice_of(s->p + 1, s->n - 1);
	return true;
}

/* ---- c=, m= ---- */

/* "IN IP4 address[/ttl]". What is no IPv4 address is present and not is_ip4. */
static enum sbc_err read_conn_words(struct sdp_conn *c, struct slice v)
{
	struct slice net = take_word(&v), family = take_word(&v), addr = take_word(&v);

	if (!slice_ieq(net, SLICE_LIT("IN")) || family.n == 0 || addr.n == 0)
		return SBC_EBAD;
	int32_t slash = slice_find(addr, '/');
	if (slash >= 0)
		addr.n = (uint32_t)slash;
	*c = (struct sdp_conn){.present = true};
	c->is_ip4 = slice_ieq(family, SLICE_LIT("IP4")) && net_ip_parse(addr, &c->ip);
	return SBC_OK;
}

static enum sbc_err read_conn(struct sdp_conn *c, struct slice v)
{
	static const char usual[] = "IN IP4 ";
	const uint32_t n = sizeof(usual) - 1;

	if (c->present)
		return SBC_OK; /* the first of several layers (RFC 4566 5.7) */
	if (v.n <= n || memcmp(v.p, usual, n) != 0 ||
	    !net_ip_parse(slice_of(v.p + n, v.n - n), &c->ip))
		return read_conn_words(c, v);
	c->present = c->is_ip4 = true;
	return SBC_OK;
}

static enum sdp_proto proto_of(struct slice name)
{
	static const char *const rtp[] = {"RTP/AVP",   "RTP/AVPF",         "RTP/SAVP",
					  "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"};

	if (name.n == 7 && memcmp(name.p, "RTP/AVP", 7) == 0)
		return SDP_PROTO_RTP;
	for (uint32_t i = 0; i < sizeof(rtp) / sizeof(rtp[0]); i++)
		if (slice_ieq(name, slice_str(rtp[i])))
			return SDP_PROTO_RTP;
	struct slice head = name;
	int32_t slash = slice_find(name, '/');
	if (slash >= 0)
		head.n = (uint32_t)slash;
	if (slice_ieq(head, SLICE_LIT("udp")) || slice_ieq(name, SLICE_LIT("udptl")))
		return SDP_PROTO_UDP;
	return slice_ieq(head, SLICE_LIT("TCP")) ? SDP_PROTO_STREAM : SDP_PROTO_UNKNOWN;
}

/* "port" or "port/count". */
static bool read_port(struct sdp_media *m, struct slice word)
{
	uint32_t port, count = 1;

	if (!take_number(&word, UINT16_MAX, &port))
		return false;
	if (word.n && (!take_char(&word, '/') || !take_number(&word, UINT16_MAX, &count) ||
		       count == 0 || word.n))
		return false;
	m->port = (uint16_t)port;
	m->port_count = (uint16_t)count;
	return true;
}

/* RFC 3551 table 4 and 5: what needs no rtpmap. */
static uint32_t static_clock_rate(uint32_t pt)
{
	switch (pt) {
	case 6:
		return 16000;
	case 10:
	case 11:
		return 44100;
	case 16:
		return 11025;
	case 17:
		return 22050;
	case 14:
	case 25:
	case 26:
	case 28:
	case 31:
	case 32:
	case 33:
	case 34:
		return 90000;
	default:
		return 8000;
	}
}

/* Whether a value that does not end in spaces goes on with one SP, and no more. */
static inline bool at_one_space(struct slice v)
{
	return *v.p == ' ' && !is_space(v.p[1]);
}

/* The payload types of RTP, and of the first the clock rate. */
static bool read_payload_types(struct sdp_media *m, struct slice v)
{
	uint64_t seen[2] = {0, 0};
	bool plain = true;
	uint32_t pt;

	while (v.n) {
		if (!take_number(&v, 127, &pt) || (v.n && !is_space(*v.p)))
			return false;
		if ((seen[0] | seen[1]) == 0)
			m->clock_rate = static_clock_rate(pt);
		plain &= !(seen[pt >> 6] >> (pt & 63) & 1) && (v.n == 0 || at_one_space(v));
		seen[pt >> 6] |= 1ull << (pt & 63);
		skip_spaces(&v);
	}
	m->plain &= plain;
	return true;
}

static bool read_words(struct sdp_media *m, struct slice v)
{
	bool plain = true;

	while (v.n) {
		if (take_visible(&v).n == 0)
			return false;
		plain &= v.n == 0 || at_one_space(v);
	}
	m->plain &= plain;
	return true;
}

/* `v` has no spaces at its ends: none is its last byte. */
static bool read_formats(struct sdp_media *m, struct slice v)
{
	m->formats = v;
	if (!(m->proto == SDP_PROTO_RTP ? read_payload_types(m, v) : read_words(m, v)))
		return false;
	/* Some phones reject a line with no format at all. */
	return v.n != 0 || m->port == 0;
}

static enum sbc_err read_media_line(const struct sdp *d, struct sdp_media *m, struct slice v)
{
	*m = (struct sdp_media){.direction = d->direction, .clock_rate = 8000};
	m->type = take_visible(&v);
	if (m->type.n == 0 || !read_port(m, take_word(&v)))
		return SBC_EBAD;
	m->proto_name = take_visible(&v);
	if (m->proto_name.n == 0)
		return SBC_EBAD;
	m->proto = proto_of(m->proto_name);
	m->plain = v.n > 1 && at_one_space(v);
	return read_formats(m, trim(v)) ? SBC_OK : SBC_EBAD;
}

/* ---- attributes ---- */

/* RFC 3605: "port" or "port IN IP4 address"; one that cannot be read is as none. */
static void read_rtcp(struct sdp_media *m, struct slice v)
{
	struct sdp_conn c = {0};
	uint32_t port;

	skip_spaces(&v);
	if (!take_number(&v, UINT16_MAX, &port) || port == 0 || (v.n && !is_space(*v.p)))
		return;
	skip_spaces(&v);
	if (v.n != 0) {
		if (read_conn(&c, v) != SBC_OK || !c.is_ip4)
			return;
		m->rtcp_ip = c.ip;
	}
	m->rtcp_port = (uint16_t)port;
}

/* rtpmap of the first format, `pt`: "pt name/rate[/channels]". */
static void read_rtpmap(struct sdp_media *m, struct slice pt, struct slice v)
{
	uint32_t rate;

	/* Most are seen by their first byte to be of another format. */
	if (v.n == 0 || pt.n == 0 || (*v.p != *pt.p && !is_space(*v.p)) ||
	    !slice_eq(take_word(&v), pt))
		return;
	skip_spaces(&v);
	while (v.n && *v.p != '/' && !is_space(*v.p))
		v = slice_of(v.p + 1, v.n - 1);
	if (!take_char(&v, '/') || !take_number(&v, 1000000, &rate) || rate == 0)
		return;
	if (v.n == 0 || *v.p == '/' || is_space(*v.p))
		m->clock_rate = rate;
}

static struct sdp_attr_read read_name(const struct sdp *d, struct sdp_line *l)
{
	const struct sdp_attr_read name = sdp_attr_read(sdp_line_value(d, l), d->body.n - l->at);

	l->attr = name.policy;
	return name;
}

static_assert(SDP_KIND_INACTIVE - SDP_KIND_SENDRECV == SDP_INACTIVE - SDP_SENDRECV,
	      "the directions' kinds are in the order of enum sdp_direction");

/* A direction has no value: with one it is something else. */
static void read_direction(struct sdp_attr_read name, const struct sdp_line *l,
			   enum sdp_direction *out)
{
	if (name.kind >= SDP_KIND_SENDRECV && name.n == l->n)
		*out = (enum sdp_direction)(name.kind - SDP_KIND_SENDRECV);
}

static void read_media_attribute(const struct sdp *d, struct sdp_media *m, struct slice pt,
				 struct sdp_line *l)
{
	const struct sdp_attr_read name = read_name(d, l);
	struct slice value = sdp_line_value(d, l);
	const uint32_t n = name.n < value.n ? name.n + 1 : name.n;

	value = slice_of(value.p + n, value.n - n);
	switch ((enum sdp_kind)name.kind) {
	case SDP_KIND_OTHER:
		break;
	case SDP_KIND_RTPMAP:
		read_rtpmap(m, pt, value);
		break;
	case SDP_KIND_RTCP:
		read_rtcp(m, value);
		break;
	case SDP_KIND_RTCP_MUX:
		m->rtcp_mux = true;
		break;
	case SDP_KIND_SENDRECV:
	case SDP_KIND_SENDONLY:
	case SDP_KIND_RECVONLY:
	case SDP_KIND_INACTIVE:
		read_direction(name, l, &m->direction);
		break;
	}
}

/* ---- the whole ---- */

static enum sbc_err read_session(struct sdp *d)
{
	enum sbc_err err = SBC_OK;
	struct sdp_line *l = d->line, *end = l + d->lines;

	for (; l < end && l->type != 'm' && err == SBC_OK; l++) {
		if (l->type == 'c')
			err = read_conn(&d->conn, sdp_line_value(d, l));
		else if (l->type == 'a')
			read_direction(read_name(d, l), l, &d->direction);
	}
	d->session_lines = (uint16_t)(l - d->line);
	return err;
}

/* What the lines after m= leave open, and RFC 3264 8.4's old hold. */
static void complete_media(const struct sdp *d, struct sdp_media *m)
{
	if (!m->conn.present)
		m->conn = d->conn;
	if (m->rtcp_port == 0)
		m->rtcp_port = (uint16_t)(m->port != 0 ? m->port + 1u : 0);
	if (m->rtcp_ip == 0)
		m->rtcp_ip = m->conn.ip;
	if (m->conn.is_ip4 && m->conn.ip == 0) {
		if (m->direction == SDP_SENDRECV)
			m->direction = SDP_SENDONLY;
		else if (m->direction == SDP_RECVONLY)
			m->direction = SDP_INACTIVE;
	}
}

/* The m= line and those that follow it. */
static enum sbc_err read_media(struct sdp *d, struct sdp_line **at)
{
	if (d->media_count == SDP_MAX_MEDIA)
		return SBC_ELIMIT;
	struct sdp_media *m = &d->media[d->media_count++];
	struct sdp_line *l = *at, *end = d->line + d->lines;
	enum sbc_err err = read_media_line(d, m, sdp_line_value(d, l++));

	if (err != SBC_OK)
		return err;
	struct slice formats = m->formats;
	const struct slice pt = take_word(&formats);
	m->first_line = (uint16_t)(l - d->line);
	for (; l < end && l->type != 'm'; l++) {
		if (l->type == 'a')
			read_media_attribute(d, m, pt, l);
		else if (l->type == 'c' && read_conn(&m->conn, sdp_line_value(d, l)) != SBC_OK)
			return SBC_EBAD;
	}
	m->line_count = (uint16_t)(l - d->line - m->first_line);
	complete_media(d, m);
	*at = l;
	return SBC_OK;
}

enum sbc_err sdp_parse(struct sdp *d, struct slice body)
{
	/* Media and lines are filled as far as their counts say; clearing them all costs more. */
	memset(d, 0, offsetof(struct sdp, media));
	d->body = body;

	enum sbc_err err = sdp_lines_cut(d);
	if (err != SBC_OK)
		return err;
	if (d->lines == 0 || d->line[0].type != 'v' ||
	    !slice_eq(trim(sdp_line_value(d, &d->line[0])), SLICE_LIT("0")))
		return SBC_EBAD;
	err = read_session(d);
	struct sdp_line *at = d->line + d->session_lines, *end = d->line + d->lines;
	while (err == SBC_OK && at < end)
		err = read_media(d, &at);
	return err;
}
