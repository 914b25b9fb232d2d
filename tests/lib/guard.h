/*
 * guard: test input that ends flush against an unreadable page.
 *
 * A parser that reads one byte past its input, or one before it, dies of
 * SIGSEGV at that byte, in every build. guard_end() catches overruns,
 * guard_front() underruns. The copy is writable unless guard_seal() is called.
 *
 *	struct guard g;
 *	struct slice s = slice_of(guard_end(&g, text, n), n);
 *	...
 *	guard_free(&g);
 */
#ifndef TESTS_LIB_GUARD_H
#define TESTS_LIB_GUARD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
	uint8_t *map;
	size_t map_len;
	uint8_t *body; /* readable part, whole pages between the two guards */
	size_t body_len;
};

static inline void guard_map(struct guard *g, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	g->body_len = (n / page + 1) * page;
	g->map_len = g->body_len + 2 * page;
	g->map = mmap(NULL, g->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->map == MAP_FAILED)
		abort();
	g->body = g->map + page;
	if (mprotect(g->body, g->body_len, PROT_READ | PROT_WRITE) != 0)
		abort();
}

/* `n` bytes whose last is the last readable one; `data` may be NULL: room to write into. */
static inline char *guard_end(struct guard *g, const void *data, size_t n)
{
	guard_map(g, n);
	uint8_t *p = g->body + g->body_len - n;
	if (data != NULL && n > 0)
		memcpy(p, data, n);
	return (char *)p;
}

/* `n` bytes whose first is the first readable one. */
static inline char *guard_front(struct guard *g, const void *data, size_t n)
{
	guard_map(g, n);
	if (data != NULL && n > 0)
		memcpy(g->body, data, n);
	return (char *)g->body;
}

/* From here on a write to the copy dies too. */
static inline void guard_seal(struct guard *g)
{
	if (mprotect(g->body, g->body_len, PROT_READ) != 0)
		abort();
}

static inline void guard_free(struct guard *g)
{
	if (munmap(g->map, g->map_len) != 0)
		abort();
	g->map = NULL;
}

#endif
