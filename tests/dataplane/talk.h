/*
 * talk: SIP messages by hand, for the tests that drive a call through frames.
 */
#ifndef TESTS_DATAPLANE_TALK_H
#define TESTS_DATAPLANE_TALK_H

#include "tests/dataplane/bed.h"

#define TALK_MAX 65536u

/* A call from the phone to the PBX, as it goes on. */
struct talk {
	char call_id[64];  /* the phone's */
	char branch[64];   /* of its INVITE */
	char invite[4096]; /* as the PBX got it */
	char ok[4096];     /* as the phone got it */
	uint16_t out_rtp;  /* ports of the border */
	uint16_t in_rtp;
};

#define TALK_PHONE_RTP 40000u
#define TALK_PBX_RTP   17000u

void talk_init(struct talk *t, uint32_t number);

/* A message in one frame, to the border's listener of that port; then turns. */
void talk_send(struct bed *b, uint32_t port, const char *text);

/* The next SIP message sent on a port, NUL-terminated. */
void talk_expect(struct bed *b, uint32_t port, const char *begin, char *text, uint32_t room);

/* The value of a header, or of what follows `mark` up to the line's end. */
bool talk_header(const char *text, const char *name, char *value, uint32_t room);

/* The media port in an SDP. */
uint16_t talk_media_port(const char *text);

/* INVITE, 100, 200, ACK: the call stands. */
void talk_call(struct bed *b, struct talk *t);
/* The same by parts: INVITE up to the PBX; its 200; that 200 at the phone, and ACK. */
void talk_invite(struct bed *b, struct talk *t);
void talk_answer(struct bed *b, struct talk *t);
void talk_answered(struct bed *b, struct talk *t);

/* BYE from the phone, and its answer. */
void talk_bye(struct bed *b, struct talk *t);

#endif
