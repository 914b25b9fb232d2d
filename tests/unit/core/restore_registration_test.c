/*
 * Registrations outlive their process: a call finds the phone, the registrar's
 * grant ends when it was to. And whatever memory lacks while restoring, nothing
 * is half there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/core/engine_internal.h"
#include "tests/unit/core/restore_fixture.h"

static struct fixture f;
static struct reborn kept;
static char uri[256];

static void begin(unsigned granted)
{
	memset(&f, 0, sizeof(f));
	fixture_begin(&f, 1, 64);
	phone_registers(&f, "alice", 1, "<sip:alice@192.168.1.20:5062>", granted, uri, sizeof(uri));
	fixture_discard(&f);
}

static void pbx_calls(const char *call_id)
{
	snprintf(f.text, sizeof(f.text),
		 "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.10:5060;branch=z9hG4bK%s\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:bob@10.0.0.10>;tag=b1\r\nTo: <%s>\r\n"
		 "Call-ID: %s\r\nCSeq: 1 INVITE\r\nContact: <sip:bob@10.0.0.10:5060>\r\n"
		 "Content-Type: application/sdp\r\n\r\n%s",
		 uri, call_id, uri, call_id, pbx_sdp);
	fixture_recv(&f, CORE, fixture_pbx(), f.text);
}

static void drop_registrations(void)
{
	struct registration_checkpoint r;

	reborn_gather(&kept, &f, 0);
	for (uint32_t i = 0; i < kept.count; i++) {
		struct slice flat = slice_of(kept.kept[i].bytes, kept.kept[i].n);

		if (checkpoint_registration_read(&r, flat) == SBC_OK)
			driver_forget(f.driver, CHECKPOINT_REGISTRATION, r.id.p);
	}
	assert_int_equal(fixture_stats(&f).registrations, 0);
}

static void registered_phone_is_called(void **state)
{
	const char *inv;

	(void)state;
	begin(600);
	reborn_cycle(&f);
	pbx_calls("one");
	fixture_take(&f, CORE, "SIP/2.0 100");
	inv = fixture_take(&f, ACCESS, "INVITE ");
	assert_true(slice_eq(text_request_uri(slice_str(inv)),
			     SLICE_LIT("sip:alice@192.168.1.20:5062")));
	driver_kill_all(f.driver);
	fixture_discard(&f);
	drop_registrations();
	fixture_end(&f);
}

static void grant_ends_when_it_was_to(void **state)
{
	(void)state;
	begin(600);
	fixture_elapse(&f, 400 * 1000);
	reborn_cycle(&f);
	fixture_elapse(&f, 190 * 1000);
	assert_int_equal(fixture_stats(&f).registrations, 1);
	fixture_elapse(&f, 11 * 1000);
	assert_int_equal(fixture_stats(&f).registrations, 0);
	pbx_calls("late");
	fixture_take(&f, CORE, "SIP/2.0 404");
	fixture_end(&f);
}

static void grant_that_ended_meanwhile_is_not_restored(void **state)
{
	(void)state;
	begin(600);
	reborn_gather(&kept, &f, 0);
	driver_restart(f.driver);
	fixture_elapse(&f, 601 * 1000);
	reborn_give_all(&kept, &f);
	assert_int_equal(fixture_stats(&f).registrations, 0);
	assert_int_equal(fixture_stats(&f).restore_failed, 0);
	fixture_end(&f);
}

/* 10.2.4: the registrar must see numbers rise. */
static void refresh_keeps_call_id_and_raises_cseq(void **state)
{
	char id[64];
	const char *reg;
	struct slice s;

	(void)state;
	memset(&f, 0, sizeof(f));
	fixture_begin(&f, 1, 64);
	phone_registers(&f, "alice", 1, "<sip:alice@192.168.1.20:5062>", 600, uri, sizeof(uri));
	reborn_gather(&kept, &f, 0);
	struct registration_checkpoint r;
	assert_int_equal(
		checkpoint_registration_read(&r, slice_of(kept.kept[0].bytes, kept.kept[0].n)),
		SBC_OK);
	snprintf(id, sizeof(id), "%.*s", (int)r.call_id.n, r.call_id.p);
	reborn_cycle(&f);
	snprintf(f.text, sizeof(f.text),
		 "REGISTER sip:203.0.113.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKagain\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=again\r\n"
		 "To: <sip:alice@203.0.113.1>\r\nCall-ID: phonereg-alice@192.168.1.20\r\n"
		 "CSeq: 2 REGISTER\r\nContact: <sip:alice@192.168.1.20:5062>\r\n"
		 "Expires: 3600\r\n\r\n");
	fixture_recv(&f, ACCESS, fixture_phone(), f.text);
	reg = fixture_take(&f, CORE, "REGISTER ");
	s = text_header(slice_str(reg), "Call-ID", 0);
	assert_true(slice_eq(s, slice_str(id)));
	assert_true(text_cseq(slice_str(reg)) > 1);
	assert_true(slice_eq(text_uri(text_header(slice_str(reg), "Contact", 0)), slice_str(uri)));
	drop_registrations();
	fixture_end(&f);
}

static void registration_refuse(const char *realm, const char *peer, const char *contact,
				enum reason why)
{
	struct registration_checkpoint r;
	static char bytes[CHECKPOINT_MAX];
	struct wbuf w;

