/* SPDX-License-Identifier: MIT */
/*
 * Processes and threads (kernel/proc).
 *
 * A process owns the address space, the descriptors, credentials, signal dispositions and the
 * family ties; a thread is what the scheduler runs: kernel stack, saved registers, FPU state,
 * signal mask. A process has one thread today; nothing but proc_create() and exit assume so.
 *
 * Life of a process: EMBRYO -> ALIVE (<-> STOPPED) -> ZOMBIE -> reaped by wait4.
 * Locks: `proc_lock` (spinlock): the tree, pid table, groups, sessions, states. proc->sig.lock:
 * pending, actions.
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
	sigset_t sigmask, sigmask_saved;
	bool restore_mask;       /* sigsuspend: put sigmask_saved back after delivery */
	struct trapframe *frame; /* user registers, on the kernel stack */
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
bool ktimer_cancel(
	struct ktimer *t); /* true if it was still to come; on return fn is not running */
ktime_t clock_now(void);   /* machine->clock_monotonic() */
ktime_t clock_wall(void);  /* nanoseconds since 1970 */
int clock_set_wall(ktime_t wall);

struct sigstate {
	spinlock_t lock;
	sigset_t pending;
	struct ksigaction action[NSIG];
	unsigned long restorer[NSIG];
	struct parvix_siginfo info[NSIG]; /* of each pending signal */
	struct parvix_stack altstack;
};

struct fdtable {
	spinlock_t lock;
	unsigned top; /* entries from here on were never used: not even zeroed */
	struct file *file[OPEN_MAX];
	uint64_t cloexec[OPEN_MAX / 64];
};

struct cred {
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;
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
	struct list threads;
	struct thread *thread; /* the first */
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
	int exit_status;         /* wait status */
	int stop_sig;            /* wait4 has not reported it yet: signal; 0xffff: continued */
	struct waitq child_wait; /* parent sleeps here */
	struct ktimer alarm;
	ktime_t alarm_interval;
	struct parvix_rusage usage, child_usage;
	struct parvix_rlimit limits[RLIM_NLIMITS];
	ktime_t start;
	char name[16];
	struct vnode *exe;
};

extern spinlock_t proc_lock;
extern struct list all_procs;
extern unsigned nr_procs;
#define PROC_MAX 4096

static inline struct proc *current_proc(void)
{
	return current->proc;
}

/* init.c/fork.c/exec.c/exit.c */
void proc_init(void);
/* The first process: a kernel thread that execs @path with @argv. Does not return errors: panics
 * with a sentence. */
void proc_start_init(const char *path, char *const argv[]);
struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg);
pid_t proc_fork(struct trapframe *tf);
/* Strings already in kernel memory. */
struct exec_args;
int proc_exec(const char *path, struct exec_args *args);
void proc_exit(int wait_status) __noreturn; /* of the current process */
struct proc *proc_find(pid_t pid);          /* proc_lock held */
/* ELF header checks, pure (host-tested): elf.c */

/* thread.c. @p NULL: a kernel thread; else it gets FPU state. Not ready yet. NULL: no memory. */
struct thread *thread_create(const char *name, void (*fn)(void *), void *arg, struct proc *p);
void thread_free(struct thread *t); /* never ran, or dead and off its stack */
void *thread_fpu_alloc(void);       /* initial state; NULL: no memory */

/* sched.c */
void sched_init(void);
void sched_idle(void) __noreturn;   /* the end of boot: become the idle loop of this CPU */
void schedule(void);                /* give up the CPU; state says whether to be run again */
void thread_exit(void) __noreturn;  /* the current thread ends; its stack is freed by the next */
/* Wake @t if its sleep is interruptible: it has a signal. */
void thread_interrupt(struct thread *t);
void thread_set_work(struct thread *t, unsigned work); /* WORK_* at its next return to user mode */
void thread_wake(struct thread *t); /* SLEEPING -> READY; any context */
void thread_ready(struct thread *t);
void sched_relax(void); /* a long loop in the kernel: let others run */
void thread_account(bool was_user); /* charge the time since the last look to the current thread */
bool thread_was_user(void); /* the kernel was entered by an interrupt or fault of the program */
ktime_t sched_slice_check(ktime_t now); /* timer.c: slice over? Else when it will be */
void sched_loads(unsigned long loads[3]);
bool thread_interrupted(void); /* current has an unblocked signal or is killed */

/* signal.c: send */
int signal_send(struct proc *p, int sig,
		const struct parvix_siginfo *info); /* info NULL: from the kernel */
int signal_send_group(pid_t pgid, int sig, const struct parvix_siginfo *info); /* -ESRCH: nobody */
/* A fault of the current thread: cannot be blocked or ignored. */
void signal_fault(int sig, int code, unsigned long addr, const struct trapframe *tf);
/* deliver.c: called by user_return_work */
void signal_deliver(struct trapframe *tf);
bool pgrp_orphaned(pid_t pgid);

/* cred.c */
bool cred_root(void);
bool cred_in_group(gid_t gid);

#endif
