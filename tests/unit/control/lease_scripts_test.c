/* The scripts of the lease protocol, in a real Redis. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/lease_scripts.h"
#include "tests/lib/real_redis.h"
#include "tests/lib/unit.h"

#define NODES "postern:c:nodes"
#define ONE   "postern:c:g1:lease"
#define TWO   "postern:c:g2:lease"

static struct real_redis server;
static redisContext *link_to;

static int set_up(void **state)
{
	redisReply *r;

	(void)state;
	r = redisCommand(link_to, "FLUSHALL");
	assert_non_null(r);
	freeReplyObject(r);
	return 0;
}

static int start(void **state)
{
	(void)state;
	real_redis_start(&server, 0, "");
	link_to = redisConnectUnix(server.path);
	assert_non_null(link_to);
	assert_int_equal(link_to->err, 0);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	redisFree(link_to);
	real_redis_remove(&server);
	return 0;
}

/* Runs a script over both groups; what it reports as text, its first character `done`. */
static const char *run(const char *script, ...)
{
	const char *argv[16] = {"EVAL", script, "3", NODES, ONE, TWO};
	static char text[512];
	int argc = 6, n;
	redisReply *r;
	va_list ap;

	va_start(ap, script);
	while (argc < 16 && (argv[argc] = va_arg(ap, const char *)) != NULL)
		argc++;
	va_end(ap);
	r = redisCommandArgv(link_to, argc, argv, NULL);
	assert_non_null(r);
	if (r->type == REDIS_REPLY_ERROR)
		fail_msg("%s", r->str);
	assert_int_equal(r->type, REDIS_REPLY_ARRAY);
	assert_int_equal(r->elements, 3);
	n = snprintf(text, sizeof(text), "%lld:", r->element[0]->integer);
	assert_int_equal(r->element[1]->elements, 8);
	for (size_t i = 0; i < 8; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %s",
			      r->element[1]->element[i]->len ? r->element[1]->element[i]->str
							     : "-");
	for (size_t i = 0; i < r->element[2]->elements; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", i % 2 ? "=" : " | ",
			      r->element[2]->element[i]->str);
	freeReplyObject(r);
	return text;
}
#define RUN(...)   run(__VA_ARGS__, (const char *)NULL)
#define CLAIM(...) RUN(lease_script_claim, __VA_ARGS__)

static void reports_what_is_not_there(void **state)
{
	(void)state;
	assert_string_equal(RUN(lease_script_read), "1: - 0 0 - - 0 0 -");
}

static void a_member_claims_renews_and_releases(void **state)
{
	(void)state;
	assert_string_equal(RUN(lease_script_join, "a", "18446744073709551615"),
			    "1: - 0 0 - - 0 0 - | a=in 18446744073709551615");
	assert_string_equal(CLAIM("2", "a", "18446744073709551615", "", "0", "0", "16", "0"),
			    "1: - 0 0 - a 16 0 - | a=in 18446744073709551615");
	assert_string_equal(RUN(lease_script_renew, "2", "a", "16"),
			    "1: - 0 0 - a 16 1 - | a=in 18446744073709551615");
	assert_string_equal(RUN(lease_script_release, "2", "a", "16", "b"),
			    "1: - 0 0 - - 16 1 b | a=in 18446744073709551615");
	assert_string_equal(CLAIM("2", "a", "18446744073709551615", "", "16", "1", "32", "0"),
			    "1: - 0 0 - a 32 0 - | a=in 18446744073709551615");
}

static void a_claim_is_refused_unless_all_is_as_it_was(void **state)
{
	static const char *const wrong[][8] = {
		{"1", "b", "6", "a", "16", "1", "33", "1"},   /* another token */
		{"1", "c", "5", "a", "16", "1", "33", "1"},   /* no member */
		{"1", "b", "5", "", "16", "1", "33", "1"},    /* owner */
		{"1", "b", "5", "a", "17", "1", "33", "1"},   /* epoch */
		{"1", "b", "5", "a", "16", "0", "33", "1"},   /* beat */
		{"1", "b", "5", "a", "16.0", "1", "33", "1"}, /* compared as text */
		{"2", "b", "5", "a", "16", "1", "33", "1"},   /* group */
	};
	const char *before = "0: a 16 1 - - 0 0 - | a=in 4 | b=in 5";

	(void)state;
	RUN(lease_script_join, "a", "4");
	RUN(lease_script_join, "b", "5");
	CLAIM("1", "a", "4", "", "0", "0", "16", "0");
	RUN(lease_script_renew, "1", "a", "16");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_string_equal(CLAIM(wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3],
					  wrong[i][4], wrong[i][5], wrong[i][6], wrong[i][7]),
				    before);
	assert_string_equal(CLAIM("1", "b", "5", "a", "16", "1", "33", "1"),
			    "1: b 33 0 - - 0 0 - | a=out 4 | b=in 5");
}

static void who_lost_it_changes_nothing(void **state)
{
	(void)state;
	RUN(lease_script_join, "a", "4");
	CLAIM("1", "a", "4", "", "0", "0", "16", "0");
	assert_string_equal(RUN(lease_script_renew, "1", "a", "15"),
			    "0: a 16 0 - - 0 0 - | a=in 4");
	assert_string_equal(RUN(lease_script_renew, "1", "b", "16"),
			    "0: a 16 0 - - 0 0 - | a=in 4");
	assert_string_equal(RUN(lease_script_release, "1", "b", "16", ""),
			    "0: a 16 0 - - 0 0 - | a=in 4");
	assert_string_equal(RUN(lease_script_leave, "a", "3"), "0: a 16 0 - - 0 0 - | a=in 4");
	assert_string_equal(RUN(lease_script_leave, "a", "4"), "1: a 16 0 - - 0 0 - | a=out 4");
}

static void works_when_redis_is_full(void **state)
{
	(void)state;
	freeReplyObject(redisCommand(link_to, "CONFIG SET maxmemory 1"));
	assert_string_equal(RUN(lease_script_join, "a", "4"), "1: - 0 0 - - 0 0 - | a=in 4");
	assert_string_equal(CLAIM("1", "a", "4", "", "0", "0", "16", "0"),
			    "1: a 16 0 - - 0 0 - | a=in 4");
	assert_string_equal(RUN(lease_script_renew, "1", "a", "16"),
			    "1: a 16 1 - - 0 0 - | a=in 4");
	freeReplyObject(redisCommand(link_to, "CONFIG SET maxmemory 0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reports_what_is_not_there, set_up),
		cmocka_unit_test_setup(a_member_claims_renews_and_releases, set_up),
		cmocka_unit_test_setup(a_claim_is_refused_unless_all_is_as_it_was, set_up),
		cmocka_unit_test_setup(who_lost_it_changes_nothing, set_up),
		cmocka_unit_test_setup(works_when_redis_is_full, set_up),
	};

	return cmocka_run_group_tests(tests, start, finish);
}
