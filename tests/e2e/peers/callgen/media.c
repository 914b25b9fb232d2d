/*
 * RTP both ways: 20 ms, 160 bytes, whose payload says whose it is. The gap is between
 * what the kernel received, so that a pause of ours does not pass for the border's;
 * what we sent late is told beside it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/peers/callgen/callgen.h"

#define PACKET_MS   20u
#define PAYLOAD     160
#define MAX_STREAMS 4096
#define FIRST_PORT  10000
#define AFTER_NS    500000000 /* what was on its way when a call ended may still come */

struct end {
	int sock;
	struct sockaddr_in border; /* where it sends, and where alone it may hear from */
	uint16_t seq;
	uint32_t ssrc;
	uint64_t sent, received, duplicates, strange_source, crosstalk, after_end;
	int64_t last, gap; /* ns */
	uint64_t first_seq, high_seq;
};

struct stream {
	int call;
	struct end end[SIDES];
	uint64_t next; /* ms */
	bool on;
	int64_t ended; /* ns; 0: not */
};

static struct stream streams[MAX_STREAMS];
static int count;
static uint64_t late_ms;

struct packet {
	uint8_t head[12];
	uint32_t call, side;
	uint8_t rest[PAYLOAD - 8];
};

int stream_port(int stream)
{
	return stream < 0 ? FIRST_PORT - 2 : FIRST_PORT + 2 * stream;
}

int stream_open(int call)
{
	if (count == MAX_STREAMS)
		return -1;
	struct stream *s = &streams[count];
	s->call = call;
	for (int side = 0; side < SIDES; side++) {
		struct end *e = &s->end[side];
		e->sock = socket_bound(side, (uint16_t)stream_port(count), true);
		e->ssrc = random32();
		e->seq = (uint16_t)random32();
		epoll_add(e->sock, 16 + (uint64_t)count * SIDES + (uint64_t)side);
	}
	return count++;
}

void stream_towards(int stream, enum side from, const struct sockaddr_in *border)
{
	streams[stream].end[from].border = *border;
}

void stream_start(int stream)
{
	streams[stream].on = true;
	streams[stream].next = now_ms() + (uint64_t)stream % PACKET_MS;
}

void stream_end(int stream)
{
	streams[stream].on = false;
	streams[stream].ended = wall_ns();
}

static void send_one(struct stream *s, enum side from)
{
	struct end *e = &s->end[from];
	struct packet p = {.call = (uint32_t)s->call, .side = from};
	uint16_t seq = htons(++e->seq);
	uint32_t stamp = htonl((uint32_t)e->seq * 160u), ssrc = htonl(e->ssrc);

	if (!e->border.sin_port)
		return;
	p.head[0] = 0x80;
	memcpy(p.head + 2, &seq, 2);
	memcpy(p.head + 4, &stamp, 4);
	memcpy(p.head + 8, &ssrc, 4);
	if (sendto(e->sock, &p, sizeof(p), MSG_DONTWAIT, (struct sockaddr *)&e->border,
		   sizeof(e->border)) == sizeof(p))
		e->sent++;
}

void streams_send(uint64_t now)
{
	for (int i = 0; i < count; i++) {
		struct stream *s = &streams[i];
		if (!s->on || s->next > now)
			continue;
		if (now - s->next > late_ms)
			late_ms = now - s->next;
		s->next = now - s->next > PACKET_MS ? now + PACKET_MS : s->next + PACKET_MS;
		send_one(s, CALLER);
		send_one(s, CALLEE);
	}
}

/* After the end: a border that still relays would bring it to the other end. */
void streams_knock(void)
{
	for (int i = 0; i < count; i++) {
		if (streams[i].on)
			continue;
		send_one(&streams[i], CALLER);
		send_one(&streams[i], CALLEE);
	}
}

static void count_sequence(struct end *e, uint16_t seq)
{
	uint64_t wide = (e->high_seq & ~0xffffull) | seq;

	if (e->first_seq == 0) {
		e->first_seq = e->high_seq = 0x10000ull + seq;
		return;
	}
	if (wide + 0x8000 < e->high_seq)
		wide += 0x10000;
	else if (wide > e->high_seq + 0x8000 && wide >= 0x10000)
		wide -= 0x10000;
	if (wide == e->high_seq)
		e->duplicates++;
	else if (wide > e->high_seq)
		e->high_seq = wide;
}

