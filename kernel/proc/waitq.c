/* SPDX-License-Identifier: MIT */
/*
 * Waiting: lists of threads that want to hear of an event.
 *
 * The classic mistake is the lost wake-up: a thread looks at its condition, finds it false, and
 * goes to sleep; the waker comes between the look and the sleep, finds nobody asleep, and leaves.
 * Here a thread first puts itself on the list, then clears its own `wake_pending`, then looks, then
 * sleeps. A waker that comes in between finds it awake and sets `wake_pending` instead, and the
 * sleep, which looks at that flag under the run queue's lock, does not happen.
 *
 * A waiter stays on the list until its owner takes it off, so a loop may sleep several times with
 * one registration (poll does). waitq_wake_one() moves the one it woke to the end, so that two
 * calls in a row wake two threads.
 */
#include <lock.h>
#include <printk.h>
#include <proc.h>

void waitq_init(struct waitq *wq)
{
	spin_init(&wq->lock, "waitq");
	list_init(&wq->waiters);
}

void waiter_add(struct waitq *wq, struct waiter *w)
{
	w->thread = current;
	w->wq = wq;
	spin_lock(&wq->lock);
	list_add_tail(&wq->waiters, &w->link);
	spin_unlock(&wq->lock);
}

void waiter_remove(struct waiter *w)
{
	spin_lock(&w->wq->lock);
	list_del(&w->link);
	spin_unlock(&w->wq->lock);
}

void waitq_wake_all(struct waitq *wq)
{
	struct waiter *w;

	spin_lock(&wq->lock);
	list_for_each (w, &wq->waiters, link)
		thread_wake(w->thread);
	spin_unlock(&wq->lock);
}

void waitq_wake_one(struct waitq *wq)
{
	spin_lock(&wq->lock);
	if (!list_empty(&wq->waiters)) {
		struct waiter *w = list_first(&wq->waiters, struct waiter, link);

		list_del(&w->link);
		list_add_tail(&wq->waiters, &w->link);
		thread_wake(w->thread);
	}
	spin_unlock(&wq->lock);
}

int sleep_on(struct waitq *wq, spinlock_t *lk, unsigned flags, ktime_t deadline)
{
	struct waiter w;
	int err;

	waiter_add(wq, &w);
	thread_prepare_sleep();
	spin_unlock(lk);
	err = thread_sleep(flags, deadline);
	waiter_remove(&w);
	spin_lock(lk);
	return err;
}

int sleep_on_mutex(struct waitq *wq, mutex_t *m, unsigned flags, ktime_t deadline)
{
	struct waiter w;
	int err;

	waiter_add(wq, &w);
	thread_prepare_sleep();
	mutex_unlock(m);
	err = thread_sleep(flags, deadline);
	waiter_remove(&w);
	mutex_lock(m);
	return err;
}
