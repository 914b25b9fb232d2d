/*
 * What is kept: checkpoints out and acknowledgements in, what an earlier process
 * left, requests of other nodes, full rings, and waking control.
 */
#include "tests/dataplane/talk.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/flows.h"
#include "sbc/base/ident.h"
#include "tests/lib/change.h"

static struct frame f;
static char text[TALK_MAX];
static uint8_t rtp[512];

/* An op with its bytes, beyond the ring's. */
struct kept {
	struct dp_store_op op;
	char fields[CHECKPOINT_MAX];
};

static struct kept kept;

static void bed_up(struct bed *b, uint16_t workers)
{
	bed_init(b, workers);
	bed_open(b, 0);
	bed_learn_all(b);
}

static void mode(struct bed *b, enum engine_store_mode m)
{
	assert_true(dp_store_mode_post(b->dp, m, false));
	bed_turn(b);
}

static bool take(struct bed *b)
{
	if (!dp_store_take(b->dp, &kept.op))
		return false;
	assert_true(kept.op.fields.n <= sizeof(kept.fields));
	if (kept.op.fields.n != 0)
		memcpy(kept.fields, kept.op.fields.p, kept.op.fields.n);
	kept.op.fields.p = kept.fields;
	return true;
}

static void stored(struct bed *b, bool ok)
{
	assert_true(dp_stored_post(b->dp, kept.op.worker, kept.op.kind, kept.op.handle,
				   kept.op.version, ok));
	bed_turn(b);
}

/* A put of all, or what has changed of what was put last: as the store has it then. */
static void put_over(struct kept *store)
{
	static char record[CHECKPOINT_MAX];
	struct wbuf w;

	wbuf_init(&w, record, sizeof(record));
	if (kept.op.whole)
		wbuf_put(&w, kept.op.fields);
	else
		assert_true(change_apply(&w, store->op.fields, kept.op.fields, kept.op.gone));
	assert_true(wbuf_ok(&w));
	store->op = kept.op;
	store->op.fields = slice_of(store->fields, w.n);
	memcpy(store->fields, record, w.n);
}

/* All there is, each acknowledged; how many. What was put last stays in `kept`, whole. */
static uint32_t store_all(struct bed *b)
{
	static struct kept last;
	uint32_t n = 0;

	for (; take(b); n++)
		if (kept.op.put) {
			stored(b, true);
			put_over(&last);
		}
	kept = last;
	kept.op.fields.p = kept.fields;
	return n;
}

