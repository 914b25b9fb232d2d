/* Headers that are numbers, words and causes: checked, or rebuilt from what is known. */
#include "sbc/core/hiding_words.h"
#include "sbc/sip/param.h"

bool hiding_check_number(struct slice v)
{
	return wire_is_digits(v, 10);
}

bool hiding_check_version(struct slice v)
{
	return v.n == 3 && wire_is(v.p[0], WIRE_DIGIT) && v.p[1] == '.' &&
	       wire_is(v.p[2], WIRE_DIGIT);
}

/* RFC 3261 25.1 language-tag, or '*': letters, at most eight between two hyphens. */
static bool language_tag_ok(struct slice tag)
{
	uint32_t run = 0;

	if (tag.n == 1 && tag.p[0] == '*')
		return true;
	for (uint32_t i = 0; i < tag.n; i++) {
		if (tag.p[i] == '-' && run)
			run = 0;
		else if (!wire_is(tag.p[i], WIRE_ALPHA) || ++run > 8)
			return false;
	}
	return run > 0;
}

/* ";q=0.7" and no other parameter. */
static bool quality_ok(struct slice params)
{
	if (params.n == 0)
		return true;
	if (params.n < 4 || params.n > 8 || params.p[0] != ';' || slice_lower(params.p[1]) != 'q' ||
	    params.p[2] != '=')
		return false;
	for (uint32_t i = 3; i < params.n; i++)
		if (!wire_is(params.p[i], WIRE_DIGIT) && params.p[i] != '.')
			return false;
	return true;
}

bool hiding_check_language(struct slice v)
{
	struct slice element;
	uint32_t count = 0;

	while (sip_list_next(&v, &element)) {
		int32_t semi = slice_find(element, ';');
		uint32_t n = semi < 0 ? element.n : (uint32_t)semi;

		if (!language_tag_ok(slice_of(element.p, n)) ||
		    !quality_ok(slice_of(element.p + n, element.n - n)))
			return false;
		count++;
	}
	return count > 0;
}

