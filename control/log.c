#include "control/log.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WINDOW_MS 1000u

static struct {
	enum log_level level;
	log_sink_fn sink;
	log_clock_fn clock;
	void *arg;
	struct log_site *sites; /* with suppressed lines to tell */
	uint64_t lost;          /* lines that standard error had no room for */
} logger = {.level = LOG_LEVEL_INFO};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

const char *log_level_name(enum log_level level)
{
	return (unsigned)level <= LOG_LEVEL_DEBUG ? level_names[level] : NULL;
}

bool log_level_parse(const char *name, enum log_level *level)
{
	for (unsigned i = 0; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_set_level(enum log_level level)
{
	logger.level = level;
}

enum log_level log_get_level(void)
{
	return logger.level;
}

void log_set_sink(log_sink_fn sink, log_clock_fn clock, void *arg)
{
	logger.sink = sink;
	logger.clock = clock;
	logger.arg = arg;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	if (logger.clock)
		return logger.clock(logger.arg);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* systemd.exec(5): JOURNAL_STREAM names the device and inode that standard error then is. */
static bool under_journald(void)
{
	static int known = -1;
	const char *env = getenv("JOURNAL_STREAM");
	struct stat st;
	char mine[64];

	if (known >= 0)
		return known;
	known = 0;
	if (env && fstat(STDERR_FILENO, &st) == 0) {
		snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
		known = strcmp(mine, env) == 0;
	}
	return known;
}

static size_t write_head(char *out, size_t cap, enum log_level level)
{
	static const char priority[] = {'3', '4', '6', '7'};
	struct timespec ts;
	struct tm tm;
	char when[32];
	int n;

	if (under_journald()) {
		n = snprintf(out, cap, "<%c>", priority[level]);
		return (size_t)n;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	n = snprintf(out, cap, "time=%s.%03ldZ level=%s ", when, ts.tv_nsec / 1000000,
		     level_names[level]);
	return (size_t)n;
}

/*
 * Whether a line can be written without waiting for who reads: the leases of a
 * cluster are renewed by the same thread. A pipe that is writable takes PIPE_BUF bytes.
 */
static bool can_write(void)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) != 0;
}

static void write_stderr(enum log_level level, const char *line, size_t len)
{
	char buf[LOG_LINE_MAX + 128];
	size_t n;
	ssize_t done;

	_Static_assert(sizeof(buf) <= PIPE_BUF, "written at once or not");
	if (!can_write()) {
		logger.lost++;
		return;
	}
	n = write_head(buf, sizeof(buf), level);

	if (len > sizeof(buf) - n - 1)
		len = sizeof(buf) - n - 1;
	memcpy(buf + n, line, len);
	n += len;
	buf[n++] = '\n';
	done = write(STDERR_FILENO, buf, n);
	(void)done; /* nowhere is left to say that standard error is gone */
}

struct line {
	char text[LOG_LINE_MAX];
	size_t n;
};

static void put(struct line *l, const char *s, size_t n)
{
	if (n > sizeof(l->text) - l->n)
		n = sizeof(l->text) - l->n;
	memcpy(l->text + l->n, s, n);
	l->n += n;
}

static bool is_plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || *s == '"' ||
		    *s == '\\' || *s == '=')
			return false;
	return true;
}

static void put_quoted(struct line *l, const char *s)
{
	char hex[5];

	put(l, "\"", 1);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\') {
			put(l, "\\", 1);
			put(l, s, 1);
		} else if (c < ' ' || c >= 0x7f) {
			snprintf(hex, sizeof(hex), "\\x%02x", c);
			put(l, hex, 4);
		} else {
			put(l, s, 1);
		}
	}
	put(l, "\"", 1);
}

static void put_field(struct line *l, const struct log_field *f)
{
	char num[32];
	const char *str = f->str ? f->str : "";
	int n = 0;

	if (l->n)
		put(l, " ", 1);
	put(l, f->key, strlen(f->key));
	put(l, "=", 1);
	if (f->kind == LOG_KIND_STR) {
		if (is_plain(str))
			put(l, str, strlen(str));
		else
			put_quoted(l, str);
		return;
	}
	if (f->kind == LOG_KIND_U64)
		n = snprintf(num, sizeof(num), "%" PRIu64, f->num);
	else if (f->kind == LOG_KIND_I64)
		n = snprintf(num, sizeof(num), "%" PRId64, (int64_t)f->num);
	else
		n = snprintf(num, sizeof(num), "%016" PRIx64, f->num);
	put(l, num, (size_t)n);
}

static void write_line(enum log_level level, const struct log_field *fields, uint64_t suppressed)
{
	struct line l = {.n = 0};

	for (; fields->kind != LOG_KIND_END; fields++)
		put_field(&l, fields);
	if (suppressed)
		put_field(&l, &LOG_U64("suppressed", suppressed));
	if (logger.lost && !logger.sink && can_write()) {
		put_field(&l, &LOG_U64("lines_lost", logger.lost));
		logger.lost = 0;
	}
	if (logger.sink)
		logger.sink(logger.arg, level, l.text, l.n);
	else
		write_stderr(level, l.text, l.n);
}

static void list_site(struct log_site *site)
{
	if (site->listed)
		return;
	site->listed = true;
	site->next = logger.sites;
	logger.sites = site;
}

/* Whether a line may be written now; counts it as suppressed when not. */
static bool site_admits(struct log_site *site, uint64_t now)
{
	uint32_t burst = site->burst ? site->burst : LOG_BURST;

	if (now - site->window_ms >= WINDOW_MS) {
		site->window_ms = now;
		site->written = 0;
	}
	if (site->written < burst) {
		site->written++;
		return true;
	}
	site->suppressed++;
	list_site(site);
	return false;
}

void log_emit(struct log_site *site, enum log_level level, const struct log_field *fields)
{
	uint64_t suppressed;

	if (level > logger.level)
		return;
	site->msg = fields->str;
	site->level = level;
	if (!site_admits(site, now_ms()))
		return;
	suppressed = site->suppressed;
	site->suppressed = 0;
	write_line(level, fields, suppressed);
}

void log_tick(void)
{
	uint64_t now = now_ms();
	struct log_site **at = &logger.sites;

	while (*at) {
		struct log_site *site = *at;

		if (site->suppressed && now - site->window_ms < WINDOW_MS) {
			at = &site->next;
			continue;
		}
		*at = site->next;
		site->listed = false;
		if (site->suppressed)
			write_line(site->level, (const struct log_field[]){LOG_MSG(site->msg), {0}},
				   site->suppressed);
		site->suppressed = 0;
	}
}
