/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "thread.h"

/* The kernel fills the first fields of struct rusage only. */
pid_t wait4(pid_t pid, int *status, int options, struct rusage *use)
{
	if (use)
		memset(use, 0, sizeof(*use));
	return (pid_t)__ret(
		__parvix_cancel_sys(SYS_wait4, pid, (long)status, options, (long)use, 0));
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	return (pid_t)__ret(__parvix_cancel_sys(SYS_wait4, pid, (long)status, options, 0, 0));
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	return (int)__ret(__parvix_cancel_sys(SYS_waitid, type, id, (long)info, options, 0));
}

pid_t wait3(int *status, int options, struct rusage *use)
{
	return wait4(-1, status, options, use);
}

pid_t _wait(int *status)
{
	return waitpid(-1, status, 0);
}

int getrusage(int who, struct rusage *use)
{
	memset(use, 0, sizeof(*use));
	return (int)__ret(__SYS2(SYS_getrusage, who, use));
}
