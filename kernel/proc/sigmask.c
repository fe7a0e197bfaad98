/* SPDX-License-Identifier: MIT */
/* Sets of signals and what signals do by default: pure, tested on the host. */
#include "room.h"

int sigset_change(sigset_t old, int how, sigset_t arg, sigset_t *out)
{
	switch (how) {
	case SIG_BLOCK:
		old |= arg;
		break;
	case SIG_UNBLOCK:
		old &= ~arg;
		break;
	case SIG_SETMASK:
		old = arg;
		break;
	default:
		return -EINVAL;
	}
	*out = old & SIG_ALL & ~SIG_UNBLOCKABLE;
	return 0;
}

int sigset_first(sigset_t set)
{
	const sigset_t faults = SIGBIT(SIGKILL) | SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) |
				SIGBIT(SIGILL) | SIGBIT(SIGFPE) | SIGBIT(SIGTRAP) | SIGBIT(SIGSYS);

	set &= SIG_ALL;
	if (set & faults)
		set &= faults;
	return set ? __builtin_ctzl(set) : 0;
}

enum sig_default signal_default(int sig)
{
	switch (sig) {
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
	case SIGIO:
		return SIGDEF_IGNORE;
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return SIGDEF_STOP;
	case SIGCONT:
		return SIGDEF_CONT;
	}
	return SIGDEF_KILL;
}

const char *signal_name(int sig)
{
	static const char *const names[SIG_REALTIME] = {
		[SIGHUP] = "SIGHUP",     [SIGINT] = "SIGINT",       [SIGQUIT] = "SIGQUIT",
		[SIGILL] = "SIGILL",     [SIGTRAP] = "SIGTRAP",     [SIGABRT] = "SIGABRT",
		[SIGEMT] = "SIGEMT",     [SIGFPE] = "SIGFPE",       [SIGKILL] = "SIGKILL",
		[SIGBUS] = "SIGBUS",     [SIGSEGV] = "SIGSEGV",     [SIGSYS] = "SIGSYS",
		[SIGPIPE] = "SIGPIPE",   [SIGALRM] = "SIGALRM",     [SIGTERM] = "SIGTERM",
		[SIGURG] = "SIGURG",     [SIGSTOP] = "SIGSTOP",     [SIGTSTP] = "SIGTSTP",
		[SIGCONT] = "SIGCONT",   [SIGCHLD] = "SIGCHLD",     [SIGTTIN] = "SIGTTIN",
		[SIGTTOU] = "SIGTTOU",   [SIGIO] = "SIGIO",         [SIGXCPU] = "SIGXCPU",
		[SIGXFSZ] = "SIGXFSZ",   [SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF",
		[SIGWINCH] = "SIGWINCH", [SIGLOST] = "SIGLOST",     [SIGUSR1] = "SIGUSR1",
		[SIGUSR2] = "SIGUSR2",
	};

	if (sig <= 0 || sig >= NSIG)
		return "no signal";
	return sig < SIG_REALTIME ? names[sig] : "a real-time signal";
}
