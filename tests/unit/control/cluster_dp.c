#include "tests/unit/control/cluster_dp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t dp_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint32_t find(const struct dataplane *dp, const char *id)
{
	uint32_t i = 0;

	while (i < dp->records && memcmp(dp->record[i], id, IDENT_LEN) != 0)
		i++;
	return i;
}

bool cluster_dp_has(const struct dataplane *dp, const char id[IDENT_LEN])
{
	return find(dp, id) < dp->records;
}

static bool has_room(struct dataplane *dp)
{
	if (dp->full == 0)
		return true;
	dp->full--;
	return false;
}

static void drop(struct dataplane *dp, uint32_t i)
{
	memmove(dp->record[i], dp->record[--dp->records], IDENT_LEN);
}

bool dp_restore_post(struct dataplane *dp, enum checkpoint_kind kind, const char id[IDENT_LEN],
		     struct slice fields)
{
	(void)kind;
	if (!has_room(dp) || fields.n == 0)
		return false;
	dp->restored++;
	if (!cluster_dp_has(dp, id) && dp->records < CLUSTER_DP_RECORDS)
		memcpy(dp->record[dp->records++], id, IDENT_LEN);
	return true;
}

bool dp_forget_post(struct dataplane *dp, enum checkpoint_kind kind, const char id[IDENT_LEN])
{
	uint32_t i = find(dp, id);

	(void)kind;
	if (!has_room(dp))
		return false;
	dp->restored++;
	if (i < dp->records)
		drop(dp, i);
	return true;
}

uint64_t dp_restored(const struct dataplane *dp)
{
	return dp->restored;
}

void dp_group_until(struct dataplane *dp, uint16_t group, uint64_t until_ms)
{
	dp->until[group] = until_ms;
}

bool dp_group_is_active(const struct dataplane *dp, uint16_t group)
{
	return dp->until[group] > dp_now();
}

bool dp_group_post(struct dataplane *dp, uint16_t group, bool active)
{
	if (!has_room(dp))
		return false;
	dp->announced[group] = active;
	for (uint32_t i = dp->records; !active && i-- > 0;)
		if (dp->record[i][0] == '0' + group)
			drop(dp, i);
	return true;
}

bool dp_barrier_post(struct dataplane *dp, uint64_t ref)
{
	if (!has_room(dp))
		return false;
	dp->barrier = ref;
	dp->barriers++;
	return true;
}

bool dp_has_turned(const struct dataplane *dp, uint64_t since_ms)
{
	(void)dp;
	return dp_now() > since_ms;
}

bool dp_forwarded_post(struct dataplane *dp, const struct engine_path *path, struct slice bytes)
{
	if (!has_room(dp) || dp->messages == CLUSTER_DP_MESSAGES)
		return false;
	dp->message[dp->messages].path = *path;
	snprintf(dp->message[dp->messages].text, sizeof(dp->message[0].text), "%.*s", (int)bytes.n,
		 bytes.p);
	dp->messages++;
	return true;
}
