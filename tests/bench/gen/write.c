/*
 * Messages as sequences of literals and short fields: literals of known length
 * become a few stores, which is faster than a template that is patched.
 */
#include "tests/bench/gen/call.h"
#include "tests/bench/gen/port.h"

#define out_id(o, c) out_put(o, (c)->id, IDENT_LEN)

static uint16_t rtp_port(uint32_t call)
{
	return (uint16_t)(GEN_RTP_BASE + 2 * (call % GEN_PER_ADDRESS));
}

static const struct host *media_host(const struct gen *g, enum side side, uint32_t call)
{
	return &g->port[side].host[call / GEN_PER_ADDRESS];
}

/* Content-Length of three digits, the empty line, and a body of more than 99 bytes. */
static void put_sdp(struct gen *g, enum side side, const struct call *c, struct out *o)
{
	struct text ip = media_host(g, side, c->index)->name;
	char *length, *body;
	struct out l;

	out_lit(o, "Content-Type: application/sdp\r\nContent-Length: ");
	length = o->p;
	o->p += 3;
	out_lit(o, "\r\n\r\n");
	body = o->p;
	out_lit(o, "v=0\r\no=");
	*o->p++ = side == OUTSIDE ? IDENT_MARK_OUTSIDE : IDENT_MARK_INSIDE;
	out_lit(o, "user 1 1 IN IP4 ");
	out_text(o, ip);
	out_lit(o, "\r\ns=-\r\nc=IN IP4 ");
	out_text(o, ip);
	out_lit(o, "\r\nt=0 0\r\nm=audio ");
	out_number(o, rtp_port(c->index));
	out_lit(o, " RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
		   "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n");
	l.p = length;
	out_number(&l, (uint32_t)(o->p - body));
}

static struct rte_mbuf *finish(struct gen *g, enum side side, uint32_t call, struct rte_mbuf *m,
			       const struct out *o)
{
	frame_finish(g, side, m, o,
		     (struct frame_way){host_of_call(g, side, call)->ip,
					host_peer(g, side, call)->ip, GEN_SIP_PORT, GEN_SIP_PORT});
	g->count.sip_tx[side]++;
	return m;
}

static void put_caller_via(const struct gen *g, const struct call *c, struct out *o, char letter)
{
	out_lit(o, " SIP/2.0\r\nVia: SIP/2.0/UDP ");
	out_text(o, host_of_call(g, OUTSIDE, c->index)->via);
	out_lit(o, ";branch=" IDENT_BRANCH "~");
	out_id(o, c);
	*o->p++ = letter;
}

struct rte_mbuf *write_invite(struct gen *g, const struct call *c)
{
	struct text border = host_peer(g, OUTSIDE, c->index)->name;
	struct out o;
	struct rte_mbuf *m = frame_new(g, &o);

	if (!m)
		return NULL;
	out_lit(&o, "INVITE sip:d");
	out_id(&o, c);
	out_lit(&o, "@");
	out_text(&o, border);
	put_caller_via(g, c, &o, 'i');
	out_lit(&o, ";rport\r\nMax-Forwards: 70\r\nFrom: \"Caller\" <sip:c");
	out_id(&o, c);
	out_lit(&o, "@" IDENT_HOST_OUTSIDE ">;tag=~f");
	out_id(&o, c);
	out_lit(&o, "\r\nTo: <sip:d");
	out_id(&o, c);
	out_lit(&o, "@");
	out_text(&o, border);
	out_lit(&o, ">\r\nCall-ID: ~");
	out_id(&o, c);
	out_lit(&o, "@" IDENT_HOST_OUTSIDE "\r\nCSeq: 1 INVITE\r\nContact: <sip:c");
	out_id(&o, c);
	out_lit(&o, "@");
	out_text(&o, host_of_call(g, OUTSIDE, c->index)->via);
	out_lit(&o, ">\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK\r\n"
		    "Supported: timer, 100rel\r\nUser-Agent: ");
	if (g->agent_hidden)
		*o.p++ = IDENT_MARK_OUTSIDE;
	out_lit(&o, "phone/1.0\r\n");
	put_sdp(g, OUTSIDE, c, &o);
	return finish(g, OUTSIDE, c->index, m, &o);
}

