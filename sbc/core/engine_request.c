#include "sbc/core/admission.h"
#include "sbc/core/call.h"
#include "sbc/core/engine_internal.h"
#include "sbc/core/registration.h"

/* 8.2.1: known but not served is 405 with Allow, unknown is 501. */
static void refuse_method(struct engine *e, struct rx *rx)
{
	char line[256];
	struct wbuf w;

	if (rx->m->method == SIP_METHOD_OTHER) {
		engine_refuse(e, rx, REASON_SIP_METHOD, 501, SLICE_NONE);
		return;
	}
	wbuf_init(&w, line, sizeof(line));
	wbuf_lit(&w, "Allow: ");
	wbuf_put(&w, slice_str(reply_allow));
	wbuf_lit(&w, "\r\n");
	engine_refuse(e, rx, REASON_SIP_METHOD, 405, wbuf_slice(&w));
}

bool engine_request_uri(struct rx *rx)
{
	if (rx->uri.whole.n)
		return true;
	if (sip_uri_parse(&rx->uri, rx->m->request_uri) == SBC_OK)
		return true;
	rx->uri.whole = SLICE_NONE;
	return false;
}

static bool check_uri(struct engine *e, struct rx *rx)
{
	if (!engine_request_uri(rx)) {
		engine_refuse(e, rx, REASON_SIP_BAD_REQUEST, 400, SLICE_NONE);
		return false;
	}
	if (rx->uri.scheme == SIP_SCHEME_OTHER) {
		engine_refuse(e, rx, REASON_SIP_SCHEME, 416, SLICE_NONE);
		return false;
	}
	return true;
}

/* 16.3: OPTIONS that ends here is answered instead. */
static bool check_hops(struct engine *e, struct rx *rx)
{
	uint32_t hops;
	enum sbc_err err = sip_msg_u32(rx->m, SIP_HDR_MAX_FORWARDS, &hops);

	if (err == SBC_ENONE)
		return true;
	if (err != SBC_OK) {
		engine_refuse(e, rx, REASON_SIP_BAD_REQUEST, 400, SLICE_NONE);
		return false;
	}
	if (hops == 0 && rx->m->method != SIP_OPTIONS) {
		engine_refuse(e, rx, REASON_SIP_MAX_FORWARDS, 483, SLICE_NONE);
		return false;
	}
	return true;
}

static bool check_extensions(struct engine *e, struct rx *rx)
{
	char line[512];
	struct wbuf w;

	if (!sip_msg_has(rx->m, SIP_HDR_REQUIRE) && !sip_msg_has(rx->m, SIP_HDR_PROXY_REQUIRE))
		return true;
	wbuf_init(&w, line, sizeof(line) - 2);
	wbuf_lit(&w, "Unsupported: ");
	uint32_t head = w.n;
	hiding_unsupported_write(&w, rx->m);
	if (wbuf_ok(&w) && w.n == head)
		return true;
	w.cap += 2;
	wbuf_lit(&w, "\r\n");
	engine_refuse(e, rx, REASON_SIP_EXTENSION, 420, wbuf_ok(&w) ? wbuf_slice(&w) : SLICE_NONE);
	return false;
}

static bool check_body(struct engine *e, struct rx *rx)
{
	char line[512];
	struct wbuf w;

	if (rx->m->body_len == 0 || hiding_carries_body_of(rx->m))
		return true;
	wbuf_init(&w, line, sizeof(line));
	wbuf_lit(&w, "Accept: ");
	wbuf_put(&w, slice_str(hiding_accept));
	wbuf_lit(&w, "\r\n");
	engine_refuse(e, rx, REASON_SIP_MEDIA_TYPE, 415, wbuf_ok(&w) ? wbuf_slice(&w) : SLICE_NONE);
	return false;
}

bool engine_request_checks(struct engine *e, struct rx *rx)
{
	return check_uri(e, rx) && check_hops(e, rx) && check_extensions(e, rx) &&
	       check_body(e, rx);
}

static void answer_options(struct engine *e, struct rx *rx)
{
	char line[512];
	struct wbuf w;

	wbuf_init(&w, line, sizeof(line));
	wbuf_lit(&w, "Allow: ");
	wbuf_put(&w, slice_str(reply_allow));
	wbuf_lit(&w, "\r\nAccept: ");
	wbuf_put(&w, slice_str(hiding_accept));
	wbuf_lit(&w, "\r\nSupported: 100rel, timer\r\n");
	struct reply r = {.status = 200, .extra = wbuf_slice(&w)};
	engine_answer(e, rx, &r);
}

