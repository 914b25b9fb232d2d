#include <string.h>

#include "sbc/core/transaction_internal.h"
#include "sbc/sip/addr.h"
#include "sbc/sip/cseq.h"
#include "sbc/sip/param.h"
#include "sbc/sip/uri.h"
#include "sbc/sip/usual.h"

/*
 * A key is a letter for its kind and then parts, each with its length before it,
 * so that no bytes of one part can pass for another's. What RFC 3261 7.3.1 calls
 * case-insensitive is folded when the key is made.
 *
 *   'S' method, host, port, branch                              17.2.3
 *   'C' method, branch                                          17.1.3
 *   'L' method, host, port, transport, CSeq, From tag, Call-ID  17.2.3, RFC 2543
 *       and, compared by rules of their own: Request-URI, To tag, Via parameters
 */
#define DEFAULT_PORT 5060u

/*
 * Comparing by rules takes time with the square of the number of parameters, and
 * a stranger writes them: beyond these, RFC 2543 clients must repeat the bytes.
 */
#define RULES_MAX_PARAMS 16u
#define RULES_MAX_URI    255u

static void key_begin(struct tx_key *k, char kind)
{
	k->n = 1;
	k->too_long = false;
	k->bytes[0] = (uint8_t)kind;
}

/* Room for a part and its length before it; NULL: there is none, now and ever after. */
static uint8_t *part_room(struct tx_key *k, uint32_t n)
{
	uint8_t *at = k->bytes + k->n;

	if (k->too_long || n > TX_KEY_MAX || k->n + 2 + n > TX_KEY_MAX) {
		k->too_long = true;
		return NULL;
	}
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
	k->n += 2 + n;
	return at + 2;
}

static void key_part(struct tx_key *k, struct slice s)
{
	uint8_t *to = part_room(k, s.n);

	if (to != NULL && s.n)
		memcpy(to, s.p, s.n);
}

/* slice_lower() of eight bytes: no sum carries from one into the next. */
static uint64_t lower64(uint64_t w)
{
	const uint64_t each = 0x0101010101010101u, seven = w & each * 0x7f;
	const uint64_t from_a = seven + each * (0x80 - 'A');
	const uint64_t beyond_z = seven + each * (0x7f - 'Z');

	return w | ((from_a ^ beyond_z) & ~w & each * 0x80) >> 2;
}

static void fold8(uint8_t *to, const char *from)
{
	uint64_t w;

	memcpy(&w, from, sizeof(w));
	w = lower64(w);
	memcpy(to, &w, sizeof(w));
}

static void key_part_folded(struct tx_key *k, struct slice s)
{
	uint8_t *to = part_room(k, s.n);

	if (to == NULL)
		return;
	if (s.n < 8) {
		for (uint32_t i = 0; i < s.n; i++)
			to[i] = (uint8_t)slice_lower(s.p[i]);
		return;
	}
	for (uint32_t i = 0; i < s.n - 8; i += 8)
		fold8(to + i, s.p + i);
	/* The last eight, of which some have been folded. */
	fold8(to + s.n - 8, s.p + s.n - 8);
}

static void key_number(struct tx_key *k, uint32_t v)
{
	uint8_t *to = part_room(k, sizeof(v));

	if (to != NULL)
		memcpy(to, &v, sizeof(v));
}

/* The next part from `at` on. */
static struct slice part_next(const uint8_t *bytes, uint32_t *at)
{
	uint32_t n = (uint32_t)bytes[*at] << 8 | bytes[*at + 1];
	struct slice s = slice_of((const char *)bytes + *at + 2, n);

	*at += 2 + n;
	return s;
}

static void key_hash(const struct tx_layer *l, struct tx_key *k)
{
	k->hashed = k->n;
	k->hash = (uint32_t)siphash13(&l->key, k->bytes, k->n);
}

