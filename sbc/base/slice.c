#include "sbc/base/slice.h"

#define EACH(byte) (0x0101010101010101u * (byte))

static inline uint64_t load64(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint64_t load32(const char *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/*
 * slice_lower() of eight bytes: bit 7 of two sums says whether a byte's low seven bits
 * are 'A' or more, and whether they are beyond 'Z'. No sum carries into the next byte.
 */
static inline uint64_t lower64(uint64_t w)
{
	const uint64_t seven = w & EACH(0x7fu);
	const uint64_t from_a = seven + EACH(0x80u - 'A'), beyond_z = seven + EACH(0x7fu - 'Z');

	return w | (((from_a ^ beyond_z) & ~w & EACH(0x80u)) >> 2);
}

bool slice_ieq_bytes(const char *a, const char *b, uint32_t n)
{
	if (n >= 8) {
		for (uint32_t i = 0; i < n - 8; i += 8)
			if (lower64(load64(a + i)) != lower64(load64(b + i)))
				return false;
		/* The last eight, of which some have been compared. */
		return lower64(load64(a + n - 8)) == lower64(load64(b + n - 8));
	}
	if (n >= 4) {
		const uint64_t x = load32(a) | load32(a + n - 4) << 32;
		const uint64_t y = load32(b) | load32(b + n - 4) << 32;

		return lower64(x) == lower64(y);
	}
	for (uint32_t i = 0; i < n; i++)
		if (slice_lower(a[i]) != slice_lower(b[i]))
			return false;
	return true;
}

bool slice_starts(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim_space(struct slice s)
{
	while (s.n && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

int32_t slice_find(struct slice s, char c)
{
	if (s.n == 0)
		return -1;
	const char *at = memchr(s.p, c, s.n);
	return at != NULL ? (int32_t)(at - s.p) : -1;
}

int32_t slice_search(struct slice s, struct slice needle)
{
	uint32_t from = 0;

	if (needle.n == 0)
		return -1;
	while (s.n - from >= needle.n) {
		/* Only positions where the whole needle still fits are of interest. */
		uint32_t span = s.n - from - needle.n + 1;
		const char *at = memchr(s.p + from, needle.p[0], span);
		if (at == NULL)
			return -1;
		if (memcmp(at, needle.p, needle.n) == 0)
			return (int32_t)(at - s.p);
		from = (uint32_t)(at - s.p) + 1;
	}
	return -1;
}

bool slice_u32(struct slice s, uint32_t max, uint32_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (uint32_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
		if (v > max)
			return false;
	}
	*out = (uint32_t)v;
	return true;
}
