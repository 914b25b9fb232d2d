#include "control/ctl_request.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const names[CTL_CMDS] = {"status", "state", "calls",   "registrations",
					    "flows",  "drops", "ports",   "neighbours",
					    "kill",   "drain", "cluster", "move"};

const char *ctl_cmd_name(enum ctl_cmd cmd)
{
	return (unsigned)cmd < CTL_CMDS ? names[cmd] : NULL;
}

static bool find_cmd(const json_t *root, struct ctl_request *out, char *why, size_t why_len)
{
	const char *name = json_string_value(json_object_get(root, "cmd"));

	if (!name) {
		snprintf(why, why_len,
			 "no \"cmd\": expected one of status, state, calls, registrations, "
			 "flows, drops, ports, neighbours, kill, drain, cluster, move");
		return false;
	}
	for (unsigned i = 0; i < CTL_CMDS; i++) {
		if (strcmp(name, names[i]) == 0) {
			out->cmd = (enum ctl_cmd)i;
			return true;
		}
	}
	snprintf(why, why_len, "unknown command \"%.40s\"", name);
	return false;
}

/* Exactly 16 digits, as `calls` shows them: a shortened one could name another call. */
static bool parse_call(const char *s, uint64_t *call)
{
	uint64_t v = 0;

	if (!s || strlen(s) != 16)
		return false;
	for (; *s; s++) {
		if (*s >= '0' && *s <= '9')
			v = v << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			v = v << 4 | (uint64_t)(*s - 'a' + 10);
		else
			return false;
	}
	*call = v;
	return true;
}

static bool take_bool(const char *key, const json_t *value, bool *out, char *why, size_t why_len)
{
	*out = json_is_true(value);
	if (!json_is_boolean(value))
		snprintf(why, why_len, "\"%s\": expected true or false", key);
	return json_is_boolean(value);
}

static bool take_name(const char *key, const json_t *value, char out[CTL_NAME], char *why,
		      size_t why_len)
{
	const char *s = json_string_value(value);

	if (s && *s && strlen(s) < CTL_NAME) {
		memcpy(out, s, strlen(s) + 1);
		return true;
	}
	snprintf(why, why_len, "\"%s\": expected a name", key);
	return false;
}

static bool take_member(struct ctl_request *out, const char *key, const json_t *value, char *why,
			size_t why_len)
{
	if (strcmp(key, "cmd") == 0)
		return true;
	if (out->cmd == CTL_KILL && strcmp(key, "call") == 0) {
		if (parse_call(json_string_value(value), &out->call))
			return true;
		snprintf(why, why_len,
			 "\"call\" is not a call: expected 16 lower-case hexadecimal digits, as "
			 "calls shows them");
		return false;
	}
	if (out->cmd == CTL_DROPS && strcmp(key, "all") == 0)
		return take_bool(key, value, &out->all, why, why_len);
	if (out->cmd == CTL_DRAIN && strcmp(key, "off") == 0)
		return take_bool(key, value, &out->off, why, why_len);
	if (out->cmd == CTL_MOVE && strcmp(key, "group") == 0)
		return take_name(key, value, out->group, why, why_len);
	if (out->cmd == CTL_MOVE && strcmp(key, "node") == 0)
		return take_name(key, value, out->node, why, why_len);
	snprintf(why, why_len, "unknown member \"%.40s\" of command %s", key, names[out->cmd]);
	return false;
}

static bool take_members(json_t *root, struct ctl_request *out, char *why, size_t why_len)
{
	const char *key;
	json_t *value;

	if (!json_is_object(root)) {
		snprintf(why, why_len, "not an object: expected {\"cmd\": ...}");
		return false;
	}
	if (!find_cmd(root, out, why, why_len))
		return false;
	json_object_foreach(root, key,
			    value) if (!take_member(out, key, value, why, why_len)) return false;
	if (out->cmd == CTL_KILL && !json_object_get(root, "call")) {
		snprintf(why, why_len, "kill: no \"call\": expected the call to end");
		return false;
	}
	if (out->cmd == CTL_MOVE && (!*out->group || !*out->node)) {
		snprintf(why, why_len, "move: expected \"group\" and \"node\"");
		return false;
	}
	return true;
}

bool ctl_request_parse(const char *line, size_t len, struct ctl_request *out, char *why,
		       size_t why_len)
{
	json_error_t err;
	json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &err);
	bool ok;

	memset(out, 0, sizeof(*out));
	if (!root) {
		snprintf(why, why_len, "not JSON: %.80s", err.text);
		return false;
	}
	ok = take_members(root, out, why, why_len);
	json_decref(root);
	return ok;
}
