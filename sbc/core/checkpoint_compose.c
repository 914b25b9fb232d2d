/*
 * Values as text. Each is composed where there is room for the longest of its kind,
 * so that nothing but the end is kept while it is: names and words are copied by a
 * whole CHECKPOINT_NAME, and what stands beyond a piece's end is written over by the
 * next.
 */
#include <assert.h>
#include <string.h>

#include "sbc/base/decimal.h"
#include "sbc/core/checkpoint_internal.h"

/* ---- numbers ---- */

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

/* ---- words ---- */

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
		return net_addr_compose(p, *(const struct net_addr *)checkpoint_member_at(m, base));
	case VALUE_IP:
		return net_ip_compose(p, (uint32_t)v);
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
		return decimal_write(p, v);
	}
}
