/* SPDX-License-Identifier: MIT */
/*
 * The console ring of <xen/io/console.h>: two byte rings in one shared page, 2048 bytes towards the
 * backend and 1024 towards us, each with a producer's and a consumer's index. An index counts bytes
 * for ever (mod 2^32); byte i lies at i modulo the ring's size, what lies between consumer and
 * producer is in the ring. Each side writes its own two indexes only.
 *
 * The other side can write anything into the page at any time, so: our own indexes are kept here,
 * and what lies in the page is a copy for the peer; the peer's indexes are read once a call, and
 * tested. If they claim more bytes in a ring than it holds, the ring is marked broken and moves
 * nothing any more. No index from the page is ever used without a mask.
 *
 * No waiting and no events in here, and the lock is its users' business: arch/pv-x86_64/earlycon.c
 * and console.c. tests/unit/test_console_ring.c runs it against a peer that writes nonsense.
 */
#ifndef PVFRONT_CONSOLE_RING_H
#define PVFRONT_CONSOLE_RING_H

#include <lock.h>
#include <types.h>
#include <xen/io/console.h>

#define CONSOLE_OUT_SIZE ((uint32_t)sizeof(((struct xencons_interface *)0)->out))
#define CONSOLE_IN_SIZE ((uint32_t)sizeof(((struct xencons_interface *)0)->in))

struct console_ring {
	struct xencons_interface *page; /* NULL: no ring */
	uint32_t out_prod, in_cons;     /* ours; the page has copies */
	bool broken;                    /* the peer's indexes were nonsense */
	unsigned port;                  /* of the events */
	spinlock_t lock;                /* for all of it; a leaf, as printk takes it too */
};

/* Indexes go on where the page says that they are: zero, or where a predecessor stopped. */
static inline void console_ring_attach(struct console_ring *r, struct xencons_interface *page)
{
	r->page = page;
	r->out_prod = READ_ONCE(page->out_prod);
	r->in_cons = READ_ONCE(page->in_cons);
	r->broken = false;
}

/* Bytes that the peer has not taken yet. */
static inline uint32_t console_ring_unsent(struct console_ring *r)
{
	uint32_t used = r->out_prod - __atomic_load_n(&r->page->out_cons, __ATOMIC_ACQUIRE);

	if (used > CONSOLE_OUT_SIZE)
		r->broken = true;
	return r->broken ? 0 : used;
}

/* Room for output; 0 if the ring is broken. */
static inline uint32_t console_ring_room(struct console_ring *r)
{
	uint32_t unsent = console_ring_unsent(r);

	return r->broken ? 0 : CONSOLE_OUT_SIZE - unsent;
}

/* Put what fits of @n bytes; returns how many. The peer needs an event afterwards. */
static inline size_t console_ring_put(struct console_ring *r, const char *text, size_t n)
{
	uint32_t room = console_ring_room(r);

	n = min(n, (size_t)room);
	for (size_t i = 0; i < n; i++)
		r->page->out[r->out_prod++ % CONSOLE_OUT_SIZE] = text[i];
	if (n)
		__atomic_store_n(&r->page->out_prod, r->out_prod, __ATOMIC_RELEASE);
	return n;
}

/* Bytes of input that are there. */
static inline uint32_t console_ring_available(struct console_ring *r)
{
	uint32_t n = __atomic_load_n(&r->page->in_prod, __ATOMIC_ACQUIRE) - r->in_cons;

	if (n > CONSOLE_IN_SIZE)
		r->broken = true;
	return r->broken ? 0 : n;
}

/*
 * Take up to @n bytes of input; returns how many. *@kick: the peer needs an event. It needs one
 * only if it has seen the ring full, because then it waits for room: so the producer's index is
 * looked at again after ours has been given out, and it counts whether the ring was full by the old
 * one. (Whoever fills it later sees the new one.)
 */
static inline size_t console_ring_get(struct console_ring *r, char *buf, size_t n, bool *kick)
{
	uint32_t before = r->in_cons;

	n = min(n, (size_t)console_ring_available(r));
	*kick = false;
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		buf[i] = r->page->in[r->in_cons++ % CONSOLE_IN_SIZE];
	__atomic_store_n(&r->page->in_cons, r->in_cons, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*kick = READ_ONCE(r->page->in_prod) - before >= CONSOLE_IN_SIZE;
	return n;
}

#endif
