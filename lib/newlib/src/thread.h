/* SPDX-License-Identifier: MIT */
/*
 * What the files of POSIX threads share.
 *
 * The kernel knows threads by number, runs them, and lets them sleep on a word of memory (futex).
 * All the rest is here. A thread's block, struct __pthread, is where its %fs points, above its copy
 * of the thread-local variables; the first word is its own address, as the ABI wants it:
 *
 *	 guard | stack ...        | thread-local variables | struct __pthread
 *	       ^ lowest           ^ %rsp at the start       ^ %fs
 *
 * The first thread has no such block until the program uses threads: then thread_init() gives it
 * one; until then %fs may be 0. As long as it is the only one, locks are counted, not fought for.
 */
#ifndef PARVIX_LIBC_THREAD_H
#define PARVIX_LIBC_THREAD_H

#include <limits.h>
#include <parvix/futex.h>
#include <pthread.h>
#include <reent.h>
#include <stdint.h>
#include "sys.h"

/* Bits of `cancel`; cancel.S knows the first three, and the offset. */
#define CANCEL_WANTED 1
#define CANCEL_OFF 2
#define CANCEL_NEVER 8 /* it is on its way out already */
#define CANCEL_ASYNC 4
#define SIGCANCEL 32 /* the library's own */

enum { JOINABLE, DETACHED, ENDED };

struct __pthread {
	struct __pthread *self;
	volatile int cancel;
	volatile int tid; /* 0: ended; the kernel stores it */
	volatile int state;
	int values_used;
	int tells; /* the kernel knows nothing of `tid`: its thread stores the 0 itself */
	void *(*start)(void *);
	void *arg;
	void *result;
	char *map; /* to be unmapped; NULL: the first thread's, or the program's own */
	size_t map_size;
	char *stack;
	size_t stack_size, guard_size;
	struct __pthread_cleanup *cleanup;
	struct robust_list_head robust;
	struct _reent *reent;
	char name[16];
	struct __pthread *next; /* thread.c: known */
	void *values[PTHREAD_KEYS_MAX];
	unsigned lives[PTHREAD_KEYS_MAX]; /* of the key that the value is of */
	struct _reent own_reent;          /* the last: the first thread's block ends before it */
};

_Static_assert(__builtin_offsetof(struct __pthread, cancel) == 8, "cancel.S knows it");

/* More than one thread has been, or the first one has its block. */
extern volatile int __parvix_threads;
extern volatile int __parvix_several; /* there has been a second one: locks are real */
extern int __parvix_first_cancel;     /* CANCEL_OFF or 0: the first one's, while it has no block */
struct __pthread *__parvix_first_block(void);
void __parvix_thread_init(void);

/* Whether there is such a thread: it may have been joined; its number, 0 if it has ended. */
int __parvix_thread_known(pthread_t t);
int __parvix_thread_tid(pthread_t t);

static inline struct __pthread *thread_self(void)
{
	struct __pthread *self;

	if (__builtin_expect(!__parvix_threads, 0))
		__parvix_thread_init();
	__asm__("movq %%fs:0, %0" : "=r"(self));
	return self;
}

/* Thread-local variables: start.c. Bytes below the block, and filling them in. */
size_t __parvix_tls_size(void);
size_t __parvix_tls_align(void);
void __parvix_tls_fill(char *tp);

/* A system call that is a point of cancellation (cancel.S); the kernel's result, -errno and all. */
long __parvix_cancel_sys(long nr, long a, long b, long c, long d, long e);
void __parvix_cancel_self(void) __attribute__((noreturn));

/* @deadline: absolute, checked by the caller. 0, or -EAGAIN, -EINTR, -ETIMEDOUT. */
static inline long futex_wait(volatile int *word, int value, clockid_t clock,
			      const struct timespec *deadline, int shared)
{
	int op = FUTEX_WAIT | (shared ? 0 : FUTEX_PRIVATE) |
		 (clock == CLOCK_REALTIME ? FUTEX_REALTIME : 0);

	return __SYS4(SYS_futex, word, op, value, deadline);
}

static inline void futex_wake(volatile int *word, int n, int shared)
{
	__SYS3(SYS_futex, word, FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE), n);
}

static inline int time_is_wrong(const struct timespec *t)
{
	return t && (t->tv_nsec < 0 || t->tv_nsec >= 1000000000);
}

static inline int cas(volatile int *word, int old, int new)
{
	__atomic_compare_exchange_n(word, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return old; /* what was there */
}

/* The short locks of the library's own: 0 free, 1 taken, 2 taken and waited for. */
static inline void lock_word(volatile int *word, int shared)
{
	int was = cas(word, 0, 1);

	while (was) {
		if (was == 2 || cas(word, 1, 2))
			futex_wait(word, 2, CLOCK_MONOTONIC, NULL, shared);
		was = cas(word, 0, 2);
	}
}

static inline void unlock_word(volatile int *word, int shared)
{
	if (__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST) == 2)
		futex_wake(word, 1, shared);
}

#endif
