/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <errno.h>
#include <unistd.h>
#include "sys.h"

/* For the thread, not for the process: another one must not take it. */
int raise(int sig)
{
	return (int)__ret(__SYS2(SYS_tkill, __SYS0(SYS_gettid), sig));
}

int _raise_r(struct _reent *re, int sig)
{
	(void)re;
	return raise(sig);
}

int sigqueue(pid_t pid, int sig, const union sigval value)
{
	return (int)__ret(__SYS3(SYS_sigqueue, pid, sig, value.sival_ptr));
}

int killpg(pid_t pgrp, int sig)
{
	return kill(-pgrp, sig);
}
