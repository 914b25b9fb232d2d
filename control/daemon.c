#include "control/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "control/ctl.h"
#include "control/drain.h"
#include "control/host.h"
#include "control/node_key.h"
#include "control/records.h"
#include "control/state.h"

#define POLL_BUSY_MS       2u
#define POLL_IDLE_MS       25u
#define POLL_IDLE_MAX_MS   200u /* when there was nothing for long: less than WATCH_MS */
#define WATCH_MS           250u
#define LOG_TICK_MS        1000u
#define RECORDS_A_POLL     4096u
#define FINISH_MS          5000u          /* for writing what is owed, after a drain */
#define FINISH_FAST_MS     1000u          /* and when told to stop at once */
#define HUGEPAGES_AT_LEAST (256ull << 20) /* unless node.memory_mb says otherwise */

struct node {
	struct config *config;
	uv_loop_t loop;
	uv_timer_t poll;
	uv_signal_t term, intr;
	struct dataplane *dp;
	struct collect *collect;
	struct ctl ctl;
	struct ctl_server *server;
	struct drain drain;
	struct state *state;
	uint64_t watch_at, tick_at, leave_at;
	uint32_t idle_ms;
	bool has_pidfile, ready, handing_over, finishing;
};

static bool fail(const char *why)
{
	log_at(LOG_LEVEL_ERROR, LOG_MSG("cannot start"), LOG_STR("why", why));
	return false;
}

static void on_finished(void *arg)
{
	struct node *n = arg;

	uv_stop(&n->loop);
}

/* What is owed is written first; asked a second time, it is not waited for. */
static void stop(struct node *n, uint32_t within_ms)
{
	if (n->finishing) {
		uv_stop(&n->loop);
		return;
	}
	n->finishing = true;
	state_finish(n->state, within_ms, on_finished, n);
}

static void poll_now(void *arg);

/* Whether there were any. */
static bool take_records(struct node *n)
{
	struct engine_record r;
	uint16_t worker;

	uint32_t i;

	for (i = 0; i < RECORDS_A_POLL && dp_record_take(n->dp, &r, &worker); i++)
		records_log(&n->config->snapshot, &r, worker);
	return i > 0;
}

/* A worker that hangs holds buffers and rings that dp_stop() would wait for: leave at once. */
static void watch(struct node *n, uint64_t now)
{
	/* Late ourselves: the whole process was stopped, and the workers must have a turn first. */
	bool late = now >= n->watch_at + WATCH_MS;

	if (now < n->watch_at)
		return;
	n->watch_at = now + WATCH_MS;
	if (late || dp_is_alive(n->dp))
		return;
	log_at(LOG_LEVEL_ERROR, LOG_MSG("a worker has died or hangs: giving up"));
	unlink(n->config->control);
	if (n->has_pidfile)
		unlink(n->config->pidfile);
	_exit(EXIT_WORKER);
}

/* Groups that nobody has taken when the drain time is over are left: their calls are in Redis. */
static bool has_waited(const struct node *n, uint64_t now)
{
	return n->handing_over && now >= n->leave_at;
}

/* A node alone has taken up its calls again, or waited for Redis in vain. */
static void watch_ready(struct node *n)
{
	const struct config *c = n->config;

	if (n->ready || !state_is_ready(n->state))
		return;
	n->ready = true;
	log_at(LOG_LEVEL_INFO, LOG_MSG("ready"), LOG_STR("node", c->snapshot.node),
	       LOG_STR("version", POSTERN_VERSION), LOG_U64("workers", c->dp.workers),
	       LOG_U64("ports", c->dp.ports), LOG_STR("control", c->control));
	host_notify("READY=1");
}

static void on_poll(uv_timer_t *t)
{
	struct node *n = t->data;
	uint64_t now;

	uv_update_time(&n->loop);
	now = uv_now(&n->loop);
	n->idle_ms = take_records(n) || !n->ready ? POLL_IDLE_MS : 2 * n->idle_ms;
	if (n->idle_ms > POLL_IDLE_MAX_MS)
		n->idle_ms = POLL_IDLE_MAX_MS;
	collect_poll(n->collect, now);
	watch(n, now);
	watch_ready(n);
	if (now >= n->tick_at) {
		n->tick_at = now + LOG_TICK_MS;
		log_tick();
	}
	if (!n->finishing && (drain_turn(&n->drain, now) || has_waited(n, now)))
		stop(n, FINISH_MS);
	uv_timer_start(t, on_poll,
		       collect_active(n->collect) || drain_is_busy(&n->drain) ? POLL_BUSY_MS
									      : n->idle_ms,
		       0);
}

static void poll_now(void *arg)
{
	struct node *n = arg;

	uv_timer_start(&n->poll, on_poll, 1, 0);
}

static void on_handed_over(void *arg)
{
	stop(arg, FINISH_MS);
}

/* Other nodes take the calls with the addresses; alone, calls are waited for. */
static void leave(struct node *n)
{
	struct cluster *c = state_cluster(n->state);

	if (!c) {
		drain_begin(&n->drain, uv_now(&n->loop));
		return;
	}
	n->handing_over = true;
	n->leave_at = uv_now(&n->loop) + (uint64_t)n->config->drain_timeout_s * 1000;
	log_at(LOG_LEVEL_INFO, LOG_MSG("draining: handing the groups to other nodes"),
	       LOG_U64("timeout_s", n->config->drain_timeout_s));
	cluster_drain(c, true, on_handed_over, n);
}

