#include "sbc/base/decimal.h"

#include <string.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
			    "25262728293031323334353637383940414243444546474849"
			    "50515253545556575859606162636465666768697071727374"
			    "75767778798081828384858687888990919293949596979899";

const uint64_t decimal_power[DECIMAL_MAX] = {
	0,
	10u,
	100u,
	1000u,
	10000u,
	100000u,
	1000000u,
	10000000u,
	100000000u,
	1000000000u,
	10000000000u,
	100000000000u,
	1000000000000u,
	10000000000000u,
	100000000000000u,
	1000000000000000u,
	10000000000000000u,
	100000000000000000u,
	1000000000000000000u,
	10000000000000000000u,
};

/* Two digits for each division, and 32-bit ones as soon as they do. */
char *decimal_write(char *to, uint64_t v)
{
	char *const end = to + decimal_len(v), *at = end;
	uint32_t low;

	for (; v > UINT32_MAX; v /= 100)
		memcpy(at -= 2, pairs + 2 * (v % 100), 2);
	for (low = (uint32_t)v; low >= 100; low /= 100)
		memcpy(at -= 2, pairs + 2 * (low % 100), 2);
	if (low >= 10)
		memcpy(at - 2, pairs + 2 * low, 2);
	else
		at[-1] = (char)('0' + low);
	return end;
}
