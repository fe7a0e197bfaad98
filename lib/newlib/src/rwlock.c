/* SPDX-License-Identifier: MIT */
/*
 * Read-write locks, barriers, spin locks. The first two are a few numbers under a short lock, and a
 * sequence that changes when those who sleep should look again. Readers come in whenever nobody
 * writes: so who reads may read again, whoever waits to write.
 */
#include "thread.h"

#include <errno.h>
#include <string.h>

/* ---- read-write locks ---- */

static int may_enter(const pthread_rwlock_t *l, int writing)
{
	return !l->__writer && !(writing && l->__readers);
}

static int enter(pthread_rwlock_t *l, int writing, int trying, const struct timespec *deadline)
{
	int tid = thread_self()->tid, seen, err = 0;

	lock_word(&l->__lock, l->__shared);
	while (!may_enter(l, writing)) {
		err = trying                    ? EBUSY
		      : l->__writer == tid      ? EDEADLK
		      : time_is_wrong(deadline) ? EINVAL
						: err;
		if (err)
			break;
		seen = l->__sequence;
		l->__waiters++;
		unlock_word(&l->__lock, l->__shared);
		if (futex_wait(&l->__sequence, seen, CLOCK_REALTIME, deadline, l->__shared) ==
		    -ETIMEDOUT)
			err = ETIMEDOUT;
		lock_word(&l->__lock, l->__shared);
		l->__waiters--;
	}
	if (may_enter(l, writing) && (!err || err == ETIMEDOUT)) {
		err = 0;
		if (writing)
			l->__writer = tid;
		else if (l->__readers == INT_MAX)
			err = EAGAIN;
		else
			l->__readers++;
	}
	unlock_word(&l->__lock, l->__shared);
	return err;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	return enter(l, 0, 0, NULL);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
	return enter(l, 0, 1, NULL);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *deadline)
{
	return enter(l, 0, 0, deadline);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	return enter(l, 1, 0, NULL);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
	return enter(l, 1, 1, NULL);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *deadline)
{
	return enter(l, 1, 0, deadline);
}

int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	int tid = thread_self()->tid, shared = l->__shared, waited, err = 0;

	lock_word(&l->__lock, shared);
	if (l->__writer == tid)
		l->__writer = 0;
	else if (!l->__writer && l->__readers)
		l->__readers--;
	else
		err = EPERM;
	waited = !err && l->__waiters && !l->__readers;
	if (waited)
		l->__sequence++;
	unlock_word(&l->__lock, shared);
	if (waited)
		futex_wake(&l->__sequence, INT_MAX, shared);
	return err;
}

int pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *a)
{
	memset(l, 0, sizeof(*l));
	if (a)
		l->__shared = a->__shared;
	return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
	return l->__writer || l->__readers ? EBUSY : 0;
}

int pthread_rwlockattr_init(pthread_rwlockattr_t *a)
{
	a->__shared = PTHREAD_PROCESS_PRIVATE;
	return 0;
}

int pthread_rwlockattr_destroy(pthread_rwlockattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_rwlockattr_getpshared(const pthread_rwlockattr_t *a, int *shared)
{
	*shared = a->__shared;
	return 0;
}

int pthread_rwlockattr_setpshared(pthread_rwlockattr_t *a, int shared)
{
	if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
		return EINVAL;
	a->__shared = shared;
	return 0;
}

/* ---- barriers ---- */

int pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *a, unsigned count)
{
	if (count == 0)
		return EINVAL;
	memset(b, 0, sizeof(*b));
	b->__count = count;
	if (a)
		b->__shared = a->__shared;
	return 0;
}

/* The one who opens it returns first and may destroy it: not before all others have left. */
int pthread_barrier_destroy(pthread_barrier_t *b)
{
	int inside;

	if (b->__arrived)
		return EBUSY;
	while ((inside = b->__inside))
		futex_wait(&b->__inside, inside, CLOCK_MONOTONIC, NULL, b->__shared);
	return 0;
}

int pthread_barrier_wait(pthread_barrier_t *b)
{
	int seen, shared = b->__shared;

	lock_word(&b->__lock, shared);
	if (++b->__arrived == b->__count) {
		b->__arrived = 0;
		b->__sequence++;
		unlock_word(&b->__lock, shared);
		futex_wake(&b->__sequence, INT_MAX, shared);
		return PTHREAD_BARRIER_SERIAL_THREAD;
	}
	seen = b->__sequence;
	__atomic_add_fetch(&b->__inside, 1, __ATOMIC_SEQ_CST);
	unlock_word(&b->__lock, shared);
	while (b->__sequence == seen)
		futex_wait(&b->__sequence, seen, CLOCK_MONOTONIC, NULL, shared);
	if (__atomic_sub_fetch(&b->__inside, 1, __ATOMIC_SEQ_CST) == 0)
		futex_wake(&b->__inside, 1, shared);
	return 0;
}

int pthread_barrierattr_init(pthread_barrierattr_t *a)
{
	a->__shared = PTHREAD_PROCESS_PRIVATE;
	return 0;
}

int pthread_barrierattr_destroy(pthread_barrierattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_barrierattr_getpshared(const pthread_barrierattr_t *a, int *shared)
{
	*shared = a->__shared;
	return 0;
}

int pthread_barrierattr_setpshared(pthread_barrierattr_t *a, int shared)
{
	if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
		return EINVAL;
	a->__shared = shared;
	return 0;
}

/* ---- spin locks: on one processor, giving way is what helps ---- */

int pthread_spin_init(pthread_spinlock_t *l, int shared)
{
	(void)shared;
	*l = 0;
	return 0;
}

int pthread_spin_destroy(pthread_spinlock_t *l)
{
	return *l ? EBUSY : 0;
}

int pthread_spin_trylock(pthread_spinlock_t *l)
{
	return cas(l, 0, thread_self()->tid) ? EBUSY : 0;
}

int pthread_spin_lock(pthread_spinlock_t *l)
{
	int tid = thread_self()->tid;

	if (*l == tid)
		return EDEADLK;
	while (cas(l, 0, tid))
		sched_yield();
	return 0;
}

int pthread_spin_unlock(pthread_spinlock_t *l)
{
	if (*l != thread_self()->tid)
		return EPERM;
	__atomic_store_n(l, 0, __ATOMIC_SEQ_CST);
	return 0;
}
