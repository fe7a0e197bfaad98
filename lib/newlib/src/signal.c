/* SPDX-License-Identifier: MIT */
/*
 * Signals. A handler is entered by the kernel with its arguments in registers and, as return
 * address, the restorer that sigaction named: four instructions which ask the kernel to put back
 * everything as it was. The restorer is the library's, so the kernel needs no code in user space.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <parvix/types.h>
#include "sys.h"

struct ksigaction {
	unsigned long handler;
	parvix_sigset_t mask;
	unsigned long flags;
};

void __parvix_restorer(void);
__attribute__((naked)) void __parvix_restorer(void)
{
	__asm__ volatile("movl %0, %%eax\n\tsyscall\n\thlt" : : "i"(SYS_sigreturn));
}

int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct ksigaction knew, kold;
	long ret;

	if (act) {
		knew.handler = (unsigned long)act->sa_handler;
		knew.mask = act->sa_mask;
		knew.flags = (unsigned int)act->sa_flags;
	}
	ret = __SYS4(SYS_sigaction, sig, act ? &knew : 0, old ? &kold : 0, __parvix_restorer);
	if (ret == 0 && old) {
		old->sa_handler = (_sig_func_ptr)kold.handler;
		old->sa_mask = kold.mask;
		old->sa_flags = (int)kold.flags;
	}
	return __ret(ret);
}

/* BSD's meaning: the handler stays, its signal is blocked while it runs, calls are restarted. */
_sig_func_ptr _signal_r(struct _reent *re, int sig, _sig_func_ptr handler)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART}, old = {0};

	(void)re;
	return sigaction(sig, &act, &old) < 0 ? SIG_ERR : old.sa_handler;
}

_sig_func_ptr signal(int sig, _sig_func_ptr handler)
{
	return _signal_r(NULL, sig, handler);
}

int siginterrupt(int sig, int flag)
{
	struct sigaction act = {0};

	if (sigaction(sig, NULL, &act) < 0)
		return -1;
	act.sa_flags = flag ? act.sa_flags & ~SA_RESTART : act.sa_flags | SA_RESTART;
	return sigaction(sig, &act, NULL);
}
