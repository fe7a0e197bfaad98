/* SPDX-License-Identifier: MIT */
/* System calls about threads. What <pthread.h> has beyond these is the C library's. */
#include <machine.h>
#include <mm.h>
#include <parvix/futex.h>
#include <proc.h>
#include <usercopy.h>
#include "syscall.h"

long sys_thread_create(struct trapframe *tf)
{
	return proc_thread_create(ARG0(tf), ARG1(tf), ARG2(tf), ARG3(tf), ARG4(tf));
}

long sys_thread_exit(struct trapframe *tf)
{
	proc_thread_exit(ARG0(tf), ARG1(tf));
}

long sys_gettid(struct trapframe *tf)
{
	(void)tf;
	return current->tid;
}

static int get_deadline(uaddr_t from, ktime_t *deadline)
{
	struct parvix_timespec ts;

	*deadline = KTIME_NEVER;
	if (!from.v)
		return 0;
	if (get_user(ts, from))
		return -EFAULT;
	if (ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (ts.tv_sec < 0) {
		*deadline = 0;
		return 0;
	}
	return ktime_from_timespec(&ts, deadline);
}

long sys_futex(struct trapframe *tf)
{
	unsigned op = (unsigned)ARG1(tf);
	bool private = op & FUTEX_PRIVATE;
	uaddr_t addr = UADDR(ARG0(tf));
	ktime_t deadline;
	int err;

	switch (op & ~(unsigned)(FUTEX_PRIVATE | FUTEX_REALTIME)) {
	case FUTEX_WAIT:
		err = get_deadline(UADDR(ARG3(tf)), &deadline);
		return err ? err
			   : futex_wait(addr, (uint32_t)ARG2(tf), deadline,
					op & FUTEX_REALTIME && deadline != KTIME_NEVER, private);
	case FUTEX_WAKE:
		return futex_wake(addr, (int)ARG2(tf), private);
	case FUTEX_REQUEUE:
		return futex_requeue(addr, (int)ARG2(tf), UADDR(ARG4(tf)), private);
	}
	return -EINVAL;
}

long sys_set_robust_list(struct trapframe *tf)
{
	if (ARG1(tf) != sizeof(struct robust_list_head) || ARG0(tf) >= USER_END)
		return -EINVAL;
	current->robust_list = ARG0(tf);
	return 0;
}
