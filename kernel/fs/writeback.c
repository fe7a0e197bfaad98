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
static spinlock_t writeback_lock = SPINLOCK("writeback");
static bool wanted, urgent;

void writeback_kick(void)
{
	if (READ_ONCE(wanted))
		return;
	spin_lock(&writeback_lock);
	wanted = true;
	waitq_wake_all(&writeback_wait);
	spin_unlock(&writeback_lock);
}

void writeback_now(void)
{
	if (READ_ONCE(urgent))
		return;
	spin_lock(&writeback_lock);
	wanted = urgent = true;
	waitq_wake_all(&writeback_wait);
	spin_unlock(&writeback_lock);
}

static void writeback_thread(void *unused)
{
	(void)unused;
	for (;;) {
		ktime_t until;

		spin_lock(&writeback_lock);
		while (!wanted)
			sleep_on(&writeback_wait, &writeback_lock, 0, KTIME_NEVER);
		until = clock_now() + WRITEBACK_DELAY;
		while (!urgent && sleep_on(&writeback_wait, &writeback_lock, 0, until) == 0)
			;
		wanted = urgent = false;
		spin_unlock(&writeback_lock);
		fs_sync();
	}
}

void writeback_start(void)
{
	if (!kthread_create("writeback", writeback_thread, NULL))
		printk("write-back: no memory for its thread; only sync writes\n");
}

#define BATCH 32u

/*
 * Write every dirty file's pages and attributes. The files of a batch are all submitted before the
 * first is waited for. Errors stay with the files, for fsync().
 */
int vnodes_write_back(struct mount *mnt)
{
	/* As many as there are now: a busy writer makes more without end. */
	unsigned left = READ_ONCE(nr_dirty_vnodes), n;
	struct vnode *vn[BATCH];
	int first = 0;

	do {
		for (n = 0; n < min(left, BATCH) && (vn[n] = vnode_take_dirty(mnt)); n++) {
			int err;

			mutex_lock(&vn[n]->lock);
			err = vnode_start_write_back(vn[n]);
			mutex_unlock(&vn[n]->lock);
			first = first ? first : err;
		}
		for (unsigned i = 0; i < n; i++) {
			mutex_lock(&vn[i]->lock);
			pcache_wait(vn[i]);
			first = first ? first : vn[i]->pcache.error;
			mutex_unlock(&vn[i]->lock);
			vnode_put(vn[i]);
		}
		left -= n;
	} while (n == BATCH);
	return first;
}

int pcache_sync_all(void)
{
	return vnodes_write_back(NULL);
}
