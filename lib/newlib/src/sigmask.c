/* SPDX-License-Identifier: MIT */
/* Waiting for and masking signals, beside the calls that go to the kernel unchanged. */
#include <signal.h>
#include <unistd.h>
#include "thread.h"

/* The library's own signal is never blocked. */
static long change_mask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t copy;

	if (set) {
		copy = *set & (how == SIG_UNBLOCK ? ~0ul : ~(1ul << SIGCANCEL));
		set = &copy;
	}
	return __SYS3(SYS_sigprocmask, how, set, old);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)-change_mask(how, set, old);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)__ret(change_mask(how, set, old));
}

/* Returns the error instead of setting errno, as POSIX has it. */
int sigwait(const sigset_t *set, int *sig)
{
	long ret;

	do
		ret = __parvix_cancel_sys(SYS_sigwait, (long)set, (long)sig, 0, 0, 0);
	while (ret == -EINTR);
	return (int)-ret;
}

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *span)
{
	return (int)__ret(
		__parvix_cancel_sys(SYS_sigtimedwait, (long)set, (long)info, (long)span, 0, 0));
}

int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	return sigtimedwait(set, info, NULL);
}

int pause(void)
{
	sigset_t set;

	sigprocmask(SIG_SETMASK, NULL, &set);
	return sigsuspend(&set);
}

int sigblock(int mask)
{
	sigset_t set = (unsigned int)mask, old;

	sigprocmask(SIG_BLOCK, &set, &old);
	return (int)old;
}

int sigsetmask(int mask)
{
	sigset_t set = (unsigned int)mask, old;

	sigprocmask(SIG_SETMASK, &set, &old);
	return (int)old;
}

int siggetmask(void)
{
	return sigblock(0);
}
