/* SPDX-License-Identifier: MIT */
/* System calls about processes: fork, execve, exit, wait4, ids, groups, limits. */
#include <fs.h>
#include <machine.h>
#include <mm.h>
#include <proc.h>
#include <usercopy.h>
#include "syscall.h"

long sys_exit(struct trapframe *tf)
{
	proc_exit((int)(ARG0(tf) & 0xff) << 8);
}

long sys_fork(struct trapframe *tf)
{
	return proc_fork(tf, FORK_COPY);
}

long sys_vfork(struct trapframe *tf)
{
	if (ARG0(tf) & ~(unsigned long)VFORK_SPAWN)
		return -EINVAL;
	return proc_fork(tf, ARG0(tf) ? FORK_SPAWN : FORK_BORROW);
}

long sys_execve(struct trapframe *tf)
{
	struct exec_args *args;
	struct name n;
	int err = name_get(&n, AT_FDCWD, ARG0(tf));

	if (err)
		return err;
	err = exec_args_user(UADDR(ARG1(tf)), UADDR(ARG2(tf)), &args);
	if (!err)
		err = proc_exec(n.path, args);
	name_put(&n);
	return err;
}

static int wait_status(const struct parvix_siginfo *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return info->si_status << 8;
	case CLD_STOPPED:
		return info->si_status << 8 | 0x7f;
	case CLD_CONTINUED:
		return 0xffff;
	}
	return info->si_status;
}

long sys_wait4(struct trapframe *tf)
{
	uaddr_t ustatus = UADDR(ARG1(tf)), uusage = UADDR(ARG3(tf));
	int options = (int)ARG2(tf), status;
	pid_t pid = (pid_t)ARG0(tf);
	struct parvix_siginfo info;
	struct parvix_rusage usage;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	pid = proc_wait(pid == -1 ? P_ALL
			: pid > 0 ? P_PID
				  : P_PGID,
			pid < 0 ? -pid : pid, options | WEXITED, &info, &usage);
	if (pid <= 0)
		return pid;
	status = wait_status(&info);
	if (ustatus.v && put_user(ustatus, status))
		return -EFAULT;
	if (uusage.v && put_user(uusage, usage))
		return -EFAULT;
	return pid;
}

long sys_waitid(struct trapframe *tf)
{
	int type = (int)ARG0(tf), options = (int)ARG3(tf);
	struct parvix_siginfo info = {0};
	struct parvix_rusage usage = {0};
	pid_t id = (pid_t)ARG1(tf), pid;

	if (!(options & (WEXITED | WUNTRACED | WCONTINUED)) ||
	    (options & ~(WNOHANG | WEXITED | WUNTRACED | WCONTINUED | WNOWAIT)) || type < P_ALL ||
	    type > P_PGID || (type == P_PID && id <= 0) || (type == P_PGID && id < 0))
		return -EINVAL;
	pid = proc_wait(type, id, options, &info, &usage);
	if (pid < 0)
		return pid;
	if (ARG2(tf) && put_user(UADDR(ARG2(tf)), info))
		return -EFAULT;
	if (ARG4(tf) && pid && put_user(UADDR(ARG4(tf)), usage))
		return -EFAULT;
	return 0;
}

long sys_getpid(struct trapframe *tf)
{
	(void)tf;
	return current_proc()->pid;
}

long sys_getppid(struct trapframe *tf)
{
	struct proc *parent;
	pid_t pid;

	(void)tf;
	spin_lock(&proc_lock);
	parent = current_proc()->parent;
	pid = parent ? parent->pid : 0;
	spin_unlock(&proc_lock);
	return pid;
}

static long group_or_session(pid_t pid, bool session)
{
	struct proc *p;
	long ret = -ESRCH;

	if (pid < 0)
		return -EINVAL;
	spin_lock(&proc_lock);
	p = pid ? proc_find(pid) : current_proc();
	if (p)
		ret = session ? p->sid : p->pgid;
	spin_unlock(&proc_lock);
	return ret;
}

