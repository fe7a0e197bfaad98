/* SPDX-License-Identifier: MIT */
/* Thread-local storage: initial values, alignment, and that it is this process's at all times. */
#include "guest.h"

static _Thread_local int number = 42;
static _Thread_local long zero;
static _Thread_local char text[64] = "thread-local text";
static _Thread_local struct {
	char c;
} __attribute__((aligned(64))) wide = {'w'};

TEST(initial_values)
{
	CHECK_EQ(number, 42);
	CHECK_EQ(zero, 0);
	CHECK_STR(text, "thread-local text");
	CHECK_EQ(wide.c, 'w');
	CHECK_EQ((unsigned long)&wide % 64, 0);
}

TEST(errno_works)
{
	CHECK_ERRNO(close(-1), EBADF);
	errno = 5;
	CHECK_EQ(errno, 5);
}

TEST(across_fork_and_switches)
{
	pid_t pids[4];

	for (int p = 0; p < 4; p++)
		pids[p] = START({
			CHILD_CHECK(number == 42);
			number = 1000 + p;
			for (int i = 0; i < 100; i++) {
				if (i % 10 == 0)
					sleep_ms(1);
				for (volatile int j = 0; j < 20000; j++)
					CHILD_CHECK(number == 1000 + p);
			}
		});
	for (int p = 0; p < 4; p++)
		CHECK_EXIT(wait_status(pids[p]), 0);
	CHECK_EQ(number, 42);
}

static volatile int seen;

static void on_signal(int sig)
{
	(void)sig;
	seen = number;
	number++;
}

TEST(in_handlers)
{
	handle(SIGUSR1, on_signal, 0);
	raise(SIGUSR1);
	CHECK_EQ(seen, 42);
	CHECK_EQ(number, 43);
	number = 42;
	signal(SIGUSR1, SIG_DFL);
}
