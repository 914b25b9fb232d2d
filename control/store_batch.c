/*
 * Batches: one script call for many ops of one group and one kind of act.
 *
 * The script asks for the group's epoch first and carries everything out or
 * nothing: a node that has lost the group cannot write late. Deletes are a script of
 * their own, since only they may run when Redis is out of memory.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/log.h"
#include "control/store_internal.h"

/* What a script says. */
enum { SAYS_OK = 1, SAYS_FENCED = 2, SAYS_LOST = 3 };

#define GUARD                                                                                      \
	"local e = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') or 0\n"                   \
	"local mine = tonumber(ARGV[1])\n"                                                         \
	"if e > mine then return 2 end\n"                                                          \
	"if e < mine then return 3 end\n"

#define LOG_IT "  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'k', kind, 'i', id)\n"

/* KEYS: lease, index, log, a record each. ARGV: epoch, log's length, and for each: */
static struct redis_script put_script = {
	/* kind, id, ttl, number of fields, fields; HSET by pieces: Lua's stack is bounded */
	.text = "#!lua\n" GUARD "local at = 3\n"
		"for k = 4, #KEYS do\n"
		"  local kind, id, ttl, n = ARGV[at], ARGV[at+1], ARGV[at+2], "
		"tonumber(ARGV[at+3])\n"
		"  at = at + 4\n"
		"  redis.call('DEL', KEYS[k])\n"
		"  local last = at + 2 * n - 1\n"
		"  while at <= last do\n"
		"    local to = math.min(at + 499, last)\n"
		"    redis.call('HSET', KEYS[k], unpack(ARGV, at, to))\n"
		"    at = to + 1\n"
		"  end\n"
		"  redis.call('EXPIRE', KEYS[k], ttl)\n"
		"  redis.call('SADD', KEYS[2], kind .. ':' .. id)\n" LOG_IT "end\n"
		"return 1\n"};

static struct redis_script delete_script = {
	/* kind, id */
	.text = "#!lua flags=allow-oom\n" GUARD "local at = 3\n"
		"for k = 4, #KEYS do\n"
		"  local kind, id = ARGV[at], ARGV[at+1]\n"
		"  at = at + 2\n"
		"  redis.call('DEL', KEYS[k])\n"
		"  redis.call('SREM', KEYS[2], kind .. ':' .. id)\n" LOG_IT "end\n"
		"return 1\n"};

static struct redis_script claim_script = {
	.text = "#!lua flags=allow-oom\n"
		"local e = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') or 0\n"
		"redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', ARGV[2])\n"
		"if e == tonumber(ARGV[2]) then return 1 end\n"
		"return 3\n"};

/* ---- arguments ---- */

/* Room for the heads and texts of a full batch; what is long stays where it is. */
struct args {
	int n;
	const char *p[STORE_BATCH_ARGS + 2 * STORE_MAX_FIELDS + 5 * STORE_BATCH_OPS + 8];
	size_t len[STORE_BATCH_ARGS + 2 * STORE_MAX_FIELDS + 5 * STORE_BATCH_OPS + 8];
	char key[STORE_BATCH_OPS][STORE_KEY + 40];
	char ttl[STORE_BATCH_OPS][12], fields[STORE_BATCH_OPS][12];
	char keys[12], epoch[24];
};

static struct args args; /* one thread, and redis_eval() copies */

static void add(const char *p, size_t n)
{
	args.p[args.n] = p;
	args.len[args.n++] = n;
}

static void add_str(const char *s)
{
	add(s, strlen(s));
}

static void add_head(const struct store_group *g, const struct store_batch *b)
{
	args.n = 0;
	snprintf(args.keys, sizeof(args.keys), "%" PRIu32, b->count + 3);
	snprintf(args.epoch, sizeof(args.epoch), "%" PRIu64, b->epoch);
	add_str(args.keys);
	add_str(g->lease);
	add_str(g->index);
	add_str(g->log);
}

/* The last IDENT_LEN bytes of a key are the id. */
static void add_key(const struct store *s, const struct store_batch *b, uint32_t k)
{
	const struct store_entry *e = &s->table.entry[b->item[k].entry];
	int n = snprintf(args.key[k], sizeof(args.key[k]), "%s%s:", s->group[b->group].prefix,
			 checkpoint_kind_name((enum checkpoint_kind)e->kind));

	store_id_print(e->id, args.key[k] + n);
	add(args.key[k], (size_t)n + IDENT_LEN);
}

