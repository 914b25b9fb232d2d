#include "tests/dataplane/far.h"

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

#include "tests/dataplane/pcap.h"

static struct frame f;
static uint32_t nulls;

void far_shell(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (system(line) != 0)
		bed_fail("%s", line);
}

static void device_up(struct bed *b)
{
	char why[256] = "";

	b->dp = dp_create(&b->conf, why, sizeof(why));
	if (b->dp == NULL)
		bed_fail("%s", why);
	b->now = b->dp->worker[0]->now + 1;
}

static void conf_fill(struct bed *b, uint16_t workers, const char *device, const uint8_t *mac)
{
	bed_init(b, workers);
	b->devices = 0;
	snprintf(b->conf.port[OUTSIDE].device, sizeof(b->conf.port[0].device), "%s", device);
	memcpy(b->conf.port[OUTSIDE].mac, mac, 6);
}

void far_device_up(struct bed *b, uint16_t workers, const char *device, const uint8_t *mac)
{
	conf_fill(b, workers, device, mac);
	snprintf(b->conf.port[INSIDE].device, sizeof(b->conf.port[0].device), "net_null%u,no-rx=1",
		 nulls++);
	device_up(b);
}

void far_device_launch(struct bed *b, uint16_t workers, const char *device)
{
	static const uint8_t own[6];
	char why[256] = "";

	conf_fill(b, workers, device, own);
	memcpy(b->conf.port[INSIDE].device, b->conf.port[OUTSIDE].device,
	       sizeof(b->conf.port[0].device));
	memset(b->conf.port[INSIDE].mac, 0, 6);
	b->conf.port[INSIDE].vlan = 100;
	device_up(b);
	b->dp->idle_max_ms = 60000;
	if (!dp_launch(b->dp, why, sizeof(why)))
		bed_fail("%s", why);
}

static void turn(struct bed *b)
{
	if (b->dp->launched)
		return;
	b->now++;
	bed_turn(b);
}

/* ---- the far end ---- */

int far_open(const char *ifname)
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

		turn(b);
		n = recvfrom(s, f.b, sizeof(f.b), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		if (n > 0 && from.sll_pkttype != PACKET_OUTGOING) {
			struct frame_view v;

			f.n = (uint32_t)n;
			v = frame_read(&f);
			/* Its announcement, if we were there in time for it, is no answer. */
			if (v.ok && v.op != 1 && memcmp(v.from, b->dp->port[OUTSIDE].mac, 6) == 0)
				return v;
		}
		usleep(1000);
	}
	bed_fail("no answer from the border");
}

/* Long enough for a worker to fall asleep, now and then. */
static void pause_before(const struct bed *b)
{
	static uint32_t times;

	if (b->dp->launched)
		usleep(times++ % 8 * 1000);
}

static void far_send(struct bed *b, int s)
{
	pause_before(b);
	assert_int_equal(send(s, f.b, f.n, 0), (ssize_t)f.n);
}

static struct frame_spec far_spec(const struct bed *b)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);

	s.to = b->dp->port[OUTSIDE].mac;
	return s;
}

void far_converse(struct bed *b, int s)
{
	struct frame_spec spec = far_spec(b);
	struct frame_view v;

	frame_arp(&f, &spec, 1, PHONE_MAC, PHONE, OUT_IP);
	far_send(b, s);
	v = far_expect(b, s);
	assert_int_equal(v.op, 2);
	assert_int_equal(v.sip, OUT_IP);
	for (uint16_t i = 0; i < 40; i++) {
		frame_icmp_echo(&f, &spec, i, 1000);
		far_send(b, s);
		v = far_expect(b, s);
		assert_int_equal(v.proto, 1);
		assert_int_equal(v.payload[7], i);
		assert_int_equal(v.n, 1008);
	}
	pcap_options(&f, &spec);
	far_send(b, s);
	v = far_expect(b, s);
	assert_int_equal(v.dport, SIP);
	assert_memory_equal(v.payload, "SIP/2.0 200", 11);
	close(s);
}

void far_veth_up(struct far_veth *v)
{
	snprintf(v->ours, sizeof(v->ours), "pa%d", getpid());
	snprintf(v->far, sizeof(v->far), "pb%d", getpid());
	far_shell("ip link add %s type veth peer name %s", v->ours, v->far);
	far_shell("ip link set %s up && ip link set %s up", v->ours, v->far);
}

void far_veth_down(const struct far_veth *v)
{
	far_shell("ip link del %s", v->ours);
}

#define BPF_MAGIC 0xcafe4a11

bool far_bpf_mount(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) != 0 || (uint32_t)fs.f_type == BPF_MAGIC)
		return false;
	return mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL) == 0;
}
