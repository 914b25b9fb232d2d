#include "tests/lib/driver_check.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/text.h"

/* "IN IP4" and a media address of the realm, or that of the old hold. */
static bool is_own_connection(const struct snapshot_realm *r, struct slice value)
{
	static const char form[] = "IN IP4 ";
	uint32_t n = sizeof(form) - 1, ip;

	return value.n > n && memcmp(value.p, form, n) == 0 &&
	       net_ip_parse(slice_of(value.p + n, value.n - n), &ip) &&
	       (ip == 0 || snapshot_realm_has_ip(r, ip));
}

static void check_sdp(struct driver *d, uint16_t realm, struct slice msg)
{
	const struct snapshot_realm *r = &driver_snapshot(d)->realm[realm];
	struct slice body = text_body(msg), line;

	if (!text_is(text_header(msg, "Content-Type", 0), "application/sdp"))
		return;
	while (text_next_line(&body, &line)) {
		if (line.n > 2 && memcmp(line.p, "c=", 2) == 0 &&
		    !is_own_connection(r, slice_of(line.p + 2, line.n - 2)))
			driver_fail(d, "SDP towards realm %s has %.*s", r->name, (int)line.n,
				    line.p);
		if (line.n > 2 && memcmp(line.p, "m=", 2) == 0) {
			int32_t sp = text_find(line, SLICE_LIT(" "), false);
			uint32_t port = sp < 0 ? 0
					       : text_number(slice_of(line.p + sp + 1,
								      line.n - (uint32_t)sp - 1));

			if (port && (port < r->media_lo || port > r->media_hi))
				driver_fail(d, "SDP towards realm %s has %.*s", r->name,
					    (int)line.n, line.p);
		}
	}
}

static bool has_bad_byte(struct slice head)
{
	for (uint32_t i = 0; i < head.n; i++) {
		if (head.p[i] == 0)
			return true;
		if (head.p[i] == '\n' && (i == 0 || head.p[i - 1] != '\r'))
			return true;
	}
	return false;
}

static void check_form(struct driver *d, struct slice msg)
{
	static const char *const once[] = {"From", "To", "Call-ID", "CSeq", "Content-Length"};
	struct slice body = text_body(msg);

	if (has_bad_byte(text_head(msg)))
		driver_fail(d, "sent message has a NUL or bare LF in its head:\n%.*s", (int)msg.n,
			    msg.p);
	if (text_find(msg, SLICE_LIT("\r\n\r\n"), false) < 0)
		driver_fail(d, "sent message does not end its head:\n%.*s", (int)msg.n, msg.p);
	for (uint32_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		if (text_count(msg, once[i]) != 1)
			driver_fail(d, "sent message has %u %s lines:\n%.*s",
				    text_count(msg, once[i]), once[i], (int)msg.n, msg.p);
	if (text_count(msg, "Via") == 0)
		driver_fail(d, "sent message has no Via:\n%.*s", (int)msg.n, msg.p);
	if (text_number(text_header(msg, "Content-Length", 0)) != body.n)
		driver_fail(d, "sent message's Content-Length is not its body's:\n%.*s", (int)msg.n,
			    msg.p);
}

/* What our own requests always look like; replies repeat what the far end wrote. */
static void check_request(struct driver *d, struct slice msg)
{
	struct slice via = text_header(msg, "Via", 0);

	if (text_count(msg, "Via") != 1 || text_find(via, SLICE_LIT(","), false) >= 0)
		driver_fail(d, "request of ours has more than one Via:\n%.*s", (int)msg.n, msg.p);
	if (text_find(text_param(via, "branch"), SLICE_LIT("z9hG4bK"), false) != 0)
		driver_fail(d, "request of ours has no branch:\n%.*s", (int)msg.n, msg.p);
	if (text_param(text_header(msg, "From", 0), "tag").n == 0)
		driver_fail(d, "request of ours has no From tag:\n%.*s", (int)msg.n, msg.p);
	if (text_count(msg, "Max-Forwards") != 1)
		driver_fail(d, "request of ours without Max-Forwards:\n%.*s", (int)msg.n, msg.p);
}

void driver_check_sent(struct driver *d, uint16_t realm, struct slice msg)
{
	check_form(d, msg);
	if (text_is_request(msg))
		check_request(d, msg);
	check_sdp(d, realm, msg);
}