static void add_fields(const struct store_put *put, uint32_t k)
{
	struct slice rest = slice_of(put->fields, put->n);
	struct checkpoint_field f;
	bool bad = false;

	snprintf(args.ttl[k], sizeof(args.ttl[k]), "%" PRIu32, put->ttl_s);
	snprintf(args.fields[k], sizeof(args.fields[k]), "%" PRIu32, put->count);
	add_str(args.ttl[k]);
	add_str(args.fields[k]);
	while (checkpoint_next(&rest, &f, &bad)) {
		add(f.name.p, f.name.n);
		add(f.value.p, f.value.n);
	}
}

static void add_all(const struct store *s, const struct store_batch *b)
{
	add_head(&s->group[b->group], b);
	for (uint32_t k = 0; k < b->count; k++)
		add_key(s, b, k);
	add_str(args.epoch);
	add_str(STORE_LOG_MAX);
	for (uint32_t k = 0; k < b->count; k++) {
		const struct store_entry *e = &s->table.entry[b->item[k].entry];
		size_t key = args.len[4 + k];

		add_str(checkpoint_kind_name((enum checkpoint_kind)e->kind));
		add(args.key[k] + key - IDENT_LEN, IDENT_LEN);
		if (b->item[k].put)
			add_fields(b->item[k].put, k);
	}
}

/* ---- what is said ---- */

enum outcome { DONE, AGAIN, GIVEN_UP, DROPPED };

static bool starts(const redisReply *r, const char *what)
{
	return strncmp(r->str, what, strlen(what)) == 0;
}

/* Refusals that end by themselves or by an operator, not by another op. */
static bool is_refusal(const redisReply *r)
{
	static const char *const codes[] = {
		"OOM",        "READONLY",    "MISCONF",    "LOADING",     "BUSY",
		"MASTERDOWN", "NOREPLICAS",  "NOSCRIPT",   "NOAUTH",      "NOPERM",
		"TRYAGAIN",   "CLUSTERDOWN", "UNKILLABLE", "NOGOODSLAVE", NULL};

	for (const char *const *c = codes; *c; c++)
		if (starts(r, *c))
			return true;
	return false;
}

static void lost_lease(struct store *s, struct store_group *g)
{
	s->resync = true;
	g->claimed = !s->alone;
	store_refused(s, STORE_PUT);
	store_refused(s, STORE_DELETE);
	if (s->alone)
		store_claim(s, (uint16_t)(g - s->group));
}

static enum outcome refused(struct store *s, const struct store_batch *b, const redisReply *r)
{
	bool again = r->type == REDIS_REPLY_ERROR && is_refusal(r);

	s->gauges.refused += b->count;
	/* What is not deleted now is found in the index again. */
	if (!again && b->act == STORE_DELETE) {
		s->gauges.deletes_lost += b->count;
		s->group[b->group].reconcile_asked++;
	}
	log_at(LOG_LEVEL_WARN, LOG_MSG("Redis refuses to write"),
	       LOG_STR("act", b->act == STORE_PUT ? "put" : "delete"),
	       LOG_STR("why",
		       r->type == REDIS_REPLY_ERROR ? r->str : "an answer of no known form"));
	store_refused(s, b->act);
	return again ? AGAIN : GIVEN_UP;
}

/* Of what was sent when the group was ours before, another owner's may be newer. */
static bool is_ours(const struct store_group *g, const struct store_batch *b)
{
	return g->epoch && g->owned == b->owned;
}

/* By a claim of our own of which the lease has not told yet; or it is another's. */
static enum outcome fenced(struct store *s, struct store_group *g, const struct store_batch *b)
{
	if (g->epoch != b->epoch)
		return AGAIN;
	s->gauges.fenced++;
	g->held = true;
	return s->alone ? DROPPED : AGAIN;
}

static enum outcome outcome_of(struct store *s, const struct store_batch *b, const redisReply *r)
{
	struct store_group *g = &s->group[b->group];

	if (!r)
		return is_ours(g, b) ? AGAIN : DROPPED;
	if (r->type == REDIS_REPLY_INTEGER && r->integer == SAYS_OK) {
		s->gauges.last_ms = store_now() - b->since_ms;
		/* One that was sent before a refusal says nothing about after. */
		if (b->probe || !s->refusing[b->act])
			store_accepted(s, b->act);
		return DONE;
	}
	if (!is_ours(g, b))
		return DROPPED;
	if (r->type == REDIS_REPLY_INTEGER && r->integer == SAYS_FENCED)
		return fenced(s, g, b);
	if (r->type == REDIS_REPLY_INTEGER && r->integer == SAYS_LOST) {
		lost_lease(s, g);
		return AGAIN;
	}
	return refused(s, b, r);
}

