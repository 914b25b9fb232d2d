/*
 * border_fuzz: bytes choose what phones, a pbx, the network and the clock do.
 *
 * Where engine_fuzz is given texts, here the messages are composed from the ones
 * that the border has sent, so that nearly every input gets deep into calls; and
 * the driver holds all that comes out against its invariants: the leak oracle with
 * the secrets of the templates, whole flows in pairs, ports of one call only,
 * nothing left over when time has passed. One byte is an event (low four bits)
 * and its variant (high four bits); some events take one more byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/driver.h"
#include "tests/lib/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ACCESS     0u
#define CORE       1u
#define SENT       8u
#define MAX_TEXT   6000u
#define MAX_EVENTS 400u

struct message {
	char text[MAX_TEXT];
	uint32_t n;
	struct net_addr remote;
};

static struct {
	struct snapshot snap;
	struct driver *driver;
	struct message sent[2][SENT]; /* the last ones, per realm */
	uint32_t sents[2];
	struct message last;
	uint16_t last_realm;
	const uint8_t *data;
	size_t size, at;
	uint8_t patch; /* the next message is changed there */
	bool patched;
	uint32_t minted;
} f;

static uint8_t next_byte(void)
{
	return f.at < f.size ? f.data[f.at++] : 0;
}

static struct net_addr address(const char *text)
{
	struct net_addr a = {0, 0};

	net_addr_parse(slice_str(text), &a);
	return a;
}

static void on_send(void *ctx, const struct engine_path *path, struct slice bytes)
{
	uint16_t realm = f.snap.listener[path->listener].realm;
	struct message *m = &f.sent[realm][f.sents[realm]++ % SENT];

	(void)ctx;
	m->n = bytes.n < MAX_TEXT - 1 ? bytes.n : MAX_TEXT - 1;
	memcpy(m->text, bytes.p, m->n);
	m->text[m->n] = 0;
	m->remote = path->remote;
}

static void setup(void)
{
	struct snapshot *s = &f.snap;

	memset(&f, 0, sizeof(f));
	snapshot_defaults(s);
	s->realms = s->listeners = s->routes = 2;
	s->peers = 1;
	s->ring_timeout_ms = 200000;
	s->max_call_s = 3600;
	for (uint16_t i = 0; i < 2; i++) {
		snapshot_realm_defaults(&s->realm[i], i ? SNAPSHOT_TRUSTED : SNAPSHOT_UNTRUSTED,
					!i);
		snprintf(s->realm[i].name, SNAPSHOT_NAME, "%s", i ? "core" : "access");
		s->realm[i].media_lo = 20000;
		s->realm[i].media_hi = 20039;
		s->listener[i].realm = i;
		s->listener[i].addr = address(i ? "10.0.0.1:5060" : "203.0.113.1:5060");
		s->realm[i].media_ip = s->listener[i].addr.ip;
		s->route[i].from = i;
		s->route[i].target = i ? SNAPSHOT_TO_REGISTERED : SNAPSHOT_TO_PEER;
	}
	snprintf(s->peer[0].name, SNAPSHOT_NAME, "pbx");
	s->peer[0].realm = CORE;
	s->peer[0].addr = address("10.0.0.10:5060");
}

static void start(void)
{
	static const char *const secrets[2][4] = {
		{"192.168.1.20", "phonecallid", "phonefuzztag", "phoneorigin"},
		{"10.0.0.20", "pbxcallid", "pbxfuzztag", "pbxorigin"},
	};
	struct driver_conf conf = {.snapshot = &f.snap, .calls = 8, .registrations = 8, .seed = 3};

	conf.on_send = on_send;
	f.driver = driver_new(&conf);
	for (uint16_t r = 0; r < 2; r++)
		for (uint32_t i = 0; i < 4; i++)
			oracle_add(driver_oracle(f.driver), r, slice_str(secrets[r][i]),
				   "secret of a template");
}

static void receive(uint16_t realm, const char *text, uint32_t n)
{
	struct net_addr from = address(realm ? "10.0.0.10:5060" : "198.51.100.7:41000");

	memcpy(f.last.text, text, n);
	f.last.n = n;
	f.last_realm = realm;
	if (f.patched && n) {
		f.last.text[(f.patch * 131u) % n] = (char)next_byte();
		f.patched = false;
	}
	driver_recv(f.driver, realm, from, slice_of(f.last.text, n));
}

static uint32_t put_sdp(char *out, uint32_t n, uint16_t realm, uint8_t variant)
{
	static const char *const media[] = {
		"m=audio 40000 RTP/AVP 8 0\r\n",
		"m=audio 40000 RTP/AVP 8\r\na=sendonly\r\n",
		"m=audio 40000 RTP/AVP 8\r\nm=video 40010 RTP/AVP 96\r\n",
		"m=audio 0 RTP/AVP 8\r\n",
	};
	const char *ip = realm ? "10.0.0.20" : "192.168.1.20", *who = realm ? "pbx" : "phone";
	char body[512];
	int len;

	len = snprintf(
		body, sizeof(body),
		"v=0\r\no=%sorigin 77000001 %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n%s", who,
		++f.minted, ip, ip, media[variant % 4]);
	return n +
	       (uint32_t)snprintf(out + n, MAX_TEXT - n,
				  "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
				  len, body);
}

