/*
 * request: what control asks of a worker, by rings.
 *
 * Requests and records travel by value, replies as pointers to objects that a
 * worker's free ring lends. A request waits in its ring while no reply is free.
 */
#ifndef DATAPLANE_REQUEST_H
#define DATAPLANE_REQUEST_H

#include <stdbool.h>

struct worker;

/* Answers at most one request; whether there was one. */
bool request_serve(struct worker *w);

#endif
