#include "control/show.h"

#include <inttypes.h>
#include <string.h>

#include "control/show_cluster.h"
#include "control/table.h"

static int64_t num(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

/* "-" for what is null or not there. */
static const char *str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s && *s ? s : "-";
}

static bool is(const json_t *j, const char *key)
{
	return json_is_true(json_object_get(j, key));
}

static void cell_num(struct table *t, const json_t *j, const char *key)
{
	table_cell(t, "%" PRId64, num(j, key));
}

static void cell_str(struct table *t, const json_t *j, const char *key)
{
	table_cell(t, "%s", str(j, key));
}

static void cell_duration(struct table *t, const json_t *j, const char *key)
{
	char s[32];

	if (json_is_integer(json_object_get(j, key)))
		table_cell(t, "%s", table_duration(s, num(j, key)));
	else
		table_cell(t, "-");
}

static void cell_bytes(struct table *t, const json_t *j, const char *key)
{
	char s[32];

	table_cell(t, "%s", table_bytes(s, num(j, key)));
}

static void row_call(struct table *t, const json_t *j)
{
	const json_t *from = json_object_get(j, "from"), *to = json_object_get(j, "to");

	cell_str(t, j, "id");
	cell_str(t, j, "state");
	cell_duration(t, j, "age_ms");
	cell_duration(t, j, "answered_ms_ago");
	table_cell(t, "%s", str(from, "user"));
	table_cell(t, "%s %s", str(from, "realm"), str(from, "address"));
	table_cell(t, "%s", str(to, "user"));
	table_cell(t, "%s %s", str(to, "realm"), str(to, "address"));
	table_cell(t, "%" PRId64 " / %" PRId64, num(from, "media_port"), num(to, "media_port"));
	cell_num(t, j, "streams");
}

static void row_registration(struct table *t, const json_t *j)
{
	cell_str(t, j, "user");
	cell_str(t, j, "realm");
	cell_str(t, j, "source");
	cell_str(t, j, "peer");
	cell_duration(t, j, "expires_in_ms");
	cell_str(t, j, "contact");
}

static const char *flow_state(const json_t *j)
{
	if (is(j, "closed"))
		return "closed";
	if (is(j, "latched"))
		return "latched";
	return is(j, "locked") ? "fixed" : "waiting";
}

static void row_flow(struct table *t, const json_t *j)
{
	cell_str(t, j, "call");
	table_cell(t, "%" PRId64 " %s", num(j, "stream"), is(j, "rtcp") ? "rtcp" : "rtp");
	table_cell(t, "%s:%" PRId64, str(j, "realm"), num(j, "port"));
	cell_str(t, j, "remote");
	table_cell(t, "%s", flow_state(j));
	table_cell(t, "%s:%" PRId64, str(j, "peer_realm"), num(j, "peer_port"));
	cell_num(t, j, "packets");
	cell_bytes(t, j, "bytes");
	cell_num(t, j, "lost");
	cell_num(t, j, "duplicates");
	table_cell(t, "%.1f ms", (double)num(j, "jitter_us") / 1000);
	cell_num(t, j, "refused");
	cell_duration(t, j, "idle_ms");
}

static void row_drop(struct table *t, const json_t *j)
{
	cell_num(t, j, "count");
	cell_str(t, j, "reason");
	cell_str(t, j, "text");
}

static void row_port(struct table *t, const json_t *j)
{
	cell_str(t, j, "name");
	table_cell(t, "%s", is(j, "link_up") ? "up" : "down");
	cell_str(t, j, "mac");
	cell_num(t, j, "queues");
	cell_num(t, j, "rx_packets");
	cell_bytes(t, j, "rx_bytes");
	cell_num(t, j, "tx_packets");
	cell_bytes(t, j, "tx_bytes");
	cell_num(t, j, "rx_missed");
	cell_num(t, j, "rx_errors");
	cell_num(t, j, "tx_errors");
}

static void row_neighbour(struct table *t, const json_t *j)
{
	cell_str(t, j, "port");
	cell_str(t, j, "address");
	table_cell(t, "%s", is(j, "resolved") ? str(j, "mac") : "unresolved");
	cell_duration(t, j, "age_ms");
}

