#include "sbc/base/scan_block.h"

#ifdef __aarch64__

#include <arm_neon.h>
#include <string.h>

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

SCAN_INLINE bool take(struct scan_walk *w, const char *p, uint32_t at)
{
	uint8x16_t lf[4], ctl[4];

	for (uint32_t i = 0; i < 4; i++) {
		const uint8x16_t v = vld1q_u8((const uint8_t *)p + 16 * i);

		lf[i] = vceqq_u8(v, vdupq_n_u8('\n'));
		ctl[i] = vcltq_u8(v, vdupq_n_u8(0x10));
	}
	return scan_block_take(w, gather(lf), gather(ctl), at);
}

uint32_t scan_head_neon(const char *p, uint32_t n, uint16_t *lf)
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

#endif