static bool woken(struct bed *b)
{
	struct pollfd p = {.fd = dp_wake_fd(b->dp), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void engine_read(struct bed *b, uint16_t worker, struct engine_stats *s)
{
	engine_stats_read(b->dp->worker[worker]->engine, s);
}

/* ---- out and back ---- */

static void an_answer_leaves_when_its_call_is_stored(void **state)
{
	struct bed b;
	struct talk t;

	(void)state;
	bed_up(&b, 2);
	mode(&b, ENGINE_STORE_DURABLE);
	talk_init(&t, 1);
	talk_invite(&b, &t);
	store_all(&b);
	talk_answer(&b, &t);
	bed_expect_silence(&b);
	assert_true(take(&b));
	assert_true(kept.op.put);
	assert_true(kept.op.urgent);
	assert_int_equal(kept.op.kind, CHECKPOINT_CALL);
	assert_int_equal(kept.op.group, 0);
	assert_true(kept.op.ttl_s > 0);
	assert_true(kept.op.fields.n > 100);
	/* The id is what the PBX knows as Call-ID, and names the worker. */
	assert_true(talk_header(t.invite, "Call-ID", text, sizeof(text)));
	assert_memory_equal(kept.op.id, text, IDENT_LEN);
	assert_int_equal(kept.op.worker,
			 ident_shard(ident_bucket(&b.conf.key, slice_str(text)), 2));
	bed_elapse(&b, 10);
	bed_expect_silence(&b);
	stored(&b, true);
	talk_answered(&b, &t);
	talk_bye(&b, &t);
	bed_elapse(&b, 1000);
	while (take(&b))
		if (kept.op.put)
			stored(&b, true);
	/* The last word about it is that it is over. */
	assert_false(kept.op.put);
	assert_memory_equal(kept.op.id, text, IDENT_LEN);
	assert_int_equal(kept.op.fields.n, 0);
	bed_elapse(&b, 40000);
	bed_close(&b);
}

static void without_acknowledgement_the_answer_leaves_by_its_deadline(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	bed_up(&b, 1);
	mode(&b, ENGINE_STORE_DURABLE);
	talk_init(&t, 1);
	talk_invite(&b, &t);
	store_all(&b);
	talk_answer(&b, &t);
	bed_expect_silence(&b);
	bed_elapse(&b, b.snapshot.store_deadline_ms - 1);
	bed_expect_silence(&b);
	bed_elapse(&b, 20);
	talk_answered(&b, &t);
	engine_read(&b, 0, &s);
	assert_int_equal(s.degraded_total, 1);
	bed_close(&b);
}

/* ---- waking ---- */

static void control_is_woken_once_until_it_looks(void **state)
{
	struct bed b;
	struct talk t;

	(void)state;
	bed_up(&b, 1);
	mode(&b, ENGINE_STORE_BEHIND);
	assert_false(woken(&b));
	talk_init(&t, 1);
	talk_call(&b, &t);
	bed_elapse(&b, 500);
	assert_true(woken(&b));
	dp_wake_clear(b.dp);
	assert_false(woken(&b));
	/* Idle turns wake nobody. */
	assert_true(store_all(&b) > 0);
	bed_elapse(&b, 100);
	assert_false(woken(&b));
	talk_bye(&b, &t);
	bed_elapse(&b, 500);
	assert_true(woken(&b));
	dp_wake_clear(b.dp);
	store_all(&b);
	bed_close(&b);
}

/* ---- a full ring ---- */

static struct engine_store big_put(uint64_t handle)
{
	static char bytes[CHECKPOINT_MAX];
	struct engine_store s = {.kind = CHECKPOINT_CALL,
				 .handle = handle,
				 .version = 1,
				 .fields = slice_of(bytes, sizeof(bytes))};

	memset(s.id, 'a', IDENT_LEN);
	return s;
}

static uint64_t fill(struct worker *w)
{
	uint64_t n = 0;

	while (w->state.refusals == 0) {
		struct engine_store s = big_put(n++);

		state_put(w, &s);
	}
	return n - 1;
}

/* What the long ones leave. */
static void fill_up(struct worker *w)
{
	while (w->state.refusals == 1) {
		struct engine_store s = big_put(9999);

		s.fields.n = 1;
		state_put(w, &s);
	}
}

static void a_put_without_room_is_refused_when_there_is_room_again(void **state)
{
	struct bed b;
	struct worker *w;
	uint64_t n;

	(void)state;
	bed_up(&b, 1);
	w = b.dp->worker[0];
	n = fill(w);
	assert_true(n >= 16);
	/* As long as control takes nothing, nothing is tried again. */
	bed_elapse(&b, 100);
	assert_int_equal(w->state.refusals, 1);
	for (uint64_t i = 0; i < n; i++) {
		assert_true(take(&b));
		assert_int_equal(kept.op.handle, i);
		assert_int_equal(kept.op.fields.n, CHECKPOINT_MAX);
	}
	assert_false(take(&b));
	bed_turn(&b);
	assert_int_equal(w->state.refusals, 0);
	bed_close(&b);
}

static void deletes_have_room_when_puts_have_none(void **state)
{
	struct bed b;
	struct worker *w;
	struct engine_store d = big_put(7);
	uint32_t deletes;
	uint64_t n;

	(void)state;
	bed_up(&b, 1);
	w = b.dp->worker[0];
	n = fill(w);
	deletes = b.conf.limits.calls + b.conf.limits.registrations;
	for (uint32_t i = 0; i < deletes; i++)
		state_delete(w, &d);
	assert_int_equal(w->state.deletes_lost, 0);
	for (uint64_t i = 0; i < n; i++)
		assert_true(take(&b) && kept.op.put);
	for (uint32_t i = 0; i < deletes; i++)
		assert_true(take(&b) && !kept.op.put);
	assert_false(take(&b));
	/* More of them than anything can be kept of: lost, and counted. */
	while (w->state.deletes_lost == 0)
		state_delete(w, &d);
	while (take(&b))
		;
	bed_turn(&b);
	bed_close(&b);
}

static void a_real_call_is_stored_after_control_was_stalled(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	bed_up(&b, 1);
	mode(&b, ENGINE_STORE_BEHIND);
	fill(b.dp->worker[0]);
	fill_up(b.dp->worker[0]);
	talk_init(&t, 1);
	talk_call(&b, &t);
	bed_elapse(&b, 1000);
	engine_read(&b, 0, &s);
	assert_int_equal(s.store_inflight, 1);
	while (take(&b))
		;
	bed_elapse(&b, 1000);
	assert_true(take(&b));
	assert_true(kept.op.put);
	assert_true(kept.op.fields.n < CHECKPOINT_MAX);
	stored(&b, true);
	engine_read(&b, 0, &s);
	assert_int_equal(s.store_inflight, 0);
	assert_int_equal(s.store_dirty, 0);
	bed_close(&b);
}

/* ---- what an earlier process left ---- */

static void speak(struct bed *b, const struct talk *t, uint32_t port, uint16_t seq)
{
	struct frame_spec s = port == OUTSIDE ? bed_spec(OUTSIDE, PHONE, PHONE_MAC)
					      : bed_spec(INSIDE, PBX, PBX_MAC);

	s.sport = port == OUTSIDE ? TALK_PHONE_RTP : TALK_PBX_RTP;
	s.dport = port == OUTSIDE ? t->out_rtp : t->in_rtp;
	frame_udp(&f, &s, rtp, frame_rtp(rtp, 1 + port, seq, seq * 160u, 160));
	bed_put(b, port, &f);
	bed_turn(b);
}

static void speak_through(struct bed *b, const struct talk *t, uint32_t port, uint16_t seq)
{
	struct frame_view v;

	speak(b, t, port, seq);
	v = bed_expect(b, !port, &f);
	assert_int_equal(v.dst, port == OUTSIDE ? PBX : PHONE);
	assert_int_equal(v.dport, port == OUTSIDE ? TALK_PBX_RTP : TALK_PHONE_RTP);
	assert_int_equal(v.sport, port == OUTSIDE ? t->in_rtp : t->out_rtp);
}

/* A call with media both ways, as the store has it at the end. */
static void call_kept(struct bed *b, struct talk *t)
{
	mode(b, ENGINE_STORE_BEHIND);
	talk_init(t, 1);
	talk_call(b, t);
	speak(b, t, OUTSIDE, 1);
	speak_through(b, t, OUTSIDE, 2);
	speak_through(b, t, INSIDE, 1);
	/* What has changed while a put was under way is put after that. */
	bed_elapse(b, 1000);
	assert_true(store_all(b) > 0);
	bed_elapse(b, 1000);
	assert_true(store_all(b) > 0);
	assert_true(kept.op.put);
	bed_expect_silence(b);
}

static void restore(struct bed *b)
{
	uint64_t before = dp_restored(b->dp);

	assert_true(dp_restore_post(b->dp, kept.op.kind, kept.op.id, kept.op.fields));
	assert_int_equal(dp_restored(b->dp), before);
	dp_wake_clear(b->dp);
	bed_turn(b);
	assert_int_equal(dp_restored(b->dp), before + 1);
	assert_true(woken(b));
}

static void a_call_outlives_its_process(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	bed_up(&b, 2);
	call_kept(&b, &t);
	bed_close(&b);

	bed_up(&b, 2);
	mode(&b, ENGINE_STORE_BEHIND);
	restore(&b);
	engine_read(&b, kept.op.worker, &s);
	assert_int_equal(s.calls_established, 1);
	assert_int_equal(s.restored, 1);
	bed_expect_silence(&b);
	/* The first packets already, from whom had latched, and from nobody else. */
	speak_through(&b, &t, INSIDE, 2);
	speak_through(&b, &t, OUTSIDE, 3);
	talk_bye(&b, &t);
	bed_elapse(&b, 40000);
	assert_int_equal(b.dp->worker[kept.op.worker]->live_count, 0);
	bed_close(&b);
}

static void what_ended_elsewhere_is_forgotten(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	bed_up(&b, 1);
	call_kept(&b, &t);
	bed_close(&b);

	bed_up(&b, 1);
	restore(&b);
	assert_true(dp_forget_post(b.dp, kept.op.kind, kept.op.id));
	bed_elapse(&b, 10);
	assert_int_equal(dp_restored(b.dp), 2);
	engine_read(&b, 0, &s);
	assert_int_equal(s.calls, 0);
	assert_int_equal(b.dp->worker[0]->live_count, 0);
	bed_close(&b);
}

static void rubbish_restores_nothing(void **state)
{
	struct bed b;
	struct engine_stats s;
	static const char id[IDENT_LEN + 1] = "0123456789abcdef0123456789abcdef";

	(void)state;
	bed_up(&b, 2);
	assert_true(dp_restore_post(b.dp, CHECKPOINT_CALL, id, SLICE_LIT("\x01\x02")));
	assert_true(dp_restore_post(b.dp, CHECKPOINT_REGISTRATION, id, SLICE_NONE));
	assert_true(dp_forget_post(b.dp, CHECKPOINT_CALL, id));
	bed_turn(&b);
	assert_int_equal(dp_restored(b.dp), 3);
	for (uint16_t i = 0; i < 2; i++) {
		engine_read(&b, i, &s);
		assert_int_equal(s.calls + s.registrations, 0);
	}
	bed_close(&b);
}

/* ---- barriers, and what comes behind the loss of a group ---- */

static uint64_t barrier_taken(struct bed *b, uint32_t *puts)
{
	*puts = 0;
	while (take(b)) {
		if (kept.op.barrier)
			return kept.op.barrier;
		*puts += kept.op.put;
	}
	return 0;
}

static void a_barrier_comes_behind_what_was_gathered(void **state)
{
	struct bed b;
	struct talk t;
	uint32_t puts;

	(void)state;
	bed_up(&b, 1);
	mode(&b, ENGINE_STORE_BEHIND);
	talk_init(&t, 1);
	talk_call(&b, &t);
	store_all(&b);
	speak(&b, &t, OUTSIDE, 1); /* a source that latches is gathered */
	bed_drain(&b);
	assert_int_equal(barrier_taken(&b, &puts), 0);
	assert_true(dp_barrier_post(b.dp, 7));
	dp_wake_clear(b.dp);
	bed_elapse(&b, 2);
	assert_true(woken(&b));
	assert_int_equal(barrier_taken(&b, &puts), 7);
	assert_true(puts > 0);
	talk_bye(&b, &t);
	bed_elapse(&b, 1000);
	store_all(&b);
	bed_elapse(&b, 40000);
	bed_close(&b);
}

/* Puts that found no room are made again: the barrier waits for them. */
static void a_barrier_waits_until_nothing_is_refused(void **state)
{
	struct bed b;
	struct talk t;
	uint32_t puts;

	(void)state;
	bed_up(&b, 1);
	mode(&b, ENGINE_STORE_BEHIND);
	fill(b.dp->worker[0]);
	fill_up(b.dp->worker[0]);
	talk_init(&t, 1);
	talk_call(&b, &t);
	assert_true(dp_barrier_post(b.dp, 7));
	bed_elapse(&b, 20);
	assert_true(b.dp->worker[0]->state.refusals > 0);
	assert_int_equal(barrier_taken(&b, &puts), 0);
	bed_elapse(&b, 20);
	assert_int_equal(barrier_taken(&b, &puts), 7);
	assert_int_equal(puts, 1);
	bed_close(&b);
}

/* The engine forgets in many steps; a restore posted at once is not forgotten. */
static void what_is_restored_behind_a_loss_stays(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	bed_up(&b, 1);
	call_kept(&b, &t);
	bed_close(&b);

	bed_init(&b, 1);
	engine_limits_for(&b.conf.limits, 4000, 4000);
	bed_open(&b, 0);
	bed_learn_all(&b);
	restore(&b);
	assert_true(dp_group_post(b.dp, 0, false));
	assert_true(dp_restore_post(b.dp, kept.op.kind, kept.op.id, kept.op.fields));
	worker_turn(b.dp->worker[0], b.now);
	assert_true(b.dp->worker[0]->state.forgetting);
	assert_int_equal(dp_restored(b.dp), 1);
	bed_elapse(&b, 10);
	assert_false(b.dp->worker[0]->state.forgetting);
	assert_int_equal(dp_restored(b.dp), 2);
	engine_read(&b, 0, &s);
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.restored, 2);
	bed_close(&b);
}

/* ---- the way in ---- */

static const char stray[IDENT_LEN + 1] = "00000000000000000000000000000000";

static void restores_leave_room_for_acknowledgements(void **state)
{
	static char bytes[CHECKPOINT_MAX];
	struct bed b;
	uint32_t n = 0;

	(void)state;
	bed_up(&b, 1);
	while (dp_restore_post(b.dp, CHECKPOINT_CALL, stray, slice_of(bytes, sizeof(bytes))))
		n++;
	assert_true(n > 32);
	for (uint32_t i = 0; i < ENGINE_STORE_WINDOW; i++)
		assert_true(dp_stored_post(b.dp, 0, CHECKPOINT_CALL, i, 1, true));
	assert_true(dp_group_post(b.dp, 0, true));
	bed_elapse(&b, 1000);
	assert_int_equal(dp_restored(b.dp), n);
	assert_true(dp_restore_post(b.dp, CHECKPOINT_CALL, stray, slice_of(bytes, 1)));
	bed_elapse(&b, 1);
	bed_drain(&b);
	bed_close(&b);
}

static void a_ring_to_one_worker_that_is_full_keeps_words_to_all_back(void **state)
{
	struct bed b;
	struct worker *w;
	uint32_t used;

	(void)state;
	bed_up(&b, 2);
	w = b.dp->worker[1];
	while (byte_ring_put(&w->state.in, 0, &(struct engine_event){.type = ENGINE_EV_TICK},
			     sizeof(struct engine_event), SLICE_NONE, 0))
		;
	used = byte_ring_used(&b.dp->worker[0]->state.in);
	assert_false(dp_store_mode_post(b.dp, ENGINE_STORE_DOWN, false));
	assert_false(dp_group_post(b.dp, 0, true));
	assert_int_equal(byte_ring_used(&b.dp->worker[0]->state.in), used);
	assert_false(dp_stored_post(b.dp, 1, CHECKPOINT_CALL, 1, 1, true));
	assert_true(dp_stored_post(b.dp, 0, CHECKPOINT_CALL, 1, 1, true));
	assert_false(dp_stored_post(b.dp, 2, CHECKPOINT_CALL, 1, 1, true)); /* no such worker */
	for (uint32_t i = 0; byte_ring_used(&w->state.in) != 0 && i < 1000; i++)
		bed_turn(&b);
	assert_true(dp_store_mode_post(b.dp, ENGINE_STORE_DOWN, false));
	bed_turn(&b);
	bed_close(&b);
}

/* Packets go on between restores: a turn takes no more than its budget of them. */
static void restores_do_not_starve_packets(void **state)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	struct bed b;
	struct worker *w;

	(void)state;
	bed_up(&b, 1);
	w = b.dp->worker[0];
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(dp_restore_post(b.dp, CHECKPOINT_CALL, stray, SLICE_LIT("x")));
	worker_turn(w, b.now);
	assert_int_equal(dp_restored(b.dp), STATE_WORK / STATE_COST);
	frame_icmp_echo(&f, &s, 1, 8);
	bed_put(&b, OUTSIDE, &f);
	worker_turn(w, b.now);
	bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(dp_restored(b.dp), (STATE_WORK + STATE_WORK_BUSY) / STATE_COST);
	bed_elapse(&b, 100);
	assert_int_equal(dp_restored(b.dp), 1000);
	bed_close(&b);
}

