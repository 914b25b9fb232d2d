/*
 * prefetch: asks for memory that will be used soon.
 *
 * What a call among a million consists of is in no cache. Lines that are asked for
 * together come together; those of which each is only known when the one before
 * has come take the memory's latency one after the other. These are hints: any
 * address will do, nothing is read and nothing changes.
 */
#ifndef SBC_BASE_PREFETCH_H
#define SBC_BASE_PREFETCH_H

#include <stdint.h>

#define PREFETCH_LINE 64u

static inline void prefetch(const void *p)
{
	__builtin_prefetch(p);
}

/* All lines of `n` bytes, n > 0. */
static inline void prefetch_lines(const void *p, uint32_t n)
{
	const char *at = (const char *)((uintptr_t)p & ~(uintptr_t)(PREFETCH_LINE - 1));

	for (; at < (const char *)p + n; at += PREFETCH_LINE)
		__builtin_prefetch(at);
}

#endif
