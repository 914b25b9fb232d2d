#include "control/redis.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/log.h"
#include "control/redis_internal.h"

static const char *const ping[] = {"PING"};

static void push(struct redis *r, redis_reply_fn fn, void *arg, struct redis_call *call)
{
	if (r->count == 0)
		r->silent = 0;
	r->idle = 0;
	r->entry[(r->first + r->count++) % REDIS_MAX_PENDING] =
		(struct redis_entry){fn, arg, uv_now(r->loop), call};
	r->commands++;
}

size_t redis_bulk(char *to, const char *p, size_t n)
{
	char digits[20], *at = to;
	size_t left = n;
	int k = 0;

	do
		digits[k++] = (char)('0' + left % 10);
	while ((left /= 10) != 0);
	*at++ = '$';
	while (k)
		*at++ = digits[--k];
	*at++ = '\r';
	*at++ = '\n';
	if (n)
		memcpy(at, p, n);
	at += n;
	*at++ = '\r';
	*at++ = '\n';
	return (size_t)(at - to);
}

static void call_free(struct redis *r, struct redis_call *call)
{
	if (!call)
		return;
	r->kept -= call->len;
	free(call->room);
	free(call);
}

static struct redis_entry pop(struct redis *r)
{
	struct redis_entry e = r->entry[r->first];

	r->first = (r->first + 1) % REDIS_MAX_PENDING;
	r->count--;
	return e;
}

/* Callbacks may close, but not send: the link is gone. */
void redis_fail_all(struct redis *r)
{
	while (r->count) {
		struct redis_entry e = pop(r);

		call_free(r, e.call);
		if (e.fn)
			e.fn(e.arg, NULL);
	}
}

bool redis_send(struct redis *r, redis_reply_fn fn, void *arg, int argc, const char *const *argv,
		const size_t *len)
{
	char *text = NULL;
	int n;
	bool ok;

	if (!r->link || r->count == REDIS_MAX_PENDING)
		return false;
	/* hiredis reads the vector only, its type does not say so. */
	n = redisFormatCommandArgv(&text, argc, (const char **)(uintptr_t)argv, len);
	if (n < 0)
		return false;
	ok = redis_link_write(r, text, (size_t)n);
	free(text);
	if (ok)
		push(r, fn, arg, NULL);
	return ok;
}

static bool may_send(const struct redis *r, size_t n)
{
	return r->phase == REDIS_UP && r->count + 2 <= REDIS_MAX_PENDING &&
	       n + r->kept + redis_link_backlog(r) <= REDIS_MAX_BYTES;
}

static bool has_room(const struct redis *r, int argc, const size_t *len, const char *const *argv)
{
	size_t n = 0;

	for (int i = 0; i < argc; i++)
		n += (len ? len[i] : strlen(argv[i])) + 16;
	return may_send(r, n);
}

bool redis_command(struct redis *r, redis_reply_fn fn, void *arg, int argc, const char *const *argv,
		   const size_t *len)
{
	return has_room(r, argc, len, argv) && redis_send(r, fn, arg, argc, argv, len);
}