/*
 * For a 2xx a transaction of its own to the Contact, for a refusal the INVITE's
 * (17.1.1.3). All of it comes out of the answer, so that one that comes again
 * when its call is long over is acknowledged too.
 */
struct rte_mbuf *write_ack(struct gen *g, uint32_t call, const struct message *answer)
{
	bool refused = answer->status >= 300;
	struct text target = message_uri(answer->contact), id = {NULL, 0};
	struct text branch = message_param(answer->via, TEXT("branch="));
	struct out o;
	struct rte_mbuf *m;

	if (branch.n < 9 + IDENT_LEN || answer->from.n + answer->to.n + answer->call_id.n > 400 ||
	    target.n > 200 || (!refused && target.n == 0))
		return NULL;
	id = (struct text){branch.p + 8, IDENT_LEN};
	m = frame_new(g, &o);
	if (!m)
		return NULL;
	out_lit(&o, "ACK ");
	if (refused) {
		out_lit(&o, "sip:d");
		out_text(&o, id);
		out_lit(&o, "@");
		out_text(&o, host_peer(g, OUTSIDE, call)->name);
	} else {
		out_text(&o, target);
	}
	out_lit(&o, " SIP/2.0\r\nVia: SIP/2.0/UDP ");
	out_text(&o, host_of_call(g, OUTSIDE, call)->via);
	out_lit(&o, ";branch=" IDENT_BRANCH "~");
	out_text(&o, id);
	*o.p++ = refused ? 'i' : 'a';
	out_lit(&o, ";rport\r\nMax-Forwards: 70\r\nFrom: ");
	out_text(&o, answer->from);
	out_lit(&o, "\r\nTo: ");
	out_text(&o, answer->to);
	out_lit(&o, "\r\nCall-ID: ");
	out_text(&o, answer->call_id);
	out_lit(&o, "\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n");
	return finish(g, OUTSIDE, call, m, &o);
}

static void put_bye_outside(const struct gen *g, const struct call *c, struct out *o)
{
	const struct far *f = &c->far[OUTSIDE];

	put_caller_via(g, c, o, 'b');
	out_lit(o, ";rport\r\nMax-Forwards: 70\r\nFrom: \"Caller\" <sip:c");
	out_id(o, c);
	out_lit(o, "@" IDENT_HOST_OUTSIDE ">;tag=~f");
	out_id(o, c);
	out_lit(o, "\r\nTo: <sip:d");
	out_id(o, c);
	out_lit(o, "@");
	out_text(o, host_peer(g, OUTSIDE, c->index)->name);
	out_lit(o, ">;tag=");
	out_put(o, f->tag, f->tag_n);
	out_lit(o, "\r\nCall-ID: ~");
	out_id(o, c);
	out_lit(o, "@" IDENT_HOST_OUTSIDE "\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n");
}

static void put_bye_inside(const struct gen *g, const struct call *c, struct out *o)
{
	const struct far *f = &c->far[INSIDE];
	struct text us = host_of_call(g, INSIDE, c->index)->name;

	out_lit(o, " SIP/2.0\r\nVia: SIP/2.0/UDP ");
	out_text(o, host_of_call(g, INSIDE, c->index)->via);
	out_lit(o, ";branch=" IDENT_BRANCH "!");
	out_id(o, c);
	out_lit(o, "b\r\nMax-Forwards: 70\r\nFrom: <sip:d");
	out_id(o, c);
	out_lit(o, "@");
	out_text(o, us);
	out_lit(o, ">;tag=!t");
	out_id(o, c);
	out_lit(o, "\r\nTo: \"Caller\" <sip:c");
	out_id(o, c);
	out_lit(o, "@");
	out_text(o, host_peer(g, INSIDE, c->index)->name);
	out_lit(o, ">;tag=");
	out_put(o, f->tag, f->tag_n);
	out_lit(o, "\r\nCall-ID: ");
	out_put(o, f->call_id, f->call_id_n);
	out_lit(o, "\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n");
}

