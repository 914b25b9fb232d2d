/*
 * decimal: numbers as decimal digits, written where they shall stand.
 *
 * No sign, no leading zero. The caller has room for decimal_len() bytes, or for
 * DECIMAL_MAX when it does not ask; not a byte more is written.
 */
#ifndef SBC_BASE_DECIMAL_H
#define SBC_BASE_DECIMAL_H

#include <stdint.h>

#define DECIMAL_MAX 20u /* digits of UINT64_MAX */

extern const uint64_t decimal_power[DECIMAL_MAX]; /* of ten, by its exponent; the first is 0 */

/* How many digits: 1233/4096 is the logarithm of two, and one more from that power of ten on. */
static inline uint32_t decimal_len(uint64_t v)
{
	const uint32_t bits = 64 - (uint32_t)__builtin_clzll(v | 1);
	const uint32_t few = bits * 1233 >> 12;

	return few + (v >= decimal_power[few]);
}

/* Returns the end of what was written. */
char *decimal_write(char *to, uint64_t v);

#endif
