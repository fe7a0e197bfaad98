/* SPDX-License-Identifier: MIT */
/*
 * The first instructions, when the processor is all ours.
 *
 * Two kinds of loader come here, and both leave the processor as it was in 1985 plus a few bits:
 * 32-bit protected mode with flat segments, paging off, interrupts off.
 *
 *   pvh_start          the PVH boot ABI: %ebx = physical address of struct hvm_start_info. Xen enters
 *                      a PVH domain so, and `qemu -kernel` any image that has the ELF note
 *                      PHYS32_ENTRY (arch/pv-x86_64/boot.S, with Xen's other notes).
 *   multiboot2_start   GRUB: %eax = 0x36d76289, %ebx = physical address of the boot information. GRUB
 *                      finds the address in the header below, which it looks for in the first 32 KiB.
 *
 * What the domain builder has done for a PV kernel is to be done here: look whether the processor can
 * run a 64-bit kernel at all, make page tables, switch. The tables map the first 4 GiB where they are
 * (this code, the loader's data) and the first GiB at KERNEL_BASE (the image), in 2 MiB pieces;
 * mmu_boot.c makes the real ones. The per-CPU data is reachable by %gs before any C function runs,
 * because whatever counts something counts it there.
 */
#include "../x86_64/asm-offsets.h"

#define KERNEL_BASE 0xffffffffc0000000
#define PHYS(symbol) ((symbol) - KERNEL_BASE)

#define CR0_PE_WP_NE_MP_ET_PG 0x80010033
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_SCE_LME_NXE 0x901
#define MSR_GS_BASE 0xc0000101
#define TABLE 0x003		/* present, writable */
#define LARGE_PAGE 0x083	/* present, writable, 2 MiB */

	.section .head.text, "ax"
	.balign 8
multiboot2_header:
	.long 0xe85250d6		/* magic; architecture: 32-bit i386 */
	.long 0
	.long multiboot2_end - multiboot2_header
	.long -(0xe85250d6 + (multiboot2_end - multiboot2_header))
	.short 3, 0			/* tag: entry address, which is not the ELF file's */
	.long 12, PHYS(multiboot2_start)
	.balign 8
	.short 6, 0			/* tag: modules at page boundaries */
	.long 8
	.short 0, 0			/* end */
	.long 8
multiboot2_end:

	.code32
	.globl pvh_start
	.type pvh_start, @function
pvh_start:
	xorl %eax, %eax			/* no magic in a register: it is in start_info */
	.globl multiboot2_start
multiboot2_start:
	cli
	cld
	movl %eax, %edi			/* native_boot()'s first argument */
	movl %ebx, %esi			/* its second */
	movl $PHYS(_end) - 4, %ecx	/* is there memory where the image ends? */
	movl %ecx, (%ecx)
	cmpl %ecx, (%ecx)
	jne not_memory
	movl $0, (%ecx)
	movl $PHYS(boot_stack_top), %esp

	/* EFLAGS.ID can be changed: there is CPUID. */
	pushfl
	popl %eax
	movl %eax, %ecx
	xorl $0x200000, %eax
	pushl %eax
	popfl
	pushfl
	popl %eax
	cmpl %ecx, %eax
	je not_64
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb not_64
	movl $0x80000001, %eax
	cpuid
	movl %edx, %ebp
	btl $29, %ebp
	jnc not_64
	btl $20, %ebp
	jnc not_nx
	btl $11, %ebp
	jnc not_syscall

	/* Four tables of 512 pieces of 2 MiB each: 4 GiB. */
	movl $PHYS(boot_l2), %edx
	xorl %ecx, %ecx
