/* SPDX-License-Identifier: MIT */
/*
 * Making threads.
 *
 * A thread is its kernel stack. At the very top lies the frame with the user's registers, always at
 * the same place, since every entry from user mode begins at the top; a kernel thread has the room
 * too, so that it can become a process (the first one does). Below it a new thread gets a frame for
 * context_switch() to return through: into thread_start, which calls a C function and then leaves
 * the kernel by way of the register frame.
 *
 *     kstack_top ->  struct trapframe      user registers
 *     arch.rsp   ->  struct switchframe    r12 = function, r13 = argument, rip = thread_start
 */
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include <usercopy.h>
#include "room.h"

struct kthread_start {
	void (*fn)(void *);
	void *arg;
};

void *thread_fpu_alloc(void)
{
	void *fpu = kmalloc(max(fpu_state_size, 64u), 0);

	if (fpu)
		fpu_init_state(fpu);
	return fpu;
}

struct thread *thread_create(const char *name, void (*fn)(void *), void *arg, struct proc *p)
{
	struct thread *t = kmalloc(sizeof(*t), ALLOC_ZERO);
	struct switchframe *sw;
	char *top;

	if (!t)
		return NULL;
	top = kstack_alloc();
	if (p)
		t->arch.fpu = thread_fpu_alloc();
	if (!top || (p && !t->arch.fpu)) {
		t->arch.kstack_top = (unsigned long)top;
		thread_free(t);
		return NULL;
	}
	t->arch.kstack_top = (unsigned long)top;
	t->frame = (struct trapframe *)top - 1;
	memset(t->frame, 0, sizeof(*t->frame));
	sw = (struct switchframe *)t->frame - 1;
	memset(sw, 0, sizeof(*sw));
	sw->rip = (unsigned long)thread_start;
	sw->r12 = (unsigned long)fn;
	sw->r13 = (unsigned long)arg;
	t->arch.rsp = (unsigned long)sw;
	t->proc = p;
	t->state = THREAD_NEW;
	t->priority = 20;
	t->cpu = this_cpu(); /* from the start: somebody may send it a signal */
	sigpending_init(&t->pending);
	list_init(&t->run_link);
	list_init(&t->proc_link);
	strlcpy(t->name, name, sizeof(t->name));
	return t;
}

void thread_free(struct thread *t)
{
	if (t->arch.kstack_top)
		kstack_free((void *)t->arch.kstack_top);
	kfree(t->arch.fpu);
	kfree(t);
}

/*
 * A kernel thread ends when its function returns, unless it has become a process meanwhile: then
 * returning from here leads to user mode.
 */
static void kthread_main(void *start)
{
	struct kthread_start ks = *(struct kthread_start *)start;

	sched_first_run();
	kfree(start);
	ks.fn(ks.arg);
	if (!current->proc)
		thread_exit();
}

struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg)
{
	struct kthread_start *ks = kmalloc(sizeof(*ks), 0);
	struct thread *t;

	if (!ks)
		return NULL;
	ks->fn = fn;
	ks->arg = arg;
	t = thread_create(name, kthread_main, ks, NULL);
	if (!t) {
		kfree(ks);
		return NULL;
	}
	thread_ready(t);
	return t;
}

/* ---- threads of programs ---- */

pid_t proc_thread_create(unsigned long entry, unsigned long arg, unsigned long sp,
			 unsigned long tls, unsigned long tid_at)
{
	struct proc *p = current_proc();
	struct thread *t;
	pid_t tid;
	int err;

	if (entry >= USER_END || sp > USER_END || tls >= USER_END || (tid_at & 3))
		return -EINVAL;
	if (!memory_left())
		return -ENOMEM;
	t = thread_create(current->name, thread_to_user, NULL, p);
	if (!t)
		return -ENOMEM;
	thread_copy(t, current->frame);
	t->frame->vector = TRAP_EVENT;
	t->frame->rip = entry;
	t->frame->rdi = arg;
	t->frame->rsp = sp;
	t->frame->rbp = 0;
	t->frame->rflags = RFLAGS_IF | 2;
	t->arch.fs_base = tls;
	t->altstack.ss_flags = SS_DISABLE;
	t->tid_at = tid_at;
	err = proc_add_thread(p, t);
	if (!err) {
		tid = t->tid;
		if (!put_user(UADDR(tid_at), tid)) {
			thread_ready(t);
			return tid;
		}
		err = -EFAULT;
		spin_lock(&proc_lock);
		proc_remove_thread(p, t);
		spin_unlock(&proc_lock);
	}
	thread_free(t);
	return err;
}

/* First who joins is told, then the stack goes: it may hold the word that tells him. */
void proc_thread_exit(unsigned long stack, unsigned long len)
{
	struct thread *t = current;
	struct aspace *as = t->proc->aspace;

	t->sigmask = SIG_ALL; /* there is no stack for a handler */
	futex_thread_exit(t);
	if (len) {
		mutex_lock(&as->lock);
		aspace_unmap(as, stack, stack + ROUND_UP(len, PAGE_SIZE));
		mutex_unlock(&as->lock);
	}
	thread_leave();
}
