/*
 * parse_bench: what it costs to index a 1.3 kB INVITE.
 *
 * References, measured in the same run over the same bytes: memcpy, the least
 * that touching a message costs, and finding its line ends with memchr, the least
 * that a parser by lines does. The contestants take turns in short rounds (rounds.h),
 * so that a busy neighbour or a changing clock hits all of them alike. The messages of a round differ in address and Call-ID.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rounds.h"
#include "sbc/base/scan.h"
#include "sbc/sip/msg.h"

#define BATCH   512 /* messages a round */
#define COPIES  16
#define MAX_LEN 2048

static char message[COPIES][MAX_LEN];
static uint32_t message_len, head_off;
static char copy[MAX_LEN];
static uint64_t sink; /* keeps results alive */

static void run_index(const char *p, uint32_t n)
{
	static struct sip_msg m;
	struct sip_fault fault;

	sink += sip_msg_parse(&m, p, n, &fault) == SBC_OK ? m.count : 1000;
}

static void run_peek(const char *p, uint32_t n)
{
	struct sip_peek peek;

	sink += sip_peek_call_id(p, n, &peek) == SBC_OK ? peek.call_id.n : 1000;
}

static void run_memcpy(const char *p, uint32_t n)
{
	memcpy(copy, p, n);
	__asm__ volatile("" ::: "memory");
	sink += (uint64_t)copy[0];
}

static void run_memchr(const char *p, uint32_t n)
{
	const char *end = p + n;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		sink++;
	}
}

static void scan_by(uint32_t i, const char *p, uint32_t n)
{
	uint16_t lf[SCAN_HEAD_ROOM];

	sink += scan_impl_at(i)->head(p + head_off, n - head_off, lf);
}

static void run_scan0(const char *p, uint32_t n)
{
	scan_by(0, p, n);
}

static void run_scan1(const char *p, uint32_t n)
{
	scan_by(1, p, n);
}

static void run_scan2(const char *p, uint32_t n)
{
	scan_by(2, p, n);
}

static void run_scan3(const char *p, uint32_t n)
{
	scan_by(3, p, n);
}

static struct contestant {
	const char *name;
	void (*run)(const char *p, uint32_t n);
	double ns[ROUNDS_MAX];
} contestants[] = {
	{"index", run_index, {0}},         {"peek", run_peek, {0}},    {"memcpy", run_memcpy, {0}},
	{"memchr lines", run_memchr, {0}}, {"scan 0", run_scan0, {0}}, {"scan 1", run_scan1, {0}},
	{"scan 2", run_scan2, {0}},        {"scan 3", run_scan3, {0}},
};

enum { INDEX, PEEK, MEMCPY, MEMCHR, FIRST_SCAN, CONTESTANTS = FIRST_SCAN + 4 };

/* The same message from many callers: one digit of the Call-ID differs. */
static int load_messages(const char *path)
{
	FILE *f = fopen(path, "rb");

	message_len = f != NULL ? (uint32_t)fread(message[0], 1, MAX_LEN, f) : 0;
	if (f != NULL)
		fclose(f);
	struct sip_msg m;
	struct sip_fault fault;

	if (!message_len || sip_msg_parse(&m, message[0], message_len, &fault) != SBC_OK)
		return -1;
	head_off = m.headers_off;
	const uint32_t at = m.hdr[m.first[SIP_HDR_CALL_ID]].value_off;

	for (int i = 1; i < COPIES; i++) {
		memcpy(message[i], message[0], message_len);
		message[i][at] = (char)('a' + i);
	}
	return 0;
}

static void measure(struct contestant *c, unsigned round)
{
	const double start = rounds_now();

	for (int i = 0; i < BATCH; i++)
		c->run(message[i % COPIES], message_len);
	c->ns[round] = (rounds_now() - start) / BATCH;
}

/* `goal`: in the value's unit; 0: none. */
static void print(const char *name, double value, const char *unit, const char *reference,
		  double reference_value, double goal)
{
	printf("{\"name\": \"%s\", \"value\": %.3f, \"unit\": \"%s\", \"reference\": \"%s\", "
	       "\"reference_value\": %.3f, \"better\": \"lower\"",
	       name, value, unit, reference, reference_value);
	if (goal > 0)
		printf(", \"goal\": %.0f", goal);
	puts("}");
}

int main(int argc, char **argv)
{
	double ns[CONTESTANTS];
	unsigned rounds = 0;

	if (load_messages(argc > 1 ? argv[1] : FIXTURES "/invite_1300.sip") != 0) {
		fprintf(stderr, "no message to measure with\n");
		return 1;
	}
	for (int i = 0; FIRST_SCAN + i < CONTESTANTS; i++)
		if (scan_impl_at((uint32_t)i) == NULL)
			contestants[FIRST_SCAN + i].run = NULL;
	for (const double end = rounds_now() + ROUNDS_NS; rounds < ROUNDS_MAX && rounds_now() < end;
	     rounds++)
		for (int c = 0; c < CONTESTANTS; c++)
			if (contestants[c].run != NULL)
				measure(&contestants[c], rounds);
	for (int c = 0; c < CONTESTANTS; c++)
		ns[c] = rounds_figure(contestants[c].ns, rounds);
	print("index of a 1.3 kB INVITE", ns[INDEX], "ns", "memcpy of the same bytes", ns[MEMCPY],
	      300);
	print("index of a 1.3 kB INVITE, a byte", ns[INDEX] / message_len, "ns/byte",
	      "memchr over its lines, a byte", ns[MEMCHR] / message_len, 0);
	print("peek at its Call-ID", ns[PEEK], "ns", "memchr over its lines", ns[MEMCHR], 0);
	/* What scan_head() chooses from on this machine, over the same head. */
	for (int c = FIRST_SCAN; c < CONTESTANTS && contestants[c].run != NULL; c++) {
		char name[64];

		snprintf(name, sizeof(name), "line ends of its head, %s",
			 scan_impl_at((uint32_t)(c - FIRST_SCAN))->name);
		print(name, ns[c], "ns", "memchr over its lines", ns[MEMCHR], 0);
	}
	return sink == 0;
}
