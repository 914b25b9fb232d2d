/* What the control socket is asked of the cluster: answered at once, without the workers. */
#ifndef CONTROL_CTL_CLUSTER_H
#define CONTROL_CTL_CLUSTER_H

#include "control/ctl_answer.h"
#include "control/state.h"

/* Whether a request is the cluster's: a drain is a node's own when it is alone. */
bool ctl_is_clusters(struct state *state, const struct ctl_request *request);

/* Names and forms are the contract of docs/control-socket.md. Free `p`. */
struct ctl_text ctl_cluster_answer(const struct config *config, struct state *state,
				   const struct ctl_request *request);

#endif
