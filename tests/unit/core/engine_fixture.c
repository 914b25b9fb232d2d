#include "tests/unit/core/engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const phone_sdp = "v=0\r\no=alice 11 12 IN IP4 192.168.1.20\r\ns=-\r\n"
			      "c=IN IP4 192.168.1.20\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0\r\n"
			      "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n";
const char *const pbx_sdp = "v=0\r\no=bob 21 22 IN IP4 10.0.0.20\r\ns=-\r\nc=IN IP4 10.0.0.20\r\n"
			    "t=0 0\r\nm=audio 17000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";

static struct net_addr addr(const char *s)
{
	struct net_addr a;

	assert_true(net_addr_parse(slice_str(s), &a));
	return a;
}

struct net_addr fixture_phone(void)
{
	return addr("198.51.100.7:41000");
}

struct net_addr fixture_pbx(void)
{
	return addr("10.0.0.10:5060");
}

static void realm_make(struct snapshot *s, uint16_t i, const char *name, const char *ip,
		       uint16_t lo, uint16_t hi)
{
	struct snapshot_realm *r = &s->realm[i];

	strcpy(r->name, name);
	assert_true(net_ip_parse(slice_str(ip), &r->media_ip));
	r->media_lo = lo;
	r->media_hi = hi;
	s->listener[i].realm = i;
	s->listener[i].addr = (struct net_addr){r->media_ip, 5060};
}

void fixture_snapshot(struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	snapshot_defaults(s);
	s->realms = s->listeners = s->routes = 2;
	s->peers = 1;
	snapshot_realm_defaults(&s->realm[ACCESS], SNAPSHOT_UNTRUSTED, true);
	snapshot_realm_defaults(&s->realm[CORE], SNAPSHOT_TRUSTED, false);
	realm_make(s, ACCESS, "access", "203.0.113.1", 20000, 29999);
	realm_make(s, CORE, "core", "10.0.0.1", 30000, 39999);
	strcpy(s->peer[0].name, "pbx");
	s->peer[0].realm = CORE;
	s->peer[0].addr = fixture_pbx();
	s->route[0] = (struct snapshot_route){.from = ACCESS, .target = SNAPSHOT_TO_PEER};
	s->route[1] = (struct snapshot_route){.from = CORE, .target = SNAPSHOT_TO_REGISTERED};
}

static void on_send(void *ctx, const struct engine_path *path, struct slice bytes)
{
	struct fixture *f = ctx;
	struct sent *s = &f->queue[f->tail++ % FIXTURE_QUEUE];

	assert_true(f->tail - f->head <= FIXTURE_QUEUE);
	assert_true(bytes.n < FIXTURE_BYTES);
	s->listener = path->listener;
	s->to = path->remote;
	s->n = bytes.n;
	memcpy(s->bytes, bytes.p, bytes.n);
	s->bytes[bytes.n] = '\0';
}

static void on_record(void *ctx, uint16_t shard, const struct engine_record *r)
{
	struct fixture *f = ctx;

	(void)shard;
	f->records[r->kind]++;
	if (r->kind == RECORD_CALL_END) {
		f->end = r->end;
		f->status = r->status;
	}
}

void fixture_begin(struct fixture *f, uint16_t shards, uint32_t calls)
{
	struct driver_conf conf = {
		.snapshot = &f->snapshot,
		.shards = shards,
		.calls = calls,
		.registrations = 16,
		.seed = 42,
		.learn = true,
		.on_send = on_send,
		.on_record = on_record,
		.ctx = f,
	};

	if (f->snapshot.realms == 0)
		fixture_snapshot(&f->snapshot);
	f->head = f->tail = 0;
	f->driver = driver_new(&conf);
}

/* 64*T1 for each transaction of a call, one after the other, and the oldest timer D. */
void fixture_end(struct fixture *f)
{
	char why[512];

	for (int i = 0; i < 40; i++) {
		driver_advance(f->driver, driver_now(f->driver) + 5000);
		fixture_discard(f);
	}
	if (driver_failure(f->driver))
		fail_msg("%s", driver_failure(f->driver));
	if (!driver_is_clean(f->driver, why, sizeof(why)))
		fail_msg("%s", why);
	driver_free(f->driver);
}

