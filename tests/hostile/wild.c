/* SPDX-License-Identifier: MIT */
/*
 * Wild pointers in every system call: each argument of each call in turn is a pointer to nowhere,
 * the others are plausible. The kernel may say what it likes; it may not fault, and it may not
 * write where it was not told to.
 */
#include "hostile.h"

#include <sys/ioctl.h>
#include <sys/uio.h>

static char page[2 * PAGE] __attribute__((aligned(PAGE)));

/* Calls that end the caller, or the machine; and those that would wait for ever. */
static bool is_left_out(int n)
{
	switch (n) {
	case SYS_exit:
	case SYS_fork: /* takes no pointer */
	case SYS_reboot:
	case SYS_sigreturn:
	case SYS_sigsuspend:
		return true;
	}
	return calls[n].name == NULL;
}

/* In a child: one call with @wild as argument @which. */
static void one_call(int n, int which, unsigned long wild)
{
	long a[6] = {(long)page, (long)page, 16, (long)page, 0, 0};

	/* First arguments that are numbers: a descriptor, a signal, a process. */
	if (which != 0 && calls[n].args > 1)
		a[0] = 1 + (n % 3);
	a[which] = (long)wild;
	raw_call(n, a);
}

TEST(wild_pointers_in_every_call)
{
	int died = 0;

	for (int n = 0; n < SYS_count; n++) {
		if (is_left_out(n))
			continue;
		int status = CHILD_STATUS({
			setuid(1000); /* so that none of it is believed for being root */
			alarm(2);
			for (int which = 0; which < calls[n].args; which++)
				for (size_t i = 0; i < ARRAY_LEN(wild_pointers); i++)
					one_call(n, which, wild_pointers[i]);
		});

		/* A call may well hurt its caller (close, munmap, alarm ...), not anybody else. */
		if (!WIFEXITED(status) && !(WIFSIGNALED(status)))
			test_failed(__FILE__, __LINE__, "%s: %s", calls[n].name,
				    status_text(status));
		died += WIFSIGNALED(status);
	}
	test_note("%d of the children were ended by a signal", died);
}

#define CHECK_FAULT(n, ...)                                                               \
	do {                                                                              \
		long fault_args[6] = {__VA_ARGS__};                                       \
		long fault_ret = raw_call(n, fault_args);                                 \
		CHECK_THAT(fault_ret == -EFAULT, "%s(...): %ld, wanted -EFAULT for %#lx", \
			   calls[n].name, fault_ret, wild_pointers[i]);                   \
	} while (0)

TEST(the_error_is_efault)
{
	int fds[2], zero = open("/dev/zero", O_RDWR);

	REQUIRE_EQ(pipe(fds), 0);
	REQUIRE(zero >= 0);
	REQUIRE_EQ(write(fds[1], "abcdef", 6), 6);
	for (size_t i = 0; i < ARRAY_LEN(wild_pointers); i++) {
		long p = (long)wild_pointers[i];

		CHECK_FAULT(SYS_read, zero, p, 100);
		CHECK_FAULT(SYS_read, fds[0], p, 1);
		CHECK_FAULT(SYS_write, fds[1], p, 100);
		CHECK_FAULT(SYS_open, p, O_RDONLY, 0);
		CHECK_FAULT(SYS_stat, p, (long)page);
		CHECK_FAULT(SYS_stat, (long)"/", p);
		CHECK_FAULT(SYS_execve, p, (long)page, (long)page);
		CHECK_FAULT(SYS_uname, p);
		CHECK_FAULT(SYS_clock_gettime, CLOCK_MONOTONIC, p);
		CHECK_FAULT(SYS_getcwd, p, 100);
		if (p)
			CHECK_FAULT(SYS_pipe2, p, 0);
	}
	close(fds[0]);
	close(fds[1]);
	close(zero);
}

/* A buffer whose first page is there and whose second is not. */
TEST(buffers_that_run_out_of_memory_half_way)
{
	char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	int zero = open("/dev/zero", O_RDWR);

	REQUIRE(two != MAP_FAILED);
	REQUIRE_EQ(munmap(two + PAGE, PAGE), 0);
	long ret = read(zero, two + PAGE - 100, 200);

	CHECK_THAT(ret == 100 || (ret == -1 && errno == EFAULT), "read: %ld, errno %d", ret, errno);
	memset(two + PAGE - 10, 'a', 10);
	CHECK_ERRNO(open(two + PAGE - 10, O_RDONLY), EFAULT);
	munmap(two, PAGE);
	close(zero);
}

TEST(read_only_memory_is_not_written)
{
	static const char constant[64] = "constant";
	char *ro = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = open("/dev/zero", O_RDWR);

	REQUIRE(ro != MAP_FAILED);
	CHECK_ERRNO(read(zero, ro, 10), EFAULT);
	CHECK_ERRNO(read(zero, (void *)constant, 10), EFAULT);
	CHECK_STR(constant, "constant");
	CHECK_ERRNO(read(zero, (void *)(long)wait_status, 10), EFAULT);
	munmap(ro, PAGE);
	close(zero);
}

TEST(lengths_that_wrap_around)
{
	int zero = open("/dev/zero", O_RDWR);
	struct iovec huge[3] = {{page, (size_t)-1}, {page, 1}, {page, (size_t)-1}};

	CHECK(read(zero, page, (size_t)-1) < (ssize_t)sizeof(page) * 2);
	CHECK_ERRNO(readv(zero, huge, 3), EINVAL);
	CHECK_ERRNO(readv(zero, huge, -1), EINVAL);
	CHECK_ERRNO(readv(zero, huge, 1 << 30), EINVAL);
	CHECK_ERRNO(munmap((void *)PAGE, (size_t)-PAGE), EINVAL);
	CHECK(mmap(NULL, (size_t)-PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	      MAP_FAILED);
	CHECK(mmap((void *)0x7ffffffff000, 2 * PAGE, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
	CHECK(mmap((void *)0xffff880000000000, PAGE, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
	close(zero);
}

/* A program's own faults are its own: SIGSEGV, SIGFPE, SIGILL, never more. */
TEST(faults_of_programs)
{
	for (size_t i = 0; i < ARRAY_LEN(wild_pointers); i++) {
		int status = CHILD_STATUS(*(volatile char *)wild_pointers[i] = 1);

		CHECK_THAT(WIFSIGNALED(status) &&
				   (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS),
			   "a store to %#lx: %s", wild_pointers[i], status_text(status));
		status = CHILD_STATUS(((void (*)(void))wild_pointers[i])());
		CHECK_THAT(WIFSIGNALED(status), "a jump to %#lx: %s", wild_pointers[i],
			   status_text(status));
	}
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("ud2")), SIGILL);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("hlt")), SIGSEGV);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("cli")), SIGSEGV);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("int3")), SIGTRAP);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("xor %%ecx, %%ecx; div %%ecx" ::
							   : "eax", "ecx", "edx")),
		     SIGFPE);
	/* The stack pointer points nowhere when the fault, and when a signal, comes. */
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("xor %%esp, %%esp; push %%rax" ::
							   : "memory")),
		     SIGSEGV);
	CHECK_KILLED(CHILD_STATUS({
			     handle(SIGSEGV, SIG_DFL, 0);
			     __asm__ volatile(
				     "movabs $0xffff880000000000, %%rsp; syscall; push %%rax" ::"a"(
					     (long)SYS_getpid)
				     : "memory");
		     }),
		     SIGSEGV);
}
