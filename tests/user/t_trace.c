/* SPDX-License-Identifier: MIT */
/*
 * Tracing (<parvix/tracer.h>): what a reader sees of calls, signals, children and ends; who may
 * look; that nobody is left hanging when reader or traced go. There is nothing like it on Linux.
 */
#include "guest.h"

#ifdef __parvix__
#include <parvix/tracer.h>
#include <poll.h>
#include <sys/syscall.h>

static int trace_open(pid_t pid, unsigned flags)
{
	return syscall(SYS_trace_open, pid, flags);
}

/* A child that runs @code once it is traced by *@fd. */
#define TRACED(fd, flags, ...)                               \
	({                                                   \
		int gate[2];                                 \
		pid_t traced_pid;                            \
		REQUIRE(pipe(gate) == 0);                    \
		traced_pid = START({                         \
			close(gate[1]);                      \
			(void)!read(gate[0], &(char){0}, 1); \
			close(gate[0]);                      \
			__VA_ARGS__;                         \
		});                                          \
		close(gate[0]);                              \
		fd = trace_open(traced_pid, flags);          \
		close(gate[1]);                              \
		traced_pid;                                  \
	})

/* Read until @type with @number has come (0: any); false at the end of it all. */
static bool until(int fd, unsigned type, int number, struct trace_event *e)
{
	while (read(fd, e, sizeof(*e)) == sizeof(*e))
		if (e->type == type && (!number || e->number == number))
			return true;
	return false;
}

TEST(calls_with_arguments_and_results)
{
	static const char text[] = "what is written";
	struct trace_event e;
	char path[32], buf[32];
	int fd, mem;
	pid_t pid = TRACED(fd, 0, { write(77, text, sizeof(text)); });

	REQUIRE(fd >= 0);
	REQUIRE(until(fd, TRACE_ENTER, SYS_write, &e));
	CHECK_EQ(e.pid, pid);
	CHECK_EQ(e.tid, pid);
	CHECK_EQ(e.args[0], 77);
	CHECK_EQ(e.args[2], sizeof(text));
	CHECK(e.time > 0 && e.time <= now_ns());
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY);
	CHECK(mem >= 0);
	CHECK_EQ(pread(mem, buf, sizeof(text), e.args[1]), sizeof(text));
	CHECK(strcmp(buf, text) == 0);
	CHECK_ERRNO(pread(mem, buf, 1, 16), EIO); /* nothing is there */
	close(mem);
	/* It waits meanwhile. */
	CHECK_EQ(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 20), 0);
	REQUIRE(until(fd, TRACE_EXIT, SYS_write, &e));
	CHECK_EQ(e.result, -EBADF);
	REQUIRE(until(fd, TRACE_END, 0, &e));
	CHECK_EQ(e.result, 0);
	CHECK_EQ(read(fd, &e, sizeof(e)), 0);
	close(fd);
	CHECK_EXIT(wait_status(pid), 0);
}

TEST(signals)
{
	struct trace_event e;
	int fd;
	pid_t pid = TRACED(fd, 0, {
		handle(SIGUSR1, SIG_DFL, 0);
		kill(getpid(), SIGUSR1);
	});

	REQUIRE(until(fd, TRACE_SIGNAL, SIGUSR1, &e));
	CHECK_EQ(e.args[1], pid);
	REQUIRE(until(fd, TRACE_END, 0, &e));
	CHECK(WIFSIGNALED(e.result) && WTERMSIG(e.result) == SIGUSR1);
	close(fd);
	CHECK_KILLED(wait_status(pid), SIGUSR1);
}

TEST(children_if_asked_for)
{
	for (unsigned flags = 0; flags <= TRACE_CHILDREN; flags++) {
		struct trace_event e;
		int fd, ends = 0, others = 0;
		pid_t pid = TRACED(fd, flags, {
			pid_t child = fork();

			if (child == 0)
				_exit(3);
			waitpid(child, NULL, 0);
		});

		while (read(fd, &e, sizeof(e)) == sizeof(e)) {
			ends += e.type == TRACE_END;
			others += e.pid != pid;
		}
		CHECK_EQ(ends, flags ? 2 : 1);
		CHECK(flags ? others > 0 : others == 0);
		close(fd);
		CHECK_EXIT(wait_status(pid), 0);
	}
}

TEST(execve_is_a_call_like_others)
{
	struct trace_event e;
	char path[32], buf[16] = "";
	int fd, mem;
	pid_t pid = TRACED(fd, 0, execl("/bin/false", "false", NULL));

	REQUIRE(until(fd, TRACE_ENTER, SYS_execve, &e));
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY);
	CHECK_EQ(pread(mem, buf, 11, e.args[0]), 11);
	CHECK(strcmp(buf, "/bin/false") == 0);
	close(mem);
	REQUIRE(until(fd, TRACE_EXIT, SYS_execve, &e));
	CHECK_EQ(e.result, 0);
	REQUIRE(until(fd, TRACE_END, 0, &e));
	CHECK_EQ(e.result, 1 << 8);
	close(fd);
	CHECK_EXIT(wait_status(pid), 1);
}

TEST(a_reader_that_goes_lets_go)
{
	struct trace_event e;
	int fd;
	pid_t pid = TRACED(fd, 0, { getppid(); });

	REQUIRE(until(fd, TRACE_ENTER, SYS_getppid, &e));
	close(fd);
	CHECK_EXIT(wait_status(pid), 0);
}

