#include "sbc/core/engine.h"

#include "sbc/core/call.h"
#include "sbc/core/engine_internal.h"
#include "sbc/core/registration.h"
#include "sbc/core/restore.h"

/*
 * A finished call is nothing but transactions, which RFC 3261 keeps for up to
 * 32 s: what they need goes by the rate of calls, whatever the calls' length.
 */

/* Seconds for which finished transactions of one call are kept, added up, and some room. */
#define FINISHED_S 104u

/*
 * Its INVITE's exchange is kept for 64*T1, for 2xx that come again. Refusals may
 * hold an eighth of the transactions, with an exchange each; and some room.
 */
#define EXCHANGE_S 50u

void engine_limits_for(struct engine_limits *l, uint32_t calls, uint32_t registrations)
{
	engine_limits_rate(l, calls, registrations, calls / 10 + 1);
}

void engine_limits_rate(struct engine_limits *l, uint32_t calls, uint32_t registrations,
			uint32_t cps)
{
	uint32_t tx = 2 * calls + FINISHED_S * cps + registrations / 2 + 1024;

	*l = (struct engine_limits){
		.calls = calls,
		.registrations = registrations,
		.transactions = tx,
		.exchanges = 2 * calls + EXCHANGE_S * cps + registrations / 2 + 1024,
		.shards = 1,
	};
	l->blob[0] = (struct blob_class){64, 6 * calls + 2 * registrations + 256};
	l->blob[1] = (struct blob_class){256, 5 * calls + registrations + tx / 4 + 256};
	l->blob[2] = (struct blob_class){640, calls + tx / 2 + 256};
	l->blob[3] = (struct blob_class){2048, calls / 2 + tx / 4 + 256};
	l->blob[4] = (struct blob_class){65600, 16 + calls / 1000};
}

static void engine_cut(struct engine *e, struct arena *a, const struct engine_conf *conf,
		       uint64_t now)
{
	const struct engine_limits *l = &conf->limits;
	uint32_t exchanges = l->exchanges ? l->exchanges : l->transactions;
	struct tx_conf tx = {
		.capacity = l->transactions,
		.t1_ms = conf->snapshot->t1_ms,
		.t2_ms = conf->snapshot->t2_ms,
		.t4_ms = conf->snapshot->t4_ms,
		.key = conf->key,
		.blobs = &e->blobs,
	};

	blob_init(&e->blobs, a, l->blob);
	e->tx = tx_layer_init(a, &tx, now);
	pool_init(&e->calls, a, l->calls, sizeof(struct call));
	pool_init(&e->exchanges, a, exchanges, sizeof(struct exchange));
	pool_init(&e->registrations, a, l->registrations, sizeof(struct registration));
	table_init(&e->dialogs, a, 2 * l->calls);
	table_init(&e->ids, a, l->calls);
	table_init(&e->contacts, a, l->registrations);
	table_init(&e->users, a, l->registrations);
	wheel_init(&e->wheel, a, l->calls + l->registrations + exchanges, now);
	e->exchange_of = arena_take(a, l->transactions, sizeof(uint32_t));
	slots_init(&e->slots, a, l->shard, l->shards, conf->snapshot);
}

/* The measuring run writes its heads into an engine of its own, which is too large for a stack. */
static struct engine measured;

static size_t engine_measure(const struct engine_conf *conf)
{
	struct arena a;

	arena_init(&a, NULL, 0);
	arena_take(&a, 1, sizeof(struct engine));
	engine_cut(&measured, &a, conf, 0);
	return a.used;
}

size_t engine_size(const struct engine_conf *conf)
{
	return engine_measure(conf);
}

struct engine *engine_init(void *mem, size_t len, const struct engine_conf *conf, uint64_t now)
{
	struct arena a;

	if (mem == NULL || len < engine_measure(conf))
		return NULL;
	arena_init(&a, mem, len);
	struct engine *e = arena_take(&a, 1, sizeof(*e));
	engine_cut(e, &a, conf, now);
	e->limits = conf->limits;
	e->key = conf->key;
	e->now = now;
	e->snap = conf->snapshot;
	e->wall_ms = conf->wall_ms;
	e->no_records = conf->no_records;
	e->sweep = POOL_NONE;
	ident_gen_init(&e->gen, &conf->seed);
	ident_derive_key_init(&e->derive, &e->key);
	slots_load(&e->slots, conf->snapshot);
	store_init(e);
	return e;
}

struct wbuf *engine_text(struct engine *e)
{
	wbuf_init(&e->text, e->text_bytes, sizeof(e->text_bytes));
	return &e->text;
}

static void engine_command(struct engine *e, enum engine_command what, uint64_t call)
{
	struct call *c;

	if (what == ENGINE_DRAIN) {
		e->draining = true;
		return;
	}
	c = pool_get(&e->calls, call);
	if (c != NULL)
		call_end(e, c, END_OPERATOR, 503, CALL_BYE_BOTH);
}

