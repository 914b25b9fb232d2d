/*
 * count_bench OPERATION N: does one thing N times, for a counter of instructions.
 *
 *   callgrind with --toggle-collect=counted counts the operation alone; for `call`, and
 *   `kept` whose calls are kept before they are answered,
 *   --toggle-collect=engine_handle (or hiding_write_request, ...) counts that function
 *   in N whole calls. The same N gives the same count on every run: keys, seeds and
 *   messages are fixed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/base/siphash.h"
#include "sbc/media/flow.h"
#include "sbc/media/sdp.h"
#include "talk.h"

#define MAX_LEN    2048u
#define STORED_MAX 16u

static char message[MAX_LEN];
static uint32_t message_len;
static struct slice body; /* of the message */
static uint64_t sink;     /* keeps results alive */

static void die(const char *what)
{
	fprintf(stderr, "count_bench: %s\n", what);
	exit(1);
}

/* ---- one function at a time ---- */

static void run_index(void)
{
	static struct sip_msg m;
	struct sip_fault fault;

	if (sip_msg_parse(&m, message, message_len, &fault) != SBC_OK)
		die("the message does not parse");
	sink += m.count;
}

static void run_peek(void)
{
	struct sip_peek peek;

	if (sip_peek_call_id(message, message_len, &peek) != SBC_OK)
		die("no Call-ID");
	sink += peek.call_id.n;
}

static void run_siphash(void)
{
	static const struct siphash_key key = {1, 2};

	sink += siphash13(&key, message, 32);
}

/* As an offer is: read, and written with the border's address and port. */
static void run_sdp(void)
{
	static const struct sdp_out out = {.session_id = 3894521764,
					   .session_version = 1,
					   .ip = 0x0100000au,
					   .media = {{.port = 30000, .rtcp_port = 30001}}};
	static struct sdp d;
	static char text[MAX_LEN];
	struct wbuf w;

	wbuf_init(&w, text, sizeof(text));
	if (sdp_parse(&d, body) != SBC_OK || sdp_write(&w, &d, &out) != SBC_OK)
		die("the session description does not pass");
	sink += w.n;
}

/* Two flows that face each other; the packet is the left one's. */
static struct flow left, right;
static uint8_t packet[200], fresh[200];
static uint64_t sequence;

static void flow_make(void)
{
	const struct net_addr a = {0x327100cbu, 40000}, b = {0x0a00000au, 17000};
	struct flow_spec l = {
		.port = 20000, .peer_realm = 1, .peer_port = 30000, .remote = a, .proven = true};
	struct flow_spec r = {
		.realm = 1, .port = 30000, .peer_port = 20000, .remote = b, .proven = true};

	l.clock_rate = r.clock_rate = 8000;
	l.epoch = r.epoch = 1;
	flow_publish(&left, &l, 0x017100cbu, 1);
	flow_publish(&right, &r, 0x0100000au, 1);
	if (!flow_join(&left, &right) || !flow_join(&right, &left))
		die("flows do not join");
	fresh[0] = 0x45;
	fresh[3] = 200;
	fresh[8] = 64;
	fresh[9] = 17;
	memcpy(fresh + 12, &a.ip, 4);
	fresh[20] = 40000 >> 8;
	fresh[21] = 40000 & 0xff;
	fresh[22] = 20000 >> 8;
	fresh[23] = 20000 & 0xff;
	fresh[25] = 180;
	fresh[26] = 1; /* a checksum: it is changed, never verified here */
	fresh[28] = 0x80;
}

static void run_flow(void)
{
	const struct net_addr from = {0x327100cbu, 40000};
	enum reason why;

	memcpy(packet, fresh, 28 + 12);
	packet[30] = (uint8_t)(++sequence >> 8);
	packet[31] = (uint8_t)sequence;
	if (flow_admit(&left, NULL, from, packet + 28, 172, sequence, &why) == FLOW_DROP)
		die("the packet is not admitted");
	flow_rewrite(&left, packet);
	sink += packet[12];
}

/* ---- whole calls ---- */

struct call {
	struct snapshot snapshot;
	struct engine *engine;
	struct engine_out out;
	struct engine_event stored[STORED_MAX]; /* what is to be told of */
	unsigned asked, told;
	uint64_t now;
	char request[TALK_MESSAGE], response[TALK_MESSAGE]; /* the last to each side */
};

static struct call c;

