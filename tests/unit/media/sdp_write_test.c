/*
 * Descriptions written for the other side: what is carried, and what never is.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "sbc/media/sdp.h"
#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

static struct sdp sdp;
static struct sdp_out out;
static char room[8192];
static struct wbuf w;

static int setup(void **state)
{
	(void)state;
	memset(&out, 0, sizeof(out));
	out.session_id = 7;
	out.session_version = 3;
	out.ip = htonl(0x0a000001);
	for (uint16_t i = 0; i < SDP_MAX_MEDIA; i++) {
		out.media[i].port = (uint16_t)(30000 + 2 * i);
		out.media[i].rtcp_port = (uint16_t)(30001 + 2 * i);
	}
	return 0;
}

static struct slice rewrite(const char *text)
{
	assert_int_equal(sdp_parse(&sdp, slice_str(text)), SBC_OK);
	wbuf_init(&w, room, sizeof(room));
	assert_int_equal(sdp_write(&w, &sdp, &out), SBC_OK);
	return wbuf_slice(&w);
}

static void assert_written(const char *in, const char *want)
{
	struct slice got = rewrite(in);

	if (!slice_eq(got, slice_str(want)))
		fail_msg("wrote:\n%.*s\nwanted:\n%s", (int)got.n, got.p, want);
}

static bool has(struct slice text, const char *what)
{
	return slice_search(text, slice_str(what)) >= 0;
}

#define OURS "v=0\r\no=- 7 3 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\n"

static void nothing_of_the_host_is_carried(void **state)
{
	(void)state;
	assert_written(
		"v=0\r\no=alice 2890844526 2890844527 IN IP4 192.168.1.5\r\ns=Alice's call\r\n"
		"i=secret\r\nu=http://192.168.1.5/\r\ne=alice@192.168.1.5\r\np=+1 555\r\n"
		"c=IN IP4 192.168.1.5\r\nb=AS:64\r\nt=0 0\r\nr=7d 1h 0 25h\r\nz=0 -1h\r\n"
		"k=clear:secret\r\na=tool:SecretPhone 1.0\r\na=ice-ufrag:sec\r\na=ice-lite\r\n"
		"a=group:BUNDLE 0\r\na=msid-semantic: WMS secret\r\n"
		"m=audio 49170 RTP/AVP 0 101\r\ni=secret\r\nc=IN IP4 "
		"192.168.1.6\r\nb=TIAS:64000\r\n"
		"k=prompt\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
		"a=fmtp:101 0-16\r\na=ptime:20\r\na=candidate:1 1 UDP 2130706431 192.168.1.5 8998 "
		"typ "
		"host\r\na=rtcp:49180 IN IP4 192.168.1.7\r\na=ssrc:1 cname:alice@192.168.1.5\r\n"
		"a=mid:0\r\na=sendonly\r\na=X-secret:192.168.1.5\r\n",
		OURS "b=AS:64\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0 101\r\nb=TIAS:64000\r\n"
		     "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
		     "a=fmtp:101 0-16\r\na=ptime:20\r\na=mid:0\r\na=sendonly\r\n");
}

static void every_attribute_has_its_policy(void **state)
{
	static const struct {
		const char *names;
		enum sdp_attr want;
	} v[] = {
		{"rtpmap fmtp ptime maxptime rtcp-fb rtcp-mux silenceSupp mid label extmap crypto "
		 "fingerprint setup T38FaxVersion T38MaxBitRate t38faxudpec",
		 SDP_ATTR_CARRY},
		{"candidate Candidate CANDIDATE remote-candidates end-of-candidates ice-ufrag "
		 "ice-pwd ice-options ICE-lite ssrc ssrc-group msid msid-semantic group "
		 "bundle-only source-filter altc alt path tool acap pcfg cname key-mgmt",
		 SDP_ATTR_DROP},
		{"sendrecv sendonly recvonly inactive rtcp", SDP_ATTR_OURS},
		{"X-nat rtpmapx rtp candidat icecube foo", SDP_ATTR_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct slice rest = slice_str(v[i].names);
		while (rest.n) {
			int32_t space = slice_find(rest, ' ');
			uint32_t n = space < 0 ? rest.n : (uint32_t)space;
			if (sdp_attr_policy(slice_of(rest.p, n)) != v[i].want)
				fail_msg("%.*s", (int)n, rest.p);
			n += space >= 0;
			rest = slice_of(rest.p + n, rest.n - n);
		}
	}
	assert_int_equal(sdp_attr_policy(SLICE_NONE), SDP_ATTR_UNKNOWN);
	assert_int_equal(sdp_attr_policy(SLICE_LIT(" candidate ")), SDP_ATTR_DROP);
}

static void unknown_attributes_pass_by_policy_only(void **state)
{
	static const char text[] =
		"v=0\na=X-one:1\nm=audio 4000 RTP/AVP 0\na=X-two\na=candidate:1\n"
		"a=candidate 2\na=\tcandidate:3\na= candidate:4\na=:5\na=\n";

	(void)state;
	assert_false(has(rewrite(text), "X-"));
	out.carry_unknown = true;
	struct slice got = rewrite(text);
	assert_true(has(got, "a=X-one:1\r\n") && has(got, "a=X-two\r\n"));
	assert_false(has(got, "candidate"));
}

static void refused_lines_are_port_0_and_bare(void **state)
{
	(void)state;
	out.media[1].refuse = true;
	assert_written(
		"v=0\nc=IN IP4 10.9.9.9\nm=audio 4000 RTP/AVP 0\na=ptime:20\n"
		"m=video 4002 RTP/AVP 99\nc=IN IP6 2001:db8::1\nb=AS:1\na=rtpmap:99 H264/90000\n"
		"m=image 0 udptl t38\na=T38FaxVersion:0\nm=audio 0 RTP/AVP\n"
		"m=audio 4004 RTP/AVP 8\n",
		OURS "t=0 0\r\nm=audio 30000 RTP/AVP 0\r\na=ptime:20\r\na=sendrecv\r\n"
		     "m=video 0 RTP/AVP 99\r\nm=image 0 udptl t38\r\nm=audio 0 RTP/AVP 0\r\n"
		     "m=audio 30008 RTP/AVP 8\r\na=sendrecv\r\n");
}

static void directions_are_the_phones(void **state)
{
	static const char *const names[] = {"sendrecv", "sendonly", "recvonly", "inactive"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char text[100], want[40];
		(void)snprintf(text, sizeof(text), "v=0\na=%s\nm=audio 4000 RTP/AVP 0\n", names[i]);
		(void)snprintf(want, sizeof(want), "\r\na=%s\r\n", names[i]);
		struct slice got = rewrite(text);
		assert_true(has(got, want));
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(has(got, names[k]), k == i);
	}
	/* The old hold becomes the new one; the address is the border's. */
	struct slice got = rewrite("v=0\nc=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\n");
	assert_true(has(got, "\r\na=sendonly\r\n"));
	assert_false(has(got, "0.0.0.0"));
}

