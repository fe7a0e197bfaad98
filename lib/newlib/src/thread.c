/* SPDX-License-Identifier: MIT */
/*
 * Threads: made, ended, joined. See thread.h for their blocks.
 *
 * Who ends with somebody to join him leaves his stack to that one, who waits for the kernel to put
 * 0 into `tid`. Who is detached has the kernel take the stack away when he is off it. Which of the
 * two it is may change at the last moment: `state` decides, by one exchange.
 */
#include "thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define ROUND_UP(n, to) (((n) + (to)-1) & -(to))

volatile int __parvix_threads, __parvix_several;
int __parvix_first_cancel;
volatile int __parvix_alive = 1; /* threads that have not ended */

/* The first thread's, up to where a thread of pthread_create() has its own struct _reent. */
static char first[__builtin_offsetof(struct __pthread, own_reent)] __attribute__((aligned(16)));
extern struct __pthread *__parvix_first; /* start.c: above its thread-local variables */

void __parvix_run_destructors(struct __pthread *self); /* key.c */

struct __pthread *__parvix_first_block(void)
{
	return __parvix_first ? __parvix_first : (struct __pthread *)first;
}

/*
 * All threads that may be joined, or have not ended, by address: the block of one that is not in
 * here may be gone. POSIX leaves undefined what becomes of a call with such a thread; here it is
 * ESRCH, as long as no new thread has its place.
 */
#define CHAINS 64
static struct __pthread *known[CHAINS];
static volatile int known_lock;

static struct __pthread **chain_of(const struct __pthread *t)
{
	return &known[((uintptr_t)t >> 12) * 0x9e3779b97f4a7c15ull >> 58];
}

static void get_known(struct __pthread *t)
{
	lock_word(&known_lock, 0);
	t->next = *chain_of(t);
	*chain_of(t) = t;
	unlock_word(&known_lock, 0);
}

static void forget(struct __pthread *t)
{
	struct __pthread **at = chain_of(t);

	lock_word(&known_lock, 0);
	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
	unlock_word(&known_lock, 0);
}

int __parvix_thread_known(pthread_t t)
{
	struct __pthread *at;

	thread_self();
	lock_word(&known_lock, 0);
	for (at = *chain_of(t); at && at != t; at = at->next)
		;
	unlock_word(&known_lock, 0);
	return at != NULL;
}

int __parvix_thread_tid(pthread_t t)
{
	return __parvix_thread_known(t) ? t->tid : 0;
}

void __parvix_thread_only(struct __pthread *self);

/* In a child of fork. */
void __parvix_thread_only(struct __pthread *self)
{
	memset(known, 0, sizeof(known));
	known_lock = 0;
	get_known(self);
}

/* Called by the only thread that there is. */
void __parvix_thread_init(void)
{
	struct __pthread *self = __parvix_first_block();

	memset(self, 0, sizeof(first));
	self->self = self;
	self->tid = (int)__SYS0(SYS_gettid);
	self->reent = _GLOBAL_REENT;
	self->tells = 1;
	self->cancel = __parvix_first_cancel;
	__SYS1(SYS_set_tls, self);
	__parvix_threads = 1;
	get_known(self);
}

struct _reent *__getreent(void)
{
	struct __pthread *self;

	if (!__parvix_threads)
		return _GLOBAL_REENT;
	__asm__("movq %%fs:0, %0" : "=r"(self));
	return self->reent;
}

pthread_t pthread_self(void)
{
	return thread_self();
}

int pthread_equal(pthread_t a, pthread_t b)
{
	return a == b;
}

/* What a new thread needs above its stack. */
static size_t block_size(void)
{
	return ROUND_UP(__parvix_tls_size() + sizeof(struct __pthread) + __parvix_tls_align(), 64);
}

/* Lay the block out at the end of [base, base + size). */
static struct __pthread *place_block(char *base, size_t size)
{
	size_t align = __parvix_tls_align() > 64 ? __parvix_tls_align() : 64;
	uintptr_t at = ((uintptr_t)base + size - sizeof(struct __pthread)) & -align;
	struct __pthread *t = (struct __pthread *)at;

	memset(t, 0, sizeof(*t));
	__parvix_tls_fill((char *)t);
	t->self = t;
	t->reent = &t->own_reent;
	_REENT_INIT_PTR(t->reent);
	return t;
}

static struct __pthread *new_thread(const pthread_attr_t *attr)
{
	size_t size = ROUND_UP(attr->__size + block_size(), PAGE);
	size_t guard = ROUND_UP(attr->__guard, PAGE);
	struct __pthread *t;
	char *map;

	if (attr->__stack) {
		if (attr->__size < block_size() + PTHREAD_STACK_MIN / 2)
			return NULL;
		t = place_block(attr->__stack, attr->__size);
		t->stack = attr->__stack;
		t->stack_size = attr->__size;
		return t;
	}
	map = mmap(NULL, size + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	if (guard && mprotect(map, guard, PROT_NONE)) {
		munmap(map, size + guard);
		return NULL;
	}
	t = place_block(map + guard, size);
	t->map = map;
	t->map_size = size + guard;
	t->guard_size = guard;
	t->stack = map + guard;
	t->stack_size = attr->__size;
	return t;
}

/* Where the kernel lets a new thread begin. */
static void run(struct __pthread *self)
{
	pthread_exit(self->start(self->arg));
}

static void free_thread(struct __pthread *t)
{
	forget(t);
	if (t->map)
		munmap(t->map, t->map_size);
}

int pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	struct __pthread *t, *self = thread_self();
	pthread_attr_t usual;
	uintptr_t sp;
	long ret;

