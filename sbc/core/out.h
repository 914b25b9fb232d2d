/*
 * out: what an event makes the border do, as a bounded list of actions.
 *
 * The driver (a worker, a test, a simulator) owns a struct engine_out, clears it
 * before each event and carries the actions out in order. Bytes of a SEND lie in
 * the out's scratch, whatever happens meanwhile to the memory they were taken
 * from, and are valid until the out is cleared; so do asks, answers and records.
 *
 * An out is large and points into itself: it is used where it lies, never copied.
 * What does not fit sets `overflow` and is left out whole.
 */
#ifndef SBC_CORE_OUT_H
#define SBC_CORE_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/net.h"
#include "sbc/base/slice.h"
#include "sbc/base/wbuf.h"
#include "sbc/core/checkpoint.h"
#include "sbc/media/flow.h"

#define ENGINE_MAX_ACTIONS 256u
#define ENGINE_SCRATCH     (256u * 1024u)
#define ENGINE_USER        128u
#define ENGINE_CONTACT     512u

/*
 * Local listener (its address is the source) and the far end. A listener is an index of
 * the snapshot in events and actions; inside the engine it is what slots_listener() says.
 */
struct engine_path {
	uint32_t listener;
	struct net_addr remote;
};

enum engine_action_type {
	ENGINE_SEND,          /* one SIP message */
	ENGINE_FLOW_PUBLISH,  /* set up or change the flow at spec.realm/spec.port */
	ENGINE_FLOW_RETIRE,   /* free it */
	ENGINE_ASK,           /* question for the shard that owns `ask.bucket` */
	ENGINE_ANSWER,        /* answer for shard `answer.to_shard` */
	ENGINE_RECORD,        /* something ended or began that an operator keeps */
	ENGINE_STORE_PUT,     /* keep this checkpoint; said done by ENGINE_EV_STORED */
	ENGINE_STORE_DELETE,  /* what was put is over; not answered */
	ENGINE_STORE_BARRIER, /* all that was owed at an ENGINE_EV_BARRIER went before this */
	ENGINE_FORWARD /* a request within a dialog that is nobody's here: maybe another node's */
};

enum engine_ask_kind {
	ENGINE_ASK_CONTACT, /* user is a contact user that we minted */
	ENGINE_ASK_AOR      /* user is the user part of an address of record */
};

struct engine_ask {
	uint8_t bucket;
	uint16_t from_shard;
	uint64_t ref; /* the asker's; given back */
	enum engine_ask_kind kind;
	uint16_t realm;   /* AOR: only bindings in this realm, or at a registrar in it */
	uint32_t from_ip; /* AOR: a binding from there is preferred; 0: any */
	uint16_t user_len;
	char user[ENGINE_USER];
};

struct engine_answer {
	uint16_t to_shard;
	uint64_t ref;
	bool found;
	struct engine_path path; /* where the phone is reached: its proven source */
	uint16_t realm;
	uint16_t contact_len;
	char contact[ENGINE_CONTACT]; /* the phone's own Contact URI */
	uint16_t user_len;
	char user[ENGINE_USER]; /* of its address of record */
};

/*
 * What is to be kept. A put replaces what there was under the id, or changes it: then
 * it is of the version before, or the put is refused. Of one id there
 * is never more than one put without its ENGINE_EV_STORED, so that the driver
 * holds at most as many as the engine's window allows; deletes need no answer
 * and come only for ids that were put.
 */
struct engine_store {
	enum checkpoint_kind kind;
	uint16_t group; /* of the snapshot: whose call it is */
	char id[IDENT_LEN];
	uint64_t handle;     /* call or registration; given back */
	uint32_t version;    /* given back */
	bool urgent;         /* somebody waits for it */
	bool whole;          /* PUT: all of it, else what has changed since the put before, */
	uint16_t gone;       /* the last so many fields being those that are gone */
	uint32_t ttl_s;      /* forgotten that long after it was put, unless put again */
	struct slice fields; /* PUT: flat (checkpoint.h), valid as long as a SEND's bytes */
};

