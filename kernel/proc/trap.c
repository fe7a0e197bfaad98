/* SPDX-License-Identifier: MIT */
/*
 * Exceptions, after the machine has brought them into one shape.
 *
 * From a program: a page fault that the memory manager can resolve (first touch, copy-on-write,
 * stack growth) is resolved and the instruction runs again; everything else becomes a signal, and
 * if the program has no handler for it, its end and a line on the console.
 *
 * From the kernel there is one legitimate kind: a copy to or from a user address (usercopy.S). Its
 * instructions are in a table with the place where to go on if it fails; first the memory manager
 * tries, since user memory may just not be there yet. Any other exception in the kernel is a
 * mistake of ours: panic, with a guess at which.
 */
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include "room.h"

/* Waits for memory, of up to 100 ms each, before a user copy fails with -EFAULT. */
#define KERNEL_PATIENCE 20

static const char *const trap_names[32] = {
	[TRAP_DE] = "division by zero",
	[TRAP_DB] = "debug exception",
	[TRAP_NMI] = "non-maskable interrupt",
	[TRAP_BP] = "breakpoint",
	[TRAP_OF] = "overflow",
	[TRAP_BR] = "bound range exceeded",
	[TRAP_UD] = "invalid instruction",
	[TRAP_NM] = "FPU not available",
	[TRAP_DF] = "double fault",
	[TRAP_TS] = "invalid TSS",
	[TRAP_NP] = "segment not present",
	[TRAP_SS] = "stack segment fault",
	[TRAP_GP] = "general protection",
	[TRAP_MF] = "x87 error",
	[TRAP_AC] = "alignment check",
	[TRAP_MC] = "machine check",
	[TRAP_XM] = "SIMD floating point error",
};

/* True for an address whose upper bits are not a copy of bit 47: it faults by #GP. */
static bool non_canonical(unsigned long addr)
{
	unsigned long top = addr >> 47;

	return top != 0 && top != 0x1ffff;
}

static const char *access_words(unsigned long err)
{
	if (err & PF_FETCH)
		return "running code";
	return err & PF_WRITE ? "writing" : "reading";
}

static const char *trap_name(const struct trapframe *tf)
{
	const char *name = tf->vector < 32 ? trap_names[tf->vector] : NULL;

	return name ? name : "an exception";
}

/* The error code of @tf in words, for the line about a killed program. */
static void fault_words(const struct trapframe *tf, int sig, int code, char *buf, size_t size)
{
	if (tf->vector == TRAP_PF && sig == SIGBUS)
		snprintk(buf, size,
			 "%s a page that cannot be read in, or behind the end of its file",
			 access_words(tf->err));
	else if (tf->vector == TRAP_PF)
		snprintk(buf, size, "%s %s", access_words(tf->err),
			 tf->cr2 < PAGE_SIZE   ? "through a null pointer"
			 : code == SEGV_ACCERR ? "against the protection of the page"
			 : tf->cr2 >= USER_END ? "an address that is not the program's"
					       : "where nothing is mapped");
	else if (tf->vector == TRAP_GP)
		snprintk(buf, size, "privileged instruction or impossible address (error code %lx)",
			 tf->err);
	else if (tf->vector == TRAP_SYSCALL)
		snprintk(buf, size, "return from a signal handler with a damaged frame");
	else
		snprintk(buf, size, "%s", trap_name(tf));
}

void signal_fault(int sig, int code, unsigned long addr, const struct trapframe *tf)
{
	struct thread *t = current;
	struct proc *p = t->proc;
	struct parvix_siginfo info = {
		.si_signo = sig, .si_code = code, .si_addr = addr, .si_pid = p->pid};
	struct sigact *act = &p->sig.action[sig];
	char words[80];
	bool fatal;

	spin_lock(&p->sig.lock);
	if (act->sa_handler == SIG_IGN || (t->sigmask & SIGBIT(sig))) {
		act->sa_handler = SIG_DFL;
		t->sigmask &= ~SIGBIT(sig);
	}
	fatal = act->sa_handler == SIG_DFL;
	sigpending_add(p, &t->pending, sig, &info, NULL);
	spin_unlock(&p->sig.lock);
	thread_set_work(t, WORK_SIGNAL);
	if (fatal) {
		fault_words(tf, sig, code, words, sizeof(words));
		printk("pid %d (%s): killed by %s: %s; address %lx, ip %lx, sp %lx\n", p->pid,
		       p->name, signal_name(sig), words, addr, tf->rip, tf->rsp);
	}
}

/* What is likely wrong, for a page fault of the kernel's own. */
static const char *guess(unsigned long addr)
{
	if (addr < PAGE_SIZE)
		return "a null pointer was followed";
	if (kvm_is_guard(addr))
		return "the kernel stack overflowed (guard page below it)";
	if (addr < USER_END)
		return "a user address was used without copy_to_user/copy_from_user";
	if (addr >= DIRECT_MAP && addr < DIRECT_MAP + (nr_pages << PAGE_SHIFT))
		return "a page that may not be written was (page table or read-only text?)";
	return "nothing is mapped there";
}

