#include "control/heartbeat.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

static const char magic[4] = {'P', 'S', 'T', 'N'};
static const char label[] = "postern cluster datagrams 1 ";

void heartbeat_key_init(struct heartbeat_key *key, const struct siphash_key *node,
			const char *cluster)
{
	const uint64_t half[2] = {node->k0, node->k1};
	uint8_t secret[16], info[sizeof(label) + 255];
	size_t name = strnlen(cluster, 255);
	unsigned len = sizeof(key->mac);

	for (unsigned i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)(half[i / 8] >> i % 8 * 8);
	memcpy(info, label, sizeof(label) - 1);
	memcpy(info + sizeof(label) - 1, cluster, name);
	HMAC(EVP_sha256(), secret, sizeof(secret), info, sizeof(label) - 1 + name, key->mac, &len);
	OPENSSL_cleanse(secret, sizeof(secret));
}

static bool sign(const struct heartbeat_key *key, const uint8_t *data, size_t n,
		 uint8_t mac[HEARTBEAT_MAC])
{
	unsigned len = HEARTBEAT_MAC;

	return HMAC(EVP_sha256(), key->mac, sizeof(key->mac), data, n, mac, &len) != NULL;
}

/* ---- writing ---- */

static void put(struct wbuf *w, uint64_t v, unsigned bytes)
{
	for (; bytes; bytes--, v >>= 8)
		wbuf_char(w, (char)(v & 0xff));
}

static void put_head(struct wbuf *w, const struct heartbeat_head *h)
{
	wbuf_put(w, slice_of(magic, sizeof(magic)));
	put(w, HEARTBEAT_VERSION, 1);
	put(w, (uint64_t)h->kind, 1);
	put(w, 0, 2);
	put(w, h->from, 2);
	put(w, h->to, 2);
	put(w, 0, 8);
	put(w, h->incarnation, 8);
	put(w, h->number, 8);
	put(w, h->echo_incarnation, 8);
	put(w, h->echo_number, 8);
	put(w, h->config, 8);
}

static void put_lease(struct wbuf *w, const struct lease_heartbeat *l)
{
	put(w, l->seq, 8);
	put(w, (uint64_t)l->leaving | (uint64_t)l->ready << 1, 1);
	put(w, 0, 1);
	put(w, l->prepared, 2);
	for (unsigned i = 0; i < LEASE_MAX_NODES; i++)
		put(w, l->member[i], 8);
	for (unsigned i = 0; i < LEASE_MAX_GROUPS; i++) {
		put(w, l->epoch[i], 8);
		put(w, l->known[i], 8);
		put(w, l->wants[i], 2);
	}
	for (unsigned i = 0; i < LEASE_MAX_NODES; i++) {
		put(w, l->grant[i].incarnation, 8);
		put(w, l->grant[i].seq, 8);
		put(w, l->grant[i].groups, 2);
	}
}

static void put_request(struct wbuf *w, const struct heartbeat_request *r)
{
	put(w, r->group, 2);
	put(w, r->kin, 2);
	wbuf_put(w, slice_of((const char *)&r->remote.ip, 4));
	put(w, r->remote.port, 2);
	put(w, r->bytes.n, 2);
	wbuf_put(w, r->bytes);
}

size_t heartbeat_encode(const struct heartbeat_key *key, const struct heartbeat *h, uint8_t *out,
			size_t cap)
{
	uint32_t room = (uint32_t)(cap < HEARTBEAT_MAX ? cap : HEARTBEAT_MAX);
	struct wbuf w;

	if (room < HEARTBEAT_MAC)
		return 0;
	wbuf_init(&w, out, room - HEARTBEAT_MAC);
	put_head(&w, &h->head);
	if (h->head.kind == HEARTBEAT_LEASE)
		put_lease(&w, &h->lease);
	else
		put_request(&w, &h->request);
	if (!wbuf_ok(&w) || !sign(key, out, w.n, out + w.n))
		return 0;
	return w.n + HEARTBEAT_MAC;
}

/* ---- reading ---- */

struct cursor {
	const uint8_t *p;
	size_t n;
	bool bad; /* cut short, or a value that has no meaning */
};

static uint64_t get(struct cursor *c, unsigned bytes)
{
	uint64_t v = 0;

	if (c->n < bytes) {
		c->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)c->p[i] << (8 * i);
	c->p += bytes;
	c->n -= bytes;
	return v;
}

static uint64_t get_up_to(struct cursor *c, unsigned bytes, uint64_t most)
{
	uint64_t v = get(c, bytes);

	c->bad |= v > most;
	return v;
}

static void get_head(struct cursor *c, struct heartbeat_head *h)
{
	c->bad |= c->n < sizeof(magic) || memcmp(c->p, magic, sizeof(magic)) != 0;
	get(c, sizeof(magic));
	c->bad |= get(c, 1) != HEARTBEAT_VERSION;
	h->kind = (enum heartbeat_kind)get(c, 1);
	c->bad |= h->kind != HEARTBEAT_LEASE && h->kind != HEARTBEAT_REQUEST;
	get_up_to(c, 2, 0);
	h->from = (uint16_t)get_up_to(c, 2, LEASE_MAX_NODES - 1);
	h->to = (uint16_t)get_up_to(c, 2, LEASE_MAX_NODES - 1);
	get_up_to(c, 8, 0);
	h->incarnation = get(c, 8);
	h->number = get(c, 8);
	h->echo_incarnation = get(c, 8);
	h->echo_number = get(c, 8);
	h->config = get(c, 8);
	c->bad |= h->incarnation == 0 || h->number == 0 || h->from == h->to;
}

