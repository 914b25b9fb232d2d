/* Workers on lcores of their own, and what DPDK's telemetry says of them. */
#include "tests/dataplane/talk.h"

#include <arpa/inet.h>
#include <poll.h>
#include <rte_eal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sbc/base/ident.h"

static struct frame f;

/* A frame sent by workers that run by themselves: waited for, ten seconds at most. */
static bool wait_for(struct bed *b, uint32_t port)
{
	for (uint32_t i = 0; i < 10000; i++) {
		if (bed_take(b, port, &f))
			return true;
		usleep(1000);
	}
	return false;
}

static void launch(struct bed *b)
{
	char why[256] = "";

	b->dp->clock = dp_now;
	if (!dp_launch(b->dp, why, sizeof(why)))
		bed_fail("%s", why);
}

static void launched_up(struct bed *b, uint16_t workers)
{
	bed_init(b, workers);
	bed_open(b, 0);
	bed_learn_all(b);
	launch(b);
	/* Announced: one address on each port. */
	assert_true(wait_for(b, OUTSIDE));
	assert_int_equal(frame_read(&f).tip, OUT_IP);
	assert_true(wait_for(b, INSIDE));
	assert_int_equal(frame_read(&f).tip, IN_IP);
}

static struct dp_reply *ask(struct bed *b, enum dp_request_type type, uint16_t worker)
{
	struct dp_request q = {.type = type, .worker = worker};
	struct dp_reply *r = NULL;

	assert_true(dp_request_post(b->dp, &q));
	for (uint32_t i = 0; r == NULL && i < 10000; i++, usleep(1000))
		r = dp_reply_take(b->dp);
	assert_non_null(r);
	return r;
}

static void put(struct bed *b, const char *text)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);

	frame_udp(&f, &s, text, (uint32_t)strlen(text));
	bed_put(b, OUTSIDE, &f);
}

static void options_of_many_calls_are_all_answered(void **state)
{
	char text[1024];
	struct bed b;
	uint64_t handed_off = 0;

	(void)state;
	launched_up(&b, 4);
	for (uint32_t i = 0; i < 200; i++) {
		snprintf(text, sizeof(text),
			 "OPTIONS sip:203.0.113.1 SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=z9hG4bK%u\r\n"
			 "Max-Forwards: 70\r\nFrom: <sip:a@h>;tag=a1\r\nTo: <sip:203.0.113.1>\r\n"
			 "Call-ID: %u@phone\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n",
			 i, i);
		put(&b, text);
	}
	for (uint32_t i = 0; i < 200; i++) {
		assert_true(wait_for(&b, OUTSIDE));
		assert_memory_equal(frame_read(&f).payload, "SIP/2.0 200", 11);
	}
	assert_true(dp_is_alive(b.dp));
	for (uint16_t i = 0; i < 4; i++) {
		struct dp_reply *r = ask(&b, DP_STATS, i);

		assert_int_equal(r->worker, i);
		assert_true(r->stats.loops > 0);
		handed_off += r->stats.handed_off;
		dp_reply_free(b.dp, r);
	}
	assert_true(handed_off > 0);
	/* Answers are kept a while for retransmissions, buffers are not. */
	dp_join(b.dp);
	bed_close(&b);
}

/* Woken by a worker: ten seconds at most. */
static bool is_woken(struct bed *b)
{
	struct pollfd p = {.fd = dp_wake_fd(b->dp), .events = POLLIN};

	if (poll(&p, 1, 10000) != 1)
		return false;
	dp_wake_clear(b->dp);
	return true;
}

static void lost_bye(char *text, size_t room, uint32_t i)
{
	snprintf(text, room,
		 "BYE sip:bob@203.0.113.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=z9hG4bK%u\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:a@h>;tag=a1\r\n"
		 "To: <sip:b@h>;tag=0123456789abcdef\r\nCall-ID: %u@lost\r\n"
		 "CSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n",
		 i, i);
}

/* Posts that find no room are tried again until there is. */
#define POST(call)                                                                                 \
	do {                                                                                       \
		for (uint32_t tries_ = 0; !(call); tries_++, usleep(1000))                         \
			assert_true(tries_ < 10000);                                               \
	} while (0)

static void control_and_workers_speak_while_both_run(void **state)
{
	const uint32_t count = 400;
	static char id[IDENT_LEN + 1], text[1024], fields[20000];
	struct siphash_key seed = {1, 2};
	struct engine_path path = {.listener = INSIDE, .remote = {htonl(PBX), SIP}};
	struct ident_gen gen;
	struct dp_store_op op;
	struct dp_forward fw;
	struct bed b;
	uint32_t forwards = 0;

	(void)state;
	bed_init(&b, 4);
	b.conf.groups_held = true;
	b.snapshot.forward = true;
	bed_open(&b, 0);
	dp_group_until(b.dp, 0, UINT64_MAX);
	bed_learn_all(&b);
	launch(&b);
	ident_gen_init(&gen, &seed);
	POST(dp_store_mode_post(b.dp, ENGINE_STORE_BEHIND, false));
	for (uint32_t i = 0; i < count; i++) {
		ident_mint(&gen, &b.conf.key, (uint8_t)i, id);
		POST(dp_restore_post(b.dp, CHECKPOINT_CALL, id, slice_of(fields, sizeof(fields))));
		POST(dp_stored_post(b.dp, (uint16_t)(i % 4), CHECKPOINT_CALL, i, 1, i & 1));
		dp_group_until(b.dp, 0, dp_now() + (i % 8 ? 60000 : 0));
		lost_bye(text, sizeof(text), i);
		put(&b, text);
		POST(dp_forwarded_post(b.dp, &path, slice_str(text)));
	}
	dp_group_until(b.dp, 0, UINT64_MAX);
	POST(dp_group_post(b.dp, 0, true));
	for (uint32_t i = 0; i < 10000 && dp_restored(b.dp) < count; i++)
		usleep(1000);
	assert_int_equal(dp_restored(b.dp), count);
	/* One more that surely is for a group of ours. */
	lost_bye(text, sizeof(text), count);
	put(&b, text);
	while (forwards == 0 && is_woken(&b)) {
		while (dp_forward_take(b.dp, &fw)) {
			assert_true(fw.bytes.n > 100);
			assert_memory_equal(fw.bytes.p, "BYE ", 4);
			forwards++;
		}
		assert_false(dp_store_take(b.dp, &op));
	}
	assert_true(forwards > 0);
	for (uint64_t now = dp_now(), i = 0; !dp_has_turned(b.dp, now); i++, usleep(1000))
		assert_true(i < 10000);
	dp_join(b.dp);
	bed_drain(&b);
	bed_close(&b);
}