	begin(600);
	reborn_gather(&kept, &f, 0);
	driver_restart(f.driver);
	assert_int_equal(
		checkpoint_registration_read(&r, slice_of(kept.kept[0].bytes, kept.kept[0].n)),
		SBC_OK);
	if (*realm)
		r.realm = slice_str(realm);
	if (*peer)
		r.peer = slice_str(peer);
	if (*contact)
		r.contact = slice_str(contact);
	wbuf_init(&w, bytes, sizeof(bytes));
	checkpoint_registration_write(&w, &r);
	memcpy(kept.kept[0].bytes, bytes, w.n);
	kept.kept[0].n = w.n;
	reborn_give_all(&kept, &f);
	assert_int_equal(fixture_stats(&f).registrations, 0);
	assert_int_equal(fixture_reason(&f, why), 1);
	fixture_end(&f);
}

static void registration_that_cannot_be_had(void **state)
{
	(void)state;
	registration_refuse("attic", "", "", REASON_RESTORE_REALM);
	registration_refuse("", "nobody", "", REASON_RESTORE_REALM);
	/* The id is derived from all that it stands for. */
	registration_refuse("", "", "sip:mallory@192.0.2.66", REASON_RESTORE_BAD);
}

/* ---- memory that lacks ---- */

static uint32_t ladder_step(const struct reborn *r, const struct engine_limits *l,
			    struct engine *of, struct engine_out *out, uint64_t now)
{
	struct engine_conf conf = {
		.limits = *l, .key = of->key, .snapshot = of->snap, .wall_ms = of->wall_ms};
	size_t size = (engine_size(&conf) + 63) & ~(size_t)63;
	void *mem = aligned_alloc(64, size);
	struct engine *e = engine_init(mem, size, &conf, now);
	struct engine_stats s;

	assert_non_null(e);
	for (uint32_t i = 0; i < r->count; i++) {
		struct engine_event ev = {.type = ENGINE_EV_RESTORE, .now = now};

		ev.restore.kind = r->kept[i].kind;
		ev.restore.fields = slice_of(r->kept[i].bytes, r->kept[i].n);
		engine_out_clear(out);
		engine_handle(e, &ev, out);
		assert_false(out->overflow);
	}
	engine_stats_read(e, &s);
	uint32_t restored = (uint32_t)(s.restored + s.restored_registrations);
	assert_int_equal(restored + s.restore_failed, r->count);
	for (uint32_t g = 0; g < 2; g++) {
		struct engine_event ev = {.type = ENGINE_EV_GROUP, .now = now};

		engine_out_clear(out);
		while (engine_handle(e, &ev, out))
			engine_out_clear(out);
		ev.type = ENGINE_EV_TICK;
		ev.now = now += 200000;
		while (engine_handle(e, &ev, out))
			engine_out_clear(out);
	}
	engine_stats_read(e, &s);
	assert_int_equal(s.calls + s.calls_established + s.registrations, 0);
	assert_int_equal(s.transactions, 0);
	assert_int_equal(s.blobs, 0);
	assert_int_equal(s.ports_used, 0);
	free(mem);
	return restored;
}

/* From nothing to enough of each thing: what does not fit is refused whole. */
static void memory_that_lacks_leaves_nothing_behind(void **state)
{
	struct engine_out *out = malloc(sizeof(*out));
	struct parties p[3];
	struct engine *e;

	(void)state;
	assert_non_null(out);
	begin(600);
	memset(p, 0, sizeof(p));
	for (unsigned i = 0; i < 3; i++)
		p[i].id = i + 1;
	call_up(&f, &p[0]);
	phone_invite(&f, &p[1], "", phone_sdp);
	pbx_gets_invite(&f, &p[1]);
	answer(&f, CORE, p[1].invite, "180 Ringing", "bobtag2", "", "");
	phone_invite(&f, &p[2], "", phone_sdp);
	fixture_discard(&f);
	call_up(&f, &(struct parties){.id = 9});
	phone_request(&f, &p[0], "INVITE", 2, "", phone_sdp);
	fixture_discard(&f);
	reborn_gather(&kept, &f, 0);
	e = driver_engine(f.driver, 0);
	for (int what = 0; what < 8; what++) {
		uint32_t before = 0;

		for (uint32_t n = 0; n < 24; n++) {
			struct engine_limits l = e->limits;

			if (what == 0)
				l.calls = n;
			else if (what == 1)
				l.registrations = n;
			else if (what == 2)
				l.transactions = n;
			else
				for (int c = 0; c < (int)BLOB_CLASSES; c++)
					if (what == 3 || c == what - 3)
						l.blob[c].count = n;
			uint32_t all = ladder_step(&kept, &l, e, out, driver_now(f.driver));
			assert_true(all >= before || what > 2);
			before = all;
		}
	}
	assert_int_equal(ladder_step(&kept, &e->limits, e, out, driver_now(f.driver)), kept.count);
	free(out);
	driver_kill_all(f.driver);
	fixture_discard(&f);
	drop_registrations();
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registered_phone_is_called),
		cmocka_unit_test(grant_ends_when_it_was_to),
		cmocka_unit_test(grant_that_ended_meanwhile_is_not_restored),
		cmocka_unit_test(refresh_keeps_call_id_and_raises_cseq),
		cmocka_unit_test(registration_that_cannot_be_had),
		cmocka_unit_test(memory_that_lacks_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
