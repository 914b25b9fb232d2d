/*
 * Any bytes as a datagram: indexing, decoding of every header, agreement with the
 * peek that steers. Aborts where a promise of sbc/sip is broken.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/sip/addr.h"
#include "sbc/sip/cseq.h"
#include "sbc/sip/head.h"
#include "sbc/sip/msg.h"
#include "sbc/sip/usual.h"
#include "sbc/sip/via.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int promise)
{
	if (!promise)
		abort();
}

static void within(struct slice s, struct slice of)
{
	must(!s.n || (s.p >= of.p && s.p + s.n <= of.p + of.n));
}

static void check_params(struct slice list)
{
	struct slice rest = list;
	struct sip_param p;

	while (sip_param_next(&rest, &p)) {
		must(p.name.n != 0);
		within(p.name, p.whole);
		within(p.value, p.whole);
		within(p.whole, list);
	}
	(void)sip_param_list_ok(list);
}

static void check_addr(struct slice value)
{
	struct sip_addr a;
	struct sip_uri u;
	struct slice rest = value;

	while (rest.n && sip_addr_parse(&a, rest) == SBC_OK) {
		within(a.whole, rest);
		within(a.uri, a.whole);
		within(a.display, a.whole);
		within(a.params, a.whole);
		must(a.is_star || a.uri.n);
		must(a.rest.n < rest.n);
		check_params(a.params);
		within(sip_addr_tag(&a), a.params);
		if (!a.is_star)
			(void)sip_uri_parse(&u, a.uri);
		rest = a.rest;
	}
}

static void check_via(struct slice value)
{
	struct sip_via v;
	struct slice rest = value;

	while (rest.n && sip_via_parse(&v, rest) == SBC_OK) {
		within(v.whole, rest);
		within(v.host, v.whole);
		within(v.branch, v.params);
		must(v.host.n && v.transport.n && v.rest.n < rest.n);
		must(!v.rport || v.has_rport);
		rest = v.rest;
	}
}

static void same(struct slice a, struct slice b)
{
	must(a.p == b.p && a.n == b.n);
}

/* Where the short way knows the form, it says what the careful one says. */
static void check_addr_usual(struct slice value)
{
	struct sip_addr a, b;
	struct slice tag;

	if (!sip_addr_usual(&a, &tag, value))
		return;
	must(sip_addr_parse(&b, value) == SBC_OK);
	same(a.whole, b.whole);
	same(a.display, b.display);
	same(a.uri, b.uri);
	same(a.params, b.params);
	same(a.rest, b.rest);
	same(tag, sip_addr_tag(&b));
	must(a.is_star == b.is_star && a.in_brackets == b.in_brackets);
}

static void check_via_usual(struct slice value)
{
	struct sip_via a, b;

	if (!sip_via_usual(&a, value))
		return;
	must(sip_via_parse_with_care(&b, value) == SBC_OK);
	same(a.whole, b.whole);
	same(a.transport, b.transport);
	same(a.host, b.host);
	same(a.params, b.params);
	same(a.branch, b.branch);
	same(a.received, b.received);
	same(a.rest, b.rest);
	must(a.port == b.port && a.has_rport == b.has_rport && a.rport == b.rport);
}

/* Any bytes as one value, as no header line need have them. */
static void check_usual(struct slice value)
{
	check_addr_usual(value);
	check_via_usual(value);
}

static void check_values(const struct sip_msg *m)
{
	struct sip_cseq c;
	struct sip_rack r;

	for (uint32_t i = 0; i < m->count; i++) {
		struct slice value = sip_entry_value(m, i), rest = value, one;
		uint32_t left = value.n;

		while (sip_list_next(&rest, &one)) {
			within(one, value);
			must(rest.n < left);
			left = rest.n;
		}
		check_addr(value);
		check_via(value);
		check_usual(value);
		check_params(value);
		(void)sip_cseq_parse(&c, value);
		(void)sip_rack_parse(&r, value);
	}
}

