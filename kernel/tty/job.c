/* SPDX-License-Identifier: MIT */
/*
 * Job control: a terminal belongs to a session, and one process group of the session, the
 * foreground, may use it. Whoever reads in the background, or writes there if the terminal has
 * TOSTOP set, or changes its settings, is stopped until somebody (the shell's fg) brings it
 * forward.
 *
 * A stopped process must have somebody who may continue it. A group is orphaned if no member has a
 * parent in another group of the same session; for such a group the answer is EIO instead of the
 * signal.
 *
 * proc->ctty and the groups are under proc_lock, tty->session and tty->pgrp under tty->lock as
 * well, which is inside of it.
 */
#include "tty.h"

#include <proc.h>

static bool signal_ineffective(struct proc *p, int sig)
{
	return p->sig.action[sig].sa_handler == SIG_IGN || (current->sigmask >> sig & 1);
}

int tty_check_background(struct tty *tty, int sig)
{
	struct proc *p = current_proc();
	pid_t pgid;

	if (!p)
		return 0;
	pgid = p->pgid;
	if (p->ctty != tty) {
		/* Not ours. Reading would take away what is typed for the session that owns it. */
		return sig == SIGTTIN && tty->session ? -EIO : 0;
	}
	if (tty->pgrp == pgid || tty->pgrp == 0)
		return 0;
	if (signal_ineffective(p, sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (pgrp_orphaned(pgid))
		return -EIO;
	signal_send_group(pgid, sig, NULL);
	return -ERESTART;
}

int tty_acquire(struct tty *tty, bool steal)
{
	struct proc *p = current_proc(), *q;
	int err = 0;

	if (!p)
		return -EPERM;
	spin_lock(&proc_lock);
	spin_lock(&tty->lock);
	if (!p->session_leader || (p->ctty && p->ctty != tty)) {
		err = -EPERM;
	} else if (tty->gone) {
		err = -EIO;
	} else if (tty->session && tty->session != p->sid) {
		err = steal ? 0 : -EPERM;
		list_for_each (q, &all_procs, all) {
			if (steal && q->sid == tty->session && q->ctty == tty)
				q->ctty = NULL;
		}
	}
	if (!err && p->ctty != tty) {
		p->ctty = tty;
		tty->session = p->sid;
		tty->pgrp = p->pgid;
	}
	spin_unlock(&tty->lock);
	spin_unlock(&proc_lock);
	return err;
}

void tty_disconnect(struct tty *tty, pid_t sid)
{
	struct proc *q;
	pid_t pgrp = 0;

	spin_lock(&proc_lock);
	list_for_each (q, &all_procs, all) {
		if (q->sid == sid && q->ctty == tty)
			q->ctty = NULL;
	}
	spin_lock(&tty->lock);
	if (tty->session == sid) {
		pgrp = tty->pgrp;
		tty->session = 0;
		tty->pgrp = 0;
		tty->stopped = false;
	}
	spin_unlock(&tty->lock);
	spin_unlock(&proc_lock);
	if (pgrp > 0) {
		signal_send_group(pgrp, SIGHUP, NULL);
		signal_send_group(pgrp, SIGCONT, NULL);
	}
	tty_output_ready(tty);
	waitq_wake_all(&tty->read_wait);
	waitq_wake_all(&tty->write_wait);
}

void tty_session_exit(struct proc *leader)
{
	if (leader->session_leader && leader->ctty)
		tty_disconnect(leader->ctty, leader->sid);
}

struct tty *tty_get_controlling(void)
{
	struct proc *p = current_proc();
	struct tty *tty;

	if (!p)
		return NULL;
	spin_lock(&proc_lock);
	tty = p->ctty;
	if (tty && !tty_get(tty))
		tty = NULL;
	spin_unlock(&proc_lock);
	return tty;
}

int tty_give_up(struct tty *tty)
{
	struct proc *p = current_proc();

	if (p->ctty != tty)
		return -ENOTTY;
	if (p->session_leader) {
		tty_disconnect(tty, p->sid);
		return 0;
	}
	spin_lock(&proc_lock);
	p->ctty = NULL;
	spin_unlock(&proc_lock);
	return 0;
}

int tty_set_pgrp(struct tty *tty, pid_t pgrp)
{
	struct proc *p = current_proc(), *q;
	int err = -EPERM; /* also for a group that does not exist */

	if (p->ctty != tty || tty->session != p->sid)
		return -ENOTTY;
	if (pgrp <= 0)
		return -EINVAL;
	spin_lock(&proc_lock);
	list_for_each (q, &all_procs, all) {
		if (q->pgid != pgrp)
			continue;
		err = q->sid == p->sid ? 0 : -EPERM;
		break;
	}
	if (!err) {
		spin_lock(&tty->lock);
		tty->pgrp = pgrp;
		spin_unlock(&tty->lock);
	}
	spin_unlock(&proc_lock);
	return err;
}
