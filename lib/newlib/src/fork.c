/* SPDX-License-Identifier: MIT */
/*
 * fork. The child has one thread, the one that called; what others held at that moment stays locked
 * in it for ever. The library's own most important lock, malloc's, is therefore taken before, and
 * let go on both sides; for the rest a program has pthread_atfork().
 */
#include "thread.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

static struct handlers {
	void (*prepare)(void), (*parent)(void), (*child)(void);
	struct handlers *next, *prev;
} * first, *last;

extern volatile int __parvix_alive;
void __parvix_thread_only(struct __pthread *self);       /* thread.c */
void __parvix_timers_forget(void) __attribute__((weak)); /* timer.c, if it is used */
void __parvix_aio_forget(void) __attribute__((weak));    /* aio.c */
int _fork(void);

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	struct handlers *h = malloc(sizeof(*h));

	if (!h)
		return ENOMEM;
	*h = (struct handlers){prepare, parent, child, NULL, last};
	if (last)
		last->next = h;
	else
		first = h;
	last = h;
	return 0;
}

/*
 * The thread has another number now, and is the only one. The kernel does not know where its number
 * is, and nobody takes its stack away while it stands on that: it stays.
 */
static void be_alone(void)
{
	struct __pthread *self = thread_self();

	self->tid = (int)__SYS0(SYS_gettid);
	self->robust.list.next = NULL;
	self->tells = 1;
	self->map = NULL;
	__parvix_alive = 1;
	__parvix_thread_only(self);
	if (__parvix_timers_forget)
		__parvix_timers_forget();
	if (__parvix_aio_forget)
		__parvix_aio_forget();
}

int _fork(void)
{
	long pid;

	for (struct handlers *h = last; h; h = h->prev)
		if (h->prepare)
			h->prepare();
	__malloc_lock(_REENT);
	pid = __SYS0(SYS_fork);
	if (pid == 0 && __parvix_threads)
		be_alone();
	__malloc_unlock(_REENT);
	for (struct handlers *h = first; h; h = h->next)
		if (pid ? h->parent : h->child)
			pid ? h->parent() : h->child();
	return (int)__ret(pid);
}
