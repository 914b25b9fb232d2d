/* What happens when there is no room: pool, blobs, actions, scratch, events, budget. */
#include "tests/unit/core/transaction_fixture.h"

#include <stdio.h>
#include <string.h>

#include "sbc/core/transaction_internal.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void full_pool_refuses_and_sends_nothing(void **state)
{
	struct engine_path path = fx_path();
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open_sized(&f, 1, 4096, 16);
	fx_request(&x, "INFO", "z9hG4bKs");
	uint64_t tx = fx_client(&f, "BYE", "z9hG4bKa", 0);
	fx_sent(&f, 0, "BYE");
	assert_true(fx_client(&f, "BYE", "z9hG4bKb", 0) == 0);
	assert_true(tx_server_new(f.l, &x.m, &x.via, &path, SLICE_LIT("h"), 0, f.now) == 0);
	fx_silent(&f);
	tx_abandon(f.l, tx);
	tx = fx_client(&f, "BYE", "z9hG4bKb", 0);
	assert_true(tx != 0);
	fx_sent(&f, 0, "BYE");
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void without_a_blob_no_transaction_begins(void **state)
{
	struct engine_path path = fx_path();
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open_sized(&f, 8, 4096, 1);
	uint32_t hog = blob_take(&f.blobs, 1);
	fx_request(&x, "INFO", "z9hG4bKs");
	assert_true(fx_client(&f, "BYE", "z9hG4bKb", 0) == 0);
	assert_true(tx_server_new(f.l, &x.m, &x.via, &path, SLICE_LIT("h"), 0, f.now) == 0);
	assert_int_equal(tx_used(f.l), 0);
	fx_silent(&f);
	/* Without a head to keep there is nothing to fail. */
	uint64_t tx = tx_server_new(f.l, &x.m, &x.via, &path, SLICE_NONE, 0, f.now);
	assert_true(tx != 0);
	tx_abandon(f.l, tx);
	blob_give(&f.blobs, hog);
	fx_close(&f);
}

static void response_that_cannot_be_kept_is_sent_once_and_its_state_goes_on(void **state)
{
	static const struct {
		const char *method;
		uint16_t status;
		uint64_t end;
		enum tx_event_type type;
	} v[] = {
		{"INVITE", 486, FX_64T1, TX_EV_NO_ACK},
		{"INVITE", 200, FX_64T1, TX_EV_NO_ACK},
		{"BYE", 200, FX_64T1, TX_EV_ENDED},
	};

	(void)state;
	for (uint32_t i = 0; i < N(v); i++) {
		struct engine_path path = fx_path();
		struct fx f;
		struct fx_msg x;

		fx_open_sized(&f, 8, 4096, 1);
		uint32_t hog = blob_take(&f.blobs, 1);
		fx_request(&x, v[i].method, "z9hG4bKs");
		uint64_t tx = tx_server_new(f.l, &x.m, &x.via, &path, SLICE_NONE, 0, f.now);
		assert_int_equal(fx_respond(&f, tx, v[i].status), SBC_EFULL);
		fx_sent(&f, 0, "SIP/2.0");
		assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
		assert_int_equal(fx_respond(&f, tx, 500), SBC_ESTATE);
		fx_elapse(&f, FX_64T1);
		fx_said(&f, v[i].end, v[i].type, tx);
		blob_give(&f.blobs, hog);
		fx_close(&f);
	}
}

/* ---- the ladder: each allocation of a scenario fails once ---- */

struct ladder {
	struct fx f;
	uint64_t server, client;
	uint32_t invites;
	char server_branch[32], client_branch[32]; /* of the latest INVITEs */
};

static uint64_t try_server(struct ladder *s, const char *method, const char *branch)
{
	struct engine_path path = fx_path();
	struct fx_msg x;

	fx_request(&x, method, branch);
	assert_int_equal(fx_receive(&s->f, &x, NULL), TX_NEW);
	return tx_server_new(s->f.l, &x.m, &x.via, &path, SLICE_LIT("head"), 0, s->f.now);
}

static void receive(struct ladder *s, const char *method, const char *branch)
{
	struct fx_msg x;

	fx_request(&x, method, branch);
	fx_receive(&s->f, &x, NULL);
}

static void answered(struct ladder *s, uint16_t status, const char *method, const char *branch)
{
	struct fx_msg x;

	fx_response(&x, status, method, branch, "t");
	fx_receive(&s->f, &x, NULL);
}

static void step_server_invite(struct ladder *s)
{
	snprintf(s->server_branch, sizeof(s->server_branch), "z9hG4bKs%u", s->invites++);
	s->server = try_server(s, "INVITE", s->server_branch);
}

static void step_ring(struct ladder *s)
{
	fx_respond(&s->f, s->server, 180);
}

static void step_refuse(struct ladder *s)
{
	fx_respond(&s->f, s->server, 486);
}

static void step_ack(struct ladder *s)
{
	receive(s, "ACK", s->server_branch);
}

static void step_server_long_key(struct ladder *s)
{
	s->server = try_server(s, "OPTIONS",
			       "z9hG4bKl2-0123456789012345678901234567890123456789012345678901");
}

static void step_accept(struct ladder *s)
{
	fx_respond(&s->f, s->server, 200);
}

static void step_client_invite(struct ladder *s)
{
	snprintf(s->client_branch, sizeof(s->client_branch), "z9hG4bKc%u", s->invites++);
	s->client = fx_client(&s->f, "INVITE", s->client_branch, 0);
}

static void step_is_ringing(struct ladder *s)
{
	answered(s, 180, "INVITE", s->client_branch);
}

static void step_cancel(struct ladder *s)
{
	fx_cancel(&s->f, s->client);
}

static void step_time(struct ladder *s)
{
	fx_elapse(&s->f, 700);
}

static void step_is_cancelled(struct ladder *s)
{
	answered(s, 200, "CANCEL", s->client_branch);
	answered(s, 487, "INVITE", s->client_branch);
}

static void step_bye(struct ladder *s)
{
	s->client = fx_client(&s->f, "BYE", "z9hG4bKl4", 0);
}

static void step_bye_answered(struct ladder *s)
{
	answered(s, 200, "BYE", "z9hG4bKl4");
}

static void (*const steps[])(struct ladder *) = {
	step_server_invite, step_ring,          step_refuse,          step_ack,
	step_accept,        step_client_invite, step_is_ringing,      step_cancel,
	step_time,          step_is_cancelled,  step_server_long_key, step_accept,
	step_bye,           step_bye_answered,  step_server_invite,   step_accept,
	step_client_invite, step_is_ringing,    step_cancel,          step_time,
};

static void log_clear(struct fx *f)
{
	f->read = f->logged = 0;
}

/* INVITEs in Proceeding are the TU's to end. */
static void ladder_end(struct ladder *s)
{
	fx_respond(&s->f, s->server, 500);
	fx_cancel(&s->f, s->client);
	log_clear(&s->f);
	for (uint32_t i = 0; i < 20; i++) {
		fx_elapse(&s->f, FX_64T1 / 8);
		log_clear(&s->f);
	}
}

static uint32_t take_all(struct blob_store *b, uint32_t *refs)
{
	uint32_t n = 0;

	while ((refs[n] = blob_take(b, 1)) != 0)
		n++;
	return n;
}

static void blobs_missing_at_any_step_leave_nothing_behind(void **state)
{
	(void)state;
	for (uint32_t fails = 0; fails < N(steps); fails++) {
		struct ladder s = {0};
		uint32_t hog[65], n = 0;

		fx_open_sized(&s.f, 8, 4096, 64);
		for (uint32_t i = 0; i < N(steps); i++) {
			if (i == fails)
				n = take_all(&s.f.blobs, hog);
			steps[i](&s);
			log_clear(&s.f);
			while (i == fails && n > 0)
				blob_give(&s.f.blobs, hog[--n]);
		}
		ladder_end(&s);
		fx_close(&s.f);
	}
}

static void fewer_blobs_and_transactions_than_needed_leave_nothing_behind(void **state)
{
	(void)state;
	for (uint32_t blobs = 1; blobs < 12; blobs++)
		for (uint32_t capacity = 1; capacity < 8; capacity++) {
			struct ladder s = {0};

			fx_open_sized(&s.f, capacity, 4096, blobs);
			for (uint32_t i = 0; i < N(steps); i++) {
				steps[i](&s);
				log_clear(&s.f);
			}
			ladder_end(&s);
			fx_close(&s.f);
		}
}

/* Blocks too small for a message: nothing can be kept, and no byte is written past one. */
static void blocks_too_small_for_any_message_are_no_room(void **state)
{
	(void)state;
	for (uint32_t size = 1; size < 600; size += 13) {
		struct ladder s = {0};

		fx_open_sized(&s.f, 8, size, 64);
		for (uint32_t i = 0; i < N(steps); i++) {
			steps[i](&s);
			log_clear(&s.f);
		}
		ladder_end(&s);
		fx_close(&s.f);
	}
}

/* ---- expiry in pieces ---- */

#define MANY 50u

static void begin_many(struct fx *f)
{
	char branch[32];

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(branch, sizeof(branch), "z9hG4bKm%u", i);
		assert_true(fx_client(f, "INVITE", branch, i) != 0);
	}
	log_clear(f);
}

