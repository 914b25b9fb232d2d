/*
 * net_virtio_user against testpmd's net_vhost: three packets from a capture file
 * cross the rings to the border, its answers come back into another file. Needs
 * hugepages; where none can be had it is skipped, and says so.
 */
#include "tests/dataplane/pcap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED      77
#define PAGES_NEEDED 300u
#define MEMORY_MB    "256"

static char directory[] = "/tmp/postern-virtio-XXXXXX";

static uint32_t pages(const char *what)
{
	FILE *in = fopen("/proc/meminfo", "r");
	char line[128], name[64];
	uint32_t n = 0, found = 0;

	while (in != NULL && fgets(line, sizeof(line), in) != NULL)
		if (sscanf(line, "%63s %u", name, &n) == 2 && strcmp(name, what) == 0)
			found = n;
	if (in != NULL)
		fclose(in);
	return found;
}

static uint32_t pages_free(void)
{
	return pages("HugePages_Free:");
}

/* More than there are: what others have stays theirs. */
static bool hugepages(void)
{
	FILE *out;

	if (pages_free() >= PAGES_NEEDED)
		return true;
	out = fopen("/proc/sys/vm/nr_hugepages", "w");
	if (out == NULL)
		return false;
	fprintf(out, "%u", pages("HugePages_Total:") - pages_free() + PAGES_NEEDED);
	return fclose(out) == 0 && pages_free() >= PAGES_NEEDED;
}

struct peer {
	pid_t pid;
	int commands;
};

static void say(const struct peer *p, const char *text)
{
	assert_int_equal(write(p->commands, text, strlen(text)), (ssize_t)strlen(text));
}

static void peer_exec(const char *vhost, const char *pcap, const char *prefix)
{
	execlp("dpdk-testpmd", "dpdk-testpmd", "--in-memory", "--single-file-segments", "--no-pci",
	       "--no-telemetry", "-m", MEMORY_MB, "--file-prefix", prefix, "--lcores", "0,1@0",
	       "--vdev", vhost, "--vdev", pcap, "--", "-i", "--total-num-mbufs=4096",
	       "--forward-mode=io", "--no-flush-rx", (char *)NULL);
	_exit(127);
}

static void peer_start(struct peer *p)
{
	char vhost[128], pcap[256], prefix[64], log[64];
	int end[2], out;

	snprintf(vhost, sizeof(vhost), "net_vhost0,iface=%s/sock", directory);
	snprintf(pcap, sizeof(pcap), "net_pcap0,rx_pcap=%s/in.pcap,tx_pcap=%s/out.pcap", directory,
		 directory);
	snprintf(prefix, sizeof(prefix), "peer%d", getpid());
	snprintf(log, sizeof(log), "%s/log", directory);
	assert_int_equal(pipe(end), 0);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		out = open(log, O_CREAT | O_WRONLY, 0600);
		dup2(end[0], 0);
		dup2(out, 1);
		dup2(out, 2);
		close(end[1]);
		peer_exec(vhost, pcap, prefix);
	}
	close(end[0]);
	p->commands = end[1];
}

static bool peer_ready(void)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/sock", directory);
	for (uint32_t i = 0; i < 2000; i++, usleep(10000))
		if (stat(path, &st) == 0)
			return true;
	return false;
}

static void border_up(struct bed *b)
{
	char why[256] = "";

	bed_init(b, 1);
	b->conf.hugepages = true;
	b->conf.memory_mb = 0;
	b->conf.mbufs = 4095;
	b->devices = 0;
	snprintf(b->conf.port[OUTSIDE].device, sizeof(b->conf.port[0].device),
		 "net_virtio_user0,path=%s/sock", directory);
	snprintf(b->conf.port[INSIDE].device, sizeof(b->conf.port[0].device), "net_null0,no-rx=1");
	b->dp = dp_create(&b->conf, why, sizeof(why));
	if (b->dp == NULL)
		bed_fail("%s", why);
	b->now = b->dp->worker[0]->now + 1;
}

/* Until three answers have gone, or ten seconds. */
static void border_turn(struct bed *b)
{
	for (uint32_t i = 0; i < 10000 && b->dp->worker[0]->count.tx_packets < 3; i++) {
		b->now++;
		bed_turn(b);
		usleep(1000);
	}
	assert_int_equal(b->dp->worker[0]->count.tx_packets, 3);
}

static void net_virtio_user(void **state)
{
	static const char *const files[] = {"in.pcap", "out.pcap", "log", "sock"};
	char path[128];
	struct peer peer;
	struct bed b;
	int status;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/in.pcap", directory);
	pcap_write_three(path, OUT_MAC);
	peer_start(&peer);
	assert_true(peer_ready());
	border_up(&b);
	/* The far side learns of the rings by a message of its own thread. */
	for (uint32_t i = 0; i < 500; i++, usleep(1000))
		bed_turn(&b);
	say(&peer, "start\n");
	border_turn(&b);
	usleep(200000);
	dp_stop(b.dp);
	say(&peer, "stop\nquit\n");
	close(peer.commands);
	assert_int_equal(waitpid(peer.pid, &status, 0), peer.pid);
	snprintf(path, sizeof(path), "%s/out.pcap", directory);
	pcap_expect_three(path);
	for (uint32_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(directory), 0);
	/* testpmd leaves its own. */
	snprintf(path, sizeof(path), "/var/run/dpdk/peer%d", getpid());
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(net_virtio_user),
	};

	if (!hugepages()) {
		fprintf(stderr, "skipped: no hugepages can be had, net_virtio_user needs them\n");
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
