/* SPDX-License-Identifier: MIT */
/*
 * One address space, several threads: faults of many on one page, copy-on-write after a fork,
 * mappings that go while the kernel copies to them, fork while others fault, files that become
 * shorter. Threads by system calls, as in t_thread_kernel.c: no C library between them and the
 * kernel.
 */
#include "guest.h"

#if defined(__parvix__)
#include <parvix/futex.h>
#include <parvix/syscall.h>
#include <sched.h>
#include <sys/mman.h>

#define STACK 16384
#define THREADS 6
#define PAGES 64
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

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
	unsigned number;
	long wrong;
	char *stack;
	long tls[2];
};

static struct task tasks[THREADS];
static char *area;
static volatile int stop;
static int file, zero;

static void thread_main(struct task *t)
{
	t->fn(t);
	CALL(thread_exit, 0, 0, 0, 0, 0);
}

static bool start_all(void (*fn)(struct task *))
{
	stop = 0;
	/* All stacks first: threads may make holes, in which they must not come to lie. */
	for (unsigned i = 0; i < THREADS; i++) {
		struct task *t = &tasks[i];

		*t = (struct task){.fn = fn, .number = i};
		t->stack = mmap(NULL, STACK, RW, ANON, -1, 0);
		t->tls[0] = (long)&t->tls[0];
		if (t->stack == MAP_FAILED)
			return false;
	}
	for (unsigned i = 0; i < THREADS; i++) {
		struct task *t = &tasks[i];

		if (CALL(thread_create, thread_main, t, t->stack + STACK - 8, t->tls, &t->tid) < 0)
			return false;
	}
	return true;
}

static void join_all(void)
{
	for (unsigned i = 0; i < THREADS; i++) {
		struct task *t = &tasks[i];
		int tid;

		while ((tid = t->tid))
			CALL(futex, &t->tid, FUTEX_WAIT | FUTEX_PRIVATE, tid, 0, 0);
		munmap(t->stack, STACK);
		CHECK_EQ(t->wrong, 0);
	}
}

/* Each adds one to every page, from another one on: a page that came twice would lose some. */
static void add_to_all(struct task *t)
{
	for (unsigned i = 0; i < PAGES; i++) {
		long *word = (long *)(area + (i + t->number) % PAGES * PAGE);

		__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
		if (i % 8 == 0)
			CALL(sched_yield, 0, 0, 0, 0, 0);
	}
}

static void check_sums(long want)
{
	for (unsigned i = 0; i < PAGES; i++)
		CHECK_EQ(*(long *)(area + i * PAGE), want);
}

TEST(faults_of_many_on_one_page)
{
	static const int flags[] = {ANON, MAP_SHARED | MAP_ANONYMOUS};

	for (unsigned kind = 0; kind < 2; kind++)
		for (int round = 0; round < 10; round++) {
			area = mmap(NULL, PAGES * PAGE, RW, flags[kind], -1, 0);
			REQUIRE(area != MAP_FAILED);
			REQUIRE(start_all(add_to_all));
			join_all();
			check_sums(THREADS);
			munmap(area, PAGES * PAGE);
		}
}

TEST(copy_on_write_by_many)
{
	pid_t pid;
	int go[2];
	char c;

	for (int round = 0; round < 5; round++) {
		area = mmap(NULL, PAGES * PAGE, RW, ANON, -1, 0);
		REQUIRE(area != MAP_FAILED && pipe(go) == 0);
		for (unsigned i = 0; i < PAGES; i++)
			*(long *)(area + i * PAGE) = 1000;
		pid = START({
			CHILD_CHECK(read(go[0], &c, 1) == 1);
			for (unsigned i = 0; i < PAGES; i++)
				CHILD_CHECK(*(long *)(area + i * PAGE) == 1000);
		});
		REQUIRE(start_all(add_to_all));
		join_all();
		check_sums(1000 + THREADS);
		CHECK_EQ(write(go[1], "x", 1), 1);
		CHECK_EXIT(wait_status(pid), 0);
		close(go[0]);
		close(go[1]);
		munmap(area, PAGES * PAGE);
	}
}

