/* What the fake dataplane of the postern_fake program holds, by its environment. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/control/fake_dp.h"

__attribute__((constructor)) static void set_up(void)
{
	const char *calls = getenv("FAKE_CALLS"), *fault = getenv("FAKE_FAULT");

	fake_dp_reset(1);
	if (calls)
		fake_dp_calls(0, (uint32_t)atoi(calls));
	if (!fault)
		return;
	fake_dp.dead = strcmp(fault, "dead") == 0;
	fake_dp.refuse_start = strcmp(fault, "start") == 0;
	fake_dp.worker[0].silent = strcmp(fault, "silent") == 0;
}
