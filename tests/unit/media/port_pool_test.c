#include "sbc/media/port_pool.h"

#include <string.h>

#include "tests/lib/dies.h"
#include "tests/lib/unit.h"

#define PAIRS 10u

struct fixture {
	_Alignas(64) uint8_t mem[PORT_POOL_ALL * 5];
	struct arena arena;
	struct port_pool pool;
};

static int setup(void **state)
{
	static struct fixture f;

	arena_init(&f.arena, f.mem, sizeof(f.mem));
	port_pool_init(&f.pool, &f.arena);
	port_pool_range(&f.pool, 20000, PAIRS);
	*state = &f;
	return arena_ok(&f.arena) ? 0 : -1;
}

static void every_pair_is_taken_once(void **state)
{
	struct port_pool *p = &((struct fixture *)*state)->pool;
	bool seen[PAIRS] = {false};

	for (uint32_t i = 0; i < PAIRS; i++) {
		uint16_t port = port_pool_take(p);
		assert_int_equal(port % 2, 0);
		assert_in_range(port, 20000, 20000 + 2 * PAIRS - 2);
		assert_false(seen[(port - 20000) / 2]);
		seen[(port - 20000) / 2] = true;
	}
	assert_int_equal(p->free, 0);
	assert_int_equal(port_pool_take(p), 0);
	for (uint16_t i = 0; i < PAIRS; i++)
		port_pool_give(p, (uint16_t)(20000 + 2 * i));
	assert_int_equal(p->free, PAIRS);
}

static void a_pair_given_back_waits_for_all_others(void **state)
{
	struct port_pool *p = &((struct fixture *)*state)->pool;
	uint16_t first = port_pool_take(p);

	port_pool_give(p, first);
	for (uint32_t i = 0; i < PAIRS - 1; i++)
		assert_int_not_equal(port_pool_take(p), first);
	assert_int_equal(port_pool_take(p), first);
}

static void a_certain_pair_can_be_claimed_once(void **state)
{
	struct port_pool *p = &((struct fixture *)*state)->pool;

	assert_true(port_pool_claim(p, 20006));
	assert_false(port_pool_claim(p, 20006)); /* taken */
	assert_false(port_pool_claim(p, 20007)); /* RTCP's */
	assert_false(port_pool_claim(p, 20000 + 2 * PAIRS));
	assert_false(port_pool_claim(p, 19998));
	assert_false(port_pool_claim(p, 0));
	for (uint32_t i = 0; i < PAIRS - 1; i++)
		assert_int_not_equal(port_pool_take(p), 20006);
	assert_int_equal(port_pool_take(p), 0);
	port_pool_give(p, 20006);
	assert_int_equal(port_pool_take(p), 20006);
}

static void random_use_keeps_the_count(void **state)
{
	struct port_pool *p = &((struct fixture *)*state)->pool;
	bool taken[PAIRS] = {false};
	uint64_t seed = 9;
	uint32_t n = 0;

	for (int step = 0; step < 20000; step++) {
		uint64_t r = unit_random(&seed);
		uint16_t i = (uint16_t)(r >> 16) % PAIRS;
		if (taken[i]) {
			port_pool_give(p, (uint16_t)(20000 + 2 * i));
			taken[i] = false;
			n--;
		} else if (r % 2) {
			assert_true(port_pool_claim(p, (uint16_t)(20000 + 2 * i)));
			taken[i] = true;
			n++;
		} else {
			uint16_t port = port_pool_take(p);
			assert_int_not_equal(port, 0);
			assert_false(taken[(port - 20000) / 2]);
			taken[(port - 20000) / 2] = true;
			n++;
		}
		assert_int_equal(p->free, PAIRS - n);
	}
}

static void a_range_may_change_under_taken_pairs(void **state)
{
	struct port_pool *p = &((struct fixture *)*state)->pool;

	assert_int_equal(port_pool_take(p), 20000);
	assert_int_equal(port_pool_take(p), 20002);
	port_pool_range(p, 20002, 3);
	assert_int_equal(p->free, 2);
	assert_int_equal(p->held, 2);
	assert_true(port_pool_has(p, 20000)); /* taken, though outside */
	assert_false(port_pool_has(p, 20008));
	assert_false(port_pool_claim(p, 20002));
	assert_int_equal(port_pool_take(p), 20004);
	assert_int_equal(port_pool_take(p), 20006);
	assert_int_equal(port_pool_take(p), 0);
	port_pool_give(p, 20000);
	assert_false(port_pool_has(p, 20000));
	assert_int_equal(port_pool_take(p), 0);
	port_pool_give(p, 20002);
	assert_int_equal(port_pool_take(p), 20002);
	port_pool_range(p, 40000, 1);
	port_pool_range(p, 20000, PAIRS);
	assert_int_equal(p->free, PAIRS - 3);
	assert_int_equal(port_pool_take(p), 20000);
	assert_int_equal(port_pool_take(p), 20008);
}

