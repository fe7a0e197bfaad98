/* SPDX-License-Identifier: MIT */
/*
 * Processes and threads (kernel/proc).
 *
 * A process owns the address space, the descriptors, credentials, signal dispositions and the
 * family ties; a thread is what the scheduler runs: kernel stack, saved registers, FPU state,
 * signal mask, the signals sent to it alone. The last thread that leaves a process ends it.
 *
 * Life of a process: EMBRYO -> ALIVE (<-> STOPPED) -> ZOMBIE -> reaped by wait4.
 * Locks: `proc_lock` (spinlock): the tree, pid table, groups, sessions, states, lists of threads.
 * proc->sig.lock: what is pending for the process and its threads, actions.
 */
#ifndef PROC_H
#define PROC_H

#include <list.h>
#include <lock.h>
#include <machine.h>
#include <parvix/fcntl.h>
#include <parvix/signal.h>
#include <types.h>

struct aspace;
struct vnode;
struct file;
struct tty;
struct proc;

/* A signal on its way, with what its receiver is told. */
struct sigqueued {
	struct list link; /* empty: not on its way */
	struct parvix_siginfo info;
	bool owned; /* part of a timer or the like, not to be freed */
};

/*
 * Signals that wait: a bit for each number, and the infos in the order of their coming. Numbers
 * below 32 wait at most once, real-time signals as often as they were sent. Most of the time no
 * more than one waits: the place for it is here. A bit without an info: there was no memory.
 */
struct sigpending {
	sigset_t set;
	struct list queue;
	struct sigqueued one;
};

enum thread_state {
	THREAD_NEW,
	THREAD_READY,
	THREAD_RUNNING,
	THREAD_SLEEPING,
	THREAD_STOPPED,
	THREAD_DEAD
};

struct thread {
	struct thread_arch arch; /* first: context_switch and entry.S reach it */
	struct proc *proc;       /* NULL: kernel thread */
	pid_t tid;               /* a number of those of processes; the first thread's is the pid */
	volatile bool killed;    /* is to leave its process: sleeps end */
	volatile enum thread_state state;
	volatile unsigned work; /* WORK_*: copied to cpu->work when it runs */
	bool wake_pending;      /* woken between prepare and sleep */
	bool sleep_intr;
	struct cpu *cpu; /* where it runs or ran last */
	struct list run_link;
	struct list proc_link;
	int priority; /* 0 .. 39, 20 normal (nice + 20) */
	ktime_t slice_end;
	ktime_t utime, stime, stamp; /* accounted at kernel entry of ticks and switches */
	ktime_t cpu_next; /* utime + stime when timers are to be looked at; 0: there are none */
	sigset_t sigmask, sigmask_saved;
	sigset_t sigwait;          /* signals that sigwait() waits for, though they are blocked */
	bool restore_mask;         /* sigsuspend: put sigmask_saved back after delivery */
	struct sigpending pending; /* sent to this thread */
	struct parvix_stack altstack;
	unsigned long tid_at;      /* user address of an int: 0 is put there at the end; or 0 */
	unsigned long robust_list; /* user address of a struct robust_list_head; or 0 */
	struct trapframe *frame;   /* user registers, on the kernel stack */
	struct ktimer *sleep_timer;
	uint64_t stamp_calls;  /* system calls of the CPU when `stamp` was taken */
	ktime_t restart_until; /* deadline of an interrupted nanosleep or poll that is restarted */
	long nvcsw, nivcsw;    /* switches: gave the CPU up, lost it */
	char name[16];
};

/* All zero, or after ktimer_init(): not set. */
struct ktimer {
	struct list link;
	ktime_t when;                 /* monotonic */
	void (*fn)(struct ktimer *t); /* in the timer interrupt, interrupts off */
	void *arg;
	struct cpu *cpu; /* on whose list it is; NULL: not set */
};
void ktimer_init(struct ktimer *t);
/* Set (again) on this CPU. A time in the past: called at the next interrupt, at once. */
void ktimer_set(struct ktimer *t, ktime_t when, void (*fn)(struct ktimer *), void *arg);
/* The same for one whose function copes with being called when it is no longer wanted: it does not
 * wait for that, so locks may be held which the function takes. Callers exclude each other. */
void ktimer_move(struct ktimer *t, ktime_t when, void (*fn)(struct ktimer *), void *arg);
bool ktimer_cancel(
	struct ktimer *t);          /* true if it was still to come; on return fn is not running */
