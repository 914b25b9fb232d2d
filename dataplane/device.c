#include "dataplane/device.h"

#include <ctype.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_random.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "dataplane/eal.h"
#include "dataplane/intr_hold.h"
#include "dataplane/worker.h"

#define DEVICE_DESC 512u

/*
 * Of net_af_packet, unless its arguments say otherwise: datagrams up to 16 kB come
 * whole, longer ones truncated (ip-bad).
 */
#define BIG_FRAME       16384u
#define BIG_BUFFERS     2048u
#define BIG_FRAME_ARGS  ",blocksz=65536,framesz=16384,framecnt=512"
#define BIG_ROOM        (BIG_FRAME + RTE_PKTMBUF_HEADROOM)
#define BIG_BUFFER_SIZE (BIG_ROOM + sizeof(struct rte_mbuf) + 64u)

static bool fail(char *why, uint32_t why_len, const char *port, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static bool fail(char *why, uint32_t why_len, const char *port, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(why, why_len, "port %s: ", port);

	if (n < 0 || (uint32_t)n >= why_len)
		return false;
	va_start(ap, fmt);
	vsnprintf(why + n, why_len - (uint32_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static void name_of(const char *devargs, char name[DEVICE_NAME])
{
	snprintf(name, DEVICE_NAME, "%.*s", (int)strcspn(devargs, ","), devargs);
}

static bool begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/*
 * Queues of a virtual device are given by its arguments, and traffic comes on all
 * of them; a NIC or tap makes as many as it is asked for.
 */
static uint16_t queues_wanted(const char *name, uint16_t max, uint16_t workers)
{
	bool fixed = begins(name, "net_") && !begins(name, "net_tap");

	return RTE_MIN(fixed || max < workers ? max : workers, (uint16_t)DEVICE_QUEUES);
}

static void eth_conf_fill(const struct device *d, const struct rte_eth_dev_info *info,
			  struct rte_eth_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->rxmode.mtu = RTE_MIN(d->mtu, info->max_mtu);
	/*
	 * Only where hardware checks: the virtual devices that offer it do the same
	 * work in software, and virtio's fast receive path would be lost by asking.
	 */
	if (eal_is_pci(d->name))
		conf->rxmode.offloads = info->rx_offload_capa & (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM |
								 RTE_ETH_RX_OFFLOAD_UDP_CKSUM);
	if (eal_is_pci(d->name) && d->rx_queues > 1) {
		conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf->rx_adv_conf.rss_conf.rss_hf =
			info->flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP);
	}
}

static bool has_big_frames(const char *devargs)
{
	return begins(devargs, "net_af_packet") && strstr(devargs, "framesz=") == NULL;
}

uint32_t device_memory_mb(const char *devargs)
{
	return has_big_frames(devargs) ? (uint32_t)(BIG_BUFFERS * BIG_BUFFER_SIZE >> 20) + 2 : 0;
}

static bool pool_make(struct device *d)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "frames_%u", d->index);
	d->rx_pool = rte_pktmbuf_pool_create(name, BIG_BUFFERS, 64, 0, BIG_ROOM, SOCKET_ID_ANY);
	return d->rx_pool != NULL;
}

/* With the socket that the AF_XDP driver makes for it. */
static int rx_queue_set_up(struct dataplane *dp, struct device *d, uint16_t q, uint16_t room,
			   unsigned int socket)
{
	struct rte_mempool *pool = d->rx_pool ? d->rx_pool : dp->pool[device_rx_owner(dp, d, q)];
	bool xdp = begins(d->name, "net_af_xdp");
	struct rx_wait_look look;
	int rc, fd;

	if (xdp)
		rx_wait_look(&look, AF_XDP);
	rc = rte_eth_rx_queue_setup(d->eth, q, room, socket, NULL, pool);
	if (xdp && rc == 0 && rx_wait_found(&look, &fd, 1))
		d->rx_wait[q] = (struct rx_wait){RX_WAIT_SOCKET, fd};
	return rc;
}

static int queues_set_up(struct dataplane *dp, struct device *d)
{
	uint16_t rx = dp->conf.rx_desc ? dp->conf.rx_desc : DEVICE_DESC;
	uint16_t tx = dp->conf.tx_desc ? dp->conf.tx_desc : DEVICE_DESC;
	int socket = rte_eth_dev_socket_id(d->eth);
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(d->eth, &rx, &tx);

	if (socket < 0)
		socket = SOCKET_ID_ANY;
	for (uint16_t q = 0; rc == 0 && q < d->rx_queues; q++)
		rc = rx_queue_set_up(dp, d, q, rx, (unsigned int)socket);
	for (uint16_t q = 0; rc == 0 && q < d->tx_queues; q++)
		rc = rte_eth_tx_queue_setup(d->eth, q, tx, (unsigned int)socket, NULL);
	return rc;
}

static void mac_read(struct device *d)
{
	struct rte_ether_addr mac = {0};

	rte_eth_macaddr_get(d->eth, &mac);
	if (rte_is_zero_ether_addr(&mac))
		rte_eth_random_addr(mac.addr_bytes);
	memcpy(d->mac, mac.addr_bytes, 6);
}

static int device_begin(struct dataplane *dp, struct device *d, const struct rte_eth_conf *conf)
{
	int rc = rte_eth_dev_configure(d->eth, d->rx_queues, d->tx_queues, conf);

	if (rc == 0)
		rc = queues_set_up(dp, d);
	return rc == 0 ? rte_eth_dev_start(d->eth) : rc;
}

/* Of DPDK's virtual devices these two; NICs are asked. */
static bool has_rx_interrupts(const struct device *d)
{
	return eal_is_pci(d->name) || eal_is_virtio_user(d->name) || begins(d->name, "net_tap");
}

/* With receive interrupts if workers are to sleep and the driver has them. */
static int device_begin_waitable(struct dataplane *dp, struct device *d, struct rte_eth_conf *conf)
{
	conf->intr_conf.rxq = 1;
	if (dp->conf.idle == DP_IDLE_BACKOFF && has_rx_interrupts(d) &&
	    device_begin(dp, d, conf) == 0) {
		for (uint16_t q = 0; q < d->rx_queues; q++)
			d->rx_wait[q] = rx_wait_interrupt(d->eth, q);
		return 0;
	}
	conf->intr_conf.rxq = 0;
	return device_begin(dp, d, conf);
}

static int device_start(struct dataplane *dp, struct device *d)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	int rc = rte_eth_dev_info_get(d->eth, &info);

	if (rc != 0)
		return rc;
	d->rx_queues = queues_wanted(d->name, info.max_rx_queues, dp->workers);
	d->tx_queues = queues_wanted(d->name, info.max_tx_queues, dp->workers);
	if (d->rx_queues == 0 || d->tx_queues == 0)
		return -ENODEV;
	eth_conf_fill(d, &info, &conf);
	rc = device_begin_waitable(dp, d, &conf);
	if (rc != 0)
		return rc;
	d->started = true;
	d->partial_checksums = begins(d->name, "net_af_");
	mac_read(d);
	return 0;
}

