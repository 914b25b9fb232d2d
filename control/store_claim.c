/*
 * A node alone: each process of it writes under an epoch of its own.
 *
 * What an earlier process has sent may be carried out late, when Redis or the way
 * there stood still: its puts are refused by their epochs (store_batch.c), but so must
 * its claims be. A claim therefore says what it has seen in the lease, as those of a
 * cluster do. When that has changed it takes nothing and is told what is there now: a
 * process that lives claims again, and for a dead one nobody does. A claim that is
 * repeated finds its own process there, and changes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "control/log.h"
#include "control/store_internal.h"

/* Reply: whether it is ours, the epoch that is there, the print of the lease as it was found. */
enum { REPLY_OURS, REPLY_EPOCH, REPLY_PRINT, REPLY_PARTS };

/*
 * KEYS: lease. ARGV: owner, process, the epoch it has had ("0": none), print of the
 * lease as it was found last ("": there was none).
 *
 * What is no epoch counts as none: Lua's numbers are whole up to 2^53. One of this
 * process that is lower than what it has had is of an older history.
 */
static struct redis_script claim_script = {
	.text = "#!lua flags=allow-oom\n"
		"local l = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'process')\n"
		"local e, mine = tonumber(l[2] or '0') or 0, tonumber(ARGV[3])\n"
		"if not (e >= 0 and e <= 2^52) then e = 0 end\n"
		"e = math.floor(e)\n"
		"local print = ''\n"
		"if l[1] or l[2] or l[3] then\n"
		"  print = redis.sha1hex(table.concat({l[1] or '', l[2] or '', l[3] or ''}, "
		"'\\n'))\n"
		"end\n"
		"if l[3] == ARGV[2] .. ' ' .. (l[2] or '') and e >= mine then return {1, e, print} "
		"end\n"
		"if print ~= ARGV[4] then return {0, e, print} end\n"
		"e = math.max(e, mine) + 1\n"
		"local text = string.format('%.0f', e)\n"
		"redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', text,\n"
		"           'process', ARGV[2] .. ' ' .. text)\n"
		"return {1, e, print}\n"};

struct claim {
	struct store *store;
	uint16_t group;
	uint32_t owned;
};

bool store_name_process(struct store *s)
{
	uint64_t token;

	if (getrandom(&token, sizeof(token), 0) != (ssize_t)sizeof(token))
		return false;
	snprintf(s->process, sizeof(s->process), "%016" PRIx64, token);
	return true;
}

static bool is_reply(const redisReply *r)
{
	return r->type == REDIS_REPLY_ARRAY && r->elements == REPLY_PARTS &&
	       r->element[REPLY_OURS]->type == REDIS_REPLY_INTEGER &&
	       r->element[REPLY_EPOCH]->type == REDIS_REPLY_INTEGER &&
	       r->element[REPLY_EPOCH]->integer >= 0 &&
	       r->element[REPLY_PRINT]->type == REDIS_REPLY_STRING &&
	       r->element[REPLY_PRINT]->len <= STORE_PRINT;
}

/* It may be read all the same, and what an earlier process had sent still be written. */
static void refused(struct store *s, struct store_group *g, const redisReply *r)
{
	log_at(LOG_LEVEL_WARN, LOG_MSG("Redis refuses to write"), LOG_STR("act", "claim"),
	       LOG_STR("why",
		       r->type == REDIS_REPLY_ERROR ? r->str : "an answer of no known form"));
	g->doubted |= !g->minted;
	g->answered = true;
	store_refused(s, STORE_PUT);
}

/* A lease that was not as we left it: so are the records. */
static void granted(struct store *s, struct store_group *g, uint64_t epoch)
{
	s->resync |= g->doubted || (g->minted && epoch != g->epoch);
	g->epoch = epoch;
	g->minted = g->claimed = g->answered = true;
	g->doubted = false;
	memset(s->refusing, 0, sizeof(s->refusing));
	store_mode_update(s);
}

static void taken_over(struct store *s, uint16_t group)
{
	s->gauges.fenced++;
	store_own(s, group, 0);
	s->io.fenced(s->io.arg, group);
}

static void take_reply(struct store *s, uint16_t group, const redisReply *r)
{
	struct store_group *g = &s->group[group];
	uint64_t epoch = (uint64_t)r->element[REPLY_EPOCH]->integer;

	if (r->element[REPLY_OURS]->integer) {
		granted(s, g, epoch);
	} else if (g->minted && epoch > g->epoch) {
		taken_over(s, group);
	} else {
		snprintf(g->lease_seen, sizeof(g->lease_seen), "%s", r->element[REPLY_PRINT]->str);
		store_claim(s, group);
	}
}

static void on_claimed(void *arg, const redisReply *r)
{
	struct claim c = *(struct claim *)arg;
	struct store *s = c.store;
	struct store_group *g = &s->group[c.group];

	free(arg);
	if (!store_answered(s) || !r || !s->connected || g->epoch == 0 || g->owned != c.owned)
		return;
	if (is_reply(r))
		take_reply(s, c.group, r);
	else
		refused(s, g, r);
	store_read_up(s);
	store_pump(s);
}

void store_claim(struct store *s, uint16_t group)
{
	const struct store_group *g = &s->group[group];
	struct claim *c = malloc(sizeof(*c));
	char epoch[24];
	const char *argv[] = {"1", g->lease, s->cluster, s->process, epoch, g->lease_seen};
	size_t len[6];

	snprintf(epoch, sizeof(epoch), "%" PRIu64, g->minted ? g->epoch : 0);
	for (int i = 0; i < 6; i++)
		len[i] = strlen(argv[i]);
	if (c)
		*c = (struct claim){s, group, g->owned};
	if (c && redis_eval(s->redis, &claim_script, on_claimed, c, 6, argv, len)) {
		s->commands++;
		return;
	}
	free(c);
	/* No room for it now: there will be. */
	store_refused(s, STORE_PUT);
}