ktime_t clock_now(void);            /* machine->clock_monotonic() */
ktime_t clock_wall(void);           /* nanoseconds since 1970 */
ktime_t clock_wall_at(ktime_t now); /* the same, when clock_now() was @now */
/* When the wall clock will show @wall, if nobody sets it until then. */
ktime_t clock_until_wall(ktime_t wall);
int clock_set_wall(ktime_t wall);

/* An action, as small as it can be, since fork copies 64 of them. */
struct sigact {
	unsigned long sa_handler : 48, sa_flags : 16;
	sigset_t sa_mask;
};

struct sigstate {
	spinlock_t lock;
	struct sigpending pending; /* sent to the process: any thread may take them */
	unsigned queued;           /* infos that were allocated, of the threads' too */
	unsigned long restorer;    /* where handlers return to */
	struct sigact action[NSIG];
};

#define FDS_SMALL 64
struct fdtable {
	spinlock_t lock;
	unsigned top;  /* entries from here on were never used: not even zeroed */
	unsigned size; /* of file[] */
	struct file **file;
	uint64_t cloexec[OPEN_MAX / 64];
	struct file *small[FDS_SMALL]; /* file[] until more are needed */
};

struct cred {
	union {
		struct {
			uid_t uid, euid, suid;
		};
		uid_t uids[3];
	};
	union {
		struct {
			gid_t gid, egid, sgid;
		};
		gid_t gids[3];
	};
	unsigned ngroups;
	gid_t groups[16];
};

enum proc_state { PROC_EMBRYO, PROC_ALIVE, PROC_STOPPED, PROC_ZOMBIE };

struct proc {
	pid_t pid, pgid, sid;
	enum proc_state state;
	struct proc *parent;
	struct list children, sibling;
	struct list all; /* all_procs */
	struct list pid_link;
	struct list threads; /* the first of the list is the eldest that lives */
	unsigned nr_threads;
	struct waitq thread_wait; /* for a change of `state`, or of nr_threads */
	struct aspace *aspace;
	struct fdtable *fds;
	struct vnode *cwd, *root; /* referenced */
	mode_t umask;
	struct cred cred;
	struct sigstate sig;
	struct tty *ctty; /* controlling terminal, of the session */
	bool session_leader;
	bool execed;             /* setpgid by the parent is refused afterwards */
	bool killed;             /* going to die: sleeps end */
	bool exiting;            /* exit_status is settled */
	int exit_status;         /* wait status */
	int stop_sig;            /* wait4 has not reported it yet: signal; 0xffff: continued */
	struct waitq child_wait; /* parent sleeps here */
	struct ptimers *timers;  /* NULL: never had one */
	ktime_t utime, stime;    /* of threads that have ended, as the next line */
	long nvcsw, nivcsw;
	struct parvix_rusage usage, child_usage; /* usage: proc_usage() completes it */
	struct parvix_rlimit limits[RLIM_NLIMITS];
	ktime_t start;
	char name[16];
	struct vnode *exe;
	struct loan *loan;     /* the address space is the parent's, who waits for it */
	struct tracer *tracer; /* who is told what its threads do, or NULL */
};

extern spinlock_t proc_lock;
extern struct list all_procs;
extern unsigned nr_procs;
#define PROC_MAX 4096
/*
 * As many processes as memory holds today (a balloon changes it): one for each 64 pages, since the
 * least that one needs is about 20 for its stack, tables and first data. A fork bomb ends here,
 * with -EAGAIN, before it ends in the out-of-memory killer.
 */
unsigned proc_max(void);

static inline struct proc *current_proc(void)
{
	return current->proc;
}

/*
 * A system call that was interrupted returns -ERESTART (started again unless a handler without
 * SA_RESTART ran) or -ERESTARTNOHAND (only if no handler ran at all: nanosleep, poll, sigsuspend).
 * Programs see -EINTR or nothing. A call with a time limit leaves its deadline in
 * current->restart_until, so that starting again does not begin the wait anew.
 */
#define ERESTARTNOHAND 513

/* proc.c */
void proc_init(void);
/* The calling kernel thread becomes the first process: @path with @argv. Panics with a sentence if
 * that cannot be. */
void proc_start_init(const char *path, char *const argv[]);
struct proc *proc_find(pid_t pid); /* proc_lock held; zombies too */

