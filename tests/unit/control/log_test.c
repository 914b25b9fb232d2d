/* Log lines: quoting, levels, and what is told of lines that were too many. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/log.h"
#include "control/records.h"

static char lines[64][LOG_LINE_MAX + 1];
static uint32_t count;
static uint64_t now;

static void take_line(void *arg, enum log_level level, const char *line, size_t len)
{
	(void)arg;
	(void)level;
	assert_true(count < 64 && len <= LOG_LINE_MAX);
	memcpy(lines[count], line, len);
	lines[count++][len] = '\0';
}

static uint64_t tell_time(void *arg)
{
	(void)arg;
	return now;
}

static int set_up(void **state)
{
	(void)state;
	count = 0;
	now += 100000;
	log_set_sink(take_line, tell_time, NULL);
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	now += 100000;
	log_tick();
	log_set_sink(NULL, NULL, NULL);
	return 0;
}

static void fields_are_key_and_value(void **state)
{
	(void)state;
	log_at(LOG_LEVEL_WARN, LOG_MSG("port is down"), LOG_STR("port", "out"), LOG_U64("n", 7),
	       LOG_I64("d", -3), LOG_ID("call", 0x12ab));
	assert_int_equal(count, 1);
	assert_string_equal(lines[0],
			    "msg=\"port is down\" port=out n=7 d=-3 call=00000000000012ab");
}

static void strangers_cannot_forge_fields_or_lines(void **state)
{
	(void)state;
	log_at(LOG_LEVEL_INFO, LOG_MSG("x"),
	       LOG_STR("user", "a\" level=error msg=\"b\r\nmsg=c\\ \x1b[31m\xff"), LOG_STR("e", ""),
	       LOG_STR("null", NULL));
	assert_string_equal(lines[0], "msg=x user=\"a\\\" level=error msg=\\\"b\\x0d\\x0amsg=c\\\\ "
				      "\\x1b[31m\\xff\" e=\"\" null=\"\"");
}

static void long_values_are_cut(void **state)
{
	static char big[2 * LOG_LINE_MAX];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	log_at(LOG_LEVEL_INFO, LOG_MSG("x"), LOG_STR("a", big), LOG_STR("b", "c"));
	assert_int_equal(strlen(lines[0]), LOG_LINE_MAX);
}

static void levels_below_are_silent(void **state)
{
	enum log_level level;

	(void)state;
	log_at(LOG_LEVEL_DEBUG, LOG_MSG("x"));
	assert_int_equal(count, 0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_at(LOG_LEVEL_DEBUG, LOG_MSG("x"));
	assert_int_equal(count, 1);
	log_set_level(LOG_LEVEL_ERROR);
	log_at(LOG_LEVEL_WARN, LOG_MSG("x"));
	assert_int_equal(count, 1);
	assert_true(log_level_parse("warn", &level));
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_false(log_level_parse("WARN", &level));
	assert_string_equal(log_level_name(LOG_LEVEL_DEBUG), "debug");
}

static void flood(uint32_t n)
{
	while (n--)
		log_at(LOG_LEVEL_INFO, LOG_MSG("flood"));
}

static void too_many_lines_are_counted_and_told_by_the_next(void **state)
{
	(void)state;
	flood(LOG_BURST + 5);
	assert_int_equal(count, LOG_BURST);
	now += 999;
	flood(1);
	assert_int_equal(count, LOG_BURST);
	now += 1;
	flood(1);
	assert_int_equal(count, LOG_BURST + 1);
	assert_string_equal(lines[LOG_BURST], "msg=flood suppressed=6");
	flood(1);
	assert_string_equal(lines[LOG_BURST + 1], "msg=flood");
	log_tick();
	assert_int_equal(count, LOG_BURST + 2);
}

static void a_place_that_falls_silent_is_told_of_by_the_tick(void **state)
{
	static struct log_site other;

	(void)state;
	flood(LOG_BURST + 3);
	other.burst = 1;
	for (int i = 0; i < 3; i++)
		log_emit(&other, LOG_LEVEL_WARN, (const struct log_field[]){LOG_MSG("other"), {0}});
	assert_int_equal(count, LOG_BURST + 1);
	log_tick();
	assert_int_equal(count, LOG_BURST + 1);
	now += 1000;
	log_tick();
	assert_int_equal(count, LOG_BURST + 3);
	assert_string_equal(lines[LOG_BURST + 1], "msg=other suppressed=2");
	assert_string_equal(lines[LOG_BURST + 2], "msg=flood suppressed=3");
	now += 1000;
	log_tick();
	assert_int_equal(count, LOG_BURST + 3);
}

static struct snapshot snapshot = {.realms = 2, .realm = {{.name = "access"}, {.name = "core"}}};

static const struct engine_record ended = {
	.kind = RECORD_CALL_END,
	.call = 0x500000002,
	.at_ms = 12000,
	.began_ms = 1000,
	.answered_ms = 4000,
	.to_realm = 1,
	.status = 200,
	.end = END_BYE_CALLER,
	.from_user = "alice",
	.to_user = "b b",
};

static void each_record_is_one_line(void **state)
{
	struct engine_record r = ended;

	(void)state;
	records_init(100);
	r.kind = RECORD_CALL_BEGIN;
	records_log(&snapshot, &r, 0);
	r.kind = RECORD_CALL_ANSWERED;
	records_log(&snapshot, &r, 0);
	records_log(&snapshot, &ended, 3);
	r.kind = RECORD_REGISTERED;
	records_log(&snapshot, &r, 0);
	r.kind = RECORD_UNREGISTERED;
	r.to_realm = SNAPSHOT_NONE;
	records_log(&snapshot, &r, 0);
	r.kind = RECORD_MEDIA;
	r.to_realm = 1;
	r.media.port = 20000;
	r.media.packets = 3000;
	r.media.bytes = 516000;
	r.media.lost = 2;
	r.media.jitter_us = 1250;
	records_log(&snapshot, &r, 0);
	assert_int_equal(count, 6);
	assert_string_equal(lines[5], "msg=\"media ended\" call=0000000500000002 from_realm=access "
				      "to_realm=core port=20000 stream=0 leg=0 kind=rtp "
				      "packets=3000 bytes=516000 lost=2 jitter_us=1250");
	assert_string_equal(lines[0], "msg=\"call began\" call=0000000500000002 from_realm=access "
				      "from=alice to_realm=core to=\"b b\"");
	assert_string_equal(lines[1],
			    "msg=\"call answered\" call=0000000500000002 from_realm=access "
			    "from=alice to_realm=core to=\"b b\" setup_ms=11000");
	assert_non_null(strstr(lines[2], "call=0000000530000002"));
	assert_non_null(strstr(lines[2], "status=200 total_ms=11000 talk_ms=8000"));
	assert_string_equal(lines[3], "msg=registered user=alice realm=access to_realm=core");
	assert_string_equal(lines[4], "msg=unregistered user=alice realm=access to_realm=none");
}

static void records_have_a_rate_of_their_own(void **state)
{
	(void)state;
	records_init(20);
	for (int i = 0; i < 30; i++)
		records_log(&snapshot, &ended, 0);
	assert_int_equal(count, 20);
	records_init(0);
	now += 5000;
	records_log(&snapshot, &ended, 0);
	assert_int_equal(count, 20);
}

/* Who reads standard error stands still: we do not. */
static void a_reader_that_stands_still_is_not_waited_for(void **state)
{
	static char text[1 << 20];
	int ends[2] = {-1, -1}, before = dup(STDERR_FILENO);
	char full[4096];
	size_t n = 0;
	ssize_t got;

	(void)state;
	log_set_sink(NULL, tell_time, NULL);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	memset(full, 'x', sizeof(full));
	while (write(ends[1], full, sizeof(full)) > 0)
		;
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0); /* as a daemon's is: it blocks */
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	log_at(LOG_LEVEL_WARN, LOG_MSG("first"));
	log_at(LOG_LEVEL_WARN, LOG_MSG("second"));
	while (read(ends[0], full, sizeof(full)) > 0)
		;
	log_at(LOG_LEVEL_WARN, LOG_MSG("third"));
	log_at(LOG_LEVEL_WARN, LOG_MSG("fourth"));
	dup2(before, STDERR_FILENO);
	while ((got = read(ends[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(before);
	close(ends[0]);
	close(ends[1]);
	assert_null(strstr(text, "first"));
	assert_non_null(strstr(text, "msg=third lines_lost=2\n"));
	assert_non_null(strstr(text, "msg=fourth\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fields_are_key_and_value, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strangers_cannot_forge_fields_or_lines, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(long_values_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(levels_below_are_silent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_lines_are_counted_and_told_by_the_next,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_place_that_falls_silent_is_told_of_by_the_tick,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_record_is_one_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(records_have_a_rate_of_their_own, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_reader_that_stands_still_is_not_waited_for,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
