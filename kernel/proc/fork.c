/* SPDX-License-Identifier: MIT */
/*
 * fork: a second process that is a copy of the first.
 *
 * Nearly all of the work is the address space (mm/copy.c): the child's page tables are filled with
 * plain stores while nobody else knows them, the parent's writable pages become read-only, and no
 * page is copied before one of the two writes to it. Under PV the filled tables are then handed to
 * Xen in one call, and the parent's changes are sent in one batch.
 *
 * The child has one thread, a new one, whatever the parent has. At the top of its stack lies a copy
 * of the parent's register frame, with 0 in %rax; so when it runs first it leaves the kernel as if
 * its own fork had just returned.
 *
 * vfork copies no memory: the child uses the parent's address space, which counts its users, and
 * the thread that called sleeps until the child gives it back, by execve or exit. Its stack is in
 * use meanwhile. The parent's other threads run on.
 *
 * Everything that can fail is done before the child gets a pid, so a failure frees what there
 * is and nobody has seen it.
 */
#include <fs.h>
#include <machine.h>
#include <mm.h>
#include <proc.h>
#include <record.h>
#include <string.h>
#include "room.h"

void thread_to_user(void *unused)
{
	(void)unused;
	sched_first_run();
}

static void copy_signals(struct proc *p, struct proc *parent)
{
	spin_lock(&parent->sig.lock);
	memcpy(p->sig.action, parent->sig.action, sizeof(p->sig.action));
	p->sig.restorer = parent->sig.restorer;
	spin_unlock(&parent->sig.lock);
}

void thread_copy(struct thread *t, const struct trapframe *tf)
{
	const struct thread *from = current;

	*t->frame = *tf;
	t->frame->rax = 0;
	t->arch.fs_base = from->arch.fs_base;
	/* The creator's registers: the kernel has not touched them. */
	fpu_save(t->arch.fpu);
	t->priority = from->priority;
	t->sigmask = from->restore_mask ? from->sigmask_saved : from->sigmask;
}

/* Undo a fork that nobody has seen. */
static void fork_undo(struct proc *p)
{
	ptimers_free(p);
	if (proc_thread(p))
		thread_free(proc_thread(p));
	if (p->aspace)
		aspace_put(p->aspace);
	if (p->fds)
		fdtable_free(p->fds);
	if (p->cwd)
		vnode_put(p->cwd);
	if (p->root)
		vnode_put(p->root);
	exe_put(p->exe);
	kfree(p);
}

/*
 * Is there memory left for user pages? If not, the copy would be made out of the kernel's reserve,
 * and its first steps would call for the out-of-memory killer: better to refuse now.
 */
bool memory_left(void)
{
	struct page *pg = page_alloc(0, ALLOC_USER);

	if (pg)
		page_put(pg);
	return pg != NULL;
}

/* An address space that is lent: lies on the stack of the parent's thread. Under proc_lock. */
struct loan {
	struct waitq wait;
	bool over;
};

void loan_return(struct proc *p)
{
	if (likely(!p->loan))
		return;
	spin_lock(&proc_lock);
	if (p->loan) {
		p->loan->over = true;
		waitq_wake_all(&p->loan->wait);
		p->loan = NULL;
	}
	spin_unlock(&proc_lock);
}

/* Signals wait as well; but somebody who is killed does not have to see the child's end. */
static void loan_wait(struct proc *child, struct loan *loan)
{
	sigset_t mask = current->sigmask;
	int err = 0;

	signal_set_mask(SIG_ALL);
	spin_lock(&proc_lock);
	while (!loan->over && !err)
		err = sleep_on(&loan->wait, &proc_lock, SLEEP_INTR, KTIME_NEVER);
	if (!loan->over)
		child->loan = NULL;
	spin_unlock(&proc_lock);
	signal_set_mask(mask);
}

static int give_memory(struct proc *p, struct proc *parent, struct trapframe *tf, struct loan *loan)
{
	if (!loan)
		return aspace_fork(parent->aspace, &p->aspace, tf->rsp);
	aspace_get(parent->aspace);
	p->aspace = parent->aspace;
	p->loan = loan;
	return 0;
}

/* The child's pid; *@child is valid as long as @loan is not over. */
static pid_t make_child(struct trapframe *tf, enum fork_how how, struct loan *loan,
			struct proc **child)
{
	struct proc *parent = current_proc(), *p;
	struct thread *t;
	pid_t pid;
	int err;

	if (nr_procs >= proc_max())
		return -EAGAIN;
	if (!memory_left())
		return -ENOMEM;
	p = proc_alloc();
	if (!p)
		return -ENOMEM;
	p->cred = parent->cred;
	p->umask = parent->umask;
	p->cwd = vnode_get(parent->cwd);
	p->root = vnode_get(parent->root);
	p->exe = exe_get(parent->exe);
	memcpy(p->limits, parent->limits, sizeof(p->limits));
	memcpy(p->name, parent->name, sizeof(p->name));
	copy_signals(p, parent);
	if (how == FORK_SPAWN)
		signal_reset(p);
	err = -ENOMEM;
	p->fds = fdtable_copy(parent->fds);
	if (!p->fds)
		goto undo;
	t = thread_create(p->name, thread_to_user, NULL, p);
	if (!t)
		goto undo;
	proc_add_first(p, t);
	thread_copy(t, tf);
	t->altstack = current->altstack;
	err = ptimers_limit(p);
	if (!err)
		err = give_memory(p, parent, tf, loan);
	if (err)
		goto undo;
	err = proc_attach(p, parent);
	if (err)
		goto undo;
	/* From here on it may be killed and reaped at any moment. */
	pid = p->pid;
	*child = p;
	count(forks);
	trace(fork, parent->pid, pid, 0);
	if (unlikely(parent->tracer))
		tracer_fork(parent, p);
	thread_ready(t);
	return pid;
undo:
	fork_undo(p);
	return err;
}

pid_t proc_fork(struct trapframe *tf, enum fork_how how)
{
	struct proc *p = current_proc(), *child = NULL;
	struct record_op *op;
	struct loan loan;
	pid_t pid;

	loan.over = false;
	waitq_init(&loan.wait);
	thread_account();
	op = record_begin(current->stamp);
	pid = make_child(tf, how, how == FORK_COPY ? NULL : &loan, &child);
	thread_account_kernel();
	if (pid > 0)
		record_end(op, current->stamp, RECORD_FORK, p->pid, pid, p->name);
	else
		record_drop(op);
	if (pid > 0 && how != FORK_COPY)
		loan_wait(child, &loan);
	return pid;
}
