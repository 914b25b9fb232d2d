/* Ports: what each says in itself, and that no two claim the same. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "control/config_internal.h"

uint32_t config_mask(uint8_t prefix)
{
	return prefix ? htonl(UINT32_MAX << (32 - prefix)) : 0;
}

/* In a network of /31 (RFC 3021) or /32 every address is a host's. */
static bool is_host_of(uint32_t ip, uint8_t prefix)
{
	uint32_t host = ip & ~config_mask(prefix);

	return prefix >= 31 || (host != 0 && host != ~config_mask(prefix));
}

bool config_is_onlink(const struct dp_port_conf *port, uint32_t ip)
{
	uint32_t mask = config_mask(port->prefix);

	return (ip & mask) == (port->ip & mask) && is_host_of(ip, port->prefix);
}

static bool build_address(struct config_work *w, uint32_t i, struct dp_port_conf *p)
{
	const char *text = w->raw->ports[i].address;
	struct slice s = slice_str(text);
	int32_t slash = slice_find(s, '/');
	uint32_t len;

	if (slash < 0 || !net_ip_parse(slice_of(s.p, (uint32_t)slash), &p->ip) ||
	    !slice_u32(slice_of(s.p + slash + 1, s.n - (uint32_t)slash - 1), 32, &len) ||
	    len == 0) {
		config_wrong(w, "ports", i, "address", text);
		return false;
	}
	p->prefix = (uint8_t)len;
	if (net_ip_is_unicast(p->ip) && is_host_of(p->ip, p->prefix))
		return true;
	config_report_add(w->report, config_line(w, "ports", i, "address"),
			  "address: %s: expected the address of a host in that network, not the "
			  "network's own, its broadcast or a special one",
			  text);
	return false;
}

static void build_gateway(struct config_work *w, uint32_t i, struct dp_port_conf *p)
{
	const char *text = w->raw->ports[i].gateway;

	if (!text)
		return;
	if (!net_ip_parse(slice_str(text), &p->gateway) || !net_ip_is_unicast(p->gateway)) {
		config_wrong(w, "ports", i, "gateway", text);
		return;
	}
	if (!w->port_ok[i])
		return;
	if (p->gateway == p->ip)
		config_report_add(w->report, config_line(w, "ports", i, "gateway"),
				  "gateway: %s is the port's own address: expected the router's",
				  text);
	else if (!config_is_onlink(p, p->gateway))
		config_report_add(w->report, config_line(w, "ports", i, "gateway"),
				  "gateway: %s is off-link: expected a host of %s", text,
				  w->raw->ports[i].address);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, slice_lower(c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool parse_mac(const char *s, uint8_t mac[6])
{
	if (strlen(s) != 17)
		return false;
	for (uint32_t i = 0; i < 6; i++, s += 3) {
		int hi = hex_digit(s[0]), lo = hex_digit(s[1]);

		if (hi < 0 || lo < 0 || (i < 5 && s[2] != ':'))
			return false;
		mac[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static void build_mac(struct config_work *w, uint32_t i, struct dp_port_conf *p)
{
	static const uint8_t none[6];
	const char *text = w->raw->ports[i].mac;

	if (!text)
		return;
	if (!parse_mac(text, p->mac) || (p->mac[0] & 1) || memcmp(p->mac, none, 6) == 0)
		config_wrong(w, "ports", i, "mac", text);
}

/* A device's own name: what stands before its arguments. */
static struct slice device_name(const char *device)
{
	return slice_of(device, (uint32_t)strcspn(device, ","));
}

static void check_pair(struct config_work *w, uint32_t i, uint32_t j)
{
	const struct dp_port_conf *a = &w->out->dp.port[j], *b = &w->out->dp.port[i];
	uint32_t before = config_line(w, "ports", j, "device");

	if (strcmp(a->name, b->name) == 0)
		config_report_add(w->report, config_line(w, "ports", i, "name"),
				  "name: port %s stands twice: it is on line %u already", b->name,
				  config_line(w, "ports", j, "name"));
	if (!slice_eq(device_name(a->device), device_name(b->device)))
		return;
	if (strcmp(a->device, b->device) != 0)
		config_report_add(w->report, config_line(w, "ports", i, "device"),
				  "device: %.*s has other arguments on line %u: expected the same "
				  "device written the same way",
				  (int)device_name(b->device).n, b->device, before);
	else if (a->vlan == b->vlan)
		config_report_add(w->report, config_line(w, "ports", i, "device"),
				  "device: port %s on line %u has this device with the same VLAN: "
				  "expected another device or another vlan",
				  a->name, before);
}

static void build_port(struct config_work *w, uint32_t i)
{
	const struct raw_port *raw = &w->raw->ports[i];
	struct dp_port_conf *p = &w->out->dp.port[i];

	if (!config_is_name(raw->name))
		config_wrong(w, "ports", i, "name", raw->name);
	snprintf(p->name, sizeof(p->name), "%s", raw->name);
	snprintf(p->device, sizeof(p->device), "%s", raw->device);
	p->vlan = (uint16_t)(raw->vlan ? *raw->vlan : 0);
	p->mtu = (uint16_t)(raw->mtu ? *raw->mtu : 1500);
	config_device_form(w, i);
	w->port_ok[i] = build_address(w, i, p);
	build_gateway(w, i, p);
	build_mac(w, i, p);
}

void config_build_ports(struct config_work *w)
{
	w->out->dp.ports = (uint16_t)w->raw->ports_count;
	for (uint32_t i = 0; i < w->raw->ports_count; i++) {
		build_port(w, i);
		for (uint32_t j = 0; j < i; j++)
			check_pair(w, i, j);
	}
}
