#include "tests/lib/sdp_plain.h"

static bool slices_same(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || a.p == b.p);
}

static bool conns_same(const struct sdp_conn *a, const struct sdp_conn *b)
{
	return a->present == b->present && a->is_ip4 == b->is_ip4 && a->ip == b->ip;
}

static bool media_same(const struct sdp_media *a, const struct sdp_media *b)
{
	return slices_same(a->type, b->type) && slices_same(a->proto_name, b->proto_name) &&
	       slices_same(a->formats, b->formats) && conns_same(&a->conn, &b->conn) &&
	       a->port == b->port && a->port_count == b->port_count && a->proto == b->proto &&
	       a->direction == b->direction && a->rtcp_port == b->rtcp_port &&
	       a->rtcp_ip == b->rtcp_ip && a->rtcp_mux == b->rtcp_mux &&
	       a->clock_rate == b->clock_rate && a->first_line == b->first_line &&
	       a->line_count == b->line_count;
}

static const char *readings_differ(const struct sdp *d, const struct sdp_plain *p)
{
	if (d->lines != p->lines || d->session_lines != p->session_lines)
		return "lines";
	for (uint32_t i = 0; i < d->lines; i++)
		if (d->line[i].type != p->line[i].type ||
		    !slices_same(sdp_line_value(d, &d->line[i]), p->line[i].value))
			return "a line";
	if (!conns_same(&d->conn, &p->conn) || d->direction != p->direction)
		return "the session";
	if (d->media_count != p->media_count)
		return "media lines";
	for (uint32_t i = 0; i < d->media_count; i++)
		if (!media_same(&d->media[i], &p->media[i]))
			return "a media line";
	return NULL;
}

/* `round`: what may be asked for differs, and how much room there is. */
static const char *written_differ(const struct sdp *d, const struct sdp_plain *p, uint32_t round)
{
	static char one[256 * 1024], other[256 * 1024];
	static const uint32_t room[] = {sizeof(one), 60, 100, 200, 400};
	struct sdp_out out = {
		.session_id = 1ull << (8 * round), .session_version = round, .ip = 0x0100000a};
	struct wbuf a, b;

	out.media_ip = round & 2 ? 0x0afe00c8 : 0;
	out.carry_unknown = round & 1;
	for (uint16_t i = 0; i < SDP_MAX_MEDIA; i++) {
		out.media[i].port = (uint16_t)(i == 6 ? 0 : 20000 + 2 * i);
		out.media[i].rtcp_port = (uint16_t)(i % 3 == 2 ? 0 : 20001 + i * (2 + round % 2));
		out.media[i].ip = i == 3 ? 0x0302017fu : 0;
		out.media[i].refuse = i == 5;
	}
	wbuf_init(&a, one, room[round]);
	wbuf_init(&b, other, room[round]);
	if (sdp_write(&a, d, &out) != sdp_plain_write(&b, p, &out))
		return "whether it fits";
	if (!wbuf_ok(&b))
		return NULL;
	if (!slice_eq(wbuf_slice(&a), wbuf_slice(&b)))
		return "what is written";
	return sdp_fingerprint(wbuf_slice(&a)) == sdp_plain_fingerprint(wbuf_slice(&b))
		       ? NULL
		       : "the fingerprint";
}

const char *sdp_plain_differs(struct slice body)
{
	static struct sdp d;
	static struct sdp_plain p;
	const enum sbc_err err = sdp_parse(&d, body);
	const char *what;

	if (err != sdp_plain_parse(&p, body))
		return "the verdict";
	if (sdp_fingerprint(body) != sdp_plain_fingerprint(body))
		return "the fingerprint of the body itself";
	if (err != SBC_OK)
		return NULL;
	what = readings_differ(&d, &p);
	for (uint32_t round = 0; round < 5 && what == NULL; round++)
		what = written_differ(&d, &p, round);
	return what;
}
