/*
 * ident: the generator's own identifiers, which say whose they are.
 *
 * Call-IDs, tags, branches and products of each side hold a mark, one byte that
 * is a token's in SIP and that nothing else on the wire has; host names hold a
 * name of that side. A mark of the other side in a message is a leak, found by
 * scan.h. Behind the mark stand the number of the call and the serial number of
 * its use, in hexadecimal: what comes back is found without a table.
 */
#ifndef TESTS_BENCH_GEN_IDENT_H
#define TESTS_BENCH_GEN_IDENT_H

#include "tests/bench/gen/text.h"

#define IDENT_MARK_OUTSIDE '~'
#define IDENT_MARK_INSIDE  '!'
#define IDENT_HOST_OUTSIDE "qophone.invalid"
#define IDENT_HOST_INSIDE  "qipbx.invalid"

#define IDENT_BRANCH "z9hG4bK"

struct ident {
	uint32_t index, serial;
};

#define IDENT_LEN 16u

static inline void out_ident(struct out *o, struct ident id)
{
	out_hex8(o, id.index);
	out_hex8(o, id.serial);
}

static inline bool ident_at(const char *p, struct ident *id)
{
	return text_hex8(p, &id->index) && text_hex8(p + 8, &id->serial);
}

/* Of `t` from byte `skip` on; false when it is too short or does not hold one. */
static inline bool ident_of(struct text t, uint32_t skip, struct ident *id)
{
	return t.n >= skip + IDENT_LEN && ident_at(t.p + skip, id);
}

#endif