static void small_budget_serves_each_timer_once(void **state)
{
	struct tx_event ev[4];
	uint32_t sent = 0, calls = 0;
	struct fx f;

	(void)state;
	fx_open(&f);
	begin_many(&f);
	f.now += 500;
	do {
		assert_int_equal(tx_expire(f.l, f.now, ev, 4, 7, f.out), 0);
		sent += f.out->count;
		engine_out_clear(f.out);
		assert_true(++calls < 1000);
	} while (tx_is_behind(f.l));
	assert_int_equal(sent, MANY);
	assert_true(calls > MANY / 7);
	fx_elapse(&f, 499);
	fx_silent(&f);
	f.now += FX_64T1;
	uint32_t ended = 0;
	do
		ended += tx_expire(f.l, f.now, ev, 4, 1000, f.out);
	while (tx_is_behind(f.l));
	assert_int_equal(ended, MANY);
	engine_out_clear(f.out);
	fx_close(&f);
}

static void one_event_at_a_time_loses_none(void **state)
{
	uint8_t seen[MANY] = {0};
	struct tx_event ev;
	struct fx f;

	(void)state;
	fx_open(&f);
	begin_many(&f);
	f.now += FX_64T1;
	assert_int_equal(tx_expire(f.l, f.now, &ev, 0, 1000, f.out), 0);
	assert_true(tx_is_behind(f.l));
	for (uint32_t i = 0; i < MANY; i++) {
		do
			assert_true(tx_is_behind(f.l));
		while (tx_expire(f.l, f.now, &ev, 1, 100000, f.out) == 0);
		assert_int_equal(ev.type, TX_EV_TIMEOUT);
		assert_int_equal(seen[ev.user]++, 0);
	}
	assert_int_equal(tx_expire(f.l, f.now, &ev, 1, 100000, f.out), 0);
	assert_false(tx_is_behind(f.l));
	engine_out_clear(f.out);
	fx_close(&f);
}

