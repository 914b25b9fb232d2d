/*
 * scenario: replays text files through the engine in virtual time.
 *
 * The language is described in tests/scenario/README.md. One struct scenario is
 * one file being replayed: its configuration, its variables, what the border
 * has sent and nobody has yet expected. The first failure stops the file.
 */
#ifndef TESTS_SCENARIO_SCENARIO_H
#define TESTS_SCENARIO_SCENARIO_H

#include <setjmp.h>
#include <stdio.h>

#include "tests/lib/driver.h"
#include "tests/lib/text.h"

#define MAX_LINES   4000u
#define MAX_MACROS  64u
#define MAX_VARS    256u
#define MAX_SENT    1024u
#define MAX_RECORDS 1024u
#define MAX_KEPT    32u
#define MAX_DEPTH   8u

struct line {
	const char *file;
	unsigned number;
	char *text; /* without indent and line end */
};

struct macro {
	char *name;
	unsigned first, count; /* lines of the macro's body */
};

struct var {
	char *name;
	char *value;
};

struct sent {
	uint16_t listener;
	struct net_addr remote;
	uint64_t at;
	char *bytes;
	uint32_t n;
};

struct kept {
	char *name;
	struct sent msg; /* a copy */
};

struct scenario {
	const char *path;
	bool verbose;
	jmp_buf failed;
	char why[8192];

	struct line line[MAX_LINES];
	unsigned lines, at; /* `at`: being executed */
	struct macro macro[MAX_MACROS];
	unsigned macros, depth, caller[MAX_DEPTH];
	char *include[MAX_DEPTH]; /* paths that lines point to */
	unsigned includes;
	struct var var[MAX_VARS];
	unsigned vars;

	struct snapshot snap, next_snap; /* `next_snap`: after a reload */
	uint16_t shards;
	uint32_t calls, registrations;
	bool configured;
	struct driver *driver;

	struct sent sent[MAX_SENT];
	unsigned sents;
	struct engine_record record[MAX_RECORDS];
	unsigned records;
	struct sent expected; /* the message that checks are about */
	struct sent forwarded[MAX_KEPT];
	unsigned forwards;
	struct sent received; /* what `again` sends; listener is where it went to */
	struct kept kept[MAX_KEPT];
	unsigned kepts;
};

/* Does not return. */
_Noreturn void scenario_fail(struct scenario *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* script.c: lines, macros, variables */
void script_load(struct scenario *s, const char *path);
void script_set(struct scenario *s, const char *name, struct slice value);
void script_unset(struct scenario *s, const char *name);
const char *script_get(struct scenario *s, const char *name); /* NULL when unset */
char *script_expand(struct scenario *s, const char *text);    /* the caller frees */
bool script_word(char **rest, char **word); /* cuts a word off, "quoted" ones whole */

/* setup.c: the snapshot */
void setup_named(struct scenario *s, const char *name);
bool setup_command(struct scenario *s, const char *verb, char *args);
uint16_t setup_realm(struct scenario *s, const char *name);
struct net_addr setup_addr(struct scenario *s, const char *text);

/* build.c: messages that come in */
void build_message(struct scenario *s, const char *flags, char **out, uint32_t *n);
void build_reply(struct scenario *s, const struct sent *request, const char *status_line,
		 const char *tag, const char *flags, char **out, uint32_t *n);

/* state.c: the store, restarts, groups */
bool state_command(struct scenario *s, const char *verb, char *args);
bool state_check(struct scenario *s, const char *verb, char *args);
void state_forwarded(struct scenario *s, const struct engine_forward *f);
void state_free(struct scenario *s);

/* When all is over, nothing of a call may be left in the store. */
void state_end(struct scenario *s);

/* check.c: what is wanted of what came out */
bool check_command(struct scenario *s, const char *verb, char *args);

#endif
