/*
 * Values as text. Each is composed where there is room for the longest of its kind,
 * so that nothing but the end is kept while it is: names and words are copied by a
 * whole CHECKPOINT_NAME, numbers by all that they are composed in, and what stands
 * beyond a piece's end is written over by the next.
 */
#include <assert.h>
#include <string.h>

#include "sbc/core/checkpoint_internal.h"

/* ---- numbers ---- */

#define DIGITS 20 /* of a uint64_t */

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
			    "25262728293031323334353637383940414243444546474849"
			    "50515253545556575859606162636465666768697071727374"
			    "75767778798081828384858687888990919293949596979899";

static char *decimal_compose(char *p, uint64_t v)
{
	char digits[2 * DIGITS];
	uint32_t at = DIGITS, low;

	if (v < 10) {
		*p = (char)('0' + v);
		return p + 1;
	}
	for (; v > UINT32_MAX; v /= 100)
		memcpy(digits + (at -= 2), pairs + 2 * (v % 100), 2);
	for (low = (uint32_t)v; low >= 100; low /= 100)
		memcpy(digits + (at -= 2), pairs + 2 * (low % 100), 2);
	if (low >= 10)
		memcpy(digits + (at -= 2), pairs + 2 * low, 2);
	else
		digits[--at] = (char)('0' + low);
	memcpy(p, digits + at, DIGITS);
	return p + DIGITS - at;
}

static char *octet_compose(char *p, uint8_t v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10) {
		memcpy(p, pairs + 2 * (v % 100), 2);
		return p + 2;
	}
	*p = (char)('0' + v);
	return p + 1;
}

/* Eight digits at once: a nibble in each byte, then what makes a digit or a letter of it. */
static char *hex32_compose(char *p, uint32_t v)
{
	uint64_t x = v, letter;

	x = (x | x << 16) & 0x0000ffff0000ffffull;
	x = (x | x << 8) & 0x00ff00ff00ff00ffull;
	x = (x | x << 4) & 0x0f0f0f0f0f0f0f0full;
	letter = (x + 0x0606060606060606ull) >> 4 & 0x0101010101010101ull;
	x += 0x3030303030303030ull + letter * ('a' - '0' - 10);
	for (int i = 8; i-- > 0; x >>= 8)
		p[i] = (char)(x & 0xff);
	return p + 8;
}

/* ---- addresses, words ---- */

static char *ip_compose(char *p, uint32_t ip)
{
	uint8_t octet[4];

	memcpy(octet, &ip, 4);
	p = octet_compose(p, octet[0]);
	for (int i = 1; i < 4; i++) {
		*p++ = '.';
		p = octet_compose(p, octet[i]);
	}
	return p;
}

static char *addr_compose(char *p, const struct net_addr *a)
{
	p = ip_compose(p, a->ip);
	*p++ = ':';
	return decimal_compose(p, a->port);
}

static char *word_compose(char *p, const struct checkpoint_word *w)
{
	memcpy(p, w, CHECKPOINT_NAME);
	return p + w->len;
}

/* The n-th of the words; nothing when there are fewer. */
static char *nth_compose(char *p, const struct checkpoint_word *words, uint64_t n)
{
	for (; n && words->len; n--)
		words++;
	return word_compose(p, words);
}

static char *flags_compose(char *p, const struct checkpoint_word *words, uint64_t flags)
{
	static const struct checkpoint_word none = {"none", 4};
	char *from = p;

	for (; words->len && flags; words++, flags >>= 1) {
		if (!(flags & 1u))
			continue;
		if (p != from)
			*p++ = ',';
		p = word_compose(p, words);
	}
	return p == from ? word_compose(p, &none) : p;
}

/* ---- any value ---- */

/* "name=value", a space before all but the first. */
static char *parts_compose(char *p, const struct checkpoint_member *m, const void *base)
{
	const char *from = p;

	for (uint32_t i = 0; i < m->limit; i++) {
		const struct checkpoint_member *part = &m->parts[i];
		uint64_t v = checkpoint_value_load(part, base);

		if (checkpoint_value_is_left_out(part, v))
			continue;
		*p = ' ';
		p += p != from;
		memcpy(p, part->name, CHECKPOINT_NAME);
		p += part->len;
		*p++ = '=';
		p = checkpoint_value_compose(p, part, base, v);
	}
	return p;
}

char *checkpoint_value_compose(char *p, const struct checkpoint_member *m, const void *base,
			       uint64_t v)
{
	switch (m->type) {
	case VALUE_HEX32:
		return hex32_compose(p, (uint32_t)v);
	case VALUE_HEX64:
		return hex32_compose(hex32_compose(p, (uint32_t)(v >> 32)), (uint32_t)v);
	case VALUE_ADDR:
		return addr_compose(p, checkpoint_member_at(m, base));
	case VALUE_IP:
		return ip_compose(p, (uint32_t)v);
	case VALUE_BOOL:
		memcpy(p, v ? "yes" : "no\0", 4);
		return p + (v ? 3 : 2);
	case VALUE_WORD:
	case VALUE_STATE:
		return nth_compose(p, m->words, v);
	case VALUE_FLAGS:
		return flags_compose(p, m->words, v);
	case VALUE_PARTS:
		return parts_compose(p, m, checkpoint_member_at(m, base));
	default:
		return decimal_compose(p, v);
	}
}
