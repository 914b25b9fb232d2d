/*
 * checkpoint_internal: the schema as tables, which writing and reading share.
 *
 * A member's value is one scalar, a run of bytes, or a list of parts "name=value"
 * with a space between. What is zero or empty is not written, words always are;
 * what is absent reads as zero.
 *
 * Few members are fields of their own: each field costs the store more than its bytes
 * do. The others are lines "name=value" of two fields, one of what seldom changes and
 * one of the rest; so their bytes may not hold a line's end, and neither what is written
 * nor what is read does. A member that is read as a field of its own means the same:
 * in schema 2 all of them were.
 */
#ifndef SBC_CORE_CHECKPOINT_INTERNAL_H
#define SBC_CORE_CHECKPOINT_INTERNAL_H

#include <stddef.h>

#include "sbc/core/checkpoint.h"

enum value_type {
	VALUE_U16, /* decimal */
	VALUE_U32,
	VALUE_U64,
	VALUE_COUNT, /* uint8_t, up to `limit` */
	VALUE_HEX32,
	VALUE_HEX64,
	VALUE_ADDR,  /* a.b.c.d:port */
	VALUE_IP,    /* a.b.c.d */
	VALUE_BOOL,  /* yes, no */
	VALUE_WORD,  /* uint8_t: position in `words` */
	VALUE_STATE, /* enum checkpoint_state, by `words` */
	VALUE_FLAGS, /* uint16_t: bit n is word n, with commas between */
	VALUE_BYTES, /* as they are; no part */
	VALUE_PARTS  /* no part */
};

/* Names and words are copied by this many bytes at a time, whatever their length. */
#define CHECKPOINT_NAME 16u

/* The last of a list has no length. */
struct checkpoint_word {
	char text[CHECKPOINT_NAME - 1];
	uint8_t len;
};

#define CHECKPOINT_FIXED "call" /* the field of what seldom changes, a line each */
#define CHECKPOINT_NOW   "now"  /* and of the rest */

/* A member of a struct by its name in a checkpoint: a line, a field, or a part of one. */
struct checkpoint_member {
	char name[CHECKPOINT_NAME];
	uint8_t type;
	uint8_t limit; /* COUNT: largest value; PARTS: how many there are */
	uint8_t need;  /* its absence is an error */
	uint8_t own;   /* a field of its own: it may hold line ends, or the store reads it */
	uint8_t fixed; /* of a call: changes seldom, and who changes it says so */
	uint8_t len;   /* of the name */
	uint16_t offset;
	const struct checkpoint_word *words;
	const struct checkpoint_member *parts;
};

struct checkpoint_members {
	const struct checkpoint_member *member;
	uint32_t count;
};

/* Groups of members: "name", "caller.name", "stream.0.name", "invite.0.name". */
extern const struct checkpoint_members checkpoint_call_members;
extern const struct checkpoint_members checkpoint_leg_members;
extern const struct checkpoint_members checkpoint_stream_members;
extern const struct checkpoint_members checkpoint_exchange_members;
extern const struct checkpoint_members checkpoint_registration_members;

/* ---- checkpoint_compose.c ---- */

/*
 * Room that a value other than bytes needs, its name and its lengths included, and
 * what is copied beyond the end of each piece.
 */
#define CHECKPOINT_ROOM 512u

static inline const void *checkpoint_member_at(const struct checkpoint_member *m, const void *base)
{
	return (const uint8_t *)base + m->offset;
}

/* What a member holds as one number: zero when it says nothing. Of bytes: how many. */
static inline uint64_t checkpoint_value_load(const struct checkpoint_member *m, const void *base)
{
	const void *at = checkpoint_member_at(m, base);
	const struct net_addr *a;

	switch (m->type) {
	case VALUE_U16:
	case VALUE_FLAGS:
		return *(const uint16_t *)at;
	case VALUE_U32:
	case VALUE_HEX32:
	case VALUE_IP:
		return *(const uint32_t *)at;
	case VALUE_U64:
	case VALUE_HEX64:
		return *(const uint64_t *)at;
	case VALUE_ADDR:
		a = at;
		return a->ip | (uint64_t)a->port << 32;
	case VALUE_BOOL:
		return *(const bool *)at;
	case VALUE_STATE:
		return (uint64_t) * (const enum checkpoint_state *)at;
	case VALUE_BYTES:
		return ((const struct slice *)at)->n;
	case VALUE_PARTS:
		return 1;
	default:
		return *(const uint8_t *)at;
	}
}

/* Whether a member that holds `v` is left out: words never are, nor are lists of parts. */
static inline bool checkpoint_value_is_left_out(const struct checkpoint_member *m, uint64_t v)
{
	return v == 0 && m->type != VALUE_WORD && m->type != VALUE_STATE && m->type != VALUE_PARTS;
}

/*
 * Writes a value that holds `v`, other than bytes, where there is CHECKPOINT_ROOM;
 * returns its end. What is beyond that may be written over.
 */
char *checkpoint_value_compose(char *p, const struct checkpoint_member *m, const void *base,
			       uint64_t v);

/* ---- checkpoint_value.c ---- */

/* False when the value is not one of its type; a part that there is not is passed over. */
bool checkpoint_value_read(const struct checkpoint_member *m, void *base, struct slice value);

/* Position of a name among members, or `count`. */
uint32_t checkpoint_member_find(const struct checkpoint_members *set, struct slice name);

#endif
