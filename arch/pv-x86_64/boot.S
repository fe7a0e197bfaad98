/* SPDX-License-Identifier: MIT */
/*
 * What Xen's domain builder reads, and the first instructions.
 *
 * Natively a kernel begins in 32-bit mode without paging and builds all it needs. Here the builder
 * (in Xen itself for the initial domain, in the toolstack for others) does it, guided by the ELF
 * notes below: it copies the image to pfn 512 and up, maps the first few MiB at VIRT_BASE, adds the
 * start_info page, the page tables themselves and a stack, and enters in 64-bit mode with paging
 * on, in ring 3, events masked. %rsi points at start_info. All other registers are 0.
 *
 *   KERNEL_BASE     free: 2 MiB          pfn 0 ..
 *      + 2 MiB      kernel image         pfn 512 ..
 *                   start_info, page tables (read-only), boot stack   where the image ends
 *                   free: at least 512 KiB, to a multiple of 4 MiB
 *   PV_INIT_P2M     frame list (p2m), in frames of its own
 *
 * A wrong note is the classic way to lose a guest without a word: `make check-elf` explains.
 */
#include <xen/elfnote.h>
#include <xen/features.h>

#define NOTE(type, desc...)                \
	.pushsection .note.Xen, "a", @note; \
	.balign 4;                         \
	.long 4, 2f - 1f, type;            \
	.asciz "Xen";                      \
1:	desc;                              \
2:	.balign 4;                         \
	.popsection

#define KERNEL_BASE 0xffffffffc0000000
#define PV_INIT_P2M 0xffffc80000000000

NOTE(XEN_ELFNOTE_GUEST_OS, .asciz "Parvix")
NOTE(XEN_ELFNOTE_GUEST_VERSION, .asciz "0.1")
NOTE(XEN_ELFNOTE_LOADER, .asciz "generic")
NOTE(XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0")
/* Image addresses are VIRT_BASE + (ELF physical address - PADDR_OFFSET); pfn 0 is at VIRT_BASE. */
NOTE(XEN_ELFNOTE_VIRT_BASE, .quad KERNEL_BASE)
NOTE(XEN_ELFNOTE_PADDR_OFFSET, .quad 0)
NOTE(XEN_ELFNOTE_ENTRY, .quad _start)
/* The frame list goes to a top-level slot of its own, so that its size does not push around what
 * follows the image. p2m.c copies it and gives the slot up. */
NOTE(XEN_ELFNOTE_INIT_P2M, .quad PV_INIT_P2M)
/* The boot module is named by its first pfn and not mapped: it may be larger than the image. */
NOTE(XEN_ELFNOTE_MOD_START_PFN, .quad 1)
NOTE(XEN_ELFNOTE_PAE_MODE, .asciz "yes")
NOTE(XEN_ELFNOTE_FEATURES, .asciz "pae_pgdir_above_4gb")
/* Bits of <xen/features.h> that we can live with: being the initial domain. */
NOTE(XEN_ELFNOTE_SUPPORTED_FEATURES, .long 1 << XENFEAT_dom0)
/* Another way in, for PVH domains and for loaders that know nothing of Xen: arch/native-x86_64/boot.S */
NOTE(XEN_ELFNOTE_PHYS32_ENTRY, .quad pvh_start - KERNEL_BASE)
/* An L1 entry holds a valid frame number if (entry & 1) == 1: for save and migrate. */
NOTE(XEN_ELFNOTE_L1_MFN_VALID, .quad 1; .quad 1)

/* PVH: Xen puts a routine for each hypercall here, 32 bytes apart (hypercall.h). */
	.text
	.balign 4096
	.globl hypercall_page
	.type hypercall_page, @function
hypercall_page:
	.fill 4096, 1, 0xcc
	.size hypercall_page, . - hypercall_page

	.section .head.text, "ax"
	.globl _start
	.type _start, @function
_start:
	cld
	movq %rsi, %rdi			/* start_info */
	movq %rsp, %rsi			/* top of the builder's stack: where its area ends */
	rdtsc
	shlq $32, %rdx
	orq %rax, %rdx			/* time of the first instruction */
	leaq boot_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	call pv_boot
	ud2
	.size _start, . - _start
