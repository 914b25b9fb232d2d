/* The short way through From, To, Contact and Via: what it knows it reads as the careful way does. */
#include "tests/unit/sip/common.h"

#include "sbc/sip/usual.h"

static void same(struct slice a, struct slice b, const char *text)
{
	check_vector(a.p == b.p && a.n == b.n, text);
}

static void addr_agrees(struct slice value, const char *text)
{
	struct sip_addr a, b;
	struct slice tag;

	if (!sip_addr_usual(&a, &tag, value))
		return;
	check_vector(sip_addr_parse(&b, value) == SBC_OK, text);
	same(a.whole, b.whole, text);
	same(a.display, b.display, text);
	same(a.uri, b.uri, text);
	same(a.params, b.params, text);
	same(a.rest, b.rest, text);
	same(tag, sip_addr_tag(&b), text);
	check_vector(a.in_brackets == b.in_brackets && a.is_star == b.is_star, text);
}

static void via_agrees(struct slice value, const char *text)
{
	struct sip_via a, b;

	if (!sip_via_usual(&a, value))
		return;
	check_vector(sip_via_parse_with_care(&b, value) == SBC_OK, text);
	same(a.whole, b.whole, text);
	same(a.transport, b.transport, text);
	same(a.host, b.host, text);
	same(a.params, b.params, text);
	same(a.branch, b.branch, text);
	same(a.received, b.received, text);
	same(a.rest, b.rest, text);
	check_vector(a.port == b.port && a.has_rport == b.has_rport && a.rport == b.rport, text);
}

static const char *const usual_addr[] = {
	"<sip:bob@203.0.113.1>",
	"<sip:bob@203.0.113.1>;tag=a6c85cf",
	"\"Alice\" <sip:alice@example.com;user=phone>;tag=1",
	"\"\"<tel:+4930123>;tag=%&~x",
};

static const char *const usual_via[] = {
	"SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKi0000",
	"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=203.0.113.9;rport=1024",
	"SIP/2.0/UDP 192.0.2.1:1",
	"SIP/2.0/UDP 192.0.2.1;rport=65535;branch=1",
};

/* Well-formed or not: what the short way does not answer for. */
static const char *const other_addr[] = {
	"",
	"<>",
	"<sip:a@b",
	"sip:a@b;tag=1",
	"Alice <sip:a@b>;tag=1",
	"\"A\\\"lice\" <sip:a@b>",
	"\"Alice <sip:a@b>",
	"\"Alice\"",
	"\"Alice\" ",
	"\"Alice\"  <sip:a@b>",
	"<sip:a@b> ;tag=1",
	"<sip:a@b>;tag=",
	"<sip:a@b>;TAG=1",
	"<sip:a@b>;tag=1;tag=2",
	"<sip:a@b>;tag=1 ",
	"<sip:a@b>;tag=\"1\"",
	"<sip:a@b>;tag =1",
	"<sip:a@b>;x=1;tag=1",
	"<sip:a@b>, <sip:c@d>",
	"<sip:a@ b>",
	"*",
};

static const char *const other_via[] = {
	"",
	"SIP/2.0/UDP ",
	"SIP/2.0/TCP 192.0.2.1;branch=1",
	"SIP/2.0/UDP  192.0.2.1;branch=1",
	"SIP/2.0/UDP host.example.com;branch=1",
	"SIP/2.0/UDP 192.0.2.256;branch=1",
	"SIP/2.0/UDP 192.0.2.01;branch=1",
	"SIP/2.0/UDP 192.0.2.1.example.com;branch=1",
	"SIP/2.0/UDP 192.0.2.1:0;branch=1",
	"SIP/2.0/UDP 192.0.2.1:65536;branch=1",
	"SIP/2.0/UDP 192.0.2.1:;branch=1",
	"SIP/2.0/UDP 192.0.2.1:123456;branch=1",
	"SIP/2.0/UDP 192.0.2.1;branch=",
	"SIP/2.0/UDP 192.0.2.1;branch",
	"SIP/2.0/UDP 192.0.2.1;branch=1;branch=2",
	"SIP/2.0/UDP 192.0.2.1;Branch=1",
	"SIP/2.0/UDP 192.0.2.1;rport;rport",
	"SIP/2.0/UDP 192.0.2.1;rport=0",
	"SIP/2.0/UDP 192.0.2.1;rport=;branch=1",
	"SIP/2.0/UDP 192.0.2.1;rport=65536",
	"SIP/2.0/UDP 192.0.2.1;rport=12x",
	"SIP/2.0/UDP 192.0.2.1;rports",
	"SIP/2.0/UDP 192.0.2.1;received=",
	"SIP/2.0/UDP 192.0.2.1;received=1;received=2",
	"SIP/2.0/UDP 192.0.2.1;ttl=1;branch=1",
	"SIP/2.0/UDP 192.0.2.1;branch=1,SIP/2.0/UDP 192.0.2.2",
	"SIP/2.0/UDP 192.0.2.1;branch=1 ",
	"SIP/2.0/UDP 192.0.2.1 ;branch=1",
	"SIP/2.0/UDP 192.0.2.1;",
};

static void what_is_usual_is_read_alike(void **state)
{
	struct sip_addr a;
	struct sip_via v;
	struct slice tag;

	(void)state;
	for (size_t i = 0; i < COUNT(usual_addr); i++) {
		check_vector(sip_addr_usual(&a, &tag, slice_str(usual_addr[i])), usual_addr[i]);
		addr_agrees(slice_str(usual_addr[i]), usual_addr[i]);
	}
	for (size_t i = 0; i < COUNT(usual_via); i++) {
		check_vector(sip_via_usual(&v, slice_str(usual_via[i])), usual_via[i]);
		via_agrees(slice_str(usual_via[i]), usual_via[i]);
	}
}

static void what_is_not_is_left_to_care(void **state)
{
	struct sip_addr a;
	struct sip_via v;
	struct slice tag;

	(void)state;
	for (size_t i = 0; i < COUNT(other_addr); i++)
		check_vector(!sip_addr_usual(&a, &tag, slice_str(other_addr[i])), other_addr[i]);
	for (size_t i = 0; i < COUNT(other_via); i++)
		check_vector(!sip_via_usual(&v, slice_str(other_via[i])), other_via[i]);
}

/* Every value with every byte of it replaced by every other. */
static void change_each(const char *text, void (*agrees)(struct slice, const char *))
{
	char copy[128];
	const uint32_t n = (uint32_t)strlen(text);

	for (uint32_t at = 0; at < n; at++)
		for (int c = 0; c < 256; c++) {
			memcpy(copy, text, n + 1);
			copy[at] = (char)c;
			agrees(slice_of(copy, n), text);
		}
}

static void any_changed_byte_is_read_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(usual_addr); i++)
		change_each(usual_addr[i], addr_agrees);
	for (size_t i = 0; i < COUNT(usual_via); i++)
		change_each(usual_via[i], via_agrees);
}

static void prefix(struct slice s)
{
	addr_agrees(s, "a prefix");
	via_agrees(s, "a prefix");
}

static void nothing_is_read_beyond_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(usual_addr); i++)
		each_prefix(usual_addr[i], strlen(usual_addr[i]), prefix);
	for (size_t i = 0; i < COUNT(usual_via); i++)
		each_prefix(usual_via[i], strlen(usual_via[i]), prefix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_usual_is_read_alike),
		cmocka_unit_test(what_is_not_is_left_to_care),
		cmocka_unit_test(any_changed_byte_is_read_alike),
		cmocka_unit_test(nothing_is_read_beyond_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
