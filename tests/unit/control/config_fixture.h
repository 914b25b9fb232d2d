/*
 * config_fixture: configurations to put together, and what reading one has to say: each
 * mistake at its line, with what was expected, or the configuration.
 */
#ifndef TESTS_CONFIG_FIXTURE_H
#define TESTS_CONFIG_FIXTURE_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config.h"
#include "tests/lib/unit.h"

#define NODE "node: {name: edge}\n"
#define PORTS                                                                                      \
	"ports:\n"                                                                                 \
	"  - {name: out, device: net_null0, address: 192.0.2.1/24}\n"                              \
	"  - {name: in, device: net_null1, address: 10.0.0.1/24}\n"
#define REALMS                                                                                     \
	"realms:\n"                                                                                \
	"  - {name: access, port: out, trust: untrusted, sip: [\"udp:5060\"], media: "             \
	"20000-20999}\n"                                                                           \
	"  - {name: core, port: in, trust: trusted, sip: [\"udp:5060\"], media: 20000-20999}\n"
#define PEERS                                                                                      \
	"peers:\n"                                                                                 \
	"  - {name: pbx, realm: core, address: \"10.0.0.10:5060\"}\n"
#define ROUTES                                                                                     \
	"routes:\n"                                                                                \
	"  - {from: access, to: pbx}\n"                                                            \
	"  - {from: core, to: registered}\n"
/* Lines 1, 2 to 4, 5 to 7, 8 and 9, 10 to 12. */
#define WHOLE NODE PORTS REALMS PEERS ROUTES

#define REALM(port, sip, media)                                                                    \
	"  - {name: extra, port: " port ", trust: trusted, sip: [" sip "], media: " media "}\n"

/* A cluster of two, of which this node is one. */
#define KEYED                                                                                      \
	"node: {name: edge, key_file: /k}\n" PORTS REALMS PEERS ROUTES                             \
	"state: {redis: \"10.0.9.5:6379\"}\n"
#define NODES                                                                                      \
	"  nodes: [{name: edge, address: \"10.0.9.1:7400\"}, {name: b, address: \"nb:7400\"}]\n"
#define CLUSTER(x) KEYED "cluster:\n  name: c\n" NODES "  groups:\n" x
#define GROUP1                                                                                     \
	"  - {name: g1, home: edge, addresses: [{realm: access, ip: 192.0.2.11},\n"                \
	"     {realm: core, ip: 10.0.0.11}]}\n"

struct config_vector {
	const char *text;
	const char *mistakes; /* as printed, without the file's name */
};

/* Each is refused with its mistakes, and no others. */
void config_check_vectors(const struct config_vector *v, size_t n, enum config_check check);

#define CHECK(vectors)                                                                             \
	config_check_vectors(vectors, sizeof(vectors) / sizeof((vectors)[0]), CONFIG_CHECK_TEXT)

/* Without a mistake; to be freed. */
struct config *config_parse_good(const char *text);

#endif
