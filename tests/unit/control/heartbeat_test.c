/* Datagrams between nodes: what was written is read; what anybody changed or kept is refused. */
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/heartbeat.h"
#include "tests/lib/guard.h"

#define A 0xaaaa0001u /* incarnations */
#define B 0xbbbb0001u

static struct heartbeat_key key;
static uint8_t bytes[HEARTBEAT_MAX];

static int set_up(void **state)
{
	const struct siphash_key node = {1, 2};

	(void)state;
	heartbeat_key_init(&key, &node, "berlin");
	return 0;
}

static void sign(uint8_t *data, size_t n)
{
	unsigned len = HEARTBEAT_MAC;

	assert_non_null(HMAC(EVP_sha256(), key.mac, sizeof(key.mac), data, n, data + n, &len));
}

static struct heartbeat lease_of(uint64_t number)
{
	struct heartbeat h;

	memset(&h, 0, sizeof(h));
	h.head = (struct heartbeat_head){HEARTBEAT_LEASE, 2, 1, A, number, B, 7, 0xc0ffee};
	h.lease.from = 2;
	h.lease.incarnation = A;
	h.lease.seq = 41;
	h.lease.ready = true;
	h.lease.prepared = 7;
	for (unsigned i = 0; i < LEASE_MAX_GROUPS; i++) {
		h.lease.epoch[i] = i * 1000000007ull;
		h.lease.known[i] = UINT64_MAX - i;
		h.lease.wants[i] = i % 3 ? LEASE_NONE : (uint16_t)i;
	}
	for (unsigned i = 0; i < LEASE_MAX_NODES; i++) {
		h.lease.member[i] = i ? 0x1234567890abcdefull * i : 0;
		h.lease.grant[i].incarnation = UINT64_MAX - i;
		h.lease.grant[i].seq = i;
		h.lease.grant[i].groups = (uint16_t)(1u << i);
	}
	return h;
}

static struct heartbeat request_of(const char *text, uint32_t n)
{
	struct heartbeat h;

	memset(&h, 0, sizeof(h));
	h.head = (struct heartbeat_head){HEARTBEAT_REQUEST, 0, 1, A, 1, B, 7, 0xc0ffee};
	h.request = (struct heartbeat_request){
		.group = 3, .kin = 2, .remote = {inet_addr("198.51.100.7"), 5062}};
	h.request.bytes = slice_of(text, n);
	return h;
}

static void what_a_node_says_of_itself_arrives(void **state)
{
	struct heartbeat in = lease_of(9), out;
	size_t n = heartbeat_encode(&key, &in, bytes, sizeof(bytes));

	(void)state;
	assert_true(n > 0);
	assert_true(heartbeat_decode(&key, bytes, n, &out));
	assert_memory_equal(&out.lease, &in.lease, sizeof(in.lease));
	assert_int_equal(out.head.from, 2);
	assert_int_equal(out.head.to, 1);
	assert_int_equal(out.head.number, 9);
	assert_true(out.head.echo_incarnation == B && out.head.echo_number == 7);
	assert_int_equal(out.head.config, 0xc0ffee);
}

static void a_request_arrives(void **state)
{
	static char text[HEARTBEAT_REQUEST_MAX];
	const uint32_t lengths[] = {1, 400, HEARTBEAT_REQUEST_MAX};

	(void)state;
	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < 3; i++) {
		struct heartbeat in = request_of(text, lengths[i]), out;
		size_t n = heartbeat_encode(&key, &in, bytes, sizeof(bytes));

		assert_true(n > 0);
		assert_true(heartbeat_decode(&key, bytes, n, &out));
		assert_true(slice_eq(out.request.bytes, in.request.bytes));
		assert_int_equal(out.request.group, 3);
		assert_int_equal(out.request.kin, 2);
		assert_true(net_addr_eq(out.request.remote, in.request.remote));
	}
}

static void what_does_not_fit_is_not_written(void **state)
{
	static char text[HEARTBEAT_REQUEST_MAX + 1];
	struct heartbeat h = request_of(text, sizeof(text));

	(void)state;
	assert_int_equal(heartbeat_encode(&key, &h, bytes, sizeof(bytes)), 0);
	h = lease_of(1);
	for (size_t cap = 0; cap < 600; cap += 7)
		assert_int_equal(heartbeat_encode(&key, &h, bytes, cap), 0);
}

