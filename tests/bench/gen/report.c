#include "tests/bench/gen/report.h"

#include <inttypes.h>
#include <stdio.h>

static bool comma;

static void name_of(const char *name)
{
	printf("%s\"%s\": ", comma ? ", " : "", name);
	comma = true;
}

void report_begin(const char *command, const char *error)
{
	printf("{\"command\": \"");
	for (const char *p = command; *p; p++)
		putchar(*p == '"' || *p == '\\' || (uint8_t)*p < ' ' ? '?' : *p);
	printf("\", \"ok\": %s", error ? "false" : "true");
	comma = true;
	if (error)
		printf(", \"error\": \"%s\"", error);
}

void report_count(const char *name, uint64_t v)
{
	name_of(name);
	printf("%" PRIu64, v);
}

void report_value(const char *name, double v)
{
	name_of(name);
	printf("%.6g", v);
}

void report_flag(const char *name, bool v)
{
	name_of(name);
	printf("%s", v ? "true" : "false");
}

void report_open(const char *name)
{
	name_of(name);
	putchar('{');
	comma = false;
}

void report_close(void)
{
	putchar('}');
	comma = true;
}

static uint64_t ns(uint64_t cycles, uint64_t hz)
{
	return (uint64_t)((double)cycles * 1e9 / (double)hz + 0.5);
}

void report_hist(const char *name, const struct hist *h, uint64_t hz)
{
	const char *between = "";

	report_open(name);
	report_count("min", h->count ? ns(h->min, hz) : 0);
	report_count("p50", ns(hist_at(h, 0.5), hz));
	report_count("p90", ns(hist_at(h, 0.9), hz));
	report_count("p99", ns(hist_at(h, 0.99), hz));
	report_count("p999", ns(hist_at(h, 0.999), hz));
	report_count("max", ns(h->max, hz));
	report_count("count", h->count);
	report_close();
	name_of("histogram");
	putchar('[');
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		if (h->bucket[i] == 0)
			continue;
		printf("%s[%" PRIu64 ", %" PRIu64 "]", between, ns(hist_upper(i), hz),
		       h->bucket[i]);
		between = ", ";
	}
	putchar(']');
}

void report_end(void)
{
	printf("}\n");
	fflush(stdout);
	comma = false;
}
