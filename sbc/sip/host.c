#include "sbc/sip/host.h"

#include "sbc/base/net.h"
#include "sbc/sip/chars.h"

#define IP6_GROUPS 8u

/* 1 to 4 hex digits at the front, or 0. */
static uint32_t hex_group_len(struct slice s)
{
	uint32_t n = 0;

	while (n < s.n && sip_char_is_hex(s.p[n]))
		n++;
	return n <= 4 ? n : 0;
}

bool sip_host_is_ip6(struct slice s)
{
	uint32_t groups = 0, ip;
	bool gap = false;

	if (s.n >= 2 && s.p[0] == ':' && s.p[1] == ':') {
		gap = true;
		sip_cut(&s, 2);
	}
	while (s.n) {
		const uint32_t n = hex_group_len(s);

		if (slice_find(s, ':') < 0 && slice_find(s, '.') >= 0) {
			groups += 2;
			return net_ip_parse(s, &ip) &&
			       (gap ? groups < IP6_GROUPS : groups == IP6_GROUPS);
		}
		if (!n || ++groups > IP6_GROUPS)
			return false;
		sip_cut(&s, n);
		if (!s.n)
			break;
		if (*s.p != ':' || s.n == 1)
			return false;
		sip_cut(&s, 1);
		if (*s.p == ':') {
			if (gap)
				return false;
			gap = true;
			sip_cut(&s, 1);
		}
	}
	return gap ? groups < IP6_GROUPS : groups == IP6_GROUPS;
}

/* Labels not empty, not beginning or ending with '-'; one dot may end the name. */
static bool is_name(struct slice s)
{
	bool other = false; /* something that an address has not */
	char before = '.';
	uint32_t ip;

	for (uint32_t i = 0; i < s.n; i++) {
		const char c = s.p[i];

		if (c == '.' ? before == '.' || before == '-' : c == '-' && before == '.')
			return false;
		other |= c > '9' || c == '-';
		before = c;
	}
	return before != '-' && (other || net_ip_parse(s, &ip));
}

#ifdef __SSSE3__

/* Up to 32 bytes of a host, one bit a byte. */
struct host_bits {
	uint32_t stranger, dot, hyphen, letter;
};

static inline struct host_bits host_bits_of(__m128i v)
{
	return (struct host_bits){
		span_strangers(sip_set_of(SIP_CH_HOST), v),
		(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.'))),
		(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('-'))),
		(uint32_t)_mm_movemask_epi8(_mm_cmpgt_epi8(v, _mm_set1_epi8('9'))),
	};
}

static inline struct host_bits host_bits_load(const char *p, uint32_t n)
{
	struct host_bits b = host_bits_of(span_load(p, n)), more = {0xffff, 0, 0, 0};

	if (!b.stranger && n > 16)
		more = host_bits_of(span_load(p + 16, n - 16));
	return (struct host_bits){b.stranger | more.stranger << 16, b.dot | more.dot << 16,
				  b.hyphen | more.hyphen << 16, b.letter | more.letter << 16};
}

/*
 * The length of the host name or address at the front of s, as cut_class() and
 * is_name() have it; 0 when there is none, or it may be longer than 31 bytes.
 */
static inline uint32_t usual_len(struct slice s)
{
	const struct host_bits b = host_bits_load(s.p, s.n);
	const uint32_t n = (uint32_t)__builtin_ctz(b.stranger | 1u << 31);
	const uint32_t all = (1u << n) - 1, dot = b.dot & all, hyphen = b.hyphen & all;
	/* No dot behind the beginning, a dot or a hyphen; no hyphen behind a beginning or dot. */
	const uint32_t wrong = (dot & ((dot | hyphen) << 1 | 1)) | (hyphen & (dot << 1 | 1)) |
			       (hyphen & ~(all >> 1));
	uint32_t ip;

	if (n == 31 || wrong)
		return 0;
	return (b.letter & all) | hyphen || net_ip_parse(slice_of(s.p, n), &ip) ? n : 0;
}

#else

static inline uint32_t usual_len(struct slice s)
{
	(void)s;
	return 0;
}

#endif

static enum sbc_err cut_ip6(struct slice *s, struct slice *host)
{
	const int32_t close = slice_find(*s, ']');

	if (close < 0 || !sip_host_is_ip6(slice_of(s->p + 1, (uint32_t)close - 1)))
		return SBC_EBAD;
	*host = slice_of(s->p, (uint32_t)close + 1);
	sip_cut(s, host->n);
	return SBC_OK;
}

enum sbc_err sip_host_cut(struct slice *s, struct slice *host)
{
	const uint32_t n = usual_len(*s);

	if (!n)
		return host_cut_with_care(s, host);
	*host = slice_of(s->p, n);
	sip_cut(s, n);
	return SBC_OK;
}

enum sbc_err host_cut_with_care(struct slice *s, struct slice *host)
{
	if (s->n && *s->p == '[')
		return cut_ip6(s, host);
	*host = sip_cut_class(s, SIP_CH_HOST);
	return host->n && is_name(*host) ? SBC_OK : SBC_EBAD;
}

enum sbc_err sip_port_cut(struct slice *s, uint16_t *port)
{
	uint32_t n = 0, v;

	while (n < s->n && sip_char_is_digit(s->p[n]))
		n++;
	if (!slice_u32(slice_of(s->p, n), UINT16_MAX, &v) || v == 0)
		return SBC_EBAD;
	sip_cut(s, n);
	*port = (uint16_t)v;
	return SBC_OK;
}
