/* Lines of the control socket: what is understood, and what garbage gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/ctl_request.h"

static bool parse(const char *line, struct ctl_request *r, char why[256])
{
	why[0] = '\0';
	return ctl_request_parse(line, strlen(line), r, why, 256);
}

static void every_command_is_understood(void **state)
{
	struct ctl_request r;
	char line[128], why[256];

	(void)state;
	for (unsigned i = 0; i < CTL_CMDS; i++) {
		snprintf(line, sizeof(line), "{\"cmd\":\"%s\"%s}", ctl_cmd_name((enum ctl_cmd)i),
			 i == CTL_KILL   ? ",\"call\":\"00000001f000000a\""
			 : i == CTL_MOVE ? ",\"group\":\"g\",\"node\":\"n\""
					 : "");
		assert_true(parse(line, &r, why));
		assert_int_equal(r.cmd, i);
	}
	assert_true(parse(" { \"call\" : \"00000001f000000a\", \"cmd\":\"kill\"}\r", &r, why));
	assert_true(r.call == 0x1f000000aull);
	assert_true(parse("{\"cmd\":\"drops\",\"all\":true}", &r, why));
	assert_true(r.all);
	assert_true(parse("{\"cmd\":\"drain\",\"off\":true}", &r, why));
	assert_true(r.off);
	assert_true(parse("{\"cmd\":\"move\",\"node\":\"edge2\",\"group\":\"g1\"}", &r, why));
	assert_string_equal(r.group, "g1");
	assert_string_equal(r.node, "edge2");
	assert_null(ctl_cmd_name(CTL_CMDS));
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *line, *why;
	} v[] = {
		{"", "not JSON"},
		{"garbage", "not JSON"},
		{"{\"cmd\":\"calls\"", "not JSON"},
		{"{\"cmd\":\"calls\"} x", "not JSON"},
		{"{\"cmd\":\"calls\",\"cmd\":\"drain\"}", "not JSON: duplicate object key"},
		{"{\"cmd\":\"\xff\"}", "not JSON"},
		{"{\"cmd\":\"calls\\u0000\"}", "not JSON"},
		{"[]", "not an object"},
		{"\"calls\"", "not JSON"},
		{"{}", "no \"cmd\""},
		{"{\"cmd\":7}", "no \"cmd\""},
		{"{\"cmd\":null}", "no \"cmd\""},
		{"{\"cmd\":\"Calls\"}", "unknown command \"Calls\""},
		{"{\"cmd\":\"calls\",\"all\":true}", "unknown member \"all\" of command calls"},
		{"{\"cmd\":\"drops\",\"all\":1}", "\"all\": expected true or false"},
		{"{\"cmd\":\"drain\",\"off\":\"yes\"}", "\"off\": expected true or false"},
		{"{\"cmd\":\"drain\",\"group\":\"g\"}",
		 "unknown member \"group\" of command drain"},
		{"{\"cmd\":\"move\"}", "move: expected \"group\" and \"node\""},
		{"{\"cmd\":\"move\",\"group\":\"g\"}", "move: expected \"group\" and \"node\""},
		{"{\"cmd\":\"move\",\"group\":\"\",\"node\":\"n\"}", "\"group\": expected a name"},
		{"{\"cmd\":\"move\",\"group\":\"g\",\"node\":\"12345678901234567890123456789012\"}",
		 "\"node\": expected a name"},
		{"{\"cmd\":\"kill\"}", "kill: no \"call\""},
		{"{\"cmd\":\"kill\",\"call\":1}", "\"call\" is not a call"},
		{"{\"cmd\":\"kill\",\"call\":\"1\"}", "\"call\" is not a call"},
		{"{\"cmd\":\"kill\",\"call\":\"00000001F000000A\"}", "\"call\" is not a call"},
		{"{\"cmd\":\"kill\",\"call\":\"00000001f000000a0\"}", "\"call\" is not a call"},
	};
	struct ctl_request r;
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_false(parse(v[i].line, &r, why));
		if (strncmp(why, v[i].why, strlen(v[i].why)) != 0)
			fail_msg("%s: %s, expected %s", v[i].line, why, v[i].why);
	}
}

static void nothing_breaks_it(void **state)
{
	static char deep[60000];
	struct ctl_request r;
	char why[256], line[64];
	uint32_t seed = 1;

	(void)state;
	memset(deep, '[', sizeof(deep));
	assert_false(ctl_request_parse(deep, sizeof(deep), &r, why, sizeof(why)));
	for (int i = 0; i < 20000; i++) {
		size_t n = (size_t)snprintf(line, sizeof(line),
					    "{\"cmd\":\"kill\",\"call\":\"00000001f000000a\"}");
		bool ok;

		seed = seed * 1664525u + 1013904223u;
		line[(seed >> 8) % n] = (char)(seed >> 24);
		ok = ctl_request_parse(line, n, &r, why, sizeof(why));
		assert_true(!ok || r.cmd < CTL_CMDS);
		assert_true(ok || strlen(why) < sizeof(why));
	}
}

static void a_call_names_its_worker(void **state)
{
	(void)state;
	for (uint16_t w = 0; w < 16; w++) {
		uint64_t id = ctl_call_id(w, 0xffffffff0fffffffull);

		assert_int_equal(ctl_call_worker(id), w);
		assert_true(ctl_call_handle(id) == 0xffffffff0fffffffull);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_understood),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(nothing_breaks_it),
		cmocka_unit_test(a_call_names_its_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