void engine_answered(struct engine *e, const struct engine_answer *answer)
{
	struct exchange *ex = exchange_get(e, answer->ref);
	struct sip_fault fault;
	struct rx rx;

	if (ex == NULL || !(ex->flags & EXCHANGE_F_HELD))
		return;
	struct slice bytes = blob_slice(&e->blobs, ex->message);
	if (sip_msg_parse(&e->msg, bytes.p, bytes.n, &fault) != SBC_OK ||
	    !engine_rx_init(e, &rx, &e->msg, &ex->source)) {
		exchange_reply(e, ex, 500, SLICE_NONE, SLICE_NONE);
		exchange_free(e, ex);
		return;
	}
	rx.ex = ex;
	ex->flags &= (uint16_t)~EXCHANGE_F_HELD;
	wheel_disarm(&e->wheel, exchange_timer(e, ex));
	call_invite(e, &rx, answer);
}

static void engine_store_event(struct engine *e, const struct engine_event *ev)
{
	if (ev->type == ENGINE_EV_STORE)
		store_mode(e, ev->store.mode, ev->store.resync);
	else if (ev->type == ENGINE_EV_BARRIER)
		store_barrier(e, ev->barrier);
	else if (ev->type == ENGINE_EV_STORED)
		store_stored(e, ev->stored.kind, ev->stored.handle, ev->stored.version,
			     ev->stored.ok);
	else if (ev->type == ENGINE_EV_RESTORE && ev->restore.kind == CHECKPOINT_CALL)
		restore_call(e, ev->restore.fields);
	else if (ev->type == ENGINE_EV_RESTORE)
		restore_registration(e, ev->restore.fields);
	else if (ev->type == ENGINE_EV_FORGET)
		restore_forget(e, ev->forget.kind, slice_of(ev->forget.id, IDENT_LEN));
	else if (ev->type == ENGINE_EV_GROUP)
		engine_group(e, ev->group.group, ev->group.active);
}

/* Listeners become what they are in the snapshot; what would leave from none is left out. */
static void engine_settle_sends(struct engine *e, struct engine_out *out)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < out->count; i++) {
		struct engine_action *a = &out->action[i];

		if (a->type == ENGINE_SEND) {
			a->send.path.listener = engine_listener(e, a->send.path.listener);
			if (a->send.path.listener == SNAPSHOT_NONE)
				continue;
			e->messages_out++;
		}
		if (kept != i)
			out->action[kept] = *a;
		kept++;
	}
	out->count = kept;
}

bool engine_handle(struct engine *e, const struct engine_event *ev, struct engine_out *out)
{
	e->now = ev->now;
	e->out = out;
	e->due = false;
	e->looked = 0;
	switch (ev->type) {
	case ENGINE_EV_MESSAGE:
		engine_receive(e, ev->message.bytes, &ev->message.path, ev->message.forwarded);
		break;
	case ENGINE_EV_TICK:
		engine_tick(e);
		break;
	case ENGINE_EV_MEDIA:
		call_media(e, &ev->media);
		break;
	case ENGINE_EV_ASK:
		registration_ask(e, ev->ask);
		break;
	case ENGINE_EV_ANSWER:
		engine_answered(e, ev->answer);
		break;
	case ENGINE_EV_SNAPSHOT:
		engine_snapshot(e, ev->snapshot);
		break;
	case ENGINE_EV_COMMAND:
		engine_command(e, ev->command.what, ev->command.call);
		break;
	default:
		engine_store_event(e, ev);
		break;
	}
	store_put_due(e);
	engine_settle_sends(e, out);
	if (e->looked > e->looked_most)
		e->looked_most = e->looked;
	return e->due || e->lost_groups;
}

/* The first of what the timers say and of what else there is to do. */
static uint64_t next_due(const struct engine *e, uint64_t tx, uint64_t own)
{
	uint64_t kept = store_next_due(e);

	if (e->sweep != POOL_NONE || e->lost_groups)
		return e->now;
	own = tx < own ? tx : own;
	return own < kept ? own : kept;
}

uint64_t engine_next_due(const struct engine *e)
{
	return next_due(e, tx_next_due(e->tx), wheel_next_due(&e->wheel));
}

uint64_t engine_next_due_by(const struct engine *e, uint64_t until)
{
	return next_due(e, tx_next_due_by(e->tx, until), wheel_next_due_by(&e->wheel, until));
}

uint64_t engine_dialog_print(const struct siphash_key *key, struct slice call_id, struct slice tag)
{
	struct siphash_key k = *key;

	k.k1 ^= siphash24(key, call_id.p, call_id.n);
	return siphash24(&k, tag.p, tag.n);
}

uint8_t engine_bucket(const struct siphash_key *key, const char *buf, uint32_t len)
{
	struct sip_peek peek;
	struct sip_addr to;
	struct sip_uri uri;

	if (sip_peek_call_id(buf, len, &peek) != SBC_OK)
		return 0;
	if (peek.is_register && sip_addr_parse(&to, peek.to) == SBC_OK &&
	    sip_uri_parse(&uri, to.uri) == SBC_OK)
		return ident_bucket(key, uri.user);
	return ident_bucket(key, peek.call_id);
}
