/*
 * config_lines: a YAML document as a tree of nodes that know their lines.
 *
 * libcyaml turns YAML into structs and forgets where a value stood; this index
 * keeps it, so that every mistake can be shown at its line. It is built from
 * libyaml's events and is deliberately smaller than YAML: one document, no
 * aliases (they make a small file into a large one), depth and size bounded,
 * keys that are plain strings and stand once in a mapping.
 */
#ifndef CONTROL_CONFIG_LINES_H
#define CONTROL_CONFIG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/config_report.h"

#define CONFIG_MAX_BYTES (1024u * 1024u)
#define CONFIG_MAX_NODES 4096u
#define CONFIG_MAX_DEPTH 8u

enum config_kind { CONFIG_SCALAR, CONFIG_LIST, CONFIG_MAP };

struct config_node {
	enum config_kind kind;
	uint32_t line; /* of a scalar; of a list or mapping that of its key, if it has one */
	bool quoted;
	char *key;   /* in a mapping: its key, else NULL */
	char *value; /* of a scalar */
	struct config_node *first, *last, *next;
	uint32_t children;
};

struct config_lines;

/* NULL when the text is no such document; why is in the report. */
struct config_lines *config_lines_read(const char *text, size_t len, struct config_report *report);
void config_lines_free(struct config_lines *l);

const struct config_node *config_lines_root(const struct config_lines *l);

/* The child with that key, or NULL. */
const struct config_node *config_node_key(const struct config_node *map, const char *key);
/* Child number `i`, or NULL. */
const struct config_node *config_node_at(const struct config_node *parent, uint32_t i);

#endif
