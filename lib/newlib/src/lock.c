/* SPDX-License-Identifier: MIT */
/*
 * The locks inside newlib: of streams, malloc, the environment, atexit ... They belong to a thread,
 * which may take one again. While there has been one thread only, they are counted, no more: what
 * it holds then is held when the second one comes.
 */
#include "thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/lock.h>

struct __lock {
	volatile int word;
	int count; /* how often its owner has taken it */
	const struct __pthread *volatile owner;
};

/* Those that newlib names itself (libc/misc/lock.c of its sources). */
struct __lock __lock___sinit_recursive_mutex, __lock___sfp_recursive_mutex,
	__lock___atexit_recursive_mutex, __lock___at_quick_exit_mutex,
	__lock___malloc_recursive_mutex, __lock___env_recursive_mutex, __lock___tz_mutex,
	__lock___dd_hash_mutex, __lock___arc4random_mutex;

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
	*lock = calloc(1, sizeof(**lock));
}

void __retarget_lock_init(_LOCK_T *lock)
{
	__retarget_lock_init_recursive(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
	free(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
	free(lock);
}

static void count_up(_LOCK_T lock)
{
	lock->word = 1;
	lock->owner = __parvix_first_block();
	lock->count++;
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
	const struct __pthread *self;

	if (!lock)
		return;
	if (!__parvix_several) {
		count_up(lock);
		return;
	}
	self = thread_self();
	if (lock->owner != self) {
		lock_word(&lock->word, 0);
		lock->owner = self;
	}
	lock->count++;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
	const struct __pthread *self;

	if (!lock)
		return 1;
	if (!__parvix_several) {
		count_up(lock);
		return 1;
	}
	self = thread_self();
	if (lock->owner != self) {
		if (cas(&lock->word, 0, 1))
			return 0;
		lock->owner = self;
	}
	lock->count++;
	return 1;
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
	if (!lock)
		return;
	if (!__parvix_several) {
		if (lock->count && --lock->count == 0) {
			lock->owner = NULL;
			lock->word = 0;
		}
		return;
	}
	if (lock->owner != thread_self() || --lock->count)
		return;
	lock->owner = NULL;
	unlock_word(&lock->word, 0);
}

void __retarget_lock_acquire(_LOCK_T lock)
{
	__retarget_lock_acquire_recursive(lock);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
	return __retarget_lock_try_acquire_recursive(lock);
}

void __retarget_lock_release(_LOCK_T lock)
{
	__retarget_lock_release_recursive(lock);
}

#undef flockfile
#undef ftrylockfile
#undef funlockfile
void flockfile(FILE *f)
{
	__retarget_lock_acquire_recursive(f->_lock);
}

int ftrylockfile(FILE *f)
{
	return __retarget_lock_try_acquire_recursive(f->_lock) ? 0 : -1;
}

void funlockfile(FILE *f)
{
	__retarget_lock_release_recursive(f->_lock);
}