/* ---- requests of other nodes' dialogs ---- */

static void lost_bye(char *to, size_t room)
{
	snprintf(to, room,
		 "BYE sip:bob@203.0.113.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=z9hG4bKlost\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=a1\r\n"
		 "To: <sip:bob@203.0.113.1>;tag=0123456789abcdef\r\nCall-ID: lost@phone\r\n"
		 "CSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n");
}

static void a_request_for_another_nodes_dialog_is_passed_on(void **state)
{
	struct dp_forward fw;
	struct bed b;

	(void)state;
	bed_init(&b, 2);
	b.snapshot.forward = true;
	bed_open(&b, 0);
	bed_learn_all(&b);
	lost_bye(text, sizeof(text));
	talk_send(&b, OUTSIDE, text);
	bed_expect_silence(&b);
	assert_true(woken(&b));
	assert_true(dp_forward_take(b.dp, &fw));
	assert_int_equal(fw.path.listener, OUTSIDE);
	assert_int_equal(fw.path.remote.ip, htonl(PHONE));
	assert_int_equal(fw.path.remote.port, SIP);
	assert_int_equal(fw.bytes.n, strlen(text));
	assert_memory_equal(fw.bytes.p, text, fw.bytes.n);
	assert_int_equal(fw.print, engine_dialog_print(&b.conf.key, SLICE_LIT("lost@phone"),
						       SLICE_LIT("0123456789abcdef")));
	assert_false(dp_forward_take(b.dp, &fw));
	/* Passed back, since nobody has it: answered, and not passed on again. */
	fw.path = (struct engine_path){.listener = OUTSIDE, .remote = {htonl(PHONE), SIP}};
	assert_true(dp_forwarded_post(b.dp, &fw.path, slice_str(text)));
	bed_turn(&b);
	talk_expect(&b, OUTSIDE, "SIP/2.0 481", text, sizeof(text));
	assert_false(dp_forward_take(b.dp, &fw));
	bed_close(&b);
}