static void rtcp_is_written_when_it_is_not_the_next_port(void **state)
{
	static const char text[] = "v=0\nm=audio 4000 RTP/AVP 0\na=rtcp:9 IN IP4 10.1.1.1\n";

	(void)state;
	assert_false(has(rewrite(text), "a=rtcp"));
	out.media[0].rtcp_port = 30777;
	assert_true(has(rewrite(text), "a=rtcp:30777\r\n"));
	out.media[0].rtcp_port = 0;
	assert_false(has(rewrite(text), "a=rtcp"));
}

static void only_well_formed_bandwidth_and_times_are_carried(void **state)
{
	struct slice got;

	(void)state;
	got = rewrite("v=0\nb=\nb=AS\nb=AS:\nb=:64\nb=AS:x\nb=A S:1\nb=AS:64 10.1.1.1\n"
		      "b=AS:123456789012345678901\nt=0\nt=x y\nt=1 10.1.1.1\nm=audio 4000 RTP/AVP "
		      "0\nb=AS\n");
	assert_false(has(got, "b="));
	assert_true(has(got, "t=0 0\r\n"));
	got = rewrite("v=0\nt=2873397496 2873404696\nt=1 2\nb=X-YZ:128\nb=CT:1\n");
	assert_true(has(got, "b=X-YZ:128\r\nb=CT:1\r\nt=2873397496 2873404696\r\n"));
	assert_false(has(got, "t=1 2"));
}

