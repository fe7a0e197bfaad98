/* SPDX-License-Identifier: MIT */
/*
 * What the test programs of the guest share beyond the test frame: children, scratch directories,
 * counting of free pages. They compile on a Linux host as well, which is how their own mistakes are
 * found: make test SUITE=linux, never by hand as root, as they take liberties. What only this
 * kernel has is within __parvix__.
 */
#ifndef TESTS_USER_GUEST_H
#define TESTS_USER_GUEST_H

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __parvix__
#include <sys/sysinfo.h>
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE 4096

/* Run code in a child, which exits 0 unless the code says otherwise; the value is its status. */
#define CHILD_STATUS(...)                 \
	({                                \
		fflush(stdout);           \
		pid_t child_pid = fork(); \
		if (child_pid == 0) {     \
			__VA_ARGS__;      \
			_exit(0);         \
		}                         \
		wait_status(child_pid);   \
	})

/* Start code in a child and go on; the value is its process number. */
#define START(...)                        \
	({                                \
		fflush(stdout);           \
		pid_t child_pid = fork(); \
		if (child_pid == 0) {     \
			__VA_ARGS__;      \
			_exit(0);         \
		}                         \
		child_pid;                \
	})

#define CHECK_EXIT(status, code)                                                           \
	do {                                                                               \
		int check_status = (status);                                               \
		CHECK_THAT(WIFEXITED(check_status) && WEXITSTATUS(check_status) == (code), \
			   "%s, wanted exit %d", status_text(check_status), code);         \
	} while (0)
#define CHECK_KILLED(status, sig)                                                        \
	do {                                                                             \
		int check_status = (status);                                             \
		CHECK_THAT(WIFSIGNALED(check_status) && WTERMSIG(check_status) == (sig), \
			   "%s, wanted signal %d", status_text(check_status), sig);      \
	} while (0)
/* In a child, where a failed CHECK would be lost: end with the line's number, modulo 256. */
#define CHILD_CHECK(cond)                                                                     \
	do {                                                                                  \
		if (!(cond)) {                                                                \
			dprintf(1, "# %s:%d: in a child: %s is false (errno %d)\n", __FILE__, \
				__LINE__, #cond, errno);                                      \
			_exit(111);                                                           \
		}                                                                             \
	} while (0)

static inline int wait_status(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static inline const char *status_text(int status)
{
	static char buf[48];

	if (status == -1)
		return "no status";
	if (WIFEXITED(status))
		snprintf(buf, sizeof(buf), "exit %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		snprintf(buf, sizeof(buf), "signal %d", WTERMSIG(status));
	else
		snprintf(buf, sizeof(buf), "status 0x%x", status);
	return buf;
}

static inline void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* Send @sig until the child has ended: the first may come before it waits. Its status. */
static inline int signal_to_the_end(pid_t pid, int sig)
{
	int status = -1;

	do {
		sleep_ms(30);
		kill(pid, sig);
	} while (waitpid(pid, &status, WNOHANG) == 0);
	return status;
}

static inline long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* A fresh directory below @parent (/tmp: tmpfs, /var/tmp: the root's file system) to work in. */
static inline bool enter_scratch(const char *parent)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/test.%d", parent, (int)getpid());
	return (mkdir(path, 0755) == 0 || errno == EEXIST) && chdir(path) == 0;
}

/* Remove it again with what is in it; system() so as not to depend on what is being tested here. */
static inline void leave_scratch(const char *parent)
{
	char command[96];

	if (chdir("/") < 0)
		return;
	snprintf(command, sizeof(command), "rm -rf %s/test.%d", parent, (int)getpid());
	if (system(command) != 0)
		test_note("%s failed", command);
}

static inline bool make_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	bool ok = fd >= 0 && write(fd, data, len) == (ssize_t)len;

	return (fd < 0 || close(fd) == 0) && ok;
}

/* Free pages and those that could be had at once, so that the page cache does not count. */
static inline long free_pages(void)
{
#ifdef __parvix__
	struct sysinfo info;

	return sysinfo(&info) < 0 ? -1 : (long)(info.pages_free + info.pages_cache);
#else
	return 0;
#endif
}

static inline void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = flags;
	sigemptyset(&action.sa_mask);
	sigaction(sig, &action, NULL);
}

#endif
