/* SPDX-License-Identifier: MIT */
/*
 * Receiving signals: what happens on the way back to user mode.
 *
 * A handler is a function call that the program did not make. The kernel writes what is needed to
 * go on afterwards onto the user's stack, and changes the register frame so that the return to user
 * mode enters the handler:
 *
 *     old rsp ->   ...
 *                  128 bytes that belong to leaf functions below rsp (the ABI's red zone)
 *                  FPU, SSE and AVX registers, 64-byte aligned
 *                  struct parvix_ucontext       registers, mask      <- %rdx
 *                  struct parvix_siginfo                             <- %rsi
 *     new rsp ->   return address: the restorer, which makes the call `sigreturn`
 *
 * sigreturn reads it back. What comes from user memory is only believed where it can do no harm:
 * segments and the privileged flags are ours, the FPU image is sanitized, the address must be a
 * user's. Under PV this matters as much as natively: the iret hypercall takes its frame from us,
 * and a frame that Xen refuses would come back as a failsafe callback or a dead domain.
 *
 * System calls that were interrupted left -ERESTART in %rax. If no handler runs, or one with
 * SA_RESTART, the call is made again: %rip goes back over the two bytes of `syscall`, and %rax gets
 * the number again, which the frame has kept in `err`.
 */
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include <usercopy.h>
#include "room.h"

#define RED_ZONE 128
#define SYSCALL_INSN 2

struct sigframe {
	unsigned long restorer;
	struct parvix_siginfo info;
	struct parvix_ucontext uc;
};

/* Back to before the interrupted system call; @handler: one is about to run, with these flags. */
static void restart(struct trapframe *tf, bool handler, unsigned long flags)
{
	long ret = (long)tf->rax;

	if (tf->vector != TRAP_SYSCALL || (ret != -ERESTART && ret != -ERESTARTNOHAND))
		return;
	if (handler && (ret == -ERESTARTNOHAND || !(flags & SA_RESTART))) {
		tf->rax = (unsigned long)-EINTR;
		current->restart_until = 0;
	} else {
		tf->rax = tf->err;
		tf->rip -= SYSCALL_INSN;
	}
	/* Once only: the frame is no system call's any more. */
	tf->vector = TRAP_EVENT;
}

static bool on_altstack(const struct parvix_stack *as, unsigned long sp)
{
	return !(as->ss_flags & SS_DISABLE) && as->ss_size && sp > as->ss_sp &&
	       sp - as->ss_sp <= as->ss_size;
}

static void save_registers(struct parvix_mcontext *mc, const struct trapframe *tf)
{
	mc->r15 = tf->r15;
	mc->r14 = tf->r14;
	mc->r13 = tf->r13;
	mc->r12 = tf->r12;
	mc->rbp = tf->rbp;
	mc->rbx = tf->rbx;
	mc->r11 = tf->r11;
	mc->r10 = tf->r10;
	mc->r9 = tf->r9;
	mc->r8 = tf->r8;
	mc->rax = tf->rax;
	mc->rcx = tf->rcx;
	mc->rdx = tf->rdx;
	mc->rsi = tf->rsi;
	mc->rdi = tf->rdi;
	mc->rip = tf->rip;
	mc->rflags = tf->rflags;
	mc->rsp = tf->rsp;
	mc->trapno = tf->vector;
	mc->err = tf->err;
	mc->cr2 = tf->cr2;
}

static void load_registers(struct trapframe *tf, const struct parvix_mcontext *mc)
{
	tf->r15 = mc->r15;
	tf->r14 = mc->r14;
	tf->r13 = mc->r13;
	tf->r12 = mc->r12;
	tf->rbp = mc->rbp;
	tf->rbx = mc->rbx;
	tf->r11 = mc->r11;
	tf->r10 = mc->r10;
	tf->r9 = mc->r9;
	tf->r8 = mc->r8;
	tf->rax = mc->rax;
	tf->rcx = mc->rcx;
	tf->rdx = mc->rdx;
	tf->rsi = mc->rsi;
	tf->rdi = mc->rdi;
	tf->rip = mc->rip;
	tf->rsp = mc->rsp;
	tf->rflags = (mc->rflags & RFLAGS_USER) | RFLAGS_IF | 2;
	tf->cs = machine->user_cs;
	tf->ss = machine->user_ss;
}

