#include "tests/lib/oracle.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/oracle_internal.h"
#include "tests/lib/text.h"

#define KEY        7u
#define MAX_TEXT   96u
#define HEADS      (1u << 19)
#define SECRETS    (1u << 17)
#define NONE       UINT32_MAX
#define SHARED     32u
#define SCAN_BYTES 70000u

struct secret {
	char text[MAX_TEXT]; /* lower case */
	uint16_t n;
	uint16_t realms; /* bit set of the realms it belongs to */
	bool fixed;
	bool bounded; /* a hit must not be part of a longer word or number */
	bool seen;    /* since it last came up for removal */
	const char *what;
	uint32_t next; /* in its chain */
};

struct oracle {
	struct secret *secret;
	uint32_t count; /* in use from 0 up; then reused in turn */
	uint32_t hand;
	uint32_t head[HEADS];
	uint8_t bloom[HEADS / 8];
	uint32_t shared;
	char share[SHARED][MAX_TEXT];
	char scan[SCAN_BYTES];
	char decoded[SCAN_BYTES];
};

struct oracle *oracle_new(void)
{
	struct oracle *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->secret = calloc(SECRETS, sizeof(struct secret));
	if (!o->secret)
		abort();
	memset(o->head, 0xff, sizeof(o->head));
	return o;
}

void oracle_free(struct oracle *o)
{
	if (o)
		free(o->secret);
	free(o);
}

/* Of the last bytes of a secret: beginnings are alike ("192.168.", "z9hG4bK"). */
static uint32_t key_hash(const char *p)
{
	uint64_t v = 0;

	memcpy(&v, p, KEY);
	return (uint32_t)((v * 0x9E3779B97F4A7C15ull) >> 45) & (HEADS - 1);
}

static char lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c + 32) : c;
}

void oracle_share(struct oracle *o, const char *text)
{
	uint32_t n = 0;

	if (!text[0] || o->shared == SHARED)
		return;
	for (; text[n] && n < MAX_TEXT - 1; n++)
		o->share[o->shared][n] = lower(text[n]);
	o->shared++;
}

static bool is_shared(const struct oracle *o, const char *text, uint32_t n)
{
	for (uint32_t i = 0; i < o->shared; i++)
		if (strlen(o->share[i]) == n && memcmp(o->share[i], text, n) == 0)
			return true;
	return false;
}

static struct secret *find(struct oracle *o, const char *text, uint32_t n)
{
	for (uint32_t i = o->head[key_hash(text + n - KEY)]; i != NONE; i = o->secret[i].next)
		if (o->secret[i].n == n && memcmp(o->secret[i].text, text, n) == 0)
			return &o->secret[i];
	return NULL;
}

static void unlink_secret(struct oracle *o, uint32_t index)
{
	const struct secret *s = &o->secret[index];
	uint32_t *at = &o->head[key_hash(s->text + s->n - KEY)];

	while (*at != index)
		at = &o->secret[*at].next;
	*at = o->secret[index].next;
}

/* A free entry, or the next one that is neither fixed nor seen lately. */
static uint32_t entry_take(struct oracle *o)
{
	if (o->count < SECRETS)
		return o->count++;
	for (;;) {
		struct secret *s = &o->secret[o->hand];

		if (!s->fixed && !s->seen)
			break;
		s->seen = false;
		o->hand = (o->hand + 1) % SECRETS;
	}
	unlink_secret(o, o->hand);
	return o->hand;
}

static void put(struct oracle *o, uint16_t realm, const char *text, uint32_t n, bool bounded,
		bool fixed, const char *what)
{
	char folded[MAX_TEXT];
	struct secret *s;
	uint32_t index, hash;

	if (n < KEY)
		return;
	n = n < MAX_TEXT ? n : MAX_TEXT - 1;
	for (uint32_t i = 0; i < n; i++)
		folded[i] = lower(text[i]);
	if (is_shared(o, folded, n))
		return;
	s = find(o, folded, n);
	if (!s) {
		index = entry_take(o);
		s = &o->secret[index];
		*s = (struct secret){.n = (uint16_t)n, .bounded = bounded, .what = what};
		memcpy(s->text, folded, n);
		hash = key_hash(folded + n - KEY);
		s->next = o->head[hash];
		o->head[hash] = index;
		o->bloom[hash / 8] |= (uint8_t)(1u << (hash % 8));
	}
	s->realms |= (uint16_t)(1u << realm);
	s->seen = true;
	s->fixed |= fixed;
}

