#include "dataplane/eal.h"

#include <limits.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/device.h"

#define EAL_ARGS      64
#define EAL_ARG       512
#define MBUFS_DEFAULT 16384u
/* Beside the packets: rings, device private data, DPDK's own tables. */
#define EAL_BASE_MB 96u

struct args {
	int count;
	char text[EAL_ARGS][EAL_ARG];
	char *pointer[EAL_ARGS + 1];
};

static bool up;
static char directory[PATH_MAX];

static void arg(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void arg(struct args *a, const char *fmt, ...)
{
	va_list ap;

	if (a->count == EAL_ARGS)
		return;
	va_start(ap, fmt);
	vsnprintf(a->text[a->count], EAL_ARG, fmt, ap);
	va_end(ap);
	a->pointer[a->count] = a->text[a->count];
	a->count++;
}

bool eal_is_pci(const char *device)
{
	unsigned int domain, bus, slot, function;

	return sscanf(device, "%x:%x:%x.%x", &domain, &bus, &slot, &function) == 4 ||
	       sscanf(device, "%x:%x.%x", &bus, &slot, &function) == 3;
}

bool eal_is_virtio_user(const char *device)
{
	const char *name = strncmp(device, "net_", 4) == 0 ? device + 4 : device;

	return strncmp(name, "virtio_user", 11) == 0;
}

uint32_t eal_mbufs(const struct dp_conf *conf)
{
	return conf->mbufs ? conf->mbufs : MBUFS_DEFAULT;
}

uint16_t eal_mbuf_room(const struct dp_conf *conf)
{
	uint32_t mtu = 1500;

	for (uint16_t i = 0; i < conf->ports; i++)
		mtu = RTE_MAX(mtu, conf->port[i].mtu);
	/* Two VLAN tags and the checksum that some devices leave at the end. */
	mtu += RTE_ETHER_HDR_LEN + 8 + RTE_ETHER_CRC_LEN + RTE_PKTMBUF_HEADROOM;
	return (uint16_t)RTE_MIN(RTE_MAX(mtu, RTE_MBUF_DEFAULT_BUF_SIZE), (uint32_t)UINT16_MAX);
}

static uint32_t memory_mb(const struct dp_conf *conf)
{
	uint64_t packets = (uint64_t)eal_mbufs(conf) * conf->workers *
			   (sizeof(struct rte_mbuf) + eal_mbuf_room(conf) + 128u);
	uint32_t devices = 0;

	if (conf->memory_mb != 0)
		return conf->memory_mb;
	for (uint16_t i = 0; i < conf->ports; i++)
		devices += device_memory_mb(conf->port[i].device);
	return EAL_BASE_MB + 8u * conf->workers + (uint32_t)(packets >> 20) + devices;
}

/* One lcore as "lcore@cpu", or "lcore@(every cpu we may use)". */
static int lcore_write(char *to, size_t room, int lcore, int cpu, const cpu_set_t *allowed)
{
	int n = snprintf(to, room, "%s%d@", lcore ? "," : "", lcore);
	bool first = true;

	if (cpu >= 0)
		return n + snprintf(to + n, room - (size_t)n, "%d", cpu);
	for (int c = 0; c < CPU_SETSIZE && (size_t)n + 8 < room; c++)
		if (CPU_ISSET(c, allowed)) {
			n += snprintf(to + n, room - (size_t)n, "%c%d", first ? '(' : ',', c);
			first = false;
		}
	return n + snprintf(to + n, room - (size_t)n, ")");
}

static void lcores_arg(struct args *a, const struct dp_conf *conf, const cpu_set_t *allowed)
{
	char text[EAL_ARG - 16] = "";
	int n = 0;

	for (int i = 0; i <= conf->workers && (size_t)n + 16 < sizeof(text); i++)
		n += lcore_write(text + n, sizeof(text) - (size_t)n, i, conf->cpus[i], allowed);
	arg(a, "--lcores=%s", text);
}

static void device_args(struct args *a, const struct dp_conf *conf)
{
	bool pci = false, virtio = false;

	for (uint16_t i = 0; i < conf->ports; i++) {
		const char *d = conf->port[i].device;

		if (eal_is_pci(d)) {
			pci = true;
			arg(a, "--allow=%s", d);
		}
		virtio = virtio || eal_is_virtio_user(d);
	}
	if (!pci) {
		arg(a, "--no-pci");
		arg(a, "--iova-mode=va");
	}
	/* vhost-user takes a handful of memory regions, each a file. */
	if (virtio && conf->hugepages)
		arg(a, "--single-file-segments");
}

static void args_fill(struct args *a, const struct dp_conf *conf, const cpu_set_t *allowed)
{
	a->count = 0;
	arg(a, "%s", conf->program);
	arg(a, "--file-prefix=%s", conf->program);
	lcores_arg(a, conf, allowed);
	arg(a, "--main-lcore=0");
	if (!conf->hugepages) {
		/* DPDK 22.11 refuses --in-memory here; these two leave nothing on disk either. */
		arg(a, "--no-huge");
		arg(a, "--no-shconf");
		arg(a, "-m");
		arg(a, "%u", memory_mb(conf));
	} else {
		arg(a, "--in-memory");
	}
	if (conf->hugepages && conf->memory_mb != 0) {
		arg(a, "-m");
		arg(a, "%u", conf->memory_mb);
	}
	arg(a, "--log-level=error");
	device_args(a, conf);
	a->pointer[a->count] = NULL;
}

/*
 * DPDK leaves its directory of sockets behind. It removes the sockets themselves
 * when the process exits, by a function registered after ours, so run before it.
 */
static void directory_remove(void)
{
	rmdir(directory);
}

bool eal_start(const struct dp_conf *conf, char *why, uint32_t why_len)
{
	static struct args args;
	cpu_set_t affinity;
	sigset_t all, before;
	int rc;

	if (up)
		return true;
	pthread_getaffinity_np(pthread_self(), sizeof(affinity), &affinity);
	args_fill(&args, conf, &affinity);
	atexit(directory_remove);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = rte_eal_init(args.count, args.pointer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_setaffinity_np(pthread_self(), sizeof(affinity), &affinity);
	if (rc < 0) {
		snprintf(why, why_len, "DPDK does not start (%s): %s", conf->program,
			 conf->hugepages ? "are there free hugepages?" : rte_strerror(rte_errno));
		return false;
	}
	snprintf(directory, sizeof(directory), "%s", rte_eal_get_runtime_dir());
	up = true;
	return true;
}

void eal_stop(void)
{
	if (up)
		rte_eal_cleanup();
	up = false;
}