static void compute_sha(struct redis_script *s)
{
	uint8_t digest[SHA_DIGEST_LENGTH];

	SHA1((const uint8_t *)s->text, strlen(s->text), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(s->sha + 2 * i, 3, "%02x", digest[i]);
}

/* A server that knows it already answers the same; one that may not be asked, NOSCRIPT later. */
static void load_once(struct redis *r, const struct redis_script *s)
{
	const char *argv[] = {"SCRIPT", "LOAD", s->text};

	for (uint32_t i = 0; i < r->scripts; i++)
		if (r->loaded[i] == s)
			return;
	if (r->scripts < REDIS_SCRIPTS && redis_send(r, NULL, NULL, 3, argv, NULL))
		r->loaded[r->scripts++] = s;
}

/* EVALSHA and the script's name, before the arguments; they end at `end`. */
static size_t head_write(char *end, const struct redis_script *s, int argc)
{
	char head[REDIS_EVAL_HEAD];
	int n = snprintf(head, sizeof(head), "*%d\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n", argc + 2,
			 s->sha);

	memcpy(end - n, head, (size_t)n);
	return (size_t)n;
}

static bool call_send(struct redis *r, struct redis_script *script, redis_reply_fn fn, void *arg,
		      int argc, char *command, size_t len)
{
	struct redis_call *call = calloc(1, sizeof(*call));

	if (!call)
		return false;
	if (!script->sha[0])
		compute_sha(script);
	call->head = head_write(command + REDIS_EVAL_HEAD, script, argc);
	call->room = command;
	call->command = command + REDIS_EVAL_HEAD - call->head;
	call->len = len - REDIS_EVAL_HEAD + call->head;
	call->script = script;
	call->argc = argc;
	load_once(r, script);
	if (!redis_link_write(r, call->command, call->len)) {
		free(call);
		return false;
	}
	r->kept += call->len;
	push(r, fn, arg, call);
	return true;
}

bool redis_eval_raw(struct redis *r, struct redis_script *script, redis_reply_fn fn, void *arg,
		    int argc, char *command, size_t len)
{
	return may_send(r, len) && call_send(r, script, fn, arg, argc, command, len);
}

bool redis_eval(struct redis *r, struct redis_script *script, redis_reply_fn fn, void *arg,
		int argc, const char *const *argv, const size_t *len)
{
	size_t size = REDIS_EVAL_HEAD, n = REDIS_EVAL_HEAD;
	char *command;

	if (!has_room(r, argc, len, argv))
		return false;
	for (int i = 0; i < argc; i++)
		size += (len ? len[i] : strlen(argv[i])) + REDIS_BULK;
	command = malloc(size);
	if (!command)
		return false;
	for (int i = 0; i < argc; i++)
		n += redis_bulk(command + n, argv[i], len ? len[i] : strlen(argv[i]));
	if (call_send(r, script, fn, arg, argc, command, n))
		return true;
	free(command);
	return false;
}

/* The same call with the script's text, which the server then knows. */
static bool send_again(struct redis *r, const struct redis_entry *e)
{
	const struct redis_call *call = e->call;
	size_t text = strlen(call->script->text), rest = call->len - call->head;
	size_t cap = text + rest + 64;
	char *command = malloc(cap);
	size_t n;
	bool ok;

	if (!command)
		return false;
	n = (size_t)snprintf(command, cap, "*%d\r\n$4\r\nEVAL\r\n$%zu\r\n%s\r\n", call->argc + 2,
			     text, call->script->text);
	memcpy(command + n, call->command + call->head, rest);
	ok = redis_link_write(r, command, n + rest);
	free(command);
	if (ok)
		push(r, e->fn, e->arg, NULL);
	return ok;
}

static bool starts(const redisReply *reply, const char *word)
{
	size_t n = strlen(word);

	return reply->type == REDIS_REPLY_ERROR && reply->len >= n &&
	       memcmp(reply->str, word, n) == 0;
}

/* What a server says that is not, or not yet, or no longer the one to talk to. */
static bool is_of_no_use(const redisReply *reply)
{
	static const char *const words[] = {"LOADING", "MASTERDOWN", "READONLY", "NOAUTH",
					    "UNBLOCKED"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (starts(reply, words[i]))
			return true;
	return false;
}

void redis_replied(struct redis *r, const redisReply *reply)
{
	uint64_t generation = r->generation;
	struct redis_entry e;

	if (r->count == 0) {
		redis_lost(r, "it answers what was not asked");
		return;
	}
	r->silent = r->idle = 0;
	e = pop(r);
	if (e.call && starts(reply, "NOSCRIPT") && send_again(r, &e)) {
		call_free(r, e.call);
		return;
	}
	call_free(r, e.call);
	if (e.fn)
		e.fn(e.arg, reply);
	if (r->generation == generation && r->phase == REDIS_UP && is_of_no_use(reply))
		redis_lost(r, reply->str);
}

static void on_pause(uv_timer_t *timer)
{
	redis_attempt(timer->data);
}

static uint32_t next_pause(struct redis *r)
{
	uint32_t pause = r->pause_ms;

	if (r->conf.sentinels)
		return REDIS_SENTINEL_MS;
	r->pause_ms = pause * 2 < REDIS_PAUSE_MAX_MS ? pause * 2 : REDIS_PAUSE_MAX_MS;
	return pause;
}

/* Only what is new is told: a server may be away for days. */
static void note(struct redis *r, const char *why)
{
	if (strncmp(r->why, why, sizeof(r->why) - 1) == 0)
		return;
	snprintf(r->why, sizeof(r->why), "%s", why);
	log_at(LOG_LEVEL_WARN, LOG_MSG("Redis is not there"), LOG_STR("connection", r->name),
	       LOG_STR("why", r->why));
}

/* down() comes first, so that nobody who gets a NULL reply takes it for being up. */
void redis_lost(struct redis *r, const char *why)
{
	bool was_up = r->phase == REDIS_UP;
	char text[REDIS_WHY];

	if (r->phase == REDIS_CLOSED)
		return;
	snprintf(text, sizeof(text), "%s", why); /* may lie in what is freed here */
	redis_link_close(r);
	r->generation++;
	r->phase = REDIS_PAUSED;
	r->scripts = 0;
	if (!was_up && r->conf.sentinels)
		r->sentinel = (r->sentinel + 1) % r->conf.sentinels;
	note(r, text);
	uv_timer_start(&r->pause, on_pause, next_pause(r), 0);
	if (was_up && r->events.down)
		r->events.down(r->events.arg, text);
	redis_fail_all(r);
}

/*
 * Counts looks instead of reading the clock: after a stop of this process what
 * has been answered meanwhile is read before anything is called late.
 */
static void on_tick(uv_timer_t *timer)
{
	struct redis *r = timer->data;
	char text[64];

	if (r->phase == REDIS_PAUSED)
		return;
	if (r->phase == REDIS_UP && r->count == 0) {
		if (++r->idle >= REDIS_TICKS / 2)
			redis_send(r, NULL, NULL, 1, ping, NULL);
		return;
	}
	if (++r->silent < REDIS_TICKS)
		return;
	snprintf(text, sizeof(text), "no answer for %u ms", r->conf.timeout_ms);
	redis_lost(r, text);
}

void redis_released(struct redis *r)
{
	if (--r->handles || r->phase != REDIS_CLOSED)
		return;
	free(r->entry);
	free(r);
}

static void on_timer_closed(uv_handle_t *handle)
{
	redis_released(handle->data);
}

struct redis *redis_open(uv_loop_t *loop, const struct config_state *conf, const char *name,
			 const struct redis_events *events)
{
	struct redis *r = calloc(1, sizeof(*r));
	uint32_t tick = conf->timeout_ms / REDIS_TICKS;

	if (r)
		r->entry = calloc(REDIS_MAX_PENDING, sizeof(*r->entry));
	if (!r || !r->entry) {
		free(r);
		return NULL;
	}
	r->loop = loop;
	r->conf = *conf;
	r->events = *events;
	r->pause_ms = REDIS_PAUSE_MIN_MS;
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->why, sizeof(r->why), "not connected yet");
	uv_timer_init(loop, &r->pause);
	uv_timer_init(loop, &r->tick);
	r->pause.data = r->tick.data = r;
	r->handles = 2;
	tick = tick ? tick : 1;
	uv_timer_start(&r->pause, on_pause, 0, 0);
	uv_timer_start(&r->tick, on_tick, tick, tick);
	return r;
}

/* The memory goes with the last of its handles, in a later turn of the loop. */
void redis_close(struct redis *r)
{
	if (!r || r->phase == REDIS_CLOSED)
		return;
	redis_link_close(r);
	r->generation++;
	r->phase = REDIS_CLOSED;
	uv_close((uv_handle_t *)&r->pause, on_timer_closed);
	uv_close((uv_handle_t *)&r->tick, on_timer_closed);
	redis_fail_all(r);
}

bool redis_is_up(const struct redis *r)
{
	return r->phase == REDIS_UP;
}

const char *redis_why(const struct redis *r)
{
	return r->phase == REDIS_UP ? "" : r->why;
}

uint32_t redis_pending(const struct redis *r)
{
	return r->count;
}

size_t redis_backlog(const struct redis *r)
{
	return redis_link_backlog(r);
}

uint64_t redis_commands(const struct redis *r)
{
	return r->commands;
}

uint64_t redis_bytes_out(const struct redis *r)
{
	return r->bytes_out;
}

uint64_t redis_lag_ms(const struct redis *r)
{
	return r->count ? uv_now(r->loop) - r->entry[r->first].sent_ms : 0;
}
