/* SPDX-License-Identifier: MIT */
/* Resource limits: their rules, and that they hold. */
#include "guest.h"

#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>

static void set(int which, rlim_t soft, rlim_t hard)
{
	struct rlimit r = {soft, hard};

	CHILD_CHECK(setrlimit(which, &r) == 0);
}

TEST(rules)
{
	struct rlimit r, old;

	for (int which = 0; which <= RLIMIT_AS; which++) {
		CHECK_EQ(getrlimit(which, &r), 0);
		CHECK(r.rlim_cur <= r.rlim_max);
		CHECK_EQ(setrlimit(which, &r), 0);
	}
	CHECK_ERRNO(getrlimit(99, &r), EINVAL);
	CHECK_ERRNO(setrlimit(99, &r), EINVAL);
	CHECK_ERRNO(getrlimit(-1, &r), EINVAL);
	CHECK_ERRNO(getrlimit(RLIMIT_FSIZE, (void *)8), EFAULT);
	CHECK_ERRNO(setrlimit(RLIMIT_FSIZE, (void *)8), EFAULT);
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
	r = (struct rlimit){200, 100};
	CHECK_ERRNO(setrlimit(RLIMIT_FSIZE, &r), EINVAL);
	CHECK_EXIT(CHILD_STATUS({
			   set(RLIMIT_FSIZE, 5000, 10000);
			   set(RLIMIT_FSIZE, 10000, 10000);
			   CHILD_CHECK(getrlimit(RLIMIT_FSIZE, &r) == 0);
			   CHILD_CHECK(r.rlim_cur == 10000 && r.rlim_max == 10000);
		   }),
		   0);
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &r), 0);
	CHECK(r.rlim_cur == old.rlim_cur);
}

TEST(limits_are_inherited)
{
	CHECK_EXIT(CHILD_STATUS({
			   set(RLIMIT_FSIZE, 4096 * 512, RLIM_INFINITY);
			   CHILD_CHECK(WEXITSTATUS(system("test $(ulimit -f) = 4096")) == 0);
		   }),
		   0);
}

TEST(file_size)
{
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK_EXIT(CHILD_STATUS({
			   char buf[3000] = "";
			   int fd = open("f", O_RDWR | O_CREAT, 0600);

			   set(RLIMIT_FSIZE, 5000, 5000);
			   signal(SIGXFSZ, SIG_IGN);
			   CHILD_CHECK(write(fd, buf, 3000) == 3000);
			   CHILD_CHECK(write(fd, buf, 3000) == 2000); /* what fits */
			   CHILD_CHECK(write(fd, buf, 1) == -1 && errno == EFBIG);
			   CHILD_CHECK(pwrite(fd, buf, 1, 4999) == 1);
			   CHILD_CHECK(pwrite(fd, buf, 1, 5000) == -1 && errno == EFBIG);
			   CHILD_CHECK(ftruncate(fd, 5000) == 0 && ftruncate(fd, 100) == 0);
			   CHILD_CHECK(ftruncate(fd, 5001) == -1 && errno == EFBIG);
			   CHILD_CHECK(posix_fallocate(fd, 0, 6000) == EFBIG);
		   }),
		   0);
	CHECK_KILLED(CHILD_STATUS({
			     int fd = open("f", O_RDWR | O_CREAT, 0600);

			     set(RLIMIT_FSIZE, 10, 10);
			     pwrite(fd, "x", 1, 10);
		     }),
		     SIGXFSZ);
	CHECK_KILLED(CHILD_STATUS({
			     int fd = open("f", O_RDWR | O_CREAT, 0600);

			     set(RLIMIT_FSIZE, 10, 10);
			     ftruncate(fd, 1000);
		     }),
		     SIGXFSZ);
	/* Not files: pipes and devices have no size. */
	CHECK_EXIT(CHILD_STATUS({
			   int fds[2];

			   set(RLIMIT_FSIZE, 0, 0);
			   CHILD_CHECK(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
			   CHILD_CHECK(write(open("/dev/null", O_WRONLY), "x", 1) == 1);
		   }),
		   0);
	leave_scratch("/var/tmp");
}

TEST(number_of_descriptors)
{
	CHECK_EXIT(CHILD_STATUS({
			   int fd;

			   set(RLIMIT_NOFILE, 20, 20);
			   CHILD_CHECK(sysconf(_SC_OPEN_MAX) == 20);
			   while ((fd = open("/dev/null", O_RDONLY)) >= 0)
				   CHILD_CHECK(fd < 20);
			   CHILD_CHECK(errno == EMFILE);
			   CHILD_CHECK(dup(0) == -1 && errno == EMFILE);
			   CHILD_CHECK(dup2(0, 20) == -1 && errno == EBADF);
			   CHILD_CHECK(fcntl(0, F_DUPFD, 20) == -1 && errno == EINVAL);
			   CHILD_CHECK(fcntl(0, F_DUPFD, 5) == -1 && errno == EMFILE);
			   close(7);
			   CHILD_CHECK(dup2(0, 7) == 7 && dup2(0, 19) == 19);
		   }),
		   0);
}

TEST(descriptors_above_the_limit_stay)
{
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(dup2(0, 90) == 90);
			   set(RLIMIT_NOFILE, 10, 100);
			   CHILD_CHECK(fcntl(90, F_GETFD) == 0);
			   CHILD_CHECK(dup2(0, 91) == -1 && errno == EBADF);
			   CHILD_CHECK(close(90) == 0);
		   }),
		   0);
}

