/*
 * owners INTERFACE ADDRESS[,ADDRESS ...]: who speaks for which address on a network.
 *
 * Listens on a bridge, promiscuously. An address belongs to the hardware address
 * that announced it last (an ARP packet that names it as sender and target). A frame
 * with that address from any other hardware address, sent after the announcement,
 * is a wrong owner's. Times are the kernel's, at sending: what was sent before the
 * announcement and read after it is nobody's fault.
 *
 * Prints a line of JSON for each change of owner, and for each line on standard
 * input ("report") the sums. Ends with its input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_ADDRESSES 32

struct address {
	uint32_t ip;
	uint8_t owner[6], before[6];
	bool owned;
	int64_t announced, last; /* ns; last: a frame of the owner's */
	uint64_t frames, wrong, changes;
};

static struct address addresses[MAX_ADDRESSES];
static int count;
static uint64_t dropped;

static void die(const char *what)
{
	fprintf(stderr, "owners: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void put_mac(const uint8_t mac[6])
{
	printf("\"%02x:%02x:%02x:%02x:%02x:%02x\"", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static const char *dotted(uint32_t ip)
{
	struct in_addr a = {ip};

	return inet_ntoa(a);
}

static void change(struct address *a, const uint8_t mac[6], int64_t at)
{
	printf("{\"change\":\"%s\",\"at\":%.6f,\"silent_ms\":%.3f,\"from\":", dotted(a->ip),
	       (double)at / 1e9, a->owned ? (double)(at - a->last) / 1e6 : 0.0);
	put_mac(a->owner);
	printf(",\"to\":");
	put_mac(mac);
	puts("}");
	fflush(stdout);
	if (a->owned)
		a->changes++;
	a->owned = true;
	memcpy(a->owner, mac, 6);
}

static void wrong(struct address *a, const uint8_t mac[6], int64_t at)
{
	if (a->wrong++ > 20)
		return;
	printf("{\"wrong\":\"%s\",\"at\":%.6f,\"after_ms\":%.3f,\"by\":", dotted(a->ip),
	       (double)at / 1e9, (double)(at - a->announced) / 1e6);
	put_mac(mac);
	puts("}");
	fflush(stdout);
}

static void judge(struct address *a, const uint8_t mac[6], bool announcement, int64_t at)
{
	bool same = a->owned && memcmp(a->owner, mac, 6) == 0;

	a->frames++;
	if (announcement && !same) {
		change(a, mac, at);
		a->announced = at;
	} else if (!a->owned) { /* it had it before we looked */
		a->owned = true;
		memcpy(a->owner, mac, 6);
	} else if (!same && at > a->announced) {
		wrong(a, mac, at);
	}
	if (a->owned && memcmp(a->owner, mac, 6) == 0 && at > a->last)
		a->last = at;
}

static struct address *address_of(uint32_t ip)
{
	for (int i = 0; i < count; i++) {
		if (addresses[i].ip == ip)
			return &addresses[i];
	}
	return NULL;
}

static void take(const uint8_t *frame, size_t len, int64_t at)
{
	uint32_t sender, target = 0;
	bool arp = frame[12] == 8 && frame[13] == 6;

	if (len < 14 + (arp ? 28u : 20u))
		return;
	memcpy(&sender, frame + (arp ? 14 + 14 : 14 + 12), 4);
	if (arp)
		memcpy(&target, frame + 14 + 24, 4);
	struct address *a = address_of(sender);
	if (a)
		judge(a, frame + 6, arp && sender == target, at);
}

/* IPv4 and ARP alone, and of each frame no more than its heads. */
static void filter(int fd)
{
	struct sock_filter code[] = {
		{BPF_LD | BPF_H | BPF_ABS, 0, 0, 12},
		{BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ETHERTYPE_IP},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, ETHERTYPE_ARP},
		{BPF_RET | BPF_K, 0, 0, 64},
		{BPF_RET | BPF_K, 0, 0, 0},
	};
	struct sock_fprog p = {sizeof(code) / sizeof(code[0]), code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)) != 0)
		die("filter");
}

static int listen_on(const char *interface)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), room = 1 << 26, on = 1;
	struct sockaddr_ll a = {.sll_family = AF_PACKET,
				.sll_protocol = htons(ETH_P_ALL),
				.sll_ifindex = (int)if_nametoindex(interface)};
	struct packet_mreq all = {.mr_ifindex = a.sll_ifindex, .mr_type = PACKET_MR_PROMISC};

	if (fd < 0 || !a.sll_ifindex)
		die(interface);
	filter(fd);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) != 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		die(interface);
	return fd;
}

static int64_t stamp_of(struct msghdr *h)
{
	struct timespec t = {0, 0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&t, CMSG_DATA(c), sizeof(t));
	}
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void drain(int fd)
{
	for (;;) {
		uint8_t frame[64];
		char control[128];
		struct sockaddr_ll from;
		struct iovec v = {frame, sizeof(frame)};
		struct msghdr h = {.msg_name = &from,
				   .msg_namelen = sizeof(from),
				   .msg_iov = &v,
				   .msg_iovlen = 1,
				   .msg_control = control,
				   .msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(fd, &h, MSG_DONTWAIT);
		if (n < 0)
			return;
		if (n >= 34)
			take(frame, (size_t)n, stamp_of(&h));
	}
}

static void report(int fd)
{
	struct tpacket_stats s;
	socklen_t n = sizeof(s);

	drain(fd);
	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &n) == 0)
		dropped += s.tp_drops;
	printf("{\"dropped\":%lu,\"addresses\":{", dropped);
	for (int i = 0; i < count; i++) {
		const struct address *a = &addresses[i];
		printf("%s\"%s\":{\"owner\":", i ? "," : "", dotted(a->ip));
		put_mac(a->owner);
		printf(",\"frames\":%lu,\"wrong\":%lu,\"changes\":%lu}", a->frames, a->wrong,
		       a->changes);
	}
	puts("}}");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: owners INTERFACE ADDRESS[,ADDRESS ...]\n");
		return 2;
	}
	for (char *ip = strtok(argv[2], ","); ip && count < MAX_ADDRESSES; ip = strtok(NULL, ",")) {
		if (inet_pton(AF_INET, ip, &addresses[count++].ip) != 1)
			die(ip);
	}
	int fd = listen_on(argv[1]);
	puts("{\"ready\":true}");
	fflush(stdout);
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
	for (;;) {
		char line[256];
		poll(p, 2, -1);
		drain(fd);
		if (!(p[1].revents & (POLLIN | POLLHUP)))
			continue;
		if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
			return 0;
		report(fd);
	}
}
