/* SPDX-License-Identifier: MIT */
/* Timers and clocks: setitimer, timer_create, clock_nanosleep, timers by CPU time. */
#include "cputime.h"

#include <limits.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

static volatile sig_atomic_t last_code, last_overrun;
static volatile long last_value;
static timer_t one_timer;

static void on_timer(int sig)
{
	(void)sig;
	fired++;
}

static void on_timer_info(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	fired++;
	last_code = info->si_code;
	last_value = (long)info->si_value.sival_ptr;
	last_overrun = timer_getoverrun(one_timer);
}

static void catch (int sig)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = on_timer_info;
	act.sa_flags = SA_SIGINFO | SA_RESTART;
	sigaction(sig, &act, NULL);
	fired = 0;
}

static struct itimerspec spec(long long first_ns, long long then_ns)
{
	return (struct itimerspec){
		.it_value = {first_ns / 1000000000, first_ns % 1000000000},
		.it_interval = {then_ns / 1000000000, then_ns % 1000000000},
	};
}

static timer_t make(clockid_t clock, int notify, int sig, long value)
{
	struct sigevent ev;
	timer_t id;

	memset(&ev, 0, sizeof(ev));
	ev.sigev_notify = notify;
	ev.sigev_signo = sig;
	ev.sigev_value.sival_ptr = (void *)value;
	if (timer_create(clock, &ev, &id) < 0)
		test_failed(__FILE__, __LINE__, "timer_create: errno %d", errno);
	one_timer = id;
	return id;
}

/* -- alarm and setitimer -- */

TEST(alarm_replaces_the_old_one)
{
	handle(SIGALRM, on_timer, 0);
	fired = 0;
	CHECK_EQ(alarm(100), 0);
	CHECK_EQ(alarm(50), 100);
	CHECK_EQ(alarm(1), 50);
	CHECK(wait_fired(1, 3000));
	CHECK_EQ(alarm(0), 0);
}

TEST(alarm_and_itimer_are_one)
{
	struct itimerval it;

	CHECK_EQ(alarm(100), 0);
	CHECK_EQ(getitimer(ITIMER_REAL, &it), 0);
	CHECK(it.it_value.tv_sec == 99 || it.it_value.tv_sec == 100);
	CHECK(it.it_interval.tv_sec == 0 && it.it_interval.tv_usec == 0);
	it.it_value.tv_sec = 0;
	it.it_value.tv_usec = 0;
	CHECK_EQ(setitimer(ITIMER_REAL, &it, NULL), 0);
	CHECK_EQ(alarm(0), 0);
}

TEST(timers_are_not_inherited_but_stay_with_exec)
{
	alarm(100);
	CHECK_EXIT(CHILD_STATUS(_exit(alarm(0) == 0 ? 0 : 1)), 0);
	CHECK(alarm(0) > 90);
}

static void interval(int which, int sig, bool busy)
{
	struct itimerval it = {{0, 20000}, {0, 30000}}, now;

	handle(sig, on_timer, SA_RESTART);
	fired = 0;
	CHECK_EQ(setitimer(which, &it, NULL), 0);
	for (int i = 0; i < 400 && fired < 3; i++)
		busy ? burn(10) : sleep_ms(10);
	CHECK_THAT(fired >= 3, "timer %d went off %d times", which, (int)fired);
	CHECK_EQ(getitimer(which, &now), 0);
	CHECK(now.it_interval.tv_usec == 20000 && now.it_value.tv_sec == 0);
	CHECK(now.it_value.tv_usec > 0 && now.it_value.tv_usec <= 20000 + 10000);
	memset(&it, 0, sizeof(it));
	CHECK_EQ(setitimer(which, &it, &now), 0);
	CHECK(now.it_interval.tv_usec == 20000);
	CHECK_EQ(getitimer(which, &now), 0);
	CHECK(now.it_value.tv_usec == 0 && now.it_value.tv_sec == 0);
	fired = 0;
	busy ? burn(60) : sleep_ms(60);
	CHECK_EQ(fired, 0);
	signal(sig, SIG_DFL);
}

