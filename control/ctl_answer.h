/*
 * ctl_answer: what the workers said, as one line of JSON.
 *
 * Names and forms are the contract of docs/control-socket.md. Rows are turned
 * into text one at a time, so that a hundred thousand of them cost their text
 * and no tree. Strings from the network may hold anything; bytes that are not
 * UTF-8 are shown as '?'.
 */
#ifndef CONTROL_CTL_ANSWER_H
#define CONTROL_CTL_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "control/collect.h"
#include "control/config.h"
#include "control/ctl_request.h"
#include "control/state.h"

struct ctl_text {
	char *p; /* malloc'ed, ends with a newline; NULL: out of memory */
	size_t n;
};

struct ctl_context {
	const struct config *config;
	uint64_t now_ms, began_ms; /* of dp_now()'s clock */
	bool has_state;
	struct state_view state;
};

/* The answer to a request whose question has come back. Free `p`. */
struct ctl_text ctl_answer(const struct ctl_context *ctx, const struct ctl_request *request,
			   struct collect_result *result);

/* {"ok":false,"error":why} */
struct ctl_text ctl_answer_error(const char *why);

#endif
