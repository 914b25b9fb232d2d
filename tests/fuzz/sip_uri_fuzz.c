/*
 * Any bytes as a URI, or two with a line feed between them: parsing, comparing,
 * and the same URI inside an address. The fast ways for usual URIs and hosts say
 * what the careful ones do.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/sip/addr.h"
#include "sbc/sip/host.h"
#include "sbc/sip/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int promise)
{
	if (!promise)
		abort();
}

/* Scheme, user, password, host, port, parameters and headers put together give the whole. */
static void check_tiles(const struct sip_uri *u)
{
	const char *p = u->whole.p + u->scheme_name.n + 1;
	const char *end = u->whole.p + u->whole.n;

	if (u->scheme == SIP_SCHEME_OTHER)
		return;
	if (u->has_user) {
		must(u->user.p == p && u->user.n);
		p += u->user.n;
		if (u->password.p != NULL) {
			must(*p == ':' && u->password.p == p + 1);
			p += 1 + u->password.n;
		}
		if (u->scheme != SIP_SCHEME_TEL)
			must(*p++ == '@');
	}
	if (u->scheme != SIP_SCHEME_TEL)
		must(u->host.p == p && u->host.n);
	p += u->host.n;
	if (u->port)
		must(*p == ':');
	while (u->port && p < end && *p != ';' && *p != '?')
		p++;
	must(!u->params.n || u->params.p == p);
	p += u->params.n;
	if (u->headers.n) {
		must(*p == '?' && u->headers.p == p + 1);
		p += 1 + u->headers.n;
	}
	must(p == end);
}

static void check_in_brackets(const struct sip_uri *u)
{
	char text[4096];
	struct sip_addr a;

	if (u->scheme == SIP_SCHEME_OTHER || u->whole.n > sizeof(text) - 2)
		return;
	text[0] = '<';
	memcpy(text + 1, u->whole.p, u->whole.n);
	text[1 + u->whole.n] = '>';
	must(sip_addr_parse(&a, slice_of(text, u->whole.n + 2)) == SBC_OK);
	must(a.in_brackets && slice_eq(a.uri, u->whole) && !a.params.n && !a.rest.n);
}

static void check_one(const struct sip_uri *u)
{
	struct net_addr addr;

	check_tiles(u);
	check_in_brackets(u);
	must(sip_uri_eq(u, u));
	if (sip_uri_addr(u, &addr) == SBC_OK)
		must(addr.port != 0);
}

static int same(struct slice a, struct slice b)
{
	return a.n == b.n && a.p == b.p;
}

/* What both ways say of the same bytes. */
static void check_ways(struct slice s)
{
	struct sip_uri fast, careful;
	const enum sbc_err err = sip_uri_parse(&fast, s);

	must(uri_parse_with_care(&careful, s) == err);
	if (err != SBC_OK)
		return;
	must(fast.scheme == careful.scheme && fast.port == careful.port);
	must(fast.has_user == careful.has_user);
	must(same(fast.whole, careful.whole) && same(fast.scheme_name, careful.scheme_name));
	must(same(fast.user, careful.user) && same(fast.password, careful.password));
	must(same(fast.host, careful.host) && same(fast.params, careful.params));
	must(same(fast.headers, careful.headers));
}

/* A host from each byte on: what is cut off, and what is left. */
static void check_hosts(struct slice s)
{
	for (uint32_t i = 0; i < s.n && i < 64; i++) {
		struct slice fast = slice_of(s.p + i, s.n - i), careful = fast, a, b;
		const enum sbc_err err = sip_host_cut(&fast, &a);

		must(host_cut_with_care(&careful, &b) == err);
		must(err != SBC_OK || (same(a, b) && same(fast, careful)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice all = slice_of((const char *)data, (uint32_t)size);
	const int32_t lf = slice_find(all, '\n');
	const uint32_t first = lf < 0 ? all.n : (uint32_t)lf;
	struct sip_uri a, b;
	const enum sbc_err err = sip_uri_parse(&a, slice_of(all.p, first));

	must(err == SBC_OK || err == SBC_EBAD);
	check_ways(slice_of(all.p, first));
	check_hosts(slice_of(all.p, first));
	if (err != SBC_OK)
		return 0;
	check_one(&a);
	if (lf < 0 || sip_uri_parse(&b, slice_of(all.p + lf + 1, all.n - first - 1)) != SBC_OK)
		return 0;
	check_one(&b);
	must(sip_uri_eq(&a, &b) == sip_uri_eq(&b, &a));
	return 0;
}
