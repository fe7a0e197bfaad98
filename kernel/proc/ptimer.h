/* SPDX-License-Identifier: MIT */
/* Timers of processes (ptimer.c), for the system calls on them. All under proc_lock if not said. */
#ifndef PTIMER_H
#define PTIMER_H

#include <proc.h>

enum ptimer_clock {
	PCLOCK_MONOTONIC,
	PCLOCK_REALTIME,
	PCLOCK_PROCESS, /* CPU time of the process, of its program alone, of a thread */
	PCLOCK_USER,
	PCLOCK_THREAD
};

#define PTIMER_MAX 32
#define PTIMER_INTERVAL(which) (-1 - (which)) /* id of setitimer's */

struct ptimer {
	struct list link;
	int id;
	enum ptimer_clock clock;
	bool realtime; /* a timer of CLOCK_REALTIME: absolute times are on PCLOCK_REALTIME */
	bool silent;   /* SIGEV_NONE */
	struct thread *thread;  /* whose clock it is */
	pid_t tid;              /* who gets the signal; 0: the process */
	ktime_t when, interval; /* on its clock; KTIME_NEVER: not set */
	struct sigqueued sig;
	/* Times that it went off while its signal waited; and as of the one that was taken last. */
	unsigned overruns, overruns_taken;
};

/* Its clock runs whether the process works or not. */
bool ptimer_on_wall(const struct ptimer *t);
int ptimers_create(struct proc *p); /* p->timers is there; takes proc_lock. -ENOMEM */
struct ptimer *ptimer_find(struct proc *p, int id);
void ptimer_add(struct proc *p, struct ptimer *t); /* kmalloc()ed, filled; not set */
void ptimer_delete(struct proc *p, struct ptimer *t);
/* Go off in @value (0: never), or at @value of its clock, and then each @interval. */
void ptimer_set(struct proc *p, struct ptimer *t, ktime_t value, ktime_t interval, bool absolute);
void ptimer_get(struct proc *p, const struct ptimer *t, ktime_t *left, ktime_t *interval);
unsigned ptimer_overruns(const struct ptimer *t);
ktime_t ptimer_clock(const struct proc *p, const struct ptimer *t);

/* The wall clock was set: absolute timers move, and sleepers on wall_changed look again. Takes
 * proc_lock. */
void ptimers_wall_changed(void);
extern struct waitq wall_changed;

#endif
