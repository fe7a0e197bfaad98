/* SPDX-License-Identifier: MIT */
/*
 * Sending signals.
 *
 * Signals wait in two places: those sent to a process (kill, the terminal, a child's end) in the
 * process, for any of its threads that does not block them; those sent to a thread (its own faults,
 * pthread_kill) in the thread. Each place is a struct sigpending: a word of bits and a list of
 * infos. Sending a number below 32 twice before it is taken delivers it once, as POSIX allows;
 * real-time signals are all delivered.
 *
 * The sender decides only what cannot wait: a signal that would be ignored is dropped, stop and
 * continue signals cancel each other, and SIGCONT and SIGKILL set a stopped process going at once.
 * Everything else is the receiver's work, on its way back to user mode (deliver.c); the sender
 * chooses a thread that wants the signal, marks it with WORK_SIGNAL and ends its sleep if that is
 * interruptible. If that thread blocks the signal before it has taken it, or ends, it looks for
 * somebody else (signal_redirect), so a signal never waits while a thread could take it.
 *
 * The first process takes a signal only if it has a handler for it: it cannot be killed by mistake.
 */
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include "room.h"

/* ---- what waits ---- */

void sigqueued_init_own(struct sigqueued *own)
{
	list_init(&own->link);
	own->owned = true;
}

void sigpending_init(struct sigpending *q)
{
	q->set = 0;
	list_init(&q->queue);
	sigqueued_init_own(&q->one);
}

static void release(struct proc *p, struct sigqueued *e)
{
	list_del(&e->link);
	if (!e->owned) {
		p->sig.queued--;
		kfree(e);
	}
}

void sigpending_drop(struct proc *p, struct sigpending *q, sigset_t set)
{
	struct sigqueued *e, *next;

	if (!(q->set & set))
		return;
	q->set &= ~set;
	list_for_each_safe (e, next, &q->queue, link)
		if (set & SIGBIT(e->info.si_signo))
			release(p, e);
}

int sigpending_add(struct proc *p, struct sigpending *q, int sig, const struct parvix_siginfo *info,
		   struct sigqueued *own)
{
	struct sigqueued *e = own;

	if (sig < SIG_REALTIME && (q->set & SIGBIT(sig)))
		return 0;
	if (!e && list_empty(&q->one.link)) {
		e = &q->one;
	} else if (!e && p->sig.queued < SIGQUEUE_MAX - 1) { /* q->one is one */
		e = kmalloc(sizeof(*e), ALLOC_ATOMIC);
		if (e) {
			e->owned = false;
			p->sig.queued++;
		}
	}
	if (e) {
		if (e != own)
			e->info = *info;
		list_add_tail(&q->queue, &e->link);
	} else if (info->si_code == SI_QUEUE) {
		return -EAGAIN;
	}
	q->set |= SIGBIT(sig);
	return 0;
}

static void take_from(struct proc *p, struct sigpending *q, int sig, struct parvix_siginfo *info)
{
	struct sigqueued *e, *first = NULL;
	bool more = false;

	list_for_each (e, &q->queue, link) {
		if (e->info.si_signo != sig)
			continue;
		more = first != NULL;
		if (more)
			break;
		first = e;
	}
	if (!more)
		q->set &= ~SIGBIT(sig);
	if (first) {
		*info = first->info;
		release(p, first);
	} else {
		*info = (struct parvix_siginfo){.si_signo = sig, .si_code = SI_KERNEL};
	}
}

sigset_t signal_waiting(void)
{
	return READ_ONCE(current->pending.set) | READ_ONCE(current_proc()->sig.pending.set);
}

int signal_take(sigset_t set, struct parvix_siginfo *info)
{
	struct thread *t = current;
	struct proc *p = t->proc;
	int sig = sigset_first(signal_waiting() & set);

	if (sig)
		take_from(p, t->pending.set & SIGBIT(sig) ? &t->pending : &p->sig.pending, sig,
			  info);
	return sig;
}

/* ---- who takes it ---- */

static bool wants(const struct thread *t, int sig)
{
	return !(t->sigmask & ~t->sigwait & SIGBIT(sig));
}

/* The thread that is to look at a signal of the process; NULL: all block it. */
static struct thread *receiver(struct proc *p, int sig)
{
	struct thread *t, *some = NULL;

	list_for_each (t, &p->threads, proc_link) {
		if (!wants(t, sig))
			continue;
		if (t == current || (t->sigwait & SIGBIT(sig)))
			return t;
		if (!some)
			some = t;
	}
	return some;
}

static void tell(struct thread *t)
{
	thread_set_work(t, WORK_SIGNAL);
	thread_interrupt(t);
}

void signal_redirect(struct proc *p)
{
	bool held = spin_held(&proc_lock);
	sigset_t set = READ_ONCE(p->sig.pending.set);

	if (!set)
		return;
	if (!held)
		spin_lock(&proc_lock);
	for (; set; set &= set - 1) {
		struct thread *t = receiver(p, __builtin_ctzl(set));

		if (t)
			tell(t);
	}
	if (!held)
		spin_unlock(&proc_lock);
}

void signal_set_mask(sigset_t mask)
{
	struct thread *t = current;
	struct proc *p = t->proc;

	t->sigmask = mask;
	if (signal_waiting() & ~mask)
		thread_set_work(t, WORK_SIGNAL);
	if (unlikely(p->nr_threads > 1)) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (p->sig.pending.set & mask)
			signal_redirect(p);
	}
}

bool thread_interrupted(void)
{
	const struct thread *t = current;

	if (!t->proc)
		return false;
	return t->proc->killed || t->killed || (signal_waiting() & ~(t->sigmask & ~t->sigwait));
}

/* ---- sending ---- */

