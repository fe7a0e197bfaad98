/* SPDX-License-Identifier: MIT */
/*
 * Sending signals.
 *
 * A signal is a bit in the receiver's `pending` word and, at most once for each number, a siginfo
 * beside it; sending the same signal twice before it is taken delivers it once, as POSIX allows.
 * The sender decides only what cannot wait: a signal that would be ignored is dropped, stop and
 * continue signals cancel each other, and SIGCONT and SIGKILL set a stopped process going at once.
 * Everything else is the receiver's work, on its way back to user mode (deliver.c); the sender
 * marks its thread with WORK_SIGNAL and ends its sleep if that is interruptible.
 *
 * The first process takes a signal only if it has a handler for it: it cannot be killed by mistake.
 */
#include <machine.h>
#include <printk.h>
#include <proc.h>
#include "room.h"

static bool is_ignored(const struct proc *p, int sig)
{
	unsigned long handler = p->sig.action[sig].sa_handler;

	if (handler == SIG_IGN)
		return true;
	if (handler != SIG_DFL)
		return false;
	return signal_default(sig) == SIGDEF_IGNORE || p == init_proc;
}

/* The parts of SIGCONT, SIGKILL and the stop signals that happen at sending. */
static void send_now(struct proc *p, int sig)
{
	if (sig == SIGCONT || sig == SIGKILL) {
		p->sig.pending &= ~SIG_STOPS;
		if (p->state == PROC_STOPPED) {
			p->state = PROC_ALIVE;
			p->stop_sig = 0xffff;
			if (sig == SIGCONT)
				notify_parent(p, CLD_CONTINUED, SIGCONT);
			thread_wake(p->thread);
		}
	} else if (SIG_STOPS & SIGBIT(sig)) {
		p->sig.pending &= ~SIGBIT(SIGCONT);
	}
}

void signal_send_locked(struct proc *p, int sig, const struct parvix_siginfo *info)
{
	struct thread *t = p->thread;
	bool blocked;

	if (!t || p->state == PROC_ZOMBIE || p->state == PROC_EMBRYO)
		return;
	if (p == init_proc && (SIG_UNBLOCKABLE & SIGBIT(sig)))
		return;
	send_now(p, sig);
	blocked = (t->sigmask & SIGBIT(sig)) && !(t->sigwait & SIGBIT(sig));
	if (!(t->sigmask & SIGBIT(sig)) && is_ignored(p, sig) && !(t->sigwait & SIGBIT(sig)))
		return;
	spin_lock(&p->sig.lock);
	if (!(p->sig.pending & SIGBIT(sig))) {
		if (info)
			p->sig.info[sig] = *info;
		else
			p->sig.info[sig] = (struct parvix_siginfo){.si_signo = sig,
								   .si_code = SI_KERNEL};
		p->sig.pending |= SIGBIT(sig);
	}
	spin_unlock(&p->sig.lock);
	if (sig == SIGKILL)
		p->killed = true;
	if (!blocked) {
		thread_set_work(t, WORK_SIGNAL);
		thread_interrupt(t);
	}
}

int signal_send(struct proc *p, int sig, const struct parvix_siginfo *info)
{
	bool held = spin_held(&proc_lock);

	if (sig <= 0 || sig >= NSIG)
		return -EINVAL;
	if (!held)
		spin_lock(&proc_lock);
	signal_send_locked(p, sig, info);
	if (!held)
		spin_unlock(&proc_lock);
	return 0;
}

int signal_send_group(pid_t pgid, int sig, const struct parvix_siginfo *info)
{
	bool held = spin_held(&proc_lock);
	struct proc *p;
	int ret = -ESRCH;

	if (sig <= 0 || sig >= NSIG)
		return -EINVAL;
	if (!held)
		spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all)
		if (p->pgid == pgid && p->state != PROC_ZOMBIE) {
			signal_send_locked(p, sig, info);
			ret = 0;
		}
	if (!held)
		spin_unlock(&proc_lock);
	return ret;
}

/* kill() of one process; signal 0 only asks. */
static int kill_one(struct proc *p, int sig, const struct parvix_siginfo *info)
{
	if (!cred_may_signal(p, sig))
		return -EPERM;
	if (sig)
		signal_send_locked(p, sig, info);
	return 0;
}

static bool kill_means(const struct proc *p, pid_t pid)
{
	if (pid == 0)
		return p->pgid == current_proc()->pgid;
	if (pid == -1)
		return p != init_proc && p != current_proc();
	return p->pgid == -pid;
}

int signal_kill(pid_t pid, int sig)
{
	struct parvix_siginfo info = {
		.si_signo = sig,
		.si_code = SI_USER,
		.si_pid = current_proc()->pid,
		.si_uid = current_proc()->cred.uid,
	};
	int ret = -ESRCH, err;
	struct proc *p;

	if (sig < 0 || sig >= NSIG)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	spin_lock(&proc_lock);
	if (pid > 0) {
		p = proc_find(pid);
		if (p)
			ret = kill_one(p, sig, &info);
	} else {
		list_for_each (p, &all_procs, all) {
			if (!kill_means(p, pid))
				continue;
			err = kill_one(p, sig, &info);
			if (ret != 0)
				ret = err;
		}
	}
	spin_unlock(&proc_lock);
	return ret;
}

bool thread_interrupted(void)
{
	const struct thread *t = current;
	const struct proc *p = t->proc;

	if (!p)
		return false;
	return p->killed || (READ_ONCE(p->sig.pending) & ~(t->sigmask & ~t->sigwait));
}
