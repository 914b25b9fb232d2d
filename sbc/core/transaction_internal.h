/*
 * transaction_internal: what the files of the transaction layer share.
 *
 * transaction.c owns objects and time, tx_key.c names transactions, tx_server.c
 * and tx_client.c are the state machines, tx_follow.c writes the ACK and the
 * CANCEL that follow an INVITE hop by hop.
 */
#ifndef SBC_CORE_TRANSACTION_INTERNAL_H
#define SBC_CORE_TRANSACTION_INTERNAL_H

#include <assert.h>

#include "sbc/base/pool.h"
#include "sbc/base/table.h"
#include "sbc/base/wheel.h"
#include "sbc/core/transaction.h"

#define TX_NEVER      UINT64_MAX
#define TX_KEY_INLINE 68u

/* 17.1.1.2: at least 32 s where the transport loses messages. */
#define TX_TIMER_D_MIN_MS 32000u

enum tx_kind { TX_SERVER_INVITE, TX_SERVER_OTHER, TX_CLIENT_INVITE, TX_CLIENT_OTHER };

enum tx_state {
	TX_CALLING,    /* INVITE client */
	TX_TRYING,     /* non-INVITE, both sides */
	TX_PROCEEDING, /* all */
	TX_COMPLETED,  /* all */
	TX_CONFIRMED,  /* INVITE server */
	TX_ACCEPTED    /* INVITE, both sides: RFC 6026 */
};

enum tx_flag {
	TX_F_CANCEL = 1u << 0,      /* client INVITE: the TU wants it cancelled */
	TX_F_CANCEL_OWED = 1u << 1, /* and there is no transaction yet to repeat the CANCEL */
	TX_F_ACKED = 1u << 2,       /* server INVITE in Accepted: its ACK has come */
	TX_F_SILENT = 1u << 3       /* CANCEL of this layer's: no TU */
};

/*
 * One wheel timer serves both deadlines: it stands at the earlier one. Bytes in
 * blobs:
 *   msg   server: last response; client: the request, while it is retransmitted
 *   aux   server: reply head, until a final; INVITE client: what its ACK and
 *         CANCEL are made of (tx_follow.c), from the first response on
 */
struct tx {
	uint64_t user;
	uint64_t repeat_at; /* TX_NEVER: nothing to send again */
	uint64_t end_at;    /* TX_NEVER: INVITE in Proceeding */
	struct engine_path path;
	uint32_t interval_ms; /* between the latest sending and repeat_at */
	uint32_t msg, aux;
	uint16_t aux_fixed; /* INVITE client: bytes of aux before the To */
	uint16_t key_len;
	uint16_t key_hashed; /* leading bytes of the key that are hashed and compared as bytes */
	uint8_t kind, state, method, flags;
	union {
		uint8_t bytes[TX_KEY_INLINE];
		uint32_t blob; /* longer keys */
	} key;
};
static_assert(sizeof(struct tx) == 128, "two cache lines");

struct tx_layer {
	struct pool pool;
	struct table table;
	struct wheel wheel;
	struct siphash_key key;
	struct blob_store *blobs;
	uint32_t t1_ms, t2_ms, t4_ms;
	uint64_t retransmissions;
	bool behind;
};

/* ---- transaction.c ---- */

static inline uint32_t tx_index(const struct tx_layer *l, const struct tx *t)
{
	return (uint32_t)((uint64_t)((const uint8_t *)t - l->pool.objects) / sizeof(*t));
}

static inline struct tx *tx_at(const struct tx_layer *l, uint32_t index)
{
	return pool_at(&l->pool, index);
}

static inline struct tx *tx_of(const struct tx_layer *l, uint64_t handle)
{
	return pool_get(&l->pool, handle);
}

static inline uint64_t tx_handle(const struct tx_layer *l, const struct tx *t)
{
	return pool_handle(&l->pool, tx_index(l, t));
}

static inline uint64_t tx_64t1(const struct tx_layer *l)
{
	return 64ull * l->t1_ms;
}

struct tx_key;

/* An object that can be found by `key`, with no deadline yet; NULL when there is no room. */
struct tx *tx_create(struct tx_layer *l, const struct tx_key *key);
void tx_destroy(struct tx_layer *l, struct tx *t);

/* Gives a blob back and forgets it. */
void tx_drop(struct tx_layer *l, uint32_t *blob);

/* Replaces the blob's bytes; false, and no bytes, when there is no room. */
bool tx_keep(struct tx_layer *l, uint32_t *blob, struct slice bytes);

/* Puts the timer where the earlier of the two deadlines is. */
void tx_arm(struct tx_layer *l, struct tx *t);

/* Sends the kept bytes again, if there are any. */
void tx_resend(struct tx_layer *l, const struct tx *t, struct engine_out *out);

/* ---- tx_key.c ---- */

struct tx_key {
	uint32_t n, hashed;
	uint32_t hash;
	bool too_long;
	uint8_t bytes[TX_KEY_MAX];
};

/* 17.2.3, with the method given: ACK and CANCEL look for the INVITE's. */
void tx_key_server(const struct tx_layer *l, struct tx_key *k, const struct sip_msg *m,
		   const struct sip_via *via, struct slice method);

/*
 * The same for a request known by a response to it and, of an RFC 2543 client, by its
 * Request-URI and Via parameters.
 */
void tx_key_adopted(const struct tx_layer *l, struct tx_key *k, const struct sip_msg *response,
		    const struct tx_server_kept *kept);

/* What of an RFC 2543 client's key its response does not say. */
void tx_key_legacy(const struct tx_layer *l, const struct tx *t, struct tx_server_kept *kept);

/* 17.1.3. */
void tx_key_client(const struct tx_layer *l, struct tx_key *k, struct slice method,
		   struct slice branch);

/* The branch in a client transaction's key. */
struct slice tx_key_branch(const struct tx_layer *l, const struct tx *t);

/*
 * The transaction with that key, or NULL. With `ack` the To tag is that of the
 * response sent, not of the request (17.2.3, RFC 2543 clients only).
 */
struct tx *tx_find(const struct tx_layer *l, const struct tx_key *k, bool ack);

/* Whether one more RFC 2543 transaction may share this hash. */
bool tx_key_has_room(const struct tx_layer *l, const struct tx_key *k);

/* ---- tx_client.c ---- */

/* What is due at repeat_at; sets the interval to the next. */
void tx_client_repeat(struct tx_layer *l, struct tx *t, uint64_t now, struct engine_out *out);

/* ---- tx_server.c ---- */
void tx_server_repeat(struct tx_layer *l, struct tx *t, struct engine_out *out);

/* ---- tx_follow.c ---- */

/*
 * Puts what ACK and CANCEL need of the INVITE in place of the INVITE's bytes,
 * which are not sent again after the first response. When there is no room to
 * compose it, those bytes stay and the next call tries again.
 */
void tx_follow_keep(struct tx_layer *l, struct tx *t, struct engine_out *out);

/* The hop-by-hop ACK to a non-2xx final (17.1.1.3), whose To value is given. */
void tx_follow_ack(struct tx_layer *l, struct tx *t, struct slice to, struct engine_out *out);

/* The CANCEL (9.1), composed in the out's scratch; SLICE_NONE when it cannot be. */
struct slice tx_follow_cancel(struct tx_layer *l, struct tx *t, struct engine_out *out);

#endif
