/*
 * The header parameters that cross, by header: numbers, and words out of a list.
 * All others are left out, extension parameters first of all: a parameter that
 * nobody has looked at can name anything.
 */
#include "sbc/core/hiding_internal.h"
#include "sbc/sip/param.h"

enum kind {
	NUMBER,    /* up to ten digits */
	INDEX,     /* RFC 7044 10.1: digits separated by dots */
	WORD,      /* one of `words` */
	WORD_QUOTE /* the same, or in quotes (RFC 5806 lets reason be a quoted string) */
};

struct known {
	uint8_t hdr; /* enum sip_hdr */
	uint8_t kind;
	const char *name;
	const char *words;
};

static const struct known known[] = {
	{SIP_HDR_SESSION_EXPIRES, WORD, "refresher", "uac uas"},
	{SIP_HDR_CONTENT_DISPOSITION, WORD, "handling", "optional required"},
	{SIP_HDR_EVENT, NUMBER, "id", NULL},
	{SIP_HDR_SUBSCRIPTION_STATE, NUMBER, "expires", NULL},
	{SIP_HDR_SUBSCRIPTION_STATE, NUMBER, "retry-after", NULL},
	{SIP_HDR_SUBSCRIPTION_STATE, WORD, "reason",
	 "deactivated probation rejected timeout giveup noresource invariant"},
	{SIP_HDR_RETRY_AFTER, NUMBER, "duration", NULL},
	{SIP_HDR_USER_TO_USER, WORD, "encoding", "hex"},
	{SIP_HDR_USER_TO_USER, WORD, "purpose", "isdn-uui isdn-interwork"},
	{SIP_HDR_USER_TO_USER, WORD, "content", "isdn-uui"},
	{SIP_HDR_REMOTE_PARTY_ID, WORD, "party", "calling called"},
	{SIP_HDR_REMOTE_PARTY_ID, WORD, "screen", "yes no"},
	{SIP_HDR_REMOTE_PARTY_ID, WORD, "id-type", "subscriber user term"},
	{SIP_HDR_REMOTE_PARTY_ID, WORD, "privacy", "full name uri off"},
	{SIP_HDR_DIVERSION, WORD_QUOTE, "reason",
	 "unknown user-busy no-answer unavailable unconditional time-of-day do-not-disturb "
	 "deflection follow-me out-of-service away"},
	{SIP_HDR_DIVERSION, NUMBER, "counter", NULL},
	{SIP_HDR_DIVERSION, NUMBER, "limit", NULL},
	{SIP_HDR_DIVERSION, WORD_QUOTE, "privacy", "full name uri off"},
	{SIP_HDR_DIVERSION, WORD_QUOTE, "screen", "yes no"},
	{SIP_HDR_HISTORY_INFO, INDEX, "index", NULL},
	{SIP_HDR_HISTORY_INFO, INDEX, "rc", NULL},
	{SIP_HDR_HISTORY_INFO, INDEX, "mp", NULL},
	{SIP_HDR_HISTORY_INFO, INDEX, "np", NULL},
};

/* Each part of an index is a small number: an IPv4 address would pass for one otherwise. */
static bool is_index(struct slice v)
{
	uint32_t ip;

	if (v.n == 0 || v.n > 32 || net_ip_parse(v, &ip))
		return false;
	for (uint32_t i = 0, digits = 0; i < v.n; i++) {
		digits = v.p[i] == '.' ? 0 : digits + 1;
		if ((v.p[i] != '.' && !wire_is(v.p[i], WIRE_DIGIT)) || digits > 2)
			return false;
		if (v.p[i] == '.' && (i == 0 || i + 1 == v.n || v.p[i - 1] == '.'))
			return false;
	}
	return true;
}

static bool value_ok(const struct known *k, struct slice v)
{
	switch ((enum kind)k->kind) {
	case NUMBER:
		return wire_is_digits(v, 10);
	case INDEX:
		return is_index(v);
	case WORD_QUOTE:
		if (v.n > 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
			v = slice_of(v.p + 1, v.n - 2);
		break;
	case WORD:
		break;
	}
	return wire_in(k->words, v);
}

static bool param_ok(enum sip_hdr id, const struct sip_param *p)
{
	for (uint32_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].hdr == id && wire_in(known[i].name, p->name))
			return value_ok(&known[i], p->value);
	return false;
}

void hiding_params_write(struct hiding_ctx *c, enum sip_hdr id, struct slice params)
{
	struct sip_param p;

	while (sip_param_next(&params, &p)) {
		if (!param_ok(id, &p))
			continue;
		wbuf_char(c->w, ';');
		wbuf_put(c->w, p.name);
		wbuf_char(c->w, '=');
		wbuf_put(c->w, p.value);
	}
}