/*
 * Let the memory manager try. When there is no memory, somebody has to die; if that is another, we
 * wait until some process has given its memory back, and try again, @patience times: a fault in
 * the kernel may hold a lock that the dying process needs in order to die.
 */
static int resolve(struct proc *p, const struct trapframe *tf, unsigned patience)
{
	for (;;) {
		int err = aspace_fault(p->aspace, tf->cr2, (unsigned)tf->err);

		if (err != -ENOMEM || p->killed || oom_kill() || patience-- == 0)
			return err;
		memory_wait();
	}
}

static void kernel_page_fault(struct trapframe *tf)
{
	unsigned long fix = extable_find(tf->rip);
	struct proc *p = current ? current->proc : NULL;

	if (!fix)
		panic_frame(tf, "page fault in the kernel, %s %lx: %s", access_words(tf->err),
			    tf->cr2, guess(tf->cr2));
	if (this_cpu()->irq_depth)
		panic_frame(tf, "user memory at %lx was touched with a spinlock held", tf->cr2);
	if (tf->cr2 < USER_END && p && p->aspace) {
		p->usage.ru_minflt++;
		if (!resolve(p, tf, KERNEL_PATIENCE))
			return;
	}
	tf->rip = fix;
}

static void user_page_fault(struct trapframe *tf)
{
	struct proc *p = current->proc;
	unsigned long addr = tf->cr2;
	int err = addr < USER_END ? resolve(p, tf, ~0u) : -EFAULT;

	p->usage.ru_minflt++;
	switch (err) {
	case 0:
		return;
	case -EACCES:
		signal_fault(SIGSEGV, SEGV_ACCERR, addr, tf);
		return;
	case -EIO:
		signal_fault(SIGBUS, BUS_ADRERR, addr, tf);
		return;
	case -ENOMEM:
		if (p->killed) /* it was chosen, and goes on its way out */
			return;
		printk("pid %d (%s): killed: no memory for its page at %lx\n", p->pid, p->name,
		       addr);
		proc_exit(SIGKILL);
	default:
		signal_fault(SIGSEGV, SEGV_MAPERR, addr, tf);
	}
}

/* Which of the floating-point exceptions it was; the registers are still the program's. */
static int fpe_code(const struct trapframe *tf)
{
	void *state = current->arch.fpu;
	unsigned what;

	fpu_save(state);
	what = fpu_exceptions(state, tf->vector == TRAP_XM);
	if (what & FPU_DIVIDE)
		return FPE_FLTDIV;
	if (what & FPU_OVERFLOW)
		return FPE_FLTOVF;
	if (what & (FPU_UNDERFLOW | FPU_DENORMAL))
		return FPE_FLTUND;
	if (what & FPU_PRECISION && !(what & FPU_INVALID))
		return FPE_FLTRES;
	return FPE_FLTINV;
}

static void user_trap(struct trapframe *tf)
{
	unsigned long ip = tf->rip;

	switch (tf->vector) {
	case TRAP_DE:
		signal_fault(SIGFPE, FPE_INTDIV, ip, tf);
		break;
	case TRAP_OF:
		signal_fault(SIGFPE, FPE_INTOVF, ip, tf);
		break;
	case TRAP_MF:
	case TRAP_XM:
	case TRAP_NM:
		signal_fault(SIGFPE, fpe_code(tf), ip, tf);
		break;
	case TRAP_DB:
		tf->rflags &= ~(uint64_t)RFLAGS_TF;
		signal_fault(SIGTRAP, TRAP_TRACE, ip, tf);
		break;
	case TRAP_BP:
		signal_fault(SIGTRAP, TRAP_BRKPT, ip, tf);
		break;
	case TRAP_UD:
		signal_fault(SIGILL, ILL_ILLOPC, ip, tf);
		break;
	case TRAP_AC:
		signal_fault(SIGBUS, BUS_ADRALN, ip, tf);
		break;
	default: /* #GP, #SS, #NP, #TS, #BR: segments and addresses */
		signal_fault(SIGSEGV, SI_KERNEL, 0, tf);
	}
}

static void kernel_trap(struct trapframe *tf)
{
	unsigned long fix;

	if (tf->vector == TRAP_GP) {
		fix = extable_find(tf->rip);
		if (fix) {
			tf->rip = fix;
			return;
		}
		panic_frame(tf,
			    "general protection in the kernel, error code %lx: a non-canonical "
			    "pointer%s, or an instruction that is not for this mode",
			    tf->err,
			    non_canonical(tf->rax) || non_canonical(tf->rdi) ||
					    non_canonical(tf->rsi) || non_canonical(tf->rbx)
				    ? " (there is one in a register below)"
				    : "");
	}
	panic_frame(tf, "%s in the kernel (exception %lu, error code %lx)", trap_name(tf),
		    tf->vector, tf->err);
}

void trap_dispatch(struct trapframe *tf)
{
	if (tf->vector == TRAP_MC || tf->vector == TRAP_DF)
		kernel_trap(tf);
	else if (!frame_from_user(tf))
		tf->vector == TRAP_PF ? kernel_page_fault(tf) : kernel_trap(tf);
	else if (tf->vector == TRAP_PF)
		user_page_fault(tf);
	else
		user_trap(tf);
}
