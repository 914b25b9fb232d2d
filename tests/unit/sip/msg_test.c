/* Indexing a message: what is found, what is refused, and what is answered. */
#include "tests/unit/sip/common.h"

static struct sip_msg m;
static struct sip_fault fault;

static enum sbc_err parse(const char *text)
{
	return sip_msg_parse(&m, text, (uint32_t)strlen(text), &fault);
}

static enum sbc_err parse_bytes(const char *text, size_t n)
{
	return sip_msg_parse(&m, text, (uint32_t)n, &fault);
}

static void a_request_is_indexed(void **state)
{
	const char *text = REQUEST_LINE MANDATORY "X-Any:  thing \r\nContent-Length: 3\r\n\r\nabc";

	(void)state;
	assert_int_equal(parse(text), SBC_OK);
	assert_true(m.is_request);
	assert_int_equal(m.method, SIP_INVITE);
	assert_slice(m.method_name, "INVITE");
	assert_slice(m.request_uri, "sip:bob@example.com");
	assert_int_equal(m.count, 7);
	assert_slice(sip_msg_value(&m, SIP_HDR_CALL_ID), "a@b");
	assert_slice(sip_entry_name(&m, 5), "X-Any");
	assert_slice(sip_entry_value(&m, 5), "thing");
	assert_int_equal(m.hdr[5].id, SIP_HDR_OTHER);
	assert_slice(sip_msg_body(&m), "abc");
	assert_slice(sip_msg_value(&m, SIP_HDR_ROUTE), "");
	assert_false(sip_msg_has(&m, SIP_HDR_ROUTE));
}

static void a_response_is_indexed(void **state)
{
	(void)state;
	assert_int_equal(parse("SIP/2.0 180 Ringing now\r\n" MANDATORY "\r\n"), SBC_OK);
	assert_false(m.is_request);
	assert_int_equal(m.status, 180);
	assert_slice(m.reason, "Ringing now");
	assert_int_equal(m.method, SIP_INVITE);
	assert_int_equal(parse("sip/2.0 699 \r\n" MANDATORY "\r\n"), SBC_OK);
	assert_slice(m.reason, "");
	assert_int_equal(parse("SIP/2.0 200\r\n" MANDATORY "\r\n"), SBC_OK);
}

/* An index is used again and again: nothing of the message before may be left. */
static void an_index_forgets_the_message_before(void **state)
{
	(void)state;
	assert_int_equal(parse(REQUEST_LINE MANDATORY "Route: <sip:r>\r\n\r\nbody"), SBC_OK);
	assert_int_equal(parse("SIP/2.0 200 OK\r\n" MANDATORY "\r\n"), SBC_OK);
	assert_false(sip_msg_has(&m, SIP_HDR_ROUTE));
	assert_int_equal(m.request_uri.n, 0);
	assert_int_equal(m.body_len, 0);
	assert_int_equal(parse("nonsense"), SBC_EBAD);
	assert_int_equal(m.count, 0);
	assert_false(sip_msg_has(&m, SIP_HDR_VIA));
}

static void lines_of_one_name_are_chained(void **state)
{
	(void)state;
	assert_int_equal(parse(REQUEST_LINE MANDATORY "v: second\r\nX: y\r\nVIA: third\r\n\r\n"),
			 SBC_OK);
	uint8_t i = m.first[SIP_HDR_VIA];

	assert_int_equal(i, 0);
	i = sip_msg_next(&m, i);
	assert_slice(sip_entry_value(&m, i), "second");
	i = sip_msg_next(&m, i);
	assert_slice(sip_entry_value(&m, i), "third");
	assert_int_equal(sip_msg_next(&m, i), SIP_NO_ENTRY);
}