static void get_lease(struct cursor *c, const struct heartbeat_head *head,
		      struct lease_heartbeat *l)
{
	uint64_t bits;

	l->from = head->from;
	l->incarnation = head->incarnation;
	l->seq = get(c, 8);
	bits = get_up_to(c, 1, 3);
	l->leaving = bits & 1;
	l->ready = bits >> 1;
	get_up_to(c, 1, 0);
	l->prepared = (uint16_t)get(c, 2);
	for (unsigned i = 0; i < LEASE_MAX_NODES; i++)
		l->member[i] = get(c, 8);
	for (unsigned i = 0; i < LEASE_MAX_GROUPS; i++) {
		l->epoch[i] = get(c, 8);
		l->known[i] = get(c, 8);
		l->wants[i] = (uint16_t)get(c, 2);
		c->bad |= l->wants[i] >= LEASE_MAX_NODES && l->wants[i] != LEASE_NONE;
	}
	for (unsigned i = 0; i < LEASE_MAX_NODES; i++) {
		l->grant[i].incarnation = get(c, 8);
		l->grant[i].seq = get(c, 8);
		l->grant[i].groups = (uint16_t)get(c, 2);
	}
}

static void get_request(struct cursor *c, struct heartbeat_request *r)
{
	r->group = (uint16_t)get_up_to(c, 2, LEASE_MAX_GROUPS - 1);
	r->kin = (uint16_t)get(c, 2);
	if (c->n >= 4)
		memcpy(&r->remote.ip, c->p, 4);
	get(c, 4);
	r->remote.port = (uint16_t)get(c, 2);
	r->bytes.n = (uint32_t)get(c, 2);
	c->bad |= !net_addr_is_set(r->remote) || r->bytes.n == 0 || r->bytes.n > c->n;
	if (c->bad)
		return;
	r->bytes.p = (const char *)c->p;
	c->p += r->bytes.n;
	c->n -= r->bytes.n;
}

bool heartbeat_decode(const struct heartbeat_key *key, const uint8_t *data, size_t n,
		      struct heartbeat *h)
{
	uint8_t mac[HEARTBEAT_MAC];
	struct cursor c;

	if (n < HEARTBEAT_HEAD + HEARTBEAT_MAC || n > HEARTBEAT_MAX)
		return false;
	n -= HEARTBEAT_MAC;
	if (!sign(key, data, n, mac) || CRYPTO_memcmp(mac, data + n, HEARTBEAT_MAC) != 0)
		return false;
	memset(h, 0, sizeof(*h));
	c = (struct cursor){data, n, false};
	get_head(&c, &h->head);
	if (c.bad)
		return false;
	if (h->head.kind == HEARTBEAT_LEASE)
		get_lease(&c, &h->head, &h->lease);
	else
		get_request(&c, &h->request);
	return !c.bad && c.n == 0;
}

/* ---- replays ---- */

/* RFC 4303 3.4.3's window: higher moves it on, lower counts once while it is within. */
static bool is_new(struct heartbeat_peer *p, uint64_t number)
{
	uint64_t ahead, behind;

	if (number > p->number) {
		ahead = number - p->number;
		p->window = ahead < 64 ? p->window << ahead | 1 : 1;
		p->number = number;
		return true;
	}
	behind = p->number - number;
	if (behind >= 64 || p->window >> behind & 1)
		return false;
	p->window |= 1ull << behind;
	return true;
}

static bool proves_itself(const struct heartbeat_peer *p, uint64_t self,
			  const struct heartbeat_head *h)
{
	return h->echo_incarnation == self && h->echo_number != 0 && h->echo_number <= p->sent &&
	       p->sent - h->echo_number < HEARTBEAT_ECHO;
}

static void note_seen(struct heartbeat_peer *p, const struct heartbeat_head *h)
{
	if (h->incarnation == p->seen_incarnation && h->number < p->seen_number)
		return;
	p->seen_incarnation = h->incarnation;
	p->seen_number = h->number;
}

bool heartbeat_accept(struct heartbeat_peer *p, uint64_t self, const struct heartbeat_head *h)
{
	if (h->incarnation != p->incarnation) {
		note_seen(p, h);
		if (!proves_itself(p, self, h))
			return false;
		p->incarnation = h->incarnation;
		p->number = h->number;
		p->window = 1;
		p->lease_number = 0;
	} else if (!is_new(p, h->number)) {
		return false;
	}
	note_seen(p, h);
	if (h->kind != HEARTBEAT_LEASE)
		return true;
	/* What a node says of itself counts in its order: a later word is not taken back. */
	if (h->number <= p->lease_number)
		return false;
	p->lease_number = h->number;
	return true;
}

void heartbeat_number(struct heartbeat_peer *p, struct heartbeat_head *head)
{
	head->number = ++p->sent;
	head->echo_incarnation = p->seen_incarnation;
	head->echo_number = p->seen_number;
}