/* Make @tf enter the handler. False: the stack cannot be written. */
static bool push_handler(struct trapframe *tf, int sig, const struct sigact *act,
			 const struct parvix_siginfo *info)
{
	struct thread *t = current;
	const struct parvix_stack *alt = &t->altstack;
	unsigned long sp = tf->rsp - RED_ZONE, fp, at;
	struct sigframe frame = {.restorer = t->proc->sig.restorer, .info = *info};

	frame.uc.uc_stack = *alt;
	if (on_altstack(alt, tf->rsp))
		frame.uc.uc_stack.ss_flags |= SS_ONSTACK;
	else if ((act->sa_flags & SA_ONSTACK) && !(alt->ss_flags & SS_DISABLE) && alt->ss_size)
		sp = alt->ss_sp + alt->ss_size;
	fp = (sp - fpu_state_size) & ~63ul;
	at = ((fp - sizeof(frame)) & ~15ul) - 8;
	if (at > sp || act->sa_handler >= USER_END)
		return false;
	frame.uc.uc_sigmask = t->restore_mask ? t->sigmask_saved : t->sigmask;
	frame.uc.uc_fpstate = fp;
	save_registers(&frame.uc.uc_mcontext, tf);
	fpu_save(t->arch.fpu);
	if (copy_to_user(UADDR(fp), t->arch.fpu, fpu_state_size) ||
	    copy_to_user(UADDR(at), &frame, sizeof(frame)))
		return false;
	tf->rip = act->sa_handler;
	tf->rsp = at;
	tf->rdi = (unsigned long)sig;
	tf->rsi = at + offsetof(struct sigframe, info);
	tf->rdx = at + offsetof(struct sigframe, uc);
	tf->rax = 0;
	tf->rflags &= ~(RFLAGS_DF | RFLAGS_TF);
	t->restart_until = 0;
	t->restore_mask = false;
	signal_set_mask(
		(t->sigmask | act->sa_mask | (act->sa_flags & SA_NODEFER ? 0 : SIGBIT(sig))) &
		~SIG_UNBLOCKABLE);
	return true;
}

long signal_return(struct trapframe *tf)
{
	struct thread *t = current;
	struct parvix_ucontext uc;
	unsigned long at = tf->rsp - 8;
	void *fpu = kmalloc(fpu_state_size, 0);
	bool ok;

	if (!fpu) {
		printk("pid %d (%s): no memory to return from a signal handler\n", t->proc->pid,
		       t->proc->name);
		proc_exit(SIGKILL);
	}
	ok = !copy_from_user(&uc, UADDR(at + offsetof(struct sigframe, uc)), sizeof(uc)) &&
	     !copy_from_user(fpu, UADDR(uc.uc_fpstate), fpu_state_size) && fpu_sanitize(fpu) &&
	     uc.uc_mcontext.rip < USER_END;
	if (ok) {
		irq_push_off();
		memcpy(t->arch.fpu, fpu, fpu_state_size);
		fpu_restore(t->arch.fpu);
		irq_pop_off();
		load_registers(tf, &uc.uc_mcontext);
		signal_set_mask(uc.uc_sigmask & SIG_ALL & ~SIG_UNBLOCKABLE);
		/* This is no call to be restarted. */
		tf->vector = TRAP_EVENT;
	}
	kfree(fpu);
	if (!ok)
		signal_fault(SIGSEGV, SI_KERNEL, at, tf);
	return (long)tf->rax;
}

/* As long as the process is stopped. proc_lock held, and given up. */
static void stay_stopped(struct proc *p, struct thread *t)
{
	while (p->state == PROC_STOPPED && !t->killed)
		sleep_on(&p->thread_wait, &proc_lock, 0, KTIME_NEVER);
	spin_unlock(&proc_lock);
}

/* The current thread has taken @sig: all of @p stops. The others do so before they return to user
 * mode; those that sleep in the kernel need not be disturbed. */
static void stop(struct proc *p, int sig)
{
	struct thread *t;

	thread_account();
	spin_lock(&proc_lock);
	/* A SIGCONT or SIGKILL may have come between the decision and now. */
	if (p->killed || p->state == PROC_STOPPED || (p->sig.pending.set & SIGBIT(SIGCONT)) ||
	    (sig != SIGSTOP && pgrp_orphaned_without(p->pgid, NULL))) {
		spin_unlock(&proc_lock);
		return;
	}
	p->state = PROC_STOPPED;
	p->stop_sig = sig;
	notify_parent(p, CLD_STOPPED, sig);
	list_for_each (t, &p->threads, proc_link)
		thread_set_work(t, WORK_SIGNAL);
	stay_stopped(p, current);
}

