/*
 * Two nodes in one process, with a redis-server and heartbeats over loopback: who
 * serves what, and that it is never both.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "control/cluster_internal.h"
#include "tests/lib/real_redis.h"
#include "tests/lib/unit.h"
#include "tests/unit/control/cluster_dp.h"

#define NODES   2u
#define GROUPS  2u
#define LEASE   1500u /* generous: the machine that tests may be busy */
#define WAIT_MS 60000u

struct node {
	struct config *config;
	struct dataplane dp;
	struct redis *redis;
	struct store *store;
	struct warm *warm;
	struct cluster *cluster;
	uint32_t drained, fenced;
	uint64_t stored;
	bool holds; /* its workers do not answer barriers */
};

static struct real_redis server, *redis = &server;
static uint32_t replicas;
static uint64_t key;
static uv_loop_t loop;
static uv_timer_t guard;
static struct node node[NODES];
static uint16_t port[NODES];

/* ---- nodes ---- */

static void on_up(void *arg, const struct redis_up *up)
{
	store_redis_up(((struct node *)arg)->store, up);
}

static void on_down(void *arg, const char *why)
{
	(void)why;
	store_redis_down(((struct node *)arg)->store);
}

static void on_stored(void *arg, uint16_t worker, enum checkpoint_kind kind, uint64_t handle,
		      uint32_t version, bool ok)
{
	(void)worker;
	(void)kind;
	(void)handle;
	(void)version;
	((struct node *)arg)->stored += ok;
}

static void on_mode(void *arg, bool up, bool resync)
{
	(void)arg;
	(void)up;
	(void)resync;
}

static void on_fenced(void *arg, uint16_t group)
{
	struct node *n = arg;

	n->fenced++;
	cluster_fenced(n->cluster, group);
}

static struct config *make_config(unsigned self, unsigned lease)
{
	static struct config_report report;
	char text[2048];
	struct config *c;

	snprintf(text, sizeof(text),
		 "node: {name: n%u, key_file: /nowhere}\n"
		 "state: {redis: \"unix:%s\", timeout: 5000, replicas: %u}\n"
		 "cluster:\n"
		 "  name: test\n"
		 "  lease: %u\n"
		 "  alone: 3000\n"
		 "  give_back_after: 0\n"
		 "  nodes:\n"
		 "    - {name: n0, address: \"127.0.0.1:%u\"}\n"
		 "    - {name: n1, address: \"127.0.0.1:%u\"}\n"
		 "  groups:\n"
		 "    - {name: g0, home: n0, addresses: [{realm: a, ip: 192.0.2.10}]}\n"
		 "    - {name: g1, home: n1, addresses: [{realm: a, ip: 192.0.2.11}]}\n"
		 "ports:\n"
		 "  - {name: out, device: net_null0, address: 192.0.2.%u/24}\n"
		 "realms:\n"
		 "  - {name: a, port: out, trust: trusted, sip: [\"udp:5060\"],\n"
		 "     media: 20000-20999}\n",
		 self, redis->path, replicas, lease, port[0], port[1], self + 1);
	c = config_parse("t", text, strlen(text), CONFIG_CHECK_TEXT, &report);
	if (!c) {
		config_report_print(&report, stderr);
		fail();
		return NULL;
	}
	c->dp.key = (struct siphash_key){5, key};
	return c;
}

static void open_store(struct node *n)
{
	const struct redis_events events = {on_up, on_down, n};
	const struct store_io io = {on_stored, on_mode, on_fenced, n};
	const struct store_conf conf = {.cluster = n->config->cluster.name,
					.followed = true,
					.groups = GROUPS,
					.group = n->config->snapshot.group,
					.gather_ms = 1,
					.deletes_max = 1000};

	n->redis = redis_open(&loop, &n->config->state, "test", &events);
	assert_non_null(n->redis);
	n->store = store_open(&loop, n->redis, &conf, &io);
	n->warm = warm_new(&n->config->dp.key, 10000, 1 << 24);
	assert_true(n->store && n->warm);
}

static void start_with(unsigned i, unsigned lease)
{
	struct node *n = &node[i];
	char why[256] = "";

	memset(n, 0, sizeof(*n));
	n->config = make_config(i, lease);
	open_store(n);
	n->cluster = cluster_open(&loop, n->config, n->store, n->warm, why, sizeof(why));
	if (!n->cluster)
		fail_msg("%s", why);
	cluster_start(n->cluster, &n->dp);
}

