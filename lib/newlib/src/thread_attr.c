/* SPDX-License-Identifier: MIT */
/*
 * Attributes of threads, and their share of the processor. There is one policy, SCHED_OTHER, whose
 * one priority is 0: the others are refused (ENOTSUP), not pretended.
 */
#include "thread.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#define DEFAULT_STACK (256ul << 10)
#define DEFAULT_GUARD 4096ul

int pthread_attr_init(pthread_attr_t *a)
{
	memset(a, 0, sizeof(*a));
	a->__size = DEFAULT_STACK;
	a->__guard = DEFAULT_GUARD;
	a->__valid = 1;
	return 0;
}

int pthread_attr_destroy(pthread_attr_t *a)
{
	a->__valid = 0;
	return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *a, int *state)
{
	*state = a->__detached;
	return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *a, int state)
{
	if (state != PTHREAD_CREATE_JOINABLE && state != PTHREAD_CREATE_DETACHED)
		return EINVAL;
	a->__detached = state;
	return 0;
}

int pthread_attr_getguardsize(const pthread_attr_t *a, size_t *size)
{
	*size = a->__guard;
	return 0;
}

int pthread_attr_setguardsize(pthread_attr_t *a, size_t size)
{
	if (size > 1ul << 30)
		return EINVAL;
	a->__guard = size;
	return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *a, size_t *size)
{
	*size = a->__size;
	return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *a, size_t size)
{
	if (size < PTHREAD_STACK_MIN || size > 1ul << 40)
		return EINVAL;
	a->__size = size;
	return 0;
}

int pthread_attr_getstack(const pthread_attr_t *a, void **stack, size_t *size)
{
	*stack = a->__stack;
	*size = a->__size;
	return 0;
}

int pthread_attr_setstack(pthread_attr_t *a, void *stack, size_t size)
{
	if (size < PTHREAD_STACK_MIN || ((uintptr_t)stack & 15) || (size & 15))
		return EINVAL;
	a->__stack = stack;
	a->__size = size;
	return 0;
}

/* The old way, in which nobody knew whether the address is the upper or the lower end: the lower.
 */
int pthread_attr_getstackaddr(const pthread_attr_t *a, void **stack)
{
	*stack = a->__stack;
	return 0;
}

int pthread_attr_setstackaddr(pthread_attr_t *a, void *stack)
{
	a->__stack = stack;
	return 0;
}

int pthread_attr_getscope(const pthread_attr_t *a, int *scope)
{
	*scope = a->__scope;
	return 0;
}

int pthread_attr_setscope(pthread_attr_t *a, int scope)
{
	if (scope == PTHREAD_SCOPE_PROCESS)
		return ENOTSUP;
	if (scope != PTHREAD_SCOPE_SYSTEM)
		return EINVAL;
	a->__scope = scope;
	return 0;
}

int pthread_attr_getinheritsched(const pthread_attr_t *a, int *inherit)
{
	*inherit = a->__inherit;
	return 0;
}

int pthread_attr_setinheritsched(pthread_attr_t *a, int inherit)
{
	if (inherit != PTHREAD_INHERIT_SCHED && inherit != PTHREAD_EXPLICIT_SCHED)
		return EINVAL;
	a->__inherit = inherit;
	return 0;
}

static int check_policy(int policy)
{
	if (policy == SCHED_OTHER)
		return 0;
	return policy == SCHED_FIFO || policy == SCHED_RR ? ENOTSUP : EINVAL;
}

int pthread_attr_getschedpolicy(const pthread_attr_t *a, int *policy)
{
	*policy = a->__policy;
	return 0;
}

int pthread_attr_setschedpolicy(pthread_attr_t *a, int policy)
{
	int err = check_policy(policy);

	if (!err)
		a->__policy = policy;
	return err;
}

int pthread_attr_getschedparam(const pthread_attr_t *a, struct sched_param *param)
{
	*param = a->__param;
	return 0;
}

int pthread_attr_setschedparam(pthread_attr_t *a, const struct sched_param *param)
{
	if (param->sched_priority != 0)
		return ENOTSUP;
	a->__param = *param;
	return 0;
}

/* Of a thread that runs. The first one's stack is the process's, which grows. */
int pthread_getattr_np(pthread_t t, pthread_attr_t *a)
{
	struct rlimit limit = {0, 0};
	char here;

	pthread_attr_init(a);
	a->__detached = t->state == DETACHED;
	a->__guard = t->guard_size;
	if (t->stack) {
		a->__stack = t->stack;
		a->__size = t->stack_size;
		return 0;
	}
	getrlimit(RLIMIT_STACK, &limit);
	a->__size = limit.rlim_cur < 64ul << 20 ? limit.rlim_cur : 64ul << 20;
	a->__stack = (void *)((((uintptr_t)&here + 65536) & -65536ul) - a->__size);
	return 0;
}

int pthread_getschedparam(pthread_t t, int *policy, struct sched_param *param)
{
	if (!__parvix_thread_tid(t))
		return ESRCH;
	*policy = SCHED_OTHER;
	memset(param, 0, sizeof(*param));
	return 0;
}

int pthread_setschedparam(pthread_t t, int policy, const struct sched_param *param)
{
	int err = check_policy(policy);

	if (!__parvix_thread_tid(t))
		return ESRCH;
	return err ? err : param->sched_priority ? EINVAL : 0;
}

int pthread_setschedprio(pthread_t t, int priority)
{
	return !__parvix_thread_tid(t) ? ESRCH : priority ? EINVAL : 0;
}

static int concurrency;

int pthread_getconcurrency(void)
{
	return concurrency;
}

int pthread_setconcurrency(int level)
{
	if (level < 0)
		return EINVAL;
	concurrency = level;
	return 0;
}