/* Take one deliverable signal, with its action. 0: there is none. */
static int take(struct proc *p, struct thread *t, struct parvix_siginfo *info, struct sigact *act)
{
	int sig;

	spin_lock(&p->sig.lock);
	sig = signal_take(~t->sigmask, info);
	if (sig) {
		*act = p->sig.action[sig];
		if ((act->sa_flags & SA_RESETHAND) && act->sa_handler > SIG_IGN) {
			p->sig.action[sig].sa_handler = SIG_DFL;
			p->sig.action[sig].sa_flags &= ~SA_SIGINFO;
		}
	}
	spin_unlock(&p->sig.lock);
	return sig;
}

/* Signals that say that the program itself is wrong: worth a report. */
#define SIG_CRASH                                                                                \
	(SIGBIT(SIGQUIT) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | SIGBIT(SIGABRT) | SIGBIT(SIGFPE) | \
	 SIGBIT(SIGBUS) | SIGBIT(SIGSEGV))

static void default_action(struct proc *p, int sig)
{
	switch (signal_default(sig)) {
	case SIGDEF_IGNORE:
	case SIGDEF_CONT:
		break;
	case SIGDEF_STOP:
		if (p != init_proc)
			stop(p, sig);
		break;
	case SIGDEF_KILL:
		if (p != init_proc || sig == SIGSEGV || sig == SIGBUS || sig == SIGILL ||
		    sig == SIGFPE || sig == SIGTRAP)
			proc_exit(sig);
		break;
	}
}

/* Is the current thread to end, or to wait until its process goes on? Then it does so first. */
static void heed_process(struct proc *p, struct thread *t)
{
	if (unlikely(p->state == PROC_STOPPED)) {
		spin_lock(&proc_lock);
		stay_stopped(p, t);
	}
	if (unlikely(t->killed))
		thread_leave();
	if (unlikely(p->killed))
		proc_exit(SIGKILL);
}

void signal_deliver(struct trapframe *tf)
{
	struct thread *t = current;
	struct proc *p = t->proc;
	struct parvix_siginfo info;
	struct sigact act;
	int sig;

	if (!p)
		return;
	for (;;) {
		heed_process(p, t);
		sig = take(p, t, &info, &act);
		if (!sig)
			break;
		trace(signal, p->pid, sig, tf->rip);
		if (unlikely(p->tracer))
			tracer_signal(sig, &info);
		if (act.sa_handler == SIG_IGN && !(SIG_UNBLOCKABLE & SIGBIT(sig)))
			continue;
		if (act.sa_handler <= SIG_IGN || (SIG_UNBLOCKABLE & SIGBIT(sig))) {
			if ((SIG_CRASH & SIGBIT(sig)) && p != init_proc)
				crash_report(sig, &info, tf);
			default_action(p, sig);
			continue;
		}
		restart(tf, true, act.sa_flags);
		if (!push_handler(tf, sig, &act, &info)) {
			printk("pid %d (%s): killed by SIGSEGV: no stack for its handler of %s at "
			       "%p\n",
			       p->pid, p->name, signal_name(sig), (void *)tf->rsp);
			proc_exit(SIGSEGV);
		}
	}
	restart(tf, false, 0);
	if (t->restore_mask) {
		/* sigsuspend without a handler: it starts again with the mask it began with. */
		t->restore_mask = false;
		signal_set_mask(t->sigmask_saved);
	}
}

void user_return_work(struct trapframe *tf)
{
	struct cpu *c = this_cpu();

	while (c->work) {
		if (c->work & WORK_RESCHED) {
			schedule();
			c = this_cpu();
		}
		if (c->work & WORK_SIGNAL) {
			struct thread *t = current;

			__atomic_and_fetch(&t->work, ~WORK_SIGNAL, __ATOMIC_RELAXED);
			__atomic_and_fetch(&c->work, ~WORK_SIGNAL, __ATOMIC_RELAXED);
			machine->irq_enable();
			signal_deliver(tf);
			machine->irq_disable();
			c = this_cpu();
		}
	}
}
