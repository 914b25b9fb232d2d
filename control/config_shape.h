/*
 * config_shape: finds every mistake of form in a configuration: keys that are
 * unknown, missing or of another type, numbers out of bounds, lists too long.
 *
 * It walks libcyaml's own schema (config_schema.h) over the tree with lines, so
 * there is one description of the file, and is stricter than libcyaml where that
 * would guess: a switch is true or false (libcyaml takes every other word for
 * true), a number is decimal (010 is not eight).
 */
#ifndef CONTROL_CONFIG_SHAPE_H
#define CONTROL_CONFIG_SHAPE_H

#include <stdbool.h>

#include "control/config_lines.h"

/* True when the form is right: libcyaml will load it. */
bool config_shape_check(const struct config_lines *lines, struct config_report *report);

#endif
