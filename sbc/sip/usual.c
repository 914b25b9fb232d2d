#include "sbc/sip/usual.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "sbc/sip/chars.h"

static uint32_t left(const char *p, const char *end)
{
	return (uint32_t)(end - p);
}

/* The first quote or backslash, or the end. */
static inline const char *find_quote(const char *p, const char *end)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		const uint32_t bits = (uint32_t)_mm_movemask_epi8(
			_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
				     _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));

		if (bits)
			return p + __builtin_ctz(bits);
	}
#endif
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* A quoted name without escapes and at most one space behind it; NULL: something else. */
static const char *skip_name(const char *p, const char *end)
{
	const char *q = find_quote(p + 1, end);

	if (left(q, end) < 2 || *q != '"')
		return NULL;
	return q + 1;
}

static bool cut_tag(struct slice params, struct slice *tag)
{
	*tag = SLICE_NONE;
	if (params.n == 0)
		return true;
	if (params.n < 6 || memcmp(params.p, ";tag=", 5) != 0)
		return false;
	*tag = slice_of(params.p + 5, params.n - 5);
	return sip_char_all(*tag, SIP_CH_VALUE);
}

bool sip_addr_usual(struct sip_addr *a, struct slice *tag, struct slice value)
{
	const char *p = value.p, *end = p + value.n;
	struct slice display = slice_of(p, 0);

	if (value.n == 0)
		return false;
	if (*p == '"') {
		p = skip_name(p, end);
		if (p == NULL)
			return false;
		display.n = (uint32_t)(p - value.p);
		p += *p == ' ';
	}
	if (left(p, end) < 3 || *p != '<')
		return false;
	const uint32_t n = scan_span(&sip_set[SIP_SET_URI], p + 1, left(p, end) - 1);
	const char *close = p + 1 + n;
	if (n == 0 || close == end || *close != '>')
		return false;
	const struct slice params = slice_of(close + 1, left(close, end) - 1);
	if (!cut_tag(params, tag))
		return false;
	*a = (struct sip_addr){
		.whole = value,
		.display = display,
		.uri = slice_of(p + 1, n),
		.params = params.n ? params : SLICE_NONE,
		.in_brackets = true,
	};
	return true;
}

enum sbc_err sip_addr_tagged(struct sip_addr *a, struct slice *tag, struct slice value)
{
	if (sip_addr_usual(a, tag, value))
		return SBC_OK;
	enum sbc_err err = sip_addr_parse(a, value);

	*tag = err == SBC_OK ? sip_addr_tag(a) : SLICE_NONE;
	return err;
}

enum sbc_err sip_addr_tagged_of(const struct sip_msg *m, enum sip_hdr id, struct sip_addr *a,
				struct slice *tag)
{
	if (sip_msg_has(m, id) && sip_addr_usual(a, tag, sip_msg_value(m, id)))
		return SBC_OK;
	enum sbc_err err = sip_addr_of(m, id, a);

	*tag = err == SBC_OK ? sip_addr_tag(a) : SLICE_NONE;
	return err;
}

/* 1 to 5 digits that are a port; 0: something else. */
static uint32_t cut_port(const char *p, const char *end, uint16_t *port)
{
	uint32_t n = 0, v = 0;

	while (n < 5 && p + n < end && sip_char_is_digit(p[n]))
		v = v * 10 + (uint32_t)(p[n++] - '0');
	if (v == 0 || v > UINT16_MAX)
		return 0;
	*port = (uint16_t)v;
	return n;
}

/* A value that may stand there once; NULL: something else. */
static const char *take_value(const char *p, const char *end, struct slice *value)
{
	const uint32_t n = scan_span(sip_set_of(SIP_CH_VALUE), p, left(p, end));

	if (n == 0 || value->p != NULL)
		return NULL;
	*value = slice_of(p, n);
	return p + n;
}

static const char *take_rport(const char *p, const char *end, struct sip_via *v)
{
	if (v->has_rport)
		return NULL;
	v->has_rport = true;
	if (p == end || *p != '=')
		return p;
	const uint32_t n = cut_port(p + 1, end, &v->rport);

	return n ? p + 1 + n : NULL;
}

/* One of the three that matter, behind its semicolon; NULL: something else. */
static const char *take_param(const char *p, const char *end, struct sip_via *v)
{
	const uint32_t n = left(p, end);

	if (n > 7 && memcmp(p, "branch=", 7) == 0)
		return take_value(p + 7, end, &v->branch);
	if (n >= 5 && memcmp(p, "rport", 5) == 0)
		return take_rport(p + 5, end, v);
	if (n > 9 && memcmp(p, "received=", 9) == 0)
		return take_value(p + 9, end, &v->received);
	return NULL;
}

bool sip_via_usual(struct sip_via *v, struct slice value)
{
	static const struct slice protocol = {"SIP/2.0/UDP ", 12};
	uint32_t ip;

	if (!slice_starts(value, protocol))
		return false;
	const char *p = value.p + protocol.n, *end = value.p + value.n;
	*v = (struct sip_via){.whole = value, .transport = slice_of(value.p + 8, 3), .plain = true};
	v->host = slice_of(p, net_ip_cut(slice_of(p, left(p, end)), &ip));
	if (v->host.n == 0)
		return false;
	p += v->host.n;
	if (p < end && *p == ':') {
		const uint32_t n = cut_port(p + 1, end, &v->port);

		if (n == 0)
			return false;
		p += 1 + n;
	}
	v->params = slice_of(p, left(p, end));
	while (p < end) {
		if (*p != ';')
			return false;
		p = take_param(p + 1, end, v);
		if (p == NULL)
			return false;
	}
	return true;
}
