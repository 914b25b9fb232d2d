/*
 * Checkpoints that cannot be had as they are, that come again, that are over: each
 * refusal has its reason, and a call that both sides know ends on both sides.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/core/exchange.h"
#include "tests/unit/core/restore_fixture.h"

static struct fixture f;
static struct reborn kept;

static struct parties party(unsigned id)
{
	struct parties p;

	memset(&p, 0, sizeof(p));
	p.id = id;
	return p;
}

/* One established call, gathered; the process is dead. */
static void call_kept(struct parties *p)
{
	memset(&f, 0, sizeof(f));
	fixture_begin(&f, 1, 64);
	*p = party(1);
	call_up(&f, p);
	reborn_gather(&kept, &f, 0);
	assert_int_equal(kept.count, 1);
	driver_restart(f.driver);
}

static void nothing_is_left(enum reason why)
{
	struct engine_stats s = fixture_stats(&f);

	assert_int_equal(s.calls, 0);
	assert_int_equal(s.calls_established, 0);
	assert_int_equal(s.ports_used, 0);
	assert_int_equal(driver_flows(f.driver), 0);
	assert_int_equal(fixture_reason(&f, why), 1);
}

static void both_get_bye(void)
{
	const char *bye = fixture_take(&f, CORE, "BYE ");

	answer(&f, CORE, bye, "200 OK", "", "", "");
	bye = fixture_take(&f, ACCESS, "BYE ");
	answer(&f, ACCESS, bye, "200 OK", "", "", "");
	fixture_silent(&f);
}

/* ---- refusals ---- */

static void malformed_checkpoint_is_refused(void **state)
{
	struct parties p;

	(void)state;
	call_kept(&p);
	kept.kept[0].n -= 7;
	reborn_give_all(&kept, &f);
	fixture_silent(&f);
	nothing_is_left(REASON_RESTORE_BAD);
	fixture_end(&f);
}

/* Minted with another key, or of another shard: nobody would find it. */
static void stranger_is_refused(void **state)
{
	static char id[IDENT_LEN + 1] = "00112233445566778899aabbccddeeff";
	struct call_checkpoint c;
	struct parties p;

	(void)state;
	call_kept(&p);
	reborn_call_read(&kept, 0, &c);
	c.id = c.leg[1].call_id = slice_of(id, IDENT_LEN);
	reborn_call_write(&kept, 0, &c);
	reborn_give_all(&kept, &f);
	fixture_silent(&f);
	nothing_is_left(REASON_RESTORE_BAD);
	fixture_end(&f);
}

/* A line end in what goes onto the wire; media to ourselves; an answer without a question. */
static void harm_is_refused(void **state)
{
	struct call_checkpoint c, good;
	struct reborn *again = malloc(sizeof(*again));
	struct parties p;

	(void)state;
	assert_non_null(again);
	call_kept(&p);
	for (int i = 0; i < 7; i++) {
		*again = kept;
		reborn_call_read(again, 0, &good);
		c = good;
		if (i == 0)
			c.leg[0].remote = SLICE_LIT("<sip:a@b>\rEvil: 1");
		else if (i == 1)
			c.leg[1].target = SLICE_LIT("sip:a@b\rEvil: 1");
		else if (i == 2)
			c.leg[0].call_id = SLICE_LIT("a b");
		else if (i == 3)
			c.leg[0].source = f.snapshot.listener[CORE].addr;
		else if (i == 4)
			c.stream[0].side[0].rtp.ip = f.snapshot.realm[CORE].media_ip;
		else if (i == 5)
			c.state = CHECKPOINT_EARLY;
		else
			c.stream[0].side[1].port = 0;
		reborn_call_write(again, 0, &c);
		reborn_give_all(again, &f);
		/* What is known only when the legs stand ends with a BYE to both. */
		fixture_discard(&f);
		nothing_is_left(REASON_RESTORE_BAD);
		driver_restart(f.driver);
	}
	free(again);
	fixture_end(&f);
}

