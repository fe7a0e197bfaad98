/* SPDX-License-Identifier: MIT */
/*
 * Writing back: sync(), and the thread that does it by itself.
 *
 * The thread sleeps until something becomes dirty, waits five seconds so that a burst of writes is
 * written once, writes everything, and sleeps again: an idle system has no timer running for it.
 */
#include "internal.h"

#include <printk.h>

#define WRITEBACK_DELAY (5 * NSEC_PER_SEC)

static struct waitq writeback_wait = WAITQ(writeback_wait);
static bool writeback_wanted; /* under writeback_wait.lock */

void writeback_kick(void)
{
	if (READ_ONCE(writeback_wanted))
		return;
	WRITE_ONCE(writeback_wanted, true);
	waitq_wake_all(&writeback_wait);
}

static void writeback_thread(void *unused)
{
	(void)unused;
	for (;;) {
		struct waiter w;

		waiter_add(&writeback_wait, &w);
		thread_prepare_sleep();
		if (READ_ONCE(writeback_wanted))
			thread_cancel_sleep();
		else
			thread_sleep(0, KTIME_NEVER);
		waiter_remove(&w);
		if (!READ_ONCE(writeback_wanted))
			continue;

		ktime_t until = clock_now() + WRITEBACK_DELAY;

		while (clock_now() < until) {
			thread_prepare_sleep();
			thread_sleep(0, until);
		}
		WRITE_ONCE(writeback_wanted, false);
		fs_sync();
	}
}

void writeback_start(void)
{
	if (!kthread_create("writeback", writeback_thread, NULL))
		printk("write-back: no memory for its thread; only sync writes\n");
}

/* Write every dirty file's pages and attributes; the first error. */
int vnodes_write_back(struct mount *mnt)
{
	int first = 0;

	/* As many as there are now: a busy writer makes more without end. */
	for (unsigned n = READ_ONCE(nr_dirty_vnodes); n; n--) {
		struct vnode *vn = vnode_take_dirty(mnt);
		int err;

		if (!vn)
			break;
		err = vnode_write_back(vn);
		if (err && !first)
			first = err;
		vnode_put(vn);
	}
	return first;
}

int pcache_sync_all(void)
{
	return vnodes_write_back(NULL);
}