/* The kernel copies into memory that others take away, give back, and forbid. */
static void copy_or_change(struct task *t)
{
	for (unsigned n = 0; n < 400 && !stop; n++) {
		char *at = area + (n * 7 + t->number * 11) % (PAGES - 4) * PAGE;
		long r;

		switch (t->number) {
		case 0:
			CALL(munmap, at, 4 * PAGE, 0, 0, 0);
			break;
		case 1:
			r = CALL(mprotect, at, 4 * PAGE, n % 2 ? RW : PROT_NONE, 0, 0);
			t->wrong += r && r != -ENOMEM;
			break;
		case 2:
			CALL(madvise, at, 4 * PAGE, MADV_DONTNEED, 0, 0);
			break;
		default:
			r = CALL(read, zero, at, 4 * PAGE, 0, 0);
			t->wrong += r < 0 && r != -EFAULT;
		}
	}
}

TEST(memory_that_goes_during_a_copy)
{
	long before = free_pages();

	zero = open("/dev/zero", O_RDONLY);
	for (int round = 0; round < 5; round++) {
		area = mmap(NULL, PAGES * PAGE, RW, ANON, -1, 0);
		REQUIRE(area != MAP_FAILED);
		REQUIRE(start_all(copy_or_change));
		for (int n = 0; n < 50; n++) {
			mmap(area + n % PAGES * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
			sched_yield();
		}
		join_all();
		munmap(area, PAGES * PAGE);
	}
	close(zero);
	CHECK(before - free_pages() < 40);
}

static void write_for_ever(struct task *t)
{
	for (unsigned n = 0; !stop; n++) {
		area[n % PAGES * PAGE + t->number] = (char)(t->number + 1);
		if (n % 16 == 0)
			CALL(sched_yield, 0, 0, 0, 0, 0);
	}
}

TEST(fork_while_others_fault)
{
	area = mmap(NULL, PAGES * PAGE, RW, ANON, -1, 0);
	REQUIRE(area != MAP_FAILED);
	REQUIRE(start_all(write_for_ever));
	for (int round = 0; round < 20; round++) {
		CHECK_EXIT(CHILD_STATUS({
				   for (unsigned i = 0; i < PAGES; i++)
					   for (unsigned t = 0; t < THREADS; t++) {
						   char c = area[i * PAGE + t];

						   CHILD_CHECK(c == 0 || c == (char)(t + 1));
					   }
				   memset(area, 99, PAGES * PAGE);
			   }),
			   0);
		if (round % 4 == 0)
			madvise(area, PAGES * PAGE / 2, MADV_DONTNEED);
	}
	stop = 1;
	join_all();
	for (unsigned i = 0; i < PAGES; i++)
		CHECK(area[i * PAGE] == 1 || area[i * PAGE] == 0);
	munmap(area, PAGES * PAGE);
}

/* A file that is mapped, written, made shorter and longer, and synced, by threads of one process.
 */
static void work_on_file(struct task *t)
{
	for (unsigned n = 0; n < 150; n++) {
		unsigned long at = (n * 13 + t->number * 5) % PAGES * PAGE;
		long r;

		switch (t->number) {
		case 0:
			r = CALL(ftruncate, file, at + 100, 0, 0, 0);
			t->wrong += r != 0;
			break;
		case 1:
			r = CALL(fsync, file, 0, 0, 0, 0);
			t->wrong += r != 0;
			break;
		case 2:
			r = CALL(ftruncate, file, PAGES * PAGE, 0, 0, 0);
			t->wrong += r != 0;
			break;
		case 3: /* from the file into its own mapping */
			r = CALL(pread, file, area + at, 2 * PAGE, 0, 0);
			t->wrong += r < 0 && r != -EFAULT;
			break;
		default: /* and the other way */
			r = CALL(pwrite, file, area + at, PAGE, PAGE * (n % 16), 0);
			t->wrong += r < 0 && r != -EFAULT;
		}
	}
}

TEST(a_file_that_changes_under_its_mapping)
{
	static const char *const places[] = {"/var/tmp", "/tmp"};

	for (unsigned i = 0; i < 2; i++) {
		REQUIRE(enter_scratch(places[i]));
		file = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
		REQUIRE_EQ(ftruncate(file, PAGES * PAGE), 0);
		area = mmap(NULL, PAGES * PAGE, RW, MAP_SHARED, file, 0);
		REQUIRE(area != MAP_FAILED);
		REQUIRE(start_all(work_on_file));
		join_all();
		munmap(area, PAGES * PAGE);
		close(file);
		leave_scratch(places[i]);
	}
}
#else
TEST(linux_has_others)
{
}
#endif
