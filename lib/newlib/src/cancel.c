/* SPDX-License-Identifier: MIT */
/* Cancellation: who asks, and what the one who is asked does. cancel.S has the points themselves.
 */
#include "thread.h"

#include <errno.h>
#include <ucontext.h>

extern const char __parvix_cancel_begin[], __parvix_cancel_end[], __parvix_cancel_act[];

static int is_due(const struct __pthread *t)
{
	return (t->cancel & (CANCEL_WANTED | CANCEL_OFF | CANCEL_NEVER)) == CANCEL_WANTED;
}

void __parvix_cancel_self(void)
{
	struct __pthread *self = thread_self();
	sigset_t sigcancel = 1ul << SIGCANCEL;

	__atomic_or_fetch(&self->cancel, CANCEL_NEVER, __ATOMIC_SEQ_CST);
	/* It may come from the signal's handler, never to return there. */
	__SYS3(SYS_sigprocmask, SIG_UNBLOCK, &sigcancel, NULL);
	pthread_exit(PTHREAD_CANCELED);
}

static void handler(int sig, siginfo_t *info, void *context)
{
	struct __pthread *self = thread_self();
	ucontext_t *uc = context;
	unsigned long rip = uc->uc_mcontext.gregs[REG_RIP];

	(void)sig;
	(void)info;
	if (!is_due(self))
		return;
	if (self->cancel & CANCEL_ASYNC)
		__parvix_cancel_self();
	if (rip >= (unsigned long)__parvix_cancel_begin && rip < (unsigned long)__parvix_cancel_end)
		uc->uc_mcontext.gregs[REG_RIP] = (unsigned long)__parvix_cancel_act;
}

int pthread_cancel(pthread_t t)
{
	static volatile int installed;
	int tid;

	if (!installed) {
		struct sigaction act = {.sa_sigaction = handler,
					.sa_flags = SA_SIGINFO | SA_RESTART};

		sigfillset(&act.sa_mask);
		if (sigaction(SIGCANCEL, &act, NULL))
			return errno;
		installed = 1;
	}
	if (!__parvix_thread_known(t))
		return ESRCH;
	tid = t->tid;
	if (!tid)
		return t->state == ENDED ? 0 : ESRCH;
	__atomic_or_fetch(&t->cancel, CANCEL_WANTED, __ATOMIC_SEQ_CST);
	if (t == thread_self()) {
		if (is_due(t) && (t->cancel & CANCEL_ASYNC))
			__parvix_cancel_self();
		return 0;
	}
	return (int)-__SYS2(SYS_tkill, tid, SIGCANCEL);
}

void pthread_testcancel(void)
{
	if (__parvix_threads && is_due(thread_self()))
		__parvix_cancel_self();
}

static void change(struct __pthread *t, int bit, int on)
{
	if (on)
		__atomic_or_fetch(&t->cancel, bit, __ATOMIC_SEQ_CST);
	else
		__atomic_and_fetch(&t->cancel, ~bit, __ATOMIC_SEQ_CST);
}

/* The C library's streams call this for every character: while there is one thread it has to cost
 * nothing. */
int pthread_setcancelstate(int state, int *old)
{
	struct __pthread *self;

	if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
		return EINVAL;
	if (!__parvix_threads) {
		if (old)
			*old = __parvix_first_cancel ? PTHREAD_CANCEL_DISABLE
						     : PTHREAD_CANCEL_ENABLE;
		__parvix_first_cancel = state == PTHREAD_CANCEL_DISABLE ? CANCEL_OFF : 0;
		return 0;
	}
	self = thread_self();
	if (old)
		*old = self->cancel & CANCEL_OFF ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
	change(self, CANCEL_OFF, state == PTHREAD_CANCEL_DISABLE);
	if (is_due(self) && (self->cancel & CANCEL_ASYNC))
		__parvix_cancel_self();
	return 0;
}

int pthread_setcanceltype(int type, int *old)
{
	struct __pthread *self = thread_self();

	if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS)
		return EINVAL;
	if (old)
		*old = self->cancel & CANCEL_ASYNC ? PTHREAD_CANCEL_ASYNCHRONOUS
						   : PTHREAD_CANCEL_DEFERRED;
	change(self, CANCEL_ASYNC, type == PTHREAD_CANCEL_ASYNCHRONOUS);
	if (is_due(self) && (self->cancel & CANCEL_ASYNC))
		__parvix_cancel_self();
	return 0;
}

void __pthread_cleanup_push(struct __pthread_cleanup *c, void (*fn)(void *), void *arg)
{
	struct __pthread *self = thread_self();

	c->__fn = fn;
	c->__arg = arg;
	c->__next = self->cleanup;
	self->cleanup = c;
}

void __pthread_cleanup_pop(struct __pthread_cleanup *c, int run)
{
	thread_self()->cleanup = c->__next;
	if (run)
		c->__fn(c->__arg);
}