TEST(interval_of_real_time)
{
	interval(ITIMER_REAL, SIGALRM, false);
}

TEST(interval_of_virtual_time)
{
	interval(ITIMER_VIRTUAL, SIGVTALRM, true);
}

TEST(interval_of_profiling_time)
{
	interval(ITIMER_PROF, SIGPROF, true);
}

TEST(virtual_time_stands_while_one_sleeps)
{
	struct itimerval it = {{0, 0}, {0, 60000}};

	handle(SIGVTALRM, on_timer, 0);
	fired = 0;
	CHECK_EQ(setitimer(ITIMER_VIRTUAL, &it, NULL), 0);
	sleep_ms(200);
	CHECK_EQ(fired, 0);
	for (int i = 0; i < 100 && !fired; i++)
		burn(10);
	CHECK_EQ(fired, 1);
}

TEST(itimer_errors)
{
	struct itimerval it = {{0, 0}, {0, 1000000}};

	CHECK_ERRNO(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
	it.it_value.tv_usec = -1;
	CHECK_ERRNO(setitimer(ITIMER_VIRTUAL, &it, NULL), EINVAL);
	it.it_value.tv_usec = 0;
	it.it_interval.tv_sec = -1;
	CHECK_ERRNO(setitimer(ITIMER_PROF, &it, NULL), EINVAL);
	CHECK_ERRNO(setitimer(3, &it, NULL), EINVAL);
	CHECK_ERRNO(getitimer(3, &it), EINVAL);
	CHECK_ERRNO(getitimer(ITIMER_REAL, (void *)8), EFAULT);
}

/* -- timer_create -- */

static void once_and_again(clockid_t clock, bool busy)
{
	struct itimerspec its = spec(30 * MS, 0), now;
	timer_t id;
	long long start;

	catch (SIGUSR1);
	id = make(clock, SIGEV_SIGNAL, SIGUSR1, 4711);
	CHECK_EQ(timer_gettime(id, &now), 0);
	CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
	start = now_ns();
	CHECK_EQ(timer_settime(id, 0, &its, NULL), 0);
	CHECK_EQ(timer_gettime(id, &now), 0);
	CHECK(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 30 * MS);
	for (int i = 0; i < 300 && !fired; i++)
		busy ? burn(10) : sleep_ms(2);
	CHECK_EQ(fired, 1);
	CHECK(now_ns() - start >= 30 * MS);
	CHECK_EQ(last_code, SI_TIMER);
	CHECK_EQ(last_value, 4711);
	CHECK_EQ(last_overrun, 0);
	its = spec(10 * MS, 10 * MS);
	CHECK_EQ(timer_settime(id, 0, &its, &now), 0);
	CHECK(now.it_value.tv_nsec == 0); /* it had gone off */
	for (int i = 0; i < 300 && fired < 4; i++)
		busy ? burn(10) : sleep_ms(2);
	CHECK(fired >= 4);
	CHECK_EQ(timer_delete(id), 0);
	fired = 0;
	busy ? burn(40) : sleep_ms(40);
	CHECK_EQ(fired, 0);
	CHECK_ERRNO(timer_gettime(id, &now), EINVAL);
}

TEST(on_the_monotonic_clock)
{
	once_and_again(CLOCK_MONOTONIC, false);
}

TEST(on_the_wall_clock)
{
	once_and_again(CLOCK_REALTIME, false);
}

TEST(on_the_clock_of_the_process)
{
	once_and_again(CLOCK_PROCESS_CPUTIME_ID, true);
}

TEST(on_the_clock_of_the_thread)
{
	once_and_again(CLOCK_THREAD_CPUTIME_ID, true);
}

TEST(at_a_point_in_time)
{
	static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};

	catch (SIGUSR1);
	for (int i = 0; i < 2; i++) {
		timer_t id = make(clocks[i], SIGEV_SIGNAL, SIGUSR1, 1);
		struct itimerspec its = spec(cpu_ns(clocks[i]) + 40 * MS, 0), left;
		long long start = now_ns();

		fired = 0;
		CHECK_EQ(timer_settime(id, TIMER_ABSTIME, &its, NULL), 0);
		CHECK_EQ(timer_gettime(id, &left), 0);
		CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec <= 40 * MS);
		CHECK(wait_fired(1, 2000));
		CHECK(now_ns() - start >= 35 * MS);
		/* One that has gone by is due at once, with all that was missed. */
		fired = 0;
		its = spec(cpu_ns(clocks[i]) - 1000 * MS, 300 * MS);
		CHECK_EQ(timer_settime(id, TIMER_ABSTIME, &its, NULL), 0);
		CHECK(wait_fired(1, 1000));
		CHECK_EQ(last_overrun, 3);
		CHECK_EQ(timer_delete(id), 0);
	}
}

