/*
 * collect: one question to the workers, asked piece by piece and answered whole.
 *
 * A worker answers at most DP_BATCH entries a reply; collect follows its cursor,
 * asks all workers that the question concerns, and calls back once with every
 * row. Nothing waits: collect_poll() is called from the loop. A worker that does
 * not answer within COLLECT_TIMEOUT_MS ends the question with an error; replies
 * that come later still are given back unread.
 *
 * Replies of the dataplane all come through here: who posts a request past
 * collect uses ref 0 and does not see its reply.
 */
#ifndef CONTROL_COLLECT_H
#define CONTROL_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"

#define COLLECT_MAX_JOBS   48u
#define COLLECT_MAX_ROWS   100000u
#define COLLECT_TIMEOUT_MS 2000u

struct collect;

struct collect_row {
	uint16_t worker;
	union {
		struct engine_call_info call;
		struct engine_registration_info registration;
		struct dp_flow_info flow;
		struct dp_port_info port;
		struct dp_neighbour_info neighbour;
	};
};

struct collect_result {
	enum dp_request_type type;
	const char *error;       /* NULL: all answered, and none with a refusal */
	bool truncated;          /* more than COLLECT_MAX_ROWS */
	struct collect_row *row; /* the callback may reorder them */
	uint32_t rows;
	uint16_t workers;
	const struct dp_worker_stats *stats; /* DP_STATS: of each worker */
};

/* The result lives until the callback returns, which may ask the next question. */
typedef void (*collect_done_fn)(void *arg, struct collect_result *result);

struct collect *collect_new(struct dataplane *dp, uint16_t workers);
/* Questions under way end with an error; their callbacks must not ask another. */
void collect_free(struct collect *c);

/* `worker` and `call` count for DP_KILL only. False when too much is being asked already. */
bool collect_start(struct collect *c, enum dp_request_type type, uint16_t worker, uint64_t call,
		   collect_done_fn done, void *arg);

/* Takes replies, posts what did not fit before, ends what is overdue. */
void collect_poll(struct collect *c, uint64_t now_ms);

uint32_t collect_active(const struct collect *c);

#endif
