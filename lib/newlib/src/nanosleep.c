/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>
#include <unistd.h>
#include <sys/time.h>
#include "sys.h"

/* SYS_nanosleep is relative; an absolute time is turned into the rest that is left until then. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *rest)
{
	struct timespec now, left;

	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return EINVAL;
	if (!(flags & TIMER_ABSTIME))
		return (int)-__SYS2(SYS_nanosleep, t, rest);
	if (t->tv_nsec < 0 || t->tv_nsec >= 1000000000)
		return EINVAL;
	clock_gettime(clock, &now);
	left.tv_sec = t->tv_sec - now.tv_sec;
	left.tv_nsec = t->tv_nsec - now.tv_nsec;
	if (left.tv_nsec < 0) {
		left.tv_nsec += 1000000000;
		left.tv_sec--;
	}
	return left.tv_sec < 0 ? 0 : (int)-__SYS2(SYS_nanosleep, &left, 0);
}

useconds_t ualarm(useconds_t first, useconds_t then)
{
	struct itimerval new, old;

	new.it_value = (struct timeval){first / 1000000, first % 1000000};
	new.it_interval = (struct timeval){then / 1000000, then % 1000000};
	if (setitimer(ITIMER_REAL, &new, &old) < 0)
		return 0;
	return old.it_value.tv_sec * 1000000 + old.it_value.tv_usec;
}
