/*
 * Devices: that a driver is known and has the arguments it cannot do without;
 * and, when asked, that what they name is on this machine, without opening it.
 */
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/config_internal.h"
#include "control/node_key.h"
#include "control/secret.h"

enum argument { ARG_NONE, ARG_INTERFACE, ARG_SOCKET, ARG_FILE, ARG_NEW_FILE };

struct argument_of {
	const char *key;
	enum argument kind;
	bool required;
};

struct driver {
	const char *name;
	struct argument_of arg[4];
};

static const struct driver drivers[] = {
	{"net_af_packet", {{"iface", ARG_INTERFACE, true}}},
	{"net_af_xdp", {{"iface", ARG_INTERFACE, true}}},
	{"net_virtio_user", {{"path", ARG_SOCKET, true}}},
	{"virtio_user", {{"path", ARG_SOCKET, true}}},
	{"net_vhost", {{"iface", ARG_SOCKET, true}}},
	{"net_pcap",
	 {{"rx_pcap", ARG_FILE, false},
	  {"tx_pcap", ARG_NEW_FILE, false},
	  {"iface", ARG_INTERFACE, false},
	  {"rx_iface", ARG_INTERFACE, false}}},
	{"net_tap", {{NULL, ARG_NONE, false}}},
	{"net_ring", {{NULL, ARG_NONE, false}}},
	{"net_null", {{NULL, ARG_NONE, false}}},
};

#define DRIVER_NAMES                                                                               \
	"net_af_packet, net_af_xdp, net_virtio_user, net_vhost, net_tap, net_pcap, net_ring, "     \
	"net_null, or a PCI address such as 0000:03:00.0"

static bool is_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

/* "DDDD:BB:DD.F" or "BB:DD.F", with or without arguments, to the long form. */
static bool pci_address(const char *device, char out[16])
{
	size_t n = strcspn(device, ",");
	const char *s = device;

	if (n == 12 && is_hex(s, 4) && s[4] == ':')
		s += 5;
	else if (n != 7)
		return false;
	if (!is_hex(s, 2) || s[2] != ':' || !is_hex(s + 3, 2) || s[5] != '.' || s[6] < '0' ||
	    s[6] > '7')
		return false;
	snprintf(out, 16, "%.5s%.7s", n == 12 ? device : "0000:", s);
	return true;
}

/* A driver's name, then only digits: which of its devices. */
static const struct driver *find_driver(const char *device)
{
	size_t n = strcspn(device, ",");

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		size_t len = strlen(drivers[i].name);

		if (n < len || memcmp(device, drivers[i].name, len) != 0)
			continue;
		while (len < n && isdigit((unsigned char)device[len]))
			len++;
		if (len == n)
			return &drivers[i];
	}
	return NULL;
}

/* The value of `key` among a device's arguments; false when it is not there or empty. */
static bool find_argument(const char *device, const char *key, char *out, size_t cap)
{
	size_t len = strlen(key);
	const char *at = strchr(device, ',');

	for (; at; at = strchr(at, ',')) {
		size_t n;

		at++;
		if (strncmp(at, key, len) != 0 || at[len] != '=')
			continue;
		n = strcspn(at + len + 1, ",");
		snprintf(out, cap, "%.*s", (int)n, at + len + 1);
		return n > 0;
	}
	return false;
}

void config_device_form(struct config_work *w, uint32_t i)
{
	const char *device = w->raw->ports[i].device;
	const struct driver *d = find_driver(device);
	uint32_t line = config_line(w, "ports", i, "device");
	char text[CONFIG_PATH];

	if (!d && !pci_address(device, text))
		config_report_add(w->report, line, "device: %.*s: expected one of %s",
				  (int)strcspn(device, ","), device, DRIVER_NAMES);
	for (uint32_t a = 0; d && a < 4 && d->arg[a].key; a++)
		if (d->arg[a].required && !find_argument(device, d->arg[a].key, text, sizeof(text)))
			config_report_add(w->report, line, "device: %s: expected %s=%s with it",
					  device, d->arg[a].key,
					  d->arg[a].kind == ARG_INTERFACE ? "INTERFACE" : "PATH");
}

static bool directory_of_exists(const char *path)
{
	char dir[CONFIG_PATH];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash)
		return true;
	slash[slash == dir] = '\0';
	return access(dir, X_OK) == 0;
}

static void check_argument(struct config_work *w, uint32_t line, enum argument kind,
			   const char *value)
{
	if (kind == ARG_INTERFACE && if_nametoindex(value) == 0)
		config_report_add(w->report, line,
				  "device: there is no interface %s: expected one that `ip link` "
				  "shows",
				  value);
	else if (kind == ARG_FILE && access(value, R_OK) != 0)
		config_report_add(w->report, line, "device: %s: expected a readable file", value);
	else if ((kind == ARG_SOCKET || kind == ARG_NEW_FILE) && !directory_of_exists(value))
		config_report_add(w->report, line,
				  "device: there is no directory for %s: expected one that exists",
				  value);
}

static void check_device(struct config_work *w, uint32_t i)
{
	const char *device = w->raw->ports[i].device;
	const struct driver *d = find_driver(device);
	uint32_t line = config_line(w, "ports", i, "device");
	char value[CONFIG_PATH], path[64], pci[16];

	for (uint32_t a = 0; d && a < 4 && d->arg[a].key; a++)
		if (find_argument(device, d->arg[a].key, value, sizeof(value)))
			check_argument(w, line, d->arg[a].kind, value);
	if (d || !pci_address(device, pci))
		return;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", pci);
	if (access(path, F_OK) != 0)
		config_report_add(w->report, line,
				  "device: there is no PCI device %s: expected one that `lspci -D` "
				  "shows",
				  pci);
}

static void check_cpus(struct config_work *w)
{
	const struct config_node *node = config_node_key(config_lines_root(w->lines), "node");
	const struct config_node *list = config_node_key(node, "cpus");

	for (uint32_t i = 0; i < w->raw->node->cpus_count; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u",
			 w->raw->node->cpus[i]);
		if (access(path, F_OK) != 0)
			config_report_add(w->report, config_node_at(list, i)->line,
					  "cpus: there is no CPU %u: expected one that `lscpu` "
					  "shows",
					  w->raw->node->cpus[i]);
	}
}

static void check_password(struct config_work *w)
{
	const char *path = w->out->state.password_file;
	char why[CONFIG_MISTAKE_LEN], password[CONFIG_PASSWORD];

	if (*path &&
	    !secret_read(path, CONFIG_PASSWORD_FORM, password, sizeof(password), why, sizeof(why)))
		config_report_add(w->report, config_line(w, "state", 0, "password_file"),
				  "password_file: %s", why);
	explicit_bzero(password, sizeof(password));
}

void config_device_check(struct config_work *w)
{
	struct siphash_key key;
	char why[CONFIG_MISTAKE_LEN];

	for (uint32_t i = 0; i < w->out->dp.ports; i++)
		check_device(w, i);
	check_cpus(w);
	if (w->out->key_file[0] && !node_key_read(w->out->key_file, &key, why, sizeof(why)))
		config_report_add(w->report, config_line(w, "node", 0, "key_file"), "key_file: %s",
				  why);
	check_password(w);
}
