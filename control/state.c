#include "control/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/log.h"
#include "control/state_internal.h"

#define TURN_MS    2u
#define OPS_A_TURN 4096u
#define TAKE_MS    2u    /* between takings while there is something to take */
#define GATHER_MS  0u    /* what is taken at once goes out at once */
#define WARM_BYTES 4096u /* of a record, at most on average */
#define OWED_MS    (ENGINE_STORE_GATHER_MS + 50u)
#define FORGOTTEN  "Redis refuses writes: another process writes under this node's name"

/* ---- Redis and the store ---- */

static void on_redis_up(void *arg, const struct redis_up *up)
{
	struct state *s = arg;

	s->ups++;
	store_redis_up(s->store, up);
	if (s->alone)
		state_alone_up(s);
}

static void on_redis_down(void *arg, const char *why)
{
	struct state *s = arg;

	(void)why; /* the connection has logged it */
	s->downs++;
	store_redis_down(s->store);
}

static void on_stored(void *arg, uint16_t worker, enum checkpoint_kind kind, uint64_t handle,
		      uint32_t version, bool ok)
{
	const struct state_ack ack = {.handle = handle,
				      .version = version,
				      .worker = worker,
				      .kind = (uint8_t)kind,
				      .ok = ok};

	state_post_ack(arg, &ack);
}

static void on_mode(void *arg, bool up, bool resync)
{
	struct state *s = arg;

	s->up = up;
	s->resync_owed |= resync;
	if (resync)
		log_at(LOG_LEVEL_WARN, LOG_MSG("Redis may have lost data: all is written again"));
	else if (up)
		log_at(LOG_LEVEL_INFO, LOG_MSG("calls and registrations are kept"));
	else
		log_at(LOG_LEVEL_WARN, LOG_MSG("nothing can be kept now: calls go on, and what is "
					       "owed is written later"));
	state_post_mode(s);
}

static void on_fenced(void *arg, uint16_t group)
{
	struct state *s = arg;

	if (s->cluster) {
		cluster_fenced(s->cluster, group);
		return;
	}
	log_at(LOG_LEVEL_ERROR,
	       LOG_MSG("another process writes under this node's name: nothing is kept any more"));
	s->fenced = true;
	state_post_mode(s);
}

/* ---- from and to the workers ---- */

static void on_turn(uv_timer_t *t);

void state_turn_soon(struct state *s)
{
	if (s->has_handles && !uv_is_active((uv_handle_t *)&s->turn))
		uv_timer_start(&s->turn, on_turn, TURN_MS, TURN_MS);
}

/* False when there was more than one turn may take. */
static bool take_ops(struct state *s, bool *some)
{
	struct dp_store_op op;
	struct dp_forward f;

	for (uint32_t n = 0; dp_store_take(s->dp, &op); n++) {
		if (op.barrier == 0)
			store_put(s->store, &op);
		else if (s->cluster)
			cluster_passed(s->cluster, op.worker, op.barrier);
		*some = true;
		if (n == OPS_A_TURN)
			return false;
	}
	for (uint32_t n = 0; dp_forward_take(s->dp, &f); n++) {
		if (s->cluster)
			cluster_forward(s->cluster, &f);
		*some = true;
		if (n == OPS_A_TURN)
			return false;
	}
	return true;
}

/* Whether there was anything. */
static bool take(struct state *s)
{
	bool some = false;

	if (!take_ops(s, &some))
		state_turn_soon(s);
	if (s->cluster)
		cluster_woken(s->cluster);
	return some;
}

/*
 * Workers that are busy wake us once; then what they have put is taken every TAKE_MS, many
 * at a time, until there is nothing.
 */
static void on_take(uv_timer_t *t)
{
	struct state *s = t->data;

	if (take(s)) {
		uv_timer_start(t, on_take, TAKE_MS, 0);
		return;
	}
	/* What was put until the clearing is taken here; what comes after wakes us. */
	dp_wake_clear(s->dp);
	take(s);
}

