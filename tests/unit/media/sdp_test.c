/*
 * Reading descriptions as phones and attackers write them.
 */
#include "sbc/media/sdp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

#define HEAD "v=0\r\no=alice 2890844526 2890844527 IN IP4 192.168.1.5\r\ns=-\r\n"
#define CONN "c=IN IP4 192.168.1.5\r\nt=0 0\r\n"

static struct sdp sdp;

/* Flush against an unreadable page; slices of `sdp` are not used after. */
static enum sbc_err parse_n(const char *text, size_t n)
{
	struct guard g;
	char *p = guard_end(&g, text, n);

	guard_seal(&g);
	enum sbc_err err = sdp_parse(&sdp, slice_of(p, (uint32_t)n));
	guard_free(&g);
	return err;
}

static enum sbc_err parse(const char *text)
{
	return parse_n(text, strlen(text));
}

static enum sbc_err parse_parts(const char *a, const char *b, const char *c, const char *d)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%s%s%s%s", a, b, c, d);

	assert_in_range(n, 1, sizeof(text) - 1);
	return parse_n(text, (size_t)n);
}

static uint32_t ip4(const char *text)
{
	uint32_t ip = 0;

	assert_true(net_ip_parse(slice_str(text), &ip));
	return ip;
}

static void an_offer_is_read(void **state)
{
	static const char text[] = HEAD CONN "m=audio 49170 RTP/AVP 9 0 101\r\n"
					     "a=rtpmap:101 telephone-event/8000\r\n"
					     "m=video 51372/2 RTP/SAVP 99\r\n"
					     "c=IN IP4 198.51.100.7/127\r\n"
					     "a=rtpmap:99 H264/90000\r\na=recvonly\r\n"
					     "a=rtcp:53020 IN IP4 198.51.100.8\r\na=rtcp-mux\r\n";
	struct slice body = slice_str(text);

	(void)state;
	assert_int_equal(sdp_parse(&sdp, body), SBC_OK);
	assert_int_equal(sdp.session_lines, 5);
	assert_int_equal(sdp.media_count, 2);

	const struct sdp_media *a = &sdp.media[0], *v = &sdp.media[1];
	assert_true(slice_eq(a->type, SLICE_LIT("audio")));
	assert_int_equal(a->port, 49170);
	assert_int_equal(a->port_count, 1);
	assert_int_equal(a->proto, SDP_PROTO_RTP);
	assert_true(slice_eq(a->formats, SLICE_LIT("9 0 101")));
	assert_true(a->conn.is_ip4);
	assert_int_equal(a->conn.ip, ip4("192.168.1.5"));
	assert_int_equal(a->direction, SDP_SENDRECV);
	assert_int_equal(a->rtcp_port, 49171);
	assert_int_equal(a->rtcp_ip, ip4("192.168.1.5"));
	assert_false(a->rtcp_mux);
	assert_int_equal(a->clock_rate, 8000); /* G.722: RFC 3551 4.5.2 */
	assert_int_equal(a->line_count, 1);

	assert_int_equal(v->port, 51372);
	assert_int_equal(v->port_count, 2);
	assert_int_equal(v->conn.ip, ip4("198.51.100.7"));
	assert_int_equal(v->direction, SDP_RECVONLY);
	assert_int_equal(v->rtcp_port, 53020);
	assert_int_equal(v->rtcp_ip, ip4("198.51.100.8"));
	assert_true(v->rtcp_mux);
	assert_int_equal(v->clock_rate, 90000);
	assert_int_equal(v->line_count, 5);
}

