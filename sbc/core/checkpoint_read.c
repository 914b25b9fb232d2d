#include <string.h>

#include "sbc/core/checkpoint_internal.h"

/* Members seen, a bit each: of the call itself, its legs, streams and exchanges. */
struct reader {
	struct call_checkpoint *call;
	uint32_t schema;
	uint32_t own, leg[2], stream[SDP_MAX_MEDIA], pending[SDP_MAX_MEDIA];
	uint32_t exchange[CHECKPOINT_EXCHANGES];
};

/* The schema, with the frame of all fields looked over; anything may follow in a later one. */
static enum sbc_err schema_read(struct slice flat, uint32_t *schema)
{
	struct checkpoint_field f;
	uint32_t seen = 0;
	bool bad;

	while (checkpoint_next(&flat, &f, &bad)) {
		if (!slice_eq(f.name, SLICE_LIT("v")))
			continue;
		if (seen++ || !slice_u32(f.value, UINT32_MAX, schema))
			return SBC_EBAD;
	}
	if (bad || !seen)
		return SBC_EBAD;
	return *schema <= CHECKPOINT_SCHEMA && *schema + 1 >= CHECKPOINT_SCHEMA ? SBC_OK
										: SBC_ELIMIT;
}

/* Cuts the next line off the value of a field of lines. */
static bool line_cut(struct slice *rest, struct checkpoint_field *line)
{
	int32_t end = slice_find(*rest, '\n');
	struct slice s = slice_of(rest->p, end < 0 ? rest->n : (uint32_t)end);
	int32_t equal = slice_find(s, '=');

	if (equal < 1)
		return false;
	line->name = slice_of(s.p, (uint32_t)equal);
	line->value = slice_of(s.p + equal + 1, s.n - (uint32_t)equal - 1);
	*rest = end < 0 ? SLICE_NONE : slice_of(s.p + s.n + 1, rest->n - s.n - 1);
	return end < 0 || rest->n;
}

static bool is_lines(uint32_t schema, struct slice name)
{
	return schema > 2 && (slice_eq(name, SLICE_LIT(CHECKPOINT_NOW)) ||
			      slice_eq(name, SLICE_LIT(CHECKPOINT_FIXED)));
}

static bool member_read(const struct checkpoint_members *set, void *base, uint32_t *seen,
			struct slice name, struct slice value)
{
	uint32_t i = checkpoint_member_find(set, name);

	if (i == set->count)
		return true;
	if (*seen & 1u << i)
		return false;
	*seen |= 1u << i;
	return checkpoint_value_read(&set->member[i], base, value);
}

/* Cuts "3." off a name. */
static bool index_cut(struct slice *name, uint32_t *index)
{
	if (name->n < 3 || name->p[0] < '0' || name->p[0] > '9' || name->p[1] != '.')
		return false;
	*index = (uint32_t)(name->p[0] - '0');
	*name = slice_of(name->p + 2, name->n - 2);
	return true;
}

static bool stream_read(struct checkpoint_stream *stream, uint32_t *seen, struct slice name,
			struct slice value)
{
	uint32_t i;

	if (!index_cut(&name, &i))
		return true;
	return i < SDP_MAX_MEDIA &&
	       member_read(&checkpoint_stream_members, &stream[i], &seen[i], name, value);
}

static bool exchange_read(struct reader *r, struct slice name, struct slice value)
{
	uint32_t i;

	if (!index_cut(&name, &i))
		return true;
	return i < CHECKPOINT_EXCHANGES &&
	       member_read(&checkpoint_exchange_members, &r->call->exchange[i], &r->exchange[i],
			   name, value);
}

static bool one_read(struct reader *r, struct slice name, struct slice value)
{
	struct call_checkpoint *c = r->call;
	int32_t dot = slice_find(name, '.');

	if (dot < 0)
		return member_read(&checkpoint_call_members, c, &r->own, name, value);
	struct slice group = slice_of(name.p, (uint32_t)dot);
	struct slice rest = slice_of(name.p + dot + 1, name.n - (uint32_t)dot - 1);
	if (slice_eq(group, SLICE_LIT("caller")))
		return member_read(&checkpoint_leg_members, &c->leg[0], &r->leg[0], rest, value);
	if (slice_eq(group, SLICE_LIT("callee")))
		return member_read(&checkpoint_leg_members, &c->leg[1], &r->leg[1], rest, value);
	if (slice_eq(group, SLICE_LIT("stream")))
		return stream_read(c->stream, r->stream, rest, value);
	if (slice_eq(group, SLICE_LIT("pending")))
		return stream_read(c->pending, r->pending, rest, value);
	if (slice_eq(group, SLICE_LIT("invite")))
		return exchange_read(r, rest, value);
	return true;
}

