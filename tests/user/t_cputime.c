/* SPDX-License-Identifier: MIT */
/* CPU time: the clocks that count it, the usage that tells of it, the limit that ends it. */
#include "cputime.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

TEST(cpu_clocks_count_work_not_sleep)
{
	long long process = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
	long long thread = cpu_ns(CLOCK_THREAD_CPUTIME_ID);

	CHECK(process >= 0 && thread >= 0);
	sleep_ms(100);
	CHECK(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - process < 90 * MS);
	process = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
	thread = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
	burn(50);
	CHECK(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - process >= 50 * MS);
	CHECK(cpu_ns(CLOCK_THREAD_CPUTIME_ID) - thread >= 45 * MS);
}

TEST(cpu_clock_of_another_process)
{
	pid_t pid = START({
		burn(40);
		for (;;)
			pause();
	});
	clockid_t clock;
	long long t = 0;

	CHECK_EQ(clock_getcpuclockid(pid, &clock), 0);
	for (int i = 0; i < 200 && t < 40 * MS; i++) {
		sleep_ms(10);
		t = cpu_ns(clock);
	}
	CHECK(t >= 40 * MS);
	kill(pid, SIGKILL);
	wait_status(pid);
	CHECK_EQ(clock_getcpuclockid(pid, &clock), ESRCH);
	CHECK_EQ(clock_getcpuclockid(0, &clock), 0);
	CHECK(cpu_ns(clock) > 0);
}

TEST(usage_of_self_children_and_thread)
{
	struct rusage self, thread, before, after;

	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &before), 0);
	CHECK_EXIT(CHILD_STATUS(burn(60)), 0);
	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &after), 0);
	CHECK(after.ru_utime.tv_sec * 1000000 + after.ru_utime.tv_usec +
		      after.ru_stime.tv_sec * 1000000 + after.ru_stime.tv_usec >=
	      before.ru_utime.tv_sec * 1000000 + before.ru_utime.tv_usec +
		      before.ru_stime.tv_sec * 1000000 + before.ru_stime.tv_usec + 50000);
	CHECK_EQ(getrusage(RUSAGE_SELF, &self), 0);
	CHECK_EQ(getrusage(RUSAGE_THREAD, &thread), 0);
	CHECK(self.ru_utime.tv_sec >= thread.ru_utime.tv_sec - 1);
	CHECK(self.ru_maxrss > 0);
	CHECK_ERRNO(getrusage(99, &self), EINVAL);
}

#ifdef __parvix__ /* a sandbox that looks like Linux may not count */
static void count_xcpu(int sig)
{
	(void)sig;
	fired++;
}

TEST(limit_of_cpu_time)
{
	CHECK_KILLED(CHILD_STATUS({
			     struct rlimit r = {1, 10};

			     alarm(30);
			     CHILD_CHECK(setrlimit(RLIMIT_CPU, &r) == 0);
			     for (;;)
				     ;
		     }),
		     SIGXCPU);
}

TEST(hard_limit_of_cpu_time)
{
	CHECK_KILLED(CHILD_STATUS({
			     struct rlimit r = {1, 2};

			     handle(SIGXCPU, count_xcpu, SA_RESTART);
			     alarm(30);
			     CHILD_CHECK(setrlimit(RLIMIT_CPU, &r) == 0);
			     fired = 0;
			     while (!fired)
				     ;
			     CHILD_CHECK(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) >= 900 * MS);
			     for (;;)
				     ;
		     }),
		     SIGKILL);
}

TEST(limit_of_cpu_time_is_inherited)
{
	pid_t pid = START({
		struct rlimit r = {1, 1};

		alarm(30);
		CHILD_CHECK(setrlimit(RLIMIT_CPU, &r) == 0);
		signal(SIGXCPU, SIG_IGN);
		CHECK_KILLED(CHILD_STATUS({
				     alarm(30);
				     for (;;)
					     ;
			     }),
			     SIGKILL);
	});

	CHECK_EXIT(wait_status(pid), 0);
}

#endif
