/* SPDX-License-Identifier: MIT */
/*
 * From the entry point to the function: the table of system calls.
 *
 * entry.S has saved the program's registers as a struct trapframe and calls syscall_dispatch() with
 * interrupts on. There is no time stamp and no lock on this road, and nothing is recorded unless
 * somebody asked for it: a call that does nothing should cost nothing but the way in and out.
 */
#include <cpu.h>
#include <machine.h>
#include <proc.h>
#include <trace.h>
#include "syscall.h"

static long (*const table[SYS_count])(struct trapframe *tf) = {
#define X(n, name, args) [n] = sys_##name,
	PARVIX_SYSCALLS(X)
#undef X
};

static long call(struct trapframe *tf)
{
	long (*fn)(struct trapframe * tf) = likely(tf->err < SYS_count) ? table[tf->err] : NULL;

	return likely(fn) ? fn(tf) : -ENOSYS;
}

static __attribute__((noinline)) void dispatch_traced(struct trapframe *tf)
{
	unsigned long nr = tf->err;
	unsigned long args[6] = {ARG0(tf), ARG1(tf), ARG2(tf), ARG3(tf), ARG4(tf), ARG5(tf)};
	bool told = current->proc->tracer;
	long ret;

	if (told)
		tracer_call(nr, args, NULL);
	ret = call(tf);
	tf->rax = (unsigned long)ret;
	if (trace_syscalls & TRACE_SYSCALLS_RING)
		trace(syscall, nr, args[0], ret);
	if (told)
		tracer_call(nr, args, &ret);
	if (ret == -ERESTART || ret == -ERESTARTNOHAND)
		thread_set_work(current, WORK_SIGNAL);
}

void syscall_dispatch(struct trapframe *tf)
{
	long ret;

	count(syscalls);
	if (unlikely(trace_syscalls)) {
		dispatch_traced(tf);
		return;
	}
	ret = call(tf);
	tf->rax = (unsigned long)ret;
	if (unlikely(ret == -ERESTART || ret == -ERESTARTNOHAND))
		thread_set_work(current, WORK_SIGNAL); /* even if the signal is gone meanwhile */
}
