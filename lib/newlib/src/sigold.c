/* SPDX-License-Identifier: MIT */
/* System V's signal functions, which XSI still asks for. They are about the calling thread's mask.
 */
#include <errno.h>
#include <signal.h>

static int change(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	return sigaddset(&set, sig) ? -1 : sigprocmask(how, &set, NULL);
}

int sighold(int sig)
{
	return change(SIG_BLOCK, sig);
}

int sigrelse(int sig)
{
	return change(SIG_UNBLOCK, sig);
}

int sigignore(int sig)
{
	struct sigaction act = {.sa_handler = SIG_IGN};

	return sigaction(sig, &act, NULL);
}

int sigpause(int sig)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigdelset(&set, sig) ? -1 : sigsuspend(&set);
}

_sig_func_ptr sigset(int sig, _sig_func_ptr what)
{
	struct sigaction act = {.sa_handler = what}, old;
	sigset_t set, was;

	sigemptyset(&set);
	if (sigaddset(&set, sig) || sigaction(sig, what == SIG_HOLD ? NULL : &act, &old))
		return SIG_ERR;
	sigprocmask(what == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK, &set, &was);
	return sigismember(&was, sig) ? SIG_HOLD : old.sa_handler;
}
