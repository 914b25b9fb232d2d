/*
 * steer_rules: rules that have a device put media into the queue of the worker it
 * belongs to (rte_flow).
 *
 * A worker owns a slice of each realm's media ports; a slice is a few blocks of ports
 * that begin with the same bits, and each block is one rule: to that address, that
 * port under a mask, into the queue that the worker polls. A device whose driver
 * refuses the first rule gets none; one that refuses a later one keeps those it has.
 * What no rule steers, or a rule steers wrong, goes by the hand-off ring: nothing
 * rests on this but the hand-off's cost. SIP has no rules: no device can read a Call-ID.
 */
#ifndef DATAPLANE_STEER_RULES_H
#define DATAPLANE_STEER_RULES_H

#include <stdbool.h>
#include <stdint.h>

#define STEER_RULES_MAX 1024u
/* Blocks of a range of 16-bit numbers: two of each size but the largest. */
#define STEER_BLOCKS_MAX 30u
#define STEER_WHY        96u

struct dataplane;
struct device;

/* Media to (address, port under mask) of that VLAN belongs into a queue. */
struct steer_rule {
	uint32_t ip; /* network order */
	uint16_t port, mask;
	uint16_t vlan; /* 0: untagged */
	uint16_t queue;
};

/* What became of them; `why` is the driver's word when fewer were taken than wanted. */
struct steer_rules {
	uint16_t wanted, taken;
	char why[STEER_WHY];
};

struct steer_block {
	uint16_t first, mask;
};

/* The fewest blocks that are `count` ports from `first` on; how many. */
uint16_t steer_blocks(uint16_t first, uint32_t count, struct steer_block block[STEER_BLOCKS_MAX]);

/* The rules that a device should have: none with one worker or queue. How many. */
uint16_t steer_rules_list(const struct dataplane *dp, const struct device *d,
			  struct steer_rule rule[STEER_RULES_MAX]);

/* Gives them to a started device; what it takes is in d->rules. */
void steer_rules_install(const struct dataplane *dp, struct device *d);

/*
 * What a driver is asked: to take a rule, or (`only_ask`) whether it would. For tests,
 * which have no device that takes one; NULL: rte_flow again.
 */
typedef bool steer_rules_driver(uint16_t eth, const struct steer_rule *r, bool only_ask,
				char why[STEER_WHY]);
void steer_rules_use(steer_rules_driver *driver);

#endif