static void any_changed_bit_is_refused(void **state)
{
	struct heartbeat in[2] = {lease_of(9), request_of("BYE sip:a SIP/2.0\r\n\r\n", 21)}, out;

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		size_t n = heartbeat_encode(&key, &in[k], bytes, sizeof(bytes));

		for (size_t bit = 0; bit < n * 8; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_false(heartbeat_decode(&key, bytes, n, &out));
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_true(heartbeat_decode(&key, bytes, n, &out));
	}
}

static void any_other_length_is_refused(void **state)
{
	struct heartbeat in = lease_of(9), out;
	size_t n = heartbeat_encode(&key, &in, bytes, sizeof(bytes));
	struct guard g;

	(void)state;
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *p = (uint8_t *)guard_end(&g, bytes, cut);

		assert_false(heartbeat_decode(&key, p, cut, &out));
		/* Nor when it is authentic. */
		if (cut > HEARTBEAT_MAC) {
			sign(p, cut - HEARTBEAT_MAC);
			assert_false(heartbeat_decode(&key, p, cut, &out));
		}
		guard_free(&g);
	}
	assert_false(heartbeat_decode(&key, bytes, n + 1, &out));
	assert_false(heartbeat_decode(&key, bytes, HEARTBEAT_MAX + 1, &out));
}

static void another_key_or_cluster_is_refused(void **state)
{
	const struct siphash_key node = {1, 2}, other = {1, 3};
	struct heartbeat in = lease_of(9), out;
	size_t n = heartbeat_encode(&key, &in, bytes, sizeof(bytes));
	struct heartbeat_key k;

	(void)state;
	heartbeat_key_init(&k, &other, "berlin");
	assert_false(heartbeat_decode(&k, bytes, n, &out));
	heartbeat_key_init(&k, &node, "berlin2");
	assert_false(heartbeat_decode(&k, bytes, n, &out));
	heartbeat_key_init(&k, &node, "berlin");
	assert_true(heartbeat_decode(&k, bytes, n, &out));
}

/* Authentic, yet of no meaning: another release's, or a defect's. */
static void values_without_meaning_are_refused(void **state)
{
	struct heartbeat h, out;

	(void)state;
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		h = lease_of(9);                                                                   \
		change;                                                                            \
		assert_false(heartbeat_decode(                                                     \
			&key, bytes, heartbeat_encode(&key, &h, bytes, sizeof(bytes)), &out));     \
	} while (0)
	REFUSED(h.head.from = LEASE_MAX_NODES);
	REFUSED(h.head.to = LEASE_MAX_NODES);
	REFUSED(h.head.to = h.head.from);
	REFUSED(h.head.incarnation = 0);
	REFUSED(h.head.number = 0);
	REFUSED(h.lease.wants[4] = LEASE_MAX_NODES);
	REFUSED((h = request_of("x", 1), h.request.group = LEASE_MAX_GROUPS));
	REFUSED((h = request_of("x", 1), h.request.remote.port = 0));
	REFUSED((h = request_of("x", 0)));
	REFUSED((h = request_of("x", 1), h.head.kind = (enum heartbeat_kind)3));
#undef REFUSED
}

/* Of node A's datagrams to B, whose own state towards A is `at_a`. */
static struct heartbeat_head next(struct heartbeat_peer *at_a, uint64_t incarnation,
				  enum heartbeat_kind kind)
{
	struct heartbeat_head h = {.kind = kind, .from = 0, .to = 1, .incarnation = incarnation};

	heartbeat_number(at_a, &h);
	return h;
}