static void key_sent_by(struct tx_key *k, const struct sip_via *via)
{
	key_part_folded(k, via->host);
	key_number(k, via->port ? via->port : DEFAULT_PORT);
}

static struct slice tag_of(const struct sip_msg *m, enum sip_hdr id)
{
	struct sip_addr a;
	struct slice tag;

	return sip_addr_tagged_of(m, id, &a, &tag) == SBC_OK ? tag : SLICE_NONE;
}

/* What its copies are told by that is compared by rules. */
struct rules_2543 {
	struct slice uri, to_tag, via_params;
};

static void key_2543(const struct tx_layer *l, struct tx_key *k, const struct sip_msg *m,
		     const struct sip_via *via, struct slice method, const struct rules_2543 *rules)
{
	struct sip_cseq cseq = {0};

	/* A CSeq that cannot be read is answered 400; until then it counts as number 0. */
	if (sip_cseq_of(m, &cseq) != SBC_OK)
		cseq.seq = 0;
	key_begin(k, 'L');
	key_part(k, method);
	key_sent_by(k, via);
	key_part_folded(k, via->transport);
	key_number(k, cseq.seq);
	key_part_folded(k, tag_of(m, SIP_HDR_FROM));
	key_part(k, sip_msg_value(m, SIP_HDR_CALL_ID));
	key_hash(l, k);
	key_part(k, rules->uri);
	key_part(k, rules->to_tag);
	key_part(k, rules->via_params);
}

static void key_3261(const struct tx_layer *l, struct tx_key *k, const struct sip_via *via,
		     struct slice method)
{
	key_begin(k, 'S');
	key_part(k, method);
	key_sent_by(k, via);
	key_part_folded(k, via->branch);
	key_hash(l, k);
}

void tx_key_server(const struct tx_layer *l, struct tx_key *k, const struct sip_msg *m,
		   const struct sip_via *via, struct slice method)
{
	struct rules_2543 rules = {m->request_uri, SLICE_NONE, via->params};

	if (sip_via_is_3261(via)) {
		key_3261(l, k, via, method);
		return;
	}
	rules.to_tag = tag_of(m, SIP_HDR_TO);
	key_2543(l, k, m, via, method, &rules);
}

void tx_key_adopted(const struct tx_layer *l, struct tx_key *k, const struct sip_msg *response,
		    const struct tx_server_kept *kept)
{
	struct rules_2543 rules = {kept->uri, SLICE_NONE, kept->via_params};
	struct slice invite = sip_method_name(SIP_INVITE);
	struct sip_via via;

	k->too_long = true;
	if (sip_via_top(response, &via) != SBC_OK)
		return;
	if (sip_via_is_3261(&via)) {
		key_3261(l, k, &via, invite);
		return;
	}
	/* Within a dialog our tag stood in the request already. */
	if (kept->in_dialog)
		rules.to_tag = tag_of(response, SIP_HDR_TO);
	key_2543(l, k, response, &via, invite, &rules);
}

void tx_key_client(const struct tx_layer *l, struct tx_key *k, struct slice method,
		   struct slice branch)
{
	key_begin(k, 'C');
	key_part(k, method);
	key_part_folded(k, branch);
	key_hash(l, k);
}

static const uint8_t *key_bytes(const struct tx_layer *l, const struct tx *t)
{
	if (t->key_len <= TX_KEY_INLINE)
		return t->key.bytes;
	return (const uint8_t *)blob_ptr(l->blobs, t->key.blob);
}

struct slice tx_key_branch(const struct tx_layer *l, const struct tx *t)
{
	uint32_t at = 1;

	part_next(key_bytes(l, t), &at);
	return part_next(key_bytes(l, t), &at);
}

void tx_key_legacy(const struct tx_layer *l, const struct tx *t, struct tx_server_kept *kept)
{
	const uint8_t *have = key_bytes(l, t);
	uint32_t at = t->key_hashed;

	if (t->key_len == t->key_hashed)
		return;
	kept->legacy = true;
	kept->uri = part_next(have, &at);
	kept->in_dialog = part_next(have, &at).n != 0;
	kept->via_params = part_next(have, &at);
}

