/* SPDX-License-Identifier: MIT */
/* Thread-specific data: a value for each key in each thread's block. */
#include "thread.h"

#include <errno.h>
#include <string.h>

static volatile int lock;
static struct {
	int used;
	unsigned life; /* how often it has been given out */
	void (*destructor)(void *);
} keys[PTHREAD_KEYS_MAX];

int pthread_key_create(pthread_key_t *out, void (*destructor)(void *))
{
	int err = EAGAIN;

	thread_self();
	lock_word(&lock, 0);
	for (pthread_key_t k = 0; k < PTHREAD_KEYS_MAX; k++)
		if (!keys[k].used) {
			keys[k].used = 1;
			keys[k].life++;
			keys[k].destructor = destructor;
			*out = k;
			err = 0;
			break;
		}
	unlock_word(&lock, 0);
	return err;
}

/*
 * Values that threads have for the key stay behind; pthread_key_create() may give it out again, and
 * its values have to be NULL then. So a thread's value is known by the number of the key's life.
 */
int pthread_key_delete(pthread_key_t key)
{
	if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
		return EINVAL;
	lock_word(&lock, 0);
	keys[key].used = 0;
	keys[key].destructor = NULL;
	unlock_word(&lock, 0);
	return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
	struct __pthread *self = thread_self();

	if (key >= PTHREAD_KEYS_MAX || self->lives[key] != keys[key].life)
		return NULL;
	return self->values[key];
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
	struct __pthread *self = thread_self();

	if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
		return EINVAL;
	self->values[key] = (void *)value;
	self->lives[key] = keys[key].life;
	self->values_used = 1;
	return 0;
}

void __parvix_run_destructors(struct __pthread *self);

/* A destructor may set values again: that is looked at a few times, not for ever. */
void __parvix_run_destructors(struct __pthread *self)
{
	for (int i = 0; i < PTHREAD_DESTRUCTOR_ITERATIONS && self->values_used; i++) {
		self->values_used = 0;
		for (pthread_key_t k = 0; k < PTHREAD_KEYS_MAX; k++) {
			void *value = self->lives[k] == keys[k].life ? self->values[k] : NULL;
			void (*destructor)(void *) = keys[k].used ? keys[k].destructor : NULL;

			self->values[k] = NULL;
			if (value && destructor)
				destructor(value);
		}
	}
}
