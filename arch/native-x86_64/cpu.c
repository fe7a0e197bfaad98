/* SPDX-License-Identifier: MIT */
/*
 * What belongs to the processor: descriptor tables, the registers of the system call, and what
 * changes with the thread.
 *
 * Segments do little in 64-bit mode, but the processor insists on them: a selector says in which
 * ring code runs, `syscall` and `sysret` load fixed ones, and the task state segment says which
 * stack to use when an exception comes from ring 3 (rsp0), and which for the few that must not
 * trust the stack in use (the interrupt stack table):
 *
 *     double fault     the kernel stack may just have run into its guard page
 *     NMI              comes at any instruction, also between `syscall` and the first move to a
 *     machine check    stack
 *
 * When the thread changes, three registers do: CR3 if the page tables differ, rsp0, and the base of
 * FS. Under PV this is a multicall of up to four (arch/pv-x86_64/cpu.c); here each is an
 * instruction.
 */
#include "../x86_64/cpuid.h"
#include "native.h"

#define CR4_PGE (1ul << 7)
#define CR4_UMIP (1ul << 11)
#define CR4_SMEP (1ul << 20)
#define CPUID_7_EBX_SMEP (1u << 7)
#define CPUID_7_ECX_UMIP (1u << 2)
#define STAR_VALUE ((uint64_t)KERNEL_CS << 32 | (uint64_t)(KERNEL_SS | 3) << 48)
/* Flags that `syscall` clears: trap, interrupt, direction, nested task, alignment check. */
#define FMASK_VALUE (RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | 0x4000 | RFLAGS_AC)
#define IST_STACK 4096

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} __packed;

_Static_assert(sizeof(struct tss) == 104, "TSS, Intel SDM volume 3, 8.7");

static struct native_cpu {
	uint64_t gdt[7];
	struct tss tss;
	const struct thread_arch *user; /* whose stack and FS base the processor has */
	unsigned long fs_base;
} native_cpus[MAX_CPUS];

static char ist_stacks[3][IST_STACK] __aligned(16); /* of CPU 0 */

void native_syscall_entry(void);

static void load_tables(const struct native_cpu *n)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __packed gdtr = {sizeof(n->gdt) - 1, (uint64_t)n->gdt};

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %2, %%ss\n\t"
			 "ltr %w3"
			 :
			 : "m"(gdtr), "i"(KERNEL_CS), "r"(KERNEL_SS), "r"(TSS_SELECTOR)
			 : "rax", "memory");
}

void cpu_tables_init(void)
{
	struct native_cpu *n = &native_cpus[0];
	uint64_t tss = (uint64_t)&n->tss, limit = sizeof(n->tss) - 1;

	n->gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
	n->gdt[KERNEL_SS / 8] = 0x00cf93000000ffff;
	n->gdt[USER_SS / 8] = 0x00cff3000000ffff;
	n->gdt[USER_CS / 8] = 0x00affb000000ffff;
	n->gdt[TSS_SELECTOR / 8] = limit | (tss & 0xffffff) << 16 | 0x89ull << 40 |
				   (tss >> 24 & 0xff) << 56;
	n->gdt[TSS_SELECTOR / 8 + 1] = tss >> 32;
	n->tss.io_map = sizeof(n->tss); /* none: ports are the kernel's */
	for (unsigned i = 0; i < ARRAY_SIZE(ist_stacks); i++)
		n->tss.ist[i] = (uint64_t)ist_stacks[i] + IST_STACK;
	load_tables(n);
}

void native_cpu_init(void)
{
	unsigned long cr4 = read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_PGE;

	if (cpuid(0, 0).eax >= 7) {
		if (cpuid(7, 0).ebx & CPUID_7_EBX_SMEP)
			cr4 |= CR4_SMEP;
		if (cpuid(7, 0).ecx & CPUID_7_ECX_UMIP)
			cr4 |= CR4_UMIP;
	}
	write_cr4(cr4);
	wrmsr(MSR_STAR, STAR_VALUE);
	wrmsr(MSR_LSTAR, (uint64_t)native_syscall_entry);
	wrmsr(MSR_FMASK, FMASK_VALUE);
	wrmsr(MSR_KERNEL_GS_BASE, 0); /* the program's: swapgs exchanges it with ours */
}

void native_switch_to(struct thread_arch *from, struct thread_arch *to, struct mmu *to_mmu)
{
	struct cpu *c = this_cpu();
	struct native_cpu *n = &native_cpus[c->id];

	(void)from;
	if (to_mmu != c->mmu)
		native_mmu_load(to_mmu);
	if (!to->fpu) /* a kernel thread never enters from user mode */
		return;
	n->tss.rsp[0] = to->kstack_top;
	c->kstack_top = to->kstack_top;
	if (n->user != to || n->fs_base != to->fs_base) {
		wrmsr(MSR_FS_BASE, to->fs_base);
		n->user = to;
		n->fs_base = to->fs_base;
	}
}

/* Of the thread now running. @base is canonical: checked by the caller. */
void native_set_fs_base(unsigned long base)
{
	wrmsr(MSR_FS_BASE, base);
	native_cpus[this_cpu()->id].fs_base = base;
}
