#include "tests/unit/control/config_fixture.h"

static void print_mistakes(const struct config_report *r, char *out, size_t cap)
{
	FILE *f = fmemopen(out, cap, "w");

	assert_non_null(f);
	for (uint32_t i = 0; i < config_report_kept(r); i++)
		fprintf(f, "%s%u: %s", i ? "\n" : "", r->mistake[i].line, r->mistake[i].text);
	fclose(f);
}

void config_check_vectors(const struct config_vector *v, size_t n, enum config_check check)
{
	static struct config_report report;
	static char got[CONFIG_MAX_MISTAKES * CONFIG_MISTAKE_LEN];

	for (size_t i = 0; i < n; i++) {
		struct config *c = config_parse("t", v[i].text, strlen(v[i].text), check, &report);

		memset(got, 0, sizeof(got));
		print_mistakes(&report, got, sizeof(got));
		if (c || strcmp(got, v[i].mistakes) != 0)
			print_error("for:\n%s", v[i].text);
		assert_null(c);
		assert_string_equal(got, v[i].mistakes);
	}
}

struct config *config_parse_good(const char *text)
{
	static struct config_report report;
	struct config *c = config_parse("t", text, strlen(text), CONFIG_CHECK_TEXT, &report);

	if (!c)
		config_report_print(&report, stderr);
	assert_non_null(c);
	assert_int_equal(report.count, 0);
	return c;
}
