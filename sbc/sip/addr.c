#include "sbc/sip/addr.h"

#include "sbc/sip/chars.h"
#include "sbc/sip/list.h"

/* Quoted, or the words before '<'; empty when the value begins with its URI. */
static bool cut_display(struct slice *s, struct slice *display)
{
	struct slice words = *s;

	*display = slice_of(s->p, 0);
	if (s->n && *s->p == '<')
		return true;
	if (s->n && *s->p == '"') {
		const uint32_t n = sip_quoted_len(*s);

		*display = slice_of(s->p, n);
		sip_cut(s, n);
		sip_cut_lws(s);
		return n != 0 && s->n && *s->p == '<';
	}
	*display = slice_trim(sip_cut_class(&words, SIP_CH_DISPLAY));
	if (words.n && *words.p == '<')
		*s = words;
	else
		*display = SLICE_NONE;
	return true;
}

static bool cut_bracketed(struct slice *s, struct slice *uri)
{
	const uint32_t n = 1 + span_of(&sip_set[SIP_SET_URI], s->p + 1, s->n - 1);

	if (n == 1 || n == s->n || s->p[n] != '>')
		return false;
	*uri = slice_of(s->p + 1, n - 1);
	sip_cut(s, n + 1);
	return true;
}

/* RFC 3261 20.10: a URI with comma, semicolon or question mark needs brackets. */
static bool cut_bare(struct slice *s, struct slice *uri)
{
	uint32_t n = 0;

	while (n < s->n && scan_set_has(&sip_set[SIP_SET_URI], s->p[n]) && s->p[n] != ',' &&
	       s->p[n] != ';')
		n++;
	*uri = slice_of(s->p, n);
	sip_cut(s, n);
	return n != 0 && slice_find(*uri, ':') > 0 && slice_find(*uri, '?') < 0;
}

/* Sets params and whole; `tag` twice would name two dialogs. */
static bool cut_params(struct slice *s, struct sip_addr *a, const char *start)
{
	const char *end = s->p, *first;
	struct sip_param p;
	uint32_t tags = 0;

	a->whole = slice_of(start, (uint32_t)(end - start));
	if (!s->n)
		return true;
	sip_cut_lws(s);
	first = s->p;
	while (sip_param_next(s, &p)) {
		tags += p.name.n == 3 && slice_ieq(p.name, SLICE_LIT("tag"));
		end = s->p;
	}
	a->params = end > first ? slice_of(first, (uint32_t)(end - first)) : SLICE_NONE;
	a->whole = slice_of(start, (uint32_t)(end - start));
	return tags <= 1;
}

enum sbc_err sip_addr_parse(struct sip_addr *a, struct slice value)
{
	struct slice s = slice_trim(value);
	const char *start = s.p;

	*a = (struct sip_addr){.whole = s};
	if (slice_eq(s, SLICE_LIT("*"))) {
		a->is_star = true;
		return SBC_OK;
	}
	if (!cut_display(&s, &a->display))
		return SBC_EBAD;
	a->in_brackets = s.n && *s.p == '<';
	if (a->in_brackets ? !cut_bracketed(&s, &a->uri) : !cut_bare(&s, &a->uri))
		return SBC_EBAD;
	if (!cut_params(&s, a, start))
		return SBC_EBAD;
	return !s.n || sip_list_tail(s, &a->rest) ? SBC_OK : SBC_EBAD;
}

struct slice sip_addr_tag(const struct sip_addr *a)
{
	struct sip_param p;

	return sip_param_find(a->params, SLICE_LIT("tag"), &p) ? p.value : SLICE_NONE;
}

/* Headers that hold exactly one address. */
static bool is_single(enum sip_hdr id)
{
	return id == SIP_HDR_FROM || id == SIP_HDR_TO || id == SIP_HDR_REFER_TO ||
	       id == SIP_HDR_REFERRED_BY || id == SIP_HDR_REPLY_TO;
}

enum sbc_err sip_addr_of(const struct sip_msg *m, enum sip_hdr id, struct sip_addr *a)
{
	if (!sip_msg_has(m, id))
		return SBC_ENONE;
	enum sbc_err err = sip_addr_parse(a, sip_msg_value(m, id));

	if (err == SBC_OK && is_single(id) && (a->rest.n || a->is_star))
		return SBC_EBAD;
	return err;
}
