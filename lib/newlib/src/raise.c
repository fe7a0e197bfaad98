/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <unistd.h>

int _raise_r(struct _reent *re, int sig)
{
	(void)re;
	return kill(getpid(), sig);
}

int raise(int sig)
{
	return kill(getpid(), sig);
}

int killpg(pid_t pgrp, int sig)
{
	return kill(-pgrp, sig);
}