static void start(unsigned i)
{
	start_with(i, LEASE);
}

/* As when the process is killed: nothing is said, nothing is given up. */
static void crash(unsigned i)
{
	struct node *n = &node[i];

	if (!n->cluster)
		return;
	cluster_close(n->cluster);
	store_close(n->store);
	redis_close(n->redis);
	warm_free(n->warm);
	n->cluster = NULL;
	n->store = NULL;
	memset(&n->dp, 0, sizeof(n->dp));
	for (int turn = 0; turn < 50; turn++)
		uv_run(&loop, UV_RUN_NOWAIT);
	free(n->config);
	n->config = NULL;
}

/* ---- waiting ---- */

static void on_guard(uv_timer_t *t)
{
	(void)t;
}

/* Whatever happens: no group is served by two. */
static void check_owners(void)
{
	for (uint16_t g = 0; g < GROUPS; g++)
		assert_false(dp_group_is_active(&node[0].dp, g) &&
			     dp_group_is_active(&node[1].dp, g));
}

static void pass_barrier(unsigned i)
{
	struct node *n = &node[i];
	uint64_t ref = n->dp.barrier;

	n->dp.barrier = 0;
	for (uint16_t w = 0; w < n->config->dp.workers; w++)
		cluster_passed(n->cluster, w, ref);
}

static bool turn(uint64_t until)
{
	for (unsigned i = 0; i < NODES; i++)
		if (node[i].cluster && node[i].dp.barrier && !node[i].holds)
			pass_barrier(i);
	uv_run(&loop, UV_RUN_ONCE);
	check_owners();
	return dp_now() < until;
}

#define WAIT_FOR(condition)                                                                        \
	do {                                                                                       \
		uint64_t until_ = dp_now() + WAIT_MS;                                              \
		while (!(condition) && turn(until_))                                               \
			;                                                                          \
		assert_true(condition);                                                            \
	} while (0)

static void pass(uint32_t ms)
{
	uint64_t until = dp_now() + ms;

	while (turn(until))
		;
}

static bool serves(unsigned i, uint16_t g)
{
	return dp_group_is_active(&node[i].dp, g) && node[i].dp.announced[g];
}

static bool is_ready(unsigned i)
{
	struct cluster_view v;

	cluster_view_read(node[1 - i].cluster, dp_now(), &v);
	return v.node[i].in && v.node[i].heard && v.node[i].ready;
}

static void start_both(void)
{
	start(0);
	start(1);
	WAIT_FOR(serves(0, 0) && serves(1, 1) && is_ready(0) && is_ready(1));
}

/* ---- records ---- */

static void make_id(char id[IDENT_LEN], uint16_t group, unsigned number)
{
	char text[IDENT_LEN + 16];

	snprintf(text, sizeof(text), "%u%031u", group, number);
	memcpy(id, text, IDENT_LEN);
}

static void put(unsigned i, uint16_t group, unsigned number, bool there)
{
	struct dp_store_op op = {
		.put = there, .whole = there, .group = group, .version = 1, .ttl_s = 100};
	char fields[64];
	struct wbuf w;

	make_id(op.id, group, number);
	wbuf_init(&w, fields, sizeof(fields));
	checkpoint_put(&w, SLICE_LIT("n"), SLICE_LIT("1"));
	op.fields = there ? wbuf_slice(&w) : SLICE_NONE;
	store_put(node[i].store, &op);
}

static void put_some(unsigned i, uint16_t group, unsigned from, unsigned count)
{
	uint64_t before = node[i].stored;

	for (unsigned k = 0; k < count; k++)
		put(i, group, from + k, true);
	WAIT_FOR(node[i].stored == before + count);
}

static bool has(unsigned i, uint16_t group, unsigned number)
{
	char id[IDENT_LEN];

	make_id(id, group, number);
	return cluster_dp_has(&node[i].dp, id);
}

/* ---- tests ---- */