/* The eldest thread of @p, or NULL (a zombie). proc_lock held. */
static inline struct thread *proc_thread(const struct proc *p)
{
	return list_empty(&p->threads) ? NULL : list_first(&p->threads, struct thread, proc_link);
}

/* ptimer.c: RLIMIT_CPU of @p has changed. -ENOMEM. */
int ptimers_limit(struct proc *p);

/* thread.c, fork.c, exec.c, exit.c, wait.c */
struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg);
/*
 * A copy of the current process, which returns 0 to @tf; or one that borrows its memory until it
 * executes a program or ends, and no earlier does this return (or when the caller is killed). Its
 * pid, -EAGAIN (limits), -ENOMEM.
 */
enum fork_how { FORK_COPY, FORK_BORROW, FORK_SPAWN /* and signals as execve would leave them */ };
pid_t proc_fork(struct trapframe *tf, enum fork_how how);
/* Replace the current process's program. @path: kernel string. @args is freed in any case. */
struct exec_args;
int proc_exec(const char *path, struct exec_args *args);
/* Arguments and environment, copied in. -E2BIG, -EFAULT, -ENOMEM. */
int exec_args_user(uaddr_t argv, uaddr_t envp, struct exec_args **out);
int exec_args_kernel(char *const argv[], char *const envp[], struct exec_args **out);
void proc_exit(int wait_status) __noreturn; /* of the current process */
/* A thread of the current process: it calls @entry with @arg, on the stack below @sp, with @tls as
 * FS base. Its tid, which is at user address @tid_at before it runs, and 0 when it has ended; or
 * -EAGAIN (limits), -ENOMEM, -EFAULT, -EINVAL. */
pid_t proc_thread_create(unsigned long entry, unsigned long arg, unsigned long sp,
			 unsigned long tls, unsigned long tid_at);
/* The current thread ends; of its memory, [@stack, @stack + @len) is unmapped. */
void proc_thread_exit(unsigned long stack, unsigned long len) __noreturn;

/* futex.c: who waits for what; see there. @deadline: monotonic, or of the wall clock, which may be
 * set meanwhile. As the system calls. */
struct futex_key {
	const void *object;
	uint64_t offset;
};
void futex_init(void);
int futex_wait(uaddr_t addr, uint32_t val, ktime_t deadline, bool wall, bool private);
int futex_wake(uaddr_t addr, int n, bool private);
int futex_requeue(uaddr_t addr, int n, uaddr_t addr2, bool private);
/* @t, the current thread, ends: its robust locks are let go, and who joins it is told. */
void futex_thread_exit(struct thread *t);
/* Times of all threads until now, those that have ended included. proc_lock held. */
void proc_times(const struct proc *p, ktime_t *utime, ktime_t *stime);
/* What getrusage() says of a process. proc_lock held. */
void proc_usage(const struct proc *p, struct parvix_rusage *usage);
/* waitid: @type P_*, @id (P_PGID: 0 is the own group); *@info and *@usage are filled. The pid, 0
 * (WNOHANG), -ECHILD, -ERESTART. */
pid_t proc_wait(int type, pid_t id, int options, struct parvix_siginfo *info,
		struct parvix_rusage *usage);

/* group.c: pid 0 is the caller */
int proc_setpgid(pid_t pid, pid_t pgid);
pid_t proc_setsid(void);

/* thread.c. @p NULL: a kernel thread; else it gets FPU state. Not ready yet. NULL: no memory. */
struct thread *thread_create(const char *name, void (*fn)(void *), void *arg, struct proc *p);
void thread_free(struct thread *t); /* never ran, or dead and off its stack */
void *thread_fpu_alloc(void);       /* initial state; NULL: no memory */

/* sched.c */
void sched_init(void);
void sched_idle(void) __noreturn;  /* the end of boot: become the idle loop of this CPU */
void sched_idle_over(void);        /* the wait that cpu.idle_since began is over: count it */
void schedule(void);               /* give up the CPU; state says whether to be run again */
void thread_exit(void) __noreturn; /* the current thread ends; its stack is freed by the next */
/* Wake @t if its sleep is interruptible: it has a signal. */
void thread_interrupt(struct thread *t);
void thread_set_work(struct thread *t, unsigned work); /* WORK_* at its next return to user mode */
void thread_wake(struct thread *t);                    /* SLEEPING -> READY; any context */
void thread_ready(struct thread *t);
void sched_relax(void); /* a long loop in the kernel: let others run */
/* Charge the time since the last look to the current thread: to its program or to the kernel,
 * whichever is more likely; or surely to the kernel (at the end of something long). */