static void sloppy_descriptions_are_accepted(void **state)
{
	static const char *const v[] = {
		"v=0",
		"v=0\n",
		"v=0\nc=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 0",
		"v=0\r\n\r\nm=audio 4000 RTP/AVP 0\r\n\r\n\r\n",
		"v=0\nm=audio   4000\tRTP/AVP  0   8 \n",
		"v=0\no=\ns=\nt=\n",
		"v=0\no=just one\n",
		"v=0\nb=\nb=AS\nb=AS:\nb=:64\n",
		"v=0\na=\na=:\na=rtpmap\na=rtpmap:\n",
		"v=0\nm=audio 0 RTP/AVP\n",
		"v=0\nm=audio 4000 RTP/AVP 0\na=rtcp:\na=rtcp:0\na=rtcp:99999\na=rtcp:x IN\n",
		"v=0\nm=audio 4000 RTP/AVP 96\na=rtpmap:96\na=rtpmap:96 x\na=rtpmap:96 x/\n",
		"v=0\ny=unknown type\n",
		"v=0\ns=caf\xc3\xa9\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (parse(v[i]) != SBC_OK)
			fail_msg("refused: %s", v[i]);
}

static void what_breaks_the_grammar_is_refused(void **state)
{
	static const char *const v[] = {
		"",
		"\r\n",
		"hello",
		"m=audio 4000 RTP/AVP 0\n",
		"v=1\n",
		"v=\n",
		"o=- 1 1 IN IP4 1.2.3.4\nv=0\n",
		"v=0\nx\n",
		"v=0\n=x\n",
		"v=0\nA=x\n",
		"v=0\naa=x\n",
		"v=0\nv\n",
		"v=0\nm=\n",
		"v=0\nm=audio\n",
		"v=0\nm=audio 4000\n",
		"v=0\nm=audio 4000 RTP/AVP\n",
		"v=0\nm=audio x RTP/AVP 0\n",
		"v=0\nm=audio -1 RTP/AVP 0\n",
		"v=0\nm=audio 65536 RTP/AVP 0\n",
		"v=0\nm=audio 4294967297 RTP/AVP 0\n",
		"v=0\nm=audio 49170/0 RTP/AVP 0\n",
		"v=0\nm=audio 49170/ RTP/AVP 0\n",
		"v=0\nm=audio 49170/99999 RTP/AVP 0\n",
		"v=0\nm=audio 4000 RTP/AVP 4294967296\n",
		"v=0\nm=audio 4000 RTP/AVP 128\n",
		"v=0\nm=audio 4000 RTP/AVP 0 x\n",
		"v=0\nm=audio 4000 RTP/AVP -1\n",
		"v=0\nm=aud\xc3\xa9 4000 RTP/AVP 0\n",
		"v=0\nc=\n",
		"v=0\nc=IN IP4\n",
		"v=0\nc=FOO IP4 1.2.3.4\n",
		"v=0\nm=audio 4000 RTP/AVP 0\nc=IN\n",
		"v=0\ns=a\rm=audio 1 RTP/AVP 0\n", /* a line end to some */
		"v=0\na=fmtp:0 \x01\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (parse(v[i]) != SBC_EBAD)
			fail_msg("accepted: %s", v[i]);
	assert_int_equal(parse_n("v=0\na=x\0y\n", 10), SBC_EBAD);
}

static void every_prefix_is_read_within_its_end(void **state)
{
	static const char text[] =
		HEAD CONN "m=audio 49170/2 RTP/AVP 0 8\r\nc=IN IP4 10.0.0.1/3\r\n"
			  "a=rtpmap:0 PCMU/8000/1\r\na=rtcp:5 IN IP4 1.2.3.4\r\n"
			  "a=sendonly";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++)
		(void)parse_n(text, n);
	assert_int_equal(parse(text), SBC_OK);
	assert_int_equal(sdp.media[0].direction, SDP_SENDONLY);
}

static void connections_that_are_no_ip4_address_show(void **state)
{
	static const char *const v[] = {"IN IP6 2001:db8::1", "IN IP4 host.example.com",
					"IN IP4 300.1.1.1", "IN IP4 010.0.0.1", "IN IP6 10.0.0.1"};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(parse_parts("v=0\nc=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 0\nc=",
					     v[i], "\nm=audio 4002 RTP/AVP 0\n", ""),
				 SBC_OK);
		assert_true(sdp.media[0].conn.present);
		assert_false(sdp.media[0].conn.is_ip4);
		assert_true(sdp.media[1].conn.is_ip4); /* the session's */
	}
	assert_int_equal(parse("v=0\nm=audio 4000 RTP/AVP 0\n"), SBC_OK);
	assert_false(sdp.media[0].conn.present);
	assert_false(sdp.media[0].conn.is_ip4);
}

