/* Which messages belong to which transaction: RFC 3261 17.1.3 and 17.2.3. */
#include "tests/unit/core/transaction_fixture.h"

#include <stdio.h>
#include <string.h>

#include "sbc/core/transaction_internal.h"

#define BRANCH "z9hG4bKmatch1"
#define N(a)   (sizeof(a) / sizeof((a)[0]))

static void with_via(struct fx_msg *x, const char *method, const char *via)
{
	fx_parse(x,
		 "%s sip:bob@192.0.2.9 SIP/2.0\r\nVia: %s\r\nFrom: <sip:a@b>;tag=1\r\n"
		 "To: <sip:b@c>\r\nCall-ID: c1\r\nCSeq: 7 %s\r\n\r\n",
		 method, via, method);
}

static void request_needs_branch_sent_by_and_method(void **state)
{
	static const struct {
		const char *method, *via;
		enum tx_rx rx;
	} v[] = {
		{"INFO", "SIP/2.0/UDP pc.example.com;branch=" BRANCH, TX_ABSORBED},
		{"INFO", "SIP/2.0/UDP PC.Example.COM;branch=" BRANCH, TX_ABSORBED},
		{"INFO", "SIP/2.0/UDP pc.example.com:5060;branch=" BRANCH, TX_ABSORBED},
		{"INFO", "SIP/2.0/UDP pc.example.com;rport;branch=z9HG4BKMATCH1;x=y", TX_ABSORBED},
		{"INFO", "SIP/2.0/UDP pc.example.com:5061;branch=" BRANCH, TX_NEW},
		{"INFO", "SIP/2.0/UDP pc.example.co;branch=" BRANCH, TX_NEW},
		{"INFO", "SIP/2.0/UDP xpc.example.com;branch=" BRANCH, TX_NEW},
		{"INFO", "SIP/2.0/UDP pc.example.com;branch=" BRANCH "1", TX_NEW},
		{"INFO", "SIP/2.0/UDP pc.example.com;branch=z9hG4bKmatch", TX_NEW},
		{"INFO", "SIP/2.0/UDP pc.example.com", TX_NEW},
		{"UPDATE", "SIP/2.0/UDP pc.example.com;branch=" BRANCH, TX_NEW},
		{"CANCEL", "SIP/2.0/UDP pc.example.com;branch=" BRANCH, TX_NEW},
		{"ACK", "SIP/2.0/UDP pc.example.com;branch=" BRANCH, TX_NEW},
		{"INFOS", "SIP/2.0/UDP pc.example.com;branch=" BRANCH, TX_NEW},
		{"info", "SIP/2.0/UDP pc.example.com;branch=" BRANCH, TX_NEW},
	};
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	with_via(&x, "INFO", v[0].via);
	uint64_t tx = fx_server(&f, &x);
	for (uint32_t i = 0; i < N(v); i++) {
		with_via(&x, v[i].method, v[i].via);
		assert_int_equal(fx_receive(&f, &x, NULL), v[i].rx);
	}
	tx_abandon(f.l, tx);
	fx_close(&f);
}

/* A server's and a client's transaction of one branch and method are two. */
static void sides_do_not_meet(void **state)
{
	struct fx f;
	struct fx_msg x;
	uint64_t matched;

	(void)state;
	fx_open(&f);
	fx_request(&x, "BYE", BRANCH);
	uint64_t server = fx_server(&f, &x);
	uint64_t client = fx_client(&f, "BYE", BRANCH, 1);
	fx_sent(&f, 0, "BYE");
	assert_int_equal(fx_receive(&f, &x, &matched), TX_ABSORBED);
	assert_true(matched == server);
	fx_response(&x, 200, "BYE", BRANCH, "t");
	assert_int_equal(fx_receive(&f, &x, &matched), TX_PASS);
	assert_true(matched == client);
	tx_abandon(f.l, server);
	tx_abandon(f.l, client);
	fx_close(&f);
}