static bool field_read(struct reader *r, struct slice name, struct slice value)
{
	struct checkpoint_field line;

	if (!is_lines(r->schema, name))
		return one_read(r, name, value);
	while (value.n)
		if (!line_cut(&value, &line) || !one_read(r, line.name, line.value))
			return false;
	return true;
}

/* Whether what must be there was. */
static bool has_needed(const struct checkpoint_members *set, uint32_t seen)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->member[i].need && !(seen & 1u << i))
			return false;
	return true;
}

/* The first `n` of an array are whole, and there are no more. */
static bool array_is_whole(const struct checkpoint_members *set, const uint32_t *seen, uint32_t n,
			   uint32_t max)
{
	for (uint32_t i = 0; i < max; i++)
		if (i < n ? !has_needed(set, seen[i]) : seen[i] != 0)
			return false;
	return true;
}

static bool leg_is_right(const struct checkpoint_leg *leg)
{
	return leg->tag.n == IDENT_TAG_LEN && leg->call_id.n && net_addr_is_set(leg->listener) &&
	       net_addr_is_set(leg->source);
}

static bool call_is_right(const struct reader *r)
{
	const struct call_checkpoint *c = r->call;

	return has_needed(&checkpoint_call_members, r->own) &&
	       has_needed(&checkpoint_leg_members, r->leg[0]) &&
	       has_needed(&checkpoint_leg_members, r->leg[1]) &&
	       array_is_whole(&checkpoint_stream_members, r->stream, c->streams, SDP_MAX_MEDIA) &&
	       array_is_whole(&checkpoint_stream_members, r->pending, c->pendings, SDP_MAX_MEDIA) &&
	       array_is_whole(&checkpoint_exchange_members, r->exchange, c->exchanges,
			      CHECKPOINT_EXCHANGES) &&
	       (c->has_pending || c->pendings == 0) && c->id.n == IDENT_LEN && c->status < 700 &&
	       leg_is_right(&c->leg[0]) && leg_is_right(&c->leg[1]);
}

enum sbc_err checkpoint_call_read(struct call_checkpoint *c, struct slice flat)
{
	struct reader r = {.call = c};
	enum sbc_err err = schema_read(flat, &r.schema);
	struct checkpoint_field f;
	bool bad;

	if (err != SBC_OK)
		return err;
	memset(c, 0, sizeof(*c));
	c->schema = r.schema;
	while (checkpoint_next(&flat, &f, &bad))
		if (!field_read(&r, f.name, f.value))
			return SBC_EBAD;
	return call_is_right(&r) ? SBC_OK : SBC_EBAD;
}

static bool registration_field_read(struct registration_checkpoint *reg, uint32_t *seen,
				    struct slice name, struct slice value)
{
	const struct checkpoint_members *set = &checkpoint_registration_members;
	struct checkpoint_field line;

	if (!is_lines(reg->schema, name))
		return member_read(set, reg, seen, name, value);
	while (value.n)
		if (!line_cut(&value, &line) || !member_read(set, reg, seen, line.name, line.value))
			return false;
	return true;
}

enum sbc_err checkpoint_registration_read(struct registration_checkpoint *reg, struct slice flat)
{
	struct checkpoint_field f;
	uint32_t schema, seen = 0;
	enum sbc_err err = schema_read(flat, &schema);
	bool bad;

	if (err != SBC_OK)
		return err;
	memset(reg, 0, sizeof(*reg));
	reg->schema = schema;
	while (checkpoint_next(&flat, &f, &bad))
		if (!registration_field_read(reg, &seen, f.name, f.value))
			return SBC_EBAD;
	return has_needed(&checkpoint_registration_members, seen) && reg->id.n == IDENT_LEN &&
			       reg->call_id.n == IDENT_LEN && net_addr_is_set(reg->listener) &&
			       net_addr_is_set(reg->source)
		       ? SBC_OK
		       : SBC_EBAD;
}