/* The AF_PACKET driver makes a socket a queue, each read by the queue of its number. */
static void packet_sockets(struct device *d, const struct rx_wait_look *look)
{
	struct rte_eth_dev_info info;
	int fd[DEVICE_QUEUES];

	if (rte_eth_dev_info_get(d->eth, &info) != 0 || info.max_rx_queues > DEVICE_QUEUES ||
	    !rx_wait_found(look, fd, info.max_rx_queues))
		return;
	for (uint16_t q = 0; q < info.max_rx_queues; q++)
		d->rx_wait[q] = (struct rx_wait){RX_WAIT_SOCKET, fd[q]};
}

static struct device *device_named(struct dataplane *dp, const char *name)
{
	for (uint16_t i = 0; i < dp->devices; i++)
		if (strcmp(dp->device[i].name, name) == 0)
			return &dp->device[i];
	return NULL;
}

static int device_probe(struct device *d, const char *devargs)
{
	char full[sizeof(((struct dp_port_conf *)0)->device) + sizeof(BIG_FRAME_ARGS)];
	bool packet = begins(devargs, "net_af_packet");
	struct rx_wait_look look;
	int rc;

	snprintf(full, sizeof(full), "%s%s", devargs,
		 has_big_frames(devargs) ? BIG_FRAME_ARGS : "");
	/* Made before, by the EAL's own arguments or by the program. */
	if (rte_eth_dev_get_port_by_name(d->name, &d->eth) == 0)
		return 0;
	/* AF_XDP locks its packet memory; without leave for it the kernel refuses. */
	if (begins(d->name, "net_af_xdp"))
		setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	if (has_big_frames(devargs) && !pool_make(d))
		return -ENOMEM;
	if (packet)
		rx_wait_look(&look, AF_PACKET);
	if (rte_dev_probe(full) != 0)
		return -(rte_errno ? rte_errno : ENODEV);
	d->probed = true;
	rc = rte_eth_dev_get_port_by_name(d->name, &d->eth);
	if (rc == 0 && packet)
		packet_sockets(d, &look);
	return rc;
}

