/* SPDX-License-Identifier: MIT */
/* System calls about timers: alarm, setitimer and those of timer_create. */
#include <mm.h>
#include <proc.h>
#include <usercopy.h>
#include "../proc/ptimer.h"
#include "syscall.h"

struct setting {
	ktime_t value, interval;
};

static struct ptimer *new_timer(int id, enum ptimer_clock clock, int sig, int code,
				unsigned long value)
{
	struct ptimer *t = kmalloc(sizeof(*t), ALLOC_ZERO);

	if (!t)
		return NULL;
	list_init(&t->link);
	t->id = id;
	t->clock = clock;
	t->when = KTIME_NEVER;
	sigqueued_init_own(&t->sig);
	t->sig.info = (struct parvix_siginfo){.si_signo = sig, .si_code = code, .si_value = value};
	return t;
}

/* Set timer @id to *@new, if that is given, and tell what it was. -EINVAL: there is none. */
static int exchange(int id, const struct setting *new, bool absolute, struct setting *old)
{
	struct proc *p = current_proc();
	struct ptimer *t;

	*old = (struct setting){0, 0};
	spin_lock(&proc_lock);
	t = ptimer_find(p, id);
	if (t) {
		if (!ptimer_on_wall(t))
			thread_account();
		ptimer_get(p, t, &old->value, &old->interval);
		if (new)
			ptimer_set(p, t, new->value, new->interval, absolute);
	}
	spin_unlock(&proc_lock);
	return t ? 0 : -EINVAL;
}

/* ---- alarm, setitimer: three timers that are made when they are first set ---- */

static int need_interval_timer(int which)
{
	static const struct {
		enum ptimer_clock clock;
		int sig;
	} kinds[] = {
		{PCLOCK_MONOTONIC, SIGALRM}, {PCLOCK_USER, SIGVTALRM}, {PCLOCK_PROCESS, SIGPROF}};
	struct proc *p = current_proc();
	struct ptimer *t;
	int err = ptimers_create(p);

	if (err)
		return err;
	t = new_timer(PTIMER_INTERVAL(which), kinds[which].clock, kinds[which].sig, SI_KERNEL, 0);
	if (!t)
		return -ENOMEM;
	spin_lock(&proc_lock);
	if (!ptimer_find(p, t->id)) {
		ptimer_add(p, t);
		t = NULL;
	}
	spin_unlock(&proc_lock);
	kfree(t);
	return 0;
}

static int interval_timer(int which, const struct setting *new, struct setting *old)
{
	int err = exchange(PTIMER_INTERVAL(which), new, false, old);

	if (!err || !new || !new->value)
		return 0; /* one that is not there is one that is not set */
	err = need_interval_timer(which);
	return err ? err : exchange(PTIMER_INTERVAL(which), new, false, old);
}

long sys_alarm(struct trapframe *tf)
{
	struct setting new = {(ktime_t)(unsigned)ARG0(tf) * NSEC_PER_SEC, 0}, old;

	interval_timer(ITIMER_REAL, &new, &old);
	return (old.value + NSEC_PER_SEC - 1) / NSEC_PER_SEC;
}

static long itimer_out(uaddr_t to, const struct setting *s)
{
	struct parvix_itimerval it = {
		.it_interval = ktime_to_timeval(s->interval),
		.it_value = ktime_to_timeval(s->value ? max(s->value, NSEC_PER_USEC) : 0),
	};

	return put_user(to, it);
}

long sys_setitimer(struct trapframe *tf)
{
	struct parvix_itimerval it;
	struct setting new, old;
	int err;

	if (ARG0(tf) > ITIMER_PROF)
		return -EINVAL;
	if (get_user(it, UADDR(ARG1(tf))))
		return -EFAULT;
	if (ktime_from_timeval(&it.it_value, &new.value) ||
	    ktime_from_timeval(&it.it_interval, &new.interval))
		return -EINVAL;
	err = interval_timer((int)ARG0(tf), &new, &old);
	return err || !ARG2(tf) ? err : itimer_out(UADDR(ARG2(tf)), &old);
}

long sys_getitimer(struct trapframe *tf)
{
	struct setting now;

	if (ARG0(tf) > ITIMER_PROF)
		return -EINVAL;
	interval_timer((int)ARG0(tf), NULL, &now);
	return itimer_out(UADDR(ARG1(tf)), &now);
}

/* ---- timer_create ---- */

