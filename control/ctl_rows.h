/* The JSON of one row or of the whole status; part of ctl_answer. */
#ifndef CONTROL_CTL_ROWS_H
#define CONTROL_CTL_ROWS_H

#include <jansson.h>

#include "control/ctl_answer.h"

/* In the order in which people look: calls by age, flows by call, others by name. */
void ctl_rows_sort(struct collect_result *r);

/* New references; NULL when out of memory. */
json_t *ctl_row(const struct ctl_context *ctx, enum dp_request_type type,
		const struct collect_row *row);
/* What is kept outside the process, and what is owed there; ctl_store.c. */
json_t *ctl_store(const struct ctl_context *ctx, const struct collect_result *r);
/* One that was made elsewhere, as an answer; `j` is taken over. */
struct ctl_text ctl_answer_json(json_t *j);
json_t *ctl_status(const struct ctl_context *ctx, const struct collect_result *r);

#endif
