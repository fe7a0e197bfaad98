/* SPDX-License-Identifier: MIT */
/*
 * select and poll with a signal mask. The mask is set around the call, not in one step with it: a
 * signal that arrives between the two is handled, but does not end the wait.
 */
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <time.h>

int pselect(int n, fd_set *r, fd_set *w, fd_set *x, const struct timespec *t, const sigset_t *mask)
{
	struct timeval tv;
	sigset_t old;
	int ret;

	if (t) {
		tv.tv_sec = t->tv_sec;
		tv.tv_usec = (t->tv_nsec + 999) / 1000;
	}
	if (mask)
		sigprocmask(SIG_SETMASK, mask, &old);
	ret = select(n, r, w, x, t ? &tv : NULL);
	if (mask)
		sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask)
{
	sigset_t old;
	int ret, ms = -1;

	if (t)
		ms = t->tv_sec > 2000000
			     ? 2000000000
			     : (int)(t->tv_sec * 1000 + (t->tv_nsec + 999999) / 1000000);
	if (mask)
		sigprocmask(SIG_SETMASK, mask, &old);
	ret = poll(fds, n, ms);
	if (mask)
		sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}
