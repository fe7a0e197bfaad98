/* SPDX-License-Identifier: MIT */
/* What the files of kernel/proc/ share with each other and with nobody else. */
#ifndef PROC_ROOM_H
#define PROC_ROOM_H

#include <proc.h>

/* timer.c */
void timers_init_cpu(struct cpu *c);
/* The CPU must be interrupted at @deadline at the latest. Interrupts off. */
void timer_need(ktime_t deadline);
/* It will be, anyway. */
bool timer_armed_by(ktime_t deadline);

/* sched.c */
/* A thread's first steps on a CPU: the second half of the switch that brought it there. */
void sched_first_run(void);

/* proc.c */
struct proc *proc_alloc(void); /* empty, no pid; NULL: no memory */
/* Give @p a pid and make it known: child of @parent (NULL: the first). -EAGAIN: too many. */
int proc_attach(struct proc *p, struct proc *parent);
/* Take it out of all lists again. proc_lock held. */
void proc_detach(struct proc *p);
extern struct proc *init_proc;

/* exit.c: sleep until somebody has given memory back, or a while has passed. */
void memory_wait(void);

/* wait.c; proc_lock held */
/* @p stopped, continued or died (CLD_*, its status or signal): SIGCHLD and wake-up of the parent.
 */
void notify_parent(struct proc *p, int code, int status);
/* Nobody will wait for the children of @parent (SIGCHLD ignored or SA_NOCLDWAIT). */
bool parent_reaps_by_itself(const struct proc *parent);
void usage_add(struct parvix_rusage *sum, const struct parvix_rusage *more);

/* group.c; proc_lock held */
/* pgrp_orphaned() as it will be when @leaving is gone. */
bool pgrp_orphaned_without(pid_t pgid, const struct proc *leaving);
bool pgrp_has_stopped(pid_t pgid);

/* signal.c; proc_lock held */
void signal_send_locked(struct proc *p, int sig, const struct parvix_siginfo *info);
enum sig_default { SIGDEF_KILL, SIGDEF_IGNORE, SIGDEF_STOP, SIGDEF_CONT };
enum sig_default signal_default(int sig);
#define SIGBIT(sig) (1ul << (sig))
#define SIG_UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#define SIG_STOPS (SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))
#define SIG_ALL (((1ul << NSIG) - 1) & ~1ul)
/* sigmask.c: pure, host-tested */
int sigset_change(sigset_t old, int how, sigset_t arg, sigset_t *out);
/* The signal to take next out of @set: those of faults first. 0: none. */
int sigset_first(sigset_t set);

#endif