/* Against a list of who has what: none is had twice, and none is lost, wherever the range is. */
static void random_ranges_keep_who_has_what(void **state)
{
	struct port_pool *p = &((struct fixture *)*state)->pool;
	static bool taken[PORT_POOL_ALL];
	uint32_t lo = 10000, pairs = PAIRS, held = 0;
	uint64_t seed = 11;

	memset(taken, 0, sizeof(taken));
	for (int step = 0; step < 60000; step++) {
		uint64_t r = unit_random(&seed);
		uint32_t pair = 9990 + (uint32_t)(r >> 32) % 220, free = 0;
		bool in = pair >= lo && pair < lo + pairs;

		if (r % 50 == 0) {
			lo = 9990 + (uint32_t)(r >> 8) % 150;
			pairs = (uint32_t)(r >> 16) % 70;
			port_pool_range(p, (uint16_t)(2 * lo), (uint16_t)pairs);
		} else if (taken[pair]) {
			port_pool_give(p, (uint16_t)(2 * pair));
			taken[pair] = false;
			held--;
		} else if (r % 3 == 0) {
			assert_int_equal(port_pool_claim(p, (uint16_t)(2 * pair)), in);
			taken[pair] |= in;
			held += in;
		} else {
			uint32_t got = port_pool_take(p) / 2u;

			assert_true(got == 0 || (got >= lo && got < lo + pairs && !taken[got]));
			taken[got] |= got != 0;
			held += got != 0;
			for (uint32_t i = lo; got == 0 && i < lo + pairs; i++)
				assert_true(taken[i]);
		}
		for (uint32_t i = lo; i < lo + pairs; i++)
			free += !taken[i];
		assert_int_equal(p->free, free);
		assert_int_equal(p->held, held);
	}
}

/* All there are, to the last bit. */
static void the_largest_range_is_taken_whole(void **state)
{
	struct port_pool *p = &((struct fixture *)*state)->pool;

	port_pool_range(p, 2, 32767);
	for (uint32_t i = 1; i < PORT_POOL_ALL; i++)
		assert_int_equal(port_pool_take(p), 2 * i);
	assert_int_equal(port_pool_take(p), 0);
	port_pool_range(p, 65534, 5);
	assert_int_equal(p->pairs, 1);
	assert_int_equal(p->free, 0);
	port_pool_give(p, 65534);
	assert_int_equal(port_pool_take(p), 65534);
	port_pool_range(p, 0, 0);
	assert_int_equal(port_pool_take(p), 0);
	assert_int_equal(p->held, 32767);
}

static void give_20000(void *p)
{
	port_pool_give(p, 20000);
}

static void give_odd(void *p)
{
	port_pool_give(p, 20001);
}

static void give_beyond(void *p)
{
	port_pool_give(p, 20000 + 2 * PAIRS);
}

static void giving_what_is_not_taken_aborts(void **state)
{
	struct port_pool *p = &((struct fixture *)*state)->pool;

	assert_true(dies(give_20000, p));
	assert_int_equal(port_pool_take(p), 20000);
	assert_false(dies(give_20000, p));
	assert_true(dies(give_odd, p));
	assert_true(dies(give_beyond, p));
}

static void slices_are_disjoint_and_owned(void **state)
{
	static const uint16_t range[][2] = {{20000, 29999}, {20001, 20101}, {1, 65535}, {0, 40},
					    {65000, 65535}, {30000, 30031}, {0, 65534}};

	(void)state;
	for (size_t r = 0; r < sizeof(range) / sizeof(range[0]); r++) {
		uint16_t lo = range[r][0], hi = range[r][1];
		for (uint16_t shards = 1; shards <= 16; shards++) {
			uint32_t next = lo < 2 ? 2 : (lo + 1u) & ~1u, total = 0;
			for (uint16_t s = 0; s < shards; s++) {
				uint16_t at, pairs;
				port_pool_slice(lo, hi, s, shards, &at, &pairs);
				assert_int_equal(at, next);
				assert_true(pairs > 0);
				for (uint32_t port = at; port < at + 2u * pairs; port++)
					assert_int_equal(
						port_pool_owner(lo, hi, shards, (uint16_t)port), s);
				next = at + 2u * pairs;
				total += pairs;
			}
			assert_true(next <= hi + 1u && next + 2 > hi);
			assert_true(total <= 32767);
		}
	}
}

static void ports_outside_have_no_owner(void **state)
{
	(void)state;
	assert_int_equal(port_pool_owner(20001, 20101, 2, 20001), PORT_POOL_NOBODY);
	assert_int_equal(port_pool_owner(20000, 20100, 2, 20100), PORT_POOL_NOBODY);
	assert_int_equal(port_pool_owner(20000, 20100, 2, 19999), PORT_POOL_NOBODY);
	assert_int_equal(port_pool_owner(20000, 20100, 2, 0), PORT_POOL_NOBODY);
	assert_int_equal(port_pool_owner(20000, 20100, 0, 20000), PORT_POOL_NOBODY);
}

static void a_range_too_small_is_nobodys(void **state)
{
	static const uint16_t range[][2] = {
		{20000, 20005}, {20001, 20001}, {65535, 65535}, {30000, 20000}, {0, 1}};

	(void)state;
	for (size_t r = 0; r < sizeof(range) / sizeof(range[0]); r++) {
		for (uint16_t s = 0; s < 4; s++) {
			uint16_t at, pairs = 9;
			port_pool_slice(range[r][0], range[r][1], s, 4, &at, &pairs);
			assert_int_equal(pairs, 0);
		}
		assert_int_equal(port_pool_owner(range[r][0], range[r][1], 4, range[r][0]),
				 PORT_POOL_NOBODY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_pair_is_taken_once, setup),
		cmocka_unit_test_setup(a_pair_given_back_waits_for_all_others, setup),
		cmocka_unit_test_setup(a_certain_pair_can_be_claimed_once, setup),
		cmocka_unit_test_setup(random_use_keeps_the_count, setup),
		cmocka_unit_test_setup(giving_what_is_not_taken_aborts, setup),
		cmocka_unit_test_setup(a_range_may_change_under_taken_pairs, setup),
		cmocka_unit_test_setup(random_ranges_keep_who_has_what, setup),
		cmocka_unit_test_setup(the_largest_range_is_taken_whole, setup),
		cmocka_unit_test(slices_are_disjoint_and_owned),
		cmocka_unit_test(ports_outside_have_no_owner),
		cmocka_unit_test(a_range_too_small_is_nobodys),
	};
	return cmocka_run_group_tests_name("media/port_pool", tests, NULL, NULL);
}
