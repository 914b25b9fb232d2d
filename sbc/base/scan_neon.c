#include "sbc/base/scan_block.h"

#ifdef __aarch64__

#include <arm_neon.h>

/* One bit for each byte of four vectors of 0x00 and 0xff: pairs added until eight are a byte. */
SCAN_INLINE uint64_t gather(const uint8x16_t *v)
{
	static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128,
					    1, 2, 4, 8, 16, 32, 64, 128};
	const uint8x16_t bit = vld1q_u8(weights);
	const uint8x16_t low = vpaddq_u8(vandq_u8(v[0], bit), vandq_u8(v[1], bit));
	const uint8x16_t high = vpaddq_u8(vandq_u8(v[2], bit), vandq_u8(v[3], bit));
	const uint8x16_t all = vpaddq_u8(low, high);

	return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

SCAN_INLINE struct scan_bits bits_neon(const char *p, uint8_t limit)
{
	uint8x16_t lf[4], ctl[4];

	for (uint32_t i = 0; i < 4; i++) {
		const uint8x16_t v = vld1q_u8((const uint8_t *)p + 16 * i);

		lf[i] = vceqq_u8(v, vdupq_n_u8('\n'));
		ctl[i] = vcleq_u8(v, vdupq_n_u8(limit));
	}
	return (struct scan_bits){gather(lf), gather(ctl)};
}

uint32_t scan_head_neon(const char *p, uint32_t n, uint16_t *lf)
{
	SCAN_WALK_HEAD(bits_neon, scan_block_note);
}

uint32_t scan_text_neon(const char *p, uint32_t n, uint16_t *lf)
{
	SCAN_WALK_TEXT(bits_neon, scan_block_note);
}

#endif
