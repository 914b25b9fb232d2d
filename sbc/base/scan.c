#include "sbc/base/scan.h"

#include <stddef.h>

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

static inline struct scan_bits bits_plain(const char *p, uint8_t limit)
{
	struct scan_bits b = {0, 0};

	/* One less than a power of two: a byte up to it has no other bits. */
	for (uint32_t i = 0; i < 8; i++) {
		const uint64_t word = load(p + 8 * i);

		b.lf |= gather(zero_bytes(word ^ EACH('\n'))) << (8 * i);
		b.ctl |= gather(zero_bytes(word & EACH(0xffu & ~limit))) << (8 * i);
	}
	return b;
}

uint32_t scan_head_plain(const char *p, uint32_t n, uint16_t *lf)
{
	SCAN_WALK_HEAD(bits_plain, scan_block_note);
}

uint32_t scan_text_plain(const char *p, uint32_t n, uint16_t *lf)
{
	SCAN_WALK_TEXT(bits_plain, scan_block_note);
}

/* ---- which ---- */

static const struct scan_impl impls[] = {
	{"plain", scan_head_plain, scan_text_plain},
#ifdef __x86_64__
	{"sse4.2", scan_head_sse42, scan_text_sse42},     {"avx2", scan_head_avx2, scan_text_avx2},
	{"avx512bw", scan_head_avx512, scan_text_avx512},
#endif
#ifdef __aarch64__
	{"neon", scan_head_neon, scan_text_neon},
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

static const struct scan_impl *best(void)
{
	uint32_t i = 0;

	while (scan_impl_at(i + 1) != NULL)
		i++;
	return scan_impl_at(i);
}

static uint32_t choose_head(const char *p, uint32_t n, uint16_t *lf);
static uint32_t choose_text(const char *p, uint32_t n, uint16_t *lf);

static uint32_t (*head)(const char *p, uint32_t n, uint16_t *lf) = choose_head;
static uint32_t (*text)(const char *p, uint32_t n, uint16_t *lf) = choose_text;

static uint32_t choose_head(const char *p, uint32_t n, uint16_t *lf)
{
	__atomic_store_n(&head, best()->head, __ATOMIC_RELAXED);
	return best()->head(p, n, lf);
}

static uint32_t choose_text(const char *p, uint32_t n, uint16_t *lf)
{
	__atomic_store_n(&text, best()->text, __ATOMIC_RELAXED);
	return best()->text(p, n, lf);
}

uint32_t scan_head(const char *p, uint32_t n, uint16_t *lf)
{
	return __atomic_load_n(&head, __ATOMIC_RELAXED)(p, n, lf);
}

uint32_t scan_text(const char *p, uint32_t n, uint16_t *lf)
{
	return __atomic_load_n(&text, __ATOMIC_RELAXED)(p, n, lf);
}