static void names_may_be_compact_spaced_and_of_any_case(void **state)
{
	(void)state;
	assert_int_equal(parse(REQUEST_LINE "v:SIP/2.0/UDP h\r\nF \t : f\r\nt:\tt\r\n"
					    "i: c\r\ncSEQ: 1 INVITE\r\nL : 1\r\n\r\nxy"),
			 SBC_OK);
	assert_slice(sip_msg_value(&m, SIP_HDR_FROM), "f");
	assert_slice(sip_msg_value(&m, SIP_HDR_TO), "t");
	assert_slice(sip_entry_name(&m, 1), "F");
	assert_slice(sip_msg_body(&m), "x");
}

static void folded_lines_are_one_value(void **state)
{
	(void)state;
	assert_int_equal(parse(REQUEST_LINE "Via:\r\n SIP/2.0/UDP h\r\nFrom: f\r\n\t;tag=1\r\n"
					    "To: t\r\n  \r\n\t\r\nCall-ID:\r\n  x\r\n"
					    "CSeq: 1\r\n INVITE\r\nSubject: a\r\n b:c\r\n\r\n d"),
			 SBC_OK);
	assert_slice(sip_msg_value(&m, SIP_HDR_VIA), "SIP/2.0/UDP h");
	assert_slice(sip_msg_value(&m, SIP_HDR_FROM), "f\r\n\t;tag=1");
	assert_slice(sip_msg_value(&m, SIP_HDR_TO), "t");
	assert_slice(sip_msg_value(&m, SIP_HDR_CALL_ID), "x");
	assert_slice(sip_msg_value(&m, SIP_HDR_SUBJECT), "a\r\n b:c");
	/* What follows the empty line is body, even when it begins with a space. */
	assert_slice(sip_msg_body(&m), " d");
}

static void line_feeds_alone_end_lines_too(void **state)
{
	(void)state;
	assert_int_equal(parse("INVITE sip:b SIP/2.0\nVia: v\nFrom: f\nTo: t\n u\r\nCall-ID: c\n"
			       "CSeq: 1 INVITE\n\nbody"),
			 SBC_OK);
	assert_slice(sip_msg_value(&m, SIP_HDR_TO), "t\n u");
	assert_slice(sip_msg_body(&m), "body");
	assert_slice(m.request_uri, "sip:b");
}

static void line_ends_before_the_start_line_are_skipped(void **state)
{
	const char *text = "\r\n\r\n\n" REQUEST_LINE MANDATORY "\r\n";

	(void)state;
	assert_int_equal(parse(text), SBC_OK);
	assert_ptr_equal(m.buf, text + 5);
	assert_int_equal(m.len, strlen(text) - 5);
}

static void what_is_not_sip_has_no_status(void **state)
{
	static const char *const texts[] = {
		"",
		"\r\n\r\n",
		"\n",
		"\r",
		"\r\r\n",
		"hello",
		"hello\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"INVITE sip:bob@example.com\r\n\r\n",
		"INVITE sip:bob@example.com SIP/\r\n\r\n",
		"INVITE sip:b SIP/2\r\n\r\n",
		"INVITE sip:b SIP/.0\r\n\r\n",
		"INVITE sip:b SIP/2.0.0\r\n\r\n",
		"INVITE sip:b SIP/2.0",
		"SIP/2.0",
		"SIP/\r\n\r\n",
		"SIP/2.x 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"SIP/2.0\r\n",
		"\r\nSIP/2.0\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		const bool bare_version = strstr(texts[i], "SIP/2.0\r\n") != NULL;

		check_vector(parse(texts[i]) == SBC_EBAD, texts[i]);
		/* A version and nothing else is a broken status line, not noise. */
		check_vector(fault.status == (bare_version ? 400 : 0), texts[i]);
	}
	assert_int_equal(parse_bytes("\0\0\0\0", 4), SBC_EBAD);
	assert_int_equal(fault.status, 0);
}

