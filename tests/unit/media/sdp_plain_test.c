/* The fast way of reading and writing descriptions against the plain one, over all they can be. */
#include "tests/lib/sdp_plain.h"

#include <string.h>

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

#define ROOM 70000u

static uint64_t seed = 7;
static char text[ROOM];
static struct wbuf w;

static uint32_t rnd(uint32_t below)
{
	return (uint32_t)(unit_random(&seed) % below);
}

static void start(void)
{
	wbuf_init(&w, text, sizeof(text));
}

/* Flush against an unreadable page. */
static void assert_same(void)
{
	struct guard g;
	const char *p = guard_end(&g, text, w.n);

	guard_seal(&g);
	const char *differs = sdp_plain_differs(slice_of(p, w.n));
	guard_free(&g);
	if (differs != NULL)
		fail_msg("%s: %.*s", differs, (int)w.n, text);
}

static void put(const char *s)
{
	wbuf_put(&w, slice_str(s));
}

static void put_one_of(const char *const *of, uint32_t n)
{
	put(of[rnd(n)]);
}

#define PUT_ONE_OF(...)                                                                            \
	do {                                                                                       \
		static const char *const of[] = {__VA_ARGS__};                                     \
		put_one_of(of, sizeof(of) / sizeof(of[0]));                                        \
	} while (0)

/* Nearly always the first. */
#define PUT_USUALLY(usual, ...)                                                                    \
	do {                                                                                       \
		if (rnd(8))                                                                        \
			put(usual);                                                                \
		else                                                                               \
			PUT_ONE_OF(__VA_ARGS__);                                                   \
	} while (0)

static void put_end(void)
{
	PUT_USUALLY("\r\n", "\n", "\r\n\r\n", "\n\n", "\t\r\n", " \n", "\r\n\n", "\t\n");
}

static void put_ip(void)
{
	PUT_USUALLY("192.168.1.57", "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5",
		    "01.2.3.4", "1.2.3.4/127", "1.2.3.4/", "1..3.4", "1.2.3.1000", "host.example",
		    "1.2.3.4 x", "1.2.3.4 ", "::1", "");
}

static void put_conn(void)
{
	PUT_USUALLY("IN IP4 ", "IN  IP4 ", "in ip4 ", "IN IP6 ", "IN\tIP4\t", " IN IP4 ", "IN IP4",
		    "X");
	put_ip();
}

static void put_number(void)
{
	PUT_ONE_OF("0", "8", "9", "101", "96", "127", "128", "00", "000000000000000008", "8000",
		   "65535", "65536", "48000", "1000000", "1000001", "4294967296",
		   "18446744073709551624", "-1", "x", "8x", "");
}

static const char *const names[] = {
	"rtpmap",
	"fmtp",
	"ptime",
	"sendrecv",
	"sendonly",
	"recvonly",
	"inactive",
	"rtcp",
	"rtcp-mux",
	"rtcp-mux-only",
	"candidate",
	"extmap-allow-mixed",
	"end-of-candidates",
	"key-mgmt",
	"remote-candidates",
	"T38FaxVersion",
	"t38x",
	"ice-ufrag",
	"ICE-x",
	"X-foo",
	"a",
	"ab",
	"rtpmap ",
	" rtpmap",
	"\trtcp",
	"maxptime",
	"minptime",
	"framesize",
	"framerate",
	"T38",
	"ice-",
	"sixteen-letters-",
};

/* A name as it is, in other letters, with one changed, cut or longer. */
static void put_name(void)
{
	char name[32];
	uint32_t n;

	strcpy(name, names[rnd(sizeof(names) / sizeof(names[0]))]);
	n = (uint32_t)strlen(name);
	switch (rnd(12)) {
	case 0:
		for (uint32_t i = 0; i < n; i++)
			if (name[i] >= 'a' && rnd(2))
				name[i] = (char)(name[i] & ~0x20);
		break;
	case 1:
		name[rnd(n)] = (char)(' ' + rnd(0xe0));
		break;
	case 2:
		name[rnd(n)] ^= 0x20;
		break;
	case 3:
		n = rnd(n + 1);
		break;
	case 4:
		name[n++] = "sx-: \t:"[rnd(7)];
		break;
	default:
		break;
	}
	wbuf_put(&w, slice_of(name, n));
}

