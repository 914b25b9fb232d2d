/*
 * cluster_dp: workers of several nodes in one process, behind dataplane/dataplane.h:
 * what a cluster tells them is kept for a test to look at. The clock is the real
 * one. Records name their group by the first digit of their id.
 */
#ifndef TESTS_CLUSTER_DP_H
#define TESTS_CLUSTER_DP_H

#include "dataplane/dataplane.h"

#define CLUSTER_DP_RECORDS  4096u
#define CLUSTER_DP_MESSAGES 8u

struct dataplane {
	uint64_t until[SNAPSHOT_MAX_GROUPS];
	bool announced[SNAPSHOT_MAX_GROUPS];
	char record[CLUSTER_DP_RECORDS][IDENT_LEN];
	uint32_t records;
	uint64_t restored;
	uint64_t barrier; /* asked last; 0: it has been answered */
	uint32_t barriers;
	uint32_t full; /* posts that find no room, before one does */
	struct {
		struct engine_path path;
		char text[256];
	} message[CLUSTER_DP_MESSAGES];
	uint32_t messages;
};

bool cluster_dp_has(const struct dataplane *dp, const char id[IDENT_LEN]);

#endif
