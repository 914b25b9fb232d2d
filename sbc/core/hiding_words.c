/*
 * Lists out of which the words stay that the border serves: methods, option tags.
 *
 * Nearly all are words with ", " between and nothing else: those are cut where the next
 * comma stands. What is written another way is cut by wire_next_token(), which is the
 * meaning of both (tests/unit/core/hiding_words_test.c, tests/fuzz/hiding_fuzz.c).
 */
#include "sbc/core/hiding_words.h"

void hiding_run_put(struct hiding_ctx *c, uint32_t from, struct slice run)
{
	hiding_comma(c, from);
	wbuf_put(c->w, run);
}

/* Which words stay, by their wire_word(). */
struct served {
	bool (*has)(uint64_t word);
	bool in_any_case; /* then a space passes for the zero behind a word's end, too */
};

static inline bool plain_next(struct hiding_words *l, struct slice *v, struct served served)
{
	/* By copies, so that a caller's own may live in registers. */
	struct slice rest = *v, token;

	if (!wire_next_token(&rest, &token))
		return false;
	*v = rest;
	if (served.has(wire_word(token)))
		hiding_words_add(l, token);
	return true;
}

#ifdef __SSSE3__

#define ONES(n) (~0ull >> (64 - 8 * (n)))

/*
 * The word at the front, behind ", " perhaps, up to a comma or the end; false: what is
 * there may be something else than a word. What it is made of has been seen where it
 * was compared to the letter.
 */
static inline bool usual_next(struct hiding_words *l, struct slice *v, struct served served)
{
	static const uint64_t mask[17] = {0,       ONES(1), ONES(2), ONES(3), ONES(4),
					  ONES(5), ONES(6), ONES(7), ONES(8)};
	const uint32_t skip = v->n > 2 && v->p[0] == ',' && v->p[1] == ' ' ? 2 : 0;
	const char *p = v->p + skip;
	const uint32_t left = v->n - skip;
	const __m128i bytes = span_load(p, left);
	const uint32_t commas =
		(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
	const uint32_t n = (uint32_t)__builtin_ctz(commas | 1u << (left < 16 ? left : 16));

	const bool stays = served.has((uint64_t)_mm_cvtsi128_si64(bytes) & mask[n]);

	if ((!stays || served.in_any_case) &&
	    (n - 1 > 14 || span_strangers(&wire_set[__builtin_ctz(WIRE_TOKEN)], bytes) << (32 - n)))
		return false;
	if (stays)
		hiding_words_add(l, slice_of(p, n));
	*v = slice_of(p + n, left - n);
	return true;
}

#else

static inline bool usual_next(struct hiding_words *l, struct slice *v, struct served served)
{
	(void)l;
	(void)v;
	(void)served;
	return false;
}

#endif

static inline void words_filter(struct hiding_ctx *c, struct slice v, struct served served,
				bool usual)
{
	struct hiding_words l = {c, c->w->n, SLICE_NONE};

	while (v.n && ((usual && usual_next(&l, &v, served)) || plain_next(&l, &v, served)))
		;
	hiding_words_flush(&l);
}

/* A response's Require: 100rel is written by us or not at all. */
static inline bool serves_other_option(uint64_t word)
{
	return hiding_serves_option_word(word) &&
	       WIRE_ANY_CASE(word) != WIRE_ANY_CASE(WIRE_WORD('1', '0', '0', 'r', 'e', 'l', 0, 0));
}

/* What hiding_serves_method() says of the method that has this wire_word(). */
static inline bool serves_method(uint64_t word)
{
	/* By the first letter: none begins more than two. */
	static const uint64_t served[32][2] = {
		['I' & 31] = {WIRE_WORD('I', 'N', 'V', 'I', 'T', 'E', 0, 0),
			      WIRE_WORD('I', 'N', 'F', 'O', 0, 0, 0, 0)},
		['A' & 31] = {WIRE_WORD('A', 'C', 'K', 0, 0, 0, 0, 0)},
		['C' & 31] = {WIRE_WORD('C', 'A', 'N', 'C', 'E', 'L', 0, 0)},
		['B' & 31] = {WIRE_WORD('B', 'Y', 'E', 0, 0, 0, 0, 0)},
		['O' & 31] = {WIRE_WORD('O', 'P', 'T', 'I', 'O', 'N', 'S', 0)},
		['R' & 31] = {WIRE_WORD('R', 'E', 'G', 'I', 'S', 'T', 'E', 'R')},
		['P' & 31] = {WIRE_WORD('P', 'R', 'A', 'C', 'K', 0, 0, 0)},
		['U' & 31] = {WIRE_WORD('U', 'P', 'D', 'A', 'T', 'E', 0, 0)},
		['M' & 31] = {WIRE_WORD('M', 'E', 'S', 'S', 'A', 'G', 'E', 0)},
	};
	const uint64_t *two = served[word & 31];

	return word && (word == two[0] || word == two[1]);
}

static inline void options_filter(struct hiding_ctx *c, enum sip_hdr id, struct slice v, bool usual)
{
	if (id == SIP_HDR_REQUIRE && c->own_100rel)
		words_filter(c, v, (struct served){serves_other_option, true}, usual);
	else
		words_filter(c, v, (struct served){hiding_serves_option_word, true}, usual);
}

void hiding_filter_options(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	options_filter(c, id, v, true);
}

void hiding_filter_methods(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	(void)id;
	words_filter(c, v, (struct served){serves_method, false}, true);
}

void hiding_words_plain(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	if (id == SIP_HDR_ALLOW)
		words_filter(c, v, (struct served){serves_method, false}, false);
	else
		options_filter(c, id, v, false);
}
