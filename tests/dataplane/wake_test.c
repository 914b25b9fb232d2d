/*
 * Packets wake the worker that has their queue, with each device that has something
 * to wait on.
 */
#include <net/if.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "dataplane/eal.h"
#include "tests/dataplane/far.h"

/* Lcores for the most workers that a test has: EAL comes up once. */
static int eal_up(void **state)
{
	struct bed b;
	char why[256];

	(void)state;
	bed_init(&b, 2);
	return eal_start(&b.conf, why, sizeof(why)) ? 0 : -1;
}

static void expect_kind(const struct bed *b, enum rx_wait_kind kind)
{
	const struct device *d = &b->dp->device[0];

	for (uint16_t q = 0; q < d->rx_queues; q++)
		assert_int_equal(d->rx_wait[q].kind, kind);
	for (uint16_t i = 0; i < b->dp->workers; i++)
		assert_false(b->dp->worker[i]->wait.blind);
}

/* All was answered; and some of it at least to a worker that slept. */
static void end(struct bed *b)
{
	uint64_t sleeps = 0, woken = 0;

	dp_join(b->dp);
	for (uint16_t i = 0; i < b->dp->workers; i++) {
		sleeps += b->dp->worker[i]->count.sleeps;
		woken += b->dp->worker[i]->count.woken_by_packet;
	}
	assert_true(sleeps > 0);
	assert_true(woken > 0);
	dp_stop(b->dp);
}

static void net_af_packet(void **state)
{
	struct far_veth v;
	struct bed b;
	char device[128];

	(void)state;
	far_veth_up(&v);
	snprintf(device, sizeof(device), "net_af_packet0,iface=%s", v.ours);
	far_device_launch(&b, 1, device);
	expect_kind(&b, RX_WAIT_SOCKET);
	far_converse(&b, far_open(v.far));
	end(&b);
	far_veth_down(&v);
}

/* Which queue the kernel chooses is its own affair: the worker that polls it is woken. */
static void net_af_packet_of_two_queues(void **state)
{
	struct far_veth v;
	struct bed b;
	char device[128];

	(void)state;
	far_veth_up(&v);
	snprintf(device, sizeof(device), "net_af_packet1,iface=%s,qpairs=2", v.ours);
	far_device_launch(&b, 2, device);
	assert_int_equal(b.dp->device[0].rx_queues, 2);
	expect_kind(&b, RX_WAIT_SOCKET);
	far_converse(&b, far_open(v.far));
	end(&b);
	far_veth_down(&v);
}

/* The interface goes down and comes up: an error on the socket is no packet, and no end. */
static void an_interface_that_goes_down_and_up(void **state)
{
	struct far_veth v;
	struct bed b;
	char device[128];

	(void)state;
	far_veth_up(&v);
	snprintf(device, sizeof(device), "net_af_packet2,iface=%s", v.ours);
	far_device_launch(&b, 1, device);
	for (uint32_t i = 0; i < 3; i++) {
		far_shell("ip link set %s down", v.ours);
		usleep(20000);
		far_shell("ip link set %s up", v.ours);
	}
	far_converse(&b, far_open(v.far));
	end(&b);
	far_veth_down(&v);
}

static void net_tap(void **state)
{
	char device[128], name[16];
	struct bed b;

	(void)state;
	snprintf(name, sizeof(name), "pt%d", getpid());
	snprintf(device, sizeof(device), "net_tap0,iface=%s", name);
	far_device_launch(&b, 1, device);
	expect_kind(&b, RX_WAIT_SOCKET);
	far_shell("ip link set %s up", name);
	far_converse(&b, far_open(name));
	end(&b);
	assert_int_equal(if_nametoindex(name), 0);
}

static void net_af_xdp(void **state)
{
	struct far_veth v;
	struct bed b;
	char device[128];
	bool mounted = far_bpf_mount();

	(void)state;
	far_veth_up(&v);
	snprintf(device, sizeof(device), "net_af_xdp0,iface=%s,start_queue=0,queue_count=1",
		 v.ours);
	far_device_launch(&b, 1, device);
	expect_kind(&b, RX_WAIT_SOCKET);
	far_converse(&b, far_open(v.far));
	end(&b);
	far_veth_down(&v);
	if (mounted)
		assert_int_equal(umount("/sys/fs/bpf"), 0);
}

/* As in device_test.c: what the driver does not give back. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:xsk_umem__create\n";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(net_af_packet),
		cmocka_unit_test(net_af_packet_of_two_queues),
		cmocka_unit_test(an_interface_that_goes_down_and_up),
		cmocka_unit_test(net_tap),
		cmocka_unit_test(net_af_xdp),
	};

	return cmocka_run_group_tests(tests, eal_up, NULL);
}
