/* SPDX-License-Identifier: MIT */
/*
 * Register frames, the same in every world.
 *
 * struct trapframe is what entry.S leaves on the kernel stack for an exception, event or system
 * call. The processor pushes rip..ss natively; Xen pushes the same five, and %rcx and %r11 on top
 * of them, which entry.S pops so that the rest of the kernel sees one layout
 * (arch/pv-x86_64/entry.S has the picture).
 */
#ifndef FRAME_H
#define FRAME_H

#include <types.h>

struct trapframe {
	uint64_t cr2;   /* page faults: the address; anything else: whatever was there */
	uint64_t spare; /* keeps %rsp a multiple of 16 at calls */
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector; /* exception vector; TRAP_SYSCALL; TRAP_EVENT */
	uint64_t err;    /* hardware error code or 0; for a system call: its number */
	uint64_t rip, cs, rflags, rsp, ss;
};

#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_NMI 2
#define TRAP_BP 3
#define TRAP_OF 4
#define TRAP_BR 5
#define TRAP_UD 6
#define TRAP_NM 7
#define TRAP_DF 8
#define TRAP_TS 10
#define TRAP_NP 11
#define TRAP_SS 12
#define TRAP_GP 13
#define TRAP_PF 14
#define TRAP_MF 16
#define TRAP_AC 17
#define TRAP_MC 18
#define TRAP_XM 19
#define TRAP_SYSCALL 0x100
#define TRAP_EVENT 0x101

/* Page-fault error code. */
#define PF_PRESENT 1
#define PF_WRITE 2
#define PF_USER 4
#define PF_RESERVED 8
#define PF_FETCH 16

#define RFLAGS_CF 0x1
#define RFLAGS_TF 0x100
#define RFLAGS_IF 0x200
#define RFLAGS_DF 0x400
#define RFLAGS_AC 0x40000
/* Bits of rflags that a user program may choose (sigreturn). */
#define RFLAGS_USER 0xcd5ul

static inline bool frame_from_user(const struct trapframe *tf)
{
	return (tf->cs & 3) == 3;
}

/* Callee-saved registers on the stack of a thread that is not running (arch/x86_64/switch.S). */
struct switchframe {
	uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

#endif
