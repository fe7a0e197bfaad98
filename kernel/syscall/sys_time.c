/* SPDX-License-Identifier: MIT */
/* System calls about time. */
#include <machine.h>
#include <proc.h>
#include <usercopy.h>
#include "syscall.h"

/* The shortest interval is wall time's as well as the monotonic clock's: a nanosecond in units, in
 * fact some tens of them. */
long sys_clock_getres(struct trapframe *tf)
{
	struct parvix_timespec res = {.tv_nsec = 1};

	if (ARG0(tf) < CLOCK_REALTIME || ARG0(tf) > CLOCK_MONOTONIC)
		return -EINVAL;
	return ARG1(tf) ? put_user(UADDR(ARG1(tf)), res) : 0;
}

long sys_clock_gettime(struct trapframe *tf)
{
	struct parvix_timespec ts;
	ktime_t t;

	switch (ARG0(tf)) {
	case CLOCK_REALTIME:
		t = clock_wall();
		break;
	case CLOCK_MONOTONIC:
		t = clock_now();
		break;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		thread_account();
		t = current->utime + current->stime;
		break;
	default:
		return -EINVAL;
	}
	ts = ktime_to_timespec(t);
	return put_user(UADDR(ARG1(tf)), ts);
}

long sys_clock_settime(struct trapframe *tf)
{
	struct parvix_timespec ts;
	ktime_t wall;
	int err;

	if (ARG0(tf) != CLOCK_REALTIME)
		return -EINVAL;
	if (get_user(ts, UADDR(ARG1(tf))))
		return -EFAULT;
	err = ktime_from_timespec(&ts, &wall);
	if (err)
		return err;
	if (!cred_root())
		return -EPERM;
	return wall == KTIME_NEVER ? -EINVAL : clock_set_wall(wall);
}

/* When a sleep of @span that begins now ends; if it is one that a signal interrupted, and that is
 * being started again, when it was to end from the beginning. */
static ktime_t deadline_of(ktime_t span)
{
	ktime_t until = current->restart_until;

	current->restart_until = 0;
	return until ? until : ktime_add(clock_now(), span);
}

long sys_nanosleep(struct trapframe *tf)
{
	uaddr_t rest = UADDR(ARG1(tf));
	struct parvix_timespec ts;
	ktime_t span, until;
	int err;

	if (get_user(ts, UADDR(ARG0(tf))))
		return -EFAULT;
	err = ktime_from_timespec(&ts, &span);
	if (err)
		return err;
	until = deadline_of(span);
	do {
		thread_prepare_sleep();
		err = thread_sleep(SLEEP_INTR, until);
	} while (err == 0);
	if (err == -ETIMEDOUT)
		return 0;
	ts = ktime_to_timespec(max(until - clock_now(), 0l));
	if (rest.v && put_user(rest, ts))
		return -EFAULT;
	current->restart_until = until;
	return -ERESTARTNOHAND;
}
