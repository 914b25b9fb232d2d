#include "control/ctl_server.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/ctl_answer.h"

struct ctl_client {
	uv_pipe_t pipe;
	struct ctl_server *server;
	struct ctl_client *next;
	uv_write_t write;
	char *answer;
	bool busy;  /* a line is being answered */
	bool ended; /* nothing more will come from it */
	bool last;  /* close once the answer is written */
	bool closing;
	size_t n;
	char line[CTL_MAX_LINE + 1];
};

struct ctl_server {
	uv_pipe_t pipe;
	uv_loop_t *loop;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	ctl_line_fn handler;
	void *arg;
	struct ctl_client *clients;
	uint32_t count;
	bool closing, closed;
};

static void client_next(struct ctl_client *c);

static void server_release(struct ctl_server *s)
{
	if (s->closed && !s->clients)
		free(s);
}

static void client_closed(uv_handle_t *h)
{
	struct ctl_client *c = h->data, **at = &c->server->clients;
	struct ctl_server *s = c->server;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	s->count--;
	free(c->answer);
	free(c);
	server_release(s);
}

static void client_close(struct ctl_client *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *)&c->pipe, client_closed);
}

static void client_written(uv_write_t *w, int status)
{
	struct ctl_client *c = w->data;

	free(c->answer);
	c->answer = NULL;
	c->busy = false;
	if (status < 0 || c->last)
		client_close(c);
	else
		client_next(c);
}

void ctl_client_answer(struct ctl_client *c, char *text, size_t n)
{
	uv_buf_t buf = uv_buf_init(text, (unsigned)n);

	if (c->closing || !text) {
		free(text);
		client_close(c);
		return;
	}
	c->answer = text;
	c->write.data = c;
	if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &buf, 1, client_written) < 0)
		client_close(c);
}

static void client_refuse(struct ctl_client *c, const char *why)
{
	struct ctl_text t = ctl_answer_error(why);

	c->busy = true;
	c->last = true;
	uv_read_stop((uv_stream_t *)&c->pipe);
	ctl_client_answer(c, t.p, t.n);
}

static void client_alloc(uv_handle_t *h, size_t wanted, uv_buf_t *buf)
{
	struct ctl_client *c = h->data;

	(void)wanted;
	*buf = uv_buf_init(c->line + c->n, (unsigned)(sizeof(c->line) - c->n));
}

static void client_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct ctl_client *c = stream->data;

	(void)buf;
	if (n == 0)
		return;
	if (n < 0) {
		c->ended = true;
		uv_read_stop(stream);
	} else {
		c->n += (size_t)n;
	}
	client_next(c);
}

/* Hands the line over and takes it from the buffer. */
static void client_serve(struct ctl_client *c, size_t len, size_t used)
{
	char *line = strndup(c->line, len);

	c->busy = true;
	uv_read_stop((uv_stream_t *)&c->pipe);
	memmove(c->line, c->line + used, c->n - used);
	c->n -= used;
	if (!line) {
		client_close(c);
		return;
	}
	/* strndup() stops at a zero byte, which no JSON text holds: the parser will say so. */
	c->server->handler(c->server->arg, c, line, strlen(line));
	free(line);
}

/* Serves the next line that is there, reads on, or closes. */
static void client_next(struct ctl_client *c)
{
	const char *end;

	if (c->busy || c->closing)
		return;
	end = memchr(c->line, '\n', c->n);
	if (end) {
		client_serve(c, (size_t)(end - c->line), (size_t)(end - c->line) + 1);
	} else if (c->n > CTL_MAX_LINE) {
		client_refuse(c, "line longer than 65536 bytes");
	} else if (!c->ended) {
		uv_read_start((uv_stream_t *)&c->pipe, client_alloc, client_read);
	} else if (c->n) {
		client_serve(c, c->n, c->n);
	} else {
		client_close(c);
	}
}

static void server_connection(uv_stream_t *stream, int status)
{
	struct ctl_server *s = stream->data;
	struct ctl_client *c;

	if (status < 0 || s->closing)
		return;
	/* Not accepting would leave libuv spinning on the same connection. */
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->server = s;
	c->pipe.data = c;
	c->next = s->clients;
	s->clients = c;
	s->count++;
	uv_pipe_init(s->loop, &c->pipe, 0);
	if (uv_accept(stream, (uv_stream_t *)&c->pipe) < 0)
		client_close(c);
	else if (s->count > CTL_MAX_CLIENTS)
		client_refuse(c, "too many clients");
	else
		client_next(c);
}

static bool make_directory(const char *path, char *why, size_t why_len)
{
	char dir[256];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return true;
	*slash = '\0';
	if (mkdir(dir, 0755) == 0 || errno == EEXIST)
		return true;
	snprintf(why, why_len, "directory %s for the control socket cannot be made: %s", dir,
		 strerror(errno));
	return false;
}

/* Whether some process serves the socket. What it leaves behind when it is killed may go. */
static bool is_served(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served;

	if (fd < 0)
		return false;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	served = connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0 || errno == EAGAIN;
	close(fd);
	return served;
}

static bool clear_path(const char *path, char *why, size_t why_len)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return true;
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, why_len, "%s is there and no socket: expected to make one", path);
		return false;
	}
	if (is_served(path)) {
		snprintf(why, why_len,
			 "%s is served by another process: expected one postern a "
			 "control socket",
			 path);
		return false;
	}
	unlink(path);
	return true;
}

/* The mode is right from the first moment: between bind and chmod anyone could connect. */
static int bind_private(uv_pipe_t *pipe, const char *path)
{
	mode_t before = umask(0177);
	int err = uv_pipe_bind(pipe, path);

	umask(before);
	return err;
}

static void server_closed(uv_handle_t *h)
{
	struct ctl_server *s = h->data;

	s->closed = true;
	server_release(s);
}

struct ctl_server *ctl_server_open(uv_loop_t *loop, const char *path, ctl_line_fn handler,
				   void *arg, char *why, size_t why_len)
{
	struct ctl_server *s;
	int err;

	if (!make_directory(path, why, why_len) || !clear_path(path, why, why_len))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	s->loop = loop;
	s->handler = handler;
	s->arg = arg;
	s->pipe.data = s;
	uv_pipe_init(loop, &s->pipe, 0);
	err = bind_private(&s->pipe, path);
	if (err == 0) {
		snprintf(s->path, sizeof(s->path), "%s", path);
		err = uv_listen((uv_stream_t *)&s->pipe, 16, server_connection);
	}
	if (err == 0)
		return s;
	snprintf(why, why_len, "control socket %s: %s", path, uv_strerror(err));
	ctl_server_close(s);
	return NULL;
}

void ctl_server_close(struct ctl_server *s)
{
	if (!s || s->closing)
		return;
	s->closing = true;
	if (s->path[0])
		unlink(s->path);
	for (struct ctl_client *c = s->clients; c; c = c->next)
		client_close(c);
	uv_close((uv_handle_t *)&s->pipe, server_closed);
}
