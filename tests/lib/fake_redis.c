#include "tests/lib/fake_redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/unit.h"

#define PAIRS 16

struct buffer {
	char *p;
	size_t n, cap;
};

/* A client and what it is joined to. Both streams, or the client alone. */
struct pair {
	struct fake_redis *fake;
	uv_pipe_t client, server;
	uv_connect_t connect;
	uv_timer_t later;
	bool closing;
	bool left;       /* the client has gone while what it had sent is held back */
	bool deaf, mute; /* something of what comes from the client, of what goes to it, is lost */
	uint32_t handles;
	struct buffer in, out; /* commands and answers that are held back */
	struct buffer late;    /* answers that are delayed */
};

struct fake_redis {
	uv_loop_t *loop;
	uv_pipe_t listener;
	struct fake_faults faults;
	struct fake_count count;
	char dir[64], path[96], upstream[108];
	struct pair *pair[PAIRS];
	bool closed;
};

struct sending {
	uv_write_t req;
	char bytes[];
};

/* What is kept ends with a NUL that does not count: numbers in it are read by strtoll(). */
static void keep(struct buffer *b, const char *p, size_t n)
{
	if (b->n + n + 1 > b->cap) {
		b->cap = (b->n + n + 1) * 2;
		b->p = realloc(b->p, b->cap);
		assert_non_null(b->p);
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

static void drop_front(struct buffer *b, size_t n)
{
	memmove(b->p, b->p + n, b->n - n + 1);
	b->n -= n;
}

static void fake_release(struct fake_redis *f)
{
	if (!f->closed || f->count.open || f->listener.data)
		return;
	unlink(f->path);
	rmdir(f->dir);
	free(f);
}

static void on_pair_closed(uv_handle_t *handle)
{
	struct pair *p = handle->data;
	struct fake_redis *f = p->fake;

	if (--p->handles)
		return;
	for (int i = 0; i < PAIRS; i++)
		if (f->pair[i] == p)
			f->pair[i] = NULL;
	free(p->in.p);
	free(p->out.p);
	free(p->late.p);
	free(p);
	f->count.open--;
	fake_release(f);
}

static void pair_close(struct pair *p)
{
	if (p->closing)
		return;
	p->closing = true;
	uv_close((uv_handle_t *)&p->client, on_pair_closed);
	uv_close((uv_handle_t *)&p->server, on_pair_closed);
	uv_close((uv_handle_t *)&p->later, on_pair_closed);
}

static void on_written(uv_write_t *req, int status)
{
	(void)status;
	free(req->data);
}

static void put(struct pair *p, uv_pipe_t *to, const char *bytes, size_t n)
{
	struct sending *s;
	uv_buf_t buf;

	if (n == 0 || p->closing || !uv_is_writable((uv_stream_t *)to))
		return;
	s = malloc(sizeof(*s) + n);
	assert_non_null(s);
	memcpy(s->bytes, bytes, n);
	s->req.data = s;
	buf = uv_buf_init(s->bytes, (unsigned)n);
	if (uv_write(&s->req, (uv_stream_t *)to, &buf, 1, on_written) < 0)
		free(s);
}

/* How many of `n` bytes may pass before the connection is cut; cuts the allowance. */
static size_t allowed(int64_t *left, size_t n, bool *cut)
{
	*cut = *left >= 0 && (uint64_t)*left <= n;
	if (*left < 0)
		return n;
	if (*cut)
		n = (size_t)*left;
	*left = *cut ? -1 : *left - (int64_t)n;
	return n;
}

/* What is written is what the kernel takes at once: enough for a cut to be one. */
static void put_at_once(uv_pipe_t *to, const char *bytes, size_t n)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)n);

	if (n)
		uv_try_write((uv_stream_t *)to, &buf, 1);
}

static void pass(struct pair *p, uv_pipe_t *to, int64_t *left, const char *bytes, size_t n)
{
	bool cut;
	size_t ok = allowed(left, n, &cut);

	if (!cut) {
		put(p, to, bytes, ok);
		return;
	}
	put_at_once(to, bytes, ok);
	pair_close(p);
}

static void send_late(uv_timer_t *timer)
{
	struct pair *p = timer->data;
	size_t n = p->late.n;

	p->late.n = 0;
	pass(p, &p->client, &p->fake->faults.cut_replies, p->late.p, n);
}

/*
 * Whether it is thrown away. A stream has no gap: what would follow one, and be taken for
 * what is missing, ends the connection.
 */
static bool is_lost(struct pair *p, bool *gap, bool lost)
{
	if (*gap && !lost)
		pair_close(p);
	*gap |= lost;
	return *gap;
}

static void answer(struct pair *p, const char *bytes, size_t n)
{
	struct fake_faults *faults = &p->fake->faults;

	if (p->closing || is_lost(p, &p->mute, faults->mute))
		return;
	if (!faults->delay_ms && !p->late.n) {
		pass(p, &p->client, &faults->cut_replies, bytes, n);
		return;
	}
	keep(&p->late, bytes, n);
	if (!uv_is_active((uv_handle_t *)&p->later))
		uv_timer_start(&p->later, send_late, faults->delay_ms, 0);
}

/* Bytes of the whole reply that begins at `s`, 0 when it is not all there. */
static size_t reply_length(const char *s, size_t n)
{
	const char *end = memchr(s, '\n', n);
	size_t len = end ? (size_t)(end - s) + 1 : 0;
	long long count = end ? strtoll(s + 1, NULL, 10) : 0;

	if (!end)
		return 0;
	if (*s == '$' && count >= 0)
		return len + (size_t)count + 2 <= n ? len + (size_t)count + 2 : 0;
	for (; *s == '*' && count > 0; count--) {
		size_t one = reply_length(s + len, n - len);

		if (one == 0)
			return 0;
		len += one;
	}
	return len;
}

