/* SPDX-License-Identifier: MIT */
/* Semaphores: of the threads of a process, or in memory that processes share, or with names. */
#ifndef _SEMAPHORE_H
#define _SEMAPHORE_H

#include <limits.h>
#include <sys/_timespec.h>
#include <sys/cdefs.h>

#define SEM_FAILED ((sem_t *)0)

typedef struct {
	volatile int __value;
	volatile int __waiters;
	int __shared;
	int __unused;
} sem_t;

__BEGIN_DECLS
int sem_init(sem_t *, int, unsigned int);
int sem_destroy(sem_t *);
int sem_post(sem_t *);
int sem_wait(sem_t *);
int sem_trywait(sem_t *);
int sem_timedwait(sem_t *__restrict, const struct timespec *__restrict);
int sem_getvalue(sem_t *__restrict, int *__restrict);
sem_t *sem_open(const char *, int, ...);
int sem_close(sem_t *);
int sem_unlink(const char *);
__END_DECLS

#endif
