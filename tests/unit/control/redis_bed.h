/*
 * redis_bed: a loop with a connection on it, what it has said, and a real server, for
 * the tests of control/redis.
 */
#ifndef TESTS_UNIT_CONTROL_REDIS_BED_H
#define TESTS_UNIT_CONTROL_REDIS_BED_H

#include "control/redis.h"
#include "tests/lib/real_redis.h"

#define LIMIT_MS 60000 /* nothing takes so long, on any machine */

struct redis_bed {
	uv_loop_t loop;
	uv_timer_t guard, tick;
	bool late;
	struct config_state conf;
	struct redis *redis;
	uint32_t ups, downs;
	struct redis_up up;
	char why[256];
	uint64_t asked, answered, good, errors, lost;
	char last[256];
	long long number;
	bool ask_more; /* in each callback of a lost command */
};

extern struct redis_bed bed;
extern struct real_redis server; /* from start_server() to stop_server() */

/* For a group of tests, and for each: at the end every command has had its callback. */
int start_server(void **state);
int stop_server(void **state);
int setup(void **state);
int teardown(void **state);

/* The connection that bed.conf says; then it comes up. */
void use_socket(const char *path);
void open_bed(void);
void connect_and_wait(void);
void close_bed(void);

/* Runs the loop until something is so; fails after LIMIT_MS. */
void wait_for(bool (*met)(void));
bool is_up(void);
bool is_down(void);
bool came_back(void); /* it was up twice */
bool all_answered(void);
bool is_refused(void); /* bed.last is part of why it is not up */

/* Counts an answer; the callback of all commands. */
void on_reply(void *arg, const redisReply *reply);

#define ASK(...)                                                                                   \
	ask((const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))
bool ask(const char *const *argv, size_t argc);

#endif
