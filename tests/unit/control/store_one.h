/*
 * store_one: a store that owns its group, open as long as a test lasts.
 */
#ifndef TESTS_STORE_ONE_H
#define TESTS_STORE_ONE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/control/store_fixture.h"

extern struct store_end one;

int store_one_open(void **state);
int store_one_close(void **state);

struct store_gauges store_one_gauges(void);
bool store_one_is_down(void *arg);

#define TEST(f) cmocka_unit_test_setup_teardown(f, store_one_open, store_one_close)

#endif