static bool is_ignored(const struct proc *p, int sig)
{
	unsigned long handler = p->sig.action[sig].sa_handler;

	if (handler == SIG_IGN)
		return true;
	if (handler != SIG_DFL)
		return false;
	return signal_default(sig) == SIGDEF_IGNORE || p == init_proc;
}

/* Ignored; but one who blocks it may wait for it, or be about to change the action. */
static bool is_dropped(const struct proc *p, const struct thread *to, int sig)
{
	const struct thread *t;

	if (!is_ignored(p, sig))
		return false;
	list_for_each (t, &p->threads, proc_link)
		if ((!to || t == to) && ((t->sigmask | t->sigwait) & SIGBIT(sig)))
			return false;
	return true;
}

static void drop_all(struct proc *p, sigset_t set)
{
	struct thread *t;

	spin_lock(&p->sig.lock);
	sigpending_drop(p, &p->sig.pending, set);
	list_for_each (t, &p->threads, proc_link)
		sigpending_drop(p, &t->pending, set);
	spin_unlock(&p->sig.lock);
}

/* The parts of SIGCONT, SIGKILL and the stop signals that happen at sending. */
static void send_now(struct proc *p, int sig)
{
	if (sig == SIGCONT || sig == SIGKILL) {
		drop_all(p, SIG_STOPS);
		if (p->state == PROC_STOPPED) {
			p->state = PROC_ALIVE;
			p->stop_sig = sig == SIGCONT ? 0xffff : 0;
			if (sig == SIGCONT)
				notify_parent(p, CLD_CONTINUED, SIGCONT);
			waitq_wake_all(&p->thread_wait);
		}
	} else if (SIG_STOPS & SIGBIT(sig)) {
		drop_all(p, SIGBIT(SIGCONT));
	}
}

/* To thread @to, or to any of @p. proc_lock held. -EAGAIN as sigpending_add(). */
static int post(struct proc *p, struct thread *to, int sig, const struct parvix_siginfo *info,
		struct sigqueued *own)
{
	struct parvix_siginfo kernel = {.si_signo = sig, .si_code = SI_KERNEL};
	struct thread *t;
	int err;

	if (list_empty(&p->threads) || p->state == PROC_ZOMBIE || p->state == PROC_EMBRYO)
		return 0;
	if (p == init_proc && (SIG_UNBLOCKABLE & SIGBIT(sig)))
		return 0;
	send_now(p, sig);
	if (is_dropped(p, to, sig))
		return 0;
	spin_lock(&p->sig.lock);
	err = sigpending_add(p, to ? &to->pending : &p->sig.pending, sig, info ? info : &kernel,
			     own);
	spin_unlock(&p->sig.lock);
	if (err)
		return err;
	if (sig == SIGKILL) {
		p->killed = true;
		list_for_each (t, &p->threads, proc_link)
			tell(t);
		return 0;
	}
	t = to ? (wants(to, sig) ? to : NULL) : receiver(p, sig);
	if (t)
		tell(t);
	return 0;
}

void signal_send_locked(struct proc *p, int sig, const struct parvix_siginfo *info)
{
	post(p, NULL, sig, info, NULL);
}

bool signal_send_own(struct proc *p, struct thread *t, struct sigqueued *own)
{
	bool held = spin_held(&proc_lock), sent;

	if (!held)
		spin_lock(&proc_lock);
	sent = list_empty(&own->link);
	if (sent) {
		sigset_t before = t ? t->pending.set : p->sig.pending.set;
		int sig = own->info.si_signo;

		post(p, t, sig, &own->info, own);
		sent = sig >= SIG_REALTIME || !(before & SIGBIT(sig));
	}
	if (!held)
		spin_unlock(&proc_lock);
	return sent;
}

/* The bit stays: there may be others of the same number, and one that finds nothing does no harm.
 */
void signal_cancel_own(struct proc *p, struct sigqueued *own)
{
	spin_lock(&p->sig.lock);
	list_del(&own->link);
	spin_unlock(&p->sig.lock);
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

/* ---- kill, tkill, sigqueue ---- */

static struct parvix_siginfo info_of_sender(int sig, int code)
{
	return (struct parvix_siginfo){
		.si_signo = sig,
		.si_code = code,
		.si_pid = current_proc()->pid,
		.si_uid = current_proc()->cred.uid,
	};
}

/* One process; signal 0 only asks. */
static int kill_one(struct proc *p, int sig, const struct parvix_siginfo *info)
{
	if (!cred_may_signal(p, sig))
		return -EPERM;
	return sig ? post(p, NULL, sig, info, NULL) : 0;
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
	struct parvix_siginfo info = info_of_sender(sig, SI_USER);
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

int signal_queue(pid_t pid, int sig, unsigned long value)
{
	struct parvix_siginfo info = info_of_sender(sig, SI_QUEUE);
	struct proc *p;
	int ret = -ESRCH;

	if (sig < 0 || sig >= NSIG)
		return -EINVAL;
	info.si_value = value;
	spin_lock(&proc_lock);
	p = proc_find(pid);
	if (p)
		ret = kill_one(p, sig, &info);
	spin_unlock(&proc_lock);
	return ret;
}

int signal_tkill(pid_t tid, int sig)
{
	struct parvix_siginfo info = info_of_sender(sig, SI_TKILL);
	struct proc *p = current_proc();
	struct thread *t;
	int ret = -ESRCH;

	if (sig < 0 || sig >= NSIG || tid <= 0)
		return -EINVAL;
	spin_lock(&proc_lock);
	list_for_each (t, &p->threads, proc_link) {
		if (t->tid != tid)
			continue;
		ret = sig ? post(p, t, sig, &info, NULL) : 0;
		break;
	}
	spin_unlock(&proc_lock);
	return ret;
}