/*
 * A request whose dialog is not here. Nothing was answered: its sender repeats it,
 * and the node that holds the dialog answers. `print` is the same on every node
 * that has the key: engine_dialog_print() of Call-ID and To tag.
 */
struct engine_forward {
	uint64_t print;
	struct engine_path path;
	struct slice bytes;
};

enum engine_record_kind {
	RECORD_CALL_BEGIN,
	RECORD_CALL_ANSWERED,
	RECORD_CALL_END,
	RECORD_REGISTERED,
	RECORD_UNREGISTERED,
	RECORD_MEDIA /* made by the dataplane: a flow is over; `media` says what it carried */
};

/* Why a call ended, for the CDR. */
enum engine_end {
	END_NONE = 0,
	END_BYE_CALLER,
	END_BYE_CALLEE,
	END_CANCELLED,
	END_REFUSED,  /* final answer other than 2xx; `status` */
	END_TIMEOUT,  /* no answer of a peer to a request */
	END_NO_ACK,   /* 2xx never acknowledged */
	END_MEDIA,    /* media silent on both sides */
	END_OPERATOR, /* killed */
	END_DRAIN,
	END_MAX_TIME,
	END_ERROR, /* out of resources in mid-call */
	END_COUNT
};
const char *engine_end_name(enum engine_end e);

struct engine_record {
	enum engine_record_kind kind;
	uint64_t call; /* handle, or registration handle */
	uint64_t at_ms, began_ms, answered_ms;
	uint16_t from_realm, to_realm, status;
	enum engine_end end;
	char from_user[64]; /* cut, NUL-terminated */
	char to_user[64];
	struct {
		uint16_t port, stream;
		uint8_t leg;
		bool rtcp;
		uint64_t packets, bytes; /* relayed from this side, in earlier processes too */
		uint32_t lost, jitter_us;
	} media; /* RECORD_MEDIA */
};

struct engine_action {
	enum engine_action_type type;
	union {
		struct {
			struct engine_path path;
			struct slice bytes;
		} send;
		struct flow_spec flow; /* RETIRE: only realm and port count */
		const struct engine_ask *ask;
		const struct engine_answer *answer;
		const struct engine_record *record;
		const struct engine_store *store;
		uint64_t barrier; /* its ref */
		const struct engine_forward *forward;
	};
};

struct engine_out {
	uint32_t count;
	bool overflow; /* an action did not fit: a defect, which tests assert never to happen */
	struct engine_action action[ENGINE_MAX_ACTIONS];
	struct wbuf scratch;
	char scratch_bytes[ENGINE_SCRATCH];
};

void engine_out_clear(struct engine_out *o);

/* Room left, in actions: callers that loop stop while there is room for one more call's worth. */
uint32_t engine_out_room(const struct engine_out *o);

/* Bytes of scratch left. */
uint32_t engine_out_scratch_room(const struct engine_out *o);

/*
 * A writer over what is left of the scratch. What was written is kept by
 * engine_out_composed(), which returns it, or SLICE_NONE when it did not fit
 * (and says so in `overflow`). One at a time; without engine_out_composed() the
 * scratch stays as it was. Nothing else may be put into the out in between.
 */
struct wbuf engine_out_compose(struct engine_out *o);
struct slice engine_out_composed(struct engine_out *o, const struct wbuf *w);

/* Bytes that are not in the scratch yet are copied there. From SNAPSHOT_NONE nothing leaves. */
void engine_out_send(struct engine_out *o, const struct engine_path *path, struct slice bytes);
void engine_out_flow_publish(struct engine_out *o, const struct flow_spec *spec);
void engine_out_flow_retire(struct engine_out *o, uint16_t realm, uint8_t address, uint16_t port);

/* Zeroed object in scratch, already queued; NULL when full. */
struct engine_ask *engine_out_ask(struct engine_out *o);
struct engine_answer *engine_out_answer(struct engine_out *o);
struct engine_record *engine_out_record(struct engine_out *o);
struct engine_store *engine_out_store(struct engine_out *o, enum engine_action_type type);
/* False when full, which is no overflow: it is said later. */
bool engine_out_barrier(struct engine_out *o, uint64_t ref);
struct engine_forward *engine_out_forward(struct engine_out *o);

#endif
