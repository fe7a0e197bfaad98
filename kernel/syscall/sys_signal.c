/* SPDX-License-Identifier: MIT */
/* System calls about signals. Sending and delivery are in kernel/proc. */
#include <machine.h>
#include <proc.h>
#include <usercopy.h>
#include "../proc/room.h"
#include "syscall.h"

long sys_kill(struct trapframe *tf)
{
	return signal_kill((pid_t)ARG0(tf), (int)ARG1(tf));
}

/*
 * Pending signals that the new action ignores are forgotten. The address to which handlers return
 * is the C library's, the same for all of them: it is kept once.
 */
static void set_action(struct proc *p, int sig, const struct ksigaction *act,
		       unsigned long restorer)
{
	struct thread *t;
	bool ignored = act->sa_handler == SIG_IGN ||
		       (act->sa_handler == SIG_DFL && signal_default(sig) == SIGDEF_IGNORE);

	p->sig.action[sig] = (struct sigact){
		.sa_handler = act->sa_handler,
		.sa_flags = act->sa_flags,
		.sa_mask = act->sa_mask & SIG_ALL & ~SIG_UNBLOCKABLE,
	};
	if (act->sa_handler > SIG_IGN)
		p->sig.restorer = restorer;
	if (!ignored)
		return;
	sigpending_drop(p, &p->sig.pending, SIGBIT(sig));
	list_for_each (t, &p->threads, proc_link)
		sigpending_drop(p, &t->pending, SIGBIT(sig));
}

long sys_sigaction(struct trapframe *tf)
{
	int sig = (int)ARG0(tf);
	uaddr_t unew = UADDR(ARG1(tf)), uold = UADDR(ARG2(tf));
	struct proc *p = current_proc();
	struct ksigaction act, old = {0};
	const struct sigact *now;

	if (sig <= 0 || sig >= NSIG)
		return -EINVAL;
	if (unew.v) {
		if (SIG_UNBLOCKABLE & SIGBIT(sig))
			return -EINVAL;
		if (get_user(act, unew) || act.sa_handler >= USER_END)
			return -EFAULT;
	}
	spin_lock(&proc_lock);
	spin_lock(&p->sig.lock);
	now = &p->sig.action[sig];
	old.sa_handler = now->sa_handler;
	old.sa_flags = now->sa_flags;
	old.sa_mask = now->sa_mask;
	if (unew.v)
		set_action(p, sig, &act, ARG3(tf));
	spin_unlock(&p->sig.lock);
	spin_unlock(&proc_lock);
	return uold.v ? put_user(uold, old) : 0;
}

long sys_sigprocmask(struct trapframe *tf)
{
	uaddr_t uset = UADDR(ARG1(tf)), uold = UADDR(ARG2(tf));
	sigset_t old = current->sigmask, set, mask;
	int err;

	if (uset.v) {
		if (get_user(set, uset))
			return -EFAULT;
		err = sigset_change(old, (int)ARG0(tf), set, &mask);
		if (err)
			return err;
		signal_set_mask(mask);
	}
	return uold.v ? put_user(uold, old) : 0;
}

long sys_sigpending(struct trapframe *tf)
{
	sigset_t set = signal_waiting() & current->sigmask;

	return put_user(UADDR(ARG0(tf)), set);
}

long sys_sigsuspend(struct trapframe *tf)
{
	struct thread *t = current;
	sigset_t set;

	if (get_user(set, UADDR(ARG0(tf))))
		return -EFAULT;
	t->sigmask_saved = t->sigmask;
	t->restore_mask = true;
	signal_set_mask(set & SIG_ALL & ~SIG_UNBLOCKABLE);
	do {
		thread_prepare_sleep();
	} while (thread_sleep(SLEEP_INTR, KTIME_NEVER) != -ERESTART);
	return -ERESTARTNOHAND;
}

long sys_sigreturn(struct trapframe *tf)
{
	return signal_return(tf);
}