TEST(overruns_are_counted)
{
	struct itimerspec its = spec(10 * MS, 10 * MS), off = spec(0, 0);
	sigset_t set, old;
	timer_t id;

	catch (SIGUSR1);
	id = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	CHECK_EQ(timer_settime(id, 0, &its, NULL), 0);
	sleep_ms(205);
	CHECK_EQ(fired, 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	CHECK_EQ(timer_settime(id, 0, &off, NULL), 0);
	CHECK(fired >= 1);
	CHECK_THAT(last_overrun >= 10 || fired > 1, "%d overruns", (int)last_overrun);
	CHECK_EQ(timer_delete(id), 0);
}

#ifdef __parvix__ /* elsewhere it may not */
TEST(a_tiny_interval_leaves_room_for_others)
{
	struct itimerspec its = spec(1, 1);
	timer_t id;
	long long start = now_ns();

	catch (SIGUSR1);
	id = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
	CHECK_EQ(timer_settime(id, 0, &its, NULL), 0);
	for (volatile long i = 0; i < 2000000; i++)
		;
	CHECK_EQ(timer_delete(id), 0);
	CHECK(fired >= 1 && last_overrun > 0);
	CHECK(now_ns() - start < 20000 * MS);
}
#endif

TEST(no_signal_at_all)
{
	struct itimerspec its = spec(20 * MS, 0), now;
	timer_t id = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);

	CHECK_EQ(timer_settime(id, 0, &its, NULL), 0);
	CHECK_EQ(timer_gettime(id, &now), 0);
	CHECK(now.it_value.tv_nsec > 0);
	sleep_ms(50);
	CHECK_EQ(timer_gettime(id, &now), 0);
	CHECK_EQ(now.it_value.tv_nsec, 0);
	CHECK_EQ(timer_delete(id), 0);
}

TEST(real_time_signal_with_its_value)
{
	struct itimerspec its = spec(5 * MS, 0);
	timer_t a, b;

	catch (SIGRTMIN + 3);
	a = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN + 3, 1);
	b = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN + 3, 2);
	CHECK_EQ(timer_settime(a, 0, &its, NULL), 0);
	CHECK_EQ(timer_settime(b, 0, &its, NULL), 0);
	CHECK(wait_fired(2, 2000));
	CHECK_EQ(fired, 2);
	CHECK_EQ(timer_delete(a), 0);
	CHECK_EQ(timer_delete(b), 0);
}

TEST(without_an_event_it_is_sigalrm)
{
	struct itimerspec its = spec(5 * MS, 0);
	timer_t id;

	catch (SIGALRM);
	CHECK_EQ(timer_create(CLOCK_REALTIME, NULL, &id), 0);
	one_timer = id;
	CHECK_EQ(timer_settime(id, 0, &its, NULL), 0);
	CHECK(wait_fired(1, 2000));
	CHECK_EQ(last_code, SI_TIMER);
	CHECK_EQ(timer_delete(id), 0);
	signal(SIGALRM, SIG_DFL);
}