	if (!attr) {
		pthread_attr_init(&usual);
		attr = &usual;
	} else if (!attr->__valid) {
		return EINVAL;
	}
	t = new_thread(attr);
	if (!t)
		return EAGAIN;
	__parvix_several = 1;
	t->start = start;
	t->arg = arg;
	t->state = attr->__detached == PTHREAD_CREATE_DETACHED ? DETACHED : JOINABLE;
	memcpy(t->name, self->name, sizeof(t->name));
	/* As if the function had been called: %rsp a multiple of 16, less 8. */
	sp = (((uintptr_t)t - __parvix_tls_size()) & -64ul) - 8;
	*(void **)sp = NULL;
	__atomic_add_fetch(&__parvix_alive, 1, __ATOMIC_SEQ_CST);
	get_known(t);
	*out = t; /* before it runs, as it may look there */
	ret = __sys5(SYS_thread_create, (long)run, (long)t, (long)sp, (long)t, (long)&t->tid);
	if (ret > 0)
		return 0;
	__atomic_sub_fetch(&__parvix_alive, 1, __ATOMIC_SEQ_CST);
	free_thread(t);
	return ret == -ENOMEM ? EAGAIN : (int)-ret;
}

void pthread_exit(void *result)
{
	struct __pthread *self = thread_self();
	sigset_t all = ~0ul;
	int was;

	__atomic_or_fetch(&self->cancel, CANCEL_NEVER, __ATOMIC_SEQ_CST);
	while (self->cleanup) {
		struct __pthread_cleanup *c = self->cleanup;

		self->cleanup = c->__next;
		c->__fn(c->__arg);
	}
	__parvix_run_destructors(self);
	if (__atomic_sub_fetch(&__parvix_alive, 1, __ATOMIC_SEQ_CST) == 0)
		exit(0);
	if (self->reent != _GLOBAL_REENT)
		_reclaim_reent(self->reent);
	self->result = result;
	/* No handler may run on a stack that is somebody else's already. */
	__SYS3(SYS_sigprocmask, SIG_SETMASK, &all, NULL);
	was = cas(&self->state, JOINABLE, ENDED);
	if (was != JOINABLE)
		forget(self);
	if (was == JOINABLE || !self->map) {
		if (self->tells) {
			self->tid = 0;
			futex_wake(&self->tid, 1, 1);
		}
		__SYS2(SYS_thread_exit, 0, 0);
	}
	__SYS2(SYS_thread_exit, self->map, self->map_size);
	__builtin_unreachable();
}

int pthread_join(pthread_t t, void **result)
{
	int tid;

	if (!__parvix_thread_known(t))
		return ESRCH;
	if (t == thread_self())
		return EDEADLK;
	if (t->state == DETACHED)
		return EINVAL;
	pthread_testcancel();
	while ((tid = t->tid))
		__parvix_cancel_sys(SYS_futex, (long)&t->tid, FUTEX_WAIT, tid, 0, 0);
	if (result)
		*result = t->result;
	free_thread(t);
	return 0;
}

int pthread_detach(pthread_t t)
{
	if (!__parvix_thread_known(t))
		return ESRCH;
	switch (cas(&t->state, JOINABLE, DETACHED)) {
	case JOINABLE:
		return 0;
	case DETACHED:
		return EINVAL;
	}
	return pthread_join(t, NULL);
}

int pthread_kill(pthread_t t, int sig)
{
	int tid;

	if (!__parvix_thread_known(t))
		return ESRCH;
	if (sig < 0 || sig >= NSIG)
		return EINVAL;
	tid = t->tid;
	if (!tid)
		return t->state == ENDED ? 0 : ESRCH;
	if (sig)
		return (int)-__SYS2(SYS_tkill, tid, sig);
	return 0;
}

int pthread_getcpuclockid(pthread_t t, clockid_t *clock)
{
	int tid = __parvix_thread_tid(t);

	if (!tid)
		return ESRCH;
	*clock = (clockid_t)tid << 4 | CLOCK_THREAD_CPUTIME_ID;
	return 0;
}

int pthread_setname_np(pthread_t t, const char *name)
{
	if (strlen(name) >= sizeof(t->name))
		return ERANGE;
	strcpy(t->name, name);
	return 0;
}

int pthread_getname_np(pthread_t t, char *name, size_t size)
{
	if (strlen(t->name) >= size)
		return ERANGE;
	strcpy(name, t->name);
	return 0;
}

int pthread_yield(void)
{
	return sched_yield();
}

/* ---- once ---- */

enum { ONCE_NEVER, ONCE_RUNNING, ONCE_DONE, ONCE_WAITED };

static void once_again(void *word)
{
	__atomic_store_n((volatile int *)word, ONCE_NEVER, __ATOMIC_SEQ_CST);
	futex_wake(word, INT_MAX, 0);
}

int pthread_once(pthread_once_t *once, void (*fn)(void))
{
	volatile int *word = &once->__word;
	int was;

	if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == ONCE_DONE)
		return 0;
	while ((was = cas(word, ONCE_NEVER, ONCE_RUNNING)) != ONCE_NEVER) {
		if (was == ONCE_DONE)
			return 0;
		if (was == ONCE_WAITED || cas(word, ONCE_RUNNING, ONCE_WAITED) == ONCE_RUNNING)
			futex_wait(word, ONCE_WAITED, CLOCK_MONOTONIC, NULL, 0);
	}
	pthread_cleanup_push(once_again, (void *)word); /* cancelled: as if it had never run */
	fn();
	pthread_cleanup_pop(0);
	if (__atomic_exchange_n(word, ONCE_DONE, __ATOMIC_SEQ_CST) == ONCE_WAITED)
		futex_wake(word, INT_MAX, 0);
	return 0;
}
