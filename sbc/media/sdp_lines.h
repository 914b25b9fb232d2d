/*
 * sdp_lines: a body cut into lines.
 *
 * Private to sbc/media/sdp*.c. Lines end in LF or CRLF, the last may lack it; empty
 * ones are left out. What is not "x=value" or has a control character but HTAB in it
 * is SBC_EBAD; too many lines, and too long ones, are SBC_ELIMIT. The first line at
 * fault decides.
 */
#ifndef SBC_MEDIA_SDP_LINES_H
#define SBC_MEDIA_SDP_LINES_H

#include "sbc/media/sdp.h"

/* Fills d->line[0..d->lines) and d->crlf from d->body; the latter two are 0 before. */
enum sbc_err sdp_lines_cut(struct sdp *d);

#endif