static void two_nodes_prove_themselves(void **state)
{
	struct heartbeat_peer at_a = {0}, at_b = {0};
	struct heartbeat_head h = next(&at_a, A, HEARTBEAT_LEASE);

	(void)state;
	/* The first is not believed: anybody may have kept it. */
	assert_false(heartbeat_accept(&at_b, B, &h));
	h = next(&at_b, B, HEARTBEAT_LEASE);
	assert_true(heartbeat_accept(&at_a, A, &h));
	h = next(&at_a, A, HEARTBEAT_LEASE);
	assert_true(heartbeat_accept(&at_b, B, &h));
	/* From then on it goes on without answers. */
	for (int i = 0; i < 1000; i++) {
		h = next(&at_a, A, HEARTBEAT_LEASE);
		assert_true(heartbeat_accept(&at_b, B, &h));
	}
}

static void believe(struct heartbeat_peer *at_a, struct heartbeat_peer *at_b)
{
	struct heartbeat_head h = next(at_a, A, HEARTBEAT_LEASE);

	heartbeat_accept(at_b, B, &h);
	h = next(at_b, B, HEARTBEAT_LEASE);
	assert_true(heartbeat_accept(at_a, A, &h));
	h = next(at_a, A, HEARTBEAT_LEASE);
	assert_true(heartbeat_accept(at_b, B, &h));
}

static void a_repeated_datagram_is_refused(void **state)
{
	struct heartbeat_peer at_a = {0}, at_b = {0};
	struct heartbeat_head h[100];

	(void)state;
	believe(&at_a, &at_b);
	for (int i = 0; i < 100; i++)
		h[i] = next(&at_a, A, HEARTBEAT_REQUEST);
	/* In any order within the window, once each. */
	for (int i = 99; i >= 36; i--)
		assert_true(heartbeat_accept(&at_b, B, &h[i]));
	for (int i = 0; i < 100; i++)
		assert_false(heartbeat_accept(&at_b, B, &h[i]));
}

static void a_late_heartbeat_is_refused(void **state)
{
	struct heartbeat_peer at_a = {0}, at_b = {0};
	struct heartbeat_head first, second;

	(void)state;
	believe(&at_a, &at_b);
	first = next(&at_a, A, HEARTBEAT_LEASE);
	second = next(&at_a, A, HEARTBEAT_LEASE);
	assert_true(heartbeat_accept(&at_b, B, &second));
	assert_false(heartbeat_accept(&at_b, B, &first));
}

/* What a node's earlier process sent does not count once another process has come. */
static void an_earlier_process_is_refused(void **state)
{
	struct heartbeat_peer at_a = {0}, at_b = {0}, again = {0};
	struct heartbeat_head old[80], h;

	(void)state;
	believe(&at_a, &at_b);
	for (int i = 0; i < 80; i++) {
		old[i] = next(&at_a, A, HEARTBEAT_LEASE);
		next(&at_b, B, HEARTBEAT_LEASE);
	}
	h = next(&again, A + 1, HEARTBEAT_LEASE);
	assert_false(heartbeat_accept(&at_b, B, &h));
	h = next(&at_b, B, HEARTBEAT_LEASE);
	assert_true(heartbeat_accept(&again, A + 1, &h));
	h = next(&again, A + 1, HEARTBEAT_LEASE);
	assert_true(heartbeat_accept(&at_b, B, &h));
	for (int i = 0; i < 80; i++)
		assert_false(heartbeat_accept(&at_b, B, &old[i]));
	h = next(&again, A + 1, HEARTBEAT_LEASE);
	assert_true(heartbeat_accept(&at_b, B, &h));
	/* Nor before a process of our own that they were not sent to. */
	at_b = (struct heartbeat_peer){0};
	next(&at_b, B + 1, HEARTBEAT_LEASE);
	assert_false(heartbeat_accept(&at_b, B + 1, &old[79]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_node_says_of_itself_arrives),
		cmocka_unit_test(a_request_arrives),
		cmocka_unit_test(what_does_not_fit_is_not_written),
		cmocka_unit_test(any_changed_bit_is_refused),
		cmocka_unit_test(any_other_length_is_refused),
		cmocka_unit_test(another_key_or_cluster_is_refused),
		cmocka_unit_test(values_without_meaning_are_refused),
		cmocka_unit_test(two_nodes_prove_themselves),
		cmocka_unit_test(a_repeated_datagram_is_refused),
		cmocka_unit_test(a_late_heartbeat_is_refused),
		cmocka_unit_test(an_earlier_process_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
