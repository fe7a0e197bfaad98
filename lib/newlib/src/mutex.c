/* SPDX-License-Identifier: MIT */
/*
 * Mutexes. The word holds the owner's thread id and, in its highest bit, whether somebody sleeps on
 * it: so a mutex that nobody fights for costs one exchange each way and no system call.
 *
 * A robust mutex is, while it is held, on a list that the kernel knows. When its owner ends, the
 * kernel marks the word (FUTEX_OWNER_DIED) and wakes one; the next owner is told by EOWNERDEAD and
 * says pthread_mutex_consistent() when he has put in order what it protects. If he unlocks it
 * without that, it is lost for ever (ENOTRECOVERABLE).
 */
#include "thread.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define TYPE 3
#define SHARED 8
#define LOST FUTEX_TID_MASK /* the word of a mutex that cannot be recovered */
enum { SOUND, INCONSISTENT };

static int robust(const pthread_mutex_t *m)
{
	return m->__kind & PTHREAD_MUTEX_ROBUST;
}

/* ---- the list of the robust ones ---- */

static void set_pending(struct __pthread *self, pthread_mutex_t *m)
{
	if (!self->robust.list.next) {
		self->robust.list.next = &self->robust.list;
		self->robust.futex_offset = (long)offsetof(pthread_mutex_t, __word) -
					    (long)offsetof(pthread_mutex_t, __link);
		__SYS2(SYS_set_robust_list, &self->robust, sizeof(self->robust));
	}
	*(void *volatile *)&self->robust.list_op_pending = m ? &m->__link : NULL;
}

static void link_in(struct __pthread *self, pthread_mutex_t *m)
{
	struct __pthread_link *head = (struct __pthread_link *)&self->robust.list;
	struct __pthread_link *next = head->__next;

	m->__link.__next = next;
	m->__link.__prev = head;
	if (next != head)
		next->__prev = &m->__link;
	__asm__ volatile("" ::: "memory"); /* the kernel may look at any moment */
	head->__next = &m->__link;
}

static void link_out(struct __pthread *self, pthread_mutex_t *m)
{
	struct __pthread_link *head = (struct __pthread_link *)&self->robust.list;

	m->__link.__prev->__next = m->__link.__next;
	if (m->__link.__next != head)
		m->__link.__next->__prev = m->__link.__prev;
}

/* ---- lock ---- */

/* Take it if it is free. 0, EOWNERDEAD (taken), EBUSY, ENOTRECOVERABLE; *@was is the word. */
static int try_word(pthread_mutex_t *m, int tid, int *was)
{
	int old = cas(&m->__word, 0, tid);

	*was = old;
	if (old == 0)
		return 0;
	if (old == LOST && robust(m))
		return ENOTRECOVERABLE;
	while (old & FUTEX_OWNER_DIED) {
		int seen = cas(&m->__word, old, tid | (old & (int)FUTEX_WAITERS));

		if (seen == old)
			return EOWNERDEAD;
		old = seen;
	}
	*was = old;
	return EBUSY;
}

/* The owner asks again. -1: let him wait for himself. */
static int own_already(pthread_mutex_t *m, int trying)
{
	switch (m->__kind & TYPE) {
	case PTHREAD_MUTEX_RECURSIVE:
		if (m->__count == INT_MAX)
			return EAGAIN;
		m->__count++;
		return 0;
	case PTHREAD_MUTEX_ERRORCHECK:
		return trying ? EBUSY : EDEADLK;
	}
	return trying ? EBUSY : -1;
}

static int wait_for(pthread_mutex_t *m, int was, const struct timespec *deadline)
{
	int waited = was | (int)FUTEX_WAITERS;
	long ret;

	if (time_is_wrong(deadline))
		return EINVAL;
	if (was != waited && cas(&m->__word, was, waited) != was)
		return 0;
	ret = futex_wait(&m->__word, waited, CLOCK_REALTIME, deadline, m->__kind & SHARED);
	return ret == -ETIMEDOUT ? ETIMEDOUT : 0;
}

