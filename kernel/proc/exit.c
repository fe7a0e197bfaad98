/* SPDX-License-Identifier: MIT */
/*
 * The end of a process.
 *
 * It gives back what it has while it can still sleep: files, address space, directories. What stays
 * is the zombie: struct proc with the exit status and the times, until the parent asks for them.
 * Last it leaves the CPU for ever; its successor on the CPU frees the thread with its stack.
 *
 * The kernel cannot free page tables on which it runs, so before the address space is dropped this
 * CPU moves to the kernel's own tables, which have an empty user half. Under PV Xen enforces that:
 * a table that is in use on some CPU cannot be unpinned to nothing.
 */
#include <fs.h>
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <record.h>
#include <tty.h>
#include "room.h"

/* Those whose page faults found no memory; the dying wake them. */
static struct waitq memory_waiters = WAITQ(memory_waiters);

void memory_wait(void)
{
	struct waiter w;

	waiter_add(&memory_waiters, &w);
	thread_prepare_sleep();
	/* Not for ever: memory can also come back without anybody's death. */
	thread_sleep(0, clock_now() + 100 * NSEC_PER_MSEC);
	waiter_remove(&w);
}

static void drop_resources(struct proc *p)
{
	struct aspace *as = p->aspace;
	struct fdtable *fds = p->fds;
	struct vnode *cwd = p->cwd, *root = p->root, *exe = p->exe;

	ktimer_cancel(&p->alarm);
	if (as)
		p->usage.ru_maxrss = max(p->usage.ru_maxrss,
					 (long)(as->pages * (PAGE_SIZE / 1024)));
	spin_lock(&proc_lock); /* /proc looks at these under this lock */
	p->fds = NULL;
	p->aspace = NULL;
	p->cwd = p->root = p->exe = NULL;
	spin_unlock(&proc_lock);
	fdtable_free(fds);
	if (as) {
		mmu_load(&kernel_mmu);
		aspace_put(as);
		if (!list_empty(&memory_waiters.waiters))
			waitq_wake_all(&memory_waiters);
	}
	tty_session_exit(p);
	vnode_put(cwd);
	vnode_put(root);
	vnode_put(exe);
}

/*
 * Groups in the session that lose their last link to it by this exit, and have stopped members, are
 * told: nobody is left who would continue them.
 */
static void orphan_groups(struct proc *p)
{
	struct proc *child;

	if (!pgrp_orphaned_without(p->pgid, NULL) && pgrp_orphaned_without(p->pgid, p) &&
	    pgrp_has_stopped(p->pgid)) {
		signal_send_group(p->pgid, SIGHUP, NULL);
		signal_send_group(p->pgid, SIGCONT, NULL);
	}
	list_for_each (child, &p->children, sibling) {
		pid_t pgid = child->pgid;

		if (pgid == p->pgid || child->sid != p->sid || !pgrp_orphaned_without(pgid, p) ||
		    !pgrp_has_stopped(pgid))
			continue;
		signal_send_group(pgid, SIGHUP, NULL);
		signal_send_group(pgid, SIGCONT, NULL);
	}
}

static void give_children_away(struct proc *p)
{
	struct proc *child, *tmp;
	bool zombies = false;

	list_for_each_safe (child, tmp, &p->children, sibling) {
		list_del(&child->sibling);
		child->parent = init_proc;
		list_add_tail(&init_proc->children, &child->sibling);
		if (child->state == PROC_ZOMBIE)
			zombies = true;
	}
	if (zombies) {
		signal_send_locked(init_proc, SIGCHLD, NULL);
		waitq_wake_all(&init_proc->child_wait);
	}
}

static void final_usage(struct proc *p, struct thread *t)
{
	thread_account_kernel();
	p->usage.ru_utime = ktime_to_timeval(t->utime);
	p->usage.ru_stime = ktime_to_timeval(t->stime);
	p->usage.ru_nvcsw = t->nvcsw;
	p->usage.ru_nivcsw = t->nivcsw;
}

static __noreturn void init_died(int status)
{
	if (status & 0x7f)
		panic("the first process (%s) was killed by %s: nothing is left to run",
		      init_proc->name, signal_name(status & 0x7f));
	panic("the first process (%s) ended with status %d: nothing is left to run",
	      init_proc->name, status >> 8);
}

void proc_exit(int wait_status)
{
	struct thread *t = current;
	struct proc *p = t->proc;
	struct proc *parent;
	int sig = wait_status & 0x7f;
	pid_t pid = p->pid;
	struct record_op *op;
	bool unwanted;

	if (p == init_proc)
		init_died(wait_status);
	trace(exit, p->pid, wait_status, 0);
	thread_account();
	op = record_begin(t->stamp);
	p->killed = true; /* no more signals, no interruptible sleep */
	t->sigmask = SIG_ALL;
	drop_resources(p);
	final_usage(p, t);

	spin_lock(&proc_lock);
	orphan_groups(p);
	give_children_away(p);
	p->exit_status = wait_status;
	p->thread = NULL;
	list_del(&t->proc_link);
	t->proc = NULL;
	parent = p->parent;
	unwanted = parent_reaps_by_itself(parent);
	p->state = PROC_ZOMBIE;
	notify_parent(p, sig ? CLD_KILLED : CLD_EXITED, sig ? sig : wait_status >> 8);
	if (unwanted)
		proc_detach(p);
	spin_unlock(&proc_lock);
	if (unwanted)
		kfree(p);
	/* Its name is the thread's too. */
	record_end(op, clock_now(), RECORD_EXIT, pid, 0, t->name);
	thread_exit();
}
