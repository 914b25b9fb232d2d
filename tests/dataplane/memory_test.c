/* Memory of the dataplane is there before the first packet. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/dataplane/bed.h"

#define LENGTH ((size_t)6 << 20)

static void all_pages_are_there_from_the_start(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *resident = malloc(LENGTH / page);
	char *p = memory_map(LENGTH);

	(void)state;
	assert_non_null(resident);
	assert_non_null(p);
	assert_int_equal(mincore(p, LENGTH, resident), 0);
	for (size_t i = 0; i < LENGTH / page; i++)
		assert_int_equal(resident[i] & 1, 1);
	for (size_t i = 0; i < LENGTH; i += 512)
		assert_int_equal(p[i], 0);
	memory_unmap(p, LENGTH);
	free(resident);
}

/* No machine has an address space of this size for one program. */
static void too_much_is_said_at_the_start(void **state)
{
	(void)state;
	assert_null(memory_map((size_t)1 << 47));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_pages_are_there_from_the_start),
		cmocka_unit_test(too_much_is_said_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
