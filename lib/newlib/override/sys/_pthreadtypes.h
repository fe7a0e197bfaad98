/* SPDX-License-Identifier: MIT */
/* The types of POSIX threads. Objects that are all zeros are initialised, but for thread
 * attributes. */
#ifndef _SYS__PTHREADTYPES_H_
#define _SYS__PTHREADTYPES_H_

#include <sys/_types.h>
#include <sys/sched.h>

typedef struct __pthread *pthread_t;

typedef struct {
	__size_t __size;
	__size_t __guard;
	void *__stack; /* lowest address; NULL: the library gets one */
	int __detached;
	int __inherit;
	int __policy;
	struct sched_param __param;
	int __scope;
	int __valid;
} pthread_attr_t;

typedef struct {
	int __kind; /* type, robust, shared between processes */
} pthread_mutexattr_t;

/* How the kernel finds the robust mutexes that a thread holds: <parvix/futex.h>. */
struct __pthread_link {
	struct __pthread_link *__next, *__prev;
};

typedef struct {
	volatile int __word; /* who has it, and whether somebody waits */
	int __kind;
	int __count;
	int __state;
	struct __pthread_link __link;
} pthread_mutex_t;

typedef struct {
	int __shared;
	__clockid_t __clock;
} pthread_condattr_t;

typedef struct {
	volatile int __sequence;
	volatile int __waiters;
	int __shared;
	__clockid_t __clock;
} pthread_cond_t;

typedef struct {
	int __shared;
} pthread_rwlockattr_t;

typedef struct {
	volatile int __lock;
	volatile int __sequence; /* changes whenever it may be had */
	int __readers;
	int __writer; /* its thread id */
	int __waiters;
	int __shared;
} pthread_rwlock_t;

typedef struct {
	int __shared;
} pthread_barrierattr_t;

typedef struct {
	volatile int __lock;
	volatile int __sequence;
	unsigned __count, __arrived;
	volatile int __inside;
	int __shared;
} pthread_barrier_t;

typedef struct {
	volatile int __word;
} pthread_once_t;

typedef volatile int pthread_spinlock_t;
typedef unsigned pthread_key_t;

#endif
