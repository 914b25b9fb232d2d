/*
 * The devices that need nothing but a kernel: each carries an ARP request, an
 * echo and an OPTIONS to the border, and the answers back. Where the kernel is
 * the far end, a raw socket speaks there.
 */
#include "tests/dataplane/pcap.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

static struct frame f;
static uint32_t nulls;
static const uint8_t own[6]; /* zeroes: the device's */

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void shell(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (system(line) != 0)
		bed_fail("%s", line);
}

static void device_up(struct bed *b, uint16_t workers, const char *device, const uint8_t *mac)
{
	char why[256] = "";

	bed_init(b, workers);
	b->devices = 0;
	snprintf(b->conf.port[OUTSIDE].device, sizeof(b->conf.port[0].device), "%s", device);
	snprintf(b->conf.port[INSIDE].device, sizeof(b->conf.port[0].device), "net_null%u,no-rx=1",
		 nulls++);
	memcpy(b->conf.port[OUTSIDE].mac, mac, 6);
	b->dp = dp_create(&b->conf, why, sizeof(why));
	if (b->dp == NULL)
		bed_fail("%s", why);
	b->now = b->dp->worker[0]->now + 1;
}

/* ---- the far end ---- */

static int raw_open(const char *ifname)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int s = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	assert_true(s >= 0);
	a.sll_ifindex = (int)if_nametoindex(ifname);
	assert_true(a.sll_ifindex > 0);
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	return s;
}

/* The next frame from the border, turning it meanwhile; ten seconds at most. */
static struct frame_view far_expect(struct bed *b, int s)
{
	for (uint32_t i = 0; i < 10000; i++) {
		struct sockaddr_ll from = {0};
		socklen_t len = sizeof(from);
		ssize_t n;

		b->now++;
		bed_turn(b);
		n = recvfrom(s, f.b, sizeof(f.b), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		if (n > 0 && from.sll_pkttype != PACKET_OUTGOING) {
			struct frame_view v;

			f.n = (uint32_t)n;
			v = frame_read(&f);
			if (v.ok && memcmp(v.from, b->dp->port[OUTSIDE].mac, 6) == 0)
				return v;
		}
		usleep(1000);
	}
	bed_fail("no answer from the border");
}

static void far_send(int s)
{
	assert_int_equal(send(s, f.b, f.n, 0), (ssize_t)f.n);
}

static struct frame_spec far_spec(const struct bed *b)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);

	s.to = b->dp->port[OUTSIDE].mac;
	return s;
}

static void converse(struct bed *b, int s)
{
	struct frame_spec spec = far_spec(b);
	struct frame_view v;

	frame_arp(&f, &spec, 1, PHONE_MAC, PHONE, OUT_IP);
	far_send(s);
	v = far_expect(b, s);
	assert_int_equal(v.op, 2);
	assert_int_equal(v.sip, OUT_IP);
	for (uint16_t i = 0; i < 40; i++) {
		frame_icmp_echo(&f, &spec, i, 1000);
		far_send(s);
		v = far_expect(b, s);
		assert_int_equal(v.proto, 1);
		assert_int_equal(v.payload[7], i);
		assert_int_equal(v.n, 1008);
	}
	pcap_options(&f, &spec);
	far_send(s);
	v = far_expect(b, s);
	assert_int_equal(v.dport, SIP);
	assert_memory_equal(v.payload, "SIP/2.0 200", 11);
	close(s);
}

/* ---- devices ---- */

struct veth {
	char ours[16], far[16];
};

static void veth_up(struct veth *v)
{
	snprintf(v->ours, sizeof(v->ours), "pa%d", getpid());
	snprintf(v->far, sizeof(v->far), "pb%d", getpid());
	shell("ip link add %s type veth peer name %s", v->ours, v->far);
	shell("ip link set %s up && ip link set %s up", v->ours, v->far);
}

static void veth_down(const struct veth *v)
{
	shell("ip link del %s", v->ours);
}

static void net_af_packet(void **state)
{
	struct veth v;
	struct bed b;
	char device[128];

	(void)state;
	veth_up(&v);
	snprintf(device, sizeof(device), "net_af_packet0,iface=%s", v.ours);
	device_up(&b, 1, device, own);
	converse(&b, raw_open(v.far));
	dp_stop(b.dp);
	veth_down(&v);
}

static void net_af_packet_of_two_queues(void **state)
{
	struct veth v;
	struct bed b;
	char device[128];

	(void)state;
	veth_up(&v);
	snprintf(device, sizeof(device), "net_af_packet1,iface=%s,qpairs=2", v.ours);
	device_up(&b, 2, device, own);
	assert_int_equal(b.dp->device[0].rx_queues, 2);
	converse(&b, raw_open(v.far));
	dp_stop(b.dp);
	veth_down(&v);
}

/* The kernel's own sender leaves the checksum to a device that a veth has not. */
static void kernels_unfinished_checksum_is_taken(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(SIP)};
	struct veth v;
	struct bed b;
	char device[128], text[2048];
	ssize_t n = -1;
	int s;

	(void)state;
	veth_up(&v);
	shell("ip addr add 203.0.113.50/24 dev %s", v.far);
	snprintf(device, sizeof(device), "net_af_packet2,iface=%s", v.ours);
	device_up(&b, 1, device, own);
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
	veth_down(&v);
}

static void net_tap(void **state)
{
	struct bed b;
	char device[128], name[16];
	int s;

	(void)state;
	snprintf(name, sizeof(name), "pt%d", getpid());
	snprintf(device, sizeof(device), "net_tap0,iface=%s", name);
	device_up(&b, 1, device, own);
	shell("ip link set %s up", name);
	s = raw_open(name);
	converse(&b, s);
	dp_stop(b.dp);
	assert_int_equal(if_nametoindex(name), 0);
}

#define BPF_MAGIC 0xcafe4a11

/* Whether this test mounted the file system that XDP programs live in: it is to unmount it. */
static bool bpf_mount(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) != 0 || (uint32_t)fs.f_type == BPF_MAGIC)
		return false;
	return mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL) == 0;
}

static void net_af_xdp(void **state)
{
	struct veth v;
	struct bed b;
	char device[128];
	bool mounted = bpf_mount();

	(void)state;
	veth_up(&v);
	snprintf(device, sizeof(device), "net_af_xdp0,iface=%s,start_queue=0,queue_count=1",
		 v.ours);
	device_up(&b, 1, device, own);
	converse(&b, raw_open(v.far));
	dp_stop(b.dp);
	veth_down(&v);
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
	device_up(&b, 1, device, OUT_MAC);
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
