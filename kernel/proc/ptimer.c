/* SPDX-License-Identifier: MIT */
/*
 * The timers of a process: alarm and setitimer, timer_create, and the limit of its CPU time.
 *
 * All of them are on one list, p->timers, which is made when the first is set. Each has a clock,
 * the time on that clock when it is due, an interval and a signal with a place in the queue of its
 * own (struct sigqueued): a timer whose last signal has not been taken yet counts an overrun.
 *
 * Clocks on the wall: one ktimer for each process is set to whatever is due first. Its function
 * looks at the whole list, so it does no harm if it comes too early, or when somebody changes the
 * list at the same time: proc_lock decides who is first.
 *
 * Clocks of CPU time: while such a timer is set, each thread of the process has in t->cpu_next the
 * CPU time of its own at which somebody has to look again. The switch to such a thread asks for a
 * timer interrupt then, and the interrupt looks (timer.c). With several threads each may use only
 * its share of what is left before the next look, since they may all run at once; so the looks come
 * closer together until the time is reached. Without such timers all this costs a comparison.
 *
 * Timers with short intervals go off at multiples of TIMER_TICK, all processes' together, and count
 * the overruns: programs cannot take the whole processor by asking for interrupts.
 *
 * Everything here is guarded by proc_lock.
 */
#include <machine.h>
#include <mm.h>
#include <proc.h>
#include "ptimer.h"
#include "room.h"

#define TIMER_TICK NSEC_PER_MSEC
#define TIMER_SHORT (8 * TIMER_TICK) /* an interval below that */
#define CPU_STEP (NSEC_PER_MSEC / 2) /* CPU time is looked at no more often */

struct ptimers {
	struct list list;
	struct ktimer wall;
	ktime_t xcpu_next; /* CPU time at which SIGXCPU is sent; KTIME_NEVER */
	struct proc *proc;
};

bool ptimer_on_wall(const struct ptimer *t)
{
	return t->clock == PCLOCK_MONOTONIC || t->clock == PCLOCK_REALTIME;
}

/* Where the processor's counter traps to a hypervisor, reading the time is what a look costs: it is
 * read once, @now, for all timers on the wall. */
static ktime_t clock_of(const struct proc *p, const struct ptimer *t, ktime_t now)
{
	ktime_t utime, stime;

	switch (t->clock) {
	case PCLOCK_MONOTONIC:
		return now;
	case PCLOCK_REALTIME:
		return clock_wall_at(now);
	case PCLOCK_THREAD:
		return t->thread ? t->thread->utime + t->thread->stime : 0;
	case PCLOCK_USER:
		proc_times(p, &utime, &stime);
		return utime;
	case PCLOCK_PROCESS:
		proc_times(p, &utime, &stime);
		return utime + stime;
	}
	return 0;
}

ktime_t ptimer_clock(const struct proc *p, const struct ptimer *t)
{
	return clock_of(p, t, clock_now());
}

/* ---- going off ---- */

static struct thread *thread_of(struct proc *p, pid_t tid)
{
	struct thread *t;

	list_for_each (t, &p->threads, proc_link)
		if (t->tid == tid)
			return t;
	return NULL;
}

static void notify(struct proc *p, struct ptimer *t, unsigned long times)
{
	struct thread *to = t->tid ? thread_of(p, t->tid) : NULL;
	bool taken = list_empty(&t->sig.link);

	if (t->silent || (t->tid && !to))
		return;
	if (taken) {
		t->overruns_taken = t->overruns;
		t->overruns = 0;
		times--;
		signal_send_own(p, to, &t->sig);
	}
	t->overruns = (unsigned)min(t->overruns + times, (unsigned long)INT32_MAX);
}

unsigned ptimer_overruns(const struct ptimer *t)
{
	return list_empty(&t->sig.link) ? t->overruns : t->overruns_taken;
}