static void expect_in(const char *answer, const char *part)
{
	if (strstr(answer, part) == NULL)
		bed_fail("no %s in %s", part, answer);
}

/* What DPDK greets with tells whose socket this is: ours, whoever else runs. */
static void greeted(int s, char *answer, size_t room)
{
	char ours[32];
	ssize_t n = recv(s, answer, room - 1, 0);

	assert_true(n > 0);
	answer[n] = '\0';
	snprintf(ours, sizeof(ours), "\"pid\":%d,", getpid());
	expect_in(answer, ours);
}

/* One command of DPDK's telemetry protocol; the answer is JSON. */
static void telemetry(const char *command, char *answer, size_t room)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	ssize_t n;

	assert_true(s >= 0);
	assert_true(snprintf(a.sun_path, sizeof(a.sun_path), "%s/dpdk_telemetry.v2",
			     rte_eal_get_runtime_dir()) < (int)sizeof(a.sun_path));
	assert_int_equal(connect(s, (struct sockaddr *)&a, sizeof(a)), 0);
	greeted(s, answer, room);
	assert_int_equal(send(s, command, strlen(command), 0), (ssize_t)strlen(command));
	n = recv(s, answer, room - 1, 0);
	assert_true(n > 0);
	answer[n] = '\0';
	close(s);
}

static void telemetry_commands_answer(void **state)
{
	static char answer[65536];
	struct bed b;
	struct talk t;

	(void)state;
	bed_init(&b, 2);
	bed_open(&b, 0);
	bed_learn_all(&b);
	talk_init(&t, 1);
	talk_call(&b, &t);
	talk_send(&b, OUTSIDE, "GET / HTTP/1.1\r\n\r\n");
	f.n = 4;
	bed_put(&b, OUTSIDE, &f);
	bed_elapse(&b, 2 * TELEMETRY_PERIOD_MS);

	telemetry("/postern/ports", answer, sizeof(answer));
	expect_in(answer, "\"outside\":{\"device\":\"net_ring_outside\"");
	expect_in(answer, "\"inside\"");
	expect_in(answer, "\"rx_packets\":");
	telemetry("/postern/workers", answer, sizeof(answer));
	expect_in(answer, "\"0\":{\"loops\":");
	expect_in(answer, "\"1\":{\"loops\":");
	expect_in(answer, "\"calls\":1");
	telemetry("/postern/drops", answer, sizeof(answer));
	expect_in(answer, "\"l2_short\":1");
	expect_in(answer, "\"sip_not\":1");
	telemetry("/postern/flows", answer, sizeof(answer));
	expect_in(answer, "\"flows\":4");
	bed_close(&b);
	telemetry("/postern/workers", answer, sizeof(answer));
	assert_null(strstr(answer, "loops"));
}

static void wrong_configurations_are_refused_with_a_sentence(void **state)
{
	static const char *const device[] = {"net_nonsense0", "net_af_packet7,iface=nosuchif0",
					     "net_virtio_user3"};
	struct bed b;
	char why[256];

	(void)state;
	for (uint32_t i = 0; i < sizeof(device) / sizeof(device[0]); i++) {
		bed_init(&b, 1);
		snprintf(b.conf.port[INSIDE].device, sizeof(b.conf.port[0].device), "%s",
			 device[i]);
		snprintf(b.conf.port[OUTSIDE].device, sizeof(b.conf.port[0].device), "net_null%u",
			 i);
		why[0] = '\0';
		assert_null(dp_create(&b.conf, why, sizeof(why)));
		expect_in(why, "port inside: ");
	}
	bed_init(&b, 1);
	snprintf(b.conf.port[OUTSIDE].device, sizeof(b.conf.port[0].device), "net_null9");
	memcpy(b.conf.port[INSIDE].device, b.conf.port[OUTSIDE].device,
	       sizeof(b.conf.port[0].device));
	assert_null(dp_create(&b.conf, why, sizeof(why)));
	expect_in(why, "VLAN 0 twice");
	b.conf.workers = 0;
	assert_null(dp_create(&b.conf, why, sizeof(why)));
	expect_in(why, "workers");
	b.conf.workers = 1;
	b.conf.ports = DP_MAX_PORTS + 1;
	assert_null(dp_create(&b.conf, why, sizeof(why)));
	expect_in(why, "ports");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_many_calls_are_all_answered),
		cmocka_unit_test(control_and_workers_speak_while_both_run),
		cmocka_unit_test(telemetry_commands_answer),
		cmocka_unit_test(wrong_configurations_are_refused_with_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