struct rte_mbuf *write_bye(struct gen *g, const struct call *c, enum side side)
{
	struct out o;
	struct rte_mbuf *m = frame_new(g, &o);

	if (!m)
		return NULL;
	out_lit(&o, "BYE ");
	out_put(&o, c->far[side].target, c->far[side].target_n);
	if (side == OUTSIDE)
		put_bye_outside(g, c, &o);
	else
		put_bye_inside(g, c, &o);
	return finish(g, side, c->index, m, &o);
}

/* What a response takes over from its request (8.2.6.2); `tag` is added to To when not empty. */
static struct rte_mbuf *reply_head(struct gen *g, struct out *o, const struct message *request,
				   struct text status, struct text tag)
{
	struct rte_mbuf *m;

	if (request->via.n + request->from.n + request->to.n + request->call_id.n +
		    request->cseq_value.n >
	    600)
		return NULL;
	m = frame_new(g, o);
	if (!m)
		return NULL;
	out_lit(o, "SIP/2.0 ");
	out_text(o, status);
	out_lit(o, "\r\nVia: ");
	out_text(o, request->via);
	out_lit(o, "\r\nFrom: ");
	out_text(o, request->from);
	out_lit(o, "\r\nTo: ");
	out_text(o, request->to);
	if (tag.n != 0) {
		out_lit(o, ";tag=!t");
		out_text(o, tag);
	}
	out_lit(o, "\r\nCall-ID: ");
	out_text(o, request->call_id);
	out_lit(o, "\r\nCSeq: ");
	out_text(o, request->cseq_value);
	return m;
}

struct rte_mbuf *write_answer(struct gen *g, const struct call *c, const struct message *request,
			      struct text status, bool sdp)
{
	struct out o;
	struct rte_mbuf *m = reply_head(g, &o, request, status, (struct text){c->id, IDENT_LEN});

	if (!m)
		return NULL;
	out_lit(&o, "\r\nContact: <sip:d");
	out_id(&o, c);
	out_lit(&o, "@");
	out_text(&o, host_of_call(g, INSIDE, c->index)->via);
	out_lit(&o, ">\r\nServer: !" IDENT_HOST_INSIDE "\r\n");
	if (sdp)
		put_sdp(g, INSIDE, c, &o);
	else
		out_lit(&o, "Content-Length: 0\r\n\r\n");
	return finish(g, INSIDE, c->index, m, &o);
}

struct rte_mbuf *write_reply(struct gen *g, enum side side, uint32_t call,
			     const struct message *request, struct text status)
{
	struct out o;
	struct rte_mbuf *m = reply_head(g, &o, request, status, (struct text){NULL, 0});

	if (!m)
		return NULL;
	out_lit(&o, "\r\nContent-Length: 0\r\n\r\n");
	return finish(g, side, call, m, &o);
}

struct rte_mbuf *write_registered(struct gen *g, const struct message *request, struct text contact,
				  struct text expires)
{
	struct text tag = message_param(request->via, TEXT("branch="));
	struct out o;
	struct rte_mbuf *m;

	if (contact.n == 0 || contact.n > 200 || tag.n > 64)
		return NULL;
	m = reply_head(g, &o, request, TEXT("200 OK"), tag);
	if (!m)
		return NULL;
	out_lit(&o, "\r\nContact: <");
	out_text(&o, contact);
	out_lit(&o, ">;expires=");
	out_text(&o, expires);
	out_lit(&o, "\r\nServer: !" IDENT_HOST_INSIDE "\r\nContent-Length: 0\r\n\r\n");
	return finish(g, INSIDE, 0, m, &o);
}