/* Two transactions under one hash, as a stranger who could forge it would have it. */
static void equal_hashes_are_told_apart_by_the_whole_key(void **state)
{
	struct fx f;
	struct fx_msg a, b, c;
	uint64_t matched;

	(void)state;
	fx_open(&f);
	fx_request(&a, "INFO", BRANCH "a");
	fx_request(&b, "INFO", BRANCH "b");
	fx_request(&c, "INFO", BRANCH "c");
	uint64_t ta = fx_server(&f, &a), tb = fx_server(&f, &b);
	uint32_t ia = pool_index(ta), ib = pool_index(tb);

	/* b under a's hash, and a still found; then a alone under c's. */
	uint32_t hash_b = f.l->table.place[ib].hash;
	table_remove(&f.l->table, ib);
	table_insert(&f.l->table, ib, f.l->table.place[ia].hash);
	assert_int_equal(fx_receive(&f, &a, &matched), TX_ABSORBED);
	assert_true(matched == ta);
	table_remove(&f.l->table, ia);
	table_insert(&f.l->table, ia, hash_b);
	assert_int_equal(fx_receive(&f, &b, &matched), TX_NEW);
	table_remove(&f.l->table, ib);
	table_insert(&f.l->table, ib, hash_b);
	assert_int_equal(fx_receive(&f, &b, &matched), TX_ABSORBED);
	assert_true(matched == tb);
	assert_int_equal(fx_receive(&f, &c, &matched), TX_NEW);
	tx_abandon(f.l, ta);
	tx_abandon(f.l, tb);
	fx_close(&f);
}

static const char *long_via(char *buf, uint32_t branch, char last)
{
	static const char head[] = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK";
	uint32_t n = (uint32_t)sizeof(head) - 1;

	memcpy(buf, head, n);
	memset(buf + n, 'x', branch);
	buf[n + branch] = last;
	buf[n + branch + 1] = '\0';
	return buf;
}

static void long_branches_match_to_their_last_byte(void **state)
{
	static const uint32_t length[] = {1, 20, 32, 33, 34, 35, 36, 100, 1000, 1900};
	char via[FX_TEXT];

	(void)state;
	for (uint32_t i = 0; i < N(length); i++) {
		struct fx f;
		struct fx_msg x;

		fx_open(&f);
		with_via(&x, "INFO", long_via(via, length[i], 'a'));
		uint64_t tx = fx_server(&f, &x);
		assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
		with_via(&x, "INFO", long_via(via, length[i], 'b'));
		assert_int_equal(fx_receive(&f, &x, NULL), TX_NEW);
		with_via(&x, "INFO", long_via(via, length[i] + 1, 'a'));
		assert_int_equal(fx_receive(&f, &x, NULL), TX_NEW);
		tx_abandon(f.l, tx);
		fx_close(&f);
	}
}

static void branch_beyond_the_bound_gets_no_transaction(void **state)
{
	struct engine_path path = fx_path();
	char via[FX_TEXT];
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	with_via(&x, "INFO", long_via(via, TX_KEY_MAX, 'a'));
	assert_int_equal(fx_receive(&f, &x, NULL), TX_NEW);
	assert_true(tx_server_new(f.l, &x.m, &x.via, &path, SLICE_LIT("h"), 0, f.now) == 0);
	assert_int_equal(tx_used(f.l), 0);
	fx_close(&f);
}

/* ---- RFC 2543 ---- */

struct old {
	const char *method, *uri, *via, *from_tag, *to, *call_id;
	uint32_t cseq;
};

static const struct old old_invite = {
	"INVITE", "sip:bob@192.0.2.9",   "SIP/2.0/UDP 192.0.2.1;branch=1",
	"f1",     "<sip:bob@192.0.2.9>", "old-1",
	7};

static void old_request(struct fx_msg *x, const struct old *o)
{
	fx_parse(x,
		 "%s %s SIP/2.0\r\nVia: %s\r\nFrom: <sip:a@192.0.2.1>;tag=%s\r\nTo: %s\r\n"
		 "Call-ID: %s\r\nCSeq: %u %s\r\n\r\n",
		 o->method, o->uri, o->via, o->from_tag, o->to, o->call_id, o->cseq, o->method);
}

