/* SPDX-License-Identifier: MIT */
/*
 * poll and select: copying and time limits; the waiting is kernel/fs/poll.c. A call that a signal
 * without handler interrupted starts again with the deadline it had.
 */
#include <fs.h>
#include <mm.h>
#include <proc.h>
#include <usercopy.h>
#include "../proc/room.h"
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

/* ppoll and pselect: @umask, 0 for none, is the signal mask while they wait. */
static int set_mask(unsigned long umask)
{
	struct thread *t = current;
	sigset_t mask;

	if (!umask)
		return 0;
	if (get_user(mask, UADDR(umask)))
		return -EFAULT;
	t->sigmask_saved = t->sigmask;
	t->restore_mask = true;
	signal_set_mask(mask & SIG_ALL & ~SIG_UNBLOCKABLE);
	return 0;
}

/*
 * The end of a wait. An interrupted one keeps its deadline, and its mask until the signal has been
 * delivered; from others a signal that only the temporary mask let through does not take the
 * result: it stays pending.
 */
static long waited(long ret, ktime_t deadline)
{
	struct thread *t = current;

	if (ret == -ERESTARTNOHAND) {
		t->restart_until = deadline == KTIME_NEVER ? 0 : deadline;
	} else if (t->restore_mask) {
		t->restore_mask = false;
		signal_set_mask(t->sigmask_saved);
	}
	return ret;
}

/* @ut 0: for ever. */
static int span_of_timespec(unsigned long ut, ktime_t *span)
{
	struct parvix_timespec ts;

	*span = KTIME_NEVER;
	if (!ut)
		return 0;
	if (get_user(ts, UADDR(ut)))
		return -EFAULT;
	return ktime_from_timespec(&ts, span);
}

static long poll_for(struct trapframe *tf, ktime_t span, unsigned long umask)
{
	struct parvix_pollfd few[FEW], *fds = few;
	unsigned long n = ARG1(tf);
	ktime_t deadline;
	long ret;

	if (n > POLL_MAX)
		return -EINVAL;
	if (n > FEW) {
		fds = kmalloc(n * sizeof(*fds), 0);
		if (!fds)
			return -ENOMEM;
	}
	deadline = deadline_of(span);
	ret = copy_from_user(fds, UADDR(ARG0(tf)), n * sizeof(*fds));
	if (!ret)
		ret = set_mask(umask);
	if (!ret)
		ret = waited(do_poll(fds, (unsigned)n, deadline), deadline);
	if (ret >= 0 && copy_to_user(UADDR(ARG0(tf)), fds, n * sizeof(*fds)))
		ret = -EFAULT;
	if (fds != few)
		kfree(fds);
	return ret;
}

long sys_poll(struct trapframe *tf)
{
	int ms = (int)ARG2(tf);

	return poll_for(tf, ms < 0 ? KTIME_NEVER : ms * NSEC_PER_MSEC, 0);
}

long sys_ppoll(struct trapframe *tf)
{
	ktime_t span;
	int err = span_of_timespec(ARG2(tf), &span);

	return err ? err : poll_for(tf, span, ARG3(tf));
}

#define SET_WORDS (PARVIX_FD_SETSIZE / 64)

static long select_for(struct trapframe *tf, ktime_t span, unsigned long umask)
{
	uint64_t sets[3][SET_WORDS];
	unsigned long user[3] = {ARG1(tf), ARG2(tf), ARG3(tf)};
	int n = (int)ARG0(tf);
	ktime_t deadline;
	size_t bytes;
	long ret;

	if (n < 0 || n > PARVIX_FD_SETSIZE)
		return -EINVAL;
	bytes = DIV_ROUND_UP((size_t)n, 64) * 8;
	for (int i = 0; i < 3; i++)
		if (user[i] && copy_from_user(sets[i], UADDR(user[i]), bytes))
			return -EFAULT;
	ret = set_mask(umask);
	if (ret)
		return ret;
	deadline = deadline_of(span);
	ret = do_select(n, user[0] ? sets[0] : NULL, user[1] ? sets[1] : NULL,
			user[2] ? sets[2] : NULL, deadline);
	ret = waited(ret, deadline);
	for (int i = 0; i < 3 && ret >= 0; i++)
		if (user[i] && copy_to_user(UADDR(user[i]), sets[i], bytes))
			ret = -EFAULT;
	return ret;
}

long sys_select(struct trapframe *tf)
{
	struct parvix_timeval tv;
	ktime_t span = KTIME_NEVER;

	if (ARG4(tf)) {
		if (get_user(tv, UADDR(ARG4(tf))))
			return -EFAULT;
		if (ktime_from_timeval(&tv, &span))
			return -EINVAL;
	}
	return select_for(tf, span, 0);
}

long sys_pselect(struct trapframe *tf)
{
	ktime_t span;
	int err = span_of_timespec(ARG4(tf), &span);

	return err ? err : select_for(tf, span, ARG5(tf));
}
