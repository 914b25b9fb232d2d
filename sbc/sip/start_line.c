#include "sbc/sip/start_line.h"

#include "sbc/sip/chars.h"
#include "sbc/sip/lines.h"

const char *start_line_skip_crlf(const char *p, const char *end)
{
	for (;;) {
		const char *q = p < end && *p == '\r' ? p + 1 : p;

		if (q == end || *q != '\n')
			return p;
		p = q + 1;
	}
}

static enum sbc_err refuse(struct sip_fault *fault, uint16_t status, const char *text)
{
	*fault = (struct sip_fault){status, text};
	return SBC_EBAD;
}

/* "SIP/" 1*DIGIT "." 1*DIGIT, any case; `*is_2_0` for the one version that is served. */
static bool is_version(struct slice s, bool *is_2_0)
{
	uint32_t dots = 0;

	if (s.n < 7 || !slice_ieq(slice_of(s.p, 4), SLICE_LIT("SIP/")))
		return false;
	for (uint32_t i = 4; i < s.n; i++) {
		if (s.p[i] == '.' && sip_char_is_digit(s.p[i - 1]) && i + 1 < s.n)
			dots++;
		else if (!sip_char_is_digit(s.p[i]))
			return false;
	}
	*is_2_0 = slice_eq(slice_of(s.p + 4, s.n - 4), SLICE_LIT("2.0"));
	return dots == 1;
}

static enum sbc_err read_status_line(struct slice line, struct start_line *out,
				     struct sip_fault *fault)
{
	bool is_2_0;
	int32_t sp = slice_find(line, ' ');
	struct slice version = slice_of(line.p, sp < 0 ? line.n : (uint32_t)sp);

	if (!is_version(version, &is_2_0))
		return refuse(fault, 0, "Not SIP");
	if (!is_2_0)
		return refuse(fault, 505, "Version Not Supported");
	sip_cut(&line, version.n);
	if (line.n < 4 || !sip_char_is_digit(line.p[1]) || !sip_char_is_digit(line.p[2]) ||
	    !sip_char_is_digit(line.p[3]) || (line.n > 4 && line.p[4] != ' '))
		return refuse(fault, 400, "Malformed Status-Line");
	out->status =
		(uint16_t)((line.p[1] - '0') * 100 + (line.p[2] - '0') * 10 + line.p[3] - '0');
	out->reason = line.n > 5 ? slice_of(line.p + 5, line.n - 5) : SLICE_NONE;
	if (out->status < 100 || out->status > 699)
		return refuse(fault, 400, "Status-Code Out of Range");
	return SBC_OK;
}

static const char *find_space(const char *p, const char *end)
{
	return p + scan_space(p, (uint32_t)(end - p));
}

static enum sbc_err read_request_line(struct slice line, struct start_line *out,
				      struct sip_fault *fault)
{
	bool is_2_0;
	struct slice s = slice_trim(line);
	const char *end = s.p + s.n;
	const char *v = end;

	while (v > s.p && v[-1] != ' ' && v[-1] != '\t')
		v--;
	if (v == s.p || !is_version(slice_of(v, (uint32_t)(end - v)), &is_2_0))
		return refuse(fault, 0, "Not SIP");
	const char *m = find_space(line.p, end);
	out->is_request = true;
	out->method = slice_of(line.p, (uint32_t)(m - line.p));
	if (!is_2_0)
		return refuse(fault, 505, "Version Not Supported");
	if (!sip_is_token(out->method))
		return refuse(fault, 400, "Malformed Method");
	if (m + 1 >= v || *m != ' ' || v[-1] != ' ')
		return refuse(fault, 400, "Malformed Request-Line");
	out->uri = slice_of(m + 1, (uint32_t)(v - 1 - (m + 1)));
	if (!out->uri.n || find_space(out->uri.p, v - 1) != v - 1 || s.n != line.n)
		return refuse(fault, 400, "Malformed Request-Line");
	return SBC_OK;
}

/*
 * The usual request line in one look: three parts, single spaces, SIP/2.0. All
 * else goes the careful way, which decides what to answer.
 */
static bool read_plain_request(const char *p, const char *end, struct start_line *out)
{
	const char *m = p;

	while (m < end && sip_char_is(*m, SIP_CH_TOKEN))
		m++;
	if (m == p || m == end || *m != ' ')
		return false;
	const char *u = find_space(m + 1, end);
	if (u == m + 1 || end - u < 10 || memcmp(u, " SIP/2.0\r\n", 10) != 0)
		return false;
	out->is_request = true;
	out->method = slice_of(p, (uint32_t)(m - p));
	out->uri = slice_of(m + 1, (uint32_t)(u - m - 1));
	out->next = u + 10;
	return true;
}

/*
 * The usual status line: SIP/2.0, three digits, a space and a phrase without any byte
 * below 0x10 up to CRLF.
 */
static bool read_plain_status(const char *p, const char *end, struct start_line *out)
{
	if (end - p < 14 || memcmp(p, "SIP/2.0 ", 8) != 0 || !sip_char_is_digit(p[8]) ||
	    !sip_char_is_digit(p[9]) || !sip_char_is_digit(p[10]) || p[11] != ' ')
		return false;
	const uint32_t status = (uint32_t)((p[8] - '0') * 100 + (p[9] - '0') * 10 + p[10] - '0');
	const char *q = p + 12;

	while (q < end && (uint8_t)*q >= 0x10)
		q++;
	if (status < 100 || status > 699 || end - q < 2 || q[0] != '\r' || q[1] != '\n')
		return false;
	out->status = (uint16_t)status;
	out->reason = q > p + 12 ? slice_of(p + 12, (uint32_t)(q - p - 12)) : SLICE_NONE;
	out->next = q + 2;
	return true;
}

bool start_line_usual(const char *p, const char *end, struct start_line *out)
{
	*out = (struct start_line){.next = end};
	return read_plain_status(p, end, out) || read_plain_request(p, end, out);
}

enum sbc_err start_line_read(const char *p, const char *end, struct start_line *out,
			     struct sip_fault *fault)
{
	struct scan scan;
	struct scan_line l;

	*out = (struct start_line){.next = end};
	/* A start line is not folded: what follows is judged as a header line. */
	const char *lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
	if (lf == NULL)
		return refuse(fault, 0, "Not SIP");
	scan_init(&scan, p, lf + 1);
	if (!scan_line(&scan, p, &l))
		return refuse(fault, 0, "Not SIP");
	out->next = l.next;
	struct slice line = slice_of(p, (uint32_t)(l.end - p));
	const bool is_response = line.n >= 4 && slice_ieq(slice_of(p, 4), SLICE_LIT("SIP/"));
	enum sbc_err err = is_response ? read_status_line(line, out, fault)
				       : read_request_line(line, out, fault);

	if (err == SBC_OK && l.bad)
		return refuse(fault, 400, "Control Character in Start Line");
	return err;
}