static void on_wake(uv_poll_t *p, int status, int events)
{
	struct state *s = p->data;

	(void)events;
	if (status < 0)
		return;
	dp_wake_hold(s->dp);
	take(s);
	uv_timer_start(&s->take, on_take, TAKE_MS, 0);
}

static void on_turn(uv_timer_t *t)
{
	struct state *s = t->data;
	bool some = false, taken = take_ops(s, &some), posted = state_post_all(s);
	bool more = s->alone && state_alone_turn(s);

	if (taken && posted && !more && !s->mode_owed && !s->activate_owed)
		uv_timer_stop(t);
}

void state_start(struct state *s, struct dataplane *dp)
{
	s->dp = dp;
	uv_poll_init(s->loop, &s->wake, dp_wake_fd(dp));
	uv_timer_init(s->loop, &s->turn);
	uv_timer_init(s->loop, &s->take);
	uv_timer_init(s->loop, &s->finish);
	s->wake.data = s->take.data = s->turn.data = s->finish.data = s;
	s->has_handles = true;
	uv_poll_start(&s->wake, UV_READABLE, on_wake);
	state_post_mode(s);
	if (s->cluster)
		cluster_start(s->cluster, dp);
	else
		state_alone_start(s);
}

bool state_is_ready(const struct state *s)
{
	return s->cluster || s->serving;
}

/* ---- leaving ---- */

static void finished(struct state *s)
{
	void (*done)(void *arg) = s->done;

	uv_timer_stop(&s->finish);
	s->done = NULL;
	if (done)
		done(s->done_arg);
}

static void on_flushed(void *arg)
{
	struct state *s = arg;

	if (s->flushing)
		finished(s);
}

static void on_late(uv_timer_t *t)
{
	struct state *s = t->data;

	log_at(LOG_LEVEL_WARN, LOG_MSG("leaving with state that could not be written"));
	finished(s);
}

/* Engines have handed over what they had gathered. */
static void on_gathered(uv_timer_t *t)
{
	struct state *s = t->data;
	uint64_t now = uv_now(s->loop);
	bool some = false;

	take_ops(s, &some);
	s->flushing = true;
	uv_timer_start(t, on_late, s->finish_at_ms > now ? s->finish_at_ms - now : 1, 0);
	store_flush(s->store, on_flushed, s);
}

static void on_given(void *arg)
{
	struct state *s = arg;

	if (s->done && !s->flushing)
		on_gathered(&s->finish);
}

void state_finish(struct state *s, uint32_t within_ms, void (*done)(void *arg), void *arg)
{
	uint64_t now = uv_now(s->loop);

	s->done = done;
	s->done_arg = arg;
	s->finishing = true;
	s->finish_at_ms = now + within_ms;
	if (s->cluster) {
		uv_timer_start(&s->finish, on_late, within_ms, 0);
		cluster_drain(s->cluster, true, on_given, s);
		cluster_abandon(s->cluster);
		return;
	}
	dp_group_until(s->dp, 0, 0);
	s->serving = false;
	uv_timer_start(&s->finish, on_gathered, within_ms < OWED_MS ? within_ms / 2 : OWED_MS, 0);
}

/* ---- life ---- */

static struct state *fail(struct state *s, char *why, size_t why_len, const char *what)
{
	if (what)
		snprintf(why, why_len, "%s", what);
	state_close(s);
	return NULL;
}

/* Two processes that wrote to one directory would undo each other's state. */
static bool lock_directory(struct state *s, char *why, size_t why_len)
{
	const char *dir = s->config->state.directory;
	char path[CONFIG_PATH + 8];

	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		snprintf(why, why_len, "state.directory %s cannot be made: %s", dir,
			 strerror(errno));
		return false;
	}
	snprintf(path, sizeof(path), "%s/lock", dir);
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0) {
		snprintf(why, why_len, "state.directory %s cannot be written to: %s", dir,
			 strerror(errno));
		return false;
	}
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	snprintf(why, why_len,
		 "state.directory %s is in use by another process: expected one of this node's own",
		 dir);
	return false;
}

static bool has_redis(const struct config_state *c)
{
	return c->redis[0] || c->sentinels;
}

