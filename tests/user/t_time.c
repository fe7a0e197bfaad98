/* SPDX-License-Identifier: MIT */
/* Clocks, sleeping, timers. */
#include "guest.h"

#include <sys/time.h>
#include <sys/times.h>

TEST(clocks_go_forward)
{
	struct timespec last = {0, 0}, now;

	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
		REQUIRE(now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
		REQUIRE(now.tv_sec > last.tv_sec ||
			(now.tv_sec == last.tv_sec && now.tv_nsec >= last.tv_nsec));
		last = now;
	}
	CHECK_EQ(clock_gettime(CLOCK_REALTIME, &now), 0);
	CHECK(now.tv_sec > 1700000000);
	CHECK_ERRNO(clock_gettime((clockid_t)77, &now), EINVAL);
	CHECK_EQ(clock_getres(CLOCK_MONOTONIC, &now), 0);
	CHECK(now.tv_sec == 0 && now.tv_nsec > 0 && now.tv_nsec <= 10000000);
}

TEST(the_clocks_agree)
{
	struct timeval tv;
	struct timespec ts;
	time_t t;

	CHECK_EQ(clock_gettime(CLOCK_REALTIME, &ts), 0);
	CHECK_EQ(gettimeofday(&tv, NULL), 0);
	t = time(NULL);
	CHECK(tv.tv_sec - ts.tv_sec >= 0 && tv.tv_sec - ts.tv_sec <= 1);
	CHECK(t - ts.tv_sec >= 0 && t - ts.tv_sec <= 1);
}

TEST(a_sleep_is_long_enough)
{
	static const long ms[] = {0, 1, 5, 30, 120};

	for (size_t i = 0; i < ARRAY_LEN(ms); i++) {
		struct timespec t = {0, ms[i] * 1000000};
		long long start = now_ns(), slept;

		CHECK_EQ(nanosleep(&t, NULL), 0);
		slept = now_ns() - start;
		CHECK(slept >= ms[i] * 1000000);
		CHECK_THAT(slept < (ms[i] + 1500) * 1000000, "%ld ms took %lld", ms[i],
			   slept / 1000000);
	}
}

TEST(sleep_errors)
{
	struct timespec t = {0, 1000000000};

	CHECK_ERRNO(nanosleep(&t, NULL), EINVAL);
	t.tv_nsec = -1;
	CHECK_ERRNO(nanosleep(&t, NULL), EINVAL);
	t.tv_sec = -1;
	t.tv_nsec = 0;
	CHECK_ERRNO(nanosleep(&t, NULL), EINVAL);
}

TEST(sleepers_wake_in_order)
{
	char order[4] = "";
	pid_t pids[3];
	int fds[2];

	REQUIRE_EQ(pipe(fds), 0);
	for (int i = 0; i < 3; i++)
		pids[i] = START({
			sleep_ms(300 - i * 100);
			CHILD_CHECK(write(fds[1], &"abc"[i], 1) == 1);
		});
	for (int i = 0; i < 3; i++)
		CHECK_EXIT(wait_status(pids[i]), 0);
	CHECK_EQ(read(fds[0], order, 3), 3);
	CHECK_STR(order, "cba");
	close(fds[0]);
	close(fds[1]);
}

TEST(processor_time_is_counted)
{
	struct timespec t0, t1;
	struct tms tms;
	clock_t ticks;

	CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0), 0);
	for (volatile long i = 0; i < 20 * 1000 * 1000; i++)
		;
	CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1), 0);
	CHECK(t1.tv_sec > t0.tv_sec || t1.tv_nsec > t0.tv_nsec);
	t0 = t1;
	sleep_ms(200);
	CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1), 0);
	CHECK((t1.tv_sec - t0.tv_sec) * 1000000000LL + t1.tv_nsec - t0.tv_nsec < 150000000);
	ticks = times(&tms);
	CHECK(ticks != (clock_t)-1);
	sleep_ms(100);
	CHECK(times(&tms) - ticks >= 9);
}

TEST(everybody_gets_a_share)
{
	pid_t pids[3];

	/* Three that never sleep: each must get on, and so must we. */
	for (int i = 0; i < 3; i++)
		pids[i] = START({
			long long end = now_ns() + 300000000;
			struct timespec used;

			while (now_ns() < end)
				;
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
			CHILD_CHECK(used.tv_sec > 0 || used.tv_nsec > 20000000);
		});
	sleep_ms(50);
	for (int i = 0; i < 3; i++)
		CHECK_EXIT(wait_status(pids[i]), 0);
}

#ifdef __parvix__
TEST(the_time_can_be_set)
{
	struct timespec real, mono, t;

	CHECK_EQ(clock_gettime(CLOCK_REALTIME, &real), 0);
	CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &mono), 0);
	t = real;
	t.tv_sec += 86400;
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
	CHECK_EQ(clock_gettime(CLOCK_REALTIME, &t), 0);
	CHECK(t.tv_sec - real.tv_sec >= 86400 && t.tv_sec - real.tv_sec < 86500);
	CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &t), 0);
	CHECK(t.tv_sec - mono.tv_sec < 100);
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &real), 0);
	CHECK_ERRNO(clock_settime(CLOCK_MONOTONIC, &real), EINVAL);
	real.tv_nsec = -5;
	CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &real), EINVAL);
}
#endif