long sys_sigaltstack(struct trapframe *tf)
{
	struct parvix_stack *alt = &current->altstack, old = *alt, new;
	bool on = !(old.ss_flags & SS_DISABLE) && old.ss_size && tf->rsp > old.ss_sp &&
		  tf->rsp - old.ss_sp <= old.ss_size;

	if (ARG0(tf)) {
		if (get_user(new, UADDR(ARG0(tf))))
			return -EFAULT;
		if (on)
			return -EPERM;
		if (new.ss_flags & ~SS_DISABLE)
			return -EINVAL;
		if (!(new.ss_flags &SS_DISABLE)) {
			if (new.ss_size < MINSIGSTKSZ)
				return -ENOMEM;
			if (!user_range_ok(UADDR(new.ss_sp), new.ss_size))
				return -EFAULT;
		}
		new.pad = 0;
		*alt = new;
	}
	if (!ARG1(tf))
		return 0;
	if (!old.ss_size)
		old.ss_flags |= SS_DISABLE;
	if (on)
		old.ss_flags |= SS_ONSTACK;
	return put_user(UADDR(ARG1(tf)), old);
}

/*
 * Wait until a signal of @set comes, and take it. As long as a thread waits, a signal of the
 * process that others block too is its own; what was meant for it and is not taken goes to others.
 */
static int wait_for_signal(sigset_t set, ktime_t deadline, struct parvix_siginfo *info)
{
	struct thread *t = current;
	struct proc *p = t->proc;
	int sig, err = 0;

	set &= SIG_ALL & ~SIG_UNBLOCKABLE;
	t->sigwait = set;
	for (;;) {
		thread_prepare_sleep();
		spin_lock(&p->sig.lock);
		sig = signal_take(set, info);
		spin_unlock(&p->sig.lock);
		if (sig || err)
			break;
		err = thread_sleep(SLEEP_INTR, deadline);
		/* Was it one of ours? Then it is taken above; otherwise it is to be delivered. */
		if (err == -ERESTART && !t->killed && !p->killed && (signal_waiting() & set))
			err = 0;
	}
	thread_cancel_sleep();
	t->sigwait = 0;
	signal_set_mask(t->sigmask);
	return sig ? sig : err;
}

long sys_sigwait(struct trapframe *tf)
{
	struct parvix_siginfo info;
	sigset_t set;
	int sig;

	if (get_user(set, UADDR(ARG0(tf))))
		return -EFAULT;
	sig = wait_for_signal(set, KTIME_NEVER, &info);
	if (sig < 0)
		return -ERESTARTNOHAND;
	return put_user(UADDR(ARG1(tf)), sig);
}

long sys_sigtimedwait(struct trapframe *tf)
{
	ktime_t deadline = KTIME_NEVER, span;
	struct parvix_siginfo info;
	struct parvix_timespec ts;
	sigset_t set;
	int sig;

	if (get_user(set, UADDR(ARG0(tf))) || (ARG2(tf) && get_user(ts, UADDR(ARG2(tf)))))
		return -EFAULT;
	if (ARG2(tf)) {
		if (ktime_from_timespec(&ts, &span))
			return -EINVAL;
		deadline = current->restart_until ? current->restart_until
						  : ktime_add(clock_now(), span);
		current->restart_until = 0;
	}
	sig = wait_for_signal(set, deadline, &info);
	if (sig == -ETIMEDOUT)
		return -EAGAIN;
	if (sig < 0) {
		current->restart_until = ARG2(tf) ? deadline : 0;
		return -ERESTARTNOHAND;
	}
	return ARG1(tf) && put_user(UADDR(ARG1(tf)), info) ? -EFAULT : sig;
}

long sys_tkill(struct trapframe *tf)
{
	return signal_tkill((pid_t)ARG0(tf), (int)ARG1(tf));
}

long sys_sigqueue(struct trapframe *tf)
{
	return signal_queue((pid_t)ARG0(tf), (int)ARG1(tf), ARG2(tf));
}
