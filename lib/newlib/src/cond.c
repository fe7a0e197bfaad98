/* SPDX-License-Identifier: MIT */
/*
 * Condition variables: a number that every signal changes, and on which the waiters sleep. A waiter
 * reads it while he still has the mutex: a signal that comes after he has let go of that has
 * changed it, and he does not fall asleep.
 *
 * Who destroys a condition variable after a broadcast may do so at once, while those who were woken
 * are still on their way out: destroy waits until they are.
 */
#include "thread.h"

#include <errno.h>
#include <string.h>

#define DYING ((int)0x80000000)

struct leave {
	pthread_cond_t *cond;
	pthread_mutex_t *mutex;
	int err;
};

/* Also when it was cancelled: the mutex is locked before the handlers run. */
static void leave(void *arg)
{
	struct leave *l = arg;
	pthread_cond_t *c = l->cond;

	if (__atomic_sub_fetch(&c->__waiters, 1, __ATOMIC_SEQ_CST) == DYING)
		futex_wake(&c->__waiters, 1, c->__shared);
	l->err = pthread_mutex_lock(l->mutex);
}

int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *deadline)
{
	struct leave l = {c, m, 0};
	int seen = c->__sequence, err;
	long ret;

	if (time_is_wrong(deadline))
		return EINVAL;
	pthread_testcancel();
	__atomic_add_fetch(&c->__waiters, 1, __ATOMIC_SEQ_CST);
	err = pthread_mutex_unlock(m);
	if (err) {
		__atomic_sub_fetch(&c->__waiters, 1, __ATOMIC_SEQ_CST);
		return err;
	}
	pthread_cleanup_push(leave, &l);
	do
		ret = __parvix_cancel_sys(
			SYS_futex, (long)&c->__sequence,
			FUTEX_WAIT | (c->__shared ? 0 : FUTEX_PRIVATE) |
				(c->__clock == CLOCK_MONOTONIC ? 0 : FUTEX_REALTIME),
			seen, (long)deadline, 0);
	while (ret == -EINTR && c->__sequence == seen);
	pthread_cleanup_pop(1);
	if (l.err)
		return l.err;
	return ret == -ETIMEDOUT ? ETIMEDOUT : 0;
}

int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	return pthread_cond_timedwait(c, m, NULL);
}

static int wake(pthread_cond_t *c, int n)
{
	if (!(c->__waiters & ~DYING))
		return 0;
	__atomic_add_fetch(&c->__sequence, 1, __ATOMIC_SEQ_CST);
	futex_wake(&c->__sequence, n, c->__shared);
	return 0;
}

int pthread_cond_signal(pthread_cond_t *c)
{
	return wake(c, 1);
}

int pthread_cond_broadcast(pthread_cond_t *c)
{
	return wake(c, INT_MAX);
}

int pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a)
{
	memset(c, 0, sizeof(*c));
	if (a) {
		c->__shared = a->__shared;
		c->__clock = a->__clock;
	}
	return 0;
}

int pthread_cond_destroy(pthread_cond_t *c)
{
	int n = __atomic_or_fetch(&c->__waiters, DYING, __ATOMIC_SEQ_CST);

	while (n != DYING) {
		futex_wait(&c->__waiters, n, CLOCK_MONOTONIC, NULL, c->__shared);
		n = c->__waiters;
	}
	return 0;
}

int pthread_condattr_init(pthread_condattr_t *a)
{
	a->__shared = 0;
	a->__clock = CLOCK_REALTIME;
	return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *a, clockid_t *clock)
{
	*clock = a->__clock;
	return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *a, clockid_t clock)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return EINVAL;
	a->__clock = clock;
	return 0;
}

int pthread_condattr_getpshared(const pthread_condattr_t *a, int *shared)
{
	*shared = a->__shared;
	return 0;
}

int pthread_condattr_setpshared(pthread_condattr_t *a, int shared)
{
	if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
		return EINVAL;
	a->__shared = shared;
	return 0;
}
