/* Parameter lists. */
#include "tests/unit/sip/common.h"

#include "sbc/sip/param.h"

static void parameters_are_cut_one_by_one(void **state)
{
	struct slice rest = SLICE_LIT(";a ; B = c;\r\n d=\"x;y\\\"z\" ;e=[2001:db8::1];f=");
	struct sip_param p;

	(void)state;
	assert_true(sip_param_next(&rest, &p));
	assert_slice(p.name, "a");
	assert_null(p.value.p);
	assert_slice(p.whole, ";a");
	assert_true(sip_param_next(&rest, &p));
	assert_slice(p.name, "B");
	assert_slice(p.value, "c");
	assert_slice(p.whole, "; B = c");
	assert_true(sip_param_next(&rest, &p));
	assert_slice(p.name, "d");
	assert_slice(p.value, "\"x;y\\\"z\"");
	assert_true(sip_param_next(&rest, &p));
	assert_slice(p.value, "[2001:db8::1]");
	assert_true(sip_param_next(&rest, &p));
	assert_slice(p.name, "f");
	assert_non_null(p.value.p);
	assert_int_equal(p.value.n, 0);
	assert_false(sip_param_next(&rest, &p));
	assert_int_equal(rest.n, 0);
}

static void well_formed_lists_are_told_from_others(void **state)
{
	static const struct {
		const char *list;
		bool ok;
	} vectors[] = {
		{"", true},        {";a", true},          {" ; a = b ", true},
		{";a=b;c", true},  {";a=\"\"", true},     {";+sip.instance=\"<urn:x>\"", true},
		{";a=b=c", true},  {";a=\xc3\xa9", true}, {";%6C%72;n%61me=v%41", true},
		{";", false},      {";;a", false},        {";a;", false},
		{"a", false},      {";a b", false},       {";a=b c", false},
		{";a=\"b", false}, {";a=\"b\\\"", false}, {";a=\"b\"c", false},
		{";a=<b>", false}, {";=b", false},        {";a,b", false},
		{";a=b,c", false}, {";a\"b\"", false},    {";\xc3\xa9=a", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++)
		check_vector(sip_param_list_ok(slice_str(vectors[i].list)) == vectors[i].ok,
			     vectors[i].list);
}

static void names_are_found_in_any_case(void **state)
{
	struct sip_param p;

	(void)state;
	assert_true(sip_param_find(SLICE_LIT(";tagx=1;TAG=2;tag=3"), SLICE_LIT("tag"), &p));
	assert_slice(p.value, "2");
	assert_false(sip_param_find(SLICE_LIT(";a=\";tag=1\""), SLICE_LIT("tag"), &p));
	/* Where the list breaks nothing more is found. */
	assert_false(sip_param_find(SLICE_LIT(";a;;tag=1"), SLICE_LIT("tag"), &p));
	assert_false(sip_param_find(SLICE_NONE, SLICE_LIT("tag"), &p));
}

static void one_prefix(struct slice s)
{
	sip_param_list_ok(s);
}

static void nothing_is_read_beyond_the_end(void **state)
{
	static const char text[] = " ; a = \"q\\\"\" ; b = c ; d=\"\\";

	(void)state;
	each_prefix(text, sizeof(text) - 1, one_prefix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_cut_one_by_one),
		cmocka_unit_test(well_formed_lists_are_told_from_others),
		cmocka_unit_test(names_are_found_in_any_case),
		cmocka_unit_test(nothing_is_read_beyond_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
