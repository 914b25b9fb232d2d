#include "tests/bench/gen/check.h"

#include <arpa/inet.h>

const char *check_fault_name(enum fault fault)
{
	static const char *const names[FAULTS] = {"leak",    "via", "call-id",  "tag",  "cseq",
						  "contact", "sdp", "identity", "media"};

	return names[fault];
}

static bool via_ok(struct text via, const struct expected *e)
{
	struct text branch = message_param(via, TEXT("branch="));

	if (!text_eq(message_sent_by(via), e->sent_by) || memchr(via.p, ',', via.n) != NULL)
		return false;
	if (e->branch.n != 0)
		return text_eq(branch, e->branch);
	return branch.n > 7 && text_begins(branch, TEXT("z9hG4bK"));
}

static bool tags_ok(const struct message *m, const struct expected *e)
{
	struct text from = message_tag(m->from), to = message_tag(m->to);

	if (e->from_tag.n != 0 ? !text_eq(from, e->from_tag) : from.n == 0)
		return false;
	if (e->to_tag_none)
		return to.n == 0;
	return e->to_tag.n == 0 || text_eq(to, e->to_tag);
}

/* The host of sip:user@host or sip:user@host:port, without the port. */
static struct text host_of(struct text uri)
{
	const char *at = memchr(uri.p, '@', uri.n), *end;

	if (!at)
		return (struct text){NULL, 0};
	at++;
	for (end = at; end < uri.p + uri.n && *end != ':' && *end != ';'; end++)
		;
	return (struct text){at, (uint32_t)(end - at)};
}

uint32_t check_message(const struct message *m, const struct expected *e)
{
	uint32_t faults = m->leak ? FAULT(LEAK) : 0;
	struct text uri;

	if (!via_ok(m->via, e))
		faults |= FAULT(VIA);
	if (e->call_id.n != 0 && !text_eq(m->call_id, e->call_id))
		faults |= FAULT(CALL_ID);
	if (!tags_ok(m, e))
		faults |= FAULT(TAG);
	if (e->cseq != 0 && m->cseq != e->cseq)
		faults |= FAULT(CSEQ);
	uri = message_uri(m->contact);
	if (e->contact.n != 0 && (uri.n == 0 || !text_eq(host_of(uri), e->contact)))
		faults |= FAULT(CONTACT);
	uri = message_uri(m->from);
	if (e->from_host.n != 0 && (uri.n == 0 || !text_eq(host_of(uri), e->from_host)))
		faults |= FAULT(IDENTITY);
	return faults;
}

/* Four decimal numbers at the front of `t`. */
static bool read_address(struct text t, uint32_t *ip)
{
	uint32_t sum = 0, part, n;

	for (int i = 0; i < 4; i++) {
		n = text_number(t, &part);
		if (n == 0 || n > 3 || part > 255 || (i < 3 && (t.n <= n || t.p[n] != '.')))
			return false;
		sum = sum << 8 | part;
		t.p += n + (i < 3);
		t.n -= n + (i < 3);
	}
	*ip = htonl(sum);
	return t.n == 0;
}

static bool in_range(uint32_t ip, uint32_t first, uint32_t count)
{
	return ntohl(ip) - ntohl(first) < count;
}

uint32_t check_sdp(struct text body, uint32_t first, uint32_t count, struct media *out)
{
	const char *p = body.p, *end = body.p + body.n, *next;
	uint32_t port = 0, ip = 0, origin = 0;

	for (; p < end; p = next) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		struct text line;

		if (!newline || newline == p || newline[-1] != '\r')
			return FAULT(SDP);
		next = newline + 1;
		line = (struct text){p, (uint32_t)(newline - 1 - p)};
		if (text_begins(line, TEXT("c=IN IP4 "))) {
			if (ip != 0 || !read_address((struct text){p + 9, line.n - 9}, &ip))
				return FAULT(SDP);
		} else if (text_begins(line, TEXT("m=audio "))) {
			if (port != 0 || text_number((struct text){p + 8, line.n - 8}, &port) == 0)
				return FAULT(SDP);
		} else if (text_begins(line, TEXT("o="))) {
			const char *last = memrchr(line.p, ' ', line.n);

			if (!last ||
			    !read_address((struct text){last + 1, (uint32_t)(newline - 2 - last)},
					  &origin))
				return FAULT(SDP);
		}
	}
	if (!in_range(ip, first, count) || !in_range(origin, first, count) || port < 1024 ||
	    port > 65535 || port % 2 != 0)
		return FAULT(SDP);
	*out = (struct media){ip, (uint16_t)port};
	return 0;
}
