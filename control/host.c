#include "control/host.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool hugetlbfs_is_mounted(void)
{
	FILE *f = fopen("/proc/self/mounts", "re");
	char line[1024], type[64];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %*s %63s", type) == 1 && strcmp(type, "hugetlbfs") == 0;
	fclose(f);
	return found;
}

/* /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages */
static uint64_t free_of_size(const char *entry)
{
	char path[512];
	uint64_t size_kb = 0, pages = 0;
	FILE *f;

	if (sscanf(entry, "hugepages-%" SCNu64 "kB", &size_kb) != 1)
		return 0;
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%s/free_hugepages", entry);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%" SCNu64, &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * size_kb * 1024;
}

uint64_t host_free_hugepages(void)
{
	DIR *d = opendir("/sys/kernel/mm/hugepages");
	const struct dirent *e;
	uint64_t total = 0;

	if (!d)
		return 0;
	while ((e = readdir(d)))
		total += free_of_size(e->d_name);
	closedir(d);
	return hugetlbfs_is_mounted() ? total : 0;
}

void host_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	ssize_t sent;
	int fd;

	if (n == 0 || n >= sizeof(un.sun_path))
		return;
	memcpy(un.sun_path, path, n);
	if (path[0] == '@') /* the abstract name space */
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&un,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	(void)sent; /* a manager that is gone needs no word of us */
	close(fd);
}

bool host_write_pidfile(const char *path, char *why, size_t why_len)
{
	FILE *f;

	if (!path[0])
		return true;
	f = fopen(path, "we");
	if (f) {
		int failed = fprintf(f, "%ld\n", (long)getpid()) < 0;

		failed |= fclose(f) != 0;
		if (!failed)
			return true;
	}
	snprintf(why, why_len, "pidfile %s: %s", path, strerror(errno));
	return false;
}
