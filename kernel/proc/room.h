/* SPDX-License-Identifier: MIT */
/* What the files of kernel/proc/ share with each other and with nobody else. */
#ifndef PROC_ROOM_H
#define PROC_ROOM_H

#include <fs.h>
#include <proc.h>

/* timer.c */
void timers_init_cpu(struct cpu *c);
/* The CPU must be interrupted at @deadline at the latest. Interrupts off. */
void timer_need(ktime_t deadline);
/* It will be, anyway. */
bool timer_armed_by(ktime_t deadline);

/* ptimer.c */
/* Which is running: fire what is due by its CPU time. When to look again. */
ktime_t ptimers_cpu_check(struct thread *t);
void ptimers_exec(struct proc *p); /* what execve does not keep */
void ptimers_free(struct proc *p); /* no locks held; nobody sets a new one */
void ptimers_thread_gone(struct proc *p, const struct thread *thread); /* proc_lock held */

/* When @t, which runs, will have used the CPU time at which its timers are looked at. */
static inline ktime_t thread_cpu_deadline(const struct thread *t)
{
	return t->cpu_next ? ktime_add(t->stamp, max(t->cpu_next - t->utime - t->stime, 0l))
			   : KTIME_NEVER;
}

/* sched.c */
/* A thread's first steps on a CPU: the second half of the switch that brought it there. */
void sched_first_run(void);

/* proc.c */
struct proc *proc_alloc(void); /* empty, no pid; NULL: no memory */
/* Give @p a pid and make it known: child of @parent (NULL: the first). -EAGAIN: too many. */
int proc_attach(struct proc *p, struct proc *parent);
/* @t becomes the first thread of @p, which nobody knows yet. */
void proc_add_first(struct proc *p, struct thread *t);
/* One more, with a tid; it does not run yet. -EAGAIN: too many, or the process is ending. */
int proc_add_thread(struct proc *p, struct thread *t);
/* It goes, and is not the last. proc_lock held. */
void proc_remove_thread(struct proc *p, struct thread *t);
/* Take @p out of all lists again. proc_lock held. */
void proc_detach(struct proc *p);
extern struct proc *init_proc;

/* fork.c: is there memory left for programs? Else the kernel's reserve is not to be begun. */
bool memory_left(void);
/* The registers of a new thread: those that the current one has, FPU and all, at @tf. */
void thread_copy(struct thread *t, const struct trapframe *tf);
/* First function of a thread that goes on to user mode. */
void thread_to_user(void *unused);

/* exit.c */
/* The current thread leaves its process; the last one ends it. */
void thread_leave(void) __noreturn;
/* End all threads of @p but @but. proc_lock held. */
void threads_kill(struct proc *p, const struct thread *but);
/* The same, waiting until they are gone. -ERESTART: the current thread is to leave itself. */
int threads_end_others(void);
/* The program that a process runs: a reference, and nobody may write to it meanwhile. */
static inline struct vnode *exe_get(struct vnode *vn)
{
	if (vn) {
		vnode_get(vn);
		vnode_claim(vn, -1); /* it has been, so it can be again */
	}
	return vn;
}

static inline void exe_put(struct vnode *vn)
{
	if (vn) {
		vnode_unclaim(vn, -1);
		vnode_put(vn);
	}
}

/* fork.c: @p needs its parent's memory no longer. */
void loan_return(struct proc *p);

/* exec.c: what a new program starts with. */
void signal_reset(struct proc *p);

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
/* Process signals that a thread was to take, and will not: somebody else is told. */
void signal_redirect(struct proc *p);
/* signal.c: the sets */
void sigpending_init(struct sigpending *q);
/* p->sig.lock held, in these three */
void sigpending_drop(struct proc *p, struct sigpending *q, sigset_t set);
/* Queue it; -EAGAIN: no room, and @info says that it must not be lost. @own: NULL, or the place. */
int sigpending_add(struct proc *p, struct sigpending *q, int sig, const struct parvix_siginfo *info,
		   struct sigqueued *own);
/* Take the first signal in @set that waits for the current thread. 0: none. */
int signal_take(sigset_t set, struct parvix_siginfo *info);
/* What waits for the current thread, blocked or not. */
sigset_t signal_waiting(void);
/* The current thread blocks @mask from now on. */
void signal_set_mask(sigset_t mask);
enum sig_default { SIGDEF_KILL, SIGDEF_IGNORE, SIGDEF_STOP, SIGDEF_CONT };
enum sig_default signal_default(int sig);
#define SIGBIT(sig) (1ul << (sig))
#define SIG_UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#define SIG_STOPS (SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))
#define SIG_ALL (~1ul)
#define SIG_REALTIME 32 /* the first that queues */
/* Infos that wait for one process, at most. */
#define SIGQUEUE_MAX 256
/* sigmask.c: pure, host-tested */
int sigset_change(sigset_t old, int how, sigset_t arg, sigset_t *out);
/* The signal to take next out of @set: those of faults first. 0: none. */
int sigset_first(sigset_t set);

#endif