static void doubled_formats_are_written_once(void **state)
{
	(void)state;
	assert_true(has(rewrite("v=0\nm=audio 4000 RTP/AVP 0 8 0 00 0 8 101\n"),
			"m=audio 30000 RTP/AVP 0 8 101\r\n"));
	assert_true(has(rewrite("v=0\nm=image 4000 udptl t38\n"), "m=image 30000 udptl t38\r\n"));
}

static void several_ports_become_one(void **state)
{
	(void)state;
	assert_true(
		has(rewrite("v=0\nm=video 49170/2 RTP/AVP 31\n"), "m=video 30000 RTP/AVP 31\r\n"));
}

static void what_does_not_fit_is_said(void **state)
{
	static const char text[] = "v=0\nm=audio 4000 RTP/AVP 0\na=ptime:20\n";
	uint32_t whole;

	(void)state;
	whole = rewrite(text).n;
	for (uint32_t cap = 0; cap <= whole; cap++) {
		struct guard g;
		wbuf_init(&w, guard_end(&g, NULL, cap), cap);
		assert_int_equal(sdp_write(&w, &sdp, &out), cap < whole ? SBC_EFULL : SBC_OK);
		guard_free(&g);
	}
}

static void what_is_written_is_read_again(void **state)
{
	static struct sdp again;

	(void)state;
	struct slice got = rewrite("v=0\nc=IN IP4 10.9.9.9\nm=audio 4000 RTP/AVP 96\n"
				   "a=rtpmap:96 opus/48000/2\na=recvonly\na=rtcp-mux\n");
	assert_int_equal(sdp_parse(&again, got), SBC_OK);
	assert_int_equal(again.media_count, 1);
	assert_int_equal(again.media[0].port, 30000);
	assert_int_equal(again.media[0].conn.ip, out.ip);
	assert_int_equal(again.media[0].direction, SDP_RECVONLY);
	assert_int_equal(again.media[0].clock_rate, 48000);
	assert_true(again.media[0].rtcp_mux);
}

static void the_fingerprint_changes_with_all_but_the_origin(void **state)
{
	static const char text[] = "v=0\nm=audio 4000 RTP/AVP 0\n";
	uint64_t one, other;

	(void)state;
	one = sdp_fingerprint(rewrite(text));
	out.session_version++;
	out.session_id = 1234567;
	assert_true(sdp_fingerprint(rewrite(text)) == one);
	other = sdp_fingerprint(rewrite("v=0\nm=audio 4000 RTP/AVP 0\na=sendonly\n"));
	assert_true(other != one);
	out.media[0].port++;
	assert_true(sdp_fingerprint(rewrite(text)) != one);
	assert_true(sdp_fingerprint(SLICE_NONE) == sdp_fingerprint(SLICE_LIT("")));
	assert_true(sdp_fingerprint(SLICE_LIT("v=0\r\no=x")) ==
		    sdp_fingerprint(SLICE_LIT("v=0\r\no=y")));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(nothing_of_the_host_is_carried),
		T(every_attribute_has_its_policy),
		T(unknown_attributes_pass_by_policy_only),
		T(refused_lines_are_port_0_and_bare),
		T(directions_are_the_phones),
		T(rtcp_is_written_when_it_is_not_the_next_port),
		T(only_well_formed_bandwidth_and_times_are_carried),
		T(doubled_formats_are_written_once),
		T(several_ports_become_one),
		T(what_does_not_fit_is_said),
		T(what_is_written_is_read_again),
		T(the_fingerprint_changes_with_all_but_the_origin),
	};
	return cmocka_run_group_tests_name("media/sdp_write", tests, NULL, NULL);
}