static bool open_redis(struct state *s, char *why, size_t why_len)
{
	static const char name[] = "postern";
	const struct redis_events events = {on_redis_up, on_redis_down, s};
	struct config_state conf = s->config->state;

	if (!has_redis(&conf)) {
		s->server = redis_server_start(s->loop, conf.directory, why, why_len);
		if (!s->server)
			return false;
		snprintf(conf.redis, sizeof(conf.redis), "%s", redis_server_address(s->server));
	}
	s->redis = redis_open(s->loop, &conf, name, &events);
	if (!s->redis)
		snprintf(why, why_len, "out of memory");
	return s->redis != NULL;
}

static bool open_store(struct state *s)
{
	struct snapshot *snap = &s->config->snapshot;
	const struct engine_limits *l = &s->config->dp.limits;
	uint64_t records = ((uint64_t)l->calls + l->registrations) * s->config->dp.workers;
	const struct store_conf conf = {.cluster = s->config->cluster.name,
					.alone = s->alone,
					.followed = !s->alone,
					.groups = snap->groups,
					.group = snap->group,
					.gather_ms = GATHER_MS,
					.deletes_max = (uint32_t)records};
	const struct store_io io = {on_stored, on_mode, on_fenced, s};

	s->store = store_open(s->loop, s->redis, &conf, &io);
	if (s->store && !s->alone)
		s->warm = warm_new(&s->config->dp.key, (uint32_t)(records * snap->groups),
				   records * snap->groups * WARM_BYTES);
	return s->store && (s->alone || s->warm);
}

struct state *state_open(uv_loop_t *loop, struct config *config, char *why, size_t why_len)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	s->loop = loop;
	s->config = config;
	s->lock = -1;
	s->alone = config->cluster.nodes == 0;
	s->record_end = &s->record;
	if (!lock_directory(s, why, why_len) ||
	    (!config->state.none && !open_redis(s, why, why_len)))
		return fail(s, why, why_len, NULL);
	if (!open_store(s))
		return fail(s, why, why_len, "out of memory");
	if (s->alone)
		return s;
	s->cluster = cluster_open(loop, config, s->store, s->warm, why, why_len);
	return s->cluster ? s : fail(s, why, why_len, NULL);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct state *s = h->data;

	if (--s->handles == 0)
		free(s);
}

void state_close(struct state *s)
{
	if (!s)
		return;
	s->done = NULL;
	if (s->cluster)
		cluster_close(s->cluster);
	store_close(s->store);
	if (s->redis)
		redis_close(s->redis);
	if (s->server)
		redis_server_stop(s->server);
	warm_free(s->warm);
	state_post_free(s);
	if (s->lock >= 0)
		close(s->lock);
	if (!s->has_handles) {
		free(s);
		return;
	}
	s->has_handles = false;
	s->handles = 4;
	uv_close((uv_handle_t *)&s->take, on_handle_closed);
	uv_close((uv_handle_t *)&s->wake, on_handle_closed);
	uv_close((uv_handle_t *)&s->turn, on_handle_closed);
	uv_close((uv_handle_t *)&s->finish, on_handle_closed);
}

struct store *state_store(struct state *s)
{
	return s->store;
}

struct warm *state_warm(struct state *s)
{
	return s->warm;
}

struct cluster *state_cluster(struct state *s)
{
	return s->cluster;
}

static bool serves_any(const struct state *s)
{
	for (uint16_t i = 0; s->dp && i < s->config->snapshot.groups; i++)
		if (dp_group_is_active(s->dp, i))
			return true;
	return false;
}

void state_view_read(const struct state *s, struct state_view *v)
{
	const struct config_state *c = &s->config->state;

	*v = (struct state_view){.serving = serves_any(s),
				 .own = s->server != NULL,
				 .behind = c->behind,
				 .none = c->none,
				 .redis = s->server      ? redis_server_address(s->server)
					  : c->sentinels ? c->master
							 : c->redis,
				 .restored = s->restored,
				 .restore_ms = s->restore_ms,
				 .ups = s->ups,
				 .downs = s->downs};
	store_gauges_read(s->store, &v->store);
}
