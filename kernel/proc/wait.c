/* SPDX-License-Identifier: MIT */
/*
 * Waiting for children: what a parent is told, and wait4.
 *
 * A child's change of state (ended, stopped, continued) is kept in the child until the parent asks;
 * SIGCHLD and the wake-up only say that there is something to ask for. So nothing is lost if the
 * parent is not waiting, or blocks the signal, or two children change at once.
 */
#include <mm.h>
#include <proc.h>
#include "room.h"

bool parent_reaps_by_itself(const struct proc *parent)
{
	const struct ksigaction *act = &parent->sig.action[SIGCHLD];

	return act->sa_handler == SIG_IGN || (act->sa_flags & SA_NOCLDWAIT);
}

void notify_parent(struct proc *p, int code, int status)
{
	struct proc *parent = p->parent;
	struct parvix_siginfo info = {
		.si_signo = SIGCHLD,
		.si_code = code,
		.si_pid = p->pid,
		.si_uid = p->cred.uid,
		.si_status = status,
	};

	if (!parent)
		return;
	if (code == CLD_EXITED || code == CLD_KILLED ||
	    !(parent->sig.action[SIGCHLD].sa_flags & SA_NOCLDSTOP))
		signal_send_locked(parent, SIGCHLD, &info);
	waitq_wake_all(&parent->child_wait);
}

static struct parvix_timeval timeval_add(struct parvix_timeval a, struct parvix_timeval b)
{
	a.tv_sec += b.tv_sec;
	a.tv_usec += b.tv_usec;
	if (a.tv_usec >= 1000000) {
		a.tv_usec -= 1000000;
		a.tv_sec++;
	}
	return a;
}

void usage_add(struct parvix_rusage *sum, const struct parvix_rusage *more)
{
	sum->ru_utime = timeval_add(sum->ru_utime, more->ru_utime);
	sum->ru_stime = timeval_add(sum->ru_stime, more->ru_stime);
	sum->ru_maxrss = max(sum->ru_maxrss, more->ru_maxrss);
	sum->ru_minflt += more->ru_minflt;
	sum->ru_majflt += more->ru_majflt;
	sum->ru_nvcsw += more->ru_nvcsw;
	sum->ru_nivcsw += more->ru_nivcsw;
}

/* Does wait4's @pid mean this child of the current process? */
static bool wanted(const struct proc *child, pid_t pid)
{
	if (pid > 0)
		return child->pid == pid;
	if (pid == 0)
		return child->pgid == current_proc()->pgid;
	return pid == -1 || child->pgid == -pid;
}

static void total_usage(const struct proc *child, struct parvix_rusage *usage)
{
	*usage = child->usage;
	usage_add(usage, &child->child_usage);
}

/* A zombie's last trace. Releases proc_lock. */
static pid_t reap(struct proc *child, int *status, struct parvix_rusage *usage)
{
	pid_t pid = child->pid;

	*status = child->exit_status;
	total_usage(child, usage);
	usage_add(&current_proc()->child_usage, usage);
	proc_detach(child);
	spin_unlock(&proc_lock);
	kfree(child);
	return pid;
}

/* A stop or continuation that has not been reported and that @options ask for. */
static bool report_stop(struct proc *child, int options, int *status)
{
	if (child->stop_sig == 0xffff && (options & WCONTINUED) && child->state == PROC_ALIVE)
		*status = 0xffff;
	else if (child->stop_sig && child->stop_sig != 0xffff && (options & WUNTRACED) &&
		 child->state == PROC_STOPPED)
		*status = child->stop_sig << 8 | 0x7f;
	else
		return false;
	child->stop_sig = 0;
	return true;
}

pid_t proc_wait(pid_t pid, int options, int *status, struct parvix_rusage *usage)
{
	struct proc *p = current_proc(), *child;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	spin_lock(&proc_lock);
	for (;;) {
		bool any = false;
		int err = -ECHILD;

		list_for_each (child, &p->children, sibling) {
			if (!wanted(child, pid))
				continue;
			any = true;
			if (child->state == PROC_ZOMBIE)
				return reap(child, status, usage);
			if (report_stop(child, options, status)) {
				pid = child->pid;
				total_usage(child, usage);
				spin_unlock(&proc_lock);
				return pid;
			}
		}
		if (any)
			err = options & WNOHANG ? 0
						: sleep_on(&p->child_wait, &proc_lock, SLEEP_INTR,
							   KTIME_NEVER);
		if (err || !any || (options & WNOHANG)) {
			spin_unlock(&proc_lock);
			return err;
		}
	}
}