static void hold_is_told_by_direction_and_by_address(void **state)
{
	static const struct {
		const char *session, *media;
		enum sdp_direction want;
	} v[] = {
		{"c=IN IP4 10.0.0.1\n", "", SDP_SENDRECV},
		{"c=IN IP4 10.0.0.1\na=sendonly\n", "", SDP_SENDONLY},
		{"c=IN IP4 10.0.0.1\na=sendonly\n", "a=recvonly\n", SDP_RECVONLY},
		{"c=IN IP4 10.0.0.1\na=inactive\n", "a=sendrecv\n", SDP_SENDRECV},
		{"c=IN IP4 10.0.0.1\n", "a=SendOnly\n", SDP_SENDONLY},
		{"c=IN IP4 0.0.0.0\n", "", SDP_SENDONLY},
		{"c=IN IP4 0.0.0.0\n", "a=sendrecv\n", SDP_SENDONLY},
		{"c=IN IP4 0.0.0.0\n", "a=sendonly\n", SDP_SENDONLY},
		{"c=IN IP4 0.0.0.0\n", "a=recvonly\n", SDP_INACTIVE},
		{"c=IN IP4 0.0.0.0\n", "a=inactive\n", SDP_INACTIVE},
		{"c=IN IP4 0.0.0.0\n", "c=IN IP4 10.0.0.2\n", SDP_SENDRECV},
		{"c=IN IP6 ::\n", "", SDP_SENDRECV},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(
			parse_parts("v=0\n", v[i].session, "m=audio 4000 RTP/AVP 0\n", v[i].media),
			SBC_OK);
		assert_int_equal(sdp.media[0].direction, v[i].want);
	}
}