static void keep_alives_are_told_from_noise(void **state)
{
	(void)state;
	assert_true(sip_is_keepalive("\r\n\r\n", 4));
	assert_true(sip_is_keepalive("\0\0\0\0", 4));
	assert_true(sip_is_keepalive("", 0));
	assert_false(sip_is_keepalive("\r\nx", 3));
}

static void start_lines_beyond_the_grammar_are_answered(void **state)
{
	static const struct {
		const char *line;
		uint16_t status;
	} vectors[] = {
		{"INVITE sip:b SIP/3.0", 505},     {"INVITE sip:b SIP/2.1", 505},
		{"INVITE sip:b SIP/02.0", 505},    {"INVITE sip:b SIP/7.0", 505},
		{"SIP/3.0 200 OK", 505},           {"INVITE  sip:b SIP/2.0", 400},
		{"INVITE sip:b  SIP/2.0", 400},    {"INVITE sip:b SIP/2.0 ", 400},
		{" INVITE sip:b SIP/2.0", 400},    {"INVITE sip:b x SIP/2.0", 400},
		{"INVITE\tsip:b SIP/2.0", 400},    {"INVITE sip:b\tSIP/2.0", 400},
		{"INVITE SIP/2.0", 400},           {"INV(TE sip:b SIP/2.0", 400},
		{"\"INVITE\" sip:b SIP/2.0", 400}, {"SIP/2.0 20 OK", 400},
		{"SIP/2.0 2000 OK", 400},          {"SIP/2.0 099 OK", 400},
		{"SIP/2.0 700 OK", 400},           {"SIP/2.0  200 OK", 400},
		{"SIP/2.0 -20 OK", 400},           {"SIP/2.0 200OK", 400},
		{"INVITE sip:b\r SIP/2.0", 400},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		char text[512];

		snprintf(text, sizeof(text), "%s\r\n" MANDATORY "\r\n", vectors[i].line);
		check_vector(parse(text) == SBC_EBAD, vectors[i].line);
		check_vector(fault.status == vectors[i].status, vectors[i].line);
		/* The head is indexed all the same, for the answer. */
		check_vector(sip_msg_has(&m, SIP_HDR_VIA) && m.count == 5, vectors[i].line);
	}
	assert_int_equal(parse("invite sip:b sip/2.0\r\n" MANDATORY "\r\n"), SBC_EBAD);
	assert_int_equal(parse("OPTIONS sip:b sip/2.0\r\nVia: v\r\nFrom: f\r\nTo: t\r\n"
			       "Call-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"),
			 SBC_OK);
}

static void a_start_line_is_not_folded(void **state)
{
	(void)state;
	assert_int_equal(parse("INVITE sip:b SIP/2.0\r\n ;x\r\n" MANDATORY "\r\n"), SBC_EBAD);
	assert_int_equal(fault.status, 400);
}

static void headers_beyond_the_grammar_are_refused(void **state)
{
	static const char *const lines[] = {
		"no colon\r\n",
		": no name\r\n",
		" :\r\n",
		"two words: x\r\n",
		"X\r\n : folded before the colon\r\n",
		"X(: x\r\n",
		"X\x01: x\r\n",
		"X: bare \r carriage return\r\n",
		"X: \r\r\n",
		"X-\xc3\xa9: x\r\n",
		"From@: x\r\n",
		"To\x0b: x\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		char text[512];

		snprintf(text, sizeof(text), REQUEST_LINE "%s" MANDATORY "\r\n", lines[i]);
		/* In front of everything else a space does not fold: nothing precedes it. */
		check_vector(parse(text) == SBC_EBAD, lines[i]);
		check_vector(fault.status == 400, lines[i]);
		check_vector(m.count == 5, lines[i]);
	}
}

static void a_nul_anywhere_in_the_head_is_refused(void **state)
{
	static const char good[] = REQUEST_LINE MANDATORY "Content-Length: 1\r\n\r\nx";
	const size_t n = sizeof(good) - 1;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char text[sizeof(good)];

		memcpy(text, good, sizeof(good));
		text[i] = '\0';
		const enum sbc_err err = parse_bytes(text, n);

		assert_int_equal(err == SBC_OK, i == n - 1);
	}
}

