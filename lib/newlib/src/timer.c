/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "sys.h"

int timer_create(clockid_t clock, struct sigevent *__restrict ev, timer_t *__restrict id)
{
	long ret;

	if (ev)
		ret = syscall(SYS_timer_create, clock, ev->sigev_notify, ev->sigev_signo,
			      ev->sigev_value.sival_ptr, 0);
	else
		ret = syscall(SYS_timer_create, clock, 0, 0, 0, 0);
	if (ret < 0)
		return -1;
	*id = (timer_t)ret;
	return 0;
}