/* Those of @wall's kind that are due. @now: clock_now(), if it is the wall's. */
static void fire_due(struct proc *p, bool wall, ktime_t now)
{
	struct ptimer *t;

	list_for_each (t, &p->timers->list, link) {
		unsigned long times = 1;
		ktime_t at;

		if (t->when == KTIME_NEVER || ptimer_on_wall(t) != wall)
			continue;
		at = clock_of(p, t, now);
		if (t->when > at)
			continue;
		if (t->interval) {
			times += (unsigned long)((at - t->when) / t->interval);
			t->when = ktime_add(t->when, (ktime_t)times * t->interval);
		} else {
			t->when = KTIME_NEVER;
		}
		notify(p, t, times);
	}
}

/* ---- when to look again ---- */

static void wall_fired(struct ktimer *k);

static void arm_wall(struct proc *p, ktime_t now)
{
	ktime_t first = KTIME_NEVER, at;
	struct ptimer *t;

	list_for_each (t, &p->timers->list, link) {
		if (t->when == KTIME_NEVER || !ptimer_on_wall(t))
			continue;
		at = t->when;
		if (t->clock == PCLOCK_REALTIME)
			at = ktime_add(now, max(t->when - clock_wall_at(now), 0l));
		if (t->interval && t->interval < TIMER_SHORT)
			at = ROUND_UP(max(at, now), TIMER_TICK);
		first = min(first, at);
	}
	if (first != KTIME_NEVER)
		ktimer_move(&p->timers->wall, first, wall_fired, p);
}

static void wall_fired(struct ktimer *k)
{
	struct proc *p = k->arg;
	ktime_t now = clock_now();

	spin_lock(&proc_lock);
	if (p->timers) {
		fire_due(p, true, now);
		arm_wall(p, now);
	}
	spin_unlock(&proc_lock);
}

static ktime_t limit_time(unsigned long seconds)
{
	return seconds > (unsigned long)(KTIME_NEVER / NSEC_PER_SEC)
		       ? KTIME_NEVER
		       : (ktime_t)seconds * NSEC_PER_SEC;
}

/* SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. What is left. */
static ktime_t limit_left(struct proc *p)
{
	ktime_t hard = limit_time(p->limits[RLIMIT_CPU].rlim_max), utime, stime, used;

	if (p->timers->xcpu_next == KTIME_NEVER)
		return KTIME_NEVER;
	proc_times(p, &utime, &stime);
	used = utime + stime;
	if (used >= hard) {
		signal_send_locked(p, SIGKILL, NULL);
		return KTIME_NEVER;
	}
	while (used >= p->timers->xcpu_next) {
		signal_send_locked(p, SIGXCPU, NULL);
		p->timers->xcpu_next += NSEC_PER_SEC;
	}
	return min(hard, p->timers->xcpu_next) - used;
}

static void arm_cpu(struct proc *p)
{
	ktime_t left = limit_left(p);
	struct ptimer *t;
	struct thread *th;

	list_for_each (t, &p->timers->list, link)
		if (t->when != KTIME_NEVER && !ptimer_on_wall(t))
			left = min(left, t->when - clock_of(p, t, 0));
	list_for_each (th, &p->threads, proc_link)
		th->cpu_next = left == KTIME_NEVER
				       ? 0
				       : ktime_add(th->utime + th->stime,
						   max(left / (ktime_t)p->nr_threads, CPU_STEP));
}

/* For CPU time: the running thread has had its switch already. */
static void arm_cpu_now(struct proc *p)
{
	arm_cpu(p);
	if (p == current->proc) {
		irq_push_off();
		timer_need(thread_cpu_deadline(current));
		irq_pop_off();
	}
}

static void arm(struct proc *p, bool wall)
{
	if (wall)
		arm_wall(p, clock_now());
	else
		arm_cpu_now(p);
}

ktime_t ptimers_cpu_check(struct thread *t)
{
	struct proc *p = t->proc;

	thread_account();
	spin_lock(&proc_lock);
	if (p && p->timers && t->utime + t->stime >= t->cpu_next) {
		fire_due(p, false, 0);
		arm_cpu(p);
	}
	spin_unlock(&proc_lock);
	return thread_cpu_deadline(t);
}

/* ---- changes ---- */

