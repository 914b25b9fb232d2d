/* Whether two URIs are the same by RFC 3261 19.1.4 and RFC 3966 4. */

#include "sbc/sip/chars.h"
#include "sbc/sip/param.h"
#include "sbc/sip/uri.h"

/*
 * Comparing parameters in any order takes a look at each for each: URIs with more
 * are the same only byte by byte.
 */
#define EQ_MAX_PARTS 32u

static int32_t hex_value(char c)
{
	return sip_char_is_digit(c) ? c - '0' : slice_lower(c) - 'a' + 10;
}

/* The next character, `%hh` taken as one; RFC 2396 reserved ones stay apart when escaped. */
static int32_t next_char(struct slice *s)
{
	const char c = *s->p;

	if (c != '%' || s->n < 3 || !sip_char_is_hex(s->p[1]) || !sip_char_is_hex(s->p[2])) {
		sip_cut(s, 1);
		return (uint8_t)c;
	}
	const int32_t v = hex_value(s->p[1]) * 16 + hex_value(s->p[2]);

	sip_cut(s, 3);
	return v != 0 && v < 0x80 && strchr(";/?:@&=+$,", v) != NULL ? v + 0x100 : v;
}

static bool escaped_eq(struct slice a, struct slice b, bool fold)
{
	while (a.n && b.n) {
		int32_t x = next_char(&a), y = next_char(&b);

		if (fold && x < 0x80 && y < 0x80) {
			x = (uint8_t)slice_lower((char)x);
			y = (uint8_t)slice_lower((char)y);
		}
		if (x != y)
			return false;
	}
	return a.n == b.n;
}

/* Parameters that must stand in both or in neither. */
static bool never_ignored(struct slice name)
{
	return slice_ieq(name, SLICE_LIT("transport")) || slice_ieq(name, SLICE_LIT("user")) ||
	       slice_ieq(name, SLICE_LIT("ttl")) || slice_ieq(name, SLICE_LIT("method")) ||
	       slice_ieq(name, SLICE_LIT("maddr"));
}

static bool cut_part(struct slice *s, char sep, struct slice *name, struct slice *value)
{
	if (s->n && *s->p == sep)
		sip_cut(s, 1);
	if (!s->n)
		return false;
	const int32_t end = slice_find(*s, sep);
	struct slice one = slice_of(s->p, end < 0 ? s->n : (uint32_t)end);
	const int32_t eq = slice_find(one, '=');

	*name = slice_of(one.p, eq < 0 ? one.n : (uint32_t)eq);
	*value = eq < 0 ? SLICE_NONE : slice_of(one.p + eq + 1, one.n - (uint32_t)eq - 1);
	sip_cut(s, one.n);
	return true;
}

static bool find_part(struct slice s, char sep, struct slice wanted, struct slice *value)
{
	struct slice name;

	while (cut_part(&s, sep, &name, value))
		if (escaped_eq(name, wanted, true))
			return true;
	return false;
}

static uint32_t count_parts(struct slice s, char sep)
{
	struct slice name, value;
	uint32_t n = 0;

	while (n <= EQ_MAX_PARTS && cut_part(&s, sep, &name, &value))
		n++;
	return n;
}

/* Every part of `a` that `b` has too is equal there; `all`: and `b` has them all. */
static bool parts_within(struct slice a, struct slice b, char sep, bool all, bool fold)
{
	struct slice name, x, y;

	while (cut_part(&a, sep, &name, &x)) {
		if (!find_part(b, sep, name, &y)) {
			if (all || never_ignored(name))
				return false;
		} else if (!escaped_eq(x, y, fold)) {
			return false;
		}
	}
	return true;
}

static bool parts_eq(struct slice a, struct slice b, char sep, bool all, bool fold)
{
	const uint32_t na = count_parts(a, sep), nb = count_parts(b, sep);

	if (na > EQ_MAX_PARTS || nb > EQ_MAX_PARTS)
		return slice_eq(a, b);
	if (all && na != nb)
		return false;
	return parts_within(a, b, sep, all, fold) && parts_within(b, a, sep, all, fold);
}

/* Numbers without their visual separators (RFC 3966 4). */
static bool tel_number_eq(struct slice a, struct slice b)
{
	for (;;) {
		while (a.n && strchr("-.()", *a.p) != NULL)
			sip_cut(&a, 1);
		while (b.n && strchr("-.()", *b.p) != NULL)
			sip_cut(&b, 1);
		if (!a.n || !b.n)
			return a.n == b.n;
		if (slice_lower(*a.p) != slice_lower(*b.p))
			return false;
		sip_cut(&a, 1);
		sip_cut(&b, 1);
	}
}

bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->scheme != b->scheme)
		return false;
	if (slice_eq(a->whole, b->whole))
		return true;
	switch (a->scheme) {
	case SIP_SCHEME_TEL:
		return tel_number_eq(a->user, b->user) &&
		       parts_eq(a->params, b->params, ';', true, true);
	case SIP_SCHEME_OTHER:
		return false;
	default:
		return a->has_user == b->has_user && escaped_eq(a->user, b->user, false) &&
		       escaped_eq(a->password, b->password, false) && slice_ieq(a->host, b->host) &&
		       a->port == b->port && parts_eq(a->params, b->params, ';', false, true) &&
		       parts_eq(a->headers, b->headers, '&', true, false);
	}
}
