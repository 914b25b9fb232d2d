#include "sbc/base/reason.h"

static const struct {
	const char *name, *text;
} reasons[REASON_COUNT] = {
#define X(symbol, name, text) [REASON_##symbol] = {name, text},
	REASONS(X)
#undef X
};

const char *reason_name(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? reasons[r].name : "unknown";
}

const char *reason_text(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? reasons[r].text : "not a reason";
}