/* The device of a port, made when it is the first to name it. */
static bool device_of(struct dataplane *dp, uint16_t port, char *why, uint32_t why_len)
{
	const struct dp_port_conf *c = &dp->conf.port[port];
	struct device *d;
	char name[DEVICE_NAME];
	int rc;

	name_of(c->device, name);
	d = device_named(dp, name);
	if (d == NULL) {
		if (eal_is_virtio_user(name) && !dp->conf.hugepages)
			return fail(why, why_len, c->name, "%s needs hugepages", name);
		d = &dp->device[dp->devices];
		d->index = dp->devices;
		snprintf(d->name, sizeof(d->name), "%s", name);
		rc = device_probe(d, c->device);
		if (rc != 0) {
			rte_mempool_free(d->rx_pool);
			return fail(why, why_len, c->name, "device \"%s\" cannot be opened: %s",
				    c->device, rte_strerror(-rc));
		}
		dp->devices++;
	}
	if (d->port_of_vlan[c->vlan] != 0)
		return fail(why, why_len, c->name, "device \"%s\" has VLAN %u twice", name,
			    c->vlan);
	d->port_of_vlan[c->vlan] = (uint8_t)(port + 1);
	d->mtu = RTE_MAX(d->mtu, dp->port[port].mtu);
	dp->port[port].device = d->index;
	return true;
}

static void port_mac(const struct dp_port_conf *c, struct port *p, const struct device *d)
{
	static const uint8_t none[6];

	memcpy(p->mac, memcmp(c->mac, none, 6) ? c->mac : d->mac, 6);
	/* An address that the device does not know is filtered by us instead. */
	if (memcmp(p->mac, d->mac, 6) != 0)
		rte_eth_promiscuous_enable(d->eth);
	/* Solicitations come to groups of stations, which not every device can list. */
	if (p->addresses6 != 0)
		rte_eth_allmulticast_enable(d->eth);
}

uint16_t device_rx_owner(const struct dataplane *dp, const struct device *d, uint16_t queue)
{
	return (uint16_t)((queue + d->index) % dp->workers);
}

bool device_tx_queue(const struct dataplane *dp, const struct device *d, uint16_t worker,
		     uint16_t *queue, uint16_t *owner)
{
	uint16_t turn = (uint16_t)((worker + dp->workers - d->index % dp->workers) % dp->workers);

	*queue = turn % d->tx_queues;
	*owner = (uint16_t)((*queue + d->index) % dp->workers);
	return turn < d->tx_queues;
}

/* Rings from workers without a queue on this device to those that have one. */
static bool tx_rings(struct dataplane *dp, struct device *d)
{
	char name[RTE_RING_NAMESIZE];

	for (uint16_t k = 0; k < dp->workers; k++) {
		uint16_t queue, owner;

		if (device_tx_queue(dp, d, k, &queue, &owner))
			continue;
		snprintf(name, sizeof(name), "tx_%u_%u", d->index, k);
		d->tx_ring[k] = rte_ring_create(name, WORKER_HANDOFF, SOCKET_ID_ANY,
						RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (d->tx_ring[k] == NULL)
			return false;
	}
	return true;
}

bool devices_start(struct dataplane *dp, char *why, uint32_t why_len)
{
	for (uint16_t i = 0; i < dp->ports; i++)
		if (!device_of(dp, i, why, why_len))
			return false;
	for (uint16_t i = 0; i < dp->devices; i++) {
		int rc = device_start(dp, &dp->device[i]);

		if (rc != 0 || !tx_rings(dp, &dp->device[i]))
			return fail(why, why_len, dp->device[i].name, "cannot be started: %s",
				    rte_strerror(rc ? -rc : ENOMEM));
	}
	for (uint16_t i = 0; i < dp->devices; i++)
		steer_rules_install(dp, &dp->device[i]);
	for (uint16_t i = 0; i < dp->ports; i++)
		port_mac(&dp->conf.port[i], &dp->port[i], &dp->device[dp->port[i].device]);
	return true;
}

static void ring_free(struct rte_ring *r)
{
	void *m;

	if (r == NULL)
		return;
	while (rte_ring_sc_dequeue(r, &m) == 0)
		packet_free(m);
	rte_ring_free(r);
}

void devices_stop(struct dataplane *dp)
{
	struct intr_hold hold;

	for (uint16_t i = 0; i < dp->devices; i++) {
		struct device *d = &dp->device[i];
		struct rte_eth_dev_info info;
		bool known = rte_eth_dev_info_get(d->eth, &info) == 0;

		if (d->rules.taken != 0)
			rte_flow_flush(d->eth, NULL);
		intr_hold(&hold);
		if (d->started)
			rte_eth_dev_stop(d->eth);
		rte_eth_dev_close(d->eth);
		intr_release(&hold);
		if (d->probed && known && !eal_is_pci(d->name))
			rte_dev_remove(info.device);
		for (uint16_t k = 0; k < dp->workers; k++)
			ring_free(d->tx_ring[k]);
		rte_mempool_free(d->rx_pool);
	}
}
