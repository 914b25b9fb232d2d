/*
 * host: the few things control asks of the machine and of its service manager.
 */
#ifndef CONTROL_HOST_H
#define CONTROL_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of huge pages that are free and that DPDK could map: 0 when no hugetlbfs
 * is mounted for it. Counts all page sizes together.
 */
uint64_t host_free_hugepages(void);

/* sd_notify(3)'s protocol: "READY=1". Nothing when no manager asked for it. */
void host_notify(const char *state);

/* False with a sentence in `why`. An empty path writes none. */
bool host_write_pidfile(const char *path, char *why, size_t why_len);

#endif