struct list {
	const char *cmd;
	const char *none;
	void (*row)(struct table *t, const json_t *j);
	struct table_column column[TABLE_COLUMNS];
};

static const struct list lists[] = {
	{"calls",
	 "no calls",
	 row_call,
	 {{"CALL", false},
	  {"STATE", false},
	  {"AGE", true},
	  {"TALK", true},
	  {"FROM", false},
	  {"FROM SIDE", false},
	  {"TO", false},
	  {"TO SIDE", false},
	  {"MEDIA PORTS", true},
	  {"STREAMS", true}}},
	{"registrations",
	 "no registrations",
	 row_registration,
	 {{"USER", false},
	  {"REALM", false},
	  {"SOURCE", false},
	  {"PEER", false},
	  {"EXPIRES IN", true},
	  {"CONTACT", false}}},
	{"flows",
	 "no flows",
	 row_flow,
	 {{"CALL", false},
	  {"STREAM", false},
	  {"PORT", false},
	  {"REMOTE", false},
	  {"SOURCE", false},
	  {"LEAVES BY", false},
	  {"PACKETS", true},
	  {"BYTES", true},
	  {"LOST", true},
	  {"DUP", true},
	  {"JITTER", true},
	  {"REFUSED", true},
	  {"IDLE", true}}},
	{"drops",
	 "nothing was dropped or refused",
	 row_drop,
	 {{"COUNT", true}, {"REASON", false}, {"MEANING", false}}},
	{"ports",
	 "no ports",
	 row_port,
	 {{"PORT", false},
	  {"LINK", false},
	  {"MAC", false},
	  {"QUEUES", true},
	  {"RX PACKETS", true},
	  {"RX BYTES", true},
	  {"TX PACKETS", true},
	  {"TX BYTES", true},
	  {"RX MISSED", true},
	  {"RX ERRORS", true},
	  {"TX ERRORS", true}}},
	{"neighbours",
	 "no neighbours",
	 row_neighbour,
	 {{"PORT", false}, {"ADDRESS", false}, {"MAC", false}, {"AGE", true}}},
};

static void show_list(const struct list *l, const json_t *answer, FILE *out)
{
	const json_t *rows = json_object_get(answer, l->cmd);
	struct table *t;
	const json_t *row;
	size_t i;

	if (json_array_size(rows) == 0) {
		fprintf(out, "%s\n", l->none);
		return;
	}
	t = table_new(l->column);
	if (!t)
		return;
	json_array_foreach(rows, i, row) l->row(t, row);
	table_print(t, out);
	table_free(t);
	if (is(answer, "truncated"))
		fprintf(out, "(only the first %zu are shown)\n", json_array_size(rows));
}

static void show_workers(const json_t *answer, FILE *out)
{
	static const struct table_column columns[] = {{"WORKER", true},       {"RX PACKETS", true},
						      {"TX PACKETS", true},   {"RELAYED", true},
						      {"HANDED OFF", true},   {"BUSY", true},
						      {"BUFFERS USED", true}, {"FREE", true},
						      {"RECORDS LOST", true}, {NULL, false}};
	struct table *t = table_new(columns);
	const json_t *w;
	size_t i;

	if (!t)
		return;
	json_array_foreach(json_object_get(answer, "workers"), i, w)
	{
		double up = (double)num(w, "up_us");

		cell_num(t, w, "worker");
		cell_num(t, w, "rx_packets");
		cell_num(t, w, "tx_packets");
		cell_num(t, w, "relayed");
		cell_num(t, w, "handed_off");
		table_cell(t, "%.1f %%", up > 0 ? 100.0 * (double)num(w, "busy_us") / up : 0.0);
		cell_num(t, w, "mbufs_used");
		cell_num(t, w, "mbufs_free");
		cell_num(t, w, "records_lost");
	}
	table_print(t, out);
	table_free(t);
}

static void line(FILE *out, const char *title, const char *fmt, int64_t a, int64_t b)
{
	fprintf(out, "%-14s", title);
	fprintf(out, fmt, a, b);
	fputc('\n', out);
}

