#include "sbc/media/port_set.h"

#include <stdlib.h>

#include "tests/lib/dies.h"
#include "tests/lib/unit.h"

#define ADDRESSES 3u
#define PAIRS     5u
#define ROOM      4u

static const uint32_t ip[ADDRESSES] = {0x01000a0au, 0x02000a0au, 0x03000a0au};

struct fixture {
	uint8_t *mem;
	struct arena arena;
	struct port_set set;
};

static int setup(void **state)
{
	static struct fixture f;

	f.mem = aligned_alloc(64, port_set_size(ROOM));
	arena_init(&f.arena, f.mem, port_set_size(ROOM));
	port_set_init(&f.set, &f.arena, ROOM);
	port_set_range(&f.set, ip, ADDRESSES, 20000, PAIRS);
	*state = &f;
	return arena_ok(&f.arena) ? 0 : -1;
}

static int teardown(void **state)
{
	free(((struct fixture *)*state)->mem);
	return 0;
}

static void every_pair_of_every_address_is_taken_once(void **state)
{
	struct port_set *s = &((struct fixture *)*state)->set;
	bool seen[ADDRESSES][PAIRS] = {{false}};
	struct net_addr at;

	assert_int_equal(s->free, ADDRESSES * PAIRS);
	for (uint32_t i = 0; i < ADDRESSES * PAIRS; i++) {
		assert_true(port_set_take(s, 0, &at));
		uint16_t a = port_set_address(s, at.ip);
		assert_in_range(a, 0, ADDRESSES - 1);
		assert_in_range(at.port, 20000, 20000 + 2 * PAIRS - 2);
		assert_false(seen[a][(at.port - 20000) / 2]);
		seen[a][(at.port - 20000) / 2] = true;
	}
	assert_false(port_set_take(s, 0, &at));
	assert_int_equal(s->free, 0);
	assert_int_equal(s->open, 0);
	for (uint32_t a = 0; a < ADDRESSES; a++)
		for (uint16_t i = 0; i < PAIRS; i++)
			assert_true(port_set_give(
				s, (struct net_addr){ip[a], (uint16_t)(20000 + 2 * i)}));
	assert_int_equal(s->free, ADDRESSES * PAIRS);
}

static void addresses_take_turns(void **state)
{
	struct port_set *s = &((struct fixture *)*state)->set;
	struct net_addr at;

	for (uint32_t i = 0; i < ADDRESSES * PAIRS; i++) {
		assert_true(port_set_take(s, 0, &at));
		assert_int_equal(at.ip, ip[i % ADDRESSES]);
	}
}

static void a_wanted_address_is_given_while_it_has_one(void **state)
{
	struct port_set *s = &((struct fixture *)*state)->set;
	struct net_addr at;

	for (uint32_t i = 0; i < PAIRS; i++) {
		assert_true(port_set_take(s, ip[1], &at));
		assert_int_equal(at.ip, ip[1]);
	}
	/* Then any other; and one that is not in the set is like none. */
	assert_true(port_set_take(s, ip[1], &at));
	assert_int_not_equal(at.ip, ip[1]);
	assert_true(port_set_take(s, 0x0400000au, &at));
}

static void used_up_addresses_are_passed_over(void **state)
{
	struct port_set *s = &((struct fixture *)*state)->set;
	struct net_addr at;

	for (uint32_t i = 0; i < PAIRS; i++)
		assert_true(port_set_take(s, ip[0], &at) && port_set_take(s, ip[2], &at));
	for (uint32_t i = 0; i < PAIRS; i++) {
		assert_true(port_set_take(s, 0, &at));
		assert_int_equal(at.ip, ip[1]);
	}
	assert_false(port_set_take(s, 0, &at));
	assert_true(port_set_give(s, (struct net_addr){ip[2], 20004}));
	assert_true(port_set_take(s, 0, &at));
	assert_int_equal(at.ip, ip[2]);
	assert_int_equal(at.port, 20004);
}

static void a_certain_pair_can_be_claimed_once(void **state)
{
	struct port_set *s = &((struct fixture *)*state)->set;
	struct net_addr at = {ip[2], 20002};

	assert_true(port_set_claim(s, at));
	assert_false(port_set_claim(s, at));
	assert_false(port_set_claim(s, (struct net_addr){ip[2], 20003}));
	assert_false(port_set_claim(s, (struct net_addr){0x0400000au, 20000}));
	assert_true(port_set_claim(s, (struct net_addr){ip[1], 20002}));
	assert_int_equal(s->free, ADDRESSES * PAIRS - 2);
	assert_true(port_set_give(s, at));
	assert_true(port_set_claim(s, at));
}

static void what_is_not_of_the_set_is_nobodys(void **state)
{
	struct port_set *s = &((struct fixture *)*state)->set;

	assert_false(port_set_give(s, (struct net_addr){ip[0], 19998}));
	assert_false(port_set_give(s, (struct net_addr){0x0400000au, 20000}));
	assert_int_equal(s->free, ADDRESSES * PAIRS);
}

static void give_free_pair(void *set)
{
	port_set_give(set, (struct net_addr){ip[0], 20000});
}

static void a_free_pair_cannot_be_given(void **state)
{
	assert_true(dies(give_free_pair, &((struct fixture *)*state)->set));
}

static void take_all(struct port_set *s, uint32_t from)
{
	struct net_addr at;

	for (uint32_t i = 0; i < PAIRS; i++) {
		assert_true(port_set_take(s, from, &at));
		assert_int_equal(at.ip, from);
	}
}

