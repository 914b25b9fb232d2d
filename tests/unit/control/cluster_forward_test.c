/* A request that came to the wrong node. */
#include "tests/unit/control/cluster_fixture.h"

#include <arpa/inet.h>

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
	node_record_id(id, group, 7);
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
	nodes_start();
	put_call(0, 0);
	f.print = print_of(1, "far@example.com");
	do {
		nodes_turn(UINT64_MAX);
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
	nodes_start();
	cluster_forward(node[1].cluster, &f);
	cluster_forward(node[1].cluster, &f);
	assert_int_equal(node[1].dp.messages, 0);
	nodes_pass(300);
	cluster_forward(node[1].cluster, &f);
	assert_int_equal(node[1].dp.messages, 1);
	assert_int_equal(node[1].dp.message[0].path.listener, 1);
	cluster_view_read(node[1].cluster, dp_now(), &v);
	assert_int_equal(v.forward_unknown, 3);
	assert_int_equal(node[0].dp.messages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_goes_to_the_node_that_has_its_dialog),
		TEST(a_request_that_nobody_knows_is_answered_when_repeated),
	};

	return cmocka_run_group_tests(tests, nodes_start_server, nodes_stop_server);
}
