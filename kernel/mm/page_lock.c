/* SPDX-License-Identifier: MIT */
/*
 * The page lock: one bit of the page, held while its contents come or go (input and output). There
 * are far more pages than waiters, so those who wait share a few queues, chosen by frame number;
 * each looks again when it is woken.
 */
#include <mm.h>
#include <printk.h>
#include "room.h"

#define QUEUES 16

static struct waitq queues[QUEUES];
static bool ready;

static struct waitq *queue_of(const struct page *pg)
{
	return &queues[page_pfn(pg).v % QUEUES];
}

void page_lock_init(void)
{
	for (unsigned i = 0; i < QUEUES; i++)
		waitq_init(&queues[i]);
	ready = true;
}

bool page_trylock(struct page *pg)
{
	return !(__atomic_fetch_or(&pg->flags, PG_LOCKED, __ATOMIC_ACQUIRE) & PG_LOCKED);
}

void page_lock(struct page *pg)
{
	struct waiter w;

	if (page_trylock(pg))
		return;
	KASSERT(ready);
	waiter_add(queue_of(pg), &w);
	for (;;) {
		thread_prepare_sleep();
		if (page_trylock(pg))
			break;
		thread_sleep(0, KTIME_NEVER);
	}
	thread_cancel_sleep();
	waiter_remove(&w);
}

void page_unlock(struct page *pg)
{
	unsigned before = __atomic_fetch_and(&pg->flags, ~PG_LOCKED, __ATOMIC_SEQ_CST);

	KASSERT(before & PG_LOCKED);
	if (!list_empty(&queue_of(pg)->waiters))
		waitq_wake_all(queue_of(pg));
}
