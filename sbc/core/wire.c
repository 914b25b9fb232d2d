#include "sbc/core/wire.h"

#define TOK WIRE_TOKEN
#define USR WIRE_USER
#define AN  (WIRE_TOKEN | WIRE_USER | WIRE_PLAIN)
#define DOT (WIRE_TOKEN | WIRE_USER)

const uint8_t wire_class_of[256] = {
	[0 ... 8] = WIRE_CTL,
	['\t'] = WIRE_LWS,
	['\n'] = WIRE_CTL | WIRE_LWS,
	[0x0b ... 0x0c] = WIRE_CTL,
	['\r'] = WIRE_CTL | WIRE_LWS,
	[0x0e ... 0x1f] = WIRE_CTL,
	[0x7f] = WIRE_CTL,
	[' '] = WIRE_LWS,
	['0' ... '9'] = AN | WIRE_DIGIT | WIRE_HEX,
	['a' ... 'f'] = AN | WIRE_ALPHA | WIRE_HEX,
	['g' ... 'z'] = AN | WIRE_ALPHA,
	['A' ... 'F'] = AN | WIRE_ALPHA | WIRE_HEX,
	['G' ... 'Z'] = AN | WIRE_ALPHA,
	['-'] = AN,
	['.'] = DOT,
	['!'] = AN,
	['*'] = AN,
	['_'] = AN,
	['+'] = AN,
	['~'] = AN,
	['\''] = AN,
	['%'] = TOK,
	['`'] = TOK,
	['('] = USR,
	[')'] = USR,
	['&'] = USR,
	['='] = USR,
	['$'] = USR,
	[','] = USR,
	[';'] = USR,
	['?'] = USR,
	['/'] = USR,
};

/* What each class is to scan_span(): bit h of row l is byte (h << 4 | l). */
const struct scan_set wire_set[WIRE_SET_COUNT] = {
	{{0xe8, 0xfc, 0xf8, 0xf8, 0xf8, 0xfc, 0xf8, 0xfc, 0xf8, 0xf8, 0xf4, 0x54, 0x50, 0x54, 0xd4,
	  0x70},
	 false}, /* TOKEN */
	{{0xa8, 0xfc, 0xf8, 0xf8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xf4, 0x5c, 0x54, 0x5c, 0xd4,
	  0x7c},
	 false}, /* USER */
	{{0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
	  0x00},
	 false}, /* DIGIT */
	{{0xa0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0x50, 0x50, 0x50, 0x50,
	  0x50},
	 false}, /* ALPHA */
	{{0x08, 0x58, 0x58, 0x58, 0x58, 0x58, 0x58, 0x08, 0x08, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
	  0x00},
	 false}, /* HEX */
	{{0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x01, 0x00, 0x00, 0x01, 0x00,
	  0x00},
	 false}, /* LWS */
	{{0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x02, 0x03, 0x03, 0x03, 0x03, 0x03,
	  0x83},
	 false}, /* CTL */
	{{0xa8, 0xfc, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xfc, 0xf8, 0xf8, 0xf4, 0x54, 0x50, 0x54, 0xd0,
	  0x70},
	 false}, /* PLAIN */
	[WIRE_SET_NAME] = {{0xac, 0xfc, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xfc, 0xf8, 0xf8, 0xf4, 0x54,
			    0x50, 0x54, 0xd0, 0x70},
			   false},
	[WIRE_SET_TEXT] = {{0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfd, 0xfd, 0xfc,
			    0xfc, 0xfd, 0xfc, 0x7c},
			   false},
	[WIRE_SET_LINE] = {{0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfd, 0xfc, 0xfc,
			    0xfc, 0xfc, 0xfc, 0x7c},
			   true},
};