/* The clock of a timer: one's own process's or of one of its threads, in that case *@thread. */
static int timer_clock(unsigned long id, enum ptimer_clock *clock, pid_t *thread)
{
	struct proc *p = current_proc();
	pid_t who = CLOCK_WHO(id);

	switch (CLOCK_KIND(id)) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
		*clock = PCLOCK_MONOTONIC;
		return who ? -EINVAL : 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*clock = PCLOCK_PROCESS;
		return !who || who == p->pid ? 0 : -ENOTSUP;
	case CLOCK_THREAD_CPUTIME_ID:
		*clock = PCLOCK_THREAD;
		*thread = who ? who : current->tid;
		return 0;
	}
	return -EINVAL;
}

static struct thread *own_thread(pid_t tid)
{
	struct thread *t;

	list_for_each (t, &current_proc()->threads, proc_link)
		if (t->tid == tid)
			return t;
	return NULL;
}

/* Give it a number, the smallest that is free. */
static long install(struct ptimer *t, pid_t clock_of, bool value_is_id)
{
	struct proc *p = current_proc();
	long id = -EINVAL;

	spin_lock(&proc_lock);
	t->thread = clock_of ? own_thread(clock_of) : NULL;
	if ((!clock_of || t->thread) && (!t->tid || own_thread(t->tid))) {
		for (id = 0; id < PTIMER_MAX && ptimer_find(p, (int)id);)
			id++;
		t->id = (int)id;
		if (value_is_id)
			t->sig.info.si_value = (unsigned long)id;
		if (id < PTIMER_MAX)
			ptimer_add(p, t);
		else
			id = -EAGAIN;
	}
	spin_unlock(&proc_lock);
	return id;
}

long sys_timer_create(struct trapframe *tf)
{
	int how = (int)ARG1(tf), sig = (int)ARG2(tf), err;
	enum ptimer_clock clock;
	pid_t clock_of = 0;
	struct ptimer *t;
	long id;

	err = timer_clock(ARG0(tf), &clock, &clock_of);
	if (err)
		return err;
	if (how < 0 || how > SIGEV_THREAD_ID || how == SIGEV_THREAD)
		return -EINVAL;
	if (how != SIGEV_NONE && how && (sig <= 0 || sig >= NSIG))
		return -EINVAL;
	err = ptimers_create(current_proc());
	if (err)
		return err;
	t = new_timer(0, clock, how ? sig : SIGALRM, SI_TIMER, ARG3(tf));
	if (!t)
		return -EAGAIN;
	t->realtime = CLOCK_KIND(ARG0(tf)) == CLOCK_REALTIME;
	t->silent = how == SIGEV_NONE;
	t->tid = how == SIGEV_THREAD_ID ? (pid_t)ARG4(tf) : 0;
	id = install(t, clock_of, !how);
	if (id < 0)
		kfree(t);
	return id;
}

static long timer_out(uaddr_t to, const struct setting *s)
{
	struct parvix_itimerspec its = {
		.it_interval = ktime_to_timespec(s->interval),
		.it_value = ktime_to_timespec(s->value),
	};

	return put_user(to, its);
}

/* Numbers of timers are not negative: those below 0 are setitimer's. */
static int timer_id(struct trapframe *tf)
{
	return ARG0(tf) < PTIMER_MAX ? (int)ARG0(tf) : PTIMER_MAX;
}

long sys_timer_settime(struct trapframe *tf)
{
	struct parvix_itimerspec its;
	struct setting new, old;
	int err;

	if (get_user(its, UADDR(ARG2(tf))))
		return -EFAULT;
	if (ktime_from_timespec(&its.it_value, &new.value) ||
	    ktime_from_timespec(&its.it_interval, &new.interval))
		return -EINVAL;
	err = exchange(timer_id(tf), &new, ARG1(tf) & TIMER_ABSTIME, &old);
	return err || !ARG3(tf) ? err : timer_out(UADDR(ARG3(tf)), &old);
}

long sys_timer_gettime(struct trapframe *tf)
{
	struct setting now;
	int err = exchange(timer_id(tf), NULL, false, &now);

	return err ? err : timer_out(UADDR(ARG1(tf)), &now);
}

long sys_timer_getoverrun(struct trapframe *tf)
{
	struct ptimer *t;
	long n;

	spin_lock(&proc_lock);
	t = ptimer_find(current_proc(), timer_id(tf));
	n = t ? (long)ptimer_overruns(t) : -EINVAL;
	spin_unlock(&proc_lock);
	return n;
}

long sys_timer_delete(struct trapframe *tf)
{
	struct proc *p = current_proc();
	struct ptimer *t;

	spin_lock(&proc_lock);
	t = ptimer_find(p, timer_id(tf));
	if (t)
		ptimer_delete(p, t);
	spin_unlock(&proc_lock);
	return t ? 0 : -EINVAL;
}