void thread_account(void);
void thread_account_kernel(void);
ktime_t sched_slice_check(ktime_t now); /* timer.c: slice over? Else when it will be */
void sched_loads(unsigned long loads[3]);
bool thread_interrupted(void); /* current has an unblocked signal or is killed */

/*
 * signal.c: sending. @info NULL: from the kernel. All take proc_lock unless the caller holds it, so
 * locks of order 5 and below (tty, pipe) must not be held. Interrupt handlers may call them.
 */
int signal_send(struct proc *p, int sig, const struct parvix_siginfo *info);
int signal_send_group(pid_t pgid, int sig, const struct parvix_siginfo *info); /* -ESRCH: nobody */
/* kill(2), with permission checks. */
int signal_kill(pid_t pid, int sig);
/* tkill and sigqueue, as the system calls. -EAGAIN: too many wait. */
int signal_tkill(pid_t tid, int sig);
int signal_queue(pid_t pid, int sig, unsigned long value);
/*
 * Send @own->info, which needs no memory and so never fails: for timers. To thread @t, or, NULL, to
 * the process. False: it was not sent, as it (or, for numbers below 32, another) still waits:
 * an overrun. signal_cancel_own(): from now on nobody will look at @own.
 */
void sigqueued_init_own(struct sigqueued *own);
bool signal_send_own(struct proc *p, struct thread *t, struct sigqueued *own);
void signal_cancel_own(struct proc *p, struct sigqueued *own);
const char *signal_name(int sig); /* "SIGSEGV" */
/* A fault of the current thread: cannot be blocked or ignored. If it is going to kill the process,
 * a line on the console says so. */
void signal_fault(int sig, int code, unsigned long addr, const struct trapframe *tf);
/* deliver.c: called by user_return_work */
void signal_deliver(struct trapframe *tf);
/* The system call sigreturn: @tf becomes what the handler interrupted; returns its %rax. */
long signal_return(struct trapframe *tf);
/* Nobody of the group has a parent in the same session but another group: it may not be stopped by
 * the terminal, as nobody would continue it. */
bool pgrp_orphaned(pid_t pgid);

/*
 * tracer.c: <parvix/tracer.h>. The descriptor, or -errno: -ESRCH, -EPERM, -EBUSY (somebody else
 * does), -EINVAL, -ENOMEM, -EMFILE.
 */
int tracer_open(pid_t pid, unsigned flags);
/* The current thread enters a system call, or leaves it with *@result; is about to receive @sig.
 * Sleep until the reader has seen it. */
void tracer_call(unsigned long nr, const unsigned long *args, const long *result);
void tracer_signal(int sig, const struct parvix_siginfo *info);
void tracer_fork(struct proc *p, struct proc *child); /* the child does not run yet */
/* @p is traced no more: it ends with this wait status, or runs with another's rights. */
void tracer_leave(struct proc *p, int status);

/* crash.c: @sig is going to end the current process, whose registers are @tf: a report is kept, for
 * /proc/crash. No locks held. */
void crash_init(void);
void crash_report(int sig, const struct parvix_siginfo *info, const struct trapframe *tf);

/* cred.c: of the current process; kernel threads are root */
bool cred_root(void); /* effective user id 0 */
/* setuid, setreuid, setresuid of @id, the caller's uids or gids; -1: keep. -EPERM. */
int cred_set(unsigned id[3], unsigned value);
int cred_setre(unsigned id[3], unsigned real, unsigned eff);
int cred_setres(unsigned id[3], const unsigned new[3]);
bool cred_may_signal(const struct proc *target, int sig);

/* Time spans from user programs. -EINVAL: negative or not normalised; large ones are cut to what
 * ktime_t holds. clock.c */
int ktime_from_timespec(const struct parvix_timespec *ts, ktime_t *out);
int ktime_from_timeval(const struct parvix_timeval *tv, ktime_t *out);
ktime_t ktime_add(ktime_t a, ktime_t b); /* saturating: KTIME_NEVER */
struct parvix_timespec ktime_to_timespec(ktime_t t);
struct parvix_timeval ktime_to_timeval(ktime_t t);

#endif