/* The spare room is left to whoever handles the events; what is due stays due. */
static void expiry_stops_while_there_is_spare_room(void **state)
{
	struct engine_path path = fx_path();
	struct tx_event ev[4];
	struct fx f;

	(void)state;
	fx_open(&f);
	begin_many(&f);
	f.now += 500;
	while (engine_out_room(f.out) > TX_EXPIRE_SPARE_ACTIONS + 10)
		engine_out_send(f.out, &path, SLICE_LIT("x"));
	tx_expire(f.l, f.now, ev, 4, 100000, f.out);
	assert_true(tx_is_behind(f.l));
	assert_int_equal(engine_out_room(f.out), TX_EXPIRE_SPARE_ACTIONS);
	engine_out_clear(f.out);

	struct wbuf w = engine_out_compose(f.out);
	w.n = engine_out_scratch_room(f.out) - TX_EXPIRE_SPARE_SCRATCH - 2 * 4096;
	engine_out_composed(f.out, &w);
	tx_expire(f.l, f.now, ev, 4, 100000, f.out);
	assert_true(tx_is_behind(f.l));
	assert_true(f.out->count >= 2);
	assert_true(engine_out_scratch_room(f.out) >= TX_EXPIRE_SPARE_SCRATCH);
	engine_out_clear(f.out);

	fx_elapse(&f, 0);
	assert_int_equal(tx_retransmissions(f.l), MANY);
	assert_false(f.out->overflow);
	log_clear(&f);
	for (uint32_t i = 0; i < 8; i++) {
		fx_elapse(&f, FX_64T1 / 8);
		log_clear(&f);
	}
	fx_close(&f);
}

static void a_block_too_small_makes_no_layer(void **state)
{
	static _Alignas(ARENA_ALIGN) uint8_t mem[4096];
	struct blob_class cls[BLOB_CLASSES] = {{64, 1}};
	struct blob_store blobs;
	struct tx_conf conf = {.capacity = 64, .t1_ms = 500, .blobs = &blobs};
	struct arena a;

	(void)state;
	arena_init(&a, mem, sizeof(mem));
	blob_init(&blobs, &a, cls);
	assert_null(tx_layer_init(&a, &conf, 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_pool_refuses_and_sends_nothing),
		cmocka_unit_test(without_a_blob_no_transaction_begins),
		cmocka_unit_test(response_that_cannot_be_kept_is_sent_once_and_its_state_goes_on),
		cmocka_unit_test(blobs_missing_at_any_step_leave_nothing_behind),
		cmocka_unit_test(fewer_blobs_and_transactions_than_needed_leave_nothing_behind),
		cmocka_unit_test(blocks_too_small_for_any_message_are_no_room),
		cmocka_unit_test(small_budget_serves_each_timer_once),
		cmocka_unit_test(one_event_at_a_time_loses_none),
		cmocka_unit_test(expiry_stops_while_there_is_spare_room),
		cmocka_unit_test(a_block_too_small_makes_no_layer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