static void put_space(void)
{
	PUT_USUALLY(" ", "  ", "\t", "", " \t");
}

static void put_attribute(void)
{
	put("a=");
	put_name();
	PUT_USUALLY(":", "", ": ", "::");
	switch (rnd(4)) {
	case 0:
		break;
	case 1:
		put_number();
		put_space();
		put_conn();
		break;
	default:
		put_number();
		put_space();
		PUT_USUALLY("PCMU", "", "telephone-event", "a/b");
		PUT_USUALLY("/", "", "//");
		put_number();
		PUT_ONE_OF("", "", "/2", " x", "/", "\t");
	}
	put_end();
}

static void put_media(void)
{
	put("m=");
	PUT_USUALLY("audio", "video", "x\xe9", "", " audio", "image");
	put_space();
	PUT_USUALLY("16402", "0", "65535", "65536", "4000/2", "4000/", "/2", "4000/2/2",
		    "4000/65536", "x", "4000x");
	put_space();
	PUT_USUALLY("RTP/AVP", "rtp/avp", "RTP/SAVPF", "udptl", "UDP/BFCP", "TCP/MSRP", "vat",
		    "RTP/AVPX", "\x7f");
	for (uint32_t i = rnd(6); i; i--) {
		put_space();
		PUT_USUALLY(i & 1 ? "0" : "8", "101", "96", "96", "00", "127", "128", "t38",
			    "x\xff", "0128");
	}
	PUT_ONE_OF("", "", "", " ", "\t");
	put_end();
}

static void put_line(void)
{
	switch (rnd(8)) {
	case 0:
		PUT_ONE_OF("b=AS:64", "b=AS:", "b=:1", "b=A S:1", "b=", "t=0 0", "t=1 2", "t=0 0 ",
			   "t=x y", "t=");
		put_end();
		break;
	case 1:
		put("c=");
		put_conn();
		put_end();
		break;
	case 2:
		PUT_USUALLY("o=- 1 1 IN IP4 1.2.3.4", "i=x", "x", "=", "A=x", "x=", "aa=", "\x01",
			    "a=\x01", "z=\x1f");
		put_end();
		break;
	default:
		put_attribute();
	}
}

static void put_description(void)
{
	start();
	PUT_USUALLY("v=0\r\n", "v=0\n", "\r\nv=0\r\n", "\nv=0\n", "v= 0\r\n", "v=1\r\n", "v=0",
		    "V=0\r\n");
	for (uint32_t i = rnd(5); i; i--)
		put_line();
	for (uint32_t m = rnd(4); m; m--) {
		put_media();
		for (uint32_t i = rnd(8); i; i--)
			put_line();
	}
	if (rnd(3) == 0 && w.n)
		w.n -= rnd(w.n < 6 ? w.n : 6);
}

static void descriptions_of_all_kinds(void **state)
{
	(void)state;
	for (int i = 0; i < 60000; i++) {
		put_description();
		assert_same();
	}
}

/* Mostly good lines, so that much is read and written. */
static void descriptions_without_faults(void **state)
{
	static const char *const line[] = {"a=rtpmap:8 PCMA/8000",
					   "a=rtcp:16403 IN IP4 192.168.1.57",
					   "a=fmtp:101 0-16",
					   "a=sendonly",
					   "a=candidate:1",
					   "a=X-y:z",
					   "a=ice-lite",
					   "b=AS:64",
					   "c=IN IP4 10.0.0.1",
					   "a=rtcp-mux",
					   "a=mid:0",
					   "t=1 2",
					   "a=T38MaxBitRate:14400"};
	(void)state;
	for (int i = 0; i < 20000; i++) {
		const char *end = i % 5 ? "\r\n" : "\n";

		start();
		put("v=0");
		put(end);
		for (uint32_t k = rnd(30); k; k--) {
			if (rnd(8) == 0)
				put(rnd(2) ? "m=audio 4000 RTP/AVP 8 0 101"
					   : "m=audio 4000 RTP/AVP 0 8 0");
			else
				put_one_of(line, sizeof(line) / sizeof(line[0]));
			put(rnd(40) ? end : "\n");
			if (rnd(40) == 0)
				put(end);
		}
		assert_same();
	}
}