void fixture_recv(struct fixture *f, uint16_t listener, struct net_addr from, const char *text)
{
	driver_recv(f->driver, listener, from, slice_str(text));
}

void fixture_elapse(struct fixture *f, uint64_t ms)
{
	driver_advance(f->driver, driver_now(f->driver) + ms);
}

const char *fixture_take(struct fixture *f, uint16_t listener, const char *start)
{
	if (f->head == f->tail)
		fail_msg("nothing sent where \"%s\" was due", start);
	struct sent *s = &f->queue[f->head++ % FIXTURE_QUEUE];
	if (s->listener != listener || strncmp(s->bytes, start, strlen(start)) != 0)
		fail_msg("not \"%s\" on %u, but on %u: %s", start, listener, s->listener, s->bytes);
	return s->bytes;
}

void fixture_silent(struct fixture *f)
{
	if (f->head != f->tail)
		fail_msg("sent unasked: %s", f->queue[f->head % FIXTURE_QUEUE].bytes);
}

void fixture_discard(struct fixture *f)
{
	f->head = f->tail;
}

struct engine_stats fixture_stats(const struct fixture *f)
{
	struct engine_stats s;

	driver_stats(f->driver, &s);
	return s;
}

uint64_t fixture_reason(const struct fixture *f, enum reason r)
{
	return fixture_stats(f).reasons.n[r];
}

static const char *sdp_type(const char *sdp)
{
	return *sdp ? "Content-Type: application/sdp\r\n" : "";
}

void phone_invite(struct fixture *f, struct parties *p, const char *extra, const char *sdp)
{
	snprintf(f->text, sizeof(f->text),
		 "INVITE sip:bob@203.0.113.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKphonei%u\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=alicetag%u\r\n"
		 "To: <sip:bob@203.0.113.1>\r\nCall-ID: phonecall-%u@192.168.1.20\r\n"
		 "CSeq: 1 INVITE\r\nContact: <sip:alice@192.168.1.20:5062>\r\n%s%s\r\n%s",
		 p->id, p->id, p->id, extra, sdp_type(sdp), sdp);
	fixture_recv(f, ACCESS, fixture_phone(), f->text);
}

void pbx_gets_invite(struct fixture *f, struct parties *p)
{
	fixture_take(f, ACCESS, "SIP/2.0 100");
	strcpy(p->invite, fixture_take(f, CORE, "INVITE "));
}

void answer(struct fixture *f, uint16_t listener, const char *request, const char *status,
	    const char *tag, const char *extra, const char *sdp)
{
	struct slice m = slice_str(request);
	struct slice via = text_header(m, "Via", 0), from = text_header(m, "From", 0);
	struct slice to = text_header(m, "To", 0), id = text_header(m, "Call-ID", 0);
	struct slice cseq = text_header(m, "CSeq", 0);
	bool tagged = text_param(to, "tag").n || *tag == '\0';
	static char text[FIXTURE_BYTES];

	snprintf(text, sizeof(text),
		 "SIP/2.0 %s\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s%s%s\r\nCall-ID: %.*s\r\n"
		 "CSeq: %.*s\r\nContact: <sip:%s>\r\n%s%s\r\n%s",
		 status, (int)via.n, via.p, (int)from.n, from.p, (int)to.n, to.p,
		 tagged ? "" : ";tag=", tagged ? "" : tag, (int)id.n, id.p, (int)cseq.n, cseq.p,
		 listener == CORE ? "bob@10.0.0.10:5060" : "alice@192.168.1.20:5062", extra,
		 sdp_type(sdp), sdp);
	fixture_recv(f, listener, listener == CORE ? fixture_pbx() : fixture_phone(), text);
}