/* RFC 3261 20.17 by shape: "Sat, 13 Nov 2010 23:29:00 GMT". */
bool hiding_check_date(struct slice v)
{
	static const char shape[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";

	if (v.n != sizeof(shape) - 1)
		return false;
	for (uint32_t i = 0; i < v.n; i++) {
		bool ok = shape[i] == '0'                        ? wire_is(v.p[i], WIRE_DIGIT)
			  : (shape[i] == 'A' || shape[i] == 'a') ? wire_is(v.p[i], WIRE_ALPHA)
								 : v.p[i] == shape[i];
		if (!ok)
			return false;
	}
	return true;
}

/* "54.2", perhaps with the answerer's delay behind it: two numbers at most. */
bool hiding_timestamp_ok(struct slice v)
{
	uint32_t dots = 0, numbers = 0, run = 0;

	for (uint32_t i = 0; i < v.n; i++) {
		if (wire_is(v.p[i], WIRE_DIGIT)) {
			numbers += run++ == 0;
		} else if (v.p[i] == '.') {
			if (++dots > 1)
				return false;
		} else if (v.p[i] == ' ' || v.p[i] == '\t') {
			dots = run = 0;
		} else {
			return false;
		}
		if (run > 16)
			return false;
	}
	/* A digit group before and one after a dot count as one number: run goes on over it. */
	return numbers >= 1 && numbers <= 2;
}

bool hiding_check_agent(struct slice v)
{
	return v.n <= HIDING_TEXT_MAX && wire_is_utf8(v);
}

/* ---- lists of words ---- */

static const char *words_of(enum sip_hdr id)
{
	switch (id) {
	case SIP_HDR_PRIORITY: /* RFC 3261 20.26, RFC 7090 */
		return "emergency urgent normal non-urgent psap-callback";
	case SIP_HDR_INFO_PACKAGE: /* RFC 6086 and its registry, as far as the bodies are served */
	case SIP_HDR_RECV_INFO:
		return "nil dtmf infoDtmf";
	case SIP_HDR_CONTENT_DISPOSITION: /* RFC 3261 20.11, RFC 6086 */
		return "session render early-session signal info-package";
	case SIP_HDR_SUBSCRIPTION_STATE: /* RFC 6665 4.1.3 */
		return "active pending terminated";
	case SIP_HDR_EVENT: /* RFC 6665's registry, as far as phones use it */
		return "refer message-summary dialog presence reg conference kpml check-sync "
		       "ua-profile talk hold as-feature-event line-seize";
	default:
		return "";
	}
}

void hiding_filter_words(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	struct hiding_words l = {c, c->w->n, SLICE_NONE};
	struct slice word;

	while (wire_next_token(&v, &word))
		if (wire_in(words_of(id), word))
			hiding_words_add(&l, word);
	hiding_words_flush(&l);
}

/* RFC 3323 4.2, RFC 3325 9.3, RFC 7044 10.1; the values are separated by semicolons. */
void hiding_filter_privacy(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	const uint32_t from = c->w->n;
	struct slice word;

	(void)id;
	while (wire_next_token(&v, &word)) {
		if (!wire_in("none id user header session history critical", word))
			continue;
		if (c->w->n != from)
			wbuf_char(c->w, ';');
		wbuf_put(c->w, word);
	}
}

/* What stands before the first ';', trimmed, and the parameters from there. */
static struct slice cut_params(struct slice v, struct slice *params)
{
	int32_t semi = slice_find(v, ';');

	*params = SLICE_NONE;
	if (semi < 0)
		return slice_trim(v);
	*params = slice_of(v.p + semi, v.n - (uint32_t)semi);
	return slice_trim(slice_of(v.p, (uint32_t)semi));
}

/* One word or number, and the parameters that hiding_params.c knows. */
void hiding_filter_with_params(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	struct slice params, word;

	/* A number alone, as Session-Expires mostly is. */
	if (id == SIP_HDR_SESSION_EXPIRES && wire_is_digits(v, 10)) {
		wbuf_put(c->w, v);
		return;
	}
	word = cut_params(v, &params);
	if (id == SIP_HDR_SESSION_EXPIRES ? !wire_is_digits(word, 10)
					  : !wire_in(words_of(id), word))
		return;
	wbuf_put(c->w, word);
	hiding_params_write(c, id, params);
}

/* ---- single headers ---- */

/* Only URNs of RFC 7462, and of those no private name, which would name its provider. */
void hiding_filter_alert(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	static const char urn[] = "<urn:alert:";
	const uint32_t from = c->w->n, head = sizeof(urn) - 1;
	struct slice element;

	(void)id;
	while (sip_list_next(&v, &element)) {
		int32_t end = slice_find(element, '>');
		bool ok = end > (int32_t)head && end <= 64 &&
			  slice_ieq(slice_of(element.p, head), SLICE_LIT("<urn:alert:"));

		for (int32_t i = (int32_t)head; ok && i < end; i++)
			ok = wire_is(element.p[i], WIRE_ALPHA | WIRE_DIGIT) ||
			     element.p[i] == ':' || element.p[i] == '-';
		if (!ok)
			continue;
		hiding_comma(c, from);
		wbuf_put(c->w, slice_of(element.p, (uint32_t)end + 1));
	}
}

/* RFC 3261 20.43's codes and what they mean; 399 means nothing without its text. */
static const char *warning_text(uint32_t code)
{
	switch (code) {
	case 300:
		return "Incompatible network protocol";
	case 301:
		return "Incompatible network address formats";
	case 302:
		return "Incompatible transport protocol";
	case 303:
		return "Incompatible bandwidth units";
	case 304:
		return "Media type not available";
	case 305:
		return "Incompatible media format";
	case 306:
		return "Attribute not understood";
	case 307:
		return "Session description parameter not understood";
	case 330:
		return "Multicast not available";
	case 331:
		return "Unicast not available";
	case 370:
		return "Insufficient bandwidth";
	default:
		return NULL;
	}
}

/* The code says what went wrong; agent and text are the border's and the RFC's. */
void hiding_filter_warning(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	const uint32_t from = c->w->n;
	struct slice element;

	(void)id;
	while (sip_list_next(&v, &element)) {
		const char *text;
		uint32_t code;

		if (element.n < 4 || element.p[3] != ' ' ||
		    !slice_u32(slice_of(element.p, 3), 999, &code))
			continue;
		text = warning_text(code);
		if (!text)
			continue;
		hiding_comma(c, from);
		wbuf_u64(c->w, code);
		wbuf_char(c->w, ' ');
		wbuf_put(c->w, hiding_host(c));
		wbuf_lit(c->w, " \"");
		wbuf_put(c->w, slice_str(text));
		wbuf_char(c->w, '"');
	}
}

/*
 * RFC 3326: protocol and cause. The text is free and goes, but for the one that
 * phones look for to tell "answered elsewhere" from a missed call.
 */
void hiding_filter_reason(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	const uint32_t from = c->w->n;
	struct slice element, params;
	struct sip_param p;

	(void)id;
	while (sip_list_next(&v, &element)) {
		struct slice protocol = cut_params(element, &params);

		if (!wire_in("SIP Q.850 Preemption", protocol))
			continue;
		hiding_comma(c, from);
		wbuf_put(c->w, protocol);
		if (sip_param_find(params, SLICE_LIT("cause"), &p) && wire_is_digits(p.value, 3)) {
			wbuf_lit(c->w, ";cause=");
			wbuf_put(c->w, p.value);
		}
		if (sip_param_find(params, SLICE_LIT("text"), &p) &&
		    slice_ieq(p.value, SLICE_LIT("\"Call completed elsewhere\"")))
			wbuf_lit(c->w, ";text=\"Call completed elsewhere\"");
	}
}

/* RFC 3261 20.33: seconds and duration; the comment between them is free text. */
void hiding_filter_retry(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	uint32_t n = 0;

	while (n < v.n && wire_is(v.p[n], WIRE_DIGIT))
		n++;
	if (n == 0 || n > 10)
		return;
	wbuf_put(c->w, slice_of(v.p, n));
	v = slice_trim(slice_of(v.p + n, v.n - n));
	if (v.n && v.p[0] == '(') {
		uint32_t depth = 0, i = 0;

		for (; i < v.n; i++) {
			if (v.p[i] == '\\')
				i++;
			else if (v.p[i] == '(')
				depth++;
			else if (v.p[i] == ')' && --depth == 0)
				break;
		}
		if (i >= v.n)
			return;
		v = slice_trim(slice_of(v.p + i + 1, v.n - i - 1));
	}
	if (v.n && v.p[0] == ';')
		hiding_params_write(c, id, v);
}

/* RFC 7433: data of the users' own, opaque to everybody between them; hex only. */
void hiding_filter_uui(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	const uint32_t from = c->w->n;
	struct slice element, params;

	while (sip_list_next(&v, &element)) {
		struct slice data = cut_params(element, &params);

		if (data.n > 512 || !wire_all(data, WIRE_HEX))
			continue;
		hiding_comma(c, from);
		wbuf_put(c->w, data);
		hiding_params_write(c, id, params);
	}
}

static bool is_uuid(struct slice v)
{
	return v.n == 32 && wire_all(v, WIRE_HEX);
}

/* RFC 7989: made to cross borders, 32 hex digits that stand for no host or dialog. */
void hiding_filter_session_id(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	struct slice params, local = cut_params(v, &params);
	struct sip_param p;

	(void)id;
	if (!is_uuid(local) || hiding_value_tells(c, local))
		return;
	wbuf_put(c->w, local);
	if (sip_param_find(params, SLICE_LIT("remote"), &p) && is_uuid(p.value)) {
		wbuf_lit(c->w, ";remote=");
		wbuf_put(c->w, p.value);
	}
}
