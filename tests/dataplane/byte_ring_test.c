/* The ring of bytes between two threads: order, wholeness, the end of the memory, fullness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "dataplane/byte_ring.h"

#define SIZE 4096u

struct head {
	uint64_t number;
	uint32_t n;
};

static _Alignas(64) uint8_t mem[SIZE];
static char bytes[SIZE];

static struct slice text(uint64_t number, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = (char)(number * 31 + i);
	return slice_of(bytes, n);
}

static bool put(struct byte_ring *r, uint64_t number, uint32_t n, uint32_t spare)
{
	struct head h = {number, n};

	return byte_ring_put(r, (uint32_t)number % 7, &h, sizeof(h), text(number, n), spare);
}

static void check(const struct byte_ring_message *m, uint64_t number, uint32_t n)
{
	const struct head *h = m->head;

	assert_int_equal(m->type, number % 7);
	assert_int_equal(h->number, number);
	assert_int_equal(h->n, n);
	assert_int_equal(m->rest.n, n);
	for (uint32_t i = 0; i < n; i++)
		if (m->rest.p[i] != (char)(number * 31 + i))
			fail_msg("byte %u of message %lu", i, (unsigned long)number);
	assert_int_equal((uintptr_t)m->head % 16, 0);
}

static void an_empty_ring_gives_nothing(void **state)
{
	struct byte_ring_message m;
	struct byte_ring r;

	(void)state;
	byte_ring_init(&r, mem, SIZE);
	assert_false(byte_ring_peek(&r, &m));
	assert_int_equal(byte_ring_used(&r), 0);
}

static void messages_come_in_order_and_whole_over_the_end(void **state)
{
	struct byte_ring_message m;
	struct byte_ring r;

	(void)state;
	byte_ring_init(&r, mem, SIZE);
	for (uint64_t i = 0; i < 5000; i++) {
		uint32_t a = (uint32_t)(i * 37 % 600), b = (uint32_t)(i * 91 % 1700);

		assert_true(put(&r, 2 * i, a, 0));
		assert_true(put(&r, 2 * i + 1, b, 0));
		assert_true(byte_ring_peek(&r, &m));
		check(&m, 2 * i, a);
		assert_true(byte_ring_peek(&r, &m)); /* it stays until it is dropped */
		check(&m, 2 * i, a);
		byte_ring_drop(&r);
		assert_true(byte_ring_peek(&r, &m));
		check(&m, 2 * i + 1, b);
		byte_ring_drop(&r);
		assert_false(byte_ring_peek(&r, &m));
	}
	assert_int_equal(byte_ring_used(&r), 0);
}

static void a_full_ring_takes_nothing_and_loses_nothing(void **state)
{
	struct byte_ring_message m;
	struct byte_ring r;
	uint32_t n = 0;

	(void)state;
	byte_ring_init(&r, mem, SIZE);
	while (put(&r, n, 100, 0))
		n++;
	assert_int_equal(n, SIZE / byte_ring_cost(sizeof(struct head), 100));
	assert_false(byte_ring_fits(&r, sizeof(struct head), 100, 0));
	for (uint32_t i = 0; i < n; i++) {
		assert_true(byte_ring_peek(&r, &m));
		check(&m, i, 100);
		byte_ring_drop(&r);
		assert_true(put(&r, n + i, 100, 0));
		assert_false(put(&r, n + i, 100, 0));
	}
}

/* To the byte: a ring that is exactly full, from every position. */
static void it_can_be_exactly_full(void **state)
{
	struct byte_ring_message m;
	struct byte_ring r;

	(void)state;
	byte_ring_init(&r, mem, SIZE);
	for (uint32_t i = 0; i < SIZE / 16; i++) {
		uint32_t k = 0;

		while (byte_ring_put(&r, 1, NULL, 0, SLICE_NONE, 0))
			k++;
		assert_int_equal(k, SIZE / 16);
		assert_int_equal(byte_ring_used(&r), SIZE);
		while (byte_ring_peek(&r, &m))
			byte_ring_drop(&r);
		assert_true(byte_ring_put(&r, 1, NULL, 0, SLICE_NONE, 0));
		assert_true(byte_ring_peek(&r, &m));
		byte_ring_drop(&r);
	}
}

static void spare_room_is_kept_for_others(void **state)
{
	struct byte_ring r;
	uint32_t n = 0;

	(void)state;
	byte_ring_init(&r, mem, SIZE);
	while (put(&r, n, 100, SIZE / 2))
		n++;
	assert_true(byte_ring_used(&r) <= SIZE / 2);
	assert_false(put(&r, n, 100, SIZE / 2));
	assert_true(put(&r, n, 100, 0));
}

static void what_can_never_fit_is_refused(void **state)
{
	struct byte_ring_message m;
	struct byte_ring r;

	(void)state;
	byte_ring_init(&r, mem, SIZE);
	assert_false(byte_ring_put(&r, 0, NULL, 0, slice_of(bytes, SIZE / 2), 0));
	assert_false(byte_ring_put(&r, 0, NULL, 0, slice_of(bytes, UINT32_MAX), 0));
	/* The longest fits wherever the ring stands. */
	for (uint32_t i = 0; i < 300; i++) {
		assert_true(byte_ring_put(&r, 0, NULL, 0, slice_of(bytes, SIZE / 2 - 16), 0));
		assert_true(byte_ring_peek(&r, &m));
		byte_ring_drop(&r);
		assert_true(byte_ring_put(&r, 0, NULL, 0, SLICE_NONE, 0));
		assert_true(byte_ring_peek(&r, &m));
		byte_ring_drop(&r);
	}
}

#define MESSAGES 60000u

static void *putter(void *arg)
{
	for (uint64_t i = 0; i < MESSAGES;)
		if (put(arg, i, (uint32_t)(i * 53 % 900), 0))
			i++;
	return NULL;
}

static void two_threads_lose_nothing(void **state)
{
	struct byte_ring_message m;
	struct byte_ring r;
	pthread_t t;

	(void)state;
	byte_ring_init(&r, mem, SIZE);
	assert_int_equal(pthread_create(&t, NULL, putter, &r), 0);
	for (uint64_t i = 0; i < MESSAGES;) {
		if (!byte_ring_peek(&r, &m))
			continue;
		check(&m, i, (uint32_t)(i * 53 % 900));
		byte_ring_drop(&r);
		i++;
	}
	pthread_join(t, NULL);
	assert_false(byte_ring_peek(&r, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_ring_gives_nothing),
		cmocka_unit_test(messages_come_in_order_and_whole_over_the_end),
		cmocka_unit_test(a_full_ring_takes_nothing_and_loses_nothing),
		cmocka_unit_test(it_can_be_exactly_full),
		cmocka_unit_test(spare_room_is_kept_for_others),
		cmocka_unit_test(what_can_never_fit_is_refused),
		cmocka_unit_test(two_threads_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