static void each_group_is_served_at_home(void **state)
{
	struct cluster_view v;

	(void)state;
	start_both();
	do {
		turn(UINT64_MAX);
		cluster_view_read(node[0].cluster, dp_now(), &v);
	} while (v.group[1].owner != 1 || !v.loaded[1]);
	assert_int_equal(v.group[0].state, LEASE_MINE);
	assert_int_equal(v.group[0].owner, 0);
	assert_false(v.differs[0] || v.differs[1]);
	assert_int_equal(v.heartbeats_bad, 0);
}

static void a_dead_nodes_calls_go_on(void **state)
{
	(void)state;
	start_both();
	put_some(0, 0, 1, 300);
	put(0, 0, 5, false);
	pass(200);
	crash(0);
	/* Rings that are full now and then. */
	node[1].dp.full = 100;
	WAIT_FOR(serves(1, 0) && serves(1, 1));
	for (unsigned k = 1; k <= 300; k++)
		assert_int_equal(has(1, 0, k), k != 5);
	/* When it comes again, it gets its own back, with what has been added. */
	put_some(1, 0, 301, 1);
	start(0);
	WAIT_FOR(serves(0, 0));
	assert_int_equal(node[0].dp.records, 300);
	assert_true(has(0, 0, 301));
	WAIT_FOR(node[1].dp.records == 0);
}

static void on_drained(void *arg)
{
	((struct node *)arg)->drained++;
}

static void a_drain_gives_everything_away(void **state)
{
	struct cluster_view v;

	(void)state;
	start_both();
	put_some(0, 0, 1, 50);
	assert_true(cluster_has_heir(node[0].cluster));
	cluster_drain(node[0].cluster, true, on_drained, &node[0]);
	/* Nothing that is put until it is given away is lost. */
	put(0, 0, 51, true);
	WAIT_FOR(node[0].drained == 1 && serves(1, 0));
	assert_false(dp_group_is_active(&node[0].dp, 0));
	assert_int_equal(node[1].dp.records, 51);
	WAIT_FOR(node[0].dp.records == 0);
	cluster_view_read(node[0].cluster, dp_now(), &v);
	assert_true(v.draining);
	assert_true(v.given >= 1);
	assert_int_equal(v.lost, 0);
	assert_false(cluster_has_heir(node[1].cluster));
	/* And back. */
	cluster_drain(node[0].cluster, false, NULL, NULL);
	WAIT_FOR(serves(0, 0));
	assert_int_equal(node[0].dp.records, 51);
	assert_int_equal(node[0].drained, 1);
}

static void a_last_node_gives_up_what_nobody_takes(void **state)
{
	(void)state;
	start(0);
	WAIT_FOR(serves(0, 0) && serves(0, 1));
	assert_false(cluster_has_heir(node[0].cluster));
	cluster_drain(node[0].cluster, true, on_drained, &node[0]);
	pass(1000);
	assert_int_equal(node[0].drained, 0);
	assert_true(serves(0, 0));
	cluster_abandon(node[0].cluster);
	WAIT_FOR(node[0].drained == 1);
	assert_false(dp_group_is_active(&node[0].dp, 0) || dp_group_is_active(&node[0].dp, 1));
}

/* Whom node `i` takes for the owner. */
static uint16_t owner_at(unsigned i, uint16_t group)
{
	struct cluster_view v;

	cluster_view_read(node[i].cluster, dp_now(), &v);
	return v.group[group].owner;
}

static void an_operator_moves_a_group(void **state)
{
	const char *why = "";

	(void)state;
	start_both();
	put_some(0, 0, 1, 10);
	WAIT_FOR(owner_at(0, 1) == 1);
	assert_false(cluster_move(node[0].cluster, 0, 0, &why));
	assert_string_equal(why, "that node has the group already");
	assert_false(cluster_move(node[0].cluster, 1, 0, &why));
	assert_string_equal(why, "another node has the group: ask that one");
	assert_true(cluster_move(node[0].cluster, 0, 1, &why));
	WAIT_FOR(serves(1, 0));
	assert_int_equal(node[1].dp.records, 10);
}

static bool redis_has(uint16_t group, unsigned number)
{
	char id[IDENT_LEN];

	make_id(id, group, number);
	return real_redis_number(&server, "EXISTS postern:test:g%u:call:%b", group, id,
				 (size_t)IDENT_LEN) == 1;
}

