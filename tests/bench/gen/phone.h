/*
 * phone: phones outside that register through the border, and their registrar
 * inside. A phone is a number: its contact, Call-ID and tag are made of it, and
 * its port on one of the outside addresses is its own.
 */
#ifndef TESTS_BENCH_GEN_PHONE_H
#define TESTS_BENCH_GEN_PHONE_H

#include "tests/bench/gen/call.h"
#include "tests/bench/gen/job.h"

void phone_response(struct gen *g, struct ident id, const struct message *m);
void registrar_request(struct gen *g, const struct message *m);

const char *register_begin(struct gen *g, struct job *j, int argc, char **argv);
void phones_free(struct gen *g);

#endif
