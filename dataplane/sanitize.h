/*
 * sanitize: packets pass between threads through DPDK's own libraries, which a
 * thread sanitizer cannot look into. These say what those do: what was written
 * before a buffer is given away is seen by who gets it. Without the sanitizer
 * they are nothing, and allocation and freeing are DPDK's.
 */
#ifndef DATAPLANE_SANITIZE_H
#define DATAPLANE_SANITIZE_H

#include <rte_mbuf.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__)
#define SANITIZE_THREAD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZE_THREAD 1
#endif
#endif

#ifdef SANITIZE_THREAD

void __tsan_acquire(void *p);
void __tsan_release(void *p);

static inline void packet_got(void *p)
{
	__tsan_acquire(p);
}

static inline void packet_gives(void *p)
{
	__tsan_release(p);
}

static inline struct rte_mbuf *packet_alloc(struct rte_mempool *pool)
{
	struct rte_mbuf *m = rte_mbuf_raw_alloc(pool);

	if (m == NULL)
		return NULL;
	packet_got(m);
	rte_pktmbuf_reset(m);
	return m;
}

static inline void packet_free(struct rte_mbuf *m)
{
	while (m != NULL) {
		struct rte_mbuf *next = m->next;

		m = rte_pktmbuf_prefree_seg(m);
		if (m != NULL) {
			packet_gives(m);
			rte_mbuf_raw_free(m);
		}
		m = next;
	}
}

static inline void packets_got(struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		packet_got(m[i]);
}

static inline void packets_give(struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		packet_gives(m[i]);
}

#else

#define packet_got(p)      ((void)(p))
#define packet_gives(p)    ((void)(p))
#define packet_alloc(pool) rte_pktmbuf_alloc(pool)
#define packet_free(m)     rte_pktmbuf_free(m)
#define packets_got(m, n)  ((void)(m), (void)(n))
#define packets_give(m, n) ((void)(m), (void)(n))

#endif

#endif
