#include "sbc/media/port_set.h"

#include <stdlib.h>

#include "tests/lib/dies.h"
#include "tests/lib/unit.h"

#define ADDRESSES 3u
#define PAIRS     5u

static const uint32_t ip[ADDRESSES] = {0x01000a0au, 0x02000a0au, 0x03000a0au};

struct fixture {
	uint8_t *mem;
	struct arena arena;
	struct port_set set;
};

static int setup(void **state)
{
	static struct fixture f;

	f.mem = aligned_alloc(64, port_set_size(ADDRESSES));
	arena_init(&f.arena, f.mem, port_set_size(ADDRESSES));
	port_set_init(&f.set, &f.arena, ip, ADDRESSES, 20000, PAIRS);
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
	port_set_init(&s, &a, all, PORT_SET_MAX, 1024, 32256);
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
		cmocka_unit_test(sixty_four_addresses_are_all_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
