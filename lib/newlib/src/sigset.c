/* SPDX-License-Identifier: MIT */
/* Signal sets: bit n of the word stands for signal n. */
#include <errno.h>
#include <signal.h>

static int valid(int sig)
{
	if (sig > 0 && sig < NSIG)
		return 1;
	errno = EINVAL;
	return 0;
}

int sigemptyset(sigset_t *set)
{
	*set = 0;
	return 0;
}

int sigfillset(sigset_t *set)
{
	*set = ~0ul & ~1ul & ~(1ul << (SIGRTMIN - 1));
	return 0;
}

int sigaddset(sigset_t *set, int sig)
{
	if (!valid(sig))
		return -1;
	*set |= 1ul << sig;
	return 0;
}

int sigdelset(sigset_t *set, int sig)
{
	if (!valid(sig))
		return -1;
	*set &= ~(1ul << sig);
	return 0;
}

int sigismember(const sigset_t *set, int sig)
{
	return valid(sig) ? (int)(*set >> sig & 1) : -1;
}
