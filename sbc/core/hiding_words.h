/*
 * hiding_words: what of a list of words is written, in as few pieces as it goes.
 *
 * Private to core/hiding. Words that stood side by side, with ", " between, are
 * written in one piece: in Allow and Supported that is most of them.
 */
#ifndef SBC_CORE_HIDING_WORDS_H
#define SBC_CORE_HIDING_WORDS_H

#include "sbc/core/hiding_internal.h"

struct hiding_words {
	struct hiding_ctx *c;
	uint32_t from; /* where in c->w the value begins */
	struct slice run;
};

/* A run, with a comma before all but the first of a value that begins at `from`. */
void hiding_run_put(struct hiding_ctx *c, uint32_t from, struct slice run);

/* Writes what is left; the list is over. */
static inline void hiding_words_flush(const struct hiding_words *l)
{
	if (l->run.n)
		hiding_run_put(l->c, l->from, l->run);
}

static inline void hiding_words_add(struct hiding_words *l, struct slice word)
{
	const char *end = l->run.p + l->run.n;

	if (l->run.n && word.p == end + 2 && end[0] == ',' && end[1] == ' ') {
		l->run.n += 2 + word.n;
		return;
	}
	hiding_words_flush(l);
	l->run = word;
}

/* Allow's filter, or for any other `id` that of option tags, token by token alone. */
void hiding_words_plain(struct hiding_ctx *c, enum sip_hdr id, struct slice v);

#endif