static void a_request_that_another_node_sent_is_taken_as_if_it_had_come_here(void **state)
{
	struct engine_path path = {.listener = OUTSIDE, .remote = {htonl(PHONE), SIP}};
	struct talk t;
	struct bed b;

	(void)state;
	bed_up(&b, 4);
	/* From several calls, so that several workers are the owners. */
	for (uint32_t i = 0; i < 8; i++) {
		talk_init(&t, i);
		snprintf(text, sizeof(text),
			 "OPTIONS sip:203.0.113.1 SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=%s\r\n"
			 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=a1\r\n"
			 "To: <sip:203.0.113.1>\r\nCall-ID: %s\r\nCSeq: 7 OPTIONS\r\n"
			 "Content-Length: 0\r\n\r\n",
			 t.branch, t.call_id);
		assert_true(dp_forwarded_post(b.dp, &path, slice_str(text)));
		bed_turn(&b);
		talk_expect(&b, OUTSIDE, "SIP/2.0 200", text, sizeof(text));
	}
	path.listener = 9; /* no such one */
	assert_true(dp_forwarded_post(b.dp, &path, slice_str(text)));
	bed_turn(&b);
	bed_expect_silence(&b);
	bed_assert_count(&b, GROUP_PASSIVE, 1);
	bed_close(&b);
}