static void rfc2543_request_is_matched_by_uri_tags_call_id_cseq_and_via(void **state)
{
	static const struct {
		struct old o;
		enum tx_rx rx;
	} v[] = {
		{{"INVITE", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.1;branch=1", "f1",
		  "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_ABSORBED},
		/* By the rules of each field: 19.1.4, 20.42, 7.3.1. */
		{{"INVITE", "sip:bob@192.0.2.9;transport=udp", "SIP/2.0/UDP 192.0.2.1;branch=1",
		  "f1", "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_NEW},
		{{"INVITE", "SIP:bob@192.0.2.9", "SIP/2.0/udp 192.0.2.1:5060 ;Branch=1", "F1",
		  "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_ABSORBED},
		{{"INVITE", "sip:eve@192.0.2.9", "SIP/2.0/UDP 192.0.2.1;branch=1", "f1",
		  "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_NEW},
		{{"INVITE", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.1;branch=2", "f1",
		  "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_NEW},
		{{"INVITE", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.1;branch=1;hidden", "f1",
		  "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_NEW},
		{{"INVITE", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.1", "f1",
		  "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_NEW},
		{{"INVITE", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.2;branch=1", "f1",
		  "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_NEW},
		{{"INVITE", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.1;branch=1", "f2",
		  "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_NEW},
		{{"INVITE", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.1;branch=1", "f1",
		  "<sip:bob@192.0.2.9>;tag=t", "old-1", 7},
		 TX_NEW},
		{{"INVITE", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.1;branch=1", "f1",
		  "<sip:bob@192.0.2.9>", "OLD-1", 7},
		 TX_NEW},
		{{"INVITE", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.1;branch=1", "f1",
		  "<sip:bob@192.0.2.9>", "old-1", 8},
		 TX_NEW},
		{{"OPTIONS", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.1;branch=1", "f1",
		  "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_NEW},
		/* The cookie alone names nothing, and is not branch=1 either. */
		{{"INVITE", "sip:bob@192.0.2.9", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK", "f1",
		  "<sip:bob@192.0.2.9>", "old-1", 7},
		 TX_NEW},
	};
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	old_request(&x, &old_invite);
	uint64_t tx = fx_server(&f, &x);
	for (uint32_t i = 0; i < N(v); i++) {
		old_request(&x, &v[i].o);
		assert_int_equal(fx_receive(&f, &x, NULL), v[i].rx);
	}
	tx_abandon(f.l, tx);
	fx_close(&f);
}

/* Via parameters are a set; too many of them, or too long a URI, must repeat bytes. */
static void rfc2543_rules_are_bounded(void **state)
{
	static const char many[] = ";a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p;q";
	struct old o = old_invite;
	char via[512], uri[1024];
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	o.via = "SIP/2.0/UDP 192.0.2.1;branch=1;x=y";
	old_request(&x, &o);
	uint64_t a = fx_server(&f, &x);
	o.via = "SIP/2.0/UDP 192.0.2.1;X=Y;branch=1";
	old_request(&x, &o);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);

	snprintf(via, sizeof(via), "SIP/2.0/UDP 192.0.2.3;branch=1%s", many);
	o.via = via;
	old_request(&x, &o);
	uint64_t b = fx_server(&f, &x);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	snprintf(via, sizeof(via), "SIP/2.0/UDP 192.0.2.3%s;branch=1", many);
	old_request(&x, &o);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_NEW);

	o = old_invite;
	o.call_id = "old-2";
	snprintf(uri, sizeof(uri), "sip:%0300u@192.0.2.9", 1u);
	o.uri = uri;
	old_request(&x, &o);
	uint64_t c = fx_server(&f, &x);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	uri[0] = 'S';
	old_request(&x, &o);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_NEW);
	tx_abandon(f.l, a);
	tx_abandon(f.l, b);
	tx_abandon(f.l, c);
	fx_close(&f);
}

static void rfc2543_ack_is_matched_by_the_tag_of_the_response(void **state)
{
	struct old o = old_invite;
	struct fx f;
	struct fx_msg x, ack, wrong;
	uint64_t matched;

	(void)state;
	fx_open(&f);
	old_request(&x, &o);
	uint64_t tx = fx_server(&f, &x);
	o.method = "ACK";
	o.to = "<sip:bob@192.0.2.9>;tag=to1";
	old_request(&ack, &o);
	o.to = "<sip:bob@192.0.2.9>;tag=other";
	old_request(&wrong, &o);
	fx_respond(&f, tx, 486);
	fx_sent(&f, 0, "SIP/2.0 486");
	assert_int_equal(fx_receive(&f, &wrong, &matched), TX_NEW);
	assert_true(matched == 0);
	assert_int_equal(fx_receive(&f, &ack, &matched), TX_ABSORBED);
	assert_true(matched == tx);
	/* In Confirmed too, as long as timer I absorbs. */
	assert_int_equal(fx_receive(&f, &ack, NULL), TX_ABSORBED);
	assert_int_equal(fx_receive(&f, &wrong, NULL), TX_NEW);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_elapse(&f, FX_T4);
	fx_said(&f, FX_T4, TX_EV_ENDED, tx);
	fx_close(&f);
}

static void rfc2543_cancel_finds_its_invite(void **state)
{
	struct old o = old_invite;
	struct fx f;
	struct fx_msg x, cancel;

	(void)state;
	fx_open(&f);
	old_request(&x, &o);
	uint64_t invite = fx_server(&f, &x);
	o.method = "CANCEL";
	old_request(&cancel, &o);
	assert_int_equal(fx_receive(&f, &cancel, NULL), TX_NEW);
	assert_true(tx_server_find_invite(f.l, &cancel.m, &cancel.via) == invite);
	o.cseq = 8;
	old_request(&cancel, &o);
	assert_true(tx_server_find_invite(f.l, &cancel.m, &cancel.via) == 0);
	tx_abandon(f.l, invite);
	fx_close(&f);
}

/* What a stranger may vary without changing the hash is bounded. */
static void rfc2543_requests_alike_are_bounded(void **state)
{
	struct engine_path path = fx_path();
	struct old o = old_invite;
	uint64_t tx[TX_2543_ALIKE + 1];
	char to[64];
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	o.to = to;
	for (uint32_t i = 0; i <= TX_2543_ALIKE; i++) {
		snprintf(to, sizeof(to), "<sip:bob@192.0.2.9>;tag=%u", i);
		old_request(&x, &o);
		assert_int_equal(fx_receive(&f, &x, NULL), TX_NEW);
		tx[i] = tx_server_new(f.l, &x.m, &x.via, &path, SLICE_NONE, 0, f.now);
		assert_int_equal(tx[i] != 0, i < TX_2543_ALIKE);
	}
	for (uint32_t i = 0; i < TX_2543_ALIKE; i++) {
		uint64_t matched;
		snprintf(to, sizeof(to), "<sip:bob@192.0.2.9>;tag=%u", i);
		old_request(&x, &o);
		assert_int_equal(fx_receive(&f, &x, &matched), TX_ABSORBED);
		assert_true(matched == tx[i]);
	}
	for (uint32_t i = 0; i < TX_2543_ALIKE; i++)
		tx_abandon(f.l, tx[i]);
	fx_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_needs_branch_sent_by_and_method),
		cmocka_unit_test(sides_do_not_meet),
		cmocka_unit_test(equal_hashes_are_told_apart_by_the_whole_key),
		cmocka_unit_test(long_branches_match_to_their_last_byte),
		cmocka_unit_test(branch_beyond_the_bound_gets_no_transaction),
		cmocka_unit_test(rfc2543_request_is_matched_by_uri_tags_call_id_cseq_and_via),
		cmocka_unit_test(rfc2543_rules_are_bounded),
		cmocka_unit_test(rfc2543_ack_is_matched_by_the_tag_of_the_response),
		cmocka_unit_test(rfc2543_cancel_finds_its_invite),
		cmocka_unit_test(rfc2543_requests_alike_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