static void keep(char *to, struct slice s)
{
	if (s.n >= TALK_MESSAGE)
		die("message too long");
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

static void sent(const struct engine_action *a)
{
	if (a->send.path.listener == 0)
		keep(c.response, a->send.bytes);
	else if (memcmp(a->send.bytes.p, "ACK", 3) != 0)
		keep(c.request, a->send.bytes);
}

/* The store says yes at once, in the order in which it was asked. */
static void store(const struct engine_action *a)
{
	struct engine_event *ev = &c.stored[c.asked++ % STORED_MAX];

	*ev = (struct engine_event){.type = ENGINE_EV_STORED};
	ev->stored.kind = a->store->kind;
	ev->stored.handle = a->store->handle;
	ev->stored.version = a->store->version;
	ev->stored.ok = true;
	if (c.asked - c.told > STORED_MAX)
		die("too much to be stored at once");
}

static void handle(struct engine_event *ev)
{
	ev->now = c.now;
	engine_out_clear(&c.out);
	engine_handle(c.engine, ev, &c.out);
	for (uint32_t i = 0; i < c.out.count; i++) {
		const struct engine_action *a = &c.out.action[i];

		if (a->type == ENGINE_SEND)
			sent(a);
		else if (a->type == ENGINE_STORE_PUT || a->type == ENGINE_STORE_DELETE)
			store(a);
	}
}

static void stored(void)
{
	while (c.told != c.asked)
		handle(&c.stored[c.told++ % STORED_MAX]);
}

static void receive(uint16_t listener, const char *text, uint32_t n)
{
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE};

	ev.message.bytes = slice_of(text, n);
	ev.message.path.listener = listener;
	ev.message.path.remote = talk_source(&c.snapshot, listener);
	handle(&ev);
	stored();
}

static void answer(const char *status, const char *tag, bool sdp)
{
	char text[TALK_MESSAGE];
	uint32_t n = talk_answer(text, slice_str(c.request), status, tag, sdp);

	if (n == 0)
		die("nothing to answer");
	receive(1, text, n);
}

static void call(unsigned id)
{
	struct engine_event tick = {.type = ENGINE_EV_TICK};
	char text[TALK_MESSAGE], tag[32], to[256], target[256];
	struct sip_fault fault;
	struct sip_msg m;

	snprintf(tag, sizeof(tag), ";tag=b%08x", id);
	receive(0, text, talk_invite(text, id));
	answer("100 Trying", "", false);
	answer("180 Ringing", tag, false);
	answer("200 OK", tag, true);
	if (sip_msg_parse(&m, c.response, (uint32_t)strlen(c.response), &fault) != SBC_OK ||
	    !talk_dialog(&m, target, sizeof(target), to, sizeof(to)))
		die("the call was not answered");
	receive(0, text, talk_in_dialog(text, "ACK", 1, id, target, to));
	receive(0, text, talk_in_dialog(text, "BYE", 2, id, target, to));
	answer("200 OK", "", false);
	c.now++;
	handle(&tick);
	stored();
}

static void calls(unsigned n, enum engine_store_mode mode)
{
	struct engine_event ev = {.type = ENGINE_EV_STORE, .store = {.mode = mode}};
	struct engine_conf conf = {
		.key = {0x1234, 0x5678}, .seed = {0x9abc, 0xdef0}, .snapshot = &c.snapshot};
	struct engine_stats st;
	void *memory;
	size_t size;

	talk_snapshot(&c.snapshot);
	engine_limits_for(&conf.limits, n + 10, 10);
	size = engine_size(&conf);
	if (posix_memalign(&memory, 64, size) != 0)
		die("no memory");
	c.now = 1000;
	c.engine = engine_init(memory, size, &conf, c.now);
	if (c.engine == NULL)
		die("engine_init failed");
	handle(&ev);
	for (unsigned i = 0; i < n; i++)
		call(i);
	engine_stats_read(c.engine, &st);
	if (st.calls_answered != n || st.calls != 0)
		die("calls are missing");
	if (mode == ENGINE_STORE_DURABLE && (st.store_puts < n || st.store_deletes != n))
		die("calls are not kept");
	free(memory);
}

/* A function of its own: callgrind counts while it runs. */
__attribute__((noinline)) void counted(void (*run)(void), unsigned n);
void counted(void (*run)(void), unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		run();
	__asm__ volatile("" ::: "memory");
}

static void load(void)
{
	FILE *f = fopen(FIXTURES "/invite_1300.sip", "rb");
	struct sip_fault fault;
	static struct sip_msg m;

	message_len = f != NULL ? (uint32_t)fread(message, 1, MAX_LEN, f) : 0;
	if (f != NULL)
		fclose(f);
	if (message_len == 0)
		die("no fixture in " FIXTURES);
	if (sip_msg_parse(&m, message, message_len, &fault) != SBC_OK)
		die("the fixture does not parse");
	body = sip_msg_body(&m);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} operation[] = {{"index", run_index},
			 {"peek", run_peek},
			 {"siphash", run_siphash},
			 {"sdp", run_sdp},
			 {"flow", run_flow}};
	unsigned n = argc == 3 ? (unsigned)atoi(argv[2]) : 0;

	if (n == 0)
		die("usage: count_bench index|peek|siphash|sdp|flow|call|kept N");
	if (strcmp(argv[1], "call") == 0 || strcmp(argv[1], "kept") == 0) {
		calls(n, argv[1][0] == 'k' ? ENGINE_STORE_DURABLE : ENGINE_STORE_OFF);
		return 0;
	}
	load();
	flow_make();
	for (size_t i = 0; i < sizeof(operation) / sizeof(*operation); i++)
		if (strcmp(argv[1], operation[i].name) == 0) {
			counted(operation[i].run, n);
			return sink == 0;
		}
	die("no such operation");
	return 1;
}