/* The very bytes of CVE-2020-28361's kind: white space must not hide a header. */
static void a_header_cannot_hide_behind_white_space(void **state)
{
	(void)state;
	assert_int_equal(parse(REQUEST_LINE MANDATORY "P-Asserted-Identity : <sip:x@y>\r\n"
						      "P-Asserted-Identity\t: <sip:z@y>\r\n\r\n"),
			 SBC_OK);
	assert_int_equal(m.first[SIP_HDR_P_ASSERTED_IDENTITY], 5);
	assert_int_equal(sip_msg_next(&m, 5), 6);
}

static void content_length_decides_where_the_body_ends(void **state)
{
	static const struct {
		const char *line;
		const char *body; /* NULL: refused */
	} vectors[] = {
		{"", "12345"},
		{"Content-Length: 5\r\n", "12345"},
		{"Content-Length: 3\r\n", "123"},
		{"l:0\r\n", ""},
		{"Content-Length:\r\n\t2\r\n", "12"},
		{"Content-Length: 0003 \r\n", "123"},
		{"Content-Length: 6\r\n", NULL},
		{"Content-Length: -1\r\n", NULL},
		{"Content-Length: +3\r\n", NULL},
		{"Content-Length: 3x\r\n", NULL},
		{"Content-Length: 3;a=b\r\n", NULL},
		{"Content-Length: 3, 3\r\n", NULL},
		{"Content-Length: 3 3\r\n", NULL},
		{"Content-Length: 0x3\r\n", NULL},
		{"Content-Length: 1\r\n 2\r\n", NULL},
		{"Content-Length:\r\n", NULL},
		{"Content-Length: 4294967299\r\n", NULL},
		{"Content-Length: 18446744073709551619\r\n", NULL},
		{"Content-Length: 65539\r\n", NULL},
		{"Content-Length: 3\r\nContent-Length: 3\r\n", NULL},
		{"Content-Length: 3\r\nl: 4\r\n", NULL},
		{"Content-Length : 3\r\nContent-Length: 3\r\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		char text[512];

		snprintf(text, sizeof(text), REQUEST_LINE MANDATORY "%s\r\n12345", vectors[i].line);
		const enum sbc_err err = parse(text);

		if (vectors[i].body == NULL) {
			check_vector(err == SBC_EBAD && fault.status == 400, vectors[i].line);
		} else {
			check_vector(err == SBC_OK, vectors[i].line);
			check_vector(slice_is(sip_msg_body(&m), vectors[i].body), vectors[i].line);
			check_vector(m.len == m.body_off + m.body_len, vectors[i].line);
		}
	}
}

static void what_must_be_there_is_asked_for(void **state)
{
	static const char *const lines[] = {"Via: v\r\n", "From: f\r\n", "To: t\r\n",
					    "Call-ID: c\r\n", "CSeq: 1 INVITE\r\n"};

	(void)state;
	for (size_t missing = 0; missing <= COUNT(lines); missing++) {
		char text[512] = REQUEST_LINE;

		for (size_t i = 0; i < COUNT(lines); i++)
			if (i != missing)
				append(text, sizeof(text), lines[i]);
		append(text, sizeof(text), "\r\n");
		const enum sbc_err err = parse(text);

		assert_int_equal(err, missing == COUNT(lines) ? SBC_OK : SBC_EBAD);
		assert_int_equal(fault.status, missing == COUNT(lines) ? 0 : 400);
	}
}

static void what_may_stand_once_is_refused_twice(void **state)
{
	static const char *const lines[] = {
		"From: x\r\n",
		"f: x\r\n",
		"To: x\r\n",
		"Call-ID: x\r\n",
		"i: a@b\r\n",
		"CSeq: 1 INVITE\r\n",
		"Max-Forwards: 7\r\nMAX-FORWARDS: 7\r\n",
		"Content-Type: a/b\r\nc: a/b\r\n",
		"Content-Length: 0\r\nl: 0\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		char text[512];

		snprintf(text, sizeof(text), REQUEST_LINE MANDATORY "%s\r\n", lines[i]);
		check_vector(parse(text) == SBC_EBAD && fault.status == 400, lines[i]);
	}
	assert_int_equal(parse(REQUEST_LINE MANDATORY "Via: x\r\nRoute: <sip:a>\r\n"
						      "Route: <sip:b>\r\n\r\n"),
			 SBC_OK);
}

static void call_id_and_cseq_are_sound(void **state)
{
	static const struct {
		const char *call_id, *cseq;
		enum sbc_err err;
	} vectors[] = {
		{"a@b", "1 INVITE", SBC_OK},
		{"w(o)r<d>:\\\"/[]?{}", "0 INVITE", SBC_OK},
		{"a", "2147483647 INVITE", SBC_OK},
		{"", "1 INVITE", SBC_EBAD},
		{"a b", "1 INVITE", SBC_EBAD},
		{"a\r\n b", "1 INVITE", SBC_EBAD},
		{"a\tb", "1 INVITE", SBC_EBAD},
		{"a\x01", "1 INVITE", SBC_EBAD},
		{"a", "2147483648 INVITE", SBC_EBAD},
		{"a", "1 invite", SBC_EBAD},
		{"a", "1 ACK", SBC_EBAD},
		{"a", "1INVITE", SBC_EBAD},
		{"a", "INVITE", SBC_EBAD},
		{"a", "", SBC_EBAD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		char text[512];

		snprintf(text, sizeof(text),
			 REQUEST_LINE
			 "Via: v\r\nFrom: f\r\nTo: t\r\nCall-ID: %s\r\nCSeq: %s\r\n\r\n",
			 vectors[i].call_id, vectors[i].cseq);
		check_vector(parse(text) == vectors[i].err, text);
	}
}

static void sixty_four_headers_and_no_more(void **state)
{
	char text[4096];

	(void)state;
	for (int more = 59; more <= 60; more++) {
		text[0] = '\0';
		append(text, sizeof(text), REQUEST_LINE MANDATORY);
		for (int i = 0; i < more; i++)
			append(text, sizeof(text), i % 2 ? "X: y\r\n" : "Via: v\r\n");
		append(text, sizeof(text), "\r\n");
		assert_int_equal(parse(text), more == 59 ? SBC_OK : SBC_ELIMIT);
		assert_int_equal(fault.status, more == 59 ? 0 : 400);
		assert_int_equal(m.count, SIP_MAX_HEADERS);
	}
}

static void a_header_name_has_a_bound(void **state)
{
	char text[1024];

	(void)state;
	for (int len = 255; len <= 256; len++) {
		int n = snprintf(text, sizeof(text), REQUEST_LINE MANDATORY);

		memset(text + n, 'x', (size_t)len);
		text[n + len] = '\0';
		append(text, sizeof(text), ": y\r\n\r\n");
		assert_int_equal(parse(text), len == 255 ? SBC_OK : SBC_EBAD);
	}
}

static void sixty_four_kibibytes_and_no_more(void **state)
{
	static char text[SIP_MAX_MESSAGE + 16];
	const char *head = REQUEST_LINE MANDATORY "\r\n";

	(void)state;
	memset(text, 'x', sizeof(text));
	put_at(text, 0, head);
	assert_int_equal(parse_bytes(text, SIP_MAX_MESSAGE), SBC_OK);
	assert_int_equal(m.body_off + m.body_len, SIP_MAX_MESSAGE);
	assert_int_equal(parse_bytes(text, SIP_MAX_MESSAGE + 1), SBC_ELIMIT);
	assert_int_equal(fault.status, 513);
	assert_int_equal(m.count, 5);

	/* One header over the whole of it. */
	const char *start = REQUEST_LINE MANDATORY "X: ";

	put_at(text, 0, start);
	put_at(text, SIP_MAX_MESSAGE - 4, "\r\n\r\n");
	assert_int_equal(parse_bytes(text, SIP_MAX_MESSAGE), SBC_OK);
	assert_int_equal(m.hdr[5].value_len, SIP_MAX_MESSAGE - 4 - strlen(start));
	/* A start line that does not even end within the bound. */
	memset(text, 'x', sizeof(text));
	put_at(text, 0, "INVITE sip:");
	put_at(text, SIP_MAX_MESSAGE, " SIP/2.0\r\n");
	assert_int_equal(parse_bytes(text, SIP_MAX_MESSAGE + 10), SBC_ELIMIT);
	assert_int_equal(fault.status, 513);
}

static void a_head_without_an_end_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse(REQUEST_LINE MANDATORY), SBC_EBAD);
	assert_int_equal(fault.status, 400);
	assert_int_equal(m.count, 5);
	assert_int_equal(parse(REQUEST_LINE MANDATORY "\r"), SBC_EBAD);
	assert_int_equal(parse(REQUEST_LINE MANDATORY "X: y"), SBC_EBAD);
	assert_int_equal(m.count, 5);
	assert_int_equal(parse(REQUEST_LINE), SBC_EBAD);
}