static void on_term(uv_signal_t *s, int signum)
{
	struct node *n = s->data;

	(void)signum;
	host_notify("STOPPING=1");
	uv_update_time(&n->loop);
	if (drain_begun(&n->drain) || n->handing_over) {
		log_at(LOG_LEVEL_WARN, LOG_MSG("second SIGTERM: stopping at once"));
		stop(n, FINISH_FAST_MS);
		return;
	}
	leave(n);
	poll_now(n);
}

static void on_intr(uv_signal_t *s, int signum)
{
	struct node *n = s->data;

	(void)signum;
	log_at(LOG_LEVEL_INFO, LOG_MSG("SIGINT: stopping at once"));
	uv_update_time(&n->loop);
	stop(n, FINISH_FAST_MS);
}

static bool take_key(struct config *c)
{
	char why[512];

	if (!c->key_file[0])
		return node_key_keep(c->state.directory, &c->dp.key, why, sizeof(why)) || fail(why);
	return node_key_read(c->key_file, &c->dp.key, why, sizeof(why)) || fail(why);
}

static void choose_hugepages(struct config *c)
{
	uint64_t wanted = c->dp.memory_mb ? (uint64_t)c->dp.memory_mb << 20 : HUGEPAGES_AT_LEAST;
	uint64_t there = host_free_hugepages();

	c->dp.hugepages = c->hugepages == CONFIG_HUGE_YES ||
			  (c->hugepages == CONFIG_HUGE_AUTO && there >= wanted);
	if (c->hugepages == CONFIG_HUGE_AUTO && !c->dp.hugepages)
		log_at(LOG_LEVEL_INFO, LOG_MSG("too few free huge pages: running on ordinary ones"),
		       LOG_U64("free_mb", there >> 20), LOG_U64("wanted_mb", wanted >> 20));
}

/* Signals are caught from before the dataplane starts, so that none ends it half begun. */
static bool start_loop(struct node *n)
{
	if (uv_loop_init(&n->loop) < 0)
		return fail("no event loop");
	signal(SIGPIPE, SIG_IGN);
	uv_timer_init(&n->loop, &n->poll);
	uv_signal_init(&n->loop, &n->term);
	uv_signal_init(&n->loop, &n->intr);
	n->poll.data = n->term.data = n->intr.data = n;
	if (uv_signal_start(&n->term, on_term, SIGTERM) < 0 ||
	    uv_signal_start(&n->intr, on_intr, SIGINT) < 0)
		return fail("signals cannot be caught");
	return true;
}

static bool start_control(struct node *n)
{
	char why[512];

	n->ctl = (struct ctl){.config = n->config, .asked = poll_now, .arg = n};
	n->server = ctl_server_open(&n->loop, n->config->control, ctl_serve_line, &n->ctl, why,
				    sizeof(why));
	if (!n->server || !host_write_pidfile(n->config->pidfile, why, sizeof(why)))
		return fail(why);
	n->has_pidfile = n->config->pidfile[0] != '\0';
	return true;
}

/* After the control socket, by which a second process on this configuration is refused. */
static bool start_state(struct node *n)
{
	char why[512] = "";

	n->state = state_open(&n->loop, n->config, why, sizeof(why));
	n->ctl.state = n->state;
	return n->state || fail(why);
}

static bool start_dataplane(struct node *n)
{
	struct config *c = n->config;
	char why[512] = "";

	c->snapshot.version = 1;
	c->dp.groups_held = true;
	/* What would not be logged is not made: at tens of thousands of calls a second it adds up. */
	c->dp.no_records = c->log_rate == 0 || log_get_level() < LOG_LEVEL_INFO;
	n->dp = dp_start(&c->dp, why, sizeof(why));
	if (!n->dp)
		return fail(why);
	n->collect = collect_new(n->dp, c->dp.workers);
	if (!n->collect)
		return fail("out of memory");
	n->ctl.collect = n->collect;
	n->ctl.began_ms = dp_now();
	drain_init(&n->drain, n->dp, n->collect, c->dp.workers, c->drain_timeout_s);
	records_init(c->log_rate);
	return true;
}

static void run(struct node *n)
{
	uv_update_time(&n->loop);
	state_start(n->state, n->dp);
	poll_now(n);
	uv_run(&n->loop, UV_RUN_DEFAULT);
}

/* What others have open they close themselves, and may have to wait for: a redis-server's end. */
static void close_ours(uv_handle_t *h, void *arg)
{
	struct node *n = arg;
	const void *const ours[] = {&n->poll, &n->term, &n->intr};

	for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (h == ours[i] && !uv_is_closing(h))
			uv_close(h, NULL);
}

static void end(struct node *n)
{
	n->ctl.collect = NULL;
	collect_free(n->collect);
	ctl_server_close(n->server);
	state_close(n->state);
	n->ctl.state = NULL;
	uv_walk(&n->loop, close_ours, n);
	uv_run(&n->loop, UV_RUN_DEFAULT);
	uv_loop_close(&n->loop);
	drain_free(&n->drain);
	if (n->dp) {
		take_records(n);
		dp_stop(n->dp);
	}
	if (n->has_pidfile)
		unlink(n->config->pidfile);
}

int daemon_run(struct config *config)
{
	struct node n = {.config = config};
	bool ok;

	if (!take_key(config))
		return EXIT_REFUSED;
	choose_hugepages(config);
	ok = start_loop(&n) && start_control(&n) && start_state(&n) && start_dataplane(&n);
	if (ok)
		run(&n);
	end(&n);
	if (ok)
		log_at(LOG_LEVEL_INFO, LOG_MSG("stopped"));
	return ok ? EXIT_SUCCESS : EXIT_REFUSED;
}