static void take_replies(struct pair *p)
{
	struct fake_redis *f = p->fake;
	size_t n;

	while (!p->closing && !f->faults.frozen && p->out.n &&
	       (n = reply_length(p->out.p, p->out.n)) > 0) {
		f->count.replies++;
		if (f->faults.skip) {
			f->faults.skip--;
			answer(p, p->out.p, n);
		} else if (f->faults.instead) {
			f->faults.instead--;
			answer(p, f->faults.reply, strlen(f->faults.reply));
		} else {
			answer(p, p->out.p, n);
		}
		drop_front(&p->out, n);
	}
}

static void take_commands(struct pair *p)
{
	struct fake_redis *f = p->fake;
	size_t n = p->in.n;

	if (p->closing || f->faults.frozen || n == 0)
		return;
	f->count.commands += n;
	p->in.n = 0;
	if (p->left) {
		uv_buf_t all = uv_buf_init(p->in.p, (unsigned)n);

		assert_int_equal(uv_try_write((uv_stream_t *)&p->server, &all, 1), n);
		pair_close(p);
		return;
	}
	if (!is_lost(p, &p->deaf, f->faults.deaf))
		pass(p, &p->server, &f->faults.cut_commands, p->in.p, n);
}

/* As of a socket: what was sent before its end is read before that, however late. */
static void client_left(struct pair *p)
{
	p->left = p->fake->faults.frozen && p->in.n > 0;
	if (p->left)
		uv_read_stop((uv_stream_t *)&p->client);
	else
		pair_close(p);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	(void)handle;
	buf->base = malloc(hint);
	buf->len = buf->base ? hint : 0;
}

static void on_client(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct pair *p = stream->data;

	if (n > 0) {
		keep(&p->in, buf->base, (size_t)n);
		take_commands(p);
	} else if (n < 0) {
		client_left(p);
	}
	free(buf->base);
}

static void on_server(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct pair *p = stream->data;

	if (n > 0) {
		keep(&p->out, buf->base, (size_t)n);
		take_replies(p);
	} else if (n < 0) {
		pair_close(p);
	}
	free(buf->base);
}

static void on_joined(uv_connect_t *req, int status)
{
	struct pair *p = req->data;

	if (status < 0) {
		pair_close(p);
		return;
	}
	if (p->closing)
		return;
	uv_read_start((uv_stream_t *)&p->server, on_alloc, on_server);
	uv_read_start((uv_stream_t *)&p->client, on_alloc, on_client);
}

static void pair_new(struct fake_redis *f, uint32_t slot)
{
	struct pair *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->fake = f;
	f->pair[slot] = p;
	f->count.open++;
	f->count.accepted++;
	uv_pipe_init(f->loop, &p->client, 0);
	uv_pipe_init(f->loop, &p->server, 0);
	uv_timer_init(f->loop, &p->later);
	p->handles = 3;
	p->client.data = p->server.data = p->later.data = p->connect.data = p;
	uv_accept((uv_stream_t *)&f->listener, (uv_stream_t *)&p->client);
	if (f->faults.refuse)
		pair_close(p);
	else if (f->upstream[0])
		uv_pipe_connect(&p->connect, &p->server, f->upstream, on_joined);
	else
		uv_read_start((uv_stream_t *)&p->client, on_alloc, on_client);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct fake_redis *f = listener->data;

	assert_int_equal(status, 0);
	for (uint32_t i = 0; i < PAIRS; i++) {
		if (f->pair[i])
			continue;
		pair_new(f, i);
		return;
	}
	fail_msg("more than %d connections", PAIRS);
}

struct fake_redis *fake_redis_open(uv_loop_t *loop, const char *upstream)
{
	struct fake_redis *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->loop = loop;
	f->faults.cut_commands = f->faults.cut_replies = -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/postern-fake-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	snprintf(f->upstream, sizeof(f->upstream), "%s", upstream ? upstream : "");
	uv_pipe_init(loop, &f->listener, 0);
	f->listener.data = f;
	assert_int_equal(uv_pipe_bind(&f->listener, f->path), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&f->listener, PAIRS, on_connection), 0);
	return f;
}

void fake_redis_drop(struct fake_redis *f)
{
	for (int i = 0; i < PAIRS; i++)
		if (f->pair[i])
			pair_close(f->pair[i]);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct fake_redis *f = handle->data;

	handle->data = NULL;
	fake_release(f);
}

void fake_redis_close(struct fake_redis *f)
{
	f->closed = true;
	fake_redis_drop(f);
	uv_close((uv_handle_t *)&f->listener, on_listener_closed);
}

const char *fake_redis_path(const struct fake_redis *f)
{
	return f->path;
}

struct fake_faults *fake_redis_faults(struct fake_redis *f)
{
	return &f->faults;
}

void fake_redis_thaw(struct fake_redis *f)
{
	f->faults.frozen = false;
	for (int i = 0; i < PAIRS; i++) {
		if (f->pair[i])
			take_commands(f->pair[i]);
		if (f->pair[i])
			take_replies(f->pair[i]);
	}
}

void fake_redis_say(struct fake_redis *f, const char *bytes, size_t n)
{
	for (int i = 0; i < PAIRS; i++)
		if (f->pair[i])
			put(f->pair[i], &f->pair[i]->client, bytes, n);
}

struct fake_count fake_redis_count(const struct fake_redis *f)
{
	return f->count;
}
