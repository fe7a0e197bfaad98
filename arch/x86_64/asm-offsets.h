/* SPDX-License-Identifier: MIT */
/*
 * Offsets that assembler code needs, as plain numbers; asm-offsets.c checks each against the
 * compiler's own idea of the structure, so a change of a structure stops the build, not the kernel.
 */
#ifndef ASM_OFFSETS_H
#define ASM_OFFSETS_H

/* struct cpu, by %gs */
#define CPU_KSTACK_TOP 8
#define CPU_USER_RSP 16
#define CPU_CURRENT 24
#define CPU_WORK 32
#define CPU_ARCH 64
#define CPU_CALLS 72

/* struct machine */
#define MACHINE_TRAP_RETURN 16

/* struct trapframe */
#define TF_CR2 0
#define TF_SPARE 8
#define TF_R15 16
#define TF_R14 24
#define TF_R13 32
#define TF_R12 40
#define TF_RBP 48
#define TF_RBX 56
#define TF_R11 64
#define TF_R10 72
#define TF_R9 80
#define TF_R8 88
#define TF_RAX 96
#define TF_RCX 104
#define TF_RDX 112
#define TF_RSI 120
#define TF_RDI 128
#define TF_VECTOR 136
#define TF_ERR 144
#define TF_RIP 152
#define TF_CS 160
#define TF_RFLAGS 168
#define TF_RSP 176
#define TF_SS 184
#define TF_SIZE 192

#endif