/* ---- what media is told of ---- */

static void publish(struct worker *w, uint16_t port, bool rtcp)
{
	struct flow_spec o = {.realm = OUTSIDE,
			      .port = port,
			      .peer_realm = INSIDE,
			      .peer_port = (uint16_t)(port + 10000),
			      .remote = {htonl(PHONE), 40000},
			      .proven = true,
			      .rtcp = rtcp,
			      .epoch = 1,
			      .call = 42,
			      .packets = 100,
			      .bytes = 1000,
			      .stream = 3};
	struct flow_spec i = {.realm = INSIDE,
			      .port = (uint16_t)(port + 10000),
			      .peer_realm = OUTSIDE,
			      .peer_port = port,
			      .remote = {htonl(PBX), 17000},
			      .proven = true,
			      .rtcp = rtcp,
			      .epoch = 1,
			      .leg = 1,
			      .call = 42};

	relay_publish(w, &o);
	relay_publish(w, &i);
}

static void media(struct bed *b, uint16_t port, uint16_t seq)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);

	s.sport = 40000;
	s.dport = port;
	frame_udp(&f, &s, rtp, frame_rtp(rtp, 1, seq, seq * 160u, 148));
	bed_put(b, OUTSIDE, &f);
	bed_turn(b);
	bed_drain(b);
}

