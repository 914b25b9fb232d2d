#include <string.h>

#include "tests/simulation/sim.h"

#define AWAY_MS     4000u
#define DEADLINE_MS 50u /* snapshot_defaults() */
#define SAVE_MS     2000u
#define SETTLED_MS  2000u

bool faults_are_on(const struct sim *s)
{
	return s->conf.store != SIM_STORE_OFF;
}

/* ---- the store ---- */

static bool is_fair(const struct sim *s)
{
	return s->faults.weather == WEATHER_FAIR && !s->faults.is_down;
}

void faults_fate(void *ctx, bool is_put, struct driver_fate *f)
{
	struct sim *s = ctx;

	f->delay_ms = 1 + sim_below(s, s->faults.weather == WEATHER_SLOW ? 300 : 20);
	if (s->faults.weather == WEATHER_SILENT || s->faults.is_down)
		f->delay_ms = UINT64_MAX;
	if (is_put && s->faults.weather == WEATHER_REFUSES && sim_chance(s, 700)) {
		f->ok = false;
		f->done = sim_chance(s, 200);
	}
}

/* Some of what is under way has come through, which nobody hears of. */
static void cut(struct sim *s, bool tell)
{
	uint32_t n = driver_store_underway(s->driver);

	driver_store_cut(s->driver, sim_below(s, n + 1), tell);
}

static void go_down(struct sim *s)
{
	if (s->faults.is_down)
		return;
	s->faults.is_down = true;
	driver_store_mode(s->driver, ENGINE_STORE_DOWN, false);
	cut(s, true);
}

static void come_up(struct sim *s, bool resync)
{
	s->faults.weather = WEATHER_FAIR;
	s->faults.fair_since = s->now;
	if (s->faults.is_down || resync) {
		s->faults.is_down = false;
		driver_store_mode(s->driver, ENGINE_STORE_DURABLE, resync);
	}
	driver_store_release(s->driver);
}

/* What was acknowledged last is gone, or everything; it is found out a while later. */
static void lose_data(struct sim *s)
{
	if (sim_chance(s, 200))
		driver_store_lose(s->driver);
	else
		driver_store_revert(s->driver);
	s->tally.reverts++;
	s->faults.reverted = true;
	s->faults.resync_at = s->now + sim_below(s, 3000);
	for (uint32_t i = 0; i < s->calls_begun; i++)
		if (s->call[i])
			s->call[i]->bereft = true;
}

static void change_weather(struct sim *s)
{
	struct faults *f = &s->faults;

	f->next_weather = s->now + 200 + sim_below(s, 6000);
	if (f->weather == WEATHER_SILENT && !f->is_down && sim_chance(s, 500)) {
		go_down(s);
		return;
	}
	if (f->weather != WEATHER_FAIR) {
		come_up(s, f->is_down && sim_chance(s, 300));
		return;
	}
	s->tally.storms++;
	f->weather = (enum weather)(1 + sim_below(s, WEATHERS - 1));
	if (sim_chance(s, 50))
		lose_data(s);
}

static void store_tick(struct sim *s)
{
	struct faults *f = &s->faults;

	if (f->resync_at && s->now >= f->resync_at) {
		f->resync_at = 0;
		come_up(s, true);
	}
	if (s->conf.store != SIM_STORE_STORMY || s->ending)
		return;
	if (s->now >= f->next_save) {
		driver_store_save(s->driver);
		f->next_save = s->now + SAVE_MS;
	}
	if (s->now >= f->next_weather)
		change_weather(s);
}

/* ---- promises ---- */

static const struct driver_record *record_of(struct sim *s, const struct call *c,
					     struct call_checkpoint *p)
{
	const struct driver_record *r = NULL;

	if (c->callee_id[0])
		r = driver_store_find(s->driver, CHECKPOINT_CALL, slice_str(c->callee_id));
	if (r && r->present && checkpoint_call_read(p, r->fields) != SBC_OK)
		sim_fail(s, c, "what is stored cannot be read");
	return r;
}

/* Only a store that does not take it in time lets an answer leave before it is stored. */
void faults_answer(struct sim *s, struct call *c)
{
	static struct call_checkpoint p;
	const struct driver_record *r = record_of(s, c, &p);

	c->answered = true;
	c->answered_at = s->now;
	c->promised = r && r->present && p.state != CHECKPOINT_EARLY;
	if (c->promised)
		return;
	s->tally.unstored++;
	if (!s->faults.is_down && s->now < c->answer_at + DEADLINE_MS &&
	    !(r && r->refused_at >= c->answer_at))
		sim_fail(s, c, "an answer left %u ms after it came, and was not stored",
			 (unsigned)(s->now - c->answer_at));
}

