#include "control/lease_scripts.h"

/* Ahead of each: how a lease is read, and how all is reported. */
#define PROLOGUE                                                                                   \
	"#!lua flags=allow-oom\n"                                                                  \
	"local function lease(key)\n"                                                              \
	"  local r = redis.call('HMGET', key, 'owner', 'epoch', 'beat', 'heir')\n"                 \
	"  return r[1] or '', r[2] or '0', r[3] or '0', r[4] or ''\n"                              \
	"end\n"                                                                                    \
	"local function report(done)\n"                                                            \
	"  local groups = {}\n"                                                                    \
	"  for i = 2, #KEYS do\n"                                                                  \
	"    local n = #groups\n"                                                                  \
	"    groups[n+1], groups[n+2], groups[n+3], groups[n+4] = lease(KEYS[i])\n"                \
	"  end\n"                                                                                  \
	"  return {done, groups, redis.call('HGETALL', KEYS[1])}\n"                                \
	"end\n"

#define GROUP                                                                                      \
	"local key = KEYS[1 + tonumber(ARGV[1])]\n"                                                \
	"local owner, epoch, beat = lease(key)\n"

const char lease_script_read[] = PROLOGUE "return report(1)\n";

const char lease_script_renew[] =
	PROLOGUE GROUP "if owner ~= ARGV[2] or epoch ~= ARGV[3] then return report(0) end\n"
		       "redis.call('HINCRBY', key, 'beat', 1)\n"
		       "return report(1)\n";

const char lease_script_claim[] = PROLOGUE GROUP
	"local member = redis.call('HGET', KEYS[1], ARGV[2])\n"
	"if member ~= 'in ' .. ARGV[3] or owner ~= ARGV[4] or epoch ~= ARGV[5] or\n"
	"   beat ~= ARGV[6] then return report(0) end\n"
	"redis.call('HSET', key, 'owner', ARGV[2], 'epoch', ARGV[7], 'beat', '0', 'heir', '')\n"
	"if ARGV[8] == '1' then\n"
	"  local was = redis.call('HGET', KEYS[1], owner) or ''\n"
	"  redis.call('HSET', KEYS[1], owner, 'out ' .. (string.match(was, '%d+$') or '0'))\n"
	"end\n"
	"return report(1)\n";

const char lease_script_release[] =
	PROLOGUE GROUP "if owner ~= ARGV[2] or epoch ~= ARGV[3] then return report(0) end\n"
		       "redis.call('HSET', key, 'owner', '', 'heir', ARGV[4])\n"
		       "return report(1)\n";

const char lease_script_join[] = PROLOGUE "redis.call('HSET', KEYS[1], ARGV[1], 'in ' .. ARGV[2])\n"
					  "return report(1)\n";

const char lease_script_leave[] = PROLOGUE
	"if redis.call('HGET', KEYS[1], ARGV[1]) ~= 'in ' .. ARGV[2] then return report(0) end\n"
	"redis.call('HSET', KEYS[1], ARGV[1], 'out ' .. ARGV[2])\n"
	"return report(1)\n";
