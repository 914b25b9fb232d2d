#include "sbc/sip/via.h"

#include "sbc/sip/chars.h"
#include "sbc/sip/host.h"
#include "sbc/sip/list.h"
#include "sbc/sip/usual.h"

/* "SIP" / "2.0" / transport LWS, each slash with white space around it at will. */
static bool cut_protocol(struct slice *s, struct sip_via *v)
{
	struct slice name = sip_cut_class(s, SIP_CH_TOKEN);

	if (!slice_ieq(name, SLICE_LIT("SIP")) || !sip_cut_sep(s, '/'))
		return false;
	struct slice version = sip_cut_class(s, SIP_CH_TOKEN);

	if (!slice_eq(version, SLICE_LIT("2.0")) || !sip_cut_sep(s, '/'))
		return false;
	v->transport = sip_cut_class(s, SIP_CH_TOKEN);
	const uint32_t before = s->n;

	sip_cut_lws(s);
	return v->transport.n && s->n != before;
}

/* One parameter that matters may stand there once only (RFC 3261 7.3.1). */
static bool take_param(struct sip_via *v, const struct sip_param *p)
{
	uint32_t rport;

	if (slice_ieq(p->name, SLICE_LIT("branch"))) {
		if (v->branch.p != NULL || !p->value.n)
			return false;
		v->branch = p->value;
	} else if (slice_ieq(p->name, SLICE_LIT("received"))) {
		if (v->received.p != NULL || !p->value.n)
			return false;
		v->received = p->value;
	} else if (slice_ieq(p->name, SLICE_LIT("rport"))) {
		if (v->has_rport)
			return false;
		v->has_rport = true;
		if (p->value.n && (!slice_u32(p->value, UINT16_MAX, &rport) || rport == 0))
			return false;
		v->rport = p->value.n ? (uint16_t)rport : 0;
	}
	return true;
}

static bool cut_params(struct slice *s, struct sip_via *v)
{
	struct slice before = *s;
	struct sip_param p;

	sip_cut_lws(&before);
	*s = before;
	while (sip_param_next(s, &p))
		if (!take_param(v, &p))
			return false;
	v->params = slice_of(before.p, (uint32_t)(s->p - before.p));
	return true;
}

enum sbc_err sip_via_parse_with_care(struct sip_via *v, struct slice value)
{
	struct slice s = slice_trim(value);
	const char *start = s.p;

	*v = (struct sip_via){.whole = s};
	if (!cut_protocol(&s, v) || sip_host_cut(&s, &v->host) != SBC_OK)
		return SBC_EBAD;
	if (sip_cut_sep(&s, ':') && sip_port_cut(&s, &v->port) != SBC_OK)
		return SBC_EBAD;
	struct slice bare = s;

	if (!cut_params(&s, v))
		return SBC_EBAD;
	const char *end = v->params.n ? s.p : bare.p;

	v->whole = slice_of(start, (uint32_t)(end - start));
	return sip_list_tail(s, &v->rest) ? SBC_OK : SBC_EBAD;
}

enum sbc_err sip_via_parse(struct sip_via *v, struct slice value)
{
	return sip_via_usual(v, value) ? SBC_OK : sip_via_parse_with_care(v, value);
}

enum sbc_err sip_via_top(const struct sip_msg *m, struct sip_via *v)
{
	if (!sip_msg_has(m, SIP_HDR_VIA))
		return SBC_ENONE;
	return sip_via_parse(v, sip_msg_value(m, SIP_HDR_VIA));
}

uint32_t sip_via_count(const struct sip_msg *m, uint32_t max)
{
	uint32_t count = 0;

	for (uint8_t i = m->first[SIP_HDR_VIA]; i != SIP_NO_ENTRY; i = sip_msg_next(m, i)) {
		struct slice rest = sip_entry_value(m, i), one;

		while (count <= max && sip_list_next(&rest, &one))
			count++;
	}
	return count;
}

bool sip_via_is_3261(const struct sip_via *v)
{
	return v->branch.n > 7 && slice_ieq(slice_of(v->branch.p, 7), SLICE_LIT("z9hG4bK"));
}
