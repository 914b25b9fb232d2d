/*
 * receive: bursts from the devices, through their stages.
 *
 * Passes over up to 32 packets, so that each finds in the cache what the one
 * before has asked for: headers are fetched; then it is found what each is, and
 * the lines of its flow are fetched; then each is carried on, in the order of
 * arrival.
 */
#ifndef DATAPLANE_RECEIVE_H
#define DATAPLANE_RECEIVE_H

#include <stdint.h>

struct worker;

/* One burst of each queue that the worker polls; how many packets. */
uint32_t receive(struct worker *w);

#endif
