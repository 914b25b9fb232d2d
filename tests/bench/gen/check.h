/*
 * check: whether a message is what its side must see, as a set of faults.
 *
 * A call that has had a fault is not done, whatever else went right. Everything
 * is held against what this side itself has sent or seen before: its own branch,
 * Call-ID and tags must come back unchanged, the border's must stay the same
 * throughout a dialog, and addresses must be the border's own.
 */
#ifndef TESTS_BENCH_GEN_CHECK_H
#define TESTS_BENCH_GEN_CHECK_H

#include "tests/bench/gen/message.h"

/* In the order of check_fault_name(). */
enum fault {
	FAULT_LEAK,    /* something of the other side */
	FAULT_VIA,     /* branch not echoed, or not the border's address */
	FAULT_CALL_ID, /* another dialog's */
	FAULT_TAG,
	FAULT_CSEQ,
	FAULT_CONTACT,  /* missing, or not the border's address */
	FAULT_SDP,      /* missing, or not the border's address and an even port */
	FAULT_IDENTITY, /* host of From or To is not the border's */
	FAULT_MEDIA,    /* RTP of the call was lost */
	FAULTS
};

#define FAULT(name) (1u << FAULT_##name)

const char *check_fault_name(enum fault fault);

/* What a message must hold; empty strings are not compared. */
struct expected {
	struct text sent_by; /* whole: 192.0.2.1:5060 */
	struct text branch;  /* empty: any that is there */
	struct text call_id;
	struct text from_tag; /* empty: any that is there */
	struct text to_tag;
	bool to_tag_none;    /* there must not be one */
	uint32_t cseq;       /* 0: any */
	struct text contact; /* address that Contact must have; empty: not looked at */
	struct text from_host;
};

uint32_t check_message(const struct message *m, const struct expected *e);

/* An address and port that a session description gives for its only stream. */
struct media {
	uint32_t ip; /* network order */
	uint16_t port;
};

/* The address must be one of `count` from `first` (network order) on. */
uint32_t check_sdp(struct text body, uint32_t first, uint32_t count, struct media *out);

#endif