/* Else the caller goes on to repeat its INVITE, and the call begins yet. */
static bool has_begun(const struct call *c)
{
	for (uint32_t i = 0; !c->callee_id[0] && c->leg[0] && i < LEG_CLIENTS; i++)
		if (c->leg[0]->client[i].live && c->leg[0]->client[i].provisional)
			return true;
	return c->callee_id[0];
}

/* A store that has been well for a while has every call that is up. */
void faults_check(struct sim *s, struct call *c)
{
	static struct call_checkpoint p;
	uint64_t since =
		s->faults.fair_since > c->answered_at ? s->faults.fair_since : c->answered_at;
	const struct driver_record *r;

	if (!faults_are_on(s) || !is_fair(s) || s->faults.resync_at || s->now < since + SETTLED_MS)
		return;
	r = record_of(s, c, &p);
	if (!r || !r->present || p.state != CHECKPOINT_ANSWERED)
		sim_fail(s, c, "a call is up and not stored, and the store is well");
}

static bool somebody_is_there(const struct call *c)
{
	return c->plan.fork == 2 || (c->leg[0] && !c->leg[0]->gone) ||
	       (c->leg[1] && !c->leg[1]->gone);
}

/* What becomes of a call now that the border begins anew with what is stored. */
static void judge(struct sim *s, struct call *c)
{
	static struct call_checkpoint p;
	const struct driver_record *r = record_of(s, c, &p);
	bool stored = r && r->present;

	if (c->lost || !has_begun(c) || !somebody_is_there(c))
		return;
	if (stored && (p.state != CHECKPOINT_EARLY || !c->answered)) {
		s->tally.went_on += c->answered && !c->ended;
		s->tally.ended_unstored += c->ended && p.state == CHECKPOINT_ANSWERED;
		c->bereft = false;
	} else if (!c->answered) {
		c->lost = SIM_LOST_RINGING;
	} else if (c->bereft) {
		c->lost = SIM_LOST_DATA;
	} else if (!c->promised) {
		c->lost = SIM_LOST_UNSTORED;
	} else if (!c->ended) {
		sim_fail(s, c, "a call that had been acknowledged is not stored any more");
	}
	s->tally.gone[c->lost] += c->lost != SIM_LOST_NOT;
}

/* ---- deaths ---- */

static void next_death(struct sim *s)
{
	s->faults.next_death =
		s->conf.crash_ms ? s->now + 1 + sim_below(s, 2 * s->conf.crash_ms) : UINT64_MAX;
}

static void hand_over(struct sim *s)
{
	struct engine_stats st;

	driver_spare(s->driver);
	driver_group(s->driver, 0, false);
	driver_store_mode(s->driver, ENGINE_STORE_DOWN, false);
	cut(s, true);
	driver_store_cut(s->driver, 0, false);
	driver_stats(s->driver, &st);
	if (st.calls || st.transactions || st.registrations || st.ports_used || st.blobs ||
	    driver_flows(s->driver))
		sim_fail(s, NULL, "a lost group leaves %u calls, %u transactions, %u blocks",
			 st.calls, st.transactions, st.blobs);
	if (st.store_inflight || st.store_dirty || st.store_held || st.degraded)
		sim_fail(s, NULL, "a lost group leaves %u puts, %u to be made, %u held, %u owed",
			 st.store_inflight, st.store_dirty, st.store_held, st.degraded);
	s->faults.handed = true;
	s->tally.handed++;
}

static void go_away(struct sim *s)
{
	s->faults.away = true;
	s->faults.back_at = s->now + (sim_chance(s, 300) ? 0 : sim_below(s, AWAY_MS));
	s->tally.deaths++;
	s->promises = 0;
	next_death(s);
}

static void die(struct sim *s)
{
	uint32_t how = sim_below(s, 10);

	if (how < 7) {
		driver_die_after(s->driver, 1 + sim_below(s, 40));
		s->faults.next_death = UINT64_MAX;
		return;
	}
	if (how < 9)
		driver_die_after(s->driver, 0);
	else
		hand_over(s);
	go_away(s);
}