static void take(struct stream *s, enum side side, const struct packet *p, ssize_t len,
		 const struct sockaddr_in *from, int64_t at)
{
	struct end *e = &s->end[side];
	uint16_t seq;

	if (from->sin_addr.s_addr != e->border.sin_addr.s_addr ||
	    from->sin_port != e->border.sin_port) {
		e->strange_source++;
		return;
	}
	if (len != sizeof(*p) || p->call != (uint32_t)s->call || p->side != (uint32_t)!side) {
		e->crosstalk++;
		return;
	}
	if (s->ended && at > s->ended + AFTER_NS) {
		e->after_end++;
		return;
	}
	memcpy(&seq, p->head + 2, 2);
	e->received++;
	count_sequence(e, ntohs(seq));
	if (e->last && at - e->last > e->gap)
		e->gap = at - e->last;
	e->last = at;
}

static int64_t stamp_of(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		struct timespec t;
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&t, CMSG_DATA(c), sizeof(t));
			return t.tv_sec * 1000000000ll + t.tv_nsec;
		}
	}
	return wall_ns();
}

void streams_receive(int stream, enum side side)
{
	struct stream *s = &streams[stream];

	for (;;) {
		struct packet p;
		struct sockaddr_in from;
		char control[64];
		struct iovec v = {&p, sizeof(p)};
		struct msghdr h = {.msg_name = &from,
				   .msg_namelen = sizeof(from),
				   .msg_iov = &v,
				   .msg_iovlen = 1,
				   .msg_control = control,
				   .msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(s->end[side].sock, &h, MSG_DONTWAIT);
		if (n < 0 && errno == ECONNREFUSED)
			continue; /* an ICMP error for what we sent before */
		if (n < 0)
			return;
		take(s, side, &p, n, &from, stamp_of(&h));
	}
}

/* Gaps and losses count from here. */
void streams_mark(void)
{
	late_ms = 0;
	for (int i = 0; i < count; i++) {
		for (int side = 0; side < SIDES; side++) {
			struct end *e = &streams[i].end[side];
			e->gap = 0;
			e->sent = e->received = e->first_seq = 0;
		}
	}
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t gap_of(const struct stream *s, enum side side, int64_t now, int *silent)
{
	const struct end *e = &s->end[side];
	int64_t open = s->on && e->last ? now - e->last : 0;

	if (s->on && (!e->last || open > 1000000000ll))
		++*silent;
	return open > e->gap ? open : e->gap;
}

/* Between the first and the highest sequence number that came: nothing on its way is in it. */
static uint64_t missing_of(const struct end *e)
{
	uint64_t span = e->first_seq ? e->high_seq - e->first_seq + 1 : 0;

	return span > e->received ? span - e->received : 0;
}

int streams_report(char *text, size_t size)
{
	static int64_t gap[MAX_STREAMS * SIDES];
	uint64_t sent = 0, received = 0, duplicates = 0, strange = 0, crosstalk = 0, after = 0;
	uint64_t missing = 0;
	int64_t worst[SIDES] = {0, 0}, now = wall_ns();
	int silent = 0, n = 0, on = 0, over = 0;

	for (int i = 0; i < count; i++) {
		on += streams[i].on;
		for (int side = 0; side < SIDES; side++) {
			const struct end *e = &streams[i].end[side];
			int64_t g = gap_of(&streams[i], side, now, &silent);
			gap[n++] = g;
			over += g > 500000000ll;
			worst[side] = g > worst[side] ? g : worst[side];
			sent += e->sent;
			received += e->received;
			missing += missing_of(e);
			duplicates += e->duplicates;
			strange += e->strange_source;
			crosstalk += e->crosstalk;
			after += e->after_end;
		}
	}
	qsort(gap, (size_t)n, sizeof(gap[0]), by_size);
	return snprintf(
		text, size,
		"\"media\":{\"streams\":%d,\"on\":%d,\"silent\":%d,\"sent\":%lu,\"received\":%lu,"
		"\"missing\":%lu,\"duplicates\":%lu,\"strange_source\":%lu,\"crosstalk\":%lu,"
		"\"after_end\":%lu,"
		"\"gap_ms\":{\"caller\":%ld,\"callee\":%ld,\"median\":%ld,\"worst\":%ld,"
		"\"over_500\":%d},\"sent_late_ms\":%lu}",
		count, on, silent, sent, received, missing, duplicates, strange, crosstalk, after,
		worst[CALLER] / 1000000, worst[CALLEE] / 1000000, n ? gap[n / 2] / 1000000 : 0l,
		n ? gap[n - 1] / 1000000 : 0l, over, late_ms);
}