long sys_getpgid(struct trapframe *tf)
{
	return group_or_session((pid_t)ARG0(tf), false);
}

long sys_getsid(struct trapframe *tf)
{
	return group_or_session((pid_t)ARG0(tf), true);
}

long sys_setpgid(struct trapframe *tf)
{
	return proc_setpgid((pid_t)ARG0(tf), (pid_t)ARG1(tf));
}

long sys_setsid(struct trapframe *tf)
{
	(void)tf;
	return proc_setsid();
}

long sys_sched_yield(struct trapframe *tf)
{
	(void)tf;
	schedule();
	return 0;
}

long sys_set_tls(struct trapframe *tf)
{
	unsigned long base = ARG0(tf);

	if (base >= USER_END)
		return -EINVAL;
	irq_push_off();
	current->arch.fs_base = base;
	machine->set_fs_base(base);
	irq_pop_off();
	return 0;
}

long sys_getrlimit(struct trapframe *tf)
{
	unsigned long which = ARG0(tf);

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	return put_user(UADDR(ARG1(tf)), current_proc()->limits[which]);
}

long sys_setrlimit(struct trapframe *tf)
{
	struct proc *p = current_proc();
	unsigned long which = ARG0(tf);
	struct parvix_rlimit new, *old;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	if (get_user(new, UADDR(ARG1(tf))))
		return -EFAULT;
	old = &p->limits[which];
	if (new.rlim_cur > new.rlim_max)
		return -EINVAL;
	if (new.rlim_max > old->rlim_max && !cred_root())
		return -EPERM;
	if (which == RLIMIT_NOFILE && new.rlim_max > OPEN_MAX)
		return -EPERM;
	*old = new;
	aspace_limits(p->aspace, p->limits);
	return which == RLIMIT_CPU ? ptimers_limit(p) : 0;
}

/* Usage of the running process, up to now. */
static void usage_now(struct proc *p, struct parvix_rusage *usage)
{
	thread_account();
	spin_lock(&proc_lock);
	proc_usage(p, usage);
	spin_unlock(&proc_lock);
}

static void usage_of_thread(struct parvix_rusage *usage)
{
	const struct thread *t = current;

	usage_now(t->proc, usage);
	usage->ru_utime = ktime_to_timeval(t->utime);
	usage->ru_stime = ktime_to_timeval(t->stime);
	usage->ru_nvcsw = t->nvcsw;
	usage->ru_nivcsw = t->nivcsw;
}

long sys_getrusage(struct trapframe *tf)
{
	struct proc *p = current_proc();
	struct parvix_rusage usage;

	switch ((int)ARG0(tf)) {
	case 0:
		usage_now(p, &usage);
		break;
	case 1:
		usage_of_thread(&usage);
		break;
	case -1:
		spin_lock(&proc_lock);
		usage = p->child_usage;
		spin_unlock(&proc_lock);
		break;
	default:
		return -EINVAL;
	}
	return put_user(UADDR(ARG1(tf)), usage);
}

static unsigned long ticks(struct parvix_timeval tv)
{
	return (unsigned long)tv.tv_sec * 100 + (unsigned long)tv.tv_usec / 10000;
}

long sys_times(struct trapframe *tf)
{
	struct proc *p = current_proc();
	struct parvix_rusage usage;
	struct parvix_tms tms;

	usage_now(p, &usage);
	tms.tms_utime = ticks(usage.ru_utime);
	tms.tms_stime = ticks(usage.ru_stime);
	tms.tms_cutime = ticks(p->child_usage.ru_utime);
	tms.tms_cstime = ticks(p->child_usage.ru_stime);
	if (ARG0(tf) && put_user(UADDR(ARG0(tf)), tms))
		return -EFAULT;
	return current->stamp / (NSEC_PER_SEC / 100);
}

long sys_trace_open(struct trapframe *tf)
{
	return tracer_open((pid_t)ARG0(tf), (unsigned)ARG1(tf));
}
