/*
 * log: structured lines to standard error, for people and for journald.
 *
 * A line is `msg="call ended" call=... from=alice ...`: a fixed message and
 * fields, whose values are quoted where they hold anything but plain
 * characters, so that nothing a stranger sent can end a line or forge a field.
 * Under journald the level is its <n> prefix; elsewhere each line begins with
 * time and level.
 *
 * The first field is the message, a string literal. Each place in the code that logs may write `burst` lines a second; what is
 * beyond is counted and told by the place's next line, or by log_tick(), as
 * suppressed=N. For one thread.
 */
#ifndef CONTROL_LOG_H
#define CONTROL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_kind { LOG_KIND_END, LOG_KIND_STR, LOG_KIND_U64, LOG_KIND_I64, LOG_KIND_ID };

struct log_field {
	const char *key;
	enum log_kind kind;
	const char *str;
	uint64_t num;
};

#define LOG_MSG(s)    ((struct log_field){"msg", LOG_KIND_STR, (s), 0})
#define LOG_STR(k, s) ((struct log_field){(k), LOG_KIND_STR, (s), 0})
#define LOG_U64(k, n) ((struct log_field){(k), LOG_KIND_U64, NULL, (uint64_t)(n)})
#define LOG_I64(k, n) ((struct log_field){(k), LOG_KIND_I64, NULL, (uint64_t)(int64_t)(n)})
#define LOG_ID(k, n)  ((struct log_field){(k), LOG_KIND_ID, NULL, (n)}) /* 16 hex digits */

/* One place that logs; zeroed but for `burst` (0: LOG_BURST). */
struct log_site {
	uint32_t burst; /* lines a second */
	uint32_t written;
	uint64_t window_ms;
	uint64_t suppressed;
	const char *msg;
	enum log_level level;
	struct log_site *next; /* among those that have something to tell */
	bool listed;
};

#define LOG_BURST    10u
#define LOG_LINE_MAX 2048u

/* Where lines go and what time it is; NULL restores standard error and the real clock. */
typedef void (*log_sink_fn)(void *arg, enum log_level level, const char *line, size_t len);
typedef uint64_t (*log_clock_fn)(void *arg);
void log_set_sink(log_sink_fn sink, log_clock_fn clock, void *arg);

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "error", "warn", "info", "debug" or NULL; and back, false when it is none of them. */
const char *log_level_name(enum log_level level);
bool log_level_parse(const char *name, enum log_level *level);

/* `fields` ends with LOG_KIND_END. */
void log_emit(struct log_site *site, enum log_level level, const struct log_field *fields);

/* Tells what was suppressed at places that have been silent since; call about once a second. */
void log_tick(void);

/* log_at(LOG_LEVEL_WARN, LOG_MSG("port is down"), LOG_STR("port", name)) */
#define log_at(level_, ...)                                                                        \
	do {                                                                                       \
		static struct log_site log_site_;                                                  \
		log_emit(&log_site_, (level_), (const struct log_field[]){__VA_ARGS__, {0}});      \
	} while (0)

#endif
