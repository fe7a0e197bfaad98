/* SPDX-License-Identifier: MIT */
/* The numbers in asm-offsets.h are what the compiler makes of the structures. */
#include <cpu.h>
#include <frame.h>
#include <machine.h>
#include <types.h>
#include "asm-offsets.h"

_Static_assert(offsetof(struct cpu, self) == 0, "cpu->self");
_Static_assert(offsetof(struct cpu, kstack_top) == CPU_KSTACK_TOP, "cpu->kstack_top");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "cpu->user_rsp");
_Static_assert(offsetof(struct cpu, thread) == CPU_CURRENT, "cpu->current");
_Static_assert(offsetof(struct cpu, work) == CPU_WORK, "cpu->work");
_Static_assert(offsetof(struct cpu, arch) == CPU_ARCH, "cpu->arch");
_Static_assert(offsetof(struct cpu, calls) == CPU_CALLS, "cpu->calls");

_Static_assert(offsetof(struct machine, trap_return) == MACHINE_TRAP_RETURN,
	       "machine->trap_return");

_Static_assert(offsetof(struct trapframe, cr2) == TF_CR2, "cr2");
_Static_assert(offsetof(struct trapframe, r15) == TF_R15, "r15");
_Static_assert(offsetof(struct trapframe, r11) == TF_R11, "r11");
_Static_assert(offsetof(struct trapframe, rax) == TF_RAX, "rax");
_Static_assert(offsetof(struct trapframe, rcx) == TF_RCX, "rcx");
_Static_assert(offsetof(struct trapframe, rdi) == TF_RDI, "rdi");
_Static_assert(offsetof(struct trapframe, vector) == TF_VECTOR, "vector");
_Static_assert(offsetof(struct trapframe, rip) == TF_RIP, "rip");
_Static_assert(offsetof(struct trapframe, ss) == TF_SS, "ss");
_Static_assert(sizeof(struct trapframe) == TF_SIZE && TF_SIZE % 16 == 0, "size, alignment");
_Static_assert(sizeof(struct switchframe) == 56, "switch.S pushes six registers and returns");
