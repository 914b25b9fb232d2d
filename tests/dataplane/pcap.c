#include "tests/dataplane/pcap.h"

#define SNAP 65536u

FILE *pcap_create(const char *path)
{
	const uint32_t head[6] = {0xa1b2c3d4, 4u << 16 | 2, 0, 0, SNAP, 1};
	FILE *out = fopen(path, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(head, sizeof(head), 1, out), 1);
	return out;
}

void pcap_write(FILE *out, const struct frame *f)
{
	const uint32_t head[4] = {0, 0, f->n, f->n};

	assert_int_equal(fwrite(head, sizeof(head), 1, out), 1);
	assert_int_equal(fwrite(f->b, f->n, 1, out), 1);
}

FILE *pcap_open(const char *path)
{
	FILE *in = fopen(path, "rb");

	assert_non_null(in);
	assert_int_equal(fseek(in, 24, SEEK_SET), 0);
	return in;
}

struct frame_view pcap_expect(FILE *in, struct frame *f)
{
	uint32_t head[4];
	struct frame_view v;

	assert_int_equal(fread(head, sizeof(head), 1, in), 1);
	assert_true(head[2] <= sizeof(f->b));
	f->n = head[2];
	assert_int_equal(fread(f->b, f->n, 1, in), 1);
	v = frame_read(f);
	assert_true(v.ok);
	return v;
}

void pcap_options(struct frame *f, const struct frame_spec *s)
{
	static const char text[] = "OPTIONS sip:203.0.113.1 SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=z9hG4bK1\r\n"
				   "Max-Forwards: 70\r\nFrom: <sip:a@h>;tag=a1\r\n"
				   "To: <sip:203.0.113.1>\r\nCall-ID: 1@phone\r\n"
				   "CSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n";

	frame_udp(f, s, text, sizeof(text) - 1);
}

void pcap_write_three(const char *path, const uint8_t *to)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	static struct frame f;
	FILE *out = pcap_create(path);

	s.to = to;
	frame_arp(&f, &s, 1, PHONE_MAC, PHONE, OUT_IP);
	pcap_write(out, &f);
	frame_icmp_echo(&f, &s, 3, 100);
	pcap_write(out, &f);
	pcap_options(&f, &s);
	pcap_write(out, &f);
	fclose(out);
}

void pcap_expect_three(const char *path)
{
	static struct frame f;
	FILE *in = pcap_open(path);

	assert_int_equal(pcap_expect(in, &f).op, 2);
	assert_int_equal(pcap_expect(in, &f).payload[7], 3);
	assert_memory_equal(pcap_expect(in, &f).payload, "SIP/2.0 200", 11);
	assert_int_equal(fgetc(in), EOF);
	fclose(in);
}
