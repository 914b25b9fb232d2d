#include "sbc/sip/cseq.h"

#include "sbc/sip/chars.h"

#define SEQ_MAX 0x7fffffffu

/* 1*DIGIT up to `max`; leading zeros may be as many as there are. */
static enum sbc_err cut_number(struct slice *s, uint32_t max, uint32_t *out)
{
	uint32_t n = 0;

	while (n < s->n && sip_char_is_digit(s->p[n]))
		n++;
	if (!n)
		return SBC_EBAD;
	if (!slice_u32(slice_of(s->p, n), max, out))
		return SBC_ELIMIT;
	sip_cut(s, n);
	return SBC_OK;
}

static bool cut_required_lws(struct slice *s)
{
	const uint32_t before = s->n;

	sip_cut_lws(s);
	return s->n != before;
}

/* Number and method name; which method it is, the caller finds out. */
static enum sbc_err cut_cseq(struct sip_cseq *c, struct slice value)
{
	struct slice s = slice_trim(value);
	enum sbc_err err = cut_number(&s, SEQ_MAX, &c->seq);

	if (err != SBC_OK)
		return err;
	if (!cut_required_lws(&s) || !sip_is_token(s))
		return SBC_EBAD;
	c->method_name = s;
	return SBC_OK;
}

enum sbc_err sip_cseq_parse(struct sip_cseq *c, struct slice value)
{
	enum sbc_err err = cut_cseq(c, value);

	if (err == SBC_OK)
		c->method = sip_method_parse(c->method_name);
	return err;
}

bool sip_cseq_usual(const struct sip_msg *m, struct sip_cseq *c)
{
	const struct slice s = sip_msg_value(m, SIP_HDR_CSEQ);
	uint32_t n = 0, v = 0;

	while (n < s.n && n < 9 && sip_char_is_digit(s.p[n]))
		v = v * 10 + (uint32_t)(s.p[n++] - '0');
	if (n == 0 || n + 1 >= s.n || s.p[n] != ' ')
		return false;
	c->seq = v;
	c->method_name = slice_of(s.p + n + 1, s.n - n - 1);
	c->method = m->is_request ? m->method : sip_method_parse(c->method_name);
	/* The name of a known method is a token. */
	return c->method != SIP_METHOD_OTHER &&
	       (!m->is_request || slice_eq(c->method_name, m->method_name));
}

enum sbc_err sip_cseq_of(const struct sip_msg *m, struct sip_cseq *c)
{
	if (!sip_msg_has(m, SIP_HDR_CSEQ))
		return SBC_ENONE;
	if (m->cseq_method.n) { /* read when the message was indexed */
		*c = (struct sip_cseq){m->cseq, m->method, m->cseq_method};
		return SBC_OK;
	}
	if (!m->is_request)
		return sip_cseq_parse(c, sip_msg_value(m, SIP_HDR_CSEQ));
	enum sbc_err err = cut_cseq(c, sip_msg_value(m, SIP_HDR_CSEQ));

	c->method = m->method;
	return err == SBC_OK && !slice_eq(c->method_name, m->method_name) ? SBC_EBAD : err;
}

enum sbc_err sip_rack_parse(struct sip_rack *r, struct slice value)
{
	struct slice s = slice_trim(value);
	enum sbc_err err = cut_number(&s, UINT32_MAX, &r->rseq);

	if (err != SBC_OK)
		return err;
	if (!cut_required_lws(&s))
		return SBC_EBAD;
	return sip_cseq_parse(&r->cseq, s);
}
