/*
 * transaction_fixture: one transaction layer in virtual time, with a log of what
 * it sent and said.
 *
 * Time starts at FX_START; times in expectations count from fx_mark(). Every
 * fx_ call that lets the layer act moves what it sent into the log. fx_close()
 * fails the test when the log was not read to its end or anything is still held.
 */
#ifndef TESTS_UNIT_CORE_TRANSACTION_FIXTURE_H
#define TESTS_UNIT_CORE_TRANSACTION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sbc/core/transaction.h"

#define FX_START    100000u
#define FX_TEXT     4096u
#define FX_LOG      256u
#define FX_T1       500u
#define FX_T2       4000u
#define FX_T4       5000u
#define FX_64T1     32000u
#define FX_LISTENER 3u

struct fx_entry {
	uint64_t at;
	bool is_event;
	struct tx_event event;
	struct engine_path path;
	uint32_t len;
	char text[FX_TEXT];
};

struct fx {
	void *mem;
	struct blob_store blobs;
	struct tx_layer *l;
	struct engine_out *out;
	uint64_t now, mark;
	uint32_t logged, read;
	struct fx_entry *log;
};

/* A message and its index; the text lies in the same object. */
struct fx_msg {
	char text[FX_TEXT];
	struct sip_msg m;
	struct sip_via via;
};

void fx_open(struct fx *f);
void fx_open_sized(struct fx *f, uint32_t capacity, uint32_t blob_size, uint32_t blob_count);
void fx_close(struct fx *f);

void fx_mark(struct fx *f);
void fx_elapse(struct fx *f, uint64_t ms);

/* What the far end is reached by. */
struct engine_path fx_path(void);

/* Parses what was formatted; it must be SIP. */
void fx_parse(struct fx_msg *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A request of the far end's with that branch; To has a tag for an ACK. */
void fx_request(struct fx_msg *x, const char *method, const char *branch);
void fx_response(struct fx_msg *x, uint16_t status, const char *method, const char *branch,
		 const char *to_tag);

/* Text of a request of ours, for tx_client_new(). */
struct slice fx_own(char *buf, const char *method, const char *branch);

/* Text of a response of ours. */
struct slice fx_answer(char *buf, uint16_t status, const char *to_tag);

enum tx_rx fx_receive(struct fx *f, struct fx_msg *x, uint64_t *tx);
uint64_t fx_server(struct fx *f, struct fx_msg *x);
enum sbc_err fx_respond(struct fx *f, uint64_t tx, uint16_t status);
uint64_t fx_client(struct fx *f, const char *method, const char *branch, uint64_t user);
void fx_cancel(struct fx *f, uint64_t tx);

/* Times since fx_mark(); `start` is how the message must begin. */
const struct fx_entry *fx_sent(struct fx *f, uint64_t at, const char *start);
void fx_said(struct fx *f, uint64_t at, enum tx_event_type type, uint64_t tx);
void fx_silent(struct fx *f);

/* The same message at each of these times, then nothing up to the latest. */
void fx_sent_at(struct fx *f, const uint64_t *at, uint32_t n, const char *start);

#endif
