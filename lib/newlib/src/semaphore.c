/* SPDX-License-Identifier: MIT */
/*
 * Semaphores of a process with one thread. Nobody else can post, so a wait that finds none would
 * last for ever: it is answered with EDEADLK.
 */
#include <errno.h>
#include <semaphore.h>

int sem_init(sem_t *s, int shared, unsigned int value)
{
	if (shared || value > SEM_VALUE_MAX) {
		errno = shared ? ENOTSUP : EINVAL;
		return -1;
	}
	s->value = (int)value;
	return 0;
}

int sem_destroy(sem_t *s)
{
	(void)s;
	return 0;
}

int sem_post(sem_t *s)
{
	if (s->value == SEM_VALUE_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	s->value++;
	return 0;
}

static int take(sem_t *s, int err)
{
	if (s->value > 0) {
		s->value--;
		return 0;
	}
	errno = err;
	return -1;
}

int sem_wait(sem_t *s)
{
	return take(s, EDEADLK);
}

int sem_trywait(sem_t *s)
{
	return take(s, EAGAIN);
}

int sem_getvalue(sem_t *s, int *value)
{
	*value = s->value;
	return 0;
}