/*
 * A request that we sent ourselves, with its Call-ID, back at the front door (16.3,
 * 4). An INVITE that a proxy has given another target is none: it has looked up a
 * callee who is registered through us too. What goes round by changing its target
 * ends with its Max-Forwards.
 */
static bool check_loop(struct engine *e, struct rx *rx)
{
	uint8_t bucket;

	if (!ident_is_ours(&e->key, rx->call_id, &bucket) ||
	    (rx->m->method == SIP_INVITE && call_spirals(e, rx)))
		return true;
	engine_refuse(e, rx, REASON_SIP_LOOP, 482, SLICE_NONE);
	return false;
}

static void request_outside(struct engine *e, struct rx *rx)
{
	if (rx->m->method == SIP_METHOD_OTHER) {
		refuse_method(e, rx);
		return;
	}
	if (!admission_knows_source(e, rx)) {
		engine_refuse(e, rx, REASON_SIP_SOURCE, 403, SLICE_NONE);
		return;
	}
	if (!check_loop(e, rx) || !engine_request_checks(e, rx))
		return;
	switch (rx->m->method) {
	case SIP_OPTIONS:
		answer_options(e, rx);
		break;
	case SIP_INVITE:
		call_invite(e, rx, NULL);
		break;
	case SIP_REGISTER:
		registration_request(e, rx);
		break;
	case SIP_BYE:
	case SIP_PRACK:
	case SIP_UPDATE:
	case SIP_INFO:
		engine_refuse(e, rx, REASON_SIP_NO_DIALOG, 481, SLICE_NONE);
		break;
	default:
		refuse_method(e, rx);
	}
}

bool engine_forward(struct engine *e, const struct rx *rx)
{
	struct slice bytes = slice_of(rx->m->buf, rx->m->len);
	struct engine_forward *f;

	if (!e->snap->forward || rx->forwarded)
		return false;
	struct wbuf w = engine_out_compose(e->out);
	wbuf_put(&w, bytes);
	bytes = engine_out_composed(e->out, &w);
	f = bytes.n ? engine_out_forward(e->out) : NULL;
	if (f == NULL)
		return false;
	f->print = engine_dialog_print(&e->key, rx->call_id, rx->to_tag);
	f->path.listener = engine_listener(e, rx->path.listener);
	f->path.remote = rx->path.remote;
	f->bytes = bytes;
	engine_count(e, REASON_SIP_FORWARDED);
	return true;
}

static void request_inside(struct engine *e, struct rx *rx)
{
	uint8_t leg;
	struct call *call = call_find(e, rx, &leg);

	if (call == NULL && engine_forward(e, rx))
		return;
	if (call == NULL) {
		engine_refuse(e, rx, REASON_SIP_NO_DIALOG, 481, SLICE_NONE);
		return;
	}
	if (!call_is_whole(e, call)) {
		engine_refuse(e, rx, REASON_SIP_NO_DIALOG, 481, SLICE_NONE);
		call_end(e, call, END_ERROR, 503, CALL_BYE_BOTH);
		return;
	}
	if (!leg_knows_source(e, &call->leg[leg], rx)) {
		engine_refuse(e, rx, REASON_SIP_SOURCE, 403, SLICE_NONE);
		return;
	}
	switch (rx->m->method) {
	case SIP_INVITE:
	case SIP_BYE:
	case SIP_UPDATE:
	case SIP_INFO:
	case SIP_PRACK:
	case SIP_MESSAGE:
		if (engine_request_checks(e, rx))
			call_request(e, call, leg, rx);
		break;
	case SIP_OPTIONS:
		if (engine_request_checks(e, rx))
			answer_options(e, rx);
		break;
	default:
		refuse_method(e, rx);
	}
}

void engine_request(struct engine *e, struct rx *rx)
{
	if (rx->m->method == SIP_ACK)
		call_ack(e, rx);
	else if (rx->m->method == SIP_CANCEL)
		call_cancel(e, rx);
	else if (rx->to_tag.n)
		request_inside(e, rx);
	else
		request_outside(e, rx);
}
