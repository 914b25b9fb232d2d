#include "control/ctl.h"

#include <stdlib.h>

#include "control/ctl_answer.h"
#include "control/ctl_cluster.h"
#include "control/ctl_request.h"
#include "control/log.h"

struct pending {
	struct ctl *ctl;
	struct ctl_client *client;
	struct ctl_request request;
};

static const enum dp_request_type question_of[CTL_CMDS] = {
	[CTL_STATUS] = DP_STATS, [CTL_STATE] = DP_STATS,
	[CTL_CALLS] = DP_CALLS,  [CTL_REGISTRATIONS] = DP_REGISTRATIONS,
	[CTL_FLOWS] = DP_FLOWS,  [CTL_DROPS] = DP_STATS,
	[CTL_PORTS] = DP_PORTS,  [CTL_NEIGHBOURS] = DP_NEIGHBOURS,
	[CTL_KILL] = DP_KILL,    [CTL_DRAIN] = DP_DRAIN,
};

static void refuse(struct ctl_client *client, const char *why)
{
	struct ctl_text t = ctl_answer_error(why);

	ctl_client_answer(client, t.p, t.n);
}

static void answered(void *arg, struct collect_result *result)
{
	struct pending *p = arg;
	struct ctl_context ctx = {
		.config = p->ctl->config, .now_ms = dp_now(), .began_ms = p->ctl->began_ms};
	struct ctl_text t;

	ctx.has_state = p->ctl->state != NULL;
	if (ctx.has_state)
		state_view_read(p->ctl->state, &ctx.state);
	t = ctl_answer(&ctx, &p->request, result);

	ctl_client_answer(p->client, t.p, t.n);
	free(p);
}

static void log_command(const struct ctl_request *r)
{
	if (r->cmd == CTL_KILL)
		log_at(LOG_LEVEL_WARN, LOG_MSG("operator ends a call"), LOG_ID("call", r->call));
	else if (r->cmd == CTL_DRAIN)
		log_at(LOG_LEVEL_WARN, LOG_MSG("operator drains the node"));
	else if (r->cmd == CTL_MOVE)
		log_at(LOG_LEVEL_WARN, LOG_MSG("operator moves a group"),
		       LOG_STR("group", r->group), LOG_STR("node", r->node));
}

void ctl_serve_line(void *arg, struct ctl_client *client, const char *line, size_t len)
{
	struct ctl *ctl = arg;
	struct ctl_request request;
	struct pending *p;
	char why[256];

	if (!ctl_request_parse(line, len, &request, why, sizeof(why))) {
		refuse(client, why);
		return;
	}
	if (ctl->collect && ctl_is_clusters(ctl->state, &request)) {
		struct ctl_text t = ctl_cluster_answer(ctl->config, ctl->state, &request);

		log_command(&request);
		ctl_client_answer(client, t.p, t.n);
		return;
	}
	p = ctl->collect ? malloc(sizeof(*p)) : NULL;
	if (!p) {
		refuse(client, "not ready");
		return;
	}
	*p = (struct pending){ctl, client, request};
	if (request.cmd == CTL_KILL && ctl_call_worker(request.call) >= ctl->config->dp.workers) {
		free(p);
		refuse(client, "there is no such call");
		return;
	}
	if (!collect_start(ctl->collect, question_of[request.cmd], ctl_call_worker(request.call),
			   ctl_call_handle(request.call), answered, p)) {
		free(p);
		refuse(client, "too many requests at once");
		return;
	}
	log_command(&request);
	ctl->asked(ctl->arg);
}
