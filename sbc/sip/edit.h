/*
 * edit: a sorted list of replacements over a message, gather-written once.
 *
 * Edits name byte ranges of the original message and the bytes that stand there
 * instead (an empty slice deletes, an empty range inserts). They must be added
 * in ascending order and must not overlap; sip_edit_write() copies what lies
 * between them. Replacement slices must live until the write: what is composed
 * on the way goes into the edit's own scratch (sip_edit_scratch()).
 */
#ifndef SBC_SIP_EDIT_H
#define SBC_SIP_EDIT_H

#include "sbc/base/err.h"
#include "sbc/base/wbuf.h"
#include "sbc/sip/msg.h"

#define SIP_EDIT_MAX     192u
#define SIP_EDIT_SCRATCH 16384u

struct sip_edit_op {
	uint32_t off;
	uint32_t len;
	struct slice with;
};

struct sip_edit {
	const struct sip_msg *msg;
	uint32_t count;
	uint32_t composed; /* where in scratch the piece under way begins */
	enum sbc_err err;  /* out of order or overlapping: SBC_EBAD; too many: SBC_ELIMIT */
	struct wbuf scratch;
	struct sip_edit_op op[SIP_EDIT_MAX];
	char scratch_bytes[SIP_EDIT_SCRATCH];
};

void sip_edit_init(struct sip_edit *e, const struct sip_msg *m);

void sip_edit_replace(struct sip_edit *e, uint32_t off, uint32_t len, struct slice with);

/* Whole header line `i`, with its line end: replaced (give the line end) or dropped. */
void sip_edit_line(struct sip_edit *e, uint32_t i, struct slice with);

/* Only the value of header line `i`. */
void sip_edit_value(struct sip_edit *e, uint32_t i, struct slice with);

/*
 * Begin composing in scratch; what is put into e->scratch until
 * sip_edit_composed() becomes a slice that lives as long as the edit.
 */
struct wbuf *sip_edit_scratch(struct sip_edit *e);
struct slice sip_edit_composed(struct sip_edit *e);

/*
 * Writes the edited message. SBC_EFULL when `out` or the scratch had no room,
 * SBC_ELIMIT when there were too many edits, SBC_EBAD when they were not in
 * order (a defect of the caller's). Nothing may be read from `out` unless SBC_OK.
 */
enum sbc_err sip_edit_write(struct sip_edit *e, struct wbuf *out);

#endif