static void show_store(const json_t *s, FILE *out)
{
	if (!is(s, "kept")) {
		fprintf(out, "%-14snone, by configuration\n", "store");
		return;
	}
	fprintf(out, "%-14s%s, %" PRId64 " to be written, %" PRId64 " calls degraded\n", "store",
		is(s, "up") ? "up" : "DOWN", num(s, "owed"), num(s, "degraded"));
}

static void show_state(const json_t *s, FILE *out)
{
	char lag[32];

	if (!is(s, "kept")) {
		fprintf(out, "%-14snone: nothing is kept, by configuration\n", "Redis");
		return;
	}
	fprintf(out, "%-14s%s at %s%s, answers %s\n", "Redis", is(s, "up") ? "up" : "DOWN",
		str(s, "redis"), is(s, "own") ? " (our own)" : "",
		is(s, "durable") ? "wait for it" : "don't wait for it");
#define N "%" PRId64
	line(out, "", "lost " N " times, asked to take all again " N " times", num(s, "downs"),
	     num(s, "resyncs"));
	fprintf(out, "%-14s%s\n", "addresses", is(s, "serving") ? "served" : "not served");
	line(out, "owed", N " calls and registrations, " N " of them on their way", num(s, "owed"),
	     num(s, "waiting") + num(s, "underway"));
	line(out, "", N " deletes, " N " answers held", num(s, "deletes_waiting"), num(s, "held"));
	fprintf(out, "%-14soldest %s, last batch took " N " ms\n", "lag",
		table_duration(lag, num(s, "lag_ms")), num(s, "last_ms"));
	line(out, "degraded", N " calls now, " N " since start", num(s, "degraded"),
	     num(s, "degraded_total"));
	line(out, "written", N " puts and " N " deletes", num(s, "puts"), num(s, "deletes"));
	line(out, "", "in " N " batches, " N " refused", num(s, "batches"), num(s, "refused"));
	line(out, "restored", N " calls, " N " registrations", num(s, "restored"),
	     num(s, "restored_registrations"));
	line(out, "", N " could not be had; the start took " N " ms", num(s, "restore_failed"),
	     num(s, "restore_ms"));
#undef N
}

static void show_status(const json_t *j, FILE *out)
{
	char up[32];

	fprintf(out, "%-14s%s, postern %s, up %s%s\n", "node", str(j, "node"), str(j, "version"),
		table_duration(up, num(j, "uptime_ms")), is(j, "draining") ? ", draining" : "");
#define N "%" PRId64
	line(out, "calls", N " now, " N " of them answered", num(j, "calls"),
	     num(j, "calls_established"));
	line(out, "", N " since start, " N " answered", num(j, "calls_total"),
	     num(j, "calls_answered"));
	line(out, "registrations", N " now, " N " since start", num(j, "registrations"),
	     num(j, "registered_total"));
	line(out, "media", N " flows", num(j, "flows"), 0);
	line(out, "media ports", N " used, " N " free", num(j, "ports_used"), num(j, "ports_free"));
	line(out, "SIP messages", N " in, " N " out", num(j, "messages_in"),
	     num(j, "messages_out"));
	line(out, "", N " transactions, " N " retransmissions sent", num(j, "transactions"),
	     num(j, "retransmissions"));
#undef N
	show_store(json_object_get(j, "store"), out);
	fputc('\n', out);
	show_workers(j, out);
}

void show_answer(const char *cmd, const json_t *answer, FILE *out)
{
	if (strcmp(cmd, "status") == 0) {
		show_status(answer, out);
		return;
	}
	if (strcmp(cmd, "state") == 0) {
		show_state(json_object_get(answer, "store"), out);
		return;
	}
	if (strcmp(cmd, "cluster") == 0) {
		show_cluster(answer, out);
		return;
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (strcmp(cmd, lists[i].cmd) == 0) {
			show_list(&lists[i], answer, out);
			return;
		}
	}
	if (json_is_false(json_object_get(answer, "draining"))) {
		fputs("this node takes part again\n", out);
		return;
	}
	fputs(strcmp(cmd, "kill") == 0   ? "the call is being ended\n"
	      : strcmp(cmd, "move") == 0 ? "the group is being given to that node\n"
					 : "draining: no new calls are taken\n",
	      out);
}
