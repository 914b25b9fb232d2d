/*
 * One, two and four workers do the same: every packet of every call comes out once and
 * right, none is lost between workers at a moderate rate, and each has its share.
 */
#include <string.h>
#include <unistd.h>

#include "tests/dataplane/load.h"

#define ROUNDS 40u

static struct frame f;
static struct load l;

struct tally {
	uint32_t packets[LOAD_CALLS];
	uint16_t last[LOAD_CALLS];
	uint32_t all;
};

static void take(struct bed *b, struct tally *t)
{
	while (bed_take(b, INSIDE, &f)) {
		struct frame_view v = frame_read(&f);
		uint32_t call;
		uint16_t seq;

		if (v.dport != TALK_PBX_RTP)
			continue;
		assert_true(v.ok);
		call = (uint32_t)(v.payload[8] << 24 | v.payload[9] << 16 | v.payload[10] << 8 |
				  v.payload[11]) -
		       1000;
		seq = (uint16_t)(v.payload[2] << 8 | v.payload[3]);
		assert_true(call < LOAD_CALLS);
		/* In order, too: a stream comes by one queue here, and goes by one worker. */
		assert_int_equal(seq, t->last[call] + 1);
		t->last[call] = seq;
		t->packets[call]++;
		t->all++;
	}
}

static void begin(struct tally *t)
{
	memset(t, 0, sizeof(*t));
	for (uint32_t i = 0; i < LOAD_CALLS; i++)
		t->last[i] = l.seq[i];
}

static void check(const struct bed *b, const struct tally *t)
{
	uint64_t relayed = 0, handed = 0;

	for (uint32_t i = 0; i < LOAD_CALLS; i++)
		assert_int_equal(t->packets[i], ROUNDS);
	for (uint16_t i = 0; i < b->dp->workers; i++) {
		const struct worker *w = b->dp->worker[i];

		/* Call-IDs are spread by a keyed hash: nobody has more than twice his share. */
		assert_true(w->count.relayed > 0);
		assert_true(w->count.relayed <= 2 * LOAD_CALLS * (ROUNDS + 2) / b->dp->workers);
		relayed += w->count.relayed;
		handed += w->count.handed_off;
	}
	assert_true(relayed >= t->all);
	assert_int_equal(handed > 0, b->dp->workers > 1);
	bed_assert_count(b, RING_FULL, 0);
	bed_assert_count(b, TX_FULL, 0);
}

static void stepped(uint16_t workers, uint16_t queues)
{
	struct tally t;
	struct bed b;

	load_open(&b, workers, queues);
	load_calls(&b, &l);
	begin(&t);
	for (uint32_t k = 0; k < ROUNDS; k++) {
		for (uint32_t i = 0; i < LOAD_CALLS; i++) {
			load_packet(&l, i, &f);
			bed_put_to(&b, OUTSIDE, (uint16_t)(i % queues), &f);
		}
		bed_elapse(&b, 2);
		bed_turn(&b);
		take(&b, &t);
	}
	check(&b, &t);
	bed_close(&b);
}

static void launched(uint16_t workers, uint16_t queues)
{
	char why[256] = "";
	struct tally t;
	struct bed b;

	load_open(&b, workers, queues);
	load_calls(&b, &l);
	begin(&t);
	b.dp->clock = dp_now;
	b.dp->idle_max_ms = 60000;
	/* Their time has been ahead of the clock: they go on from it. */
	for (uint16_t i = 0; i < workers; i++)
		b.dp->worker[i]->last_tick = dp_now();
	if (!dp_launch(b.dp, why, sizeof(why)))
		bed_fail("%s", why);
	for (uint32_t k = 0; k < ROUNDS; k++) {
		for (uint32_t i = 0; i < LOAD_CALLS; i++) {
			load_packet(&l, i, &f);
			bed_put_to(&b, OUTSIDE, (uint16_t)(i % queues), &f);
		}
		for (uint32_t i = 0; i < 10000 && t.all < (k + 1) * LOAD_CALLS; i++, usleep(1000))
			take(&b, &t);
		assert_int_equal(t.all, (k + 1) * LOAD_CALLS);
	}
	dp_join(b.dp);
	check(&b, &t);
	bed_close(&b);
}

static void one_worker(void **state)
{
	(void)state;
	stepped(1, 1);
}

static void two_workers(void **state)
{
	(void)state;
	stepped(2, 2);
	launched(2, 2);
}

static void four_workers(void **state)
{
	(void)state;
	stepped(4, 4);
	launched(4, 4);
}

/* Two of the four have no queue: all of theirs comes, and goes, by rings. */
static void four_workers_on_two_queues(void **state)
{
	(void)state;
	stepped(4, 2);
	launched(4, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_worker),
		cmocka_unit_test(two_workers),
		cmocka_unit_test(four_workers),
		cmocka_unit_test(four_workers_on_two_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
