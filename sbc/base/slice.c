#include "sbc/base/slice.h"

bool slice_ieq(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (uint32_t i = 0; i < a.n; i++)
		if (slice_lower(a.p[i]) != slice_lower(b.p[i]))
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

struct slice slice_trim(struct slice s)
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