static void finish(struct store *s, struct store_batch *b, enum outcome what)
{
	/* From the last: what is to go again keeps its order at the list's front. */
	for (uint32_t k = b->count; k-- > 0;) {
		if (what == AGAIN)
			store_queue_again(s, b->item[k].entry, b->item[k].put);
		else
			store_queue_done(s, b->item[k].entry, b->item[k].put, what == DONE);
	}
}

static void forget_batch(struct store *s, const struct store_batch *b)
{
	for (uint32_t i = 0; i < s->batches; i++)
		if (s->batch[i] == b)
			s->batch[i] = s->batch[--s->batches];
}

static void on_reply(void *arg, const redisReply *r)
{
	struct store_batch *b = arg;
	struct store *s = b->store;
	enum outcome what;
	bool held;

	if (!store_answered(s)) {
		for (uint32_t k = 0; k < b->count; k++)
			free(b->item[k].put);
		free(b);
		return;
	}
	forget_batch(s, b);
	held = s->group[b->group].held;
	what = outcome_of(s, b, r);
	finish(s, b, what);
	if (s->group[b->group].held && !held) {
		if (s->alone)
			store_own(s, b->group, 0);
		s->io.fenced(s->io.arg, b->group);
	}
	free(b);
	store_flush_check(s);
	if (r)
		store_pump(s);
}

/* ---- sending ---- */

/* By count, bytes and arguments; one op always fits. */
static void fill(struct store *s, struct store_batch *b)
{
	const struct store_list *list = &s->group[b->group].list[b->act];
	uint32_t bytes = 0, count = 0;

	while (list->head != STORE_NONE && b->count < STORE_BATCH_OPS) {
		const struct store_put *next = s->table.entry[list->head].put;

		if (next && b->count &&
		    (bytes + next->n > STORE_BATCH_SIZE ||
		     count + 2 * next->count > STORE_BATCH_ARGS))
			return;
		bytes += next ? next->n : 0;
		count += next ? 2 * next->count : 0;
		b->item[b->count].entry = list->head;
		b->item[b->count].put = store_queue_take(s, list->head);
		b->count++;
	}
}

bool store_batch_send(struct store *s, uint16_t group, enum store_act act)
{
	struct store_batch *b = malloc(sizeof(*b));

	if (!b)
		return false;
	*b = (struct store_batch){.store = s,
				  .group = group,
				  .act = act,
				  .probe = s->refusing[act],
				  .epoch = s->group[group].epoch,
				  .owned = s->group[group].owned,
				  .since_ms = store_now()};
	fill(s, b);
	add_all(s, b);
	if (!redis_eval(s->redis, act == STORE_PUT ? &put_script : &delete_script, on_reply, b,
			args.n, args.p, args.len)) {
		finish(s, b, AGAIN);
		free(b);
		return false;
	}
	s->commands++;
	s->probe[act] = false;
	s->batch[s->batches++] = b;
	s->gauges.batches++;
	return true;
}

/* ---- a node alone ---- */

struct claim {
	struct store *store;
	uint16_t group;
	uint64_t epoch;
};

static void on_claimed(void *arg, const redisReply *r)
{
	struct claim c = *(struct claim *)arg;
	struct store *s = c.store;

	free(arg);
	if (!store_answered(s) || !r || !s->connected || s->group[c.group].epoch != c.epoch)
		return;
	if (r->type != REDIS_REPLY_INTEGER) {
		log_at(LOG_LEVEL_WARN, LOG_MSG("Redis refuses to write"), LOG_STR("act", "claim"),
		       LOG_STR("why", r->type == REDIS_REPLY_ERROR ? r->str : "no number"));
		store_refused(s, STORE_PUT);
		return;
	}
	/* A lease that was not as we left it: so are the records. */
	s->resync |= r->integer != SAYS_OK && s->was_up;
	s->group[c.group].claimed = true;
	memset(s->refusing, 0, sizeof(s->refusing));
	store_mode_update(s);
	store_pump(s);
}

void store_claim(struct store *s, uint16_t group)
{
	const struct store_group *g = &s->group[group];
	struct claim *c = malloc(sizeof(*c));
	char epoch[24];
	const char *argv[] = {"1", g->lease, s->cluster, epoch};
	size_t len[4];

	snprintf(epoch, sizeof(epoch), "%" PRIu64, g->epoch);
	for (int i = 0; i < 4; i++)
		len[i] = strlen(argv[i]);
	if (!c)
		return;
	*c = (struct claim){s, group, g->epoch};
	if (redis_eval(s->redis, &claim_script, on_claimed, c, 4, argv, len))
		s->commands++;
	else
		free(c);
}