/* Served until Redis has what is owed; what changes at the very end is written too. */
static void what_is_owed_is_written_before_and_after_serving(void **state)
{
	const char *why = "";
	uint32_t before;

	(void)state;
	start_both();
	put_some(0, 0, 1, 10);
	WAIT_FOR(node[0].dp.barrier == 0);
	before = node[0].dp.barriers;
	node[0].holds = true;
	assert_true(cluster_move(node[0].cluster, 0, 1, &why));
	WAIT_FOR(node[0].dp.barriers == before + 1);
	assert_true(dp_group_is_active(&node[0].dp, 0));
	/* What the workers had gathered comes before the barrier. */
	put(0, 0, 11, true);
	pass_barrier(0);
	while (dp_group_is_active(&node[0].dp, 0))
		turn(UINT64_MAX);
	assert_true(redis_has(0, 11));
	WAIT_FOR(node[0].dp.barriers == before + 2);
	assert_false(dp_group_is_active(&node[0].dp, 0) || dp_group_is_active(&node[1].dp, 0));
	put(0, 0, 12, true);
	pass_barrier(0);
	WAIT_FOR(serves(1, 0));
	assert_int_equal(node[0].dp.barriers, before + 2);
	assert_true(redis_has(0, 12));
	assert_int_equal(node[1].dp.records, 12);
}

/* The lease is renewed while nothing but the writing keeps the group here. */
static void a_group_is_served_as_long_as_its_writing_takes(void **state)
{
	struct cluster_view v;
	const char *why = "";
	uint32_t before;
	uint64_t until;

	(void)state;
	start_both();
	WAIT_FOR(node[0].dp.barrier == 0);
	before = node[0].dp.barriers;
	node[0].holds = true;
	assert_true(cluster_move(node[0].cluster, 0, 1, &why));
	WAIT_FOR(node[0].dp.barriers == before + 1);
	until = node[0].dp.until[0];
	WAIT_FOR(node[0].dp.until[0] != until);
	assert_true(node[0].dp.until[0] > until || node[0].dp.until[0] == 0);
	cluster_view_read(node[0].cluster, dp_now(), &v);
	assert_int_equal(v.group[0].state, LEASE_YIELDING);
	/* Workers that never answer hold nobody up for ever. */
	WAIT_FOR(serves(1, 0));
	assert_false(dp_group_is_active(&node[0].dp, 0));
}

/* The process stands still while its lease runs out, and goes on. */
static void who_slept_serves_no_more(void **state)
{
	struct node *n = &node[0];

	(void)state;
	start_both();
	put_some(0, 0, 1, 10);
	uv_timer_stop(&n->cluster->tick);
	uv_udp_recv_stop(&n->cluster->udp);
	redis_close(n->cluster->redis); /* nor does an answer reach it */
	n->cluster->redis = redis_open(&loop, &n->config->state, "none", &(struct redis_events){0});
	WAIT_FOR(serves(1, 0));
	assert_false(dp_group_is_active(&n->dp, 0));
	/* It wakes: what it still writes is refused, and it stops. */
	put(0, 0, 99, true);
	WAIT_FOR(n->fenced > 0);
	assert_int_equal(node[1].dp.records, 10);
	crash(0);
}

static struct net_addr address(const char *ip, uint16_t at)
{
	return (struct net_addr){inet_addr(ip), at};
}

/* A call of which only what a dialog is known by matters. */
static void put_call(unsigned i, uint16_t group)
{
	static struct call_checkpoint call;
	static char fields[CHECKPOINT_MAX], id[IDENT_LEN];
	struct dp_store_op op = {
		.put = true, .whole = true, .group = group, .version = 1, .ttl_s = 100};
	struct wbuf w;

	memset(&call, 0, sizeof(call));
	make_id(id, group, 7);
	memcpy(op.id, id, IDENT_LEN);
	call.id = slice_of(id, IDENT_LEN);
	call.version = 1;
	call.state = CHECKPOINT_ANSWERED;
	for (unsigned leg = 0; leg < 2; leg++) {
		struct checkpoint_leg *l = &call.leg[leg];

		l->realm = slice_str(node[i].config->snapshot.realm[group].name);
		l->listener = address("192.0.2.10", 5060);
		l->source = address("192.0.2.99", 5060);
		l->call_id = leg ? call.id : SLICE_LIT("far@example.com");
		l->local = SLICE_LIT("<sip:a@192.0.2.10>;tag=0123456789abcdef");
		l->remote = SLICE_LIT("<sip:b@192.0.2.99>;tag=x");
		l->tag = SLICE_LIT("0123456789abcdef");
		l->remote_tag = SLICE_LIT("x");
		l->target = SLICE_LIT("sip:b@192.0.2.99");
		l->confirmed = true;
	}
	wbuf_init(&w, fields, sizeof(fields));
	checkpoint_call_write(&w, &call);
	assert_true(wbuf_ok(&w));
	op.fields = wbuf_slice(&w);
	store_put(node[i].store, &op);
	WAIT_FOR(node[i].stored > 0);
}

