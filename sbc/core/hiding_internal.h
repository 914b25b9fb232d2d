/*
 * What the files of core/hiding share; nobody else includes this.
 *
 * A filter writes the value of one header line for the other side into c->w, or
 * writes nothing: then the line is dropped. A check says whether a value may
 * stay as it is. Both see one line's value, which may hold folds and several
 * comma-separated elements.
 */
#ifndef SBC_CORE_HIDING_INTERNAL_H
#define SBC_CORE_HIDING_INTERNAL_H

#include "sbc/core/hiding.h"
#include "sbc/core/wire.h"

#define HIDING_HOST_MAX (SNAPSHOT_HOST + NET_ADDR_STRLEN)

/* Strings of a message that would tie its two sides together, see hiding_unknown.c. */
#define HIDING_NEEDLES 8u

/* What a rule says, and where it asks the realms. */
enum hiding_kind {
	HIDING_KIND_OURS,
	HIDING_KIND_DROP,
	HIDING_KIND_CARRY,
	HIDING_KIND_FILTER,
	HIDING_KIND_HOSTS,
	HIDING_KIND_ASSERTED,  /* HOSTS. RFC 3325 5: not from an untrusted side */
	HIDING_KIND_PREFERRED, /* HOSTS. RFC 3325 9.2: not to an untrusted side */
	HIDING_KIND_AGENT,     /* CARRY, or OURS by hide_user_agent of the side it comes from */
	HIDING_KIND_EXTENSION, /* by carry_unknown_headers of the side it goes to */
	HIDING_KINDS
};

struct hiding_ctx {
	const struct snapshot *snap;
	const struct snapshot_realm *from, *to;
	const struct sip_msg *msg;
	struct wbuf *w;
	uint16_t to_realm;
	struct slice host; /* see hiding_host(); empty until asked for */
	bool has_body;     /* a body leaves: Content-* have something to describe */
	bool type_written; /* a Content-Type has been let through */
	bool own_100rel;   /* Require: 100rel of a response is written by us or not at all */
	bool privacy_read, privacy_id, privacy_history;
	bool needles_read;
	uint8_t needles;
	uint8_t action[HIDING_KINDS]; /* enum hiding_action, between these realms */
	struct slice needle[HIDING_NEEDLES];
	char host_bytes[HIDING_HOST_MAX];
};

typedef bool (*hiding_check)(struct slice value);
typedef void (*hiding_filter)(struct hiding_ctx *c, enum sip_hdr id, struct slice value);

struct hiding_rule {
	uint8_t kind; /* enum hiding_kind */
	hiding_check check;
	hiding_filter filter;
};

extern const struct hiding_rule hiding_rules[SIP_HDR_COUNT];

static inline const struct hiding_rule *hiding_rule_of(enum sip_hdr id)
{
	return &hiding_rules[id];
}

static inline void hiding_actions(uint8_t action[HIDING_KINDS], const struct snapshot_realm *from,
				  const struct snapshot_realm *to)
{
	action[HIDING_KIND_OURS] = HIDING_OURS;
	action[HIDING_KIND_DROP] = HIDING_DROP;
	action[HIDING_KIND_CARRY] = HIDING_CARRY;
	action[HIDING_KIND_FILTER] = HIDING_FILTER;
	action[HIDING_KIND_HOSTS] = HIDING_HOSTS;
	action[HIDING_KIND_ASSERTED] =
		from->trust == SNAPSHOT_UNTRUSTED ? HIDING_DROP : HIDING_HOSTS;
	action[HIDING_KIND_PREFERRED] =
		to->trust == SNAPSHOT_UNTRUSTED ? HIDING_DROP : HIDING_HOSTS;
	action[HIDING_KIND_AGENT] = from->hide_user_agent ? HIDING_OURS : HIDING_CARRY;
	action[HIDING_KIND_EXTENSION] = to->carry_unknown_headers ? HIDING_UNKNOWN : HIDING_DROP;
}

/* hiding_filter.c */
bool hiding_check_number(struct slice v);
bool hiding_check_version(struct slice v);
bool hiding_check_language(struct slice v);
bool hiding_check_date(struct slice v);
bool hiding_check_agent(struct slice v);
void hiding_filter_options(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_methods(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_words(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_with_params(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_privacy(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_alert(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_warning(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_reason(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_retry(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_uui(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_session_id(struct hiding_ctx *c, enum sip_hdr id, struct slice v);

/* hiding_params.c: the header parameters that may stay, by header. */
void hiding_params_write(struct hiding_ctx *c, enum sip_hdr id, struct slice params);

/* hiding_auth.c */
void hiding_filter_digest(struct hiding_ctx *c, enum sip_hdr id, struct slice v);

/* hiding_body.c */
void hiding_filter_accept(struct hiding_ctx *c, enum sip_hdr id, struct slice v);
void hiding_filter_content_type(struct hiding_ctx *c, enum sip_hdr id, struct slice v);

/* The same as without _plain, by the way that takes any value: what the fast one is held to. */
void hiding_identity_write_plain(struct wbuf *w, const struct snapshot *snap, struct slice value,
				 struct slice host);
void hiding_uri_write_plain(struct wbuf *w, const struct snapshot *snap, struct slice uri,
			    struct slice host);

/* hiding_identity.c: an address whose host becomes c->host; PAI, Diversion and their kin. */
void hiding_filter_addresses(struct hiding_ctx *c, enum sip_hdr id, struct slice v);

/* hiding_user.c */
void hiding_user_write(struct wbuf *w, const struct snapshot *snap, const struct sip_uri *u);
bool hiding_names_host(struct slice text, struct slice host);
void hiding_tel_params_write(struct wbuf *w, const struct snapshot *snap, struct slice params);
bool hiding_context_stays(const struct snapshot *snap, struct slice context);

/* hiding_unknown.c: whether an unknown header's value repeats what its message hides. */
bool hiding_value_tells(struct hiding_ctx *c, struct slice value);

/* hiding_serves_option() of a token by its wire_word(). */
static inline bool hiding_serves_option_word(uint64_t word)
{
	word = WIRE_ANY_CASE(word);
	return word == WIRE_ANY_CASE(WIRE_WORD('t', 'i', 'm', 'e', 'r', 0, 0, 0)) ||
	       word == WIRE_ANY_CASE(WIRE_WORD('1', '0', '0', 'r', 'e', 'l', 0, 0)) ||
	       word == WIRE_ANY_CASE(WIRE_WORD('p', 'r', 'i', 'v', 'a', 'c', 'y', 0));
}

struct slice hiding_host_read(struct hiding_ctx *c);

/* Stands for the border on the destination's side. Few messages have a line that asks. */
static inline struct slice hiding_host(struct hiding_ctx *c)
{
	if (!c->host.n)
		c->host = hiding_host_read(c);
	return c->host;
}

static inline bool hiding_to_untrusted(const struct hiding_ctx *c)
{
	return c->to->trust == SNAPSHOT_UNTRUSTED;
}

/* "what" of a filter's next element, comma before all but the first. */
static inline void hiding_comma(struct hiding_ctx *c, uint32_t from)
{
	if (c->w->n != from)
		wbuf_lit(c->w, ", ");
}

#endif
