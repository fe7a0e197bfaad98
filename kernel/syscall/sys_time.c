/* SPDX-License-Identifier: MIT */
/* System calls about time. */
#include <machine.h>
#include <proc.h>
#include <usercopy.h>
#include "../proc/ptimer.h"
#include "syscall.h"

/* The time on clock @id, a program's name for it. -EINVAL: there is none. */
static int read_clock(unsigned long id, ktime_t *time)
{
	pid_t who = CLOCK_WHO(id);
	ktime_t utime, stime;
	struct thread *t;
	struct proc *p;
	int err = -EINVAL;

	if (id == CLOCK_REALTIME || id == CLOCK_MONOTONIC) {
		*time = id == CLOCK_REALTIME ? clock_wall() : clock_now();
		return 0;
	}
	thread_account();
	if (id == CLOCK_THREAD_CPUTIME_ID) {
		*time = current->utime + current->stime;
		return 0;
	}
	spin_lock(&proc_lock);
	if (CLOCK_KIND(id) == CLOCK_PROCESS_CPUTIME_ID) {
		p = who ? proc_find(who) : current_proc();
		if (p && p->state != PROC_ZOMBIE) {
			proc_times(p, &utime, &stime);
			*time = utime + stime;
			err = 0;
		}
	} else if (CLOCK_KIND(id) == CLOCK_THREAD_CPUTIME_ID) {
		list_for_each (t, &current_proc()->threads, proc_link) {
			if (t->tid == who) {
				*time = t->utime + t->stime;
				err = 0;
			}
		}
	}
	spin_unlock(&proc_lock);
	return err;
}

/* All of them count nanoseconds; in fact some tens of them. */
long sys_clock_getres(struct trapframe *tf)
{
	struct parvix_timespec res = {.tv_nsec = 1};
	ktime_t t;
	int err = read_clock(ARG0(tf), &t);

	return err || !ARG1(tf) ? err : put_user(UADDR(ARG1(tf)), res);
}

long sys_clock_gettime(struct trapframe *tf)
{
	struct parvix_timespec ts;
	ktime_t t;
	int err = read_clock(ARG0(tf), &t);

	if (err)
		return err;
	ts = ktime_to_timespec(t);
	return put_user(UADDR(ARG1(tf)), ts);
}

long sys_clock_settime(struct trapframe *tf)
{
	struct parvix_timespec ts;
	ktime_t wall;
	int err;

	if (ARG0(tf) != CLOCK_REALTIME)
		return read_clock(ARG0(tf), &wall) || ARG0(tf) == CLOCK_MONOTONIC ? -EINVAL
										  : -EPERM;
	if (get_user(ts, UADDR(ARG1(tf))))
		return -EFAULT;
	err = ktime_from_timespec(&ts, &wall);
	if (err)
		return err;
	if (!cred_root())
		return -EPERM;
	err = wall == KTIME_NEVER ? -EINVAL : clock_set_wall(wall);
	if (!err)
		ptimers_wall_changed();
	return err;
}

/* Until the wall clock shows @until: it may be set meanwhile. */
static int sleep_on_wall(ktime_t until)
{
	struct waiter w;
	ktime_t left;
	int err = 0;

	waiter_add(&wall_changed, &w);
	do {
		thread_prepare_sleep();
		left = until - clock_wall();
		if (left <= 0)
			break;
		err = thread_sleep(SLEEP_INTR, ktime_add(clock_now(), left));
	} while (!err || err == -ETIMEDOUT);
	waiter_remove(&w);
	thread_cancel_sleep();
	return err == -ERESTART ? -ERESTARTNOHAND : 0;
}

/* Until @until of the monotonic clock; what is left to a signal goes to @rest. */
static long sleep_until(ktime_t until, uaddr_t rest)
{
	struct parvix_timespec ts;
	int err;

	do {
		thread_prepare_sleep();
		err = thread_sleep(SLEEP_INTR, until);
	} while (err == 0);
	if (err == -ETIMEDOUT)
		return 0;
	ts = ktime_to_timespec(max(until - clock_now(), 0l));
	if (rest.v && put_user(rest, ts))
		return -EFAULT;
	return -ERESTARTNOHAND;
}

static long do_sleep(unsigned long clock, bool absolute, uaddr_t time, uaddr_t rest)
{
	struct parvix_timespec ts;
	ktime_t t, until;
	long ret;

	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return CLOCK_KIND(clock) == CLOCK_PROCESS_CPUTIME_ID ? -ENOTSUP : -EINVAL;
	if (get_user(ts, time))
		return -EFAULT;
	if (ktime_from_timespec(&ts, &t))
		return -EINVAL;
	if (absolute)
		return clock == CLOCK_REALTIME ? sleep_on_wall(t) : sleep_until(t, UADDR(0));
	/* One that a signal interrupted, and that is being started again, ends when it was to end
	 * from the beginning. */
	until = current->restart_until ? current->restart_until : ktime_add(clock_now(), t);
	current->restart_until = 0;
	ret = sleep_until(until, rest);
	if (ret == -ERESTARTNOHAND)
		current->restart_until = until;
	return ret;
}

long sys_nanosleep(struct trapframe *tf)
{
	return do_sleep(CLOCK_MONOTONIC, false, UADDR(ARG0(tf)), UADDR(ARG1(tf)));
}

long sys_clock_nanosleep(struct trapframe *tf)
{
	return do_sleep(ARG0(tf), ARG1(tf) & TIMER_ABSTIME, UADDR(ARG2(tf)), UADDR(ARG3(tf)));
}
