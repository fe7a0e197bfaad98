/* SPDX-License-Identifier: MIT */
/*
 * Timers of POSIX. The kernel sends a signal, to the process or to one thread; SIGEV_THREAD, a
 * function called "as in a new thread", is made of the latter: a thread for each such timer waits
 * for the library's own signal, which is blocked there, and calls the function each time. It puts
 * back what a new thread would have (no specific data, no clean-up handlers, all signals blocked)
 * between two calls, and a pthread_exit() of the function comes back to it.
 */
#include "thread.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define SIGEV_THREAD_ID 4
#define SIGTIMER SIGCANCEL /* it reaches its thread by sigtimedwait only */

struct server {
	struct server *next;
	int timer, tid; /* the kernel's numbers */
	volatile int stop;
	void (*function)(union sigval);
	union sigval value;
};

static volatile int lock;
static struct server *servers;

static const sigset_t all = ~0ul;

void __parvix_timers_forget(void);
void __parvix_run_destructors(struct __pthread *self);

/* In a child of fork, which has neither timers nor their threads. */
void __parvix_timers_forget(void)
{
	servers = NULL;
	lock = 0;
}

static void come_back(void *where)
{
	longjmp(*(jmp_buf *)where, 1);
}

static void call(const struct server *s)
{
	struct __pthread *self = thread_self();
	jmp_buf here;

	pthread_cleanup_push(come_back, &here);
	if (!setjmp(here))
		s->function(s->value);
	pthread_cleanup_pop(0);
	self->cleanup = NULL;
	__parvix_run_destructors(self);
	self->cancel = 0;
	__SYS3(SYS_sigprocmask, SIG_SETMASK, &all, NULL);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	sigset_t set = 1ul << SIGTIMER;
	siginfo_t info;

	while (!s->stop)
		if (__SYS3(SYS_sigtimedwait, &set, &info, NULL) == SIGTIMER &&
		    info.si_code == SI_TIMER && !s->stop)
			call(s);
	free(s);
	return NULL;
}

static void stop(struct server *s, int tid)
{
	s->stop = 1; /* from now on it may be gone */
	__SYS2(SYS_tkill, tid, SIGTIMER);
}

static long create_served(clockid_t clock, const struct sigevent *ev)
{
	struct server *s = malloc(sizeof(*s));
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t mask;
	long id;
	int err;

	if (!s)
		return -EAGAIN;
	*s = (struct server){.function = ev->sigev_notify_function, .value = ev->sigev_value};
	if (ev->sigev_notify_attributes)
		attr = *ev->sigev_notify_attributes;
	else
		pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	__SYS3(SYS_sigprocmask, SIG_SETMASK, &all, &mask);
	err = pthread_create(&thread, &attr, serve, s);
	__SYS3(SYS_sigprocmask, SIG_SETMASK, &mask, NULL);
	if (err) {
		free(s);
		return -EAGAIN;
	}
	lock_word(&lock, 0);
	id = __SYS5(SYS_timer_create, clock, SIGEV_THREAD_ID, SIGTIMER, 0, thread->tid);
	if (id >= 0) {
		s->timer = (int)id;
		s->tid = thread->tid;
		s->next = servers;
		servers = s;
	}
	unlock_word(&lock, 0);
	if (id < 0)
		stop(s, thread->tid);
	return id;
}

int timer_create(clockid_t clock, struct sigevent *__restrict ev, timer_t *__restrict id)
{
	long ret;

	if (!ev)
		ret = __SYS5(SYS_timer_create, clock, 0, 0, 0, 0);
	else if (ev->sigev_notify == SIGEV_THREAD)
		ret = create_served(clock, ev);
	else
		ret = __SYS5(SYS_timer_create, clock, ev->sigev_notify, ev->sigev_signo,
			     ev->sigev_value.sival_ptr, 0);
	if (__ret(ret) < 0)
		return -1;
	*id = (timer_t)ret;
	return 0;
}

int timer_delete(timer_t id)
{
	struct server *s = NULL;
	long ret;

	lock_word(&lock, 0);
	ret = __SYS1(SYS_timer_delete, id);
	for (struct server **at = &servers; ret == 0 && *at; at = &(*at)->next)
		if ((*at)->timer == (int)id) {
			s = *at;
			*at = s->next;
			break;
		}
	unlock_word(&lock, 0);
	if (s)
		stop(s, s->tid);
	return (int)__ret(ret);
}