static void protocols_are_told_apart(void **state)
{
	static const struct {
		const char *name;
		enum sdp_proto want;
	} v[] = {
		{"RTP/AVP", SDP_PROTO_RTP},
		{"rtp/avp", SDP_PROTO_RTP},
		{"RTP/AVPF", SDP_PROTO_RTP},
		{"RTP/SAVP", SDP_PROTO_RTP},
		{"RTP/SAVPF", SDP_PROTO_RTP},
		{"UDP/TLS/RTP/SAVP", SDP_PROTO_RTP},
		{"UDP/TLS/RTP/SAVPF", SDP_PROTO_RTP},
		{"udptl", SDP_PROTO_UDP},
		{"UDPTL", SDP_PROTO_UDP},
		{"udp", SDP_PROTO_UDP},
		{"UDP/BFCP", SDP_PROTO_UDP},
		{"UDP/TLS/UDPTL", SDP_PROTO_UDP},
		{"UDP/DTLS/SCTP", SDP_PROTO_UDP},
		{"TCP", SDP_PROTO_STREAM},
		{"TCP/MSRP", SDP_PROTO_STREAM},
		{"TCP/RTP/AVP", SDP_PROTO_STREAM},
		{"RTP/AVPX", SDP_PROTO_UNKNOWN},
		{"RTP", SDP_PROTO_UNKNOWN},
		{"udpx", SDP_PROTO_UNKNOWN},
		{"vat", SDP_PROTO_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(parse_parts("v=0\nm=x 4000 ", v[i].name, " 0\n", ""), SBC_OK);
		if (sdp.media[0].proto != v[i].want)
			fail_msg("%s", v[i].name);
	}
}

static void clock_rates_are_of_the_first_format(void **state)
{
	static const struct {
		const char *media;
		uint32_t want;
	} v[] = {
		{"0", 8000},
		{"9", 8000},
		{"11 0", 44100},
		{"34", 90000},
		{"96", 8000},
		{"96\na=rtpmap:96 opus/48000/2", 48000},
		{"96 0\na=rtpmap:0 PCMU/9000\na=rtpmap:96 opus/48000/2", 48000},
		{"96\na=rtpmap:96 x/0", 8000},
		{"96\na=rtpmap:96 x/99999999999", 8000},
		{"96\na=rtpmap:96 x/1000001", 8000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(parse_parts("v=0\nm=audio 4000 RTP/AVP ", v[i].media, "", ""),
				 SBC_OK);
		assert_int_equal(sdp.media[0].clock_rate, v[i].want);
	}
}

static void rtcp_is_the_next_port_unless_told(void **state)
{
	static const struct {
		const char *attr;
		uint16_t port;
		const char *ip;
	} v[] = {
		{"", 4001, "10.0.0.1"},
		{"a=rtcp:5000", 5000, "10.0.0.1"},
		{"a=rtcp:5000 IN IP4 10.0.0.2", 5000, "10.0.0.2"},
		{"a=rtcp:5000 IN IP6 ::1", 4001, "10.0.0.1"},
		{"a=rtcp:0", 4001, "10.0.0.1"},
		{"a=rtcp:70000", 4001, "10.0.0.1"},
		{"a=rtcp:-1", 4001, "10.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(parse_parts("v=0\nc=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 0\n",
					     v[i].attr, "", ""),
				 SBC_OK);
		assert_int_equal(sdp.media[0].rtcp_port, v[i].port);
		assert_int_equal(sdp.media[0].rtcp_ip, ip4(v[i].ip));
	}
	assert_int_equal(parse("v=0\nm=audio 65535 RTP/AVP 0\n"), SBC_OK);
	assert_int_equal(sdp.media[0].rtcp_port, 0);
}

/* "v=0", then `n` times `unit`. */
static enum sbc_err parse_many(const char *unit, uint32_t n)
{
	uint32_t room = 4 + n * (uint32_t)strlen(unit);
	char *text = malloc(room);
	struct wbuf w;

	wbuf_init(&w, text, room);
	wbuf_lit(&w, "v=0\n");
	for (uint32_t i = 0; i < n; i++)
		wbuf_put(&w, slice_str(unit));
	assert_true(wbuf_ok(&w));
	enum sbc_err err = parse_n(text, w.n);
	free(text);
	return err;
}

static void counts_and_lengths_are_bounded(void **state)
{
	char line[SDP_MAX_LINE + 16] = "a=crypto:1 ";

	(void)state;
	assert_int_equal(parse_many("a=x\n", SDP_MAX_LINES - 1), SBC_OK);
	assert_int_equal(parse_many("a=x\n", SDP_MAX_LINES), SBC_ELIMIT);
	assert_int_equal(parse_many("a=x\n", 10000), SBC_ELIMIT);
	assert_int_equal(parse_many("\r\n", 10000), SBC_OK);
	assert_int_equal(parse_many("m=audio 4000 RTP/AVP 0\n", SDP_MAX_MEDIA), SBC_OK);
	assert_int_equal(parse_many("m=audio 4000 RTP/AVP 0\n", SDP_MAX_MEDIA + 1), SBC_ELIMIT);

	memset(line + 11, 'A', sizeof(line) - 12);
	line[2 + SDP_MAX_LINE] = '\0';
	assert_int_equal(parse_many(line, 1), SBC_OK);
	line[2 + SDP_MAX_LINE] = 'A';
	line[2 + SDP_MAX_LINE + 1] = '\0';
	assert_int_equal(parse_many(line, 1), SBC_ELIMIT);
}

static void random_mutations_never_trap(void **state)
{
	static const char text[] = HEAD CONN "m=audio 49170/2 RTP/AVP 0 8\r\nc=IN IP4 10.0.0.1\r\n"
					     "a=rtpmap:0 PCMU/8000\r\na=rtcp:5 IN IP4 1.2.3.4\r\n";
	uint64_t seed = 99;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		char mutated[sizeof(text)];
		memcpy(mutated, text, sizeof(text));
		for (uint64_t k = unit_random(&seed) % 5; k < 5; k++) {
			uint64_t r = unit_random(&seed);
			mutated[r % (sizeof(text) - 1)] = "\r\n =/:\0 09amvc"[(r >> 32) % 14];
		}
		enum sbc_err err = parse_n(mutated, unit_random(&seed) % sizeof(text));
		assert_true(err == SBC_OK || err == SBC_EBAD || err == SBC_ELIMIT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_is_read),
		cmocka_unit_test(sloppy_descriptions_are_accepted),
		cmocka_unit_test(what_breaks_the_grammar_is_refused),
		cmocka_unit_test(every_prefix_is_read_within_its_end),
		cmocka_unit_test(connections_that_are_no_ip4_address_show),
		cmocka_unit_test(hold_is_told_by_direction_and_by_address),
		cmocka_unit_test(protocols_are_told_apart),
		cmocka_unit_test(clock_rates_are_of_the_first_format),
		cmocka_unit_test(rtcp_is_the_next_port_unless_told),
		cmocka_unit_test(counts_and_lengths_are_bounded),
		cmocka_unit_test(random_mutations_never_trap),
	};
	return cmocka_run_group_tests_name("media/sdp", tests, NULL, NULL);
}