TEST(a_kill_ends_the_wait)
{
	struct trace_event e;
	int fd;
	pid_t pid = TRACED(fd, 0, { getppid(); });

	REQUIRE(until(fd, TRACE_ENTER, SYS_getppid, &e));
	CHECK_EQ(kill(pid, SIGTERM), 0); /* does not, */
	sleep_ms(20);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0); /* but this */
	CHECK_KILLED(wait_status(pid), SIGKILL);
	REQUIRE(until(fd, TRACE_END, 0, &e));
	close(fd);
}

TEST(a_running_process_is_attached_to)
{
	struct trace_event e;
	pid_t pid = START(for (;;) sleep_ms(5));
	int fd = trace_open(pid, 0);

	REQUIRE(fd >= 0);
	CHECK_ERRNO(trace_open(pid, 0), EBUSY);
	REQUIRE(until(fd, TRACE_EXIT, SYS_nanosleep, &e));
	close(fd);
	fd = trace_open(pid, 0); /* again */
	REQUIRE(fd >= 0);
	REQUIRE(until(fd, TRACE_ENTER, SYS_nanosleep, &e));
	close(fd);
	kill(pid, SIGKILL);
	CHECK_KILLED(wait_status(pid), SIGKILL);
}

TEST(errors)
{
	char small[8];
	pid_t pid = START(pause());
	int fd = trace_open(pid, 0);

	CHECK_ERRNO(trace_open(pid, 99), EINVAL);
	CHECK_ERRNO(trace_open(getpid(), 0), EINVAL);
	CHECK_ERRNO(trace_open(1, 0), EPERM);
	CHECK_ERRNO(trace_open(999999, 0), ESRCH);
	CHECK_ERRNO(read(fd, small, sizeof(small)), EINVAL);
	CHECK_ERRNO(write(fd, small, sizeof(small)), EBADF);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	CHECK_EXIT(CHILD_STATUS({
			   char path[32], c;
			   int mem;

			   CHILD_CHECK(setgid(65534) == 0 && setuid(65534) == 0);
			   CHILD_CHECK(trace_open(pid, 0) < 0 && errno == EPERM);
			   snprintf(path, sizeof(path), "/proc/%d/mem", pid);
			   mem = open(path, O_RDONLY);
			   CHILD_CHECK(mem < 0 && errno == EACCES);
			   snprintf(path, sizeof(path), "/proc/%d/mem", getpid());
			   mem = open("/proc/self/mem", O_RDONLY);
			   CHILD_CHECK(mem >= 0 && pread(mem, &c, 1, (long)path) == 1 && c == '/');
		   }),
		   0);
	kill(pid, SIGKILL);
	wait_status(pid);
}

TEST(many_events_cost_no_memory)
{
	long before = free_pages();

	for (int round = 0; round < 5; round++) {
		struct trace_event e;
		int fd, n = 0;
		pid_t pid = TRACED(fd, TRACE_CHILDREN, {
			for (int i = 0; i < 3; i++)
				if (fork() == 0) {
					for (int j = 0; j < 50; j++)
						getppid();
					_exit(0);
				}
			while (wait(NULL) > 0)
				;
		});

		while (read(fd, &e, sizeof(e)) == sizeof(e))
			n++;
		CHECK(n >= 3 * 2 * 50);
		close(fd);
		wait_status(pid);
	}
	CHECK(free_pages() >= before - 16);
}

/* What /proc has at @path, in static memory. */
static const char *contents(const char *path)
{
	static char buf[65536];
	int fd = open(path, O_RDONLY);
	size_t n = 0;
	ssize_t got;

	while (fd >= 0 && n < sizeof(buf) - 1 && (got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0)
		n += got;
	close(fd);
	buf[n] = 0;
	return buf;
}

TEST(a_crash_leaves_a_report)
{
	char wanted[32];
	pid_t pid = START(signal(SIGABRT, SIG_DFL); abort());
	const char *report;

	CHECK_KILLED(wait_status(pid), SIGABRT);
	snprintf(wanted, sizeof(wanted), "process %d (", pid);
	report = strstr(contents("/proc/crash"), wanted);
	REQUIRE(report != NULL);
	CHECK(strstr(report, "SIGABRT") != NULL);
	CHECK(strstr(report, "\nrip ") != NULL);
	CHECK(strstr(report, "[stack]") != NULL);
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(setgid(65534) == 0 && setuid(65534) == 0);
			   CHILD_CHECK(strstr(contents("/proc/crash"), wanted) == NULL);
		   }),
		   0);
	for (int i = 0; i < 10; i++)
		wait_status(START(signal(SIGABRT, SIG_DFL); abort()));
	CHECK(strstr(contents("/proc/crash"), wanted) == NULL); /* the last few only */
}

TEST(where_a_thread_waits)
{
	char path[32];
	pid_t pid = START(for (;;) pause());

	sleep_ms(30);
	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	CHECK(strstr(contents(path), "thread_sleep") != NULL);
	CHECK(strstr(contents(path), "sys_sigsuspend") != NULL);
	kill(pid, SIGKILL);
	wait_status(pid);
	CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
}

#else

TEST(is_not_for_linux)
{
	CHECK(true);
}

#endif
