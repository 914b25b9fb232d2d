/* A socket to Redis on the event loop. */
#include <errno.h>
#include <fcntl.h>
#include <hiredis/sds.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "control/redis_internal.h"

#define READ_PIECE    16384u /* that hiredis reads */
#define READS_AT_ONCE 16     /* pieces, before others have their turn */

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct redis_link *l)
{
	int events = UV_READABLE;

	if (!l->connected || sdslen(l->context->obuf) > 0)
		events |= UV_WRITABLE;
	uv_poll_start(&l->poll, events, on_poll);
}

static void on_closed(uv_handle_t *handle)
{
	struct redis_link *l = handle->data;
	struct redis *r = l->redis;

	free(l);
	redis_released(r);
}

/* The descriptor leaves the poll set before it is closed, as libuv wants it. */
void redis_link_close(struct redis *r)
{
	struct redis_link *l = r->link;

	if (!l)
		return;
	r->link = NULL;
	r->generation++;
	uv_close((uv_handle_t *)&l->poll, on_closed);
	redisFree(l->context);
	l->context = NULL;
}

static int socket_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

/* False when the link is gone. */
static bool take_replies(struct redis *r)
{
	uint64_t generation = r->generation;
	void *reply;

	for (;;) {
		reply = NULL;
		if (redisGetReply(r->link->context, &reply) != REDIS_OK) {
			redis_lost(r, r->link->context->errstr);
			return false;
		}
		if (!reply)
			return true;
		redis_replied(r, reply);
		freeReplyObject(reply);
		if (r->generation != generation)
			return false;
	}
}

/*
 * False when the link is gone. What came before the end is taken first. Less than a
 * piece is all there was, and what comes later has the loop call again.
 */
static bool read_some(struct redis_link *l)
{
	struct redis *r = l->redis;

	for (int i = 0; i < READS_AT_ONCE; i++) {
		size_t before = l->context->reader->len, n;

		if (redisBufferRead(l->context) != REDIS_OK) {
			redis_lost(r, l->context->errstr);
			return false;
		}
		n = l->context->reader->len - before;
		if (n == 0)
			return true;
		if (!take_replies(r))
			return false;
		if (n < READ_PIECE)
			return true;
	}
	return true;
}

static bool finish_connect(struct redis_link *l, int status)
{
	struct redis *r = l->redis;
	int err = socket_error(l->context->fd);

	if (err == 0 && status < 0)
		err = ECONNREFUSED;
	if (err) {
		redis_lost(r, strerror(err));
		return false;
	}
	l->connected = true;
	redis_connected(r);
	return r->link == l;
}

/* A status is what libuv makes of POLLERR; it has stopped polling then. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct redis_link *l = poll->data;
	struct redis *r = l->redis;
	int done;

	if (!l->connected && !finish_connect(l, status))
		return;
	if ((events & UV_READABLE || status < 0) && !read_some(l))
		return;
	if (status < 0) {
		redis_lost(r, "connection broken");
		return;
	}
	if (sdslen(l->context->obuf) > 0 && redisBufferWrite(l->context, &done) != REDIS_OK) {
		redis_lost(r, l->context->errstr);
		return;
	}
	watch(l);
}

static void set_options(int fd, bool tcp)
{
	int on = 1, idle = 5, interval = 2, probes = 3;

	/* Children (redis_server.h) must not hold it open. */
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (!tcp)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

/* Takes the context over. */
static bool start(struct redis *r, redisContext *context, bool tcp)
{
	struct redis_link *l = calloc(1, sizeof(*l));

	if (!l || !context || context->err) {
		redis_lost(r, context && context->err ? context->errstr : "out of memory");
		goto fail;
	}
	set_options(context->fd, tcp);
	if (uv_poll_init(r->loop, &l->poll, context->fd) < 0) {
		redis_lost(r, "its socket cannot be watched");
		goto fail;
	}
	l->context = context;
	l->redis = r;
	l->poll.data = l;
	r->handles++;
	r->link = l;
	r->generation++;
	watch(l);
	return true;
fail:
	redisFree(context);
	free(l);
	return false;
}

bool redis_link_tcp(struct redis *r, const char *ip, uint16_t port)
{
	return start(r, redisConnectNonBlock(ip, port), true);
}

bool redis_link_unix(struct redis *r, const char *path)
{
	return start(r, redisConnectUnixNonBlock(path), false);
}

/* How much of it the socket takes now. What went wrong, if anything, the loop will find. */
static size_t send_now(struct redis_link *l, const char *bytes, size_t n)
{
	ssize_t sent;

	if (!l->connected || sdslen(l->context->obuf) > 0)
		return 0;
	do
		sent = send(l->context->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent > 0 ? (size_t)sent : 0;
}

/* Goes out at once; what there is no room for, as soon as there is. */
bool redis_link_write(struct redis *r, const char *bytes, size_t n)
{
	struct redis_link *l = r->link;
	size_t sent = send_now(l, bytes, n);

	r->bytes_out += n;
	if (sent == n)
		return true;
	if (redisAppendFormattedCommand(l->context, bytes + sent, n - sent) != REDIS_OK) {
		/* Half a command is none: the loop finds the link broken. */
		if (sent)
			shutdown(l->context->fd, SHUT_RDWR);
		return false;
	}
	watch(l);
	return true;
}

size_t redis_link_backlog(const struct redis *r)
{
	return r->link ? sdslen(r->link->context->obuf) : 0;
}