static void one_prefix(struct slice s)
{
	sip_msg_parse(&m, s.p, s.n, &fault);
}

static void nothing_is_read_beyond_the_end(void **state)
{
	static const char text[] =
		"\r\n" REQUEST_LINE MANDATORY
		"Subject: a\r\n b\r\nP-Preferred-Identity: <sip:a@b>\r\n"
		"x:\tz\r\nContent-Length: 70\r\n\r\n"
		"v=0 .............................................................."
		"....\r\n";
	static const char response[] = "SIP/2.0 200 OK\r\n" MANDATORY "\r\n";

	(void)state;
	each_prefix(text, sizeof(text) - 1, one_prefix);
	assert_int_equal(parse(text), SBC_OK);
	each_prefix(response, sizeof(response) - 1, one_prefix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_indexed),
		cmocka_unit_test(a_response_is_indexed),
		cmocka_unit_test(an_index_forgets_the_message_before),
		cmocka_unit_test(lines_of_one_name_are_chained),
		cmocka_unit_test(names_may_be_compact_spaced_and_of_any_case),
		cmocka_unit_test(folded_lines_are_one_value),
		cmocka_unit_test(line_feeds_alone_end_lines_too),
		cmocka_unit_test(line_ends_before_the_start_line_are_skipped),
		cmocka_unit_test(what_is_not_sip_has_no_status),
		cmocka_unit_test(keep_alives_are_told_from_noise),
		cmocka_unit_test(start_lines_beyond_the_grammar_are_answered),
		cmocka_unit_test(a_start_line_is_not_folded),
		cmocka_unit_test(headers_beyond_the_grammar_are_refused),
		cmocka_unit_test(a_nul_anywhere_in_the_head_is_refused),
		cmocka_unit_test(a_header_cannot_hide_behind_white_space),
		cmocka_unit_test(content_length_decides_where_the_body_ends),
		cmocka_unit_test(what_must_be_there_is_asked_for),
		cmocka_unit_test(what_may_stand_once_is_refused_twice),
		cmocka_unit_test(call_id_and_cseq_are_sound),
		cmocka_unit_test(sixty_four_headers_and_no_more),
		cmocka_unit_test(a_header_name_has_a_bound),
		cmocka_unit_test(sixty_four_kibibytes_and_no_more),
		cmocka_unit_test(a_head_without_an_end_is_refused),
		cmocka_unit_test(nothing_is_read_beyond_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
