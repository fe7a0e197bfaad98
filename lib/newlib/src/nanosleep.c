/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>
#include <unistd.h>
#include <sys/time.h>
#include "thread.h"

/* These two answer with an error number, not by errno. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *rest)
{
	return (int)-__parvix_cancel_sys(SYS_clock_nanosleep, clock, flags, (long)t, (long)rest, 0);
}

int clock_getcpuclockid(pid_t pid, clockid_t *clock)
{
	clockid_t id = pid ? (clockid_t)pid << 4 | CLOCK_PROCESS_CPUTIME_ID
			   : CLOCK_PROCESS_CPUTIME_ID;

	if (pid < 0 || __SYS2(SYS_clock_getres, id, 0) < 0)
		return ESRCH;
	*clock = id;
	return 0;
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