/* Each byte at each place of a description that is else as it should be. */
static void each_byte_at_each_place(void **state)
{
	static const char usual[] =
		"v=0\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 9 0 101\r\n"
		"a=rtcp:4001 IN IP4 10.0.0.1\r\na=rtpmap:9 G722/8000\r\n"
		"a=ptime:20\r\na=sendrecv\r\n";
	(void)state;
	for (uint32_t at = 0; at < sizeof(usual) - 1; at++)
		for (uint32_t byte = 0; byte < 256; byte++) {
			start();
			put(usual);
			text[at] = (char)byte;
			assert_same();
		}
	for (uint32_t n = 0; n < sizeof(usual); n++) {
		start();
		wbuf_put(&w, slice_of(usual, n));
		assert_same();
	}
}

static void put_times(const char *unit, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		put(unit);
}

/* As many lines as there may be, one fewer and one more; lines as long as they may be. */
static void bounds_are_the_same(void **state)
{
	static const char *const unit[] = {"a=x\n", "a=x\r\n", "\r\n", "\n",
					   "m=audio 4000 RTP/AVP 0\r\n"};

	(void)state;
	for (uint32_t k = 0; k < sizeof(unit) / sizeof(unit[0]); k++)
		for (uint32_t n = SDP_MAX_LINES - 4; n < SDP_MAX_LINES + 4; n++)
			for (int last = 0; last < 3; last++) {
				static const char *const lasts[] = {"", "a=y", "\x01"};

				start();
				put("v=0\n");
				put_times(unit[k], k == 4 ? n - SDP_MAX_LINES + 10 : n);
				put(lasts[last]);
				assert_same();
			}
	for (uint32_t n = SDP_MAX_LINE - 2; n < SDP_MAX_LINE + 3; n++)
		for (int last = 0; last < 3; last++) {
			static const char *const lasts[] = {"\r\n", "", "\nA=\n"};

			start();
			put("v=0\r\na=");
			put_times("x", n);
			put(lasts[last]);
			assert_same();
		}
	for (uint32_t n = 65530; n < 65540; n++) {
		start();
		put("v=0\r\n");
		put_times("\n", n - 10);
		put("a=y\r\n");
		assert_same();
	}
}

/* Every name that is known, and its neighbours: one letter changed, missing or added. */
static void every_name_is_found(void **state)
{
	(void)state;
	for (uint32_t slot = 0; slot < 256; slot++) {
		const char *name = sdp_plain_name(slot);

		if (name == NULL)
			break;
		const uint32_t n = (uint32_t)strlen(name);

		for (uint32_t at = 0; at <= n; at++)
			for (uint32_t byte = 1; byte < 256; byte++)
				for (uint32_t cut = 0; cut < 3; cut++) {
					start();
					put("v=0\r\na=");
					put(name);
					if (at == n)
						wbuf_char(&w, (char)byte);
					else
						w.p[w.n - n + at] = (char)byte;
					w.n -= cut == 2;
					put(cut ? ":1\r\n" : "\r\n");
					const char *differs = sdp_plain_differs(wbuf_slice(&w));
					if (differs != NULL)
						fail_msg("%s: %.*s", differs, (int)w.n, text);
				}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptions_of_all_kinds),
		cmocka_unit_test(descriptions_without_faults),
		cmocka_unit_test(each_byte_at_each_place),
		cmocka_unit_test(bounds_are_the_same),
		cmocka_unit_test(every_name_is_found),
	};
	return cmocka_run_group_tests_name("media/sdp_plain", tests, NULL, NULL);
}
