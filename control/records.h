/*
 * records: the line that each call and registration leaves in the log, from
 * which an operator bills and searches.
 */
#ifndef CONTROL_RECORDS_H
#define CONTROL_RECORDS_H

#include "control/config.h"

/* `rate` lines a second at most, 0: none; the rest is counted as suppressed. */
void records_init(uint32_t rate);
void records_log(const struct snapshot *s, const struct engine_record *r, uint16_t worker);

#endif