TEST(timer_errors)
{
	struct sigevent ev;
	struct itimerspec its = spec(0, 0);
	timer_t id, gone;

	memset(&ev, 0, sizeof(ev));
	ev.sigev_notify = SIGEV_SIGNAL;
	ev.sigev_signo = 999;
	CHECK_ERRNO(timer_create(CLOCK_REALTIME, &ev, &id), EINVAL);
	ev.sigev_signo = SIGUSR1;
	CHECK_ERRNO(timer_create((clockid_t)1013, &ev, &id), EINVAL);
	ev.sigev_notify = 99;
	CHECK_ERRNO(timer_create(CLOCK_REALTIME, &ev, &id), EINVAL);
	id = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
	its.it_value.tv_nsec = 1000000000;
	CHECK_ERRNO(timer_settime(id, 0, &its, NULL), EINVAL);
	its.it_value.tv_nsec = -1;
	CHECK_ERRNO(timer_settime(id, 0, &its, NULL), EINVAL);
	CHECK_EQ(timer_delete(id), 0);
	gone = id;
	its.it_value.tv_nsec = 0;
	CHECK_ERRNO(timer_settime(gone, 0, &its, NULL), EINVAL);
	CHECK_ERRNO(timer_getoverrun(gone), EINVAL);
	CHECK_ERRNO(timer_delete(gone), EINVAL);
}

TEST(timers_of_a_process_go_with_it)
{
	struct itimerspec its = spec(1000 * MS, 1 * MS);
	timer_t id = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);

	/* A child has none; a child that ends with some set does no harm. */
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(timer_delete(id) == -1 && errno == EINVAL);
			   for (int i = 0; i < 20; i++) {
				   timer_t t;

				   CHILD_CHECK(timer_create(CLOCK_MONOTONIC, NULL, &t) == 0);
				   CHILD_CHECK(timer_settime(t, 0, &its, NULL) == 0);
			   }
		   }),
		   0);
	CHECK_EQ(timer_delete(id), 0);
}

TEST(as_many_timers_as_there_may_be)
{
	timer_t id[300];
	int n = 0;

	while (n < 300 && timer_create(CLOCK_MONOTONIC, NULL, &id[n]) == 0)
		n++;
	CHECK(n == 300 || errno == EAGAIN);
	CHECK(n >= _POSIX_TIMER_MAX);
	while (n--)
		CHECK_EQ(timer_delete(id[n]), 0);
}

/* -- sleeping -- */

TEST(sleep_until_a_time)
{
	static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};

	for (int i = 0; i < 2; i++) {
		long long start = cpu_ns(clocks[i]), end = start + 50 * MS;
		struct timespec t = {end / 1000000000, end % 1000000000};

		CHECK_EQ(clock_nanosleep(clocks[i], TIMER_ABSTIME, &t, NULL), 0);
		CHECK(cpu_ns(clocks[i]) >= end);
		CHECK_EQ(clock_nanosleep(clocks[i], TIMER_ABSTIME, &t, NULL), 0); /* gone by */
		t = (struct timespec){0, 20 * MS};
		start = now_ns();
		CHECK_EQ(clock_nanosleep(clocks[i], 0, &t, NULL), 0);
		CHECK(now_ns() - start >= 20 * MS);
	}
}

TEST(clock_nanosleep_errors)
{
	struct timespec t = {0, 1000000000}, ok = {0, 1};

	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ok, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep((clockid_t)1013, 0, &ok, NULL), EINVAL);
#ifdef __parvix__
	CHECK_EQ(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &ok, NULL), ENOTSUP);
#endif
}

TEST(an_interrupted_sleep_tells_the_rest)
{
	struct timespec t = {5, 0}, rest = {0, 0};
	struct itimerval it = {{0, 0}, {0, 50000}};

	handle(SIGALRM, on_timer, SA_RESTART);
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &rest), EINTR);
	CHECK(rest.tv_sec == 4 && rest.tv_nsec > 0);
	setitimer(ITIMER_REAL, &it, NULL);
	t.tv_sec += now_ns() / 1000000000;
	rest.tv_sec = 77;
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &rest), EINTR);
	CHECK_EQ(rest.tv_sec, 77);
	signal(SIGALRM, SIG_DFL);
}

