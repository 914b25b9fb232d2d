#include "tests/lib/record.h"

static bool line_next(struct record *r, struct checkpoint_field *member)
{
	int32_t end = slice_find(r->lines, '\n');
	struct slice line = slice_of(r->lines.p, end < 0 ? r->lines.n : (uint32_t)end);
	int32_t equal = slice_find(line, '=');
	uint32_t past = end < 0 ? line.n : line.n + 1;

	if (equal < 0)
		return false;
	member->name = slice_of(line.p, (uint32_t)equal);
	member->value = slice_of(line.p + equal + 1, line.n - (uint32_t)equal - 1);
	r->lines = slice_of(r->lines.p + past, r->lines.n - past);
	return true;
}

bool record_next(struct record *r, struct checkpoint_field *member)
{
	bool bad;

	if (r->lines.n)
		return line_next(r, member);
	if (!checkpoint_next(&r->rest, member, &bad))
		return false;
	if (!slice_eq(member->name, SLICE_LIT("call")) && !slice_eq(member->name, SLICE_LIT("now")))
		return true;
	r->lines = member->value;
	return line_next(r, member);
}

struct slice record_value(struct slice flat, const char *name)
{
	struct record r = {.rest = flat};
	struct checkpoint_field member;

	while (record_next(&r, &member))
		if (slice_eq(member.name, slice_str(name)))
			return member.value;
	return SLICE_NONE;
}
