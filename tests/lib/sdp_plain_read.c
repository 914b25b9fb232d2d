#include "tests/lib/sdp_plain.h"

#include <stddef.h>
#include <string.h>

/* ---- words ---- */

/* Takes the next run of non-spaces off the front; empty at the end. */
struct slice sdp_plain_word(struct slice *s)
{
	uint32_t from = 0, to;

	while (from < s->n && (s->p[from] == ' ' || s->p[from] == '\t'))
		from++;
	for (to = from; to < s->n && s->p[to] != ' ' && s->p[to] != '\t'; to++)
		;
	struct slice word = slice_of(s->p + from, to - from);
	*s = slice_of(s->p + to, s->n - to);
	return word;
}

static bool is_visible(struct slice s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n != 0;
}

/* "name" or "name:value"; the value is empty when there is none. */
static struct slice attribute(struct slice line, struct slice *value)
{
	int32_t colon = slice_find(line, ':');

	*value = slice_of(line.p + line.n, 0);
	if (colon < 0)
		return line;
	*value = slice_of(line.p + colon + 1, line.n - (uint32_t)colon - 1);
	return slice_of(line.p, (uint32_t)colon);
}

/* ---- lines ---- */

static bool has_control(struct slice s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < ' ' && s.p[i] != '\t')
			return true;
	return false;
}

/* Takes a line off the front, without its LF or CRLF. */
static struct slice take_line(struct slice *rest)
{
	int32_t lf = slice_find(*rest, '\n');
	struct slice line = lf < 0 ? *rest : slice_of(rest->p, (uint32_t)lf);
	uint32_t used = lf < 0 ? rest->n : (uint32_t)lf + 1;

	*rest = slice_of(rest->p + used, rest->n - used);
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static enum sbc_err split_lines(struct sdp_plain *d, struct slice rest)
{
	while (rest.n) {
		struct slice line = take_line(&rest);
		if (line.n == 0)
			continue;
		if (line.n < 2 || line.p[1] != '=' || line.p[0] < 'a' || line.p[0] > 'z' ||
		    has_control(line))
			return SBC_EBAD;
		if (d->lines == SDP_MAX_LINES || line.n - 2 > SDP_MAX_LINE)
			return SBC_ELIMIT;
		d->line[d->lines++] = (struct sdp_plain_line){
			.type = line.p[0], .value = slice_of(line.p + 2, line.n - 2)};
	}
	return SBC_OK;
}

/* ---- c=, m= ---- */

/* Dotted quad; "010" is ten to some and eight to others. */
static bool read_ip(struct slice s, uint32_t *ip)
{
	uint8_t octet[4];

	for (int i = 0; i < 4; i++) {
		int32_t dot = i < 3 ? slice_find(s, '.') : (int32_t)s.n;
		uint32_t v;
		if (dot < 0)
			return false;
		struct slice digits = slice_of(s.p, (uint32_t)dot);
		if (!slice_u32(digits, 255, &v) || digits.n > 3 ||
		    (digits.n > 1 && digits.p[0] == '0'))
			return false;
		octet[i] = (uint8_t)v;
		s = slice_of(s.p + dot + (i < 3), s.n - (uint32_t)dot - (i < 3));
	}
	memcpy(ip, octet, 4);
	return true;
}

/* "IN IP4 address[/ttl]". What is no IPv4 address is present and not is_ip4. */
static enum sbc_err read_conn(struct sdp_conn *c, struct slice v)
{
	struct slice net = sdp_plain_word(&v), family = sdp_plain_word(&v),
		     addr = sdp_plain_word(&v);

	if (c->present)
		return SBC_OK; /* the first of several layers (RFC 4566 5.7) */
	if (!slice_ieq(net, SLICE_LIT("IN")) || family.n == 0 || addr.n == 0)
		return SBC_EBAD;
	int32_t slash = slice_find(addr, '/');
	if (slash >= 0)
		addr.n = (uint32_t)slash;
	*c = (struct sdp_conn){.present = true};
	c->is_ip4 = slice_ieq(family, SLICE_LIT("IP4")) && read_ip(addr, &c->ip);
	return SBC_OK;
}

static enum sdp_proto proto_of(struct slice name)
{
	static const char *const rtp[] = {"RTP/AVP",   "RTP/AVPF",         "RTP/SAVP",
					  "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"};

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
	int32_t slash = slice_find(word, '/');
	uint32_t port, count = 1;

