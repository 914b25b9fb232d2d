#include "tests/unit/control/redis_bed.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "control/log.h"
#include "tests/lib/unit.h"

struct redis_bed bed;
struct real_redis server;

static void on_up(void *arg, const struct redis_up *up)
{
	struct redis_bed *b = arg;

	b->ups++;
	b->up = *up;
	assert_true(redis_is_up(b->redis));
	assert_string_equal(redis_why(b->redis), "");
}

static void on_down(void *arg, const char *why)
{
	struct redis_bed *b = arg;

	b->downs++;
	snprintf(b->why, sizeof(b->why), "%s", why);
	assert_false(redis_is_up(b->redis));
}

static void on_guard(uv_timer_t *t)
{
	((struct redis_bed *)t->data)->late = true;
}

/* Only so that a loop that waits looks at its condition from time to time. */
static void on_tick(uv_timer_t *t)
{
	(void)t;
}

void wait_for(bool (*met)(void))
{
	bed.late = false;
	uv_timer_start(&bed.guard, on_guard, LIMIT_MS, 0);
	while (!met() && !bed.late)
		uv_run(&bed.loop, UV_RUN_ONCE);
	uv_timer_stop(&bed.guard);
	assert_false(bed.late);
}

bool is_up(void)
{
	return redis_is_up(bed.redis);
}

bool is_down(void)
{
	return !redis_is_up(bed.redis);
}

bool all_answered(void)
{
	return bed.answered == bed.asked;
}

void open_bed(void)
{
	const struct redis_events events = {on_up, on_down, &bed};

	bed.redis = redis_open(&bed.loop, &bed.conf, "postern-test", &events);
	assert_non_null(bed.redis);
}

void close_bed(void)
{
	struct redis *r = bed.redis;

	bed.redis = NULL;
	redis_close(r);
}

int setup(void **state)
{
	(void)state;
	memset(&bed, 0, sizeof(bed));
	uv_loop_init(&bed.loop);
	uv_timer_init(&bed.loop, &bed.guard);
	uv_timer_init(&bed.loop, &bed.tick);
	bed.guard.data = &bed;
	uv_timer_start(&bed.tick, on_tick, 5, 5);
	bed.conf.timeout_ms = 2000;
	return 0;
}

/* All handles are gone, and every command has had its callback. */
int teardown(void **state)
{
	(void)state;
	close_bed();
	uv_close((uv_handle_t *)&bed.guard, NULL);
	uv_close((uv_handle_t *)&bed.tick, NULL);
	assert_int_equal(uv_run(&bed.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&bed.loop), 0);
	assert_int_equal(bed.answered, bed.asked);
	return 0;
}

void use_socket(const char *path)
{
	snprintf(bed.conf.redis, sizeof(bed.conf.redis), "unix:%s", path);
}

void on_reply(void *arg, const redisReply *reply)
{
	static const char *const ping[] = {"PING"};
	struct redis_bed *b = arg;

	b->answered++;
	if (!reply) {
		b->lost++;
		if (b->ask_more)
			assert_false(redis_command(b->redis, on_reply, b, 1, ping, NULL));
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR)
		b->errors++;
	else
		b->good++;
	if (reply->str)
		snprintf(b->last, sizeof(b->last), "%s", reply->str);
	b->number = reply->integer;
}

bool ask(const char *const *argv, size_t argc)
{
	bool ok = redis_command(bed.redis, on_reply, &bed, (int)argc, argv, NULL);

	bed.asked += ok;
	return ok;
}

void connect_and_wait(void)
{
	open_bed();
	wait_for(is_up);
}

bool is_refused(void)
{
	return strstr(redis_why(bed.redis), bed.last) != NULL;
}

bool came_back(void)
{
	return bed.ups == 2;
}

int start_server(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_ERROR);
	real_redis_start(&server, real_redis_port(), NULL);
	return 0;
}

int stop_server(void **state)
{
	(void)state;
	real_redis_remove(&server);
	return 0;
}
