/* show: the control socket's answers, as people read them. */
#ifndef CONTROL_SHOW_H
#define CONTROL_SHOW_H

#include <jansson.h>
#include <stdio.h>

/* Prints the answer to a command that was not refused. */
void show_answer(const char *cmd, const json_t *answer, FILE *out);

#endif
