#include "dataplane/sip_stage.h"

#include "dataplane/output.h"
#include "dataplane/relay.h"
#include "dataplane/steer.h"
#include "dataplane/worker.h"
#include "sbc/base/ident.h"

static void carry_send(struct worker *w, const struct engine_action *a)
{
	const struct snapshot_listener *l = &w->snapshot->listener[a->send.path.listener];
	const struct snapshot_realm *r = &w->snapshot->realm[l->realm];

	output_udp(w, w->dp->realm[l->realm].port, l->addr, a->send.path.remote,
		   (uint8_t)(r->sip_dscp << 2), a->send.bytes);
}

static void carry_ask(struct worker *w, const struct engine_ask *ask)
{
	struct shard_message *msg = steer_message(w);

	if (msg == NULL)
		return;
	msg->type = SHARD_ASK;
	msg->ask = *ask;
	steer_post(w, ident_shard(ask->bucket, w->dp->workers), msg);
}

static void carry_answer(struct worker *w, const struct engine_answer *answer)
{
	struct shard_message *msg;

	if (answer->to_shard >= w->dp->workers)
		return;
	msg = steer_message(w);
	if (msg == NULL)
		return;
	msg->type = SHARD_ANSWER;
	msg->answer = *answer;
	steer_post(w, answer->to_shard, msg);
}

static void carry(struct worker *w, const struct engine_action *a)
{
	switch (a->type) {
	case ENGINE_SEND:
		carry_send(w, a);
		break;
	case ENGINE_FLOW_PUBLISH:
		relay_publish(w, &a->flow);
		break;
	case ENGINE_FLOW_RETIRE:
		relay_retire(w, a->flow.realm, a->flow.address, a->flow.port);
		break;
	case ENGINE_ASK:
		carry_ask(w, a->ask);
		break;
	case ENGINE_ANSWER:
		carry_answer(w, a->answer);
		break;
	case ENGINE_RECORD:
		worker_record(w, a->record);
		break;
	case ENGINE_STORE_PUT:
		state_put(w, a->store);
		break;
	case ENGINE_STORE_DELETE:
		state_delete(w, a->store);
		break;
	case ENGINE_STORE_BARRIER:
		state_barrier(w, a->barrier);
		break;
	case ENGINE_FORWARD:
		state_forward(w, a->forward);
		break;
	}
}

uint32_t sip_stage_event(struct worker *w, struct engine_event *ev)
{
	ev->now = w->now;
	engine_out_clear(w->out);
	w->engine_due = engine_handle(w->engine, ev, w->out);
	relay_ahead(w, w->out);
	for (uint32_t i = 0; i < w->out->count; i++)
		carry(w, &w->out->action[i]);
	return w->out->count;
}

void sip_stage_receive(struct worker *w, struct rte_mbuf *m)
{
	const uint32_t headers = PACKET_IP_LEN + PACKET_UDP_LEN;
	uint32_t n;
	const uint8_t *ip = worker_contiguous(w, m, &n);
	struct slice bytes = slice_of((const char *)ip + headers, n - headers);
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE};

	ev.message.path.listener = (uint16_t)m->hash.usr;
	ev.message.path.remote = (struct net_addr){ip_get(ip + IP4_SRC), be16_get(ip + UDP_SRC)};
	ev.message.bytes = bytes;
	sip_stage_event(w, &ev);
	packet_free(m);
}

void sip_stage_ask(struct worker *w, const struct engine_ask *ask)
{
	struct engine_event ev = {.type = ENGINE_EV_ASK, .ask = ask};

	sip_stage_event(w, &ev);
}

void sip_stage_answer(struct worker *w, const struct engine_answer *answer)
{
	struct engine_event ev = {.type = ENGINE_EV_ANSWER, .answer = answer};

	sip_stage_event(w, &ev);
}

bool sip_stage_command(struct worker *w, enum engine_command what, uint64_t call)
{
	struct engine_event ev = {.type = ENGINE_EV_COMMAND,
				  .command = {.what = what, .call = call}};

	return sip_stage_event(w, &ev) > 0;
}

void sip_stage_snapshot(struct worker *w, const struct snapshot *s)
{
	struct engine_event ev = {.type = ENGINE_EV_SNAPSHOT, .snapshot = s};

	/* What the engine sends now is meant by the new one. */
	w->snapshot = s;
	sip_stage_event(w, &ev);
}

void sip_stage_media(struct worker *w)
{
	for (uint16_t i = 0; i < w->media_events; i++) {
		struct engine_event ev = {.type = ENGINE_EV_MEDIA, .media = w->media_event[i]};

		sip_stage_event(w, &ev);
	}
	w->media_events = 0;
}

void sip_stage_tick(struct worker *w)
{
	struct engine_event ev = {.type = ENGINE_EV_TICK};

	sip_stage_event(w, &ev);
}