/* A range that moves takes no pair from who has one, and gives none to others twice. */
static void a_range_may_move_and_come_back(void **state)
{
	struct port_set *s = &((struct fixture *)*state)->set;
	struct net_addr first, at;

	assert_true(port_set_take(s, ip[1], &first));
	port_set_range(s, ip, ADDRESSES, 30000, 2);
	assert_int_equal(s->pairs, ADDRESSES * 2);
	assert_int_equal(s->free, ADDRESSES * 2);
	assert_true(port_set_take(s, ip[1], &at));
	assert_int_equal(at.port, 30000);
	port_set_range(s, ip, ADDRESSES, 20000, PAIRS);
	assert_int_equal(s->free, ADDRESSES * PAIRS - 1);
	assert_false(port_set_claim(s, first));
	assert_true(port_set_give(s, at));
	assert_int_equal(s->free, ADDRESSES * PAIRS - 1);
	assert_false(port_set_give(s, at)); /* of no range, and nobody's */
	assert_true(port_set_give(s, first));
	assert_int_equal(s->free, ADDRESSES * PAIRS);
}

static const uint32_t moved[ADDRESSES] = {0x01000b0au, 0x02000a0au, 0x03000b0au};

/* What an address had is its when it comes back; meanwhile nobody else has its pool. */
static void an_address_that_comes_back_has_its_pairs(void **state)
{
	struct port_set *s = &((struct fixture *)*state)->set;
	struct net_addr first, at;

	assert_true(port_set_take(s, ip[0], &first));
	port_set_range(s, moved, ADDRESSES, 20000, PAIRS);
	assert_int_equal(s->free, ADDRESSES * PAIRS);
	take_all(s, moved[0]);
	port_set_range(s, ip, ADDRESSES, 20000, PAIRS);
	for (uint32_t i = 0; i < PAIRS - 1; i++) {
		assert_true(port_set_take(s, ip[0], &at));
		assert_int_equal(at.ip, ip[0]);
		assert_int_not_equal(at.port, first.port);
	}
	assert_true(port_set_give(s, first));
	assert_true(port_set_take(s, ip[0], &at));
	assert_true(net_addr_eq(at, first));
	/* That of the one that is gone is given back there. */
	assert_true(port_set_give(s, (struct net_addr){moved[0], 20000}));
	assert_false(port_set_give(s, (struct net_addr){moved[2], 20000}));
}

/* Four pools: of three that are gone and have pairs out, three stay theirs. */
static void an_address_without_a_pool_waits_for_one(void **state)
{
	static const uint32_t all_new[ADDRESSES] = {0x01000b0au, 0x02000b0au, 0x03000b0au};
	struct port_set *s = &((struct fixture *)*state)->set;
	struct net_addr had[ADDRESSES], at;

	for (uint32_t i = 0; i < ADDRESSES; i++)
		assert_true(port_set_take(s, ip[i], &had[i]));
	port_set_range(s, all_new, ADDRESSES, 20000, PAIRS);
	assert_int_equal(s->pairs, PAIRS);
	take_all(s, all_new[0]);
	assert_false(port_set_take(s, all_new[1], &at));
	assert_false(port_set_claim(s, (struct net_addr){all_new[1], 20000}));
	assert_false(port_set_give(s, (struct net_addr){all_new[1], 20000}));
	assert_true(port_set_give(s, had[2]));
	assert_int_equal(s->pairs, 2 * PAIRS);
	take_all(s, all_new[1]);
	assert_true(port_set_give(s, had[0]) && port_set_give(s, had[1]));
	assert_int_equal(s->pairs, 3 * PAIRS);
	take_all(s, all_new[2]);
	assert_int_equal(s->free, 0);
}

/* The most there can be: all bits of the map are used, none beyond it. */
static void sixty_four_addresses_are_all_drawn(void **state)
{
	size_t n = port_set_size(PORT_SET_MAX);
	struct arena a;
	static struct port_set s;
	uint32_t all[PORT_SET_MAX];
	struct net_addr at;
	void *mem = aligned_alloc(64, n);

	(void)state;
	for (uint32_t i = 0; i < PORT_SET_MAX; i++)
		all[i] = 0x0a000001u + i;
	arena_init(&a, mem, n);
	port_set_init(&s, &a, PORT_SET_MAX);
	port_set_range(&s, all, PORT_SET_MAX, 1024, 32256);
	assert_true(arena_ok(&a));
	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = 0; i < PORT_SET_MAX; i++) {
			assert_true(port_set_take(&s, 0, &at));
			assert_int_equal(at.ip, all[i]);
		}
	assert_int_equal(s.free, PORT_SET_MAX * 32256 - 2 * PORT_SET_MAX);
	free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_pair_of_every_address_is_taken_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(addresses_take_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wanted_address_is_given_while_it_has_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(used_up_addresses_are_passed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(a_certain_pair_can_be_claimed_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_not_of_the_set_is_nobodys, setup, teardown),
		cmocka_unit_test_setup_teardown(a_free_pair_cannot_be_given, setup, teardown),
		cmocka_unit_test_setup_teardown(a_range_may_move_and_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_that_comes_back_has_its_pairs, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_address_without_a_pool_waits_for_one, setup,
						teardown),
		cmocka_unit_test(sixty_four_addresses_are_all_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
