#include "dataplane/rx_wait.h"

#include <linux/if_packet.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool has(const struct rx_wait_look *look, int fd)
{
	return look->has[fd / 64] >> (fd % 64) & 1;
}

static bool is_of_family(int fd, int family)
{
	int domain = 0;
	socklen_t n = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 && domain == family;
}

void rx_wait_look(struct rx_wait_look *look, int family)
{
	memset(look, 0, sizeof(*look));
	look->family = family;
	for (int fd = 0; fd < (int)RX_WAIT_FDS; fd++)
		if (is_of_family(fd, family))
			look->has[fd / 64] |= UINT64_C(1) << (fd % 64);
}

/* A packet socket that belongs to no interface would be none of the device's. */
static bool is_bound(int fd)
{
	struct sockaddr_ll a = {0};
	socklen_t n = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &n) == 0 && a.sll_ifindex > 0;
}

bool rx_wait_found(const struct rx_wait_look *look, int *fd, uint16_t n)
{
	struct rx_wait_look now;
	int found[RX_WAIT_FDS / 64];
	uint16_t count = 0;

	rx_wait_look(&now, look->family);
	for (int i = 0; i < (int)RX_WAIT_FDS; i++) {
		if (!has(&now, i) || has(look, i))
			continue;
		if (count == n || count == RX_WAIT_FDS / 64 ||
		    (look->family == AF_PACKET && !is_bound(i)))
			return false;
		found[count++] = i;
	}
	if (count != n)
		return false;
	memcpy(fd, found, n * sizeof(found[0]));
	return true;
}

static struct rx_wait kind_of(int fd)
{
	char link[32], name[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = '\0';
	if (strcmp(name, "anon_inode:[eventfd]") == 0)
		return (struct rx_wait){RX_WAIT_INTERRUPT, fd};
	if (strcmp(name, "/dev/net/tun") == 0)
		return (struct rx_wait){RX_WAIT_SOCKET, fd};
	return (struct rx_wait){RX_WAIT_NONE, -1};
}

struct rx_wait rx_wait_interrupt(uint16_t eth, uint16_t queue)
{
	int fd = rte_eth_dev_rx_intr_ctl_q_get_fd(eth, queue);
	struct rx_wait r = {RX_WAIT_NONE, -1};

	if (fd < 0)
		return r;
	r = kind_of(fd);
	/* A driver that has the descriptor but cannot be told to write to it. */
	if (r.kind == RX_WAIT_INTERRUPT && rte_eth_dev_rx_intr_enable(eth, queue) != 0)
		return (struct rx_wait){RX_WAIT_NONE, -1};
	if (r.kind == RX_WAIT_INTERRUPT)
		rte_eth_dev_rx_intr_disable(eth, queue);
	return r;
}