1:	movl %ecx, %eax
	shll $21, %eax
	orl $LARGE_PAGE, %eax
	movl %eax, (%edx, %ecx, 8)
	movl $0, 4(%edx, %ecx, 8)
	incl %ecx
	cmpl $2048, %ecx
	jb 1b
	leal TABLE(%edx), %eax
	movl %eax, PHYS(boot_l3_low)
	movl %eax, PHYS(boot_l3_high) + 511 * 8
	addl $4096, %eax
	movl %eax, PHYS(boot_l3_low) + 8
	addl $4096, %eax
	movl %eax, PHYS(boot_l3_low) + 16
	addl $4096, %eax
	movl %eax, PHYS(boot_l3_low) + 24
	movl $PHYS(boot_l3_low) + TABLE, PHYS(boot_l4)
	movl $PHYS(boot_l3_high) + TABLE, PHYS(boot_l4) + 511 * 8

	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $PHYS(boot_l4), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_SCE_LME_NXE, %eax
	wrmsr
	movl $CR0_PE_WP_NE_MP_ET_PG, %eax
	movl %eax, %cr0
	lgdt PHYS(boot_gdt_pointer)
	ljmp $8, $PHYS(1f)

	.code64
1:	movabsq $2f, %rax
	jmp *%rax
2:	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl $16, %eax
	movl %eax, %ss
	movq $boot_stack_top, %rsp
	movl $MSR_GS_BASE, %ecx
	movq $cpus, %rax
	movq %rax, (%rax)		/* cpus[0].self */
	movq %rax, %rdx
	shrq $32, %rdx
	wrmsr
	rdtsc
	shlq $32, %rdx
	orq %rax, %rdx			/* time of (nearly) the first instruction */
	movl %edi, %edi
	movl %esi, %esi
	xorl %ebp, %ebp
	call native_boot
	ud2
	.size pvh_start, . - pvh_start

/* What can be said without memory, paging or C: on the serial line, QEMU's debug port, the screen. */
	.code32
not_memory:
	movl $PHYS(text_memory), %esi
	jmp say
not_64:
	movl $PHYS(text_64), %esi
	jmp say
not_nx:
	movl $PHYS(text_nx), %esi
	jmp say
not_syscall:
	movl $PHYS(text_syscall), %esi
say:
	movl $0xb8000, %edi
	movl $0x3fb, %edx		/* 8 bits, no parity, divisor 1: 115,200 baud */
	movb $0x83, %al
	outb %al, %dx
	movl $0x3f8, %edx
	movb $1, %al
	outb %al, %dx
	movl $0x3f9, %edx
	xorl %eax, %eax
	outb %al, %dx
	movl $0x3fb, %edx
	movb $3, %al
	outb %al, %dx
1:	movb (%esi), %bl
	testb %bl, %bl
	jz 4f
	movl $100000, %ecx		/* the line may not be there */
2:	movl $0x3fd, %edx
	inb %dx, %al
	testb $0x20, %al
	jnz 3f
	decl %ecx
	jnz 2b
3:	movb %bl, %al
	movl $0x3f8, %edx
	outb %al, %dx
	outb %al, $0xe9
	cmpb $0x20, %al			/* the end of the line is not for the screen */
	jb 5f
	movb $0x07, %ah
	movw %ax, (%edi)
	addl $2, %edi
5:	incl %esi
	jmp 1b
4:	hlt
	jmp 4b

	.section .rodata
text_memory:
	.asciz "Parvix cannot run here: there is less memory than the kernel's image needs.\r\n"
text_64:
	.asciz "Parvix cannot run here: the processor has no 64-bit mode.\r\n"
text_nx:
	.asciz "Parvix cannot run here: the processor cannot protect pages from execution (NX).\r\n"
text_syscall:
	.asciz "Parvix cannot run here: the processor has no SYSCALL instruction.\r\n"
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* 8: 64-bit code */
	.quad 0x00cf93000000ffff	/* 16: data */
boot_gdt_pointer:
	.short . - boot_gdt - 1
	.long PHYS(boot_gdt)

	.section .bss.page, "aw", @nobits
	.balign 4096
boot_l4:
	.skip 4096
boot_l3_low:
	.skip 4096
boot_l3_high:
	.skip 4096
boot_l2:
	.skip 4 * 4096
