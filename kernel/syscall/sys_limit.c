/* SPDX-License-Identifier: MIT */
/* System calls about shares of the processor: nice, for a process, a group or a user. */
#include <proc.h>
#include "syscall.h"

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

static bool is_meant(const struct proc *p, int which, int who)
{
	const struct proc *me = current_proc();

	if (p->state == PROC_ZOMBIE)
		return false;
	if (which == PRIO_PROCESS)
		return who ? p->pid == who : p == me;
	if (which == PRIO_PGRP)
		return p->pgid == (who ? who : me->pgid);
	return p->cred.uid == (who ? (uid_t)who : me->cred.uid);
}

/* One's own, or root; nobody else may ask for more than he has. proc_lock held. */
static int renice(struct proc *p, int priority)
{
	const struct cred *c = &current_proc()->cred;
	struct thread *t;

	if (!cred_root() && c->euid != p->cred.uid && c->euid != p->cred.euid)
		return -EPERM;
	list_for_each (t, &p->threads, proc_link)
		if (priority < t->priority && !cred_root())
			return -EACCES;
	list_for_each (t, &p->threads, proc_link)
		t->priority = priority;
	return 0;
}

long sys_getpriority(struct trapframe *tf)
{
	int which = (int)ARG0(tf), best = -ESRCH;
	struct thread *t;
	struct proc *p;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all)
		if (is_meant(p, which, (int)ARG1(tf)))
			list_for_each (t, &p->threads, proc_link)
				best = max(best, 40 - t->priority);
	spin_unlock(&proc_lock);
	return best;
}

long sys_setpriority(struct trapframe *tf)
{
	int which = (int)ARG0(tf), nice = min(max((int)ARG2(tf), -20), 19), ret = -ESRCH, err;
	struct proc *p;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all) {
		if (!is_meant(p, which, (int)ARG1(tf)))
			continue;
		err = renice(p, 20 + nice);
		if (err || ret == -ESRCH)
			ret = err;
	}
	spin_unlock(&proc_lock);
	return ret;
}