static uint32_t put_end(char *out, uint32_t n, uint16_t realm, bool sdp, uint8_t variant)
{
	if (sdp)
		return put_sdp(out, n, realm, variant);
	return n + (uint32_t)snprintf(out + n, MAX_TEXT - n, "Content-Length: 0\r\n\r\n");
}

/* A request outside any dialog: INVITE, REGISTER or OPTIONS. */
static void begin(uint16_t realm, const char *method, uint8_t variant)
{
	const char *who = realm ? "pbx" : "phone", *host = realm ? "10.0.0.20" : "192.168.1.20";
	bool reg = strcmp(method, "REGISTER") == 0, sdp = !reg && (variant & 8) == 0;
	char text[MAX_TEXT];
	uint32_t n;

	n = (uint32_t)snprintf(
		text, sizeof(text),
		"%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s%u\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%sfuzztag%u\r\nTo: <sip:%s@%s>\r\n"
		"Call-ID: %scallid%u\r\nCSeq: 1 %s\r\nContact: <sip:u@%s:5062>\r\n%s",
		method, realm ? "alice" : "bob", realm ? "10.0.0.1" : "203.0.113.1", host, who,
		++f.minted, realm ? "bob" : "alice", host, who, variant & 3u, reg ? "alice" : "bob",
		realm ? "10.0.0.1" : "203.0.113.1", who, variant & 3u, method, host,
		variant & 4 ? "Supported: 100rel\r\n" : "");
	if (reg)
		n += (uint32_t)snprintf(text + n, sizeof(text) - n, "Expires: %u\r\n",
					variant & 8 ? 0 : 600);
	n = put_end(text, n, realm, sdp && strcmp(method, "INVITE") == 0, variant);
	receive(realm, text, n);
}

static struct slice sent(uint16_t realm, uint8_t back)
{
	const struct message *m = &f.sent[realm][(f.sents[realm] - 1 - back % SENT) % SENT];

	return back % SENT < f.sents[realm] ? slice_of(m->text, m->n) : SLICE_NONE;
}

static uint32_t put_line(char *out, uint32_t n, const char *name, struct slice v, const char *tag)
{
	n += (uint32_t)snprintf(out + n, MAX_TEXT - n, "%s: %.*s", name,
				(int)(v.n < 1000 ? v.n : 1000), v.p);
	if (tag && text_param(v, "tag").n == 0)
		n += (uint32_t)snprintf(out + n, MAX_TEXT - n, ";tag=%s", tag);
	return n + (uint32_t)snprintf(out + n, MAX_TEXT - n, "\r\n");
}

/* Answers one of the last requests that a side got. */
static void answer(uint16_t realm, uint8_t variant)
{
	static const uint16_t status[] = {100, 180, 183, 200, 200, 200, 302, 401,
					  408, 481, 486, 487, 491, 500, 603, 699};
	uint8_t how = next_byte();
	uint16_t code = status[how & 15];
	char text[MAX_TEXT], tag[32];
	struct slice m = sent(realm, variant & 7);
	uint32_t n;

	if (m.n == 0 || !text_is_request(m))
		return;
	snprintf(tag, sizeof(tag), "%sfuzztag%u", realm ? "pbx" : "phone", how >> 6);
	n = (uint32_t)snprintf(text, sizeof(text), "SIP/2.0 %u Some 10.0.0.20 reason\r\n", code);
	if (!realm)
		n = (uint32_t)snprintf(text, sizeof(text), "SIP/2.0 %u Some reason\r\n", code);
	n = put_line(text, n, "Via", text_header(m, "Via", 0), NULL);
	n = put_line(text, n, "From", text_header(m, "From", 0), NULL);
	n = put_line(text, n, "To", text_header(m, "To", 0), code > 100 ? tag : NULL);
	n = put_line(text, n, "Call-ID", text_header(m, "Call-ID", 0), NULL);
	n = put_line(text, n, "CSeq", text_header(m, "CSeq", 0), NULL);
	if (text_is(text_method(m), "REGISTER"))
		n = put_line(text, n, "Contact", text_header(m, "Contact", 0), NULL);
	else
		n += (uint32_t)snprintf(text + n, sizeof(text) - n, "Contact: <sip:u@%s>\r\n",
					realm ? "10.0.0.20" : "192.168.1.20");
	if (variant & 8 && code < 200)
		n += (uint32_t)snprintf(text + n, sizeof(text) - n,
					"Require: 100rel\r\nRSeq: %u\r\n", how);
	receive(realm, text, put_end(text, n, realm, (how & 16) == 0 && code < 300, how >> 5));
}

