#include "dataplane/intr_hold.h"

#include <errno.h>
#include <rte_alarm.h>

static void wait_for(sem_t *s)
{
	while (sem_wait(s) != 0 && errno == EINTR)
		;
}

static void hold(void *arg)
{
	struct intr_hold *h = arg;

	sem_post(&h->held);
	wait_for(&h->go);
	sem_post(&h->gone);
}

void intr_hold(struct intr_hold *h)
{
	sem_init(&h->held, 0, 0);
	sem_init(&h->go, 0, 0);
	sem_init(&h->gone, 0, 0);
	h->holds = rte_eal_alarm_set(1, hold, h) == 0;
	if (h->holds)
		wait_for(&h->held);
}

void intr_release(struct intr_hold *h)
{
	if (h->holds) {
		sem_post(&h->go);
		wait_for(&h->gone);
	}
	sem_destroy(&h->held);
	sem_destroy(&h->go);
	sem_destroy(&h->gone);
}