/* What is sent until it is acknowledged is a 2xx: nothing else ever ends. */
static void response_that_is_no_2xx_is_refused(void **state)
{
	static const struct {
		const char *start;
		bool right;
	} response[] = {{"SIP/2.0 200 OK", true},          {"SIP/2.0 100 Trying", false},
			{"SIP/2.0 199 Nearly", false},     {"SIP/2.0 300 Elsewhere", false},
			{"INVITE sip:a@b SIP/2.0", false}, {"nonsense", false}};
	struct call_checkpoint c;
	struct parties p;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(response) / sizeof(response[0]); i++) {
		call_kept(&p);
		reborn_call_read(&kept, 0, &c);
		snprintf(
			text, sizeof(text),
			"%s\r\nVia: SIP/2.0/UDP 192.168.1.20:5062;branch=z9hG4bKx\r\n"
			"From: <sip:alice@203.0.113.1>;tag=a\r\nTo: <sip:bob@203.0.113.1>;tag=b\r\n"
			"Call-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
			response[i].start);
		c.exchange[0].flags &= (uint16_t)~EXCHANGE_F_ACKED;
		c.exchange[0].response = slice_str(text);
		c.exchange[0].server_listener = c.leg[0].listener;
		c.exchange[0].server_remote = c.leg[0].source;
		reborn_call_write(&kept, 0, &c);
		reborn_give_all(&kept, &f);
		fixture_discard(&f);
		if (response[i].right) {
			assert_int_equal(fixture_stats(&f).calls_established, 1);
			driver_kill_all(f.driver);
		} else {
			nothing_is_left(REASON_RESTORE_BAD);
		}
		fixture_end(&f);
	}
}

static void unknown_schema_is_refused(void **state)
{
	struct parties p;

	(void)state;
	call_kept(&p);
	/* "v" is written first: lengths, name, digit. */
	assert_memory_equal(kept.kept[0].bytes, "\x01\x01\x00v3", 5);
	kept.kept[0].bytes[4] = '4';
	reborn_give_all(&kept, &f);
	fixture_silent(&f);
	nothing_is_left(REASON_RESTORE_SCHEMA);
	fixture_end(&f);
}

static void side_that_is_gone_ends_the_other(void **state)
{
	struct call_checkpoint c;
	struct parties p;
	const char *bye;

	(void)state;
	call_kept(&p);
	reborn_call_read(&kept, 0, &c);
	c.leg[0].realm = SLICE_LIT("attic");
	reborn_call_write(&kept, 0, &c);
	reborn_give_all(&kept, &f);
	bye = fixture_take(&f, CORE, "BYE ");
	answer(&f, CORE, bye, "200 OK", "", "", "");
	fixture_silent(&f);
	nothing_is_left(REASON_RESTORE_REALM);
	fixture_end(&f);
}

static void listener_that_is_gone_ends_the_other(void **state)
{
	struct call_checkpoint c;
	struct parties p;
	const char *bye;

	(void)state;
	call_kept(&p);
	reborn_call_read(&kept, 0, &c);
	c.leg[1].listener.port = 5099;
	reborn_call_write(&kept, 0, &c);
	reborn_give_all(&kept, &f);
	bye = fixture_take(&f, ACCESS, "BYE ");
	answer(&f, ACCESS, bye, "200 OK", "", "", "");
	fixture_silent(&f);
	nothing_is_left(REASON_RESTORE_REALM);
	fixture_end(&f);
}

static void ports_that_are_not_to_be_had_end_the_call(void **state)
{
	struct call_checkpoint c;
	struct parties p;

	(void)state;
	call_kept(&p);
	reborn_call_read(&kept, 0, &c);
	c.stream[0].side[1].port = 2;
	reborn_call_write(&kept, 0, &c);
	reborn_give_all(&kept, &f);
	both_get_bye();
	nothing_is_left(REASON_RESTORE_PORTS);
	assert_int_equal(f.end, END_ERROR);
	fixture_end(&f);
}

