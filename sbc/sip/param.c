#include "sbc/sip/param.h"

#include "sbc/sip/chars.h"

/* Names may hold what a URI parameter's name may: token and paramchar. */
static struct slice cut_name(struct slice *s)
{
	const uint32_t n = span_of(&sip_set[SIP_SET_NAME], s->p, s->n);
	struct slice name = slice_of(s->p, n);
	sip_cut(s, n);
	return name;
}

static bool cut_value(struct slice *s, struct slice *value)
{
	if (s->n && *s->p == '"') {
		const uint32_t n = sip_quoted_len(*s);

		*value = slice_of(s->p, n);
		sip_cut(s, n);
		return n != 0;
	}
	*value = sip_cut_class(s, SIP_CH_VALUE);
	return true;
}

bool sip_param_next(struct slice *rest, struct sip_param *out)
{
	struct slice s = *rest;
	const char *start;

	if (!s.n)
		return false;
	sip_cut_lws(&s);
	start = s.p;
	if (!sip_cut_sep(&s, ';'))
		return false;
	out->name = cut_name(&s);
	out->value = SLICE_NONE;
	if (!out->name.n)
		return false;
	if (sip_cut_sep(&s, '=') && !cut_value(&s, &out->value))
		return false;
	/* An element ends where its bytes do: white space belongs to what comes next. */
	out->whole = slice_of(start, (uint32_t)(s.p - start));
	*rest = s;
	return true;
}

bool sip_param_find(struct slice list, struct slice name, struct sip_param *out)
{
	while (sip_param_next(&list, out))
		if (slice_ieq(out->name, name))
			return true;
	return false;
}

bool sip_param_list_ok(struct slice list)
{
	struct sip_param p;

	while (sip_param_next(&list, &p))
		;
	sip_cut_lws(&list);
	return list.n == 0;
}
