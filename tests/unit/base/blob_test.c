#include "sbc/base/blob.h"

#include <string.h>

#include "tests/lib/dies.h"
#include "tests/lib/unit.h"

static const struct blob_class classes[BLOB_CLASSES] = {{16, 4}, {64, 2}, {256, 2}};

struct fixture {
	_Alignas(64) uint8_t mem[4096];
	struct arena arena;
	struct blob_store store;
};

static int setup(void **state)
{
	static struct fixture f;

	arena_init(&f.arena, f.mem, sizeof(f.mem));
	blob_init(&f.store, &f.arena, classes);
	*state = &f;
	return arena_ok(&f.arena) ? 0 : -1;
}

static void what_is_copied_is_read_again(void **state)
{
	struct blob_store *b = &((struct fixture *)*state)->store;
	uint32_t one = blob_copy(b, SLICE_LIT("sixteen bytes ok")),
		 two = blob_copy(b, SLICE_LIT("x"));
	uint32_t none = blob_copy(b, SLICE_NONE);

	assert_true(one && two && none);
	assert_true(slice_eq(blob_slice(b, one), SLICE_LIT("sixteen bytes ok")));
	assert_true(slice_eq(blob_slice(b, two), SLICE_LIT("x")));
	assert_int_equal(blob_slice(b, none).n, 0);
	assert_int_equal(blob_room(b, two), 16);
	blob_give(b, one);
	blob_give(b, two);
	blob_give(b, none);
	assert_int_equal(blob_used(b), 0);
}

static void a_class_used_up_falls_through_to_the_next(void **state)
{
	struct blob_store *b = &((struct fixture *)*state)->store;
	uint32_t ref[8];

	for (int i = 0; i < 8; i++) {
		ref[i] = blob_take(b, 10);
		assert_int_not_equal(ref[i], 0);
		assert_int_equal(blob_room(b, ref[i]), i < 4 ? 16 : i < 6 ? 64 : 256);
		memset(blob_ptr(b, ref[i]), i, blob_room(b, ref[i]));
	}
	assert_int_equal(blob_take(b, 0), 0);
	for (int i = 0; i < 8; i++)
		for (uint32_t n = 0; n < blob_room(b, ref[i]); n++)
			assert_int_equal(blob_ptr(b, ref[i])[n], i);
	for (int i = 0; i < 8; i++)
		blob_give(b, ref[i]);
	assert_int_equal(blob_used(b), 0);
	assert_int_equal(blob_room(b, blob_take(b, 16)), 16);
}

static void the_smallest_class_that_fits_is_used(void **state)
{
	struct blob_store *b = &((struct fixture *)*state)->store;

	assert_int_equal(blob_room(b, blob_take(b, 16)), 16);
	assert_int_equal(blob_room(b, blob_take(b, 17)), 64);
	assert_int_equal(blob_room(b, blob_take(b, 65)), 256);
	assert_int_equal(blob_take(b, 257), 0);
	assert_int_equal(blob_take(b, UINT32_MAX), 0);
}

static void length_changes_within_the_room(void **state)
{
	struct blob_store *b = &((struct fixture *)*state)->store;
	uint32_t ref = blob_copy(b, SLICE_LIT("abcdef"));

	blob_set_len(b, ref, 3);
	assert_true(slice_eq(blob_slice(b, ref), SLICE_LIT("abc")));
	blob_set_len(b, ref, 16);
	assert_int_equal(blob_slice(b, ref).n, 16);
	blob_give(b, ref);
}

static void no_ref_is_nothing(void **state)
{
	struct blob_store *b = &((struct fixture *)*state)->store;

	blob_give(b, 0);
	assert_null(blob_ptr(b, 0));
	assert_int_equal(blob_slice(b, 0).n, 0);
	assert_int_equal(blob_used(b), 0);
}

struct call {
	struct blob_store *b;
	uint32_t ref;
};

static void give(void *arg)
{
	struct call *c = arg;

	blob_give(c->b, c->ref);
}

static void read_it(void *arg)
{
	struct call *c = arg;

	(void)blob_slice(c->b, c->ref);
}

static void lengthen(void *arg)
{
	struct call *c = arg;

	blob_set_len(c->b, c->ref, 17);
}

static void misuse_aborts(void **state)
{
	struct blob_store *b = &((struct fixture *)*state)->store;
	struct call c = {b, blob_take(b, 8)};
	struct call forged = {b, UINT32_MAX};

	assert_false(dies(give, &c));
	assert_true(dies(lengthen, &c));
	blob_give(b, c.ref);
	assert_true(dies(give, &c));
	assert_true(dies(read_it, &c));
	assert_true(dies(give, &forged));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_copied_is_read_again, setup),
		cmocka_unit_test_setup(a_class_used_up_falls_through_to_the_next, setup),
		cmocka_unit_test_setup(the_smallest_class_that_fits_is_used, setup),
		cmocka_unit_test_setup(length_changes_within_the_room, setup),
		cmocka_unit_test_setup(no_ref_is_nothing, setup),
		cmocka_unit_test_setup(misuse_aborts, setup),
	};
	return cmocka_run_group_tests_name("base/blob", tests, NULL, NULL);
}
