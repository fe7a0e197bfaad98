/* SPDX-License-Identifier: MIT */
/*
 * Threads as the kernel has them, by system calls: creation, ids, futexes, robust lists, and many
 * at once. Their ends and their signals are in t_thread_life, <pthread.h> has tests of its own. On
 * Linux, whose calls differ, nothing is tested.
 */
#if defined(__parvix__)
#include "raw_thread.h"

#define MANY 24

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

/* ---- a lock made of a futex ---- */

static void lock(volatile int *l)
{
	int seen = 0;

	if (__atomic_compare_exchange_n(l, &seen, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	while (__atomic_exchange_n(l, 2, __ATOMIC_SEQ_CST) != 0)
		futex(l, FUTEX_WAIT | FUTEX_PRIVATE, 2);
}

static void unlock(volatile int *l)
{
	if (__atomic_exchange_n(l, 0, __ATOMIC_SEQ_CST) == 2)
		futex(l, FUTEX_WAKE | FUTEX_PRIVATE, 1);
}

static void count_up(struct task *t)
{
	for (int i = 0; i < 300; i++) {
		int seen;

		lock(&word);
		seen = counter;
		if (i % 7 == 0)
			CALL(sched_yield, 0, 0, 0, 0, 0);
		counter = seen + 1;
		unlock(&word);
	}
	t->result = 1;
}

TEST(many_threads_and_one_lock)
{
	static struct task t[MANY];

	counter = 0;
	for (int i = 0; i < MANY; i++)
		REQUIRE(start(&t[i], count_up) > 0);
	for (int i = 0; i < MANY; i++)
		join(&t[i]);
	CHECK_EQ(counter, MANY * 300);
}

static struct timespec from_now(clockid_t clock, long ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

static long wait_until(volatile int *at, int val, int flags, const struct timespec *ts)
{
	return CALL(futex, at, FUTEX_WAIT | flags, val, ts, 0);
}

/* Not canonical, the hypervisor's, the direct map, the kernel: the tables have entries for some. */
static const unsigned long not_ours[] = {0x7ffffffff000,     0x800000000000,     0xffff800000000000,
					 0xffff888000000000, 0xffffffffc0200000, -4096ul};

TEST(futex_errors_and_deadlines)
{
	struct timespec ts, bad = {0, 1000000000};
	long long t0 = now_ns();

	word = 5;
	CHECK_EQ(futex(&word, FUTEX_WAIT, 4), -EAGAIN);
	CHECK_EQ(futex(&word, FUTEX_WAIT | FUTEX_PRIVATE, 4), -EAGAIN);
	CHECK_EQ(futex((volatile int *)((char *)&word + 1), FUTEX_WAIT, 5), -EINVAL);
	CHECK_EQ(futex((volatile int *)((char *)&word + 2), FUTEX_WAKE, 1), -EINVAL);
	CHECK_EQ(futex((volatile int *)0x1000, FUTEX_WAIT, 5), -EFAULT);
	CHECK_EQ(futex((volatile int *)-8l, FUTEX_WAKE, 5), -EFAULT);
	for (size_t i = 0; i < ARRAY_LEN(not_ours); i++)
		for (int private = 0; private <= FUTEX_PRIVATE; private += FUTEX_PRIVATE)
			CHECK_EQ(futex((volatile int *)not_ours[i], FUTEX_WAIT | private, 5),
				 -EFAULT);
	CHECK_EQ(futex(&word, 77, 5), -EINVAL);
	CHECK_EQ(futex(&word, FUTEX_WAKE, 5), 0);
	CHECK_EQ(wait_until(&word, 5, 0, &bad), -EINVAL);
	CHECK_EQ(wait_until(&word, 5, 0, (struct timespec *)8), -EFAULT);
	ts = from_now(CLOCK_MONOTONIC, 20);
	CHECK_EQ(wait_until(&word, 5, 0, &ts), -ETIMEDOUT);
	CHECK(now_ns() - t0 >= 20000000);
	ts = from_now(CLOCK_REALTIME, 20);
	CHECK_EQ(wait_until(&word, 5, FUTEX_REALTIME | FUTEX_PRIVATE, &ts), -ETIMEDOUT);
	CHECK(now_ns() - t0 >= 40000000);
	ts = (struct timespec){-1, 0};
	CHECK_EQ(wait_until(&word, 5, 0, &ts), -ETIMEDOUT);
}

static volatile int here, there;

static void sleep_here(struct task *t)
{
	t->result = 1;
	if (futex(&here, FUTEX_WAIT | FUTEX_PRIVATE, 0) == 0)
		__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
}

TEST(wake_and_requeue_count)
{
	struct task t[6];

	counter = here = there = 0;
	for (int i = 0; i < 6; i++)
		start(&t[i], sleep_here);
	let_them_sleep(t, 6);
	CHECK_EQ(futex(&here, FUTEX_WAKE | FUTEX_PRIVATE, 0), 0);
	CHECK_EQ(futex(&there, FUTEX_WAKE | FUTEX_PRIVATE, 9), 0);
	CHECK_EQ(futex(&here, FUTEX_WAKE | FUTEX_PRIVATE, 1), 1);
	/* One wakes, three move, one stays. */
	CHECK_EQ(CALL(futex, &here, FUTEX_REQUEUE | FUTEX_PRIVATE, 3, 0, &there), 4);
	sleep_ms(10);
	CHECK_EQ(counter, 2);
	CHECK_EQ(futex(&here, FUTEX_WAKE | FUTEX_PRIVATE, 9), 1);
	CHECK_EQ(futex(&there, FUTEX_WAKE | FUTEX_PRIVATE, 2), 2);
	CHECK_EQ(futex(&there, FUTEX_WAKE | FUTEX_PRIVATE, 2), 1);
	for (int i = 0; i < 6; i++)
		join(&t[i]);
	CHECK_EQ(counter, 6);
}

TEST(processes_share_a_futex)
{
	volatile int *at;
	int fd, status;
	pid_t pid;

	REQUIRE(enter_scratch("/tmp"));
	fd = open("futex", O_RDWR | O_CREAT, 0600);
	REQUIRE_EQ(ftruncate(fd, PAGE), 0);
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE((void *)at != MAP_FAILED);
	pid = START({
		/* At another address: only the file is the same. */
		volatile int *other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		CHILD_CHECK(other != at && (void *)other != MAP_FAILED);
		other[1] = 1;
		while (!other[0])
			futex(other, FUTEX_WAIT, 0);
		_exit(other[0]);
	});
	while (!at[1])
		sleep_ms(1);
	sleep_ms(20);
	at[0] = 9;
	CHECK_EQ(futex(at, FUTEX_WAKE | FUTEX_PRIVATE, 1), 0); /* another key */
	CHECK_EQ(futex(at, FUTEX_WAKE, 1), 1);
	status = wait_status(pid);
	CHECK_EXIT(status, 9);
	munmap((void *)at, PAGE);
	close(fd);
	leave_scratch("/tmp");
}

/* ---- robust locks ---- */

struct rlock {
	struct robust_list link;
	volatile int word;
};

static struct rlock held, pending, others;

static void die_with_locks(struct task *t)
{
	struct robust_list_head head = {
		.list = {&held.link},
		.futex_offset = offsetof(struct rlock, word),
		.list_op_pending = &pending.link,
	};
	int tid = (int)CALL(gettid, 0, 0, 0, 0, 0);

	held.link.next = &others.link;
	others.link.next = &head.list;
	t->result = (int)CALL(set_robust_list, &head, sizeof(head), 0, 0, 0);
	held.word = tid | (int)FUTEX_WAITERS;
	pending.word = tid;
	others.word = tid + 1;
	futex(&here, FUTEX_WAIT | FUTEX_PRIVATE, 0);
	/* The head is on this stack, and the kernel walks the list before anything is freed. */
	CALL(thread_exit, 0, 0, 0, 0, 0);
}

static void wait_for_lock(struct task *t)
{
	t->result = 1;
	futex(&held.word, FUTEX_WAIT | FUTEX_PRIVATE, held.word);
	t->result = held.word;
}

TEST(locks_of_a_dead_thread_are_let_go)
{
	struct task owner, waiter;
	long tid;

	here = 0;
	CHECK_EQ(CALL(set_robust_list, &held, 3, 0, 0, 0), -EINVAL);
	tid = start(&owner, die_with_locks);
	sleep_ms(20);
	CHECK_EQ(owner.result, 0);
	start(&waiter, wait_for_lock);
	let_them_sleep(&waiter, 1);
	here = 1;
	futex(&here, FUTEX_WAKE | FUTEX_PRIVATE, 1);
	join(&owner);
	join(&waiter);
	CHECK_EQ((unsigned)held.word, FUTEX_WAITERS | FUTEX_OWNER_DIED);
	CHECK_EQ(waiter.result, held.word);
	CHECK_EQ(pending.word, FUTEX_OWNER_DIED);
	CHECK_EQ(others.word, (int)tid + 1);
}

static void die_with_a_circle(struct task *t)
{
	static struct robust_list a, b;
	static struct robust_list_head head;

	a.next = &b;
	b.next = &a;
	head.list.next = &a;
	head.futex_offset = 1 << 20;
	t->result = (int)CALL(set_robust_list, &head, sizeof(head), 0, 0, 0);
}

TEST(a_damaged_list_of_locks_does_no_harm)
{
	struct task t;

	start(&t, die_with_a_circle);
	join(&t);
	CHECK_EQ(t.result, 0);
}

static struct task some[4];

static void sleep_long(struct task *t)
{
	t->result = 1;
	for (;;)
		futex(&there, FUTEX_WAIT | FUTEX_PRIVATE, 0);
}

static int threads_of(pid_t pid)
{
	char path[32], text[1024], *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	at = strstr(text, "Threads:");
	return at ? atoi(at + 8) : -1;
}

/* ---- many ---- */

TEST(there_is_a_limit_to_threads)
{
	int status = CHILD_STATUS({
		static struct task t[4096];
		long tid = 0;
		int n = 0;

		there = 0;
		while (n < 4096 && (tid = start(&t[n], sleep_long)) > 0)
			n++;
		CHILD_CHECK(n > 60 && (tid == -EAGAIN || tid == -ENOMEM));
		CHILD_CHECK(threads_of(getpid()) == n + 1);
	});

	CHECK_EXIT(status, 0);
}

static void come_and_go(struct task *t)
{
	t->result = 1;
}

static void unnoticed(int sig)
{
	(void)sig;
}

TEST(threads_come_and_go_under_signals)
{
	struct itimerval often = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
	static struct task t[8];
	int bad = 0;

	handle(SIGALRM, unnoticed, SA_RESTART);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 8; i++)
			bad += start(&t[i], come_and_go) <= 0;
		for (int i = 0; i < 8; i++) {
			CALL(tkill, t[i].tid, SIGALRM, 0, 0, 0);
			join(&t[i]);
			bad += !t[i].result;
		}
	}
	setitimer(ITIMER_REAL, &off, NULL);
	handle(SIGALRM, SIG_DFL, 0);
	CHECK_EQ(bad, 0);
}

static void throw_signals(struct task *t)
{
	for (int i = 0; i < 200; i++)
		CALL(tkill, some[i % 4].tid, SIGUSR2, 0, 0, 0);
	t->result = 1;
}

static void ping(struct task *t)
{
	for (int i = 0; i < 400; i++) {
		while (word != 1)
			futex(&word, FUTEX_WAIT | FUTEX_PRIVATE, 0);
		word = 0;
		futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 2);
	}
	t->result = 1;
}

