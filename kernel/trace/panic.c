/* SPDX-License-Identifier: MIT */
/*
 * The end, told well: what happened, where (registers, a backtrace with names), how the faulting
 * address is mapped, and the last things that went through the trace ring. Then the machine is
 * stopped as crashed, so that whoever runs it knows.
 *
 * An NMI is somebody's question "what are you doing?" to a machine that does not answer otherwise.
 * It is answered in the same way, and then the machine goes on, unless the kernel argument
 * `panic-on-nmi` says that this was meant to be the end.
 *
 * Nothing here takes a lock or allocates. A panic inside a panic says so in one line and stops at
 * once. With more CPUs, the first one that panics speaks; the others go on until the machine stops.
 *
 * A backtrace follows the chain of frame pointers: every function begins with `push %rbp; mov %rsp,
 * %rbp`, so at %rbp lies the caller's %rbp and above it the return address. A broken chain must not
 * fault, so each link has to lie higher than the last one, on the same stack, and to return
 * into kernel text.
 */
#include <bootarg.h>
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <string.h>
#include <proc.h>

#define BACKTRACE_MAX 24
#define TRACE_TAIL 20

extern char _text[], _etext[], _data[], _end[];

bool panicking;
static struct cpu *panic_cpu;

static bool in_text(unsigned long addr)
{
	return addr >= (unsigned long)_text && addr < (unsigned long)_etext;
}

/* Upper end of the stack on which @addr lies, as far as it is mapped; 0: not a stack of ours. */
static unsigned long stack_end(unsigned long addr)
{
	if (addr >= (unsigned long)_data && addr < (unsigned long)_end)
		return (unsigned long)_end; /* the boot stack */
	if (addr >= KVM_BASE && addr < KVM_BASE + KVM_SIZE && !kvm_is_guard(addr)) {
		unsigned long end = ROUND_DOWN(addr, PAGE_SIZE) + PAGE_SIZE;

		while (end < KVM_BASE + KVM_SIZE && !kvm_is_guard(end))
			end += PAGE_SIZE;
		return end;
	}
	return 0;
}

static void print_address(unsigned long addr)
{
	char name[80];

	symbol_name(addr, name, sizeof(name));
	printk("  %016lx  %s\n", addr, name);
}

void backtrace_print(unsigned long rip, unsigned long rbp)
{
	unsigned long end = stack_end(rbp);

	printk("backtrace:\n");
	if (rip)
		print_address(rip);
	for (int i = 0; i < BACKTRACE_MAX; i++) {
		if (!end || rbp % 8 || rbp + 16 > end)
			return;
		const unsigned long *frame = (const unsigned long *)rbp;

		if (!in_text(frame[1]))
			return;
		print_address(frame[1]);
		if (frame[0] <= rbp)
			return;
		rbp = frame[0];
	}
	printk("  ...\n");
}

static void print_who(void)
{
	struct cpu *c = this_cpu();
	struct thread *t = current;

	printk("on CPU %u, in ", c->id);
	if (!t)
		printk("the boot code");
	else if (t->proc)
		printk("process %d (%s)", t->proc->pid, t->name);
	else
		printk("kernel thread %s", t->name);
	printk("; world %s, %s\n", boot_info.world ? boot_info.world : "?", boot_info.hypervisor);
}

static void print_frame(const struct trapframe *tf)
{
	char name[80];

	symbol_name(tf->rip, name, sizeof(name));
	printk("vector %lu, error code %#lx, from %s mode\n", tf->vector, tf->err,
	       frame_from_user(tf) ? "user" : "kernel");
	printk("rip %016lx  %s\n", tf->rip, name);
	printk("rsp %016lx  rflags %08lx  cs %04lx  ss %04lx\n", tf->rsp, tf->rflags, tf->cs,
	       tf->ss);
	printk("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", tf->rax, tf->rbx, tf->rcx,
	       tf->rdx);
	printk("rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", tf->rsi, tf->rdi, tf->rbp,
	       tf->r8);
	printk("r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", tf->r9, tf->r10, tf->r11,
	       tf->r12);
	printk("r13 %016lx  r14 %016lx  r15 %016lx\n", tf->r13, tf->r14, tf->r15);
}

static void print_fault(const struct trapframe *tf)
{
	printk("%s of address %016lx: %s\n",
	       tf->err & PF_FETCH   ? "execution"
	       : tf->err & PF_WRITE ? "write"
				    : "read",
	       tf->cr2, tf->err & PF_PRESENT ? "not permitted" : "nothing is mapped there");
	mmu_print_walk(tf->cr2);
}

void nmi_interrupt(struct trapframe *tf)
{
	uint64_t before = this_cpu()->trace_next; /* printing leaves records, too */

	if (panicking)
		return;
	if (boot_flag("panic-on-nmi"))
		panic_frame(tf, "an NMI came, and the kernel argument panic-on-nmi is given");
	printk("\nNMI: this is what it interrupted\n");
	print_who();
	print_frame(tf);
	if (!frame_from_user(tf))
		backtrace_print(tf->rip, tf->rbp);
	trace_print_tail(before, TRACE_TAIL);
	printk("NMI: going on\n");
}

static void __noreturn crash(void)
{
	machine->power(POWER_CRASH);
}

/* Only one panic speaks; returns only for that. */
static void panic_begin(void)
{
	if (machine)
		machine->irq_disable();
	if (!__atomic_exchange_n(&panicking, true, __ATOMIC_SEQ_CST)) {
		panic_cpu = this_cpu();
		return;
	}
	while (panic_cpu != this_cpu())
		cpu_relax(); /* another CPU speaks, and will stop the machine */
	printk("\npanic inside a panic");
}

/* The first line of it, to be said again: a screen of 25 lines does not show the beginning. */
static char reason[80];

static __attribute__((noinline)) void panic_say(const char *fmt, va_list ap, bool again)
{
	va_list copy;

	va_copy(copy, ap);
	printk(again ? ": " : "\npanic: ");
	vprintk(fmt, ap);
	printk("\n");
	if (again)
		crash();
	vsnprintk(reason, sizeof(reason), fmt, copy);
	va_end(copy);
	print_who();
}

static void __noreturn panic_end(void)
{
	char *end = strchr(reason, '\n');

	trace_print_tail(this_cpu()->trace_next, TRACE_TAIL);
	if (end)
		*end = 0;
	printk("(panic: %s)\nThe machine stops here.\n", reason);
	crash();
}

void panic(const char *fmt, ...)
{
	bool again = panicking && panic_cpu == this_cpu();
	va_list ap;

	panic_begin();
	va_start(ap, fmt);
	panic_say(fmt, ap, again);
	backtrace_print((unsigned long)__builtin_return_address(0),
			*(unsigned long *)__builtin_frame_address(0));
	panic_end();
}

void panic_frame(const struct trapframe *tf, const char *fmt, ...)
{
	bool again = panicking && panic_cpu == this_cpu();
	va_list ap;

	panic_begin();
	va_start(ap, fmt);
	panic_say(fmt, ap, again);
	print_frame(tf);
	if (tf->vector == TRAP_PF)
		print_fault(tf);
	if (!frame_from_user(tf))
		backtrace_print(tf->rip, tf->rbp);
	panic_end();
}