/* Looks at every flow once; the events of it are left in the worker. */
static void scan(struct bed *b)
{
	struct worker *w = b->dp->worker[0];

	w->now = b->now;
	w->live_owed = 0;
	w->media_events = 0;
	for (uint32_t i = 0; i < 4; i++)
		relay_scan(w, 250);
}

static void the_engine_is_told_every_half_minute_what_was_relayed(void **state)
{
	struct bed b;
	struct worker *w;

	(void)state;
	bed_up(&b, 1);
	w = b.dp->worker[0];
	publish(w, 20000, false);
	/* From here the whole period: the first is shortened, so that flows are spread. */
	bed_elapse(&b, 31000);
	media(&b, 20000, 1);
	scan(&b);
	assert_int_equal(w->media_events, 1);
	assert_int_equal(w->media_event[0].type, ENGINE_MEDIA_COUNTED);
	assert_int_equal(w->media_event[0].call, 42);
	assert_int_equal(w->media_event[0].stream, 3);
	assert_int_equal(w->media_event[0].leg, 0);
	assert_int_equal(w->media_event[0].packets, 101);
	assert_int_equal(w->media_event[0].bytes, 1160);
	media(&b, 20000, 2);
	for (uint32_t i = 0; i < 29; i++) {
		bed_sleep(&b, 1000);
		scan(&b);
		assert_int_equal(w->media_events, 0);
	}
	bed_sleep(&b, 1000);
	scan(&b);
	assert_int_equal(w->media_events, 1);
	assert_int_equal(w->media_event[0].packets, 102);
	/* Nothing new, nothing said. */
	bed_sleep(&b, 60000);
	scan(&b);
	assert_int_equal(w->media_events, 0);
	relay_retire(w, OUTSIDE, 0, 20000);
	relay_retire(w, INSIDE, 0, 30000);
	bed_close(&b);
}

