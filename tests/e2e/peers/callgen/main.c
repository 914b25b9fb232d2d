/* callgen CALLER-NAMESPACE CALLER-IP CALLEE-NAMESPACE CALLEE-IP BORDER-IP[,BORDER-IP ...] */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/peers/callgen/callgen.h"

struct program program;

enum { WATCH_STDIN, WATCH_SIP };

static void die(const char *what)
{
	fprintf(stderr, "callgen: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

uint32_t random32(void)
{
	static uint64_t x;

	if (!x)
		x = (uint64_t)wall_ns() ^ (uint64_t)getpid() << 32;
	x += 0x9e3779b97f4a7c15ull;
	uint64_t z = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)(z >> 32);
}

void epoll_add(int fd, uint64_t data)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = data};

	if (epoll_ctl(program.epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		die("epoll");
}

/* A socket stays in the namespace that it was made in. */
int socket_bound(enum side side, uint16_t port, bool stamped)
{
	int on = 1, room = stamped ? 1 << 20 : 1 << 25;
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = program.ip[side]};

	if (setns(program.net[side], CLONE_NEWNET) != 0)
		die("setns");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		die("bind");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (stamped)
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	return fd;
}

void sip_send(enum side side, const char *text, int len, const struct sockaddr_in *to)
{
	/* What cannot be sent now counts as lost on the way: it is repeated by its timer. */
	(void)!sendto(program.sip[side], text, (size_t)len, 0, (const struct sockaddr *)to,
		      sizeof(*to));
}

static void sip_read(enum side side)
{
	static char bytes[65536];

	for (;;) {
		struct sockaddr_in from;
		socklen_t n = sizeof(from);
		ssize_t len = recvfrom(program.sip[side], bytes, sizeof(bytes), MSG_DONTWAIT,
				       (struct sockaddr *)&from, &n);
		if (len < 0 && errno == ECONNREFUSED)
			continue;
		if (len < 0)
			return;
		calls_receive(side, bytes, (int)len, &from);
	}
}

static void turn(void)
{
	static uint64_t next_tick;
	struct epoll_event e[64];
	int n = epoll_wait(program.epoll, e, 64, 1);

	for (int i = 0; i < n; i++) {
		uint64_t id = e[i].data.u64;
		if (id == WATCH_STDIN)
			command_read();
		else if (id < 16)
			sip_read((enum side)(id - WATCH_SIP));
		else
			streams_receive((int)((id - 16) / SIDES), (enum side)((id - 16) % SIDES));
	}
	uint64_t now = now_ms();
	streams_send(now);
	command_tick(now);
	if (now >= next_tick) {
		next_tick = now + 10;
		call_tick(now);
	}
}

static void arguments(char **argv)
{
	for (int side = 0; side < SIDES; side++) {
		program.net[side] = open(argv[1 + 2 * side], O_RDONLY | O_CLOEXEC);
		if (program.net[side] < 0)
			die(argv[1 + 2 * side]);
		if (inet_pton(AF_INET, argv[2 + 2 * side], &program.ip[side]) != 1)
			die(argv[2 + 2 * side]);
	}
	for (char *ip = strtok(argv[5], ","); ip && program.borders < MAX_BORDERS;
	     ip = strtok(NULL, ",")) {
		struct sockaddr_in *b = &program.border[program.borders++];
		b->sin_family = AF_INET;
		b->sin_port = htons(5060);
		if (inet_pton(AF_INET, ip, &b->sin_addr) != 1)
			die(ip);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = {16384, 16384};

	if (argc != 6) {
		fprintf(stderr,
			"usage: callgen CALLER-NAMESPACE IP CALLEE-NAMESPACE IP BORDER-IP[,...]\n");
		return 2;
	}
	arguments(argv);
	setrlimit(RLIMIT_NOFILE, &files);
	program.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int side = 0; side < SIDES; side++) {
		program.sip[side] = socket_bound(side, 5060, false);
		epoll_add(program.sip[side], WATCH_SIP + (uint64_t)side);
	}
	fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
	epoll_add(STDIN_FILENO, WATCH_STDIN);
	puts("{\"ready\":true}");
	fflush(stdout);
	while (!program.quit)
		turn();
	return 0;
}
