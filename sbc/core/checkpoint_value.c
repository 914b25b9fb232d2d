#include <string.h>

#include "sbc/core/checkpoint_internal.h"

static const void *member_at(const struct checkpoint_member *m, const void *base)
{
	return (const uint8_t *)base + m->offset;
}

static uint32_t word_len(const char *words)
{
	uint32_t n = 0;

	while (words[n] && words[n] != ' ')
		n++;
	return n;
}

/* The n-th of the words, empty when there are fewer. */
static struct slice word_at(const char *words, uint32_t n)
{
	for (; n && *words; n--) {
		words += word_len(words);
		words += *words == ' ';
	}
	return slice_of(words, word_len(words));
}

static bool word_find(const char *words, struct slice s, uint32_t *n)
{
	struct slice word;

	for (*n = 0; (word = word_at(words, *n)).n; ++*n)
		if (slice_eq(word, s))
			return true;
	return false;
}

/* ---- numbers ---- */

static uint64_t number_get(const struct checkpoint_member *m, const void *at)
{
	switch (m->type) {
	case VALUE_U16:
	case VALUE_FLAGS:
		return *(const uint16_t *)at;
	case VALUE_U32:
	case VALUE_HEX32:
	case VALUE_IP:
		return *(const uint32_t *)at;
	case VALUE_U64:
	case VALUE_HEX64:
		return *(const uint64_t *)at;
	case VALUE_BOOL:
		return *(const bool *)at;
	case VALUE_STATE:
		return (uint64_t) * (const enum checkpoint_state *)at;
	default:
		return *(const uint8_t *)at;
	}
}

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

static void hex_write(struct wbuf *w, uint64_t v, uint32_t bytes)
{
	uint8_t be[8];

	for (uint32_t i = 0; i < bytes; i++)
		be[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
	wbuf_hex(w, be, bytes);
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

static void flags_write(struct wbuf *w, const char *words, uint32_t flags)
{
	bool first = true;

	for (; *words; flags >>= 1) {
		uint32_t n = word_len(words);

		if (flags & 1u) {
			if (!first)
				wbuf_char(w, ',');
			wbuf_put(w, slice_of(words, n));
			first = false;
		}
		words += n + (words[n] == ' ');
	}
	if (first)
		wbuf_lit(w, "none");
}

static bool flags_read(struct slice s, const char *words, uint64_t *flags)
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

/* " name=", without the space when it is the first. */
static void part_name_write(struct wbuf *w, const struct checkpoint_member *part, bool first)
{
	uint32_t space = first ? 0 : 1, n = space + part->len + 1;
	char *p = w->p + w->n;

	if (w->full || n > w->cap - w->n) {
		w->full = true;
		return;
	}
	if (space)
		*p++ = ' ';
	for (uint32_t i = 0; i < part->len; i++)
		*p++ = part->name[i];
	*p = '=';
	w->n += n;
}

static void parts_write(struct wbuf *w, const struct checkpoint_member *m, const void *base)
{
	bool first = true;

	for (uint32_t i = 0; i < m->limit; i++) {
		const struct checkpoint_member *part = &m->parts[i];

		if (checkpoint_value_is_zero(part, member_at(m, base)))
			continue;
		part_name_write(w, part, first);
		first = false;
		checkpoint_value_write(w, part, member_at(m, base));
	}
}

static bool part_read(const struct checkpoint_members *set, uint8_t *base, struct slice part,
		      uint32_t schema, uint32_t *seen)
{
	int32_t equal = slice_find(part, '=');
	uint32_t i;

	if (equal < 1)
		return false;
	i = checkpoint_member_find(set, slice_of(part.p, (uint32_t)equal), schema);
	if (i == set->count)
		return true;
	if (*seen & 1u << i)
		return false;
	*seen |= 1u << i;
	return checkpoint_value_read(&set->member[i], base,
				     slice_of(part.p + equal + 1, part.n - (uint32_t)equal - 1),
				     schema);
}

static bool parts_read(const struct checkpoint_member *m, uint8_t *base, struct slice s,
		       uint32_t schema)
{
	struct checkpoint_members set = {m->parts, m->limit};
	uint32_t seen = 0;

	while (s.n) {
		int32_t space = slice_find(s, ' ');
		uint32_t n = space < 0 ? s.n : (uint32_t)space;

		if (!part_read(&set, base, slice_of(s.p, n), schema, &seen))
			return false;
		if (space < 0)
			return true;
		s = slice_of(s.p + n + 1, s.n - n - 1);
	}
	return true;
}

/* ---- any value ---- */

bool checkpoint_value_is_zero(const struct checkpoint_member *m, const void *base)
{
	const void *at = member_at(m, base);
	struct net_addr a;

	switch (m->type) {
	case VALUE_WORD:
	case VALUE_STATE:
	case VALUE_PARTS:
		return false;
	case VALUE_BYTES:
		return ((const struct slice *)at)->n == 0;
	case VALUE_ADDR:
		a = *(const struct net_addr *)at;
		return a.ip == 0 && a.port == 0;
	default:
		return number_get(m, at) == 0;
	}
}

void checkpoint_value_write(struct wbuf *w, const struct checkpoint_member *m, const void *base)
{
	const void *at = member_at(m, base);

	switch (m->type) {
	case VALUE_HEX32:
		hex_write(w, number_get(m, at), 4);
		break;
	case VALUE_HEX64:
		hex_write(w, number_get(m, at), 8);
		break;
	case VALUE_ADDR:
		net_addr_write(w, *(const struct net_addr *)at);
		break;
	case VALUE_IP:
		net_ip_write(w, (uint32_t)number_get(m, at));
		break;
	case VALUE_BOOL:
		wbuf_put(w, number_get(m, at) ? SLICE_LIT("yes") : SLICE_LIT("no"));
		break;
	case VALUE_WORD:
	case VALUE_STATE:
		wbuf_put(w, word_at(m->words, (uint32_t)number_get(m, at)));
		break;
	case VALUE_FLAGS:
		flags_write(w, m->words, (uint32_t)number_get(m, at));
		break;
	case VALUE_BYTES:
		wbuf_put(w, *(const struct slice *)at);
		break;
	case VALUE_PARTS:
		parts_write(w, m, base);
		break;
	default:
		wbuf_u64(w, number_get(m, at));
	}
}

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

bool checkpoint_value_read(const struct checkpoint_member *m, void *base, struct slice value,
			   uint32_t schema)
{
	uint8_t *at = (uint8_t *)base + m->offset;
	uint64_t v;

	switch (m->type) {
	case VALUE_BYTES:
		*(struct slice *)(void *)at = value;
		return true;
	case VALUE_ADDR:
		return addr_read(value, (struct net_addr *)(void *)at);
	case VALUE_PARTS:
		return parts_read(m, at, value, schema);
	default:
		if (!number_read(m, value, &v))
			return false;
		number_set(m, at, v);
		return true;
	}
}

uint32_t checkpoint_member_find(const struct checkpoint_members *set, struct slice name,
				uint32_t schema)
{
	uint32_t i;

	for (i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];

		if (name.n == m->len && m->name[0] == name.p[0] &&
		    memcmp(m->name, name.p, name.n) == 0)
			break;
	}
	return i < set->count && set->member[i].since <= schema ? i : set->count;
}
