/* SPDX-License-Identifier: MIT */
/* Semaphores between the functions of one thread (processes have one). */
#ifndef _SEMAPHORE_H
#define _SEMAPHORE_H

#include <sys/cdefs.h>

#define SEM_VALUE_MAX 0x7fffffff
typedef struct {
	int value;
} sem_t;

__BEGIN_DECLS
int sem_init(sem_t *, int, unsigned int);
int sem_destroy(sem_t *);
int sem_post(sem_t *);
int sem_wait(sem_t *);
int sem_trywait(sem_t *);
int sem_getvalue(sem_t *, int *);
__END_DECLS

#endif
