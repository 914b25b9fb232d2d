/*
 * list: what follows one element of a comma-separated header value.
 *
 * Private to sbc/sip; sip_list_next() in msg.h walks such values from outside.
 */
#ifndef SBC_SIP_LIST_H
#define SBC_SIP_LIST_H

#include "sbc/base/slice.h"

/*
 * `s` is what is left behind an element. True when that is nothing (`*rest` is
 * then SLICE_NONE) or a comma with a further element behind it.
 */
bool sip_list_tail(struct slice s, struct slice *rest);

#endif
