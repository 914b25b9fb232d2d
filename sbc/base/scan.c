#include "sbc/base/scan.h"

#include <stddef.h>
#include <string.h>

#include "sbc/base/scan_block.h"

#define EACH(byte) (0x0101010101010101u * (byte))

/* 0x80 in each byte of `w` that is zero, 0 in all others: no carry leaves a byte. */
static inline uint64_t zero_bytes(uint64_t w)
{
	return ~(((w & EACH(0x7fu)) + EACH(0x7fu)) | w | EACH(0x7fu));
}

/* Bit 7 of each byte, side by side. */
static inline uint64_t gather(uint64_t tops)
{
	return tops * 0x0002040810204081u >> 56;
}

static inline uint64_t load(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

static bool take(struct scan_walk *w, const char *p, uint32_t at)
{
	uint64_t lf = 0, ctl = 0;

	for (uint32_t i = 0; i < 8; i++) {
		const uint64_t word = load(p + 8 * i);

		lf |= gather(zero_bytes(word ^ EACH('\n'))) << (8 * i);
		ctl |= gather(zero_bytes(word & EACH(0xf0u))) << (8 * i);
	}
	return scan_block_take(w, lf, ctl, at);
}

uint32_t scan_head_plain(const char *p, uint32_t n, uint16_t *lf)
{
	struct scan_walk w = SCAN_WALK_START(lf);
	char last[SCAN_BLOCK];
	uint32_t at = 0;
	bool ended = false;

	for (; n - at >= SCAN_BLOCK && !ended; at += SCAN_BLOCK)
		ended = take(&w, p + at, at);
	if (!ended && at < n) {
		memset(last, ' ', sizeof(last));
		memcpy(last, p + at, n - at);
		ended = take(&w, last, at);
	}
	return scan_walk_result(&w, ended);
}

/* ---- which ---- */

static const struct scan_impl impls[] = {
	{"plain", scan_head_plain},
#ifdef __x86_64__
	{"sse4.2", scan_head_sse42}, {"avx2", scan_head_avx2}, {"avx512bw", scan_head_avx512},
#endif
#ifdef __aarch64__
	{"neon", scan_head_neon},
#endif
};

#define IMPLS (uint32_t)(sizeof(impls) / sizeof(impls[0]))

static bool runs_here(uint32_t i)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	switch (i) {
	case 1:
		return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
	case 2:
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
		       __builtin_cpu_supports("bmi2");
	case 3:
		/* Those before VBMI2 lower their clock for wide vectors. */
		return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
		       __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2");
	default:
		break;
	}
#endif
	return i < IMPLS;
}

const struct scan_impl *scan_impl_at(uint32_t i)
{
	for (uint32_t k = 0; k < IMPLS; k++)
		if (runs_here(k) && i-- == 0)
			return &impls[k];
	return NULL;
}

static uint32_t choose(const char *p, uint32_t n, uint16_t *lf);

static uint32_t (*head)(const char *p, uint32_t n, uint16_t *lf) = choose;

static uint32_t choose(const char *p, uint32_t n, uint16_t *lf)
{
	uint32_t best = 0;

	while (scan_impl_at(best + 1) != NULL)
		best++;
	__atomic_store_n(&head, scan_impl_at(best)->head, __ATOMIC_RELAXED);
	return scan_impl_at(best)->head(p, n, lf);
}

uint32_t scan_head(const char *p, uint32_t n, uint16_t *lf)
{
	return __atomic_load_n(&head, __ATOMIC_RELAXED)(p, n, lf);
}