static bool uri_eq(struct slice a, struct slice b)
{
	struct sip_uri ua, ub;

	if (slice_eq(a, b))
		return true;
	if (a.n > RULES_MAX_URI || b.n > RULES_MAX_URI)
		return false;
	return sip_uri_parse(&ua, a) == SBC_OK && sip_uri_parse(&ub, b) == SBC_OK &&
	       sip_uri_eq(&ua, &ub);
}

static uint32_t params_count(struct slice list)
{
	struct sip_param p;
	uint32_t n = 0;

	while (n <= RULES_MAX_PARAMS && sip_param_next(&list, &p))
		n++;
	return n;
}

/* Each parameter of `a` is in `b` with the same value. */
static bool params_in(struct slice a, struct slice b)
{
	struct sip_param pa, pb;

	while (sip_param_next(&a, &pa))
		if (!sip_param_find(b, pa.name, &pb) || !slice_ieq(pa.value, pb.value))
			return false;
	return true;
}

/* 20.42: the same set of parameters with equal values, in any order. */
static bool params_eq(struct slice a, struct slice b)
{
	if (slice_eq(a, b))
		return true;
	uint32_t n = params_count(a);
	return n <= RULES_MAX_PARAMS && n == params_count(b) && params_in(a, b) && params_in(b, a);
}

/*
 * The To tag of the response that is being acknowledged. Where the response could
 * not be kept any tag will do: the rest of the key has matched.
 */
static bool acked_tag_eq(const struct tx_layer *l, const struct tx *t, struct slice tag)
{
	struct slice sent = blob_slice(l->blobs, t->msg);
	struct sip_fault fault;
	struct sip_msg m;

	if (sent.n == 0 || sip_msg_parse(&m, sent.p, sent.n, &fault) != SBC_OK)
		return true;
	return slice_ieq(tag_of(&m, SIP_HDR_TO), tag);
}

static bool rest_2543_eq(const struct tx_layer *l, const struct tx *t, const struct tx_key *k,
			 bool ack)
{
	const uint8_t *have = key_bytes(l, t);
	uint32_t at = t->key_hashed, kat = k->hashed;
	struct slice uri = part_next(have, &at), k_uri = part_next(k->bytes, &kat);
	struct slice tag = part_next(have, &at), k_tag = part_next(k->bytes, &kat);
	struct slice params = part_next(have, &at), k_params = part_next(k->bytes, &kat);

	if (!ack && !slice_ieq(tag, k_tag))
		return false;
	if (!params_eq(params, k_params) || !uri_eq(uri, k_uri))
		return false;
	return !ack || acked_tag_eq(l, t, k_tag);
}

static bool key_eq(const struct tx_layer *l, const struct tx *t, const struct tx_key *k, bool ack)
{
	const uint8_t *have = key_bytes(l, t);

	if (t->key_hashed != k->hashed || memcmp(have, k->bytes, k->hashed) != 0)
		return false;
	return k->n == k->hashed || rest_2543_eq(l, t, k, ack);
}

struct tx *tx_find(const struct tx_layer *l, const struct tx_key *k, bool ack)
{
	if (k->too_long)
		return NULL;
	for (uint32_t i = table_first(&l->table, k->hash); i != TABLE_NONE;
	     i = table_next(&l->table, i))
		if (key_eq(l, tx_at(l, i), k, ack))
			return tx_at(l, i);
	return NULL;
}

bool tx_key_has_room(const struct tx_layer *l, const struct tx_key *k)
{
	uint32_t n = 0;

	if (k->n == k->hashed)
		return true;
	for (uint32_t i = table_first(&l->table, k->hash); i != TABLE_NONE;
	     i = table_next(&l->table, i))
		n++;
	return n < TX_2543_ALIKE;
}
