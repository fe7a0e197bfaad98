/* SPDX-License-Identifier: MIT */
/* <sched.h>: the one policy that there is. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int fail(int err)
{
	errno = err;
	return -1;
}

static int is_policy(int policy)
{
	return policy == SCHED_OTHER || policy == SCHED_FIFO || policy == SCHED_RR;
}

/* Real-time policies have a range of priorities, as every program expects, though nobody gets one.
 */
int sched_get_priority_max(int policy)
{
	return is_policy(policy) ? policy == SCHED_OTHER ? 0 : 31 : fail(EINVAL);
}

int sched_get_priority_min(int policy)
{
	return is_policy(policy) ? policy == SCHED_OTHER ? 0 : 0 : fail(EINVAL);
}

/* 0, or -1: no such process. */
static int look_for(pid_t pid)
{
	if (pid < 0)
		return fail(EINVAL);
	return pid == 0 || kill(pid, 0) == 0 || errno == EPERM ? 0 : -1;
}

int sched_getscheduler(pid_t pid)
{
	return look_for(pid) ? -1 : SCHED_OTHER;
}

int sched_getparam(pid_t pid, struct sched_param *param)
{
	if (look_for(pid))
		return -1;
	memset(param, 0, sizeof(*param));
	return 0;
}

int sched_setparam(pid_t pid, const struct sched_param *param)
{
	if (look_for(pid))
		return -1;
	return param->sched_priority ? fail(EINVAL) : 0;
}

int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
	if (look_for(pid))
		return -1;
	if (!is_policy(policy) || (policy == SCHED_OTHER && param->sched_priority))
		return fail(EINVAL);
	return policy == SCHED_OTHER ? SCHED_OTHER : fail(EPERM);
}

/* A turn at usual priority: kernel/proc/sched.c. */
int sched_rr_get_interval(pid_t pid, struct timespec *interval)
{
	if (look_for(pid))
		return -1;
	interval->tv_sec = 0;
	interval->tv_nsec = 10000000;
	return 0;
}
