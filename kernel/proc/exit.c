/* SPDX-License-Identifier: MIT */
/*
 * The end of threads and processes.
 *
 * A thread leaves its process when it wants to, or on its way back to user mode if it is `killed`:
 * because the process ends, or another of its threads executes a new program. The last one that
 * leaves ends the process, with the status that was settled by the first who knew one.
 *
 * A process gives back what it has while it can still sleep: files, address space, directories.
 * What stays is the zombie: struct proc with the exit status and the times, until the parent asks
 * for them. Last it leaves the CPU for ever; its successor on the CPU frees the thread with its
 * stack.
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

	ptimers_free(p);
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
		loan_return(p);
		if (!list_empty(&memory_waiters.waiters))
			waitq_wake_all(&memory_waiters);
	}
	tty_session_exit(p);
	vnode_put(cwd);
	vnode_put(root);
	exe_put(exe);
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

static __noreturn void init_died(int status)
{
	if (status & 0x7f)
		panic("the first process (%s) was killed by %s: nothing is left to run",
		      init_proc->name, signal_name(status & 0x7f));
	panic("the first process (%s) ended with status %d: nothing is left to run",
	      init_proc->name, status >> 8);
}

/* The thread's times are the process's from now on. proc_lock held. */
static void let_go(struct proc *p, struct thread *t)
{
	thread_account_kernel();
	p->utime += t->utime;
	p->stime += t->stime;
	p->nvcsw += t->nvcsw;
	p->nivcsw += t->nivcsw;
	ptimers_thread_gone(p, t);
	t->cpu_next = 0;
	spin_lock(&p->sig.lock);
	sigpending_drop(p, &t->pending, SIG_ALL);
	spin_unlock(&p->sig.lock);
	t->proc = NULL;
}

/* By the last thread of @p. */
static void process_end(struct proc *p, struct thread *t)
{
	struct proc *parent;
	int status = p->exit_status, sig = status & 0x7f;
	pid_t pid = p->pid;
	struct record_op *op;
	bool unwanted;

	if (p == init_proc)
		init_died(status);
	trace(exit, p->pid, status, 0);
	if (unlikely(p->tracer))
		tracer_leave(p, status);
	thread_account();
	op = record_begin(t->stamp);
	drop_resources(p);

	spin_lock(&proc_lock);
	orphan_groups(p);
	give_children_away(p);
	list_del(&t->proc_link);
	let_go(p, t);
	spin_lock(&p->sig.lock);
	sigpending_drop(p, &p->sig.pending, SIG_ALL);
	spin_unlock(&p->sig.lock);
	parent = p->parent;
	unwanted = parent_reaps_by_itself(parent);
	p->state = PROC_ZOMBIE;
	notify_parent(p, sig ? CLD_KILLED : CLD_EXITED, sig ? sig : status >> 8);
	if (unwanted)
		proc_detach(p);
	spin_unlock(&proc_lock);
	if (unwanted)
		kfree(p);
	/* Its name is the thread's too. */
	record_end(op, clock_now(), RECORD_EXIT, pid, 0, t->name);
}

void thread_leave(void)
{
	struct thread *t = current;
	struct proc *p = t->proc;
	bool last;

	t->killed = true;     /* no interruptible sleep, */
	t->sigmask = SIG_ALL; /* no more signals */
	futex_thread_exit(t);
	spin_lock(&proc_lock);
	last = p->nr_threads == 1;
	if (last) {
		p->exiting = p->killed = true;
	} else {
		proc_remove_thread(p, t);
		let_go(p, t);
		signal_redirect(p);
	}
	spin_unlock(&proc_lock);
	if (last)
		process_end(p, t);
	thread_exit();
}

void threads_kill(struct proc *p, const struct thread *but)
{
	struct thread *t;

	list_for_each (t, &p->threads, proc_link) {
		if (t == but)
			continue;
		t->killed = true;
		thread_set_work(t, WORK_SIGNAL);
		thread_interrupt(t);
	}
	waitq_wake_all(&p->thread_wait);
}

int threads_end_others(void)
{
	struct thread *t = current;
	struct proc *p = t->proc;
	int err;

	if (p->nr_threads == 1)
		return 0;
	spin_lock(&proc_lock);
	if (!t->killed)
		threads_kill(p, t);
	while (!t->killed && p->nr_threads > 1)
		sleep_on(&p->thread_wait, &proc_lock, 0, KTIME_NEVER);
	err = t->killed ? -ERESTART : 0;
	if (!err)
		t->tid = p->pid;
	spin_unlock(&proc_lock);
	return err;
}

void proc_exit(int wait_status)
{
	struct proc *p = current_proc();

	spin_lock(&proc_lock);
	if (!p->exiting && !current->killed) {
		p->exiting = p->killed = true;
		p->exit_status = wait_status;
		if (p->nr_threads > 1)
			threads_kill(p, current);
	}
	spin_unlock(&proc_lock);
	thread_leave();
}
