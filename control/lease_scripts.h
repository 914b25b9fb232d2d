/*
 * lease_scripts: what the lease protocol does in Redis, as Lua.
 *
 * Keys of every script, in this order: KEYS[1] the members,
 * "postern:C:nodes"; KEYS[1 + i] the lease of the i-th group of the configuration,
 * i from 1, "postern:C:G:lease".
 *   members: hash; a node's name -> "in TOKEN" or "out TOKEN"
 *   lease:   hash; owner (a node's name; empty: released), epoch, beat, heir (a node's
 *            name; empty: nobody)
 * Names come from the configuration; TOKEN, EPOCH and BEAT are decimal, compared as text:
 * a Lua number has 53 bits.
 *
 * ARGV, G the number of a group from 1:
 *   read:    none
 *   renew:   G, self, epoch
 *   claim:   G, self, token, and what must be there: owner, epoch, beat ("" "0" "0":
 *            free with nothing known); then the next epoch, and "1" to put the owner out
 *   release: G, self, epoch, heir ("": nobody)
 *   join:    self, token
 *   leave:   node, token
 *
 * Reply of all: an array of three. [1] the integer 1 when the script did what was asked,
 * else 0 and nothing has changed. [2] an array of four strings a group: owner, epoch, beat,
 * heir; "", "0", "0", "" where there is no record. [3] HGETALL of the members.
 *
 * They are carried out even when Redis is out of memory: they add nothing that grows.
 * With `replicas` a reply counts only when a WAIT right behind it on the same
 * connection has counted them; for the read script too: see docs/leases.md.
 */
#ifndef CONTROL_LEASE_SCRIPTS_H
#define CONTROL_LEASE_SCRIPTS_H

extern const char lease_script_read[];
extern const char lease_script_renew[];
extern const char lease_script_claim[];
extern const char lease_script_release[];
extern const char lease_script_join[];
extern const char lease_script_leave[];

#endif
