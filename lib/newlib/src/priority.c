/* SPDX-License-Identifier: MIT */
/* nice(): the kernel counts from 40 (most of the processor) to 1, so that no answer is negative. */
#include <errno.h>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>
#include "sys.h"

int getpriority(int which, id_t who)
{
	long ret = __SYS2(SYS_getpriority, which, who);

	return ret < 0 ? (int)__ret(ret) : NZERO - (int)ret;
}

int nice(int more)
{
	int old, err = errno;

	errno = 0;
	old = getpriority(PRIO_PROCESS, 0);
	if (errno)
		return -1;
	errno = err;
	if (more > 2 * NZERO)
		more = 2 * NZERO;
	else if (more < -2 * NZERO)
		more = -2 * NZERO;
	if (setpriority(PRIO_PROCESS, 0, old + more) < 0) {
		errno = EPERM;
		return -1;
	}
	return getpriority(PRIO_PROCESS, 0);
}
