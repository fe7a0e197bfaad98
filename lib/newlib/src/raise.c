/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <errno.h>
#include <unistd.h>
#include "sys.h"

int _raise_r(struct _reent *re, int sig)
{
	(void)re;
	return kill(getpid(), sig);
}

int raise(int sig)
{
	return kill(getpid(), sig);
}

int sigqueue(pid_t pid, int sig, const union sigval value)
{
	return (int)__ret(__SYS3(SYS_sigqueue, pid, sig, value.sival_ptr));
}

int killpg(pid_t pgrp, int sig)
{
	return kill(-pgrp, sig);
}
