/* SPDX-License-Identifier: MIT */
/*
 * Threads by system calls, for the tests of the kernel's part of them. The C library knows nothing
 * of these threads: what they run touches no errno and no stdio. Only for this kernel.
 */
#ifndef TESTS_USER_RAW_THREAD_H
#define TESTS_USER_RAW_THREAD_H

#include "guest.h"

#include <parvix/futex.h>
#include <parvix/syscall.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>

#define STACK 16384

static inline long call(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return ret;
}
#define CALL(nr, a, b, c, d, e) \
	call(SYS_##nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

struct task {
	void (*fn)(struct task *);
	volatile int tid;
	volatile int result;
	char *stack;
	long tls[2];
};

/* The C library's data of the first thread are not touched by these: no errno, no stdio. */
static inline void thread_main(struct task *t)
{
	t->fn(t);
	CALL(thread_exit, 0, 0, 0, 0, 0);
}

static inline long start(struct task *t, void (*fn)(struct task *))
{
	unsigned long sp;

	t->fn = fn;
	t->result = 0;
	t->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sp = (unsigned long)t->stack + STACK - 8;
	t->tls[0] = (long)&t->tls[0];
	return CALL(thread_create, thread_main, t, sp, t->tls, &t->tid);
}

static inline long futex(volatile int *at, int op, int val)
{
	return CALL(futex, at, op, val, 0, 0);
}

static inline void join(struct task *t)
{
	int tid;

	while ((tid = t->tid))
		futex(&t->tid, FUTEX_WAIT | FUTEX_PRIVATE, tid);
	munmap(t->stack, STACK);
}

/* Until the @n threads sleep, having said so by their result, as far as anybody can know. */
static inline void let_them_sleep(struct task *t, int n)
{
	for (int i = 0; i < n; i++)
		while (!t[i].result)
			CALL(sched_yield, 0, 0, 0, 0, 0);
	sleep_ms(20);
}

#endif
