/* SPDX-License-Identifier: MIT */
/*
 * Process groups and sessions.
 *
 * A shell puts each pipeline into a group of its own and tells the terminal which group is in the
 * foreground; the terminal sends Ctrl-C to a group, and stops groups that read from it without
 * being in the foreground. A session is all groups that share a terminal. Groups and sessions are
 * not objects, only numbers in the processes, named after the pid of the one who made them.
 */
#include <proc.h>
#include "room.h"

bool pgrp_orphaned_without(pid_t pgid, const struct proc *leaving)
{
	const struct proc *p;

	list_for_each (p, &all_procs, all) {
		const struct proc *parent = p->parent;

		if (p->pgid != pgid || p == leaving || p->state == PROC_ZOMBIE || !parent)
			continue;
		if (parent != leaving && parent->state != PROC_ZOMBIE && parent->pgid != pgid &&
		    parent->sid == p->sid)
			return false;
	}
	return true;
}

bool pgrp_orphaned(pid_t pgid)
{
	bool held = spin_held(&proc_lock), orphaned;

	if (!held)
		spin_lock(&proc_lock);
	orphaned = pgrp_orphaned_without(pgid, NULL);
	if (!held)
		spin_unlock(&proc_lock);
	return orphaned;
}

bool pgrp_has_stopped(pid_t pgid)
{
	const struct proc *p;

	list_for_each (p, &all_procs, all)
		if (p->pgid == pgid && p->state == PROC_STOPPED)
			return true;
	return false;
}

static bool pgrp_in_session(pid_t pgid, pid_t sid)
{
	const struct proc *p;

	list_for_each (p, &all_procs, all)
		if (p->pgid == pgid && p->sid == sid)
			return true;
	return false;
}

static int setpgid_locked(struct proc *me, struct proc *p, pid_t pgid)
{
	if (!p || (p != me && p->parent != me))
		return -ESRCH;
	if (p != me && p->execed)
		return -EACCES;
	if (p->session_leader || p->pid == p->sid || p->sid != me->sid)
		return -EPERM;
	if (pgid != p->pid && !pgrp_in_session(pgid, me->sid))
		return -EPERM;
	p->pgid = pgid;
	return 0;
}

int proc_setpgid(pid_t pid, pid_t pgid)
{
	struct proc *me = current_proc();
	int err;

	if (pgid < 0)
		return -EINVAL;
	if (pid == 0)
		pid = me->pid;
	if (pgid == 0)
		pgid = pid;
	spin_lock(&proc_lock);
	err = setpgid_locked(me, proc_find(pid), pgid);
	spin_unlock(&proc_lock);
	return err;
}

pid_t proc_setsid(void)
{
	struct proc *me = current_proc(), *p;
	pid_t ret = -EPERM;

	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all)
		if (p->pgid == me->pid)
			goto out;
	me->sid = me->pgid = me->pid;
	me->session_leader = true;
	me->ctty = NULL;
	ret = me->pid;
out:
	spin_unlock(&proc_lock);
	return ret;
}