/* Entries lie in order, inside the head, and the chains by id reach each of them once. */
static void check_index(const struct sip_msg *m)
{
	uint32_t reached = 0, number;
	const struct slice head = slice_of(m->buf, m->headers_end);

	must(m->headers_off <= m->headers_end && m->headers_end <= m->len);
	for (uint32_t i = 0; i < m->count; i++) {
		must(i == 0 || m->hdr[i].name_off > m->hdr[i - 1].name_off);
		within(sip_entry_name(m, i), head);
		within(sip_entry_value(m, i), head);
		must(sip_hdr_parse(sip_entry_name(m, i)) == m->hdr[i].id);
	}
	for (uint32_t id = 0; id < SIP_HDR_COUNT; id++) {
		for (uint8_t i = m->first[id]; i != SIP_NO_ENTRY; i = sip_msg_next(m, i)) {
			must(m->hdr[i].id == id);
			reached++;
		}
		(void)sip_msg_u32(m, id, &number);
		(void)sip_msg_lists(m, id, SLICE_LIT("timer"));
	}
	must(reached == m->count);
}

/* An accepted message: what everyone behind the parser relies on. */
static void check_accepted(const struct sip_msg *m)
{
	struct sip_cseq c;
	struct sip_uri u;

	must(sip_msg_has(m, SIP_HDR_VIA) && sip_msg_has(m, SIP_HDR_FROM) &&
	     sip_msg_has(m, SIP_HDR_TO) && sip_msg_value(m, SIP_HDR_CALL_ID).n);
	must(sip_cseq_of(m, &c) == SBC_OK && c.seq <= 0x7fffffff && c.method == m->method);
	must(m->is_request ? m->request_uri.n && m->method_name.n
			   : m->status >= 100 && m->status <= 699);
	must(m->body_off + m->body_len == m->len && m->body_off > m->headers_end);
	must(memchr(m->buf, '\0', m->body_off) == NULL);
	if (m->is_request)
		(void)sip_uri_parse(&u, m->request_uri);
}

/* One Call-ID, one owner: the peek finds what the index has, or both find nothing. */
static void check_peek(const struct sip_msg *m, const char *buf, uint32_t len)
{
	struct sip_peek peek;
	const struct slice indexed = sip_msg_value(m, SIP_HDR_CALL_ID);
	const enum sbc_err err = sip_peek_call_id(buf, len, &peek);

	must((err == SBC_OK) == (indexed.n != 0));
	must(err != SBC_OK || (peek.call_id.p == indexed.p && peek.call_id.n == indexed.n));
	must(!peek.is_register || m->method == SIP_REGISTER);
	if (err == SBC_OK && peek.is_register && sip_msg_has(m, SIP_HDR_TO))
		must(slice_eq(peek.to, sip_msg_value(m, SIP_HDR_TO)));
}

/* The index that is made by offsets of line ends is the one that is made with care. */
static void check_both_ways(const struct sip_msg *m, const struct sip_fault *fault,
			    enum sbc_err err, const char *buf, uint32_t len)
{
	struct sip_msg n;
	struct sip_fault f;

	must(head_parse_with_care(&n, buf, len, &f) == err);
	must(f.status == fault->status && strcmp(f.text, fault->text) == 0);
	must(n.buf == m->buf && n.len == m->len && n.is_request == m->is_request);
	must(n.method == m->method && n.status == m->status);
	must(slice_eq(n.method_name, m->method_name) && slice_eq(n.request_uri, m->request_uri));
	must(slice_eq(n.reason, m->reason));
	must(n.cseq == m->cseq && n.cseq_method.n == m->cseq_method.n &&
	     (!n.cseq_method.n || n.cseq_method.p == m->cseq_method.p));
	must(n.headers_off == m->headers_off && n.headers_end == m->headers_end);
	must(n.body_off == m->body_off && n.body_len == m->body_len && n.count == m->count);
	must(memcmp(n.first, m->first, sizeof(n.first)) == 0);
	must(memcmp(n.hdr, m->hdr, n.count * sizeof(n.hdr[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *buf = (const char *)data;
	const uint32_t len = (uint32_t)size;
	struct sip_msg m;
	struct sip_fault fault;
	const enum sbc_err err = sip_msg_parse(&m, buf, len, &fault);

	must(err == SBC_OK || err == SBC_EBAD || err == SBC_ELIMIT);
	must(fault.text != NULL && (err == SBC_OK) == (fault.text[0] == '\0'));
	within(slice_of(m.buf, m.len), slice_of(buf, len));
	check_both_ways(&m, &fault, err, buf, len);
	check_usual(slice_of(buf, len));
	check_peek(&m, buf, len);
	check_index(&m);
	check_values(&m);
	if (err == SBC_OK) {
		must(!sip_is_keepalive(buf, len));
		check_accepted(&m);
	}
	return 0;
}