static int lock(pthread_mutex_t *m, const struct timespec *deadline, int trying)
{
	struct __pthread *self = thread_self();
	int tid = self->tid, mine = tid, was, err;

	if ((m->__word & FUTEX_TID_MASK) == tid) {
		err = own_already(m, trying);
		if (err >= 0)
			return err;
	}
	if (robust(m))
		set_pending(self, m);
	while ((err = try_word(m, mine, &was)) == EBUSY && !trying) {
		err = was ? wait_for(m, was, deadline) : 0;
		if (err)
			break;
		/* There may be others who wait: who has slept keeps the bit when he gets it. */
		mine = tid | (int)FUTEX_WAITERS;
	}
	if (!err || err == EOWNERDEAD) {
		m->__state = err ? INCONSISTENT : SOUND;
		m->__count = 0;
		if (robust(m))
			link_in(self, m);
	}
	if (robust(m))
		set_pending(self, NULL);
	return err;
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
	return lock(m, NULL, 0);
}

int pthread_mutex_trylock(pthread_mutex_t *m)
{
	return lock(m, NULL, 1);
}

int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *deadline)
{
	return lock(m, deadline, 0);
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
	struct __pthread *self = thread_self();
	int owned = (m->__word & FUTEX_TID_MASK) == self->tid, shared = m->__kind & SHARED;
	int new = 0;

	if (!owned && ((m->__kind & TYPE) || robust(m)))
		return EPERM;
	if (m->__count) {
		m->__count--;
		return 0;
	}
	if (robust(m)) {
		set_pending(self, m);
		link_out(self, m);
		if (m->__state == INCONSISTENT)
			new = LOST;
	}
	/* From the exchange on it may be another's, or gone. */
	if (__atomic_exchange_n(&m->__word, new, __ATOMIC_SEQ_CST) & (int)FUTEX_WAITERS)
		futex_wake(&m->__word, new ? INT_MAX : 1, shared);
	if (self->robust.list_op_pending)
		set_pending(self, NULL);
	return 0;
}

int pthread_mutex_consistent(pthread_mutex_t *m)
{
	if (!robust(m) || m->__state != INCONSISTENT ||
	    (m->__word & FUTEX_TID_MASK) != thread_self()->tid)
		return EINVAL;
	m->__state = SOUND;
	return 0;
}

int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a)
{
	memset(m, 0, sizeof(*m));
	if (a)
		m->__kind = a->__kind;
	return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *m)
{
	int word = m->__word;

	return word && word != LOST && !(word & FUTEX_OWNER_DIED) ? EBUSY : 0;
}

/* ---- attributes ---- */

int pthread_mutexattr_init(pthread_mutexattr_t *a)
{
	a->__kind = PTHREAD_MUTEX_DEFAULT;
	return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *a)
{
	a->__kind = -1;
	return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *a, int *type)
{
	*type = a->__kind & TYPE;
	return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *a, int type)
{
	if (type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK)
		return EINVAL;
	a->__kind = (a->__kind & ~TYPE) | type;
	return 0;
}

int pthread_mutexattr_getpshared(const pthread_mutexattr_t *a, int *shared)
{
	*shared = a->__kind & SHARED ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE;
	return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared)
{
	if ((shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED) ||
	    a->__kind < 0)
		return EINVAL;
	a->__kind = (a->__kind & ~SHARED) | (shared ? SHARED : 0);
	return 0;
}

int pthread_mutexattr_getrobust(const pthread_mutexattr_t *a, int *value)
{
	*value = a->__kind & PTHREAD_MUTEX_ROBUST;
	return 0;
}

int pthread_mutexattr_setrobust(pthread_mutexattr_t *a, int value)
{
	if (value != PTHREAD_MUTEX_STALLED && value != PTHREAD_MUTEX_ROBUST)
		return EINVAL;
	a->__kind = (a->__kind & ~PTHREAD_MUTEX_ROBUST) | value;
	return 0;
}

/* With one policy of one priority there is none to inherit. */
int pthread_mutexattr_getprotocol(const pthread_mutexattr_t *a, int *protocol)
{
	(void)a;
	*protocol = PTHREAD_PRIO_NONE;
	return 0;
}

int pthread_mutexattr_setprotocol(pthread_mutexattr_t *a, int protocol)
{
	(void)a;
	if (protocol == PTHREAD_PRIO_NONE)
		return 0;
	return protocol == PTHREAD_PRIO_INHERIT || protocol == PTHREAD_PRIO_PROTECT ? ENOTSUP
										    : EINVAL;
}
