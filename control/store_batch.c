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

/*
 * A node alone names its process too: where Redis has lost all, epochs begin again, and
 * the process before may have had the same.
 */
#define GUARD                                                                                      \
	"local has = redis.call('HMGET', KEYS[1], 'epoch', 'process')\n"                           \
	"local e, mine = tonumber(has[1] or '0') or 0, tonumber(ARGV[1])\n"                        \
	"if e > mine then return 2 end\n"                                                          \
	"if e < mine then return 3 end\n"                                                          \
	"if ARGV[4] ~= '' and ARGV[4] .. ' ' .. ARGV[1] ~= has[2] then return 3 end\n"

/* A log's length of 0: nobody follows it. What an index names is a key without its prefix. */
#define LOG_IT                                                                                     \
	"  if ARGV[2] ~= '0' then\n"                                                               \
	"    local kind, id = string.match(string.sub(key, ARGV[3]), '^(%w+):(.*)$')\n"            \
	"    redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'k', kind, 'i', id)\n"       \
	"  end\n"

/*
 * KEYS: lease, index, log, a record each. ARGV: epoch, log's length, where in a record's
 * key its name begins, the process ("": a cluster's), and of what is put, for each:
 */
static struct redis_script put_script = {
	/*
	 * whole (w) or what has changed (c), ttl, number of arguments, fields; and of what
	 * has changed the version, the number of fields that are gone, their names. HSET
	 * by pieces: Lua's stack is bounded. What is not there as the version before, or as
	 * this one when the reply to the first time was lost, cannot be changed: such puts
	 * are told by their positions, and are not done.
	 */
	.text = "#!lua\n" GUARD "local at, lost = 5, false\n"
		"for k = 4, #KEYS do\n"
		"  local key, whole = KEYS[k], ARGV[at] == 'w'\n"
		"  local ttl, n = ARGV[at+1], tonumber(ARGV[at+2])\n"
		"  local first, last = at + 3, at + 2 + n\n"
		"  local there = true\n"
		"  at = last + 1\n"
		"  if whole then\n"
		"    redis.call('DEL', key)\n"
		"    redis.call('SADD', KEYS[2], string.sub(key, ARGV[3]))\n"
		"  else\n"
		"    local version, gone = tonumber(ARGV[at]), tonumber(ARGV[at+1])\n"
		"    local has = tonumber(redis.call('HGET', key, 'version') or '')\n"
		"    there = has == version or has == version - 1\n"
		"    at = at + 2 + gone\n"
		"    if not there then\n"
		"      lost = lost or {}\n"
		"      lost[#lost+1] = k - 3\n"
		"      first = last + 1\n"
		"    elseif gone > 0 then\n"
		"      redis.call('HDEL', key, unpack(ARGV, at - gone, at - 1))\n"
		"    end\n"
		"  end\n"
		"  while first <= last do\n"
		"    local to = math.min(first + 499, last)\n"
		"    redis.call('HSET', key, unpack(ARGV, first, to))\n"
		"    first = to + 1\n"
		"  end\n"
		"  if there then redis.call('EXPIRE', key, ttl) end\n" LOG_IT "end\n"
		"return lost or 1\n"};

static struct redis_script delete_script = {
	.text = "#!lua flags=allow-oom\n" GUARD "for k = 4, #KEYS do\n"
		"  local key = KEYS[k]\n"
		"  redis.call('DEL', key)\n"
		"  redis.call('SREM', KEYS[2], string.sub(key, ARGV[3]))\n" LOG_IT "end\n"
		"return 1\n"};

/* ---- arguments ---- */

#define KEYS_FIXED 3 /* lease, index, log */
#define HEAD_ROOM  (3u * STORE_KEY + 256u)
#define OP_ROOM    (STORE_KEY + 256u) /* of an op, beside its fields */

/* A command as it goes over the wire: there is room for all of it. */
struct args {
	char *at;
	int n;
};

static void add(struct args *a, const char *p, size_t n)
{
	a->at += redis_bulk(a->at, p, n);
	a->n++;
}

static void add_str(struct args *a, const char *s)
{
	add(a, s, strlen(s));
}

static void add_number(struct args *a, uint64_t v)
{
	char text[24];
	struct wbuf w;

	wbuf_init(&w, text, sizeof(text));
	wbuf_u64(&w, v);
	add(a, text, w.n);
}