static void check_restored(struct sim *s, uint64_t failed_before)
{
	struct engine_stats st;

	driver_stats(s->driver, &st);
	if (st.restore_failed == failed_before || s->faults.reverted || s->failure[0])
		return;
	for (uint32_t i = 0; i < REASON_COUNT; i++)
		if (st.reasons.n[i] && strncmp(reason_name((enum reason)i), "restore-", 8) == 0)
			sim_fail(s, NULL, "%llu records could not be restored: %s",
				 (unsigned long long)(st.restore_failed - failed_before),
				 reason_name((enum reason)i));
}

static void come_back(struct sim *s)
{
	struct faults *f = &s->faults;
	struct engine_stats st = {0};

	driver_step(s->driver, s->now);
	if (!f->handed)
		cut(s, false);
	for (uint32_t i = 0; i < s->calls_begun; i++)
		if (s->call[i])
			judge(s, s->call[i]);
	if (f->handed)
		driver_stats(s->driver, &st);
	if (!f->handed && sim_chance(s, 150))
		driver_die_after(s->driver, 1 + sim_below(s, 200));
	f->away = false;
	if (f->handed)
		driver_take_over(s->driver);
	else
		driver_begin(s->driver, s->conf.pool + sim_below(s, 2) * 1000);
	f->handed = false;
	f->is_down = false;
	f->weather = WEATHER_FAIR;
	f->fair_since = s->now;
	driver_store_mode(s->driver, ENGINE_STORE_DURABLE, false);
	if (!driver_is_dead(s->driver))
		check_restored(s, st.restore_failed);
}

void faults_start(struct sim *s)
{
	if (!faults_are_on(s))
		return;
	driver_store_mode(s->driver, ENGINE_STORE_DURABLE, false);
	s->faults.next_weather = s->now + 5000;
	next_death(s);
}

void faults_tick(struct sim *s)
{
	struct faults *f = &s->faults;

	if (!faults_are_on(s) || s->failure[0])
		return;
	if (!f->away && driver_is_dead(s->driver)) {
		s->tally.torn++;
		go_away(s);
	}
	if (f->away) {
		if (s->now >= f->back_at)
			come_back(s);
		return;
	}
	store_tick(s);
	if (s->now >= f->next_death && !s->ending)
		die(s);
	if (s->ending)
		driver_spare(s->driver);
	if (s->ending && !is_fair(s))
		come_up(s, false);
}

/* Nothing is kept of what is over; but what the store has lost and found again only expires. */
void faults_finish(struct sim *s)
{
	const struct driver_record *r;
	struct engine_stats st;
	uint32_t cursor = 0;

	if (!faults_are_on(s))
		return;
	while ((r = driver_store_next(s->driver, &cursor)) != NULL)
		if (!s->faults.reverted)
			sim_fail(s, NULL, "%s %.*s is still stored, version %u",
				 checkpoint_kind_name(r->kind), (int)IDENT_LEN, r->id, r->version);
	driver_stats(s->driver, &st);
	if (st.store_inflight || st.store_dirty || st.store_held || st.degraded)
		sim_fail(s, NULL, "at the end %u puts are under way, %u to be made, %u held",
			 st.store_inflight, st.store_dirty, st.store_held);
	if (s->conf.store == SIM_STORE_STEADY && s->tally.unstored)
		sim_fail(s, NULL, "%llu answers left unstored from a store that is well",
			 (unsigned long long)s->tally.unstored);
}

void faults_report(const struct sim *s)
{
	const struct sim_tally *t = &s->tally;

	printf("# deaths %llu (in mid-event %llu, handed over %llu), storms %llu, data lost %llu\n",
	       (unsigned long long)t->deaths, (unsigned long long)t->torn,
	       (unsigned long long)t->handed, (unsigned long long)t->storms,
	       (unsigned long long)t->reverts);
	printf("# established calls that went on %llu; over, but not yet stored so %llu; answers "
	       "that left unstored %llu\n",
	       (unsigned long long)t->went_on, (unsigned long long)t->ended_unstored,
	       (unsigned long long)t->unstored);
	printf("# calls that did not go on: not rung or not stored yet %llu, answer unstored %llu, "
	       "lost by the store %llu; ends that gave up ringing %llu, never told %llu, of those "
	       "branches that had lost %llu\n",
	       (unsigned long long)t->gone[SIM_LOST_RINGING],
	       (unsigned long long)t->gone[SIM_LOST_UNSTORED],
	       (unsigned long long)t->gone[SIM_LOST_DATA], (unsigned long long)t->impatient,
	       (unsigned long long)t->bereaved, (unsigned long long)t->forks);
}