/* What every base64 text holds that has `s` somewhere in it, `shift` bytes off a group of three. */
static uint32_t base64_core(struct slice s, uint32_t shift, char *out)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = (3 - shift) % 3, n = 0;

	for (uint32_t i = bits; i + 3 <= s.n; i += 3) {
		uint32_t v = (uint32_t)(uint8_t)s.p[i] << 16 | (uint32_t)(uint8_t)s.p[i + 1] << 8 |
			     (uint8_t)s.p[i + 2];

		for (int k = 18; k >= 0; k -= 6)
			out[n++] = digit[v >> k & 63];
	}
	return n;
}

static void put_encoded(struct oracle *o, uint16_t realm, struct slice s, bool fixed)
{
	char text[2 * MAX_TEXT + 8];
	uint32_t n;

	s.n = s.n < MAX_TEXT / 2 ? s.n : MAX_TEXT / 2 - 1;
	for (uint32_t shift = 0; shift < 3; shift++) {
		n = base64_core(s, shift, text);
		if (n >= 8)
			put(o, realm, text, n, false, fixed, "base64 of a secret");
	}
	for (uint32_t i = 0; i < s.n; i++)
		snprintf(text + 2 * i, 3, "%02x", (uint8_t)s.p[i]);
	put(o, realm, text, 2 * s.n, false, fixed, "hexadecimal text of a secret");
}

void oracle_put_text(struct oracle *o, uint16_t realm, struct slice s, bool bounded, bool fixed,
		     const char *what)
{
	char folded[MAX_TEXT];
	struct secret *known;

	if (s.n < ORACLE_MIN)
		return;
	for (uint32_t i = 0; i < s.n && i < MAX_TEXT - 1; i++)
		folded[i] = lower(s.p[i]);
	known = find(o, folded, s.n < MAX_TEXT ? s.n : MAX_TEXT - 1);
	if (known && (known->realms >> realm & 1)) {
		known->seen = true;
		return;
	}
	put(o, realm, s.p, s.n, bounded, fixed, what);
	if (!is_shared(o, folded, s.n < MAX_TEXT ? s.n : MAX_TEXT - 1))
		put_encoded(o, realm, s, fixed);
}

void oracle_add(struct oracle *o, uint16_t realm, struct slice secret, const char *what)
{
	oracle_put_text(o, realm, secret, true, true, what);
}

void oracle_put_ip(struct oracle *o, uint16_t realm, uint32_t ip, bool fixed, const char *what)
{
	uint32_t host = ntohl(ip);
	char text[32];

	if (host >> 24 == 0)
		return;
	snprintf(text, sizeof(text), "%u.%u.%u.%u", host >> 24, host >> 16 & 255, host >> 8 & 255,
		 host & 255);
	oracle_put_text(o, realm, slice_str(text), true, fixed, what);
	snprintf(text, sizeof(text), "%08x", host);
	put(o, realm, text, 8, true, fixed, "address as hexadecimal double word");
	snprintf(text, sizeof(text), "%u", host);
	put(o, realm, text, (uint32_t)strlen(text), true, fixed, "address as decimal number");
}

void oracle_add_ip(struct oracle *o, uint16_t realm, uint32_t ip, const char *what)
{
	oracle_put_ip(o, realm, ip, true, what);
}

bool oracle_is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool oracle_is_auth(struct slice name)
{
	return text_is(name, "Authorization") || text_is(name, "Proxy-Authorization") ||
	       text_is(name, "WWW-Authenticate") || text_is(name, "Proxy-Authenticate") ||
	       text_is(name, "Authentication-Info");
}