static void counts_leave_room_for_what_cannot_wait(void **state)
{
	struct bed b;
	struct worker *w;

	(void)state;
	bed_up(&b, 1);
	w = b.dp->worker[0];
	for (uint16_t port = 20000; port < 20100; port = (uint16_t)(port + 2)) {
		publish(w, port, false);
		w->dp->flow[w->live[w->live_count - 2]].packets++;
	}
	b.now += 31000;
	scan(&b);
	assert_int_equal(w->media_events, WORKER_MEDIA_EV / 2);
	scan(&b);
	assert_int_equal(w->media_events, 50 - WORKER_MEDIA_EV / 2);
	w->media_events = 0;
	bed_close(&b);
}

static bool record_take(struct bed *b, struct engine_record *r)
{
	uint16_t worker;

	while (dp_record_take(b->dp, r, &worker))
		if (r->kind == RECORD_MEDIA)
			return true;
	return false;
}

static void the_end_of_a_flow_is_recorded(void **state)
{
	struct engine_record r;
	struct bed b;
	struct worker *w;

	(void)state;
	bed_up(&b, 1);
	w = b.dp->worker[0];
	publish(w, 20000, false);
	publish(w, 20001, true);
	media(&b, 20000, 1);
	media(&b, 20000, 4);
	bed_elapse(&b, 50);
	relay_retire(w, OUTSIDE, 0, 20000);
	assert_true(record_take(&b, &r));
	assert_int_equal(r.call, 42);
	assert_int_equal(r.from_realm, OUTSIDE);
	assert_int_equal(r.to_realm, INSIDE);
	assert_int_equal(r.at_ms, b.now);
	assert_int_equal(r.began_ms, b.now - 50);
	assert_int_equal(r.media.port, 20000);
	assert_int_equal(r.media.stream, 3);
	assert_int_equal(r.media.leg, 0);
	assert_false(r.media.rtcp);
	assert_int_equal(r.media.packets, 102);
	assert_int_equal(r.media.bytes, 1320);
	assert_int_equal(r.media.lost, 2);
	relay_retire(w, INSIDE, 0, 30000);
	assert_true(record_take(&b, &r));
	assert_int_equal(r.media.leg, 1);
	assert_int_equal(r.media.packets, 0);
	/* RTCP: what carried something, in an earlier process at least. */
	relay_retire(w, OUTSIDE, 0, 20001);
	assert_true(record_take(&b, &r));
	assert_true(r.media.rtcp);
	relay_retire(w, INSIDE, 0, 30001);
	assert_false(record_take(&b, &r));
	bed_close(&b);
}