/* Two calls cannot have one port: who came first keeps it. */
static void port_of_another_call_is_not_to_be_had(void **state)
{
	struct parties a = party(1), b = party(2);
	struct call_checkpoint first, second;

	(void)state;
	memset(&f, 0, sizeof(f));
	fixture_begin(&f, 1, 64);
	call_up(&f, &a);
	call_up(&f, &b);
	reborn_gather(&kept, &f, 0);
	driver_restart(f.driver);
	reborn_call_read(&kept, 0, &first);
	reborn_call_read(&kept, 1, &second);
	second.stream[0].side[0].port = first.stream[0].side[0].port;
	reborn_call_write(&kept, 1, &second);
	reborn_give_all(&kept, &f);
	both_get_bye();
	assert_int_equal(fixture_reason(&f, REASON_RESTORE_PORTS), 1);
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	assert_int_equal(fixture_stats(&f).ports_used, 4);
	assert_int_equal(driver_flows(f.driver), 4);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

static void early_call_without_ports_is_refused_and_cancelled(void **state)
{
	struct parties p = party(1);
	struct call_checkpoint c;

	(void)state;
	memset(&f, 0, sizeof(f));
	fixture_begin(&f, 1, 64);
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "180 Ringing", "bobtag1", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 180");
	reborn_gather(&kept, &f, 0);
	driver_restart(f.driver);
	reborn_call_read(&kept, 0, &c);
	c.pending[0].side[0].port = 4;
	reborn_call_write(&kept, 0, &c);
	reborn_give_all(&kept, &f);
	fixture_take(&f, ACCESS, "SIP/2.0 503");
	fixture_take(&f, CORE, "CANCEL ");
	fixture_silent(&f);
	nothing_is_left(REASON_RESTORE_PORTS);
	fixture_end(&f);
}

static void no_room_for_one_more(void **state)
{
	struct parties p[3];

	(void)state;
	memset(&f, 0, sizeof(f));
	fixture_begin(&f, 1, 2);
	for (unsigned i = 0; i < 2; i++) {
		p[i] = party(i + 1);
		call_up(&f, &p[i]);
	}
	reborn_gather(&kept, &f, 0);
	driver_restart(f.driver);
	/* Another has come before them, without media. */
	p[2] = party(3);
	phone_invite(&f, &p[2], "", "");
	pbx_gets_invite(&f, &p[2]);
	reborn_give_all(&kept, &f);
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls, 2);
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	assert_int_equal(fixture_reason(&f, REASON_RESTORE_FULL), 1);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

/* ---- again ---- */

static void same_version_changes_nothing(void **state)
{
	struct parties p;

	(void)state;
	call_kept(&p);
	reborn_give_all(&kept, &f);
	reborn_give_all(&kept, &f);
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	assert_int_equal(fixture_stats(&f).ports_used, 4);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

static void later_version_replaces_without_a_word(void **state)
{
	struct call_checkpoint c;
	struct parties p;
	uint32_t cursor = 0;
	uint64_t handle;

	(void)state;
	call_kept(&p);
	reborn_give_all(&kept, &f);
	handle = driver_flow_next(f.driver, &cursor)->call;
	reborn_call_read(&kept, 0, &c);
	c.version += 5;
	c.leg[1].cseq_remote = 9;
	c.stream[0].side[0].latched_rtp = (struct net_addr){fixture_phone().ip, 47000};
	reborn_call_write(&kept, 0, &c);
	reborn_give_all(&kept, &f);
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls, 1);
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	assert_int_equal(fixture_stats(&f).ports_used, 4);
	assert_int_equal(driver_flows(f.driver), 4);
	cursor = 0;
	assert_true(driver_flow_next(f.driver, &cursor)->call == handle);
	cursor = 0;
	assert_int_equal(driver_flow_next(f.driver, &cursor)->source.port, 47000);
	pbx_request(&f, &p, "INFO", 9, "", "");
	fixture_take(&f, CORE, "SIP/2.0 500");
	pbx_request(&f, &p, "BYE", 10, "", "");
	fixture_take(&f, CORE, "SIP/2.0 200");
	fixture_take(&f, ACCESS, "BYE ");
	fixture_end(&f);
}

/* From early to answered, with other ports: what was is gone without a trace. */
static void answered_version_replaces_an_early_one(void **state)
{
	struct reborn *early = malloc(sizeof(*early));
	struct parties p = party(1);
	struct call_checkpoint c;

	(void)state;
	assert_non_null(early);
	memset(&f, 0, sizeof(f));
	fixture_begin(&f, 1, 64);
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "180 Ringing", "bobtag1", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 180");
	reborn_gather(early, &f, 0);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	phone_learns(&p, fixture_take(&f, ACCESS, "SIP/2.0 200"));
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 1, "", "");
	reborn_gather(&kept, &f, 0);
	reborn_call_read(&kept, 0, &c);
	c.version++;
	c.stream[0].side[0].port += 2;
	reborn_call_write(&kept, 0, &c);
	driver_restart(f.driver);
	reborn_give_all(early, &f);
	assert_int_equal(driver_flows(f.driver), 0);
	reborn_give_all(&kept, &f);
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	assert_int_equal(driver_flows(f.driver), 4);
	assert_int_equal(fixture_stats(&f).ports_used, 4);
	fixture_elapse(&f, 300000);
	fixture_silent(&f);
	phone_request(&f, &p, "BYE", 2, "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "BYE ");
	free(early);
	fixture_end(&f);
}

static void moved_flow_is_retired(void **state)
{
	struct call_checkpoint c;
	struct parties p;
	uint16_t port;

	(void)state;
	call_kept(&p);
	reborn_give_all(&kept, &f);
	reborn_call_read(&kept, 0, &c);
	port = c.stream[0].side[0].port;
	c.version++;
	c.stream[0].side[0].port = (uint16_t)(port + 10);
	reborn_call_write(&kept, 0, &c);
	reborn_give_all(&kept, &f);
	assert_null(driver_flow(f.driver, ACCESS, port));
	assert_non_null(driver_flow(f.driver, ACCESS, (uint16_t)(port + 10)));
	assert_int_equal(driver_flows(f.driver), 4);
	assert_int_equal(fixture_stats(&f).ports_used, 4);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

static void forgotten_call_goes_without_a_word(void **state)
{
	struct call_checkpoint c;
	struct parties p;

	(void)state;
	call_kept(&p);
	reborn_give_all(&kept, &f);
	reborn_call_read(&kept, 0, &c);
	driver_forget(f.driver, CHECKPOINT_CALL, c.id.p);
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls, 0);
	assert_int_equal(fixture_stats(&f).ports_used, 0);
	assert_int_equal(driver_flows(f.driver), 0);
	/* Nobody is there any more. */
	driver_forget(f.driver, CHECKPOINT_CALL, c.id.p);
	fixture_end(&f);
}

/* ---- endings ---- */

static void ending_tells_whom_it_owes(void **state)
{
	for (uint8_t owed = 0; owed < 4; owed++) {
		struct parties p = party(1);
		uint32_t ends;

		(void)state;
		memset(&f, 0, sizeof(f));
		fixture_begin(&f, 1, 64);
		call_up(&f, &p);
		reborn_gather(&kept, &f, owed);
		driver_restart(f.driver);
		ends = f.records[RECORD_CALL_END];
		reborn_give_all(&kept, &f);
		if (owed & 2)
			fixture_take(&f, CORE, "BYE ");
		if (owed & 1)
			fixture_take(&f, ACCESS, "BYE ");
		if (owed) {
			fixture_silent(&f);
			assert_int_equal(fixture_stats(&f).calls, 0);
			assert_int_equal(f.records[RECORD_CALL_END], ends);
		}
		driver_kill_all(f.driver);
		fixture_end(&f);
	}
}

/* RFC 3261 15: no BYE to a caller that has not acknowledged. */
static void ending_waits_for_the_callers_ack(void **state)
{
	struct parties p = party(1);

	(void)state;
	memset(&f, 0, sizeof(f));
	fixture_begin(&f, 1, 64);
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	phone_learns(&p, fixture_take(&f, ACCESS, "SIP/2.0 200"));
	fixture_take(&f, CORE, "ACK ");
	pbx_request(&f, &p, "BYE", 2, "", "");
	fixture_take(&f, CORE, "SIP/2.0 200");
	fixture_silent(&f);
	reborn_gather(&kept, &f, 1);
	driver_restart(f.driver);
	reborn_give_all(&kept, &f);
	fixture_elapse(&f, 10);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_silent(&f);
	phone_request(&f, &p, "ACK", 1, "", "");
	fixture_take(&f, ACCESS, "BYE ");
	assert_int_equal(fixture_stats(&f).calls, 0);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_checkpoint_is_refused),
		cmocka_unit_test(stranger_is_refused),
		cmocka_unit_test(harm_is_refused),
		cmocka_unit_test(response_that_is_no_2xx_is_refused),
		cmocka_unit_test(unknown_schema_is_refused),
		cmocka_unit_test(side_that_is_gone_ends_the_other),
		cmocka_unit_test(listener_that_is_gone_ends_the_other),
		cmocka_unit_test(ports_that_are_not_to_be_had_end_the_call),
		cmocka_unit_test(port_of_another_call_is_not_to_be_had),
		cmocka_unit_test(early_call_without_ports_is_refused_and_cancelled),
		cmocka_unit_test(no_room_for_one_more),
		cmocka_unit_test(same_version_changes_nothing),
		cmocka_unit_test(later_version_replaces_without_a_word),
		cmocka_unit_test(answered_version_replaces_an_early_one),
		cmocka_unit_test(moved_flow_is_retired),
		cmocka_unit_test(forgotten_call_goes_without_a_word),
		cmocka_unit_test(ending_tells_whom_it_owes),
		cmocka_unit_test(ending_waits_for_the_callers_ack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
