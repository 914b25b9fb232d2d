#include "sbc/base/ident.h"

#include <string.h>

#ifdef __SSSE3__
#include <immintrin.h>
#endif

#include "sbc/base/wbuf.h"

/* The random or derived part: 12 bytes as numbers, the first byte lowest. */
struct body {
	uint64_t low;
	uint32_t high;
};

void ident_gen_init(struct ident_gen *g, const struct siphash_key *seed)
{
	*g = (struct ident_gen){.seed = *seed, .used = CHACHA_WORDS};
}

static void store64(uint8_t *p, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	memcpy(p, &v, sizeof(v));
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* A keyed pseudo-random function over a counter: the past says nothing of the future. */
uint64_t ident_random(struct ident_gen *g)
{
	if (g->used == CHACHA_WORDS) {
		chacha_blocks(&g->seed, g->counter, g->word);
		g->counter += 2;
		g->used = 0;
	}
	return g->word[g->used++];
}

static void write_hex(char *out, const uint8_t *bytes, uint32_t n)
{
	struct wbuf w;

	wbuf_init(&w, out, 2 * n);
	wbuf_hex(&w, bytes, n);
}

void ident_tag(struct ident_gen *g, char *out)
{
	uint8_t bytes[IDENT_TAG_LEN / 2];

	store64(bytes, ident_random(g));
	write_hex(out, bytes, sizeof(bytes));
}

/* What is added to the bucket and its check, so that neither shows: of 'm' and the body. */
static inline uint32_t mask_of(const struct siphash_key *key, struct body b)
{
	return (uint32_t)siphash24_short(key, 'm' | b.low << 8, b.low >> 56 | (uint64_t)b.high << 8,
					 13);
}

/*
 * The check covers the bucket: who flips bits of the masked bucket of an
 * identifier that he was shown must guess 24 bits to have it taken for ours.
 * Of 'c', the bucket and the body.
 */
static inline uint32_t check_of(const struct siphash_key *key, struct body b, uint8_t bucket)
{
	return (uint32_t)siphash24_short(key, 'c' | (uint64_t)bucket << 8 | b.low << 16,
					 b.low >> 48 | (uint64_t)b.high << 16, 14) &
	       0xffffff;
}

static void seal(const struct siphash_key *key, uint8_t bucket, struct body b, char *out)
{
	const uint32_t word = ((uint32_t)bucket << 24 | check_of(key, b, bucket)) ^ mask_of(key, b);
	uint8_t bytes[IDENT_LEN / 2];

	/* The word goes highest byte first. */
	store64(bytes, b.low);
	store64(bytes + 8, b.high | (uint64_t)__builtin_bswap32(word) << 32);
	write_hex(out, bytes, sizeof(bytes));
}

void ident_mint(struct ident_gen *g, const struct siphash_key *key, uint8_t bucket, char *out)
{
	const uint64_t low = ident_random(g), high = ident_random(g);

	seal(key, bucket, (struct body){low, (uint32_t)high}, out);
}

/* Keys of its own: no choice of input can meet what mask and check are made of. */
void ident_derive_key_init(struct ident_derive_key *d, const struct siphash_key *key)
{
	for (int i = 0; i < 2; i++) {
		const uint8_t label[2] = {'d', (uint8_t)i}, other[2] = {'e', (uint8_t)i};

		d->half[i] = (struct siphash_key){siphash24(key, label, sizeof(label)),
						  siphash24(key, other, sizeof(other))};
	}
}

void ident_derive(const struct siphash_key *key, const struct ident_derive_key *d, uint8_t bucket,
		  struct slice input, char *out)
{
	const uint64_t low = siphash24(&d->half[0], input.p, input.n);
	const uint64_t high = siphash24(&d->half[1], input.p, input.n);

	seal(key, bucket, (struct body){low, (uint32_t)high}, out);
}

#ifdef __SSSE3__

/* Eight bytes of sixteen lower-case digits; any other byte sets bits in `wrong`. */
static inline uint64_t digits_value(const char *p, __m128i *wrong)
{
	const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	const __m128i ten = _mm_sub_epi8(v, _mm_set1_epi8('0'));
	const __m128i six = _mm_sub_epi8(v, _mm_set1_epi8('a'));
	const __m128i is_ten = _mm_cmpeq_epi8(_mm_min_epu8(ten, _mm_set1_epi8(9)), ten);
	const __m128i is_six = _mm_cmpeq_epi8(_mm_min_epu8(six, _mm_set1_epi8(5)), six);
	const __m128i value =
		_mm_or_si128(_mm_and_si128(is_ten, ten),
			     _mm_and_si128(is_six, _mm_add_epi8(six, _mm_set1_epi8(10))));
	/* Sixteen times the first of each pair and the second. */
	const __m128i pair = _mm_maddubs_epi16(value, _mm_set1_epi16(0x0110));

	*wrong = _mm_or_si128(*wrong,
			      _mm_cmpeq_epi8(_mm_or_si128(is_ten, is_six), _mm_setzero_si128()));
	return (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(pair, pair));
}

static bool read_hex(const char *p, uint8_t bytes[IDENT_LEN / 2])
{
	__m128i wrong = _mm_setzero_si128();

	store64(bytes, digits_value(p, &wrong));
	store64(bytes + 8, digits_value(p + 16, &wrong));
	return _mm_movemask_epi8(wrong) == 0;
}

#else

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool read_hex(const char *p, uint8_t bytes[IDENT_LEN / 2])
{
	for (uint32_t i = 0; i < IDENT_LEN / 2; i++) {
		int hi = hex_value(p[2 * i]), lo = hex_value(p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

#endif

bool ident_is_ours(const struct siphash_key *key, struct slice s, uint8_t *bucket)
{
	uint8_t bytes[IDENT_LEN / 2];
	struct body b;
	uint64_t high;
	uint32_t word;

	if (s.n != IDENT_LEN || !read_hex(s.p, bytes))
		return false;
	high = load64(bytes + 8);
	b = (struct body){load64(bytes), (uint32_t)high};
	word = __builtin_bswap32((uint32_t)(high >> 32)) ^ mask_of(key, b);
	if ((word & 0xffffff) != check_of(key, b, (uint8_t)(word >> 24)))
		return false;
	*bucket = (uint8_t)(word >> 24);
	return true;
}

uint8_t ident_bucket(const struct siphash_key *key, struct slice s)
{
	uint8_t bucket;

	if (ident_is_ours(key, s, &bucket))
		return bucket;
	return (uint8_t)(siphash13(key, s.p, s.n) & (IDENT_BUCKETS - 1));
}
