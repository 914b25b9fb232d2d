/* What a message tells of the side that it comes from. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/oracle_internal.h"
#include "tests/lib/text.h"

/* Dotted quads anywhere in a text. */
static void learn_ips(struct oracle *o, uint16_t realm, struct slice s)
{
	for (uint32_t i = 0; i + 7 <= s.n; i++) {
		unsigned a, b, c, d;
		int used = 0;
		char text[20] = "";

		if (s.p[i] < '0' || s.p[i] > '9' ||
		    (i && (oracle_is_word(s.p[i - 1]) || s.p[i - 1] == '.')))
			continue;
		memcpy(text, s.p + i, s.n - i < 19 ? s.n - i : 19);
		if (sscanf(text, "%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &used) == 4 && a < 256 &&
		    b < 256 && c < 256 && d < 256)
			oracle_put_ip(o, realm, htonl(a << 24 | b << 16 | c << 8 | d), false,
				      "address");
		if (used)
			i += (uint32_t)used - 1;
	}
}

/* A host name counts as one when it has a dot and is not an address. */
static void learn_host(struct oracle *o, uint16_t realm, struct slice host)
{
	bool dot = false, letter = false;

	for (uint32_t i = 0; i < host.n; i++) {
		dot |= host.p[i] == '.';
		letter |= oracle_is_word(host.p[i]) && (host.p[i] < '0' || host.p[i] > '9');
	}
	if (dot && letter)
		oracle_put_text(o, realm, host, true, false, "host name");
}

/* Hosts of all URIs in a header value. */
static void learn_uris(struct oracle *o, uint16_t realm, struct slice value)
{
	struct slice element;

	while (text_next_element(&value, &element))
		learn_host(o, realm, text_host(text_uri(element)));
}

static void learn_via(struct oracle *o, uint16_t realm, struct slice value)
{
	struct slice via;

	while (text_next_element(&value, &via)) {
		struct slice branch = text_param(via, "branch"), by;
		int32_t sp = text_find(via, SLICE_LIT(" "), false);

		if (branch.n > 7 && memcmp(branch.p, "z9hG4bK", 7) == 0)
			branch = slice_of(branch.p + 7, branch.n - 7);
		oracle_put_text(o, realm, branch, false, false, "branch");
		by = sp < 0 ? via : text_trim(slice_of(via.p + sp, via.n - (uint32_t)sp));
		for (uint32_t i = 0; i < by.n; i++)
			if (strchr(":;, \t", by.p[i]))
				by.n = i;
		learn_host(o, realm, by);
	}
}

/* Headers whose text is free or about the software: a version number is no address. */
static bool is_free_text(struct slice name)
{
	return text_is(name, "User-Agent") || text_is(name, "Server") ||
	       text_name_is(name, "Subject") || text_is(name, "Organization") ||
	       (name.n > 2 && (name.p[0] == 'X' || name.p[0] == 'x') && name.p[1] == '-');
}

static void learn_header(struct oracle *o, uint16_t realm, struct slice name, struct slice value,
			 bool hides_user_agent)
{
	if (oracle_is_auth(name))
		return;
	if (is_free_text(name)) {
		if (hides_user_agent && (text_is(name, "User-Agent") || text_is(name, "Server")))
			oracle_put_text(o, realm, value, false, false, "software name");
		return;
	}
	learn_ips(o, realm, value);
	if (text_name_is(name, "Via"))
		learn_via(o, realm, value);
	else if (text_name_is(name, "Call-ID"))
		oracle_put_text(o, realm, value, false, false, "Call-ID");
	else if (text_name_is(name, "From") || text_name_is(name, "To"))
		oracle_put_text(o, realm, text_param(value, "tag"), false, false, "tag");
	if (text_find(value, SLICE_LIT("sip:"), true) >= 0 ||
	    text_find(value, SLICE_LIT("sips:"), true) >= 0)
		learn_uris(o, realm, value);
}

static struct slice word(struct slice s, uint32_t nth)
{
	uint32_t at = 0, end;

	for (uint32_t i = 0; i < nth; i++) {
		while (at < s.n && s.p[at] != ' ')
			at++;
		while (at < s.n && s.p[at] == ' ')
			at++;
	}
	for (end = at; end < s.n && s.p[end] != ' ';)
		end++;
	return slice_of(s.p + at, end - at);
}

static void learn_sdp_line(struct oracle *o, uint16_t realm, struct slice line, struct slice head)
{
	struct slice value = text_trim(slice_of(line.p + 2, line.n - 2));
	struct slice user = word(value, 0);

	switch (line.p[0]) {
	case 'o':
		if (user.n > ORACLE_MIN && text_find(head, user, true) < 0)
			oracle_put_text(o, realm, user, true, false, "SDP user name");
		oracle_put_text(o, realm, word(value, 1), true, false, "SDP session id");
		oracle_put_text(o, realm, word(value, 2), true, false, "SDP session version");
		break;
	case 's':
	case 'i':
	case 'u':
	case 'e':
	case 'p':
		if (value.n > ORACLE_MIN) /* not "session" and its like */
			oracle_put_text(o, realm, value, true, false, "SDP description line");
		break;
	case 'a':
		if (text_find(value, SLICE_LIT("ice-"), true) == 0 && value.n > 10)
			oracle_put_text(o, realm, slice_of(value.p + 10, value.n - 10), false,
					false, "ICE credential");
		break;
	default:
		break;
	}
}

static void learn_sdp(struct oracle *o, uint16_t realm, struct slice msg)
{
	struct slice head = text_head(msg), body = text_body(msg), line;

	learn_ips(o, realm, body);
	while (text_next_line(&body, &line))
		if (line.n > 2 && line.p[1] == '=')
			learn_sdp_line(o, realm, line, head);
}

void oracle_learn(struct oracle *o, uint16_t realm, struct net_addr source, struct slice msg,
		  bool hides_user_agent)
{
	struct slice name, value, uri = text_request_uri(msg);
	uint32_t pos = 0;

	oracle_put_ip(o, realm, source.ip, false, "source address");
	learn_ips(o, realm, uri);
	learn_host(o, realm, text_host(uri));
	while (text_next_header(msg, &pos, &name, &value))
		learn_header(o, realm, name, value, hides_user_agent);
	learn_sdp(o, realm, msg);
}

void oracle_learn_sent(struct oracle *o, uint16_t realm, struct slice msg)
{
	struct slice from = text_param(text_header(msg, "From", 0), "tag");
	struct slice to = text_param(text_header(msg, "To", 0), "tag");

	oracle_put_text(o, realm, text_header(msg, "Call-ID", 0), false, false,
			"Call-ID of the border's");
	oracle_put_text(o, realm, from, false, false, "tag of the border's side");
	oracle_put_text(o, realm, to, false, false, "tag of the border's side");
	if (!text_is_request(msg))
		return;
	learn_via(o, realm, text_header(msg, "Via", 0));
	if (text_is(text_method(msg), "REGISTER"))
		oracle_put_text(o, realm, text_user(text_uri(text_header(msg, "Contact", 0))),
				false, false, "contact user of the border's");
}