/* Length of the well-formed sequence at p, 0 when it is none (RFC 3629 section 4). */
static uint32_t utf8_length(const uint8_t *p, uint32_t n)
{
	uint8_t lo = 0x80, hi = 0xbf;
	uint32_t len;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		lo = 0xa0;
	else if (p[0] == 0xed)
		hi = 0x9f;
	else if (p[0] == 0xf0)
		lo = 0x90;
	else if (p[0] == 0xf4)
		hi = 0x8f;
	if (n < len || p[1] < lo || p[1] > hi)
		return 0;
	for (uint32_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool wire_is_utf8(struct slice s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	for (uint32_t i = 0; i < s.n;) {
		uint32_t len;

		i += span_of(&wire_set[WIRE_SET_TEXT], s.p + i, s.n - i);
		if (i == s.n)
			break;
		len = p[i] >= 0x80 ? utf8_length(p + i, s.n - i) : 0;
		if (!len)
			return false;
		i += len;
	}
	return true;
}

bool wire_is_quoted(struct slice s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	if (s.n < 2 || p[0] != '"' || p[s.n - 1] != '"')
		return false;
	for (uint32_t i = 1; i < s.n - 1;) {
		uint32_t len = 1;

		if (p[i] == '"')
			return false;
		if (p[i] == '\\') {
			/* A backslash before the closing quote would escape it. */
			if (i + 2 >= s.n || p[i + 1] >= 0x80 || wire_is((char)p[i + 1], WIRE_CTL))
				return false;
			len = 2;
		} else if (p[i] >= 0x80) {
			len = utf8_length(p + i, s.n - 1 - i);
		} else if (wire_is((char)p[i], WIRE_CTL) && !wire_is((char)p[i], WIRE_LWS)) {
			len = 0;
		}
		if (!len)
			return false;
		i += len;
	}
	return true;
}

bool wire_in(const char *words, struct slice s)
{
	if (s.n == 0)
		return false;
	for (const char *w = words; *w;) {
		uint32_t i = 0;

		/* A byte of `s` that ends a word would let it span two of them. */
		while (i < s.n && w[i] && w[i] != ' ' && slice_lower(w[i]) == slice_lower(s.p[i]))
			i++;
		if (i == s.n && (!w[i] || w[i] == ' '))
			return true;
		for (w += i; *w && *w != ' ';)
			w++;
		w += *w == ' ';
	}
	return false;
}

int32_t wire_isearch(struct slice s, struct slice needle)
{
	if (needle.n == 0)
		return -1;
	for (uint32_t i = 0; s.n >= needle.n && i <= s.n - needle.n; i++)
		if (slice_lower(s.p[i]) == slice_lower(needle.p[0]) &&
		    slice_ieq(slice_of(s.p + i, needle.n), needle))
			return (int32_t)i;
	return -1;
}

void wire_put(struct wbuf *w, struct slice s)
{
	uint32_t from = 0;

	for (uint32_t i = 0; i < s.n; i++) {
		uint32_t start, end;

		i += span_of(&wire_set[WIRE_SET_LINE], s.p + i, s.n - i);
		if (i == s.n)
			break;
		start = i;
		end = i + 1;
		if (wire_is(s.p[i], WIRE_LWS)) {
			while (start > from && wire_is(s.p[start - 1], WIRE_LWS))
				start--;
			while (end < s.n && wire_is(s.p[end], WIRE_LWS))
				end++;
		}
		wbuf_put(w, slice_of(s.p + from, start - from));
		wbuf_char(w, ' ');
		from = end;
		i = end - 1;
	}
	if (from < s.n)
		wbuf_put(w, slice_of(s.p + from, s.n - from));
}

static bool is_separator(char c)
{
	return c == ',' || c == ';' || wire_is(c, WIRE_LWS);
}

bool wire_next_token(struct slice *rest, struct slice *token)
{
	const char *p = rest->p, *end;

	if (rest->n == 0)
		return false;
	end = p + rest->n;
	while (p < end) {
		const char *start;

		while (p < end && is_separator(*p))
			p++;
		start = p;
		p += span_of(&wire_set[__builtin_ctz(WIRE_TOKEN)], p, (uint32_t)(end - p));
		if (p > start && (p == end || is_separator(*p))) {
			*token = slice_of(start, (uint32_t)(p - start));
			*rest = slice_of(p, (uint32_t)(end - p));
			return true;
		}
		while (p < end && *p != ',' && *p != ';')
			p++;
	}
	*rest = SLICE_NONE;
	return false;
}