static uint64_t print_of(unsigned i, const char *call_id)
{
	return engine_dialog_print(&node[i].config->dp.key, slice_str(call_id),
				   SLICE_LIT("0123456789abcdef"));
}

static void a_request_goes_to_the_node_that_has_its_dialog(void **state)
{
	struct dp_forward f = {.path = {1, address("192.0.2.99", 5062)},
			       .bytes = SLICE_LIT("BYE sip:a@192.0.2.11 SIP/2.0\r\n\r\n")};
	struct warm_count n;
	struct cluster_view v;

	(void)state;
	start_both();
	put_call(0, 0);
	f.print = print_of(1, "far@example.com");
	do {
		turn(UINT64_MAX);
		warm_count(node[1].warm, 0, &n);
	} while (n.calls == 0);
	cluster_forward(node[1].cluster, &f);
	WAIT_FOR(node[0].dp.messages == 1);
	/* As if it had come to the same realm's instance on its own group's address. */
	assert_int_equal(node[0].dp.message[0].path.listener, 0);
	assert_true(net_addr_eq(node[0].dp.message[0].path.remote, f.path.remote));
	assert_string_equal(node[0].dp.message[0].text, "BYE sip:a@192.0.2.11 SIP/2.0\r\n\r\n");
	cluster_view_read(node[1].cluster, dp_now(), &v);
	assert_int_equal(v.forwarded, 1);
	assert_int_equal(node[1].dp.messages, 0);
}

static void a_request_that_nobody_knows_is_answered_when_repeated(void **state)
{
	struct dp_forward f = {.print = 1234,
			       .path = {1, address("192.0.2.99", 5062)},
			       .bytes = SLICE_LIT("BYE sip:a@192.0.2.11 SIP/2.0\r\n\r\n")};
	struct cluster_view v;

	(void)state;
	start_both();
	cluster_forward(node[1].cluster, &f);
	cluster_forward(node[1].cluster, &f);
	assert_int_equal(node[1].dp.messages, 0);
	pass(300);
	cluster_forward(node[1].cluster, &f);
	assert_int_equal(node[1].dp.messages, 1);
	assert_int_equal(node[1].dp.message[0].path.listener, 1);
	cluster_view_read(node[1].cluster, dp_now(), &v);
	assert_int_equal(v.forward_unknown, 3);
	assert_int_equal(node[0].dp.messages, 0);
}

static void other_settings_take_no_part(void **state)
{
	struct cluster_view v;

	(void)state;
	start(0);
	WAIT_FOR(serves(0, 0) && serves(0, 1));
	start_with(1, LEASE + 100);
	do {
		turn(UINT64_MAX);
		cluster_view_read(node[1].cluster, dp_now(), &v);
	} while (!v.differs[0] || !v.differs[1]);
	pass(2 * LEASE);
	cluster_view_read(node[0].cluster, dp_now(), &v);
	assert_true(v.differs[1]);
	assert_false(v.node[1].in || v.node[1].heard);
	assert_true(v.heartbeats_bad > 0);
	assert_true(serves(0, 0) && serves(0, 1));
	/* Nor when the others are gone. */
	crash(0);
	pass(3 * LEASE);
	assert_false(dp_group_is_active(&node[1].dp, 0) || dp_group_is_active(&node[1].dp, 1));
}

