/*
 * ctl_request: one line of the control socket, read.
 *
 * A request is a JSON object with "cmd" and what that command takes, nothing
 * else; see docs/control-socket.md.
 */
#ifndef CONTROL_CTL_REQUEST_H
#define CONTROL_CTL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_NAME 32u /* of a group or node, with its zero */

enum ctl_cmd {
	CTL_STATUS,
	CTL_STATE,
	CTL_CALLS,
	CTL_REGISTRATIONS,
	CTL_FLOWS,
	CTL_DROPS,
	CTL_PORTS,
	CTL_NEIGHBOURS,
	CTL_KILL,
	CTL_DRAIN,
	CTL_CLUSTER,
	CTL_MOVE,
	CTL_CMDS
};

struct ctl_request {
	enum ctl_cmd cmd;
	uint64_t call;                        /* CTL_KILL: as shown, see ctl_call_id() */
	bool all;                             /* CTL_DROPS: those that are zero as well */
	bool off;                             /* CTL_DRAIN: take part again */
	char group[CTL_NAME], node[CTL_NAME]; /* CTL_MOVE */
};

const char *ctl_cmd_name(enum ctl_cmd cmd);

/* False with a sentence in `why`. */
bool ctl_request_parse(const char *line, size_t len, struct ctl_request *out, char *why,
		       size_t why_len);

/*
 * A call as operators name it. The engine's handle (generation, index) is unique
 * within its worker only; indices stay far below 2^28, so the worker's number
 * goes into the four bits above.
 */
static inline uint64_t ctl_call_id(uint16_t worker, uint64_t handle)
{
	return handle | (uint64_t)(worker & 0xf) << 28;
}

static inline uint16_t ctl_call_worker(uint64_t id)
{
	return (uint16_t)(id >> 28 & 0xf);
}

static inline uint64_t ctl_call_handle(uint64_t id)
{
	return id & ~((uint64_t)0xf << 28);
}

#endif