static void a_turn_is_seen(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 2);
	bed_turn(&b);
	assert_false(dp_has_turned(b.dp, b.now)); /* maybe begun before, in the same ms */
	bed_sleep(&b, 1);
	worker_turn(b.dp->worker[0], b.now);
	assert_false(dp_has_turned(b.dp, b.now - 1));
	worker_turn(b.dp->worker[1], b.now);
	assert_true(dp_has_turned(b.dp, b.now - 1));
	bed_close(&b);
}

static void the_ring_is_in_the_stats(void **state)
{
	struct dp_request q = {.type = DP_STATS};
	struct dp_reply *r;
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	fill(b.dp->worker[0]);
	assert_true(dp_request_post(b.dp, &q));
	bed_turn(&b);
	r = dp_reply_take(b.dp);
	assert_non_null(r);
	assert_true(r->stats.store_ring_size >= STATE_OPS_MIN);
	assert_true(r->stats.store_ring_used > r->stats.store_ring_size / 4);
	assert_true(r->stats.store_ring_used <= r->stats.store_ring_size);
	dp_reply_free(b.dp, r);
	while (take(&b))
		;
	bed_turn(&b);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_leaves_when_its_call_is_stored),
		cmocka_unit_test(without_acknowledgement_the_answer_leaves_by_its_deadline),
		cmocka_unit_test(control_is_woken_once_until_it_looks),
		cmocka_unit_test(a_put_without_room_is_refused_when_there_is_room_again),
		cmocka_unit_test(deletes_have_room_when_puts_have_none),
		cmocka_unit_test(a_real_call_is_stored_after_control_was_stalled),
		cmocka_unit_test(a_call_outlives_its_process),
		cmocka_unit_test(what_ended_elsewhere_is_forgotten),
		cmocka_unit_test(rubbish_restores_nothing),
		cmocka_unit_test(a_barrier_comes_behind_what_was_gathered),
		cmocka_unit_test(a_barrier_waits_until_nothing_is_refused),
		cmocka_unit_test(what_is_restored_behind_a_loss_stays),
		cmocka_unit_test(restores_leave_room_for_acknowledgements),
		cmocka_unit_test(a_ring_to_one_worker_that_is_full_keeps_words_to_all_back),
		cmocka_unit_test(restores_do_not_starve_packets),
		cmocka_unit_test(a_request_for_another_nodes_dialog_is_passed_on),
		cmocka_unit_test(a_request_that_another_node_sent_is_taken_as_if_it_had_come_here),
		cmocka_unit_test(the_engine_is_told_every_half_minute_what_was_relayed),
		cmocka_unit_test(counts_leave_room_for_what_cannot_wait),
		cmocka_unit_test(the_end_of_a_flow_is_recorded),
		cmocka_unit_test(a_turn_is_seen),
		cmocka_unit_test(the_ring_is_in_the_stats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