/* It could restore nothing: identifiers are told to be ours by the key. */
static void another_key_takes_no_part(void **state)
{
	struct cluster_view v;

	(void)state;
	start(0);
	WAIT_FOR(serves(0, 0) && serves(0, 1));
	key++;
	start(1);
	do {
		turn(UINT64_MAX);
		cluster_view_read(node[1].cluster, dp_now(), &v);
	} while (!v.differs[1]);
	crash(0);
	pass(3 * LEASE);
	assert_false(dp_group_is_active(&node[1].dp, 0) || dp_group_is_active(&node[1].dp, 1));
}

/* A lease that a failover could lose is none. */
static void a_lease_counts_when_replicas_have_it(void **state)
{
	struct real_redis master, replica;
	char extra[64];

	(void)state;
	real_redis_start(&master, real_redis_port(), "");
	redis = &master;
	replicas = 1;
	start(0);
	pass(3 * LEASE);
	assert_false(dp_group_is_active(&node[0].dp, 0) || dp_group_is_active(&node[0].dp, 1));
	snprintf(extra, sizeof(extra), "replicaof 127.0.0.1 %u", master.port);
	real_redis_start(&replica, 0, extra);
	WAIT_FOR(serves(0, 0) && serves(0, 1));
	/* A server that has forgotten its scripts changes nothing. */
	real_redis_do(&master, "SCRIPT FLUSH");
	pass(LEASE);
	assert_true(serves(0, 0) && serves(0, 1));
	real_redis_freeze(&replica, true);
	WAIT_FOR(!dp_group_is_active(&node[0].dp, 0));
	real_redis_freeze(&replica, false);
	WAIT_FOR(serves(0, 0));
	crash(0);
	real_redis_remove(&replica);
	real_redis_remove(&master);
}

/* Redis is gone for longer than a lease: nothing goes down. */
static void redis_may_be_away(void **state)
{
	(void)state;
	start_both();
	real_redis_freeze(&server, true);
	pass(4 * LEASE);
	assert_true(serves(0, 0) && serves(1, 1));
	real_redis_freeze(&server, false);
	pass(2 * LEASE);
	WAIT_FOR(serves(0, 0) && serves(1, 1));
}

static void strangers_are_not_listened_to(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port[0]),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct cluster_view v;
	char junk[700];

	(void)state;
	start(0);
	memset(junk, 'x', sizeof(junk));
	assert_int_equal(sendto(fd, junk, sizeof(junk), 0, (struct sockaddr *)&to, sizeof(to)),
			 sizeof(junk));
	do {
		turn(UINT64_MAX);
		cluster_view_read(node[0].cluster, dp_now(), &v);
	} while (v.heartbeats_bad == 0);
	close(fd);
}

/* ---- the bed ---- */

static uint16_t free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static int set_up(void **state)
{
	(void)state;
	real_redis_do(&server, "FLUSHALL");
	redis = &server;
	replicas = 0;
	key = 6;
	port[0] = free_port();
	do
		port[1] = free_port();
	while (port[1] == port[0]);
	assert_int_equal(uv_loop_init(&loop), 0);
	uv_timer_init(&loop, &guard);
	uv_timer_start(&guard, on_guard, 5, 5);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	crash(0);
	crash(1);
	uv_close((uv_handle_t *)&guard, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	/* Nothing is left behind. */
	assert_int_equal(uv_loop_close(&loop), 0);
	return 0;
}

static int start_server(void **state)
{
	(void)state;
	real_redis_start(&server, 0, "");
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	real_redis_remove(&server);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_group_is_served_at_home),
		TEST(a_dead_nodes_calls_go_on),
		TEST(a_drain_gives_everything_away),
		TEST(a_last_node_gives_up_what_nobody_takes),
		TEST(an_operator_moves_a_group),
		TEST(what_is_owed_is_written_before_and_after_serving),
		TEST(a_group_is_served_as_long_as_its_writing_takes),
		TEST(who_slept_serves_no_more),
		TEST(a_request_goes_to_the_node_that_has_its_dialog),
		TEST(a_request_that_nobody_knows_is_answered_when_repeated),
		TEST(other_settings_take_no_part),
		TEST(another_key_takes_no_part),
		TEST(a_lease_counts_when_replicas_have_it),
		TEST(redis_may_be_away),
		TEST(strangers_are_not_listened_to),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