static void pong(struct task *t)
{
	for (int i = 0; i < 400; i++) {
		while (word != 0)
			futex(&word, FUTEX_WAIT | FUTEX_PRIVATE, 1);
		word = 1;
		futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 2);
	}
	t->result = 1;
}

TEST(no_wake_up_is_lost_under_signals)
{
	struct task thrower;

	word = 0;
	handle(SIGUSR2, unnoticed, 0);
	start(&some[0], ping);
	start(&some[1], pong);
	start(&some[2], come_and_go);
	start(&some[3], come_and_go);
	start(&thrower, throw_signals);
	join(&thrower);
	for (int i = 0; i < 4; i++) {
		join(&some[i]);
		CHECK_EQ(some[i].result, 1);
	}
	handle(SIGUSR2, SIG_DFL, 0);
}

static void map_and_unmap(struct task *t)
{
	for (int i = 0; i < 200; i++) {
		char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		p[0] = 1;
		p[3 * PAGE] = 1;
		CALL(mprotect, p, PAGE, PROT_NONE, 0, 0);
		CALL(munmap, p, 4 * PAGE, 0, 0, 0);
	}
	t->result = 1;
}

static void fork_often(struct task *t)
{
	int status;

	for (int i = 0; i < 20; i++) {
		long pid = CALL(fork, 0, 0, 0, 0, 0);

		if (!pid)
			CALL(exit, 0, 0, 0, 0, 0);
		CALL(wait4, pid, &status, 0, 0, 0);
	}
	t->result = 1;
}

TEST(one_address_space_used_by_many)
{
	static struct task t[6];

	for (int i = 0; i < 6; i++)
		REQUIRE(start(&t[i], i < 4 ? map_and_unmap : fork_often) > 0);
	for (int i = 0; i < 6; i++) {
		join(&t[i]);
		CHECK_EQ(t[i].result, 1);
	}
}

static void use_time(struct task *t)
{
	long long end = now_ns() + 60000000;

	while (now_ns() < end)
		;
	t->result = 1;
}

TEST(times_of_ended_threads_count)
{
	struct rusage before, after;
	struct task t;
	long us;

	getrusage(RUSAGE_SELF, &before);
	start(&t, use_time);
	join(&t);
	getrusage(RUSAGE_SELF, &after);
	us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec -
	     before.ru_utime.tv_usec + (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 +
	     after.ru_stime.tv_usec - before.ru_stime.tv_usec;
	CHECK_THAT(us >= 20000, "%ld us", us);
}
#else
#include "guest.h"

TEST(linux_has_others)
{
}
#endif
