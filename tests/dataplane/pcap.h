/*
 * pcap: capture files as the far end of a device, for frames in and out.
 */
#ifndef TESTS_DATAPLANE_PCAP_H
#define TESTS_DATAPLANE_PCAP_H

#include <stdio.h>

#include "tests/dataplane/bed.h"

/* A new file with its header. */
FILE *pcap_create(const char *path);
void pcap_write(FILE *out, const struct frame *f);

/* An existing one, past its header. */
FILE *pcap_open(const char *path);
struct frame_view pcap_expect(FILE *in, struct frame *f);

/* An ARP request, an echo request with sequence 3 and an OPTIONS of the phone. */
void pcap_write_three(const char *path, const uint8_t *to);

/* Their answers, and nothing else. */
void pcap_expect_three(const char *path);

/* The OPTIONS alone. */
void pcap_options(struct frame *f, const struct frame_spec *s);

#endif