void phone_learns(struct parties *p, const char *response)
{
	struct slice to = text_header(slice_str(response), "To", 0);
	struct slice uri = text_uri(text_header(slice_str(response), "Contact", 0));

	snprintf(p->to, sizeof(p->to), "%.*s", (int)to.n, to.p);
	snprintf(p->target, sizeof(p->target), "%.*s", (int)uri.n, uri.p);
}

void phone_request(struct fixture *f, struct parties *p, const char *method, unsigned cseq,
		   const char *extra, const char *sdp)
{
	snprintf(f->text, sizeof(f->text),
		 "%s %s SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKphone%s%u%u\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=alicetag%u\r\n"
		 "To: %s\r\nCall-ID: phonecall-%u@192.168.1.20\r\nCSeq: %u %s\r\n"
		 "Contact: <sip:alice@192.168.1.20:5062>\r\n%s%s\r\n%s",
		 method, p->target, method, p->id, cseq, p->id, p->to, p->id, cseq, method, extra,
		 sdp_type(sdp), sdp);
	fixture_recv(f, ACCESS, fixture_phone(), f->text);
}

void pbx_request(struct fixture *f, struct parties *p, const char *method, unsigned cseq,
		 const char *extra, const char *sdp)
{
	struct slice m = slice_str(p->invite);
	struct slice uri = text_uri(text_header(m, "Contact", 0));
	struct slice from = text_header(m, "From", 0), to = text_header(m, "To", 0);
	struct slice id = text_header(m, "Call-ID", 0);

	snprintf(f->text, sizeof(f->text),
		 "%s %.*s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.10:5060;branch=z9hG4bKpbx%s%u%u\r\n"
		 "Max-Forwards: 70\r\nFrom: %.*s;tag=bobtag%u\r\nTo: %.*s\r\nCall-ID: %.*s\r\n"
		 "CSeq: %u %s\r\nContact: <sip:bob@10.0.0.10:5060>\r\n%s%s\r\n%s",
		 method, (int)uri.n, uri.p, method, p->id, cseq, (int)to.n, to.p, p->id,
		 (int)from.n, from.p, (int)id.n, id.p, cseq, method, extra, sdp_type(sdp), sdp);
	fixture_recv(f, CORE, fixture_pbx(), f->text);
}

void call_up(struct fixture *f, struct parties *p)
{
	char tag[32];

	snprintf(tag, sizeof(tag), "bobtag%u", p->id);
	phone_invite(f, p, "", phone_sdp);
	pbx_gets_invite(f, p);
	answer(f, CORE, p->invite, "180 Ringing", tag, "", "");
	fixture_take(f, ACCESS, "SIP/2.0 180");
	answer(f, CORE, p->invite, "200 OK", tag, "", pbx_sdp);
	phone_learns(p, fixture_take(f, ACCESS, "SIP/2.0 200"));
	fixture_take(f, CORE, "ACK ");
	phone_request(f, p, "ACK", 1, "", "");
	fixture_silent(f);
}

void phone_registers(struct fixture *f, const char *user, unsigned id, const char *contact,
		     unsigned granted, char *uri, size_t cap)
{
	char extra[512];
	const char *reg;

	snprintf(f->text, sizeof(f->text),
		 "REGISTER sip:203.0.113.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKreg%s%u\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:%s@203.0.113.1>;tag=regtag%u\r\n"
		 "To: <sip:%s@203.0.113.1>\r\nCall-ID: phonereg-%s@192.168.1.20\r\n"
		 "CSeq: %u REGISTER\r\nContact: %s\r\nExpires: 3600\r\n\r\n",
		 user, id, user, id, user, user, id, contact);
	fixture_recv(f, ACCESS, fixture_phone(), f->text);
	reg = fixture_take(f, CORE, "REGISTER ");
	struct slice ours = text_uri(text_header(slice_str(reg), "Contact", 0));
	snprintf(uri, cap, "%.*s", (int)ours.n, ours.p);
	snprintf(extra, sizeof(extra), "Contact: <%s>;expires=%u\r\n", uri, granted);
	answer(f, CORE, reg, "200 OK", "registrartag", extra, "");
	fixture_take(f, ACCESS, "SIP/2.0 200");
}
