#include "tests/lib/change.h"

static bool value_in(struct slice flat, struct slice name, struct slice *value)
{
	struct checkpoint_field f;
	bool bad;

	while (checkpoint_next(&flat, &f, &bad)) {
		*value = f.value;
		if (slice_eq(f.name, name))
			return true;
	}
	return false;
}

static uint32_t count(struct slice flat)
{
	struct checkpoint_field f;
	uint32_t n = 0;
	bool bad;

	while (checkpoint_next(&flat, &f, &bad))
		n++;
	return n;
}

bool change_apply(struct wbuf *w, struct slice record, struct slice change, uint32_t gone)
{
	uint32_t n = count(change);
	struct checkpoint_field f;
	struct slice value;
	bool bad;

	if (gone >= n)
		return false;
	while (checkpoint_next(&record, &f, &bad))
		if (!value_in(change, f.name, &value))
			checkpoint_put(w, f.name, f.value);
	for (; n > gone && checkpoint_next(&change, &f, &bad); n--)
		checkpoint_put(w, f.name, f.value);
	while (checkpoint_next(&change, &f, &bad))
		if (f.value.n)
			return false;
	return wbuf_ok(w);
}

bool change_same(struct slice a, struct slice b)
{
	struct checkpoint_field f;
	struct slice value;
	bool bad;

	if (count(a) != count(b))
		return false;
	while (checkpoint_next(&a, &f, &bad))
		if (!value_in(b, f.name, &value) || !slice_eq(value, f.value))
			return false;
	return true;
}