/* A request in the dialog of one of the last messages that a side got. */
static void within(uint16_t realm, uint8_t variant)
{
	static const char *const methods[] = {"ACK",    "BYE",   "INVITE", "CANCEL",
					      "UPDATE", "PRACK", "INFO",   "OPTIONS"};
	uint8_t how = next_byte();
	const char *method = methods[how & 7];
	struct slice m = sent(realm, variant & 7), uri, branch;
	char text[MAX_TEXT], tag[32], fresh[32];
	bool mirror;
	uint32_t n;

	if (m.n == 0)
		return;
	mirror = text_is_request(m); /* its sender's dialog, seen from the other end */
	uri = text_uri(text_header(m, "Contact", 0));
	if (uri.n == 0)
		uri = SLICE_LIT("sip:border");
	snprintf(fresh, sizeof(fresh), "z9hG4bKfuzz%u", ++f.minted);
	branch = how & 8 ? text_param(text_header(m, "Via", 0), "branch") : slice_str(fresh);
	snprintf(tag, sizeof(tag), "%sfuzztag%u", realm ? "pbx" : "phone", how >> 6);
	n = (uint32_t)snprintf(text, sizeof(text),
			       "%s %.*s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=%.*s\r\n"
			       "Max-Forwards: 70\r\n",
			       method, (int)(uri.n < 400 ? uri.n : 400), uri.p,
			       realm ? "10.0.0.20" : "192.168.1.20",
			       (int)(branch.n < 200 ? branch.n : 200), branch.p);
	n = put_line(text, n, "From", text_header(m, mirror ? "To" : "From", 0), tag);
	n = put_line(text, n, "To", text_header(m, mirror ? "From" : "To", 0), NULL);
	n = put_line(text, n, "Call-ID", text_header(m, "Call-ID", 0), NULL);
	n += (uint32_t)snprintf(text + n, sizeof(text) - n, "CSeq: %u %s\r\n",
				variant & 8 || (how & 7) % 3 == 0 ? text_cseq(m) : 1 + f.minted,
				method);
	if (strcmp(method, "PRACK") == 0)
		n += (uint32_t)snprintf(text + n, sizeof(text) - n, "RAck: %u %u INVITE\r\n",
					text_number(text_header(m, "RSeq", 0)), text_cseq(m));
	receive(realm, text, put_end(text, n, realm, (how & 16) != 0, how >> 5));
}

static void media(uint8_t variant)
{
	const struct flow_spec *flow;
	uint32_t cursor = 0;

	for (uint8_t i = 0; (flow = driver_flow_next(f.driver, &cursor)) && i < (variant & 7); i++)
		;
	if (!flow)
		return;
	if (variant & 8)
		driver_silent(f.driver, flow->realm, flow->port);
	else
		driver_latched(f.driver, flow->realm, flow->port, address("198.51.100.7:52000"));
}

static void elapse(uint8_t variant)
{
	static const uint32_t steps[] = {1,      10,     100,    500,    500,   1000,
					 2000,   4000,   8000,   16000,  32000, 33000,
					 100000, 200000, 600000, 4000000};

	driver_advance(f.driver, driver_now(f.driver) + steps[variant]);
}

static void raw(uint16_t realm)
{
	uint32_t n = next_byte();
	char text[256];

	n = n < f.size - f.at ? n : (uint32_t)(f.size - f.at);
	memcpy(text, f.data + f.at, n);
	f.at += n;
	receive(realm, text, n);
}

static void event(uint8_t kind, uint8_t variant)
{
	switch (kind) {
	case 0:
	case 1:
		begin(kind, "INVITE", variant);
		break;
	case 2:
		begin(ACCESS, "REGISTER", variant);
		break;
	case 3:
		begin(variant & 1, "OPTIONS", variant);
		break;
	case 4:
	case 5:
		answer(kind & 1 ? CORE : ACCESS, variant);
		break;
	case 6:
	case 7:
		within(kind & 1 ? CORE : ACCESS, variant);
		break;
	case 8:
		elapse(variant);
		break;
	case 9:
		driver_recv(f.driver, f.last_realm,
			    address(f.last_realm ? "10.0.0.10:5060" : "198.51.100.7:41000"),
			    slice_of(f.last.text, f.last.n));
		break;
	case 10:
		f.patch = next_byte();
		f.patched = true;
		break;
	case 11:
		media(variant);
		break;
	case 12:
		raw(variant & 1);
		break;
	case 13:
		driver_kill_all(f.driver);
		break;
	case 14:
		if (variant == 15)
			driver_drain(f.driver);
		break;
	default:
		break;
	}
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[512];

	setup();
	f.data = data;
	f.size = size;
	start();
	for (uint32_t i = 0; f.at < f.size && i < MAX_EVENTS; i++) {
		uint8_t b = next_byte();

		event(b & 15, b >> 4);
		must(!driver_failure(f.driver), driver_failure(f.driver));
	}
	for (uint32_t i = 0; i < 8; i++)
		driver_advance(f.driver, driver_now(f.driver) + 1000000);
	must(!driver_failure(f.driver), driver_failure(f.driver));
	must(driver_is_clean(f.driver, why, sizeof(why)), why);
	driver_free(f.driver);
	return 0;
}