TEST(a_thousand_descriptors)
{
	long max = sysconf(_SC_OPEN_MAX);

	CHECK(max >= 1000);
#ifdef OPEN_MAX
	CHECK_EQ(max, OPEN_MAX);
#endif
	CHECK_EXIT(CHILD_STATUS({
			   char script[80];
			   int fd, count = 0, last = -1;

			   while ((fd = dup(0)) >= 0) {
				   CHILD_CHECK(fd > last);
				   last = fd;
				   count++;
			   }
			   CHILD_CHECK(errno == EMFILE && last == max - 1 && count >= 900);
			   /* A child has them all, a program those that it is to have. */
			   CHILD_CHECK(fcntl(last, F_SETFD, FD_CLOEXEC) == 0);
			   fflush(stdout);
			   if (fork() == 0) {
				   CHILD_CHECK(fcntl(last, F_GETFD) == FD_CLOEXEC);
				   CHILD_CHECK(fcntl(last - 1, F_GETFD) == 0);
				   snprintf(script, sizeof(script),
					    "test -e /proc/self/fd/%d -a ! -e /proc/self/fd/%d",
					    last - 1, last);
				   execl("/bin/sh", "sh", "-c", script, NULL);
			   }
			   CHILD_CHECK(wait(&fd) > 0 && fd == 0);
			   for (fd = 3; fd <= last; fd++)
				   close(fd);
			   CHILD_CHECK(dup(0) >= 3);
		   }),
		   0);
}

TEST(size_of_the_address_space)
{
	CHECK_EXIT(CHILD_STATUS({
			   void *p;

			   set(RLIMIT_AS, 24 << 20, RLIM_INFINITY);
			   CHILD_CHECK(malloc(30 << 20) == NULL && errno == ENOMEM);
			   p = mmap(NULL, 30 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			   CHILD_CHECK(p == MAP_FAILED && errno == ENOMEM);
			   CHILD_CHECK(sbrk(30 << 20) == (void *)-1 && errno == ENOMEM);
			   CHILD_CHECK((p = malloc(1 << 20)) != NULL);
			   set(RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY);
			   CHILD_CHECK(malloc(30 << 20) != NULL);
		   }),
		   0);
}

TEST(size_of_the_data)
{
	CHECK_EXIT(CHILD_STATUS({
			   void *p;

			   set(RLIMIT_DATA, 8 << 20, RLIM_INFINITY);
			   CHILD_CHECK(sbrk(10 << 20) == (void *)-1 && errno == ENOMEM);
			   CHILD_CHECK(malloc(20 << 20) == NULL);
			   /* What is not data does not count. */
			   p = mmap(NULL, 20 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			   CHILD_CHECK(p != MAP_FAILED);
			   CHILD_CHECK(malloc(1 << 20) != NULL);
		   }),
		   0);
}

static __attribute__((noinline)) int deep(int bytes)
{
	volatile char here[4000];

	memset((char *)here, bytes & 127, sizeof(here));
	return bytes < (int)sizeof(here) ? here[1] : deep(bytes - (int)sizeof(here)) + here[3000];
}

/* The limit of the program that execve starts: this one. */
__attribute__((constructor)) static void use_stack(void)
{
	const char *bytes = getenv("USE_STACK");

	if (bytes)
		_exit(deep(atoi(bytes)) & 1 ? 0 : 0);
}

static int with_stack(rlim_t limit, const char *bytes)
{
	return CHILD_STATUS({
		set(RLIMIT_STACK, limit, RLIM_INFINITY);
		setenv("USE_STACK", bytes, 1);
		execl("/proc/self/exe", "self", NULL);
	});
}

TEST(size_of_the_stack)
{
	CHECK_EXIT(with_stack(1 << 20, "700000"), 0);
	CHECK_KILLED(with_stack(1 << 20, "1500000"), SIGSEGV);
	CHECK_EXIT(with_stack(4 << 20, "1500000"), 0);
	CHECK_EXIT(with_stack(12 << 20, "10000000"), 0);
}

TEST(number_of_processes)
{
	if (geteuid() != 0) {
		test_note("needs a root who may become another user");
		return;
	}
	CHECK_EXIT(CHILD_STATUS({
			   pid_t pid[8];
			   int n = 0;

			   CHILD_CHECK(setuid(4711) == 0);
			   set(RLIMIT_NPROC, 4, 4);
			   while (n < 8 && (pid[n] = fork()) > 0)
				   n++;
			   if (n < 8 && pid[n] == 0)
				   for (;;)
					   pause();
			   CHILD_CHECK(n == 3 && errno == EAGAIN);
			   CHILD_CHECK(vfork() == -1 && errno == EAGAIN);
			   while (n--) {
				   kill(pid[n], SIGKILL);
				   wait_status(pid[n]);
			   }
			   n = fork();
			   if (n == 0)
				   _exit(0);
			   CHILD_CHECK(n > 0 && wait_status(n) == 0);
		   }),
		   0);
}

TEST(values_of_sysconf_agree)
{
	struct rlimit r;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &r), 0);
	CHECK_EQ(sysconf(_SC_OPEN_MAX), r.rlim_cur);
	CHECK_EQ(sysconf(_SC_PAGESIZE), getpagesize());
	CHECK(sysconf(_SC_CHILD_MAX) == -1 || sysconf(_SC_CHILD_MAX) >= _POSIX_CHILD_MAX);
	CHECK(sysconf(_SC_NGROUPS_MAX) >= _POSIX_NGROUPS_MAX);
	CHECK(sysconf(_SC_CLK_TCK) == 100);
	CHECK(sysconf(_SC_TIMER_MAX) == -1 || sysconf(_SC_TIMER_MAX) >= _POSIX_TIMER_MAX);
	CHECK(sysconf(_SC_DELAYTIMER_MAX) >= _POSIX_DELAYTIMER_MAX);
	CHECK_ERRNO(sysconf(99999), EINVAL);
}
