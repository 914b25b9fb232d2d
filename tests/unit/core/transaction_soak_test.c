/*
 * Random events over random transactions, whose TU ignores every event: at the
 * end nothing is left. Failures name the seed.
 */
#include "tests/unit/core/transaction_fixture.h"

#include <stdio.h>
#include <string.h>

#include "sbc/core/transaction_internal.h"

#define EVENTS  20000u
#define HANDLES 512u

struct soak {
	struct fx f;
	uint64_t rng;
	uint64_t handle[HANDLES]; /* of live transactions and of ones long gone */
	uint32_t handles;
	char branch[48];
	struct fx_msg x;
};

static uint32_t rnd(struct soak *s, uint32_t n)
{
	s->rng ^= s->rng << 13;
	s->rng ^= s->rng >> 7;
	s->rng ^= s->rng << 17;
	return (uint32_t)((s->rng >> 32) % n);
}

/* Few enough to meet again, and some too long to lie in the object. */
static const char *some_branch(struct soak *s)
{
	uint32_t b = rnd(s, 200);

	snprintf(s->branch, sizeof(s->branch), "%s%u%s", b % 7 ? "z9hG4bK" : "", b,
		 b % 5 ? "" : "-0123456789-0123456789-01234567");
	return s->branch;
}

static const char *some_method(struct soak *s)
{
	static const char *const m[] = {"INVITE", "INVITE", "BYE", "OPTIONS", "CANCEL", "XYZZY"};

	return m[rnd(s, 6)];
}

static uint64_t some_handle(struct soak *s)
{
	return s->handle[rnd(s, HANDLES)];
}

static void remember(struct soak *s, uint64_t tx)
{
	if (tx != 0)
		s->handle[s->handles++ % HANDLES] = tx;
}

static uint16_t some_status(struct soak *s)
{
	static const uint16_t v[] = {100, 180, 183, 200, 202, 302, 404, 486, 487, 503, 603};

	return v[rnd(s, 11)];
}

static void clear(struct soak *s)
{
	assert_false(s->f.out->overflow);
	engine_out_clear(s->f.out);
	s->f.read = s->f.logged = 0;
}

static void request_comes(struct soak *s)
{
	struct engine_path path = fx_path();
	const char *method = rnd(s, 4) ? some_method(s) : "ACK";

	fx_request(&s->x, method, some_branch(s));
	if (fx_receive(&s->f, &s->x, NULL) == TX_NEW)
		remember(s, tx_server_new(s->f.l, &s->x.m, &s->x.via, &path, SLICE_LIT("head"), 1,
					  s->f.now));
}

static void response_comes(struct soak *s)
{
	const char *method = some_method(s);

	fx_response(&s->x, some_status(s), method, some_branch(s), rnd(s, 2) ? "a" : "b");
	fx_receive(&s->f, &s->x, NULL);
}

static void request_goes(struct soak *s)
{
	const char *method = some_method(s);

	remember(s, fx_client(&s->f, method, some_branch(s), 2));
}

static void time_passes(struct soak *s)
{
	struct tx_event ev[3];

	s->f.now += rnd(s, 300);
	tx_expire(s->f.l, s->f.now, ev, 3, 1 + rnd(s, 400), s->f.out);
}

static void one_event(struct soak *s)
{
	switch (rnd(s, 16)) {
	case 0:
	case 1:
	case 2:
	case 3:
		request_comes(s);
		break;
	case 4:
	case 5:
	case 6:
		response_comes(s);
		break;
	case 7:
	case 8:
		request_goes(s);
		break;
	case 9:
	case 10:
		fx_respond(&s->f, some_handle(s), some_status(s));
		break;
	case 11:
		fx_cancel(&s->f, some_handle(s));
		break;
	case 12:
		tx_server_acked(s->f.l, some_handle(s), s->f.now);
		break;
	case 13:
		if (rnd(s, 8) == 0)
			tx_abandon(s->f.l, some_handle(s));
		break;
	default:
		time_passes(s);
	}
	clear(s);
}

/* What the header leaves to the TU: INVITEs in Proceeding, whichever they are. */
static void end_invites(struct soak *s)
{
	for (uint32_t i = 0; i < s->f.l->pool.capacity; i++) {
		if (!pool_is_taken(&s->f.l->pool, i))
			continue;
		fx_respond(&s->f, pool_handle(&s->f.l->pool, i), 500);
		fx_cancel(&s->f, pool_handle(&s->f.l->pool, i));
		clear(s);
	}
}

static void drain(struct soak *s, uint64_t ms)
{
	struct tx_event ev[8];

	for (uint64_t until = s->f.now + ms; s->f.now < until; s->f.now += 100)
		do {
			tx_expire(s->f.l, s->f.now, ev, 8, 1000, s->f.out);
			clear(s);
		} while (tx_is_behind(s->f.l));
}

static void soak(uint64_t seed, uint32_t capacity, uint32_t blobs)
{
	static struct soak s;

	memset(&s, 0, sizeof(s));
	s.rng = seed * 0x9e3779b97f4a7c15u;
	fx_open_sized(&s.f, capacity, 2048, blobs);
	for (uint32_t i = 0; i < EVENTS; i++)
		one_event(&s);
	end_invites(&s);
	/* A CANCEL may begin with the first tick of this, and its INVITE ends 64*T1 later. */
	drain(&s, 2 * FX_64T1);
	if (tx_used(s.f.l) != 0 || blob_used(&s.f.blobs) != 0)
		print_message("seed %u capacity %u blobs %u\n", (unsigned)seed, capacity, blobs);
	fx_close(&s.f);
}

static void nothing_is_left_with_room_for_all(void **state)
{
	(void)state;
	soak(1, 4096, 8192);
	soak(2, 4096, 8192);
}

static void nothing_is_left_with_a_small_pool(void **state)
{
	(void)state;
	soak(3, 20, 8192);
	soak(4, 1, 8192);
}

static void nothing_is_left_with_few_blobs(void **state)
{
	(void)state;
	soak(5, 4096, 30);
	soak(6, 4096, 2);
	soak(7, 40, 40);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left_with_room_for_all),
		cmocka_unit_test(nothing_is_left_with_a_small_pool),
		cmocka_unit_test(nothing_is_left_with_few_blobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
