/*
 * driver_check: what every message that leaves must look like, whatever it is.
 * A breach goes to driver_fail().
 */
#ifndef TESTS_LIB_DRIVER_CHECK_H
#define TESTS_LIB_DRIVER_CHECK_H

#include "tests/lib/driver.h"

void driver_check_sent(struct driver *d, uint16_t realm, struct slice msg);

#endif
