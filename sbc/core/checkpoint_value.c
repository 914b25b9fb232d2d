#include <string.h>

#include "sbc/core/checkpoint_internal.h"

static bool word_find(const struct checkpoint_word *words, struct slice s, uint32_t *n)
{
	for (*n = 0; words[*n].len; ++*n)
		if (slice_eq(slice_of(words[*n].text, words[*n].len), s))
			return true;
	return false;
}

/* ---- numbers ---- */

static void number_set(const struct checkpoint_member *m, void *at, uint64_t v)
{
	switch (m->type) {
	case VALUE_U16:
	case VALUE_FLAGS:
		*(uint16_t *)at = (uint16_t)v;
		break;
	case VALUE_U32:
	case VALUE_HEX32:
	case VALUE_IP:
		*(uint32_t *)at = (uint32_t)v;
		break;
	case VALUE_U64:
	case VALUE_HEX64:
		*(uint64_t *)at = v;
		break;
	case VALUE_BOOL:
		*(bool *)at = v != 0;
		break;
	case VALUE_STATE:
		*(enum checkpoint_state *)at = (enum checkpoint_state)v;
		break;
	default:
		*(uint8_t *)at = (uint8_t)v;
	}
}

static uint64_t number_max(const struct checkpoint_member *m)
{
	switch (m->type) {
	case VALUE_U16:
		return UINT16_MAX;
	case VALUE_U32:
	case VALUE_HEX32:
		return UINT32_MAX;
	case VALUE_COUNT:
		return m->limit;
	default:
		return UINT64_MAX;
	}
}

static bool decimal_read(struct slice s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 20)
		return false;
	for (uint32_t i = 0; i < s.n; i++) {
		uint64_t digit = (uint64_t)(unsigned char)s.p[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return v <= max;
}

static bool hex_read(struct slice s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 16)
		return false;
	for (uint32_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return v <= max;
}

/* ---- addresses and flags ---- */

/* Like net_addr_parse(), with port 0: an address of which only the host is known. */
static bool addr_read(struct slice s, struct net_addr *a)
{
	int32_t colon = slice_find(s, ':');
	uint32_t port;

	if (colon < 0 || !net_ip_parse(slice_of(s.p, (uint32_t)colon), &a->ip) ||
	    !slice_u32(slice_of(s.p + colon + 1, s.n - (uint32_t)colon - 1), UINT16_MAX, &port))
		return false;
	a->port = (uint16_t)port;
	return true;
}

static bool flags_read(struct slice s, const struct checkpoint_word *words, uint64_t *flags)
{
	uint32_t n;

	*flags = 0;
	if (slice_eq(s, SLICE_LIT("none")))
		return true;
	for (;;) {
		int32_t comma = slice_find(s, ',');
		struct slice word = slice_of(s.p, comma < 0 ? s.n : (uint32_t)comma);

		if (!word_find(words, word, &n) || (*flags & 1u << n))
			return false;
		*flags |= 1u << n;
		if (comma < 0)
			return true;
		s = slice_of(s.p + comma + 1, s.n - (uint32_t)comma - 1);
	}
}

/* ---- parts ---- */

static bool part_read(const struct checkpoint_members *set, uint8_t *base, struct slice part,
		      uint32_t *seen)
{
	int32_t equal = slice_find(part, '=');
	uint32_t i;

	if (equal < 1)
		return false;
	i = checkpoint_member_find(set, slice_of(part.p, (uint32_t)equal));
	if (i == set->count)
		return true;
	if (*seen & 1u << i)
		return false;
	*seen |= 1u << i;
	return checkpoint_value_read(&set->member[i], base,
				     slice_of(part.p + equal + 1, part.n - (uint32_t)equal - 1));
}

static bool parts_read(const struct checkpoint_member *m, uint8_t *base, struct slice s)
{
	struct checkpoint_members set = {m->parts, m->limit};
	uint32_t seen = 0;

	while (s.n) {
		int32_t space = slice_find(s, ' ');
		uint32_t n = space < 0 ? s.n : (uint32_t)space;

		if (!part_read(&set, base, slice_of(s.p, n), &seen))
			return false;
		if (space < 0)
			return true;
		s = slice_of(s.p + n + 1, s.n - n - 1);
	}
	return true;
}

/* ---- any value ---- */

static bool number_read(const struct checkpoint_member *m, struct slice s, uint64_t *v)
{
	uint32_t n;

	switch (m->type) {
	case VALUE_HEX32:
	case VALUE_HEX64:
		return hex_read(s, number_max(m), v);
	case VALUE_IP:
		*v = 0;
		if (!net_ip_parse(s, &n))
			return false;
		*v = n;
		return true;
	case VALUE_BOOL:
		*v = slice_eq(s, SLICE_LIT("yes"));
		return *v || slice_eq(s, SLICE_LIT("no"));
	case VALUE_WORD:
	case VALUE_STATE:
		if (!word_find(m->words, s, &n))
			return false;
		*v = n;
		return true;
	case VALUE_FLAGS:
		return flags_read(s, m->words, v);
	default:
		return decimal_read(s, number_max(m), v);
	}
}

bool checkpoint_value_read(const struct checkpoint_member *m, void *base, struct slice value)
{
	uint8_t *at = (uint8_t *)base + m->offset;
	uint64_t v;

	switch (m->type) {
	case VALUE_BYTES:
		*(struct slice *)(void *)at = value;
		return m->own || slice_find(value, '\n') < 0;
	case VALUE_ADDR:
		return addr_read(value, (struct net_addr *)(void *)at);
	case VALUE_PARTS:
		return parts_read(m, at, value);
	default:
		if (!number_read(m, value, &v))
			return false;
		number_set(m, at, v);
		return true;
	}
}

uint32_t checkpoint_member_find(const struct checkpoint_members *set, struct slice name)
{
	uint32_t i;

	for (i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];

		if (name.n == m->len && m->name[0] == name.p[0] &&
		    memcmp(m->name, name.p, name.n) == 0)
			break;
	}
	return i;
}