/* ---- searching ---- */

/* The message in lower case without credentials and challenges but for `domain`. */
static uint32_t scan_text(struct oracle *o, struct slice msg)
{
	struct slice rest = msg, line;
	bool skip = false, head = true;
	uint32_t n = 0;

	while (text_next_line(&rest, &line)) {
		const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
		bool folded = line.n && (line.p[0] == ' ' || line.p[0] == '\t');

		head &= line.n != 0;
		if (!folded)
			skip = head && colon &&
			       oracle_is_auth(
				       text_trim(slice_of(line.p, (uint32_t)(colon - line.p))));
		if (skip) {
			int32_t at = text_find(line, SLICE_LIT("domain="), true);

			if (at < 0)
				continue;
			line = slice_of(line.p + at, line.n - (uint32_t)at);
		}
		for (uint32_t i = 0; i < line.n && n < SCAN_BYTES - 16; i++)
			o->scan[n++] = lower(line.p[i]);
		if (n < SCAN_BYTES - 16)
			o->scan[n++] = '\n';
	}
	memset(o->scan + n, 0, 16);
	return n;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t percent_decode(struct oracle *o, uint32_t n)
{
	uint32_t m = 0;

	for (uint32_t i = 0; i < n; i++) {
		int hi = i + 2 < n ? hex_digit(o->scan[i + 1]) : -1;
		int lo = i + 2 < n ? hex_digit(o->scan[i + 2]) : -1;

		if (o->scan[i] == '%' && hi >= 0 && lo >= 0) {
			o->decoded[m++] = lower((char)(hi << 4 | lo));
			i += 2;
		} else {
			o->decoded[m++] = o->scan[i];
		}
	}
	memset(o->decoded + m, 0, 16);
	return m;
}

/* A secret that ends with the KEY bytes at `at`; `*from` is where it begins. */
static const struct secret *hit_at(const struct oracle *o, uint16_t realm, const char *text,
				   uint32_t at, uint32_t *from)
{
	uint32_t hash = key_hash(text + at), end = at + KEY;

	if (!(o->bloom[hash / 8] >> (hash % 8) & 1))
		return NULL;
	for (uint32_t i = o->head[hash]; i != NONE; i = o->secret[i].next) {
		const struct secret *s = &o->secret[i];

		if (s->realms >> realm & 1 || s->n > end)
			continue;
		*from = end - s->n;
		if (memcmp(s->text, text + *from, s->n) != 0)
			continue;
		if (s->bounded &&
		    ((*from && oracle_is_word(text[*from - 1])) || oracle_is_word(text[end])))
			continue;
		return s;
	}
	return NULL;
}

static void report(const struct secret *s, const char *text, uint32_t at, uint32_t n, char *why,
		   uint32_t why_len)
{
	uint32_t from = at > 60 ? at - 60 : 0, to = at + s->n + 40 < n ? at + s->n + 40 : n;

	snprintf(why, why_len, "leak: %s \"%.*s\" of realm set 0x%x in ...%.*s[[%.*s]]%.*s...",
		 s->what, s->n, s->text, s->realms, (int)(at - from), text + from, s->n, text + at,
		 (int)(to - at - s->n), text + at + s->n);
}

static bool scan(const struct oracle *o, uint16_t realm, const char *text, uint32_t n, char *why,
		 uint32_t why_len)
{
	uint32_t from;

	for (uint32_t i = 0; i + KEY <= n; i++) {
		const struct secret *s = hit_at(o, realm, text, i, &from);

		if (s) {
			report(s, text, from, n, why, why_len);
			return false;
		}
	}
	return true;
}

bool oracle_check(struct oracle *o, uint16_t realm, struct slice msg, char *why, uint32_t why_len)
{
	uint32_t n = scan_text(o, msg);

	if (!scan(o, realm, o->scan, n, why, why_len))
		return false;
	if (!memchr(o->scan, '%', n))
		return true;
	n = percent_decode(o, n);
	return scan(o, realm, o->decoded, n, why, why_len);
}
