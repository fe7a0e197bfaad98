/* SPDX-License-Identifier: MIT */
/*
 * Ten thousand random system calls with random arguments, as root and as a user. Children make
 * them, a hundred each, and may end as they like; the kernel goes on and has all its pages back at
 * the end.
 */
#include "hostile.h"

#include <stdint.h>
#include <sys/time.h>

#define CALLS 10000
#define BATCH 100

static char buffer[4 * PAGE] __attribute__((aligned(PAGE)));
static char long_path[5000];

static const char *const paths[] = {
	"/tmp/r/a",
	"/tmp/r/b",
	"/tmp/r/dir",
	"/tmp/r/dir/c",
	"/tmp/r",
	"r",
	"",
	".",
	"..",
	"/",
	"/dev/null",
	"/dev/zero",
	"/dev/full",
	"/proc",
	"/proc/self",
	"/proc/meminfo",
	"/tmp/r/true", /* a copy: it may be opened with O_TRUNC, or its mode changed */
	"/tmp/r/../r/./b",
	"/nonexistent/x",
	long_path,
};

static long random_argument(void)
{
	static const long numbers[] = {
		0,          1,        2,         3,         4,    5,     7,          8,
		16,         100,      4095,      4096,      4097, 65536, 0x7fffffff, 0x80000000,
		0xffffffff, 1l << 40, INT64_MAX, INT64_MIN, -1,   -2,    -4095,      -4096};

	switch (test_random() % 8) {
	case 0:
		return (long)wild_pointers[test_random() % ARRAY_LEN(wild_pointers)];
	case 1:
		return (long)(buffer + test_random() % sizeof(buffer));
	case 2:
	case 3:
		return (long)paths[test_random() % ARRAY_LEN(paths)];
	case 4:
		return (long)test_random();
	case 5:
		return (long)(test_random() % 12);
	case 6:
		return 1l << test_random() % 64;
	default:
		return numbers[test_random() % ARRAY_LEN(numbers)];
	}
}

/* What root must not do by chance, if there is to be a system afterwards. */
static bool is_dangerous(int n)
{
	switch (n) {
	case SYS_reboot:
	case SYS_kill:
	case SYS_mount:
	case SYS_umount:
	case SYS_chroot:
	case SYS_unlink:
	case SYS_rename:
	case SYS_rmdir:
	case SYS_chmod:
	case SYS_chown:
	case SYS_lchown:
	case SYS_truncate:
	case SYS_mknod:
	case SYS_clock_settime:
	case SYS_sigqueue:
	case SYS_mknodat:
	case SYS_unlinkat:
	case SYS_renameat:
	case SYS_fchmodat:
	case SYS_fchownat:
	case SYS_trace_open:
		return true;
	}
	return false;
}

static void nothing(int sig)
{
	(void)sig;
}

static void random_calls(bool root)
{
	/* Sooner or later one of the calls waits for ever: then the handler makes it end. */
	const struct itimerval often = {.it_value.tv_usec = 10000, .it_interval.tv_usec = 10000};

	handle(SIGTTOU, SIG_IGN, 0);
	handle(SIGALRM, nothing, 0);
	setsid();
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	open("/dev/null", O_RDWR);
	if (!root)
		setuid(1000);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < BATCH; i++) {
		long args[6];
		/* Now and then a number that is no call at all. */
		long n = test_random() % 50 ? (long)(test_random() % SYS_count) : random_argument();

		for (int k = 0; k < 6; k++)
			args[k] = random_argument();
		if (n == SYS_exit || n == SYS_sigreturn ||
		    (root && n >= 0 && n < SYS_count && is_dangerous(n)))
			continue;
		for (int k = 0; k < 64; k++)
			buffer[test_random() % sizeof(buffer)] = (char)test_random();
		if (raw_call(n, args) == 0 && n == SYS_fork)
			_exit(0);
	}
}

static void batches(bool root)
{
	int ended[3] = {0};

	memset(long_path, 'x', sizeof(long_path) - 1);
	mkdir("/tmp/r", 0777);
	chmod("/tmp/r", 0777);
	CHECK(system("cp /bin/true /tmp/r/true") == 0);
	for (int i = 0; i < CALLS / 2 / BATCH; i++) {
		unsigned long branch = test_random();
		pid_t pid = START({
			test_random_branch(branch);
			random_calls(root);
		});
		int status = 0;

		/* Random calls may have blocked the signal or set the timer anew: nobody waits for
		 * ever. */
		for (int ms = 0; waitpid(pid, &status, WNOHANG) == 0; ms += 20) {
			if (ms >= 400)
				kill(pid, SIGKILL);
			sleep_ms(20);
		}
		ended[WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL ? 1 : 2 : 0]++;
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	test_note("%d children came to their end, %d were killed, %d died of another signal",
		  ended[0], ended[1], ended[2]);
	CHECK(system("rm -rf /tmp/r") == 0);
}

static void check_system(long before)
{
	struct stat st;

	CHECK_EQ(stat("/bin/sh", &st), 0);
	CHECK_EXIT(CHILD_STATUS({
			   execl("/bin/true", "true", (char *)NULL);
			   _exit(99);
		   }),
		   0);
	sleep_ms(100);
	long lost = before - free_pages();

	/* Some slack for what the kernel keeps ready; a leak in any call would be hundreds. */
	CHECK_THAT(lost < 64, "%ld pages are lost", lost);
}

TEST(random_calls_of_a_user)
{
	sleep_ms(50);
	long before = free_pages();

	batches(false);
	check_system(before);
}

TEST(random_calls_of_root)
{
	long before = free_pages();

	batches(true);
	check_system(before);
}
