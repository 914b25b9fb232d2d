/*
 * Bodies. A session description is written anew by media/sdp. Of the rest only
 * types that hold nothing of a network are carried, byte by byte. Not carried:
 * multipart (parts would have to be judged one by one), message/sipfrag and
 * message/cpim (whole SIP messages and addresses), PIDF, dialog-info and
 * message-summary (URIs of one side), ISUP and QSIG (exchanges' identities).
 */
#include "sbc/core/hiding_internal.h"
#include "sbc/sip/param.h"

const char *const hiding_accept =
	"application/sdp, application/dtmf-relay, application/dtmf, "
	"application/media_control+xml, application/im-iscomposing+xml, text/plain";

static const char carried[] = "application/sdp application/dtmf-relay application/dtmf "
			      "application/media_control+xml application/im-iscomposing+xml "
			      "text/plain";

/* "type/subtype" without parameters; LWS around the slash is legal and is not accepted. */
static struct slice type_of(struct slice v, struct slice *params)
{
	int32_t semi = slice_find(v, ';');

	*params = SLICE_NONE;
	if (semi < 0)
		return slice_trim(v);
	*params = slice_of(v.p + semi, v.n - (uint32_t)semi);
	return slice_trim(slice_of(v.p, (uint32_t)semi));
}

/* As nearly all write it, and nothing else. */
static inline bool is_sdp_alone(struct slice v)
{
	return slice_eq(v, SLICE_LIT("application/sdp"));
}

bool hiding_is_sdp(struct slice content_type)
{
	struct slice params;

	return is_sdp_alone(content_type) ||
	       slice_ieq(type_of(content_type, &params), SLICE_LIT("application/sdp"));
}

bool hiding_carries_body(struct slice content_type)
{
	struct slice params;

	return is_sdp_alone(content_type) || wire_in(carried, type_of(content_type, &params));
}

bool hiding_carries_body_of(const struct sip_msg *m)
{
	struct slice encoding = sip_msg_value(m, SIP_HDR_CONTENT_ENCODING);

	if (encoding.n && !slice_ieq(encoding, SLICE_LIT("identity")))
		return false;
	return hiding_carries_body(sip_msg_value(m, SIP_HDR_CONTENT_TYPE));
}

void hiding_filter_accept(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	const uint32_t from = c->w->n;
	struct slice element, params;

	(void)id;
	if (is_sdp_alone(v)) {
		wbuf_put(c->w, v);
		return;
	}
	while (sip_list_next(&v, &element)) {
		struct slice type = type_of(element, &params);

		if (!wire_in(carried, type))
			continue;
		hiding_comma(c, from);
		wbuf_put(c->w, type);
	}
}

static const char charsets[] = "utf-8 us-ascii ascii utf-16 iso-8859-1 iso-8859-15 windows-1252";

void hiding_filter_content_type(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	struct slice params, type;
	struct sip_param p;

	(void)id;
	if (is_sdp_alone(v)) {
		wbuf_put(c->w, v);
		c->type_written = true;
		return;
	}
	type = type_of(v, &params);
	if (!wire_in(carried, type))
		return;
	wbuf_put(c->w, type);
	c->type_written = true;
	if (sip_param_find(params, SLICE_LIT("charset"), &p) && wire_in(charsets, p.value)) {
		wbuf_lit(c->w, ";charset=");
		wbuf_put(c->w, p.value);
	}
}