int ptimers_create(struct proc *p)
{
	struct ptimers *ts;

	if (p->timers)
		return 0;
	ts = kmalloc(sizeof(*ts), 0);
	if (!ts)
		return -ENOMEM;
	list_init(&ts->list);
	ktimer_init(&ts->wall);
	ts->xcpu_next = KTIME_NEVER;
	ts->proc = p;
	spin_lock(&proc_lock);
	if (!p->timers) {
		p->timers = ts;
		ts = NULL;
	}
	spin_unlock(&proc_lock);
	kfree(ts); /* another thread was first */
	return 0;
}

int ptimers_limit(struct proc *p)
{
	ktime_t limit = limit_time(p->limits[RLIMIT_CPU].rlim_cur);
	int err = 0;

	if (limit != KTIME_NEVER)
		err = ptimers_create(p);
	if (err || !p->timers)
		return err;
	spin_lock(&proc_lock);
	p->timers->xcpu_next = limit;
	arm_cpu_now(p);
	spin_unlock(&proc_lock);
	return 0;
}

struct ptimer *ptimer_find(struct proc *p, int id)
{
	struct ptimer *t;

	if (p->timers)
		list_for_each (t, &p->timers->list, link)
			if (t->id == id)
				return t;
	return NULL;
}

void ptimer_add(struct proc *p, struct ptimer *t)
{
	list_add_tail(&p->timers->list, &t->link);
}

void ptimer_get(struct proc *p, const struct ptimer *t, ktime_t *left, ktime_t *interval)
{
	*left = t->when == KTIME_NEVER ? 0 : max(t->when - ptimer_clock(p, t), 1l);
	*interval = t->interval;
}

void ptimer_set(struct proc *p, struct ptimer *t, ktime_t value, ktime_t interval, bool absolute)
{
	if (t->clock == PCLOCK_MONOTONIC && t->realtime && absolute)
		t->clock = PCLOCK_REALTIME;
	else if (t->clock == PCLOCK_REALTIME && !absolute)
		t->clock = PCLOCK_MONOTONIC; /* a span is not changed by setting the clock */
	t->interval = interval;
	t->overruns = t->overruns_taken = 0;
	if (!value)
		t->when = KTIME_NEVER;
	else
		t->when = absolute ? value : ktime_add(ptimer_clock(p, t), value);
	arm(p, ptimer_on_wall(t));
}

static void forget(struct proc *p, struct ptimer *t)
{
	signal_cancel_own(p, &t->sig);
	list_del(&t->link);
	kfree(t);
}

void ptimer_delete(struct proc *p, struct ptimer *t)
{
	bool wall = ptimer_on_wall(t);

	forget(p, t);
	arm(p, wall);
}

void ptimers_exec(struct proc *p)
{
	struct ptimer *t, *next;

	if (!p->timers)
		return;
	spin_lock(&proc_lock);
	list_for_each_safe (t, next, &p->timers->list, link)
		if (t->id >= 0)
			forget(p, t);
	spin_unlock(&proc_lock);
}

void ptimers_free(struct proc *p)
{
	struct ptimers *ts = p->timers;
	struct ptimer *t, *next;

	if (!ts)
		return;
	spin_lock(&proc_lock);
	p->timers = NULL;
	list_for_each_safe (t, next, &ts->list, link)
		forget(p, t);
	spin_unlock(&proc_lock);
	ktimer_cancel(&ts->wall);
	kfree(ts);
}

void ptimers_thread_gone(struct proc *p, const struct thread *thread)
{
	struct ptimer *t;

	if (!p->timers)
		return;
	list_for_each (t, &p->timers->list, link) {
		if (t->thread == thread) {
			t->thread = NULL;
			t->when = KTIME_NEVER;
		}
	}
}

struct waitq wall_changed = WAITQ(wall_changed);

void ptimers_wall_changed(void)
{
	struct proc *p;

	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all)
		if (p->timers)
			arm_wall(p, clock_now());
	spin_unlock(&proc_lock);
	waitq_wake_all(&wall_changed);
}