	if (slash >= 0) {
		struct slice tail = slice_of(word.p + slash + 1, word.n - (uint32_t)slash - 1);
		if (!slice_u32(tail, UINT16_MAX, &count) || count == 0)
			return false;
		word.n = (uint32_t)slash;
	}
	if (!slice_u32(word, UINT16_MAX, &port))
		return false;
	m->port = (uint16_t)port;
	m->port_count = (uint16_t)count;
	return true;
}

static bool formats_are_good(const struct sdp_media *m)
{
	struct slice rest = m->formats, word;
	uint32_t pt;

	while ((word = sdp_plain_word(&rest)).n)
		if (!is_visible(word) || (m->proto == SDP_PROTO_RTP && !slice_u32(word, 127, &pt)))
			return false;
	/* Some phones reject a line with no format at all. */
	return m->formats.n != 0 || m->port == 0;
}

static enum sbc_err read_media_line(struct sdp_plain *d, struct slice v)
{
	if (d->media_count == SDP_MAX_MEDIA)
		return SBC_ELIMIT;
	struct sdp_media *m = &d->media[d->media_count];
	*m = (struct sdp_media){.direction = d->direction};
	m->type = sdp_plain_word(&v);
	if (!is_visible(m->type) || !read_port(m, sdp_plain_word(&v)))
		return SBC_EBAD;
	m->proto_name = sdp_plain_word(&v);
	if (!is_visible(m->proto_name))
		return SBC_EBAD;
	m->proto = proto_of(m->proto_name);
	m->formats = slice_trim(v);
	if (!formats_are_good(m))
		return SBC_EBAD;
	d->media_count++;
	return SBC_OK;
}

/* ---- attributes ---- */

struct slice sdp_plain_direction(enum sdp_direction d)
{
	switch (d) {
	case SDP_SENDONLY:
		return SLICE_LIT("sendonly");
	case SDP_RECVONLY:
		return SLICE_LIT("recvonly");
	case SDP_INACTIVE:
		return SLICE_LIT("inactive");
	case SDP_SENDRECV:
		break;
	}
	return SLICE_LIT("sendrecv");
}

static void read_direction(struct slice name, enum sdp_direction *out)
{
	for (int i = SDP_SENDRECV; i <= SDP_INACTIVE; i++)
		if (slice_ieq(name, sdp_plain_direction((enum sdp_direction)i)))
			*out = (enum sdp_direction)i;
}

/* RFC 3605: "port" or "port IN IP4 address"; one that cannot be read is as none. */
static void read_rtcp(struct sdp_media *m, struct slice v)
{
	struct sdp_conn c = {0};
	uint32_t port;

	if (!slice_u32(sdp_plain_word(&v), UINT16_MAX, &port) || port == 0)
		return;
	v = slice_trim(v);
	if (v.n != 0) {
		if (read_conn(&c, v) != SBC_OK || !c.is_ip4)
			return;
		m->rtcp_ip = c.ip;
	}
	m->rtcp_port = (uint16_t)port;
}

/* RFC 3551 table 4 and 5: what needs no rtpmap. */
static uint32_t static_clock_rate(struct slice format)
{
	uint32_t pt;

	if (!slice_u32(format, 127, &pt))
		return 8000;
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

/* rtpmap of the first format: "pt name/rate[/channels]". */
static void read_rtpmap(struct sdp_media *m, struct slice v)
{
	struct slice formats = m->formats, pt = sdp_plain_word(&v), codec = sdp_plain_word(&v);
	uint32_t rate;

	if (!slice_eq(pt, sdp_plain_word(&formats)))
		return;
	int32_t slash = slice_find(codec, '/');
	if (slash < 0)
		return;
	codec = slice_of(codec.p + slash + 1, codec.n - (uint32_t)slash - 1);
	slash = slice_find(codec, '/');
	if (slash >= 0)
		codec.n = (uint32_t)slash;
	if (slice_u32(codec, 1000000, &rate) && rate != 0)
		m->clock_rate = rate;
}

static void read_media_attribute(struct sdp_media *m, struct slice line)
{
	struct slice value, name = attribute(line, &value);

	if (slice_ieq(name, SLICE_LIT("rtcp")))
		read_rtcp(m, value);
	else if (slice_ieq(name, SLICE_LIT("rtcp-mux")))
		m->rtcp_mux = true;
	else if (slice_ieq(name, SLICE_LIT("rtpmap")))
		read_rtpmap(m, value);
	else
		read_direction(line, &m->direction);
}

/* ---- the whole ---- */

static enum sbc_err read_session(struct sdp_plain *d)
{
	enum sbc_err err = SBC_OK;
	uint16_t i;

	for (i = 0; i < d->lines && d->line[i].type != 'm' && err == SBC_OK; i++) {
		struct slice v = d->line[i].value;
		if (d->line[i].type == 'c')
			err = read_conn(&d->conn, v);
		else if (d->line[i].type == 'a')
			read_direction(v, &d->direction);
	}
	d->session_lines = i;
	return err;
}

/* What the lines after m= leave open, and RFC 3264 8.4's old hold. */
static void complete_media(const struct sdp_plain *d, struct sdp_media *m)
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

static enum sbc_err read_media(struct sdp_plain *d, uint16_t *at)
{
	enum sbc_err err = read_media_line(d, d->line[(*at)++].value);

	if (err != SBC_OK)
		return err;
	struct sdp_media *m = &d->media[d->media_count - 1];
	struct slice formats = m->formats;
	m->clock_rate =
		m->proto == SDP_PROTO_RTP ? static_clock_rate(sdp_plain_word(&formats)) : 8000;
	m->first_line = *at;
	for (; *at < d->lines && d->line[*at].type != 'm'; (*at)++) {
		const struct sdp_plain_line *l = &d->line[*at];
		if (l->type == 'a')
			read_media_attribute(m, l->value);
		else if (l->type == 'c' && read_conn(&m->conn, l->value) != SBC_OK)
			return SBC_EBAD;
	}
	m->line_count = (uint16_t)(*at - m->first_line);
	complete_media(d, m);
	return SBC_OK;
}

enum sbc_err sdp_plain_parse(struct sdp_plain *d, struct slice body)
{
	/* The line table is filled as far as `lines` says; clearing it all costs more. */
	memset(d, 0, offsetof(struct sdp_plain, line));

	enum sbc_err err = split_lines(d, body);
	if (err != SBC_OK)
		return err;
	if (d->lines == 0 || d->line[0].type != 'v' ||
	    !slice_eq(slice_trim(d->line[0].value), SLICE_LIT("0")))
		return SBC_EBAD;
	err = read_session(d);
	for (uint16_t at = d->session_lines; err == SBC_OK && at < d->lines;)
		err = read_media(d, &at);
	return err;
}
