#include "sbc/base/reason.h"

#include <string.h>

#include "tests/lib/unit.h"

static void every_reason_has_a_name_of_its_own_and_a_text(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *name = reason_name((enum reason)i);
		assert_non_null(name);
		assert_true(strlen(reason_text((enum reason)i)) > 10);
		/* What telemetry and scripts take: lower case, digits, hyphens. */
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
				 strlen(name));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(name, reason_name((enum reason)j));
	}
}

static void what_is_no_reason_is_named_too(void **state)
{
	(void)state;
	assert_string_equal(reason_name(REASON_COUNT), "unknown");
	assert_non_null(reason_text(REASON_COUNT));
}

static void each_reason_counts_alone(void **state)
{
	static struct reason_counters c;

	(void)state;
	reason_count(&c, REASON_FLOW_SOURCE);
	reason_count(&c, REASON_FLOW_SOURCE);
	for (int i = 0; i < REASON_COUNT; i++)
		assert_int_equal(c.n[i], i == REASON_FLOW_SOURCE ? 2 : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_a_name_of_its_own_and_a_text),
		cmocka_unit_test(what_is_no_reason_is_named_too),
		cmocka_unit_test(each_reason_counts_alone),
	};
	return cmocka_run_group_tests_name("base/reason", tests, NULL, NULL);
}