TEST(setting_clocks)
{
	struct timespec t = {1, 0};

	CHECK_ERRNO(clock_settime(CLOCK_MONOTONIC, &t), EINVAL);
	CHECK_ERRNO(clock_settime((clockid_t)1013, &t), EINVAL);
	CHECK_ERRNO(clock_gettime((clockid_t)1013, &t), EINVAL);
	CHECK_ERRNO(clock_getres((clockid_t)1013, &t), EINVAL);
}

#ifdef __parvix__
static void shift_wall(long seconds)
{
	struct timespec t;

	CHECK_EQ(clock_gettime(CLOCK_REALTIME, &t), 0);
	t.tv_sec += seconds;
	CHECK_EQ(clock_settime(CLOCK_REALTIME, &t), 0);
}

TEST(absolute_times_move_with_the_wall_clock)
{
	long long start = now_ns(), wall = cpu_ns(CLOCK_REALTIME) + 100000 * MS;
	struct timespec at = {wall / 1000000000, 0};
	struct itimerspec abs = spec(wall, 0), rel = spec(100000 * MS, 0);
	pid_t pid, waits;
	timer_t a, r;
	sem_t sem;

	catch (SIGUSR1);
	sem_init(&sem, 0, 0);
	r = make(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 2);
	a = make(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 1);
	CHECK_EQ(timer_settime(a, TIMER_ABSTIME, &abs, NULL), 0);
	CHECK_EQ(timer_settime(r, 0, &rel, NULL), 0);
	pid = START(CHILD_CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL) == 0));
	waits = START(CHILD_CHECK(sem_timedwait(&sem, &at) < 0 && errno == ETIMEDOUT));
	sleep_ms(100);
	CHECK_EQ(fired, 0);
	shift_wall(200);
	CHECK(wait_fired(1, 2000));
	CHECK_EQ(last_value, 1);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EXIT(wait_status(waits), 0);
	CHECK_EQ(timer_gettime(r, &rel), 0);
	CHECK(rel.it_value.tv_sec > 90); /* a span is a span */
	CHECK(now_ns() - start < 20000 * MS);
	shift_wall(-200);
	CHECK_EQ(fired, 1);
	CHECK_EQ(timer_delete(a), 0);
	CHECK_EQ(timer_delete(r), 0);
}

#endif

/* Sums with them must not overflow: an interrupt without end would be due at once. */
TEST(hundreds_of_years)
{
	struct itimerspec its = {.it_value.tv_sec = 9223372035};
	timer_t id = make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_NONE, 0, 0);

	CHECK_EQ(timer_settime(id, 0, &its, NULL), 0);
	sleep_ms(20);
	CHECK_EQ(timer_gettime(id, &its), 0);
	CHECK(its.it_value.tv_sec > 9000000000);
	CHECK_EQ(timer_delete(id), 0);
}

/* Timers are set, taken back and go off while signals come and processes end. */
TEST(storm)
{
	for (int round = 0; round < 6; round++)
		START({
			timer_t id[8];

			catch (SIGUSR1);
			test_random_branch((unsigned long)round);
			for (int i = 0; i < 8; i++)
				CHILD_CHECK(timer_create(i & 1 ? CLOCK_MONOTONIC
							       : CLOCK_PROCESS_CPUTIME_ID,
							 NULL, &id[i]) == 0);
			signal(SIGALRM, SIG_IGN);
			for (int i = 0; i < 600; i++) {
				int which = (int)(test_random() % 8);
				struct itimerspec its = spec((long long)(test_random() % 3000000),
							     (long long)(test_random() % 2000000));

				if (test_random() % 16 == 0) {
					CHILD_CHECK(timer_delete(id[which]) == 0);
					CHILD_CHECK(timer_create(CLOCK_REALTIME, NULL,
								 &id[which]) == 0);
				}
				CHILD_CHECK(timer_settime(id[which], 0, &its, NULL) == 0);
				if (i % 100 == 0)
					sleep_ms(1);
			}
		});
	for (int round = 0; round < 6; round++)
		CHECK_EXIT(wait_status(-1), 0);
}
