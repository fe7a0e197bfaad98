/* SPDX-License-Identifier: MIT */
/*
 * poll and select: copying and time limits; the waiting is kernel/fs/poll.c. A call that a signal
 * without handler interrupted starts again with the deadline it had.
 */
#include <fs.h>
#include <mm.h>
#include <proc.h>
#include <usercopy.h>
#include "syscall.h"

#define FEW 8 /* entries that are kept on the stack */

static ktime_t deadline_of(ktime_t span)
{
	ktime_t until = current->restart_until;

	current->restart_until = 0;
	if (span == 0)
		return 0;
	if (span == KTIME_NEVER)
		return KTIME_NEVER;
	return until ? until : ktime_add(clock_now(), span);
}

long sys_poll(struct trapframe *tf)
{
	struct parvix_pollfd few[FEW], *fds = few;
	unsigned long n = ARG1(tf);
	int ms = (int)ARG2(tf);
	ktime_t deadline;
	long ret;

	if (n > POLL_MAX)
		return -EINVAL;
	if (n > FEW) {
		fds = kmalloc(n * sizeof(*fds), 0);
		if (!fds)
			return -ENOMEM;
	}
	deadline = deadline_of(ms < 0 ? KTIME_NEVER : ms * NSEC_PER_MSEC);
	ret = copy_from_user(fds, UADDR(ARG0(tf)), n * sizeof(*fds));
	if (!ret)
		ret = do_poll(fds, (unsigned)n, deadline);
	if (ret >= 0 && copy_to_user(UADDR(ARG0(tf)), fds, n * sizeof(*fds)))
		ret = -EFAULT;
	if (ret == -ERESTARTNOHAND)
		current->restart_until = deadline == KTIME_NEVER ? 0 : deadline;
	if (fds != few)
		kfree(fds);
	return ret;
}

#define SET_WORDS (PARVIX_FD_SETSIZE / 64)

long sys_select(struct trapframe *tf)
{
	uint64_t sets[3][SET_WORDS];
	unsigned long user[3] = {ARG1(tf), ARG2(tf), ARG3(tf)};
	int n = (int)ARG0(tf);
	size_t bytes;
	struct parvix_timeval tv;
	ktime_t span = KTIME_NEVER, deadline;
	long ret;

	if (n < 0 || n > PARVIX_FD_SETSIZE)
		return -EINVAL;
	bytes = DIV_ROUND_UP((size_t)n, 64) * 8;
	if (ARG4(tf)) {
		if (get_user(tv, UADDR(ARG4(tf))))
			return -EFAULT;
		if (ktime_from_timeval(&tv, &span))
			return -EINVAL;
	}
	for (int i = 0; i < 3; i++)
		if (user[i] && copy_from_user(sets[i], UADDR(user[i]), bytes))
			return -EFAULT;
	deadline = deadline_of(span);
	ret = do_select(n, user[0] ? sets[0] : NULL, user[1] ? sets[1] : NULL,
			user[2] ? sets[2] : NULL, deadline);
	if (ret == -ERESTARTNOHAND)
		current->restart_until = deadline == KTIME_NEVER ? 0 : deadline;
	for (int i = 0; i < 3 && ret >= 0; i++)
		if (user[i] && copy_to_user(UADDR(user[i]), sets[i], bytes))
			ret = -EFAULT;
	return ret;
}
