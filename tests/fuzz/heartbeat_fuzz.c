/*
 * Any bytes as a datagram of another node: as they are, which nobody without the
 * key gets past; and signed with the key, as a defect or another release would.
 * What is decoded is within bounds and is written again as the same bytes.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "control/heartbeat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
	if (!promise)
		abort();
}

static void check(const struct heartbeat_key *key, const struct heartbeat *h, const uint8_t *data,
		  size_t n)
{
	static uint8_t again[HEARTBEAT_MAX];

	must(h->head.from < LEASE_MAX_NODES && h->head.to < LEASE_MAX_NODES);
	must(h->head.incarnation != 0 && h->head.number != 0);
	if (h->head.kind == HEARTBEAT_LEASE)
		for (unsigned i = 0; i < LEASE_MAX_GROUPS; i++)
			must(h->lease.wants[i] < LEASE_MAX_NODES ||
			     h->lease.wants[i] == LEASE_NONE);
	else
		must(h->request.bytes.p >= (const char *)data &&
		     h->request.bytes.n <= n - HEARTBEAT_HEAD);
	must(heartbeat_encode(key, h, again, sizeof(again)) == n);
	must(memcmp(again, data, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct siphash_key node = {3, 4};
	struct heartbeat_key key;
	struct heartbeat h;
	struct heartbeat_peer peer = {0};
	unsigned len = HEARTBEAT_MAC;
	uint8_t *copy;

	heartbeat_key_init(&key, &node, "fuzz");
	must(!heartbeat_decode(&key, data, size, &h));
	if (size > HEARTBEAT_MAX)
		return 0;
	copy = malloc(size + HEARTBEAT_MAC);
	must(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	HMAC(EVP_sha256(), key.mac, sizeof(key.mac), copy, size, copy + size, &len);
	if (heartbeat_decode(&key, copy, size + HEARTBEAT_MAC, &h)) {
		check(&key, &h, copy, size + HEARTBEAT_MAC);
		must(!heartbeat_accept(&peer, 1, &h.head)); /* nothing was sent to it yet */
	}
	free(copy);
	return 0;
}
