/*
 * The devices that need nothing but a kernel: each carries an ARP request, an
 * echo and an OPTIONS to the border, and the answers back. Where the kernel is
 * the far end, a raw socket speaks there.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/dataplane/far.h"
#include "tests/dataplane/pcap.h"

static struct frame f;
static const uint8_t own[6]; /* zeroes: the device's */

static void net_af_packet(void **state)
{
	struct far_veth v;
	struct bed b;
	char device[128];

	(void)state;
	far_veth_up(&v);
	snprintf(device, sizeof(device), "net_af_packet0,iface=%s", v.ours);
	far_device_up(&b, 1, device, own);
	far_converse(&b, far_open(v.far));
	dp_stop(b.dp);
	far_veth_down(&v);
}

static void net_af_packet_of_two_queues(void **state)
{
	struct far_veth v;
	struct bed b;
	char device[128];

	(void)state;
	far_veth_up(&v);
	snprintf(device, sizeof(device), "net_af_packet1,iface=%s,qpairs=2", v.ours);
	far_device_up(&b, 2, device, own);
	assert_int_equal(b.dp->device[0].rx_queues, 2);
	far_converse(&b, far_open(v.far));
	dp_stop(b.dp);
	far_veth_down(&v);
}

/* The kernel's own sender leaves the checksum to a device that a veth has not. */
static void kernels_unfinished_checksum_is_taken(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(SIP)};
	struct far_veth v;
	struct bed b;
	char device[128], text[2048];
	ssize_t n = -1;
	int s;

	(void)state;
	far_veth_up(&v);
	far_shell("ip addr add 203.0.113.50/24 dev %s", v.far);
	snprintf(device, sizeof(device), "net_af_packet2,iface=%s", v.ours);
	far_device_up(&b, 1, device, own);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	to.sin_addr.s_addr = htonl(PHONE);
	assert_int_equal(bind(s, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, v.far, sizeof(v.far)), 0);
	to.sin_addr.s_addr = htonl(OUT_IP);
	pcap_options(&f, &(struct frame_spec){.to = OUT_MAC, .from = PHONE_MAC});
	for (uint32_t i = 0; n < 0 && i < 10000; i++) {
		if (i % 500 == 0)
			assert_true(sendto(s, f.b + 42, f.n - 42, 0, (struct sockaddr *)&to,
					   sizeof(to)) > 0);
		b.now++;
		bed_turn(&b);
		n = recv(s, text, sizeof(text), MSG_DONTWAIT);
		usleep(1000);
	}
	assert_true(n > 11);
	assert_memory_equal(text, "SIP/2.0 200", 11);
	bed_assert_count(&b, UDP_CHECKSUM, 0);
	close(s);
	dp_stop(b.dp);
	far_veth_down(&v);
}

static void net_tap(void **state)
{
	struct bed b;
	char device[128], name[16];
	int s;

	(void)state;
	snprintf(name, sizeof(name), "pt%d", getpid());
	snprintf(device, sizeof(device), "net_tap0,iface=%s", name);
	far_device_up(&b, 1, device, own);
	far_shell("ip link set %s up", name);
	s = far_open(name);
	far_converse(&b, s);
	dp_stop(b.dp);
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
	far_device_up(&b, 1, device, own);
	far_converse(&b, far_open(v.far));
	dp_stop(b.dp);
	far_veth_down(&v);
	if (mounted)
		assert_int_equal(umount("/sys/fs/bpf"), 0);
}

/* What is in one file arrives, what is sent is in another. */
static void net_pcap(void **state)
{
	char in[64], out[64], device[256];
	struct bed b;

	(void)state;
	snprintf(in, sizeof(in), "/tmp/postern-in-%d.pcap", getpid());
	snprintf(out, sizeof(out), "/tmp/postern-out-%d.pcap", getpid());
	pcap_write_three(in, OUT_MAC);
	snprintf(device, sizeof(device), "net_pcap0,rx_pcap=%s,tx_pcap=%s", in, out);
	far_device_up(&b, 1, device, OUT_MAC);
	bed_turn(&b);
	bed_elapse(&b, 5);
	dp_stop(b.dp);
	pcap_expect_three(out);
	unlink(in);
	unlink(out);
}

/*
 * The AF_XDP driver of DPDK 22.11 does not give back the 80 bytes that libxdp made
 * for it. Its frames are only found by the slow unwinder.
 */
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
		cmocka_unit_test(net_pcap),
		cmocka_unit_test(net_af_packet),
		cmocka_unit_test(net_af_packet_of_two_queues),
		cmocka_unit_test(kernels_unfinished_checksum_is_taken),
		cmocka_unit_test(net_tap),
		cmocka_unit_test(net_af_xdp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
