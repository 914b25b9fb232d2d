#include "tests/bench/gen/fault.h"

#include <stdlib.h>

#include "tests/bench/gen/ident.h"
#include "tests/bench/gen/port.h"
#include "tests/bench/gen/rtp.h"

enum kind { LOSE, DOUBLE, SWAP, STRAY, CORRUPT, DROP, LEAK, BRANCH, TAG, CALLID, CSEQ, KINDS };

static const char *const names[KINDS] = {"lose", "double", "swap", "stray",   "corrupt", "drop",
					 "leak", "branch", "tag",  "call-id", "cseq"};

static uint32_t every[KINDS];
static uint64_t seen[KINDS], made;
static bool any;

bool fault_set(const char *plan)
{
	const char *colon = strchr(plan, ':');
	char *end;

	if (!colon)
		return false;
	for (uint32_t i = 0; i < KINDS; i++) {
		if (strncmp(plan, names[i], (size_t)(colon - plan)) != 0 ||
		    names[i][colon - plan] != '\0')
			continue;
		every[i] = (uint32_t)strtoul(colon + 1, &end, 10);
		any = true;
		return every[i] > 0 && *end == '\0';
	}
	return false;
}

bool fault_any(void)
{
	return any;
}

uint64_t fault_made(void)
{
	return made;
}

static bool now(enum kind kind)
{
	if (every[kind] == 0 || ++seen[kind] % every[kind] != 0)
		return false;
	made++;
	return true;
}

static bool is_rtp(const struct rte_mbuf *m)
{
	return m->data_len == RTP_FRAME && *rte_pktmbuf_mtod_offset(m, const uint8_t *, 42) == 0x80;
}

/* Another character of its kind behind a word, `skip` bytes on. */
static void alter(char *p, uint32_t n, const char *word, uint32_t skip)
{
	char *at = memmem(p, n, word, strlen(word));

	if (!at || at + strlen(word) + skip >= p + n)
		return;
	at += strlen(word) + skip;
	*at = *at == '7' ? '8' : '7';
}

static void on_sip(enum side side, char *p, uint32_t n)
{
	char *at;

	if (now(LEAK) && (at = memmem(p, n, "Max-Forwards: 70", 16)) != NULL)
		memcpy(at, side == INSIDE ? "X-L: ~qophone123" : "X-L: !qipbx.1234", 16);
	else if (every[LEAK] && seen[LEAK] % every[LEAK] == 0 &&
		 (at = memmem(p, n, "Content-Length: 0", 17)) == NULL &&
		 (at = memmem(p, n, "a=rtpmap:101 telephone-event", 28)) != NULL)
		at[8] = side == INSIDE ? IDENT_MARK_OUTSIDE : IDENT_MARK_INSIDE;
	if (now(BRANCH))
		alter(p, n, "branch=z9hG4bK", 17);
	if (now(TAG))
		alter(p, n, ";tag=", 12);
	if (now(CALLID))
		alter(p, n, "Call-ID: ", 12);
	if (now(CSEQ))
		alter(p, n, "CSeq: ", 0);
}

/* Whether the frame goes on. */
static bool on_rtp(struct rte_mbuf *m)
{
	uint8_t *f = rte_pktmbuf_mtod(m, uint8_t *);

	if (now(LOSE))
		return false;
	if (now(STRAY))
		f[37] ^= 2;
	if (now(CORRUPT))
		f[200] ^= 1;
	return true;
}

uint32_t fault_inject(struct gen *g, enum side side, struct rte_mbuf **burst, uint32_t n)
{
	struct rte_mbuf *in[GEN_BURST];
	uint32_t out = 0;

	memcpy(in, burst, n * sizeof(in[0]));
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *m = in[i], *copy;
		bool rtp = is_rtp(m);
		struct frame_seen s;

		if (!rtp && frame_read(m, &s))
			on_sip(side, (char *)(uintptr_t)s.payload, s.n);
		if (rtp ? !on_rtp(m) : m->data_len > 64 && now(DROP)) {
			rte_pktmbuf_free(m);
			continue;
		}
		if (rtp && i + 1 < n && is_rtp(in[i + 1]) && now(SWAP)) {
			in[i] = in[i + 1];
			in[i + 1] = m;
			m = in[i];
		}
		burst[out++] = m;
		if (rtp && out < GEN_BURST && n < GEN_BURST && now(DOUBLE) &&
		    (copy = rte_pktmbuf_copy(m, g->pool, 0, UINT32_MAX)) != NULL)
			burst[out++] = copy;
	}
	return out;
}
