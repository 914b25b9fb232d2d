#include "tests/unit/control/store_one.h"

struct store_end one;

struct store_gauges store_one_gauges(void)
{
	struct store_gauges g;

	store_gauges_read(one.store, &g);
	return g;
}

bool store_one_is_down(void *arg)
{
	(void)arg;
	return !one.up;
}

int store_one_open(void **state)
{
	store_bed_open(state);
	store_end_open(&one, true, 1000);
	store_end_wait_up(&one);
	return 0;
}

int store_one_close(void **state)
{
	store_end_close(&one);
	return store_bed_close(state);
}