static void add_key(struct args *a, const struct store_group *g, const struct store_entry *e)
{
	const char *kind = checkpoint_kind_name((enum checkpoint_kind)e->kind);
	char key[STORE_KEY + 40];
	struct wbuf w;

	wbuf_init(&w, key, sizeof(key) - IDENT_LEN);
	wbuf_put(&w, slice_str(g->prefix));
	wbuf_put(&w, slice_str(kind));
	wbuf_char(&w, ':');
	store_id_print(e->id, key + w.n);
	add(a, key, w.n + IDENT_LEN);
}

static void add_fields(struct args *a, const struct store_put *put)
{
	struct slice rest = slice_of(put->fields, put->n);
	uint32_t set = put->count - put->gone;
	struct checkpoint_field f;
	bool bad = false;

	add_str(a, put->whole ? "w" : "c");
	add_number(a, put->ttl_s);
	add_number(a, 2u * set);
	for (; set && checkpoint_next(&rest, &f, &bad); set--) {
		add(a, f.name.p, f.name.n);
		add(a, f.value.p, f.value.n);
	}
	if (put->whole)
		return;
	add_number(a, put->version);
	add_number(a, put->gone);
	while (checkpoint_next(&rest, &f, &bad))
		add(a, f.name.p, f.name.n);
}

static size_t batch_room(const struct store_batch *b)
{
	size_t n = REDIS_EVAL_HEAD + HEAD_ROOM + b->count * (size_t)OP_ROOM;

	/* Lengths of fields have five digits at most: less than REDIS_BULK allows for. */
	for (uint32_t k = 0; k < b->count; k++)
		if (b->item[k].put)
			n += b->item[k].put->n + 2 * (size_t)b->item[k].put->count * REDIS_BULK;
	return n;
}

static void add_all(struct args *a, const struct store *s, const struct store_batch *b)
{
	const struct store_group *g = &s->group[b->group];

	add_number(a, b->count + KEYS_FIXED);
	add_str(a, g->lease);
	add_str(a, g->index);
	add_str(a, g->log);
	for (uint32_t k = 0; k < b->count; k++)
		add_key(a, g, &s->table.entry[b->item[k].entry]);
	add_number(a, b->epoch);
	add_str(a, s->followed ? STORE_LOG_MAX : "0");
	add_number(a, strlen(g->prefix) + 1);
	add_str(a, s->process);
	for (uint32_t k = 0; k < b->count; k++)
		if (b->item[k].put)
			add_fields(a, b->item[k].put);
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

/* All of it, or all but what was not there to be changed. */
static bool is_done(const redisReply *r)
{
	return (r->type == REDIS_REPLY_INTEGER && r->integer == SAYS_OK) ||
	       r->type == REDIS_REPLY_ARRAY;
}

static enum outcome outcome_of(struct store *s, const struct store_batch *b, const redisReply *r)
{
	struct store_group *g = &s->group[b->group];

	if (!r)
		return is_ours(g, b) ? AGAIN : DROPPED;
	if (is_done(r)) {
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

static void mark_lost(struct store_batch *b, const redisReply *r)
{
	if (!r || r->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i < r->elements; i++) {
		long long k = r->element[i]->integer;

		if (r->element[i]->type == REDIS_REPLY_INTEGER && k >= 1 && k <= b->count)
			b->item[k - 1].lost = true;
	}
}

static void finish(struct store *s, struct store_batch *b, enum outcome what)
{
	/* From the last: what is to go again keeps its order at the list's front. */
	for (uint32_t k = b->count; k-- > 0;) {
		if (what == AGAIN)
			store_queue_again(s, b->item[k].entry, b->item[k].put);
		else
			store_queue_done(s, b->item[k].entry, b->item[k].put,
					 what == DONE && !b->item[k].lost);
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
	mark_lost(b, r);
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

static bool eval(struct store *s, struct store_batch *b)
{
	size_t room = batch_room(b);
	char *command = malloc(room);
	struct args a = {command + REDIS_EVAL_HEAD, 0};

	if (!command)
		return false;
	add_all(&a, s, b);
	if (redis_eval_raw(s->redis, b->act == STORE_PUT ? &put_script : &delete_script, on_reply,
			   b, a.n, command, (size_t)(a.at - command)))
		return true;
	free(command);
	return false;
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
	if (!eval(s, b)) {
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
