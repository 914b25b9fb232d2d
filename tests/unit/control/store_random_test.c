/*
 * Whatever befalls connection and server, in the end Redis has exactly the calls
 * that live, in their last version, and every put was answered once. Seeded: a
 * failure names its seed, by which it comes again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/control/store_fixture.h"

#define CALLS 300u
#define SEEDS 12u
#define STEPS 400u

/* As an engine sees a call: of one there is never more than one put out. */
static struct call {
	uint32_t version, stored;
	uint64_t out; /* version that is not answered yet, of this incarnation */
	bool live, dirty;
	bool base; /* what Redis has is the version put last, by its word */
	bool put;  /* once, whatever came of it: a put that was refused may have been done before */
} call[CALLS];

static struct store_end end;
static uint64_t seed, asked, answers;
static bool engine_up;

static uint32_t below(uint32_t n)
{
	return (uint32_t)(unit_random(&seed) % n);
}

static void on_stored(uint64_t handle, uint32_t version, bool ok)
{
	struct call *c = &call[handle];

	answers++;
	if (c->out != version)
		return;
	c->out = 0;
	if (!c->live)
		return;
	c->base = ok;
	if (ok)
		c->stored = version;
	else
		c->dirty = true;
}

static void on_mode(bool up, bool resync)
{
	engine_up = up;
	for (uint32_t i = 0; resync && i < CALLS; i++) {
		call[i].dirty |= call[i].live;
		call[i].base = false;
	}
}

/* Now and then one that Redis may have nothing to make it of, and then refuses. */
static bool puts_change(const struct call *c)
{
	return below(8) < (c->base ? 6u : 1u);
}

/* Versions are never used twice, so an old answer is none of a new incarnation's. */
static void put_dirty(void)
{
	for (uint32_t i = 0; engine_up && i < CALLS; i++) {
		struct call *c = &call[i];

		if (!c->dirty || c->out)
			continue;
		c->dirty = false;
		c->out = ++c->version;
		c->put = true;
		asked++;
		if (puts_change(c))
			store_end_change(&end, i, c->version);
		else
			store_end_put(&end, i, c->version);
	}
}

static void change(uint32_t i)
{
	static uint32_t begun;
	struct call *c = &call[i];

	if (c->live && below(3) == 0) {
		/* Deletes come only for what was put. */
		if (c->put)
			store_end_delete(&end, i);
		*c = (struct call){.out = c->out};
		return;
	}
	/* An id is minted once; a call that is over with a put out is not begun again. */
	if (!c->live && c->out)
		return;
	if (!c->live)
		c->version = ++begun * 4096;
	c->live = c->dirty = true;
}

static void misfortune(void)
{
	struct fake_faults *f = fake_redis_faults(bed.proxy);

	switch (below(10)) {
	case 0:
		fake_redis_drop(bed.proxy);
		break;
	case 1:
		f->cut_commands = below(20000);
		break;
	case 2:
		f->cut_replies = below(200);
		break;
	case 3:
		f->delay_ms = below(5);
		break;
	case 4:
		f->skip = below(3);
		f->instead = 1;
		snprintf(f->reply, sizeof(f->reply), "-OOM command not allowed\r\n");
		break;
	case 5:
		f->instead = 1;
		snprintf(f->reply, sizeof(f->reply), "-ERR odd\r\n");
		break;
	case 6:
		real_redis_do(&server, "FLUSHALL");
		break;
	case 7:
		real_redis_kill(&server);
		real_redis_again(&server);
		break;
	case 8:
		f->mute = true;
		break;
	default:
		f->refuse = !f->refuse;
		break;
	}
}

static void heal(void)
{
	struct fake_faults *f = fake_redis_faults(bed.proxy);

	f->cut_commands = f->cut_replies = -1;
	f->delay_ms = f->instead = f->skip = 0;
	f->mute = f->refuse = false;
}

static bool is_at_rest(void *arg)
{
	struct store_gauges g;

	(void)arg;
	put_dirty();
	for (uint32_t i = 0; i < CALLS; i++)
		if (call[i].dirty || call[i].out)
			return false;
	store_gauges_read(end.store, &g);
	return engine_up && g.waiting + g.underway + g.deletes_waiting + g.unreconciled == 0;
}

static void assert_same(void)
{
	uint32_t live = 0;

	for (uint32_t i = 0; i < CALLS; i++) {
		live += call[i].live;
		assert_int_equal(store_kept(i), call[i].live ? call[i].version : 0);
		assert_int_equal(store_is_indexed(i), call[i].live);
		assert_int_equal(store_is_odd(i), call[i].live && call[i].version % 2);
	}
	assert_int_equal(store_indexed(), live);
	assert_int_equal(answers, asked);
}

static void run(uint64_t number)
{
	memset(call, 0, sizeof(call));
	seed = number * UINT64_C(0x9e3779b97f4a7c15);
	asked = answers = 0;
	engine_up = false;
	store_end_open(&end, true, 10000);
	end.stored = on_stored;
	end.mode = on_mode;
	for (uint32_t step = 0; step < STEPS; step++) {
		for (uint32_t n = below(20); n > 0; n--)
			change(below(CALLS));
		put_dirty();
		store_bed_turn(below(3));
		if (below(20) == 0)
			misfortune();
		else if (below(10) == 0)
			heal();
	}
	heal();
	fake_redis_drop(bed.proxy);
	/* What was lost without a word is found out by the next write. */
	store_bed_wait(is_at_rest, NULL);
	call[0].live = call[0].dirty = true;
	call[0].version += 100000000;
	call[0].base = false;
	store_bed_wait(is_at_rest, NULL);
	assert_same();
	store_end_close(&end);
}

static void redis_has_what_lives(void **state)
{
	(void)state;
	for (uint64_t number = 1; number <= SEEDS; number++) {
		print_message("seed %u\n", (unsigned)number);
		run(number);
		/* What an earlier connection still holds must not come into the next run. */
		real_redis_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
		real_redis_do(&server, "FLUSHALL");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(redis_has_what_lives, store_bed_open,
						store_bed_close),
	};

	return cmocka_run_group_tests(tests, store_bed_server, store_bed_no_server);
}
