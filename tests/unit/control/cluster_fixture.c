#include "tests/unit/control/cluster_fixture.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct real_redis server, *redis = &server;
uint32_t replicas;
uint64_t key;
uv_loop_t loop;
struct node node[NODES];
uint16_t port[NODES];

static uv_timer_t guard;

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

void node_start_with(unsigned i, unsigned lease)
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

void node_start(unsigned i)
{
	node_start_with(i, LEASE);
}

/* As when the process is killed: nothing is said, nothing is given up. */
void node_crash(unsigned i)
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
	for (int nodes_turn = 0; nodes_turn < 50; nodes_turn++)
		uv_run(&loop, UV_RUN_NOWAIT);
	free(n->config);
	n->config = NULL;
}

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

void node_pass_barrier(unsigned i)
{
	struct node *n = &node[i];
	uint64_t ref = n->dp.barrier;

	n->dp.barrier = 0;
	for (uint16_t w = 0; w < n->config->dp.workers; w++)
		cluster_passed(n->cluster, w, ref);
}

bool nodes_turn(uint64_t until)
{
	for (unsigned i = 0; i < NODES; i++)
		if (node[i].cluster && node[i].dp.barrier && !node[i].holds)
			node_pass_barrier(i);
	uv_run(&loop, UV_RUN_ONCE);
	check_owners();
	return dp_now() < until;
}

void nodes_pass(uint32_t ms)
{
	uint64_t until = dp_now() + ms;

	while (nodes_turn(until))
		;
}

bool node_serves(unsigned i, uint16_t g)
{
	return dp_group_is_active(&node[i].dp, g) && node[i].dp.announced[g];
}

static bool node_is_ready(unsigned i)
{
	struct cluster_view v;

	cluster_view_read(node[1 - i].cluster, dp_now(), &v);
	return v.node[i].in && v.node[i].heard && v.node[i].ready;
}

void nodes_start(void)
{
	node_start(0);
	node_start(1);
	WAIT_FOR(node_serves(0, 0) && node_serves(1, 1) && node_is_ready(0) && node_is_ready(1));
}

void node_record_id(char id[IDENT_LEN], uint16_t group, unsigned number)
{
	char text[IDENT_LEN + 16];

	snprintf(text, sizeof(text), "%u%031u", group, number);
	memcpy(id, text, IDENT_LEN);
}

void node_put(unsigned i, uint16_t group, unsigned number, bool there)
{
	struct dp_store_op op = {
		.put = there, .whole = there, .group = group, .version = 1, .ttl_s = 100};
	char fields[64];
	struct wbuf w;

	node_record_id(op.id, group, number);
	wbuf_init(&w, fields, sizeof(fields));
	checkpoint_put(&w, SLICE_LIT("n"), SLICE_LIT("1"));
	op.fields = there ? wbuf_slice(&w) : SLICE_NONE;
	store_put(node[i].store, &op);
}

void node_put_some(unsigned i, uint16_t group, unsigned from, unsigned count)
{
	uint64_t before = node[i].stored;

	for (unsigned k = 0; k < count; k++)
		node_put(i, group, from + k, true);
	WAIT_FOR(node[i].stored == before + count);
}

bool node_has(unsigned i, uint16_t group, unsigned number)
{
	char id[IDENT_LEN];

	node_record_id(id, group, number);
	return cluster_dp_has(&node[i].dp, id);
}

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

int nodes_set_up(void **state)
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

int nodes_tear_down(void **state)
{
	(void)state;
	node_crash(0);
	node_crash(1);
	uv_close((uv_handle_t *)&guard, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	/* Nothing is left behind. */
	assert_int_equal(uv_loop_close(&loop), 0);
	return 0;
}

int nodes_start_server(void **state)
{
	(void)state;
	real_redis_start(&server, 0, "");
	return 0;
}

int nodes_stop_server(void **state)
{
	(void)state;
	real_redis_remove(&server);
	return 0;
}
