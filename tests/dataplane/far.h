/*
 * far: the other end of a device whose far side is this machine's kernel (a veth, a
 * tap), where a raw socket speaks.
 */
#ifndef TESTS_DATAPLANE_FAR_H
#define TESTS_DATAPLANE_FAR_H

#include "tests/dataplane/bed.h"

struct far_veth {
	char ours[16], far[16];
};

/* A shell command that must succeed. */
void far_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void far_veth_up(struct far_veth *v);
void far_veth_down(const struct far_veth *v);

/* A border whose outside is `device`; its inside is a device that nothing comes by. Stepped. */
void far_device_up(struct bed *b, uint16_t workers, const char *device, const uint8_t *mac);

/*
 * The same with both ports on `device`, running by itself, and asleep for a minute
 * unless it is woken: what it answers within ten seconds, it was woken for.
 */
void far_device_launch(struct bed *b, uint16_t workers, const char *device);

/* A raw socket on an interface. */
int far_open(const char *ifname);

/* An ARP request, echoes and an OPTIONS, each answered; ten seconds at most for each. */
void far_converse(struct bed *b, int s);

/* Whether this mounted the file system that XDP programs live in: it is to be unmounted. */
bool far_bpf_mount(void);

#endif
