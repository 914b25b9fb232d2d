/*
 * config_report: the mistakes of one configuration file, by line.
 *
 * A mistake reads "what is wrong: what was expected". All of a file are kept (up
 * to a bound, beyond which they are only counted), sorted by line, and printed
 * as "file:line: text", which editors and people can follow. The report owns
 * its texts.
 */
#ifndef CONTROL_CONFIG_REPORT_H
#define CONTROL_CONFIG_REPORT_H

#include <stdint.h>
#include <stdio.h>

#define CONFIG_MAX_MISTAKES 64u
#define CONFIG_MISTAKE_LEN  320u

struct config_mistake {
	uint32_t line; /* from 1; 0: the file as a whole */
	char text[CONFIG_MISTAKE_LEN];
};

struct config_report {
	char file[256];
	uint32_t count; /* of all mistakes; min(count, CONFIG_MAX_MISTAKES) are kept */
	struct config_mistake mistake[CONFIG_MAX_MISTAKES];
};

void config_report_init(struct config_report *r, const char *file);

__attribute__((format(printf, 3, 4))) void config_report_add(struct config_report *r, uint32_t line,
							     const char *fmt, ...);

/* Kept mistakes. */
uint32_t config_report_kept(const struct config_report *r);

/* By line; those of one line stay in the order in which they were found. */
void config_report_sort(struct config_report *r);

/* One line each; returns the number printed. */
uint32_t config_report_print(const struct config_report *r, FILE *out);

#endif
