/* SPDX-License-Identifier: MIT */
/*
 * Threads as the kernel has them, by system calls: creation, ids, the end, futexes, robust lists,
 * signals of threads, and what becomes of threads when the process forks, executes, stops, ends.
 * <pthread.h> has a test of its own. On Linux, whose calls differ, nothing is tested.
 */
#include "guest.h"

#if defined(__parvix__)
#include <parvix/futex.h>
#include <parvix/syscall.h>
#include <sys/mman.h>
#include <sys/time.h>

#define STACK 16384
#define MANY 24

static long call(long nr, long a, long b, long c, long d, long e)
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
static void thread_main(struct task *t)
{
	t->fn(t);
	CALL(thread_exit, 0, 0, 0, 0, 0);
}

static long start(struct task *t, void (*fn)(struct task *))
{
	unsigned long sp;

	t->fn = fn;
	t->result = 0;
	t->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sp = (unsigned long)t->stack + STACK - 8;
	t->tls[0] = (long)&t->tls[0];
	return CALL(thread_create, thread_main, t, sp, t->tls, &t->tid);
}

static long futex(volatile int *at, int op, int val)
{
	return CALL(futex, at, op, val, 0, 0);
}

static void join(struct task *t)
{
	int tid;

	while ((tid = t->tid))
		futex(&t->tid, FUTEX_WAIT | FUTEX_PRIVATE, tid);
	munmap(t->stack, STACK);
}

static volatile int word, counter;

static void say_tid(struct task *t)
{
	t->result = (int)CALL(gettid, 0, 0, 0, 0, 0);
}

TEST(a_thread_runs_and_ends)
{
	struct task t;
	long tid = start(&t, say_tid);

	CHECK(tid > 0);
	CHECK(tid != getpid());
	join(&t);
	CHECK_EQ(t.result, tid);
	CHECK_EQ(CALL(gettid, 0, 0, 0, 0, 0), getpid());
}

TEST(creation_errors)
{
	struct task t;

	CHECK_EQ(CALL(thread_create, -1l, 0, 0x100000, 0, &t.tid), -EINVAL);
	CHECK_EQ(CALL(thread_create, thread_main, 0, 0x100000, -1l, &t.tid), -EINVAL);
	CHECK_EQ(CALL(thread_create, thread_main, 0, 0x100000, 0, 2), -EINVAL);
	CHECK_EQ(CALL(thread_create, thread_main, 0, 0x100000, 0, 0), -EFAULT);
	CHECK_EQ(CALL(thread_create, thread_main, 0, 0x100000, 0, 0x1000), -EFAULT);
}
#else
TEST(linux_has_others)
{
}
#endif
