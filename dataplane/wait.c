#include "dataplane/wait.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/worker.h"

#define EVENTS 16
#define BELL   UINT32_MAX

static bool watch(const struct wait *t, int fd, uint32_t what)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = what};

	return epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

static void source_add(struct wait *t, const struct worker_rx *rx)
{
	const struct rx_wait *r = &rx->dev->rx_wait[rx->queue];

	if (r->kind == RX_WAIT_NONE || t->sources == WAIT_SOURCES || !watch(t, r->fd, t->sources)) {
		t->blind = true;
		return;
	}
	t->source[t->sources++] = (struct wait_source){
		.eth = rx->dev->eth, .queue = rx->queue, .kind = r->kind, .fd = r->fd};
}

bool wait_create(struct worker *w)
{
	struct wait *t = &w->wait;

	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (t->epoll < 0 || t->bell < 0 || !watch(t, t->bell, BELL))
		return false;
	for (uint16_t i = 0; i < w->rx_count; i++)
		source_add(t, &w->rx[i]);
	return true;
}

void wait_free(struct worker *w)
{
	if (w->wait.epoll > 0)
		close(w->wait.epoll);
	if (w->wait.bell > 0)
		close(w->wait.bell);
}

/* As they are when the workers begin: written to only for one that is asleep. */
static void interrupts(struct wait *t, bool on)
{
	for (uint16_t i = 0; i < t->sources; i++) {
		const struct wait_source *s = &t->source[i];

		if (s->kind != RX_WAIT_INTERRUPT)
			continue;
		if (on)
			rte_eth_dev_rx_intr_enable(s->eth, s->queue);
		else
			rte_eth_dev_rx_intr_disable(s->eth, s->queue);
	}
}

void wait_arm(struct worker *w)
{
	struct wait *t = &w->wait;

	__atomic_store_n(&t->asleep, 1, __ATOMIC_RELAXED);
	interrupts(t, true);
	/* Ahead of every load of the look at rings and queues: see above. */
	rte_atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void wait_disarm(struct worker *w)
{
	struct wait *t = &w->wait;

	__atomic_store_n(&t->asleep, 0, __ATOMIC_RELAXED);
	interrupts(t, false);
}

void wait_bell(struct wait *t)
{
	uint64_t one = 1;

	if (__atomic_exchange_n(&t->asleep, 0, __ATOMIC_RELAXED) == 0)
		return;
	while (write(t->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void wait_ring_owed(struct worker *w)
{
	if (w->bells == 0)
		return;
	rte_atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (uint32_t owed = w->bells; owed != 0; owed &= owed - 1) {
		struct wait *t = &w->dp->worker[__builtin_ctz(owed)]->wait;

		if (unlikely(__atomic_load_n(&t->asleep, __ATOMIC_RELAXED)))
			wait_bell(t);
	}
	w->bells = 0;
}

static void counter_clear(int fd)
{
	uint64_t n;

	while (read(fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

/* An error (the interface went down) is told once and would else wake us for ever. */
static void error_clear(int fd)
{
	int error;
	socklen_t n = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
}

static enum wait_end event_take(const struct wait *t, const struct epoll_event *e)
{
	const struct wait_source *s;

	if (e->data.u32 == BELL) {
		counter_clear(t->bell);
		return WAIT_END_BELL;
	}
	s = &t->source[e->data.u32];
	if (s->kind == RX_WAIT_INTERRUPT)
		counter_clear(s->fd);
	else if (e->events & (EPOLLERR | EPOLLHUP))
		error_clear(s->fd);
	return WAIT_END_QUEUE;
}

enum wait_end wait_block(struct worker *w, uint64_t us)
{
	struct timespec time = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
	struct epoll_event event[EVENTS];
	const struct wait *t = &w->wait;
	enum wait_end end = WAIT_END_TIME;
	int n = epoll_pwait2(t->epoll, event, EVENTS, &time, NULL);

	/* A kernel before 5.11. */
	if (n < 0 && errno == ENOSYS)
		n = epoll_wait(t->epoll, event, EVENTS, (int)((us + 999) / 1000));
	for (int i = 0; i < n; i++) {
		enum wait_end e = event_take(t, &event[i]);

		end = RTE_MAX(end, e);
	}
	return end;
}
