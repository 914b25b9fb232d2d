#include "tests/unit/core/hiding_header_fixture.h"

struct snapshot header_snapshot;

char header_in[HEADER_ROOM], header_out[HEADER_ROOM];

/* The value of a header in rewritten bytes, or NULL; checks that they are SIP again. */
const char *header_value(struct slice text, const char *name, char *buf)
{
	struct sip_msg m;
	struct slice v = SLICE_NONE;

	fixture_parse(&m, text);
	for (uint32_t i = 0; i < m.count; i++)
		if (slice_ieq(sip_entry_name(&m, i), slice_str(name)))
			v = sip_entry_value(&m, i);
	if (!v.p)
		return NULL;
	memcpy(buf, v.p, v.n);
	buf[v.n] = '\0';
	return buf;
}

struct slice header_request(uint16_t from, const char *lines, const char *body)
{
	struct hiding_request r = fixture_request(&header_snapshot, from);
	struct sip_msg m;
	struct wbuf w;

	snprintf(header_in, sizeof(header_in),
		 "MESSAGE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
		 "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n"
		 "%sContent-Length: %zu\r\n\r\n%s",
		 lines, strlen(body), body);
	fixture_parse(&m, slice_str(header_in));
	wbuf_init(&w, header_out, sizeof(header_out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	return wbuf_slice(&w);
}

struct slice header_response(uint16_t from, const char *lines)
{
	struct hiding_response r = fixture_response(&header_snapshot, from, 200);
	struct sip_msg m;
	struct wbuf w;

	snprintf(header_in, sizeof(header_in),
		 "SIP/2.0 200 Fine here\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
		 "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
		 "%s\r\n",
		 lines);
	fixture_parse(&m, slice_str(header_in));
	wbuf_init(&w, header_out, sizeof(header_out));
	assert_int_equal(hiding_write_response(&w, &m, &r), SBC_OK);
	return wbuf_slice(&w);
}

void header_run(uint16_t from, const struct header_vector *v, size_t n)
{
	char lines[2048], got[4096];

	for (size_t i = 0; i < n; i++) {
		snprintf(lines, sizeof(lines), "%s\r\n", v[i].line);
		for (int response = 0; response < 2; response++) {
			struct slice text = response ? header_response(from, lines)
						     : header_request(from, lines, "");
			const char *value = header_value(text, v[i].name, got);

			if (!value != !v[i].want || (value && strcmp(value, v[i].want) != 0))
				fail_msg("%s -> %s, wanted %s", v[i].line,
					 value ? value : "nothing",
					 v[i].want ? v[i].want : "nothing");
		}
	}
}
