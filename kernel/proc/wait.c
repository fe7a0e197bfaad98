/* SPDX-License-Identifier: MIT */
/*
 * Waiting for children: what a parent is told, wait4 and waitid.
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
	const struct sigact *act = &parent->sig.action[SIGCHLD];

	return act->sa_handler == SIG_IGN || (act->sa_flags & SA_NOCLDWAIT);
}

/* @code: CLD_*; @status: what belongs to it. */
static struct parvix_siginfo child_info(const struct proc *p, int code, int status)
{
	return (struct parvix_siginfo){
		.si_signo = SIGCHLD,
		.si_code = code,
		.si_pid = p->pid,
		.si_uid = p->cred.uid,
		.si_status = status,
	};
}

void notify_parent(struct proc *p, int code, int status)
{
	struct proc *parent = p->parent;
	struct parvix_siginfo info = child_info(p, code, status);

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

void proc_times(const struct proc *p, ktime_t *utime, ktime_t *stime)
{
	const struct thread *t;

	*utime = p->utime;
	*stime = p->stime;
	list_for_each (t, &p->threads, proc_link) {
		*utime += t->utime;
		*stime += t->stime;
	}
}

void proc_usage(const struct proc *p, struct parvix_rusage *usage)
{
	const struct thread *t;
	ktime_t utime, stime;

	*usage = p->usage;
	proc_times(p, &utime, &stime);
	usage->ru_utime = ktime_to_timeval(utime);
	usage->ru_stime = ktime_to_timeval(stime);
	usage->ru_nvcsw = p->nvcsw;
	usage->ru_nivcsw = p->nivcsw;
	list_for_each (t, &p->threads, proc_link) {
		usage->ru_nvcsw += t->nvcsw;
		usage->ru_nivcsw += t->nivcsw;
	}
	if (p->aspace)
		usage->ru_maxrss = max(usage->ru_maxrss,
				       (long)(p->aspace->pages * (PAGE_SIZE / 1024)));
}

static bool wanted(const struct proc *child, int type, pid_t id)
{
	return type == P_ALL || (type == P_PID ? child->pid : child->pgid) == id;
}

static void total_usage(const struct proc *child, struct parvix_rusage *usage)
{
	proc_usage(child, usage);
	usage_add(usage, &child->child_usage);
}

/* A zombie's last trace. Releases proc_lock. */
static void reap(struct proc *child, const struct parvix_rusage *usage)
{
	usage_add(&current_proc()->child_usage, usage);
	proc_detach(child);
	spin_unlock(&proc_lock);
	kfree(child);
}

/* Has @child something to say that @options ask for? Then it is in @info and the result true. */
static bool report(struct proc *child, int options, struct parvix_siginfo *info)
{
	int status = child->exit_status, sig = status & 0x7f;

	if (child->state == PROC_ZOMBIE && (options & WEXITED))
		*info = child_info(child, sig ? CLD_KILLED : CLD_EXITED, sig ? sig : status >> 8);
	else if (child->stop_sig == 0xffff && (options & WCONTINUED) && child->state == PROC_ALIVE)
		*info = child_info(child, CLD_CONTINUED, SIGCONT);
	else if (child->stop_sig && child->stop_sig != 0xffff && (options & WUNTRACED) &&
		 child->state == PROC_STOPPED)
		*info = child_info(child, CLD_STOPPED, child->stop_sig);
	else
		return false;
	return true;
}

pid_t proc_wait(int type, pid_t id, int options, struct parvix_siginfo *info,
		struct parvix_rusage *usage)
{
	struct proc *p = current_proc(), *child;
	int err;

	spin_lock(&proc_lock);
	if (type == P_PGID && id == 0)
		id = p->pgid;
	do {
		err = -ECHILD;
		list_for_each (child, &p->children, sibling) {
			if (!wanted(child, type, id))
				continue;
			err = 0;
			if (!report(child, options, info))
				continue;
			total_usage(child, usage);
			if (child->state == PROC_ZOMBIE && !(options & WNOWAIT)) {
				reap(child, usage);
				return info->si_pid;
			}
			if (!(options & WNOWAIT))
				child->stop_sig = 0;
			spin_unlock(&proc_lock);
			return info->si_pid;
		}
		if (!err && !(options & WNOHANG))
			err = sleep_on(&p->child_wait, &proc_lock, SLEEP_INTR, KTIME_NEVER);
	} while (!err && !(options & WNOHANG));
	spin_unlock(&proc_lock);
	return err;
}
