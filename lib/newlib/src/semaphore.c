/* SPDX-License-Identifier: MIT */
/*
 * Semaphores: a value on which those sleep who find it 0. A named one is a file in /dev/shm that is
 * mapped, shared: two opens of one name in one process must give one address, so the library keeps
 * a list.
 */
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(int err)
{
	errno = err;
	return -1;
}

int sem_init(sem_t *s, int shared, unsigned value)
{
	if (value > SEM_VALUE_MAX)
		return fail(EINVAL);
	s->__value = (int)value;
	s->__waiters = 0;
	s->__shared = shared;
	return 0;
}

int sem_destroy(sem_t *s)
{
	return s->__waiters ? fail(EBUSY) : 0;
}

/* A handler may call it: no lock. */
int sem_post(sem_t *s)
{
	int value = s->__value, was, shared = s->__shared, waited;

	for (;; value = was) {
		if (value == SEM_VALUE_MAX)
			return fail(EOVERFLOW);
		waited = s->__waiters;
		was = cas(&s->__value, value, value + 1);
		if (was == value)
			break;
	}
	if (waited)
		futex_wake(&s->__value, 1, shared);
	return 0;
}

int sem_trywait(sem_t *s)
{
	int value = s->__value, was;

	for (; value > 0; value = was) {
		was = cas(&s->__value, value, value - 1);
		if (was == value)
			return 0;
	}
	return fail(EAGAIN);
}

static void leave(void *arg)
{
	sem_t *s = arg;

	__atomic_sub_fetch(&s->__waiters, 1, __ATOMIC_SEQ_CST);
}

int sem_timedwait(sem_t *s, const struct timespec *deadline)
{
	int op = FUTEX_WAIT | FUTEX_REALTIME | (s->__shared ? 0 : FUTEX_PRIVATE);
	long ret = 0;

	pthread_testcancel();
	while (sem_trywait(s)) {
		if (time_is_wrong(deadline))
			return fail(EINVAL);
		if (ret == -ETIMEDOUT || ret == -EINTR)
			return fail((int)-ret);
		__atomic_add_fetch(&s->__waiters, 1, __ATOMIC_SEQ_CST);
		pthread_cleanup_push(leave, s);
		ret = __parvix_cancel_sys(SYS_futex, (long)&s->__value, op, 0, (long)deadline, 0);
		pthread_cleanup_pop(1);
	}
	return 0;
}

int sem_wait(sem_t *s)
{
	return sem_timedwait(s, NULL);
}

int sem_getvalue(sem_t *s, int *value)
{
	*value = s->__value;
	return 0;
}

/* ---- with names ---- */

static struct named {
	struct named *next;
	sem_t *sem;
	dev_t dev;
	ino_t ino;
	int opens;
} * open_ones;
static volatile int lock;

static int path_of(const char *name, char *path, size_t size)
{
	while (*name == '/')
		name++;
	if (!*name || strchr(name, '/'))
		return fail(*name ? EINVAL : ENOENT);
	if (strlen(name) > NAME_MAX - 4)
		return fail(ENAMETOOLONG);
	snprintf(path, size, "/dev/shm/sem.%s", name);
	return 0;
}

/* The semaphore in the file @fd; once for each process. */
static sem_t *map(int fd)
{
	struct named *n;
	struct stat st;

	if (fstat(fd, &st))
		return SEM_FAILED;
	for (n = open_ones; n; n = n->next)
		if (n->dev == st.st_dev && n->ino == st.st_ino) {
			n->opens++;
			return n->sem;
		}
	n = malloc(sizeof(*n));
	if (!n)
		return SEM_FAILED;
	*n = (struct named){open_ones, NULL, st.st_dev, st.st_ino, 1};
	n->sem = mmap(NULL, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (n->sem == MAP_FAILED) {
		free(n);
		return SEM_FAILED;
	}
	open_ones = n;
	return n->sem;
}

/* A new one is made under another name and then linked: nobody sees it half made. */
static int make(const char *path, mode_t mode, unsigned value)
{
	char temporary[] = "/dev/shm/sem.XXXXXX";
	mode_t mask = umask(0);
	sem_t fresh;
	int fd, err;

	umask(mask);
	if (value > SEM_VALUE_MAX)
		return fail(EINVAL);
	fd = mkstemp(temporary);
	if (fd < 0)
		return -1;
	sem_init(&fresh, 1, value);
	if (write(fd, &fresh, sizeof(fresh)) != (ssize_t)sizeof(fresh) ||
	    fchmod(fd, mode & ~mask) || link(temporary, path)) {
		err = errno;
		close(fd);
		fd = fail(err);
	}
	err = errno;
	unlink(temporary);
	errno = err;
	return fd;
}

static int open_or_make(const char *path, int flags, mode_t mode, unsigned value)
{
	int fd;

	for (;;) {
		if ((flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL)) {
			fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
			if (fd >= 0 || errno != ENOENT || !(flags & O_CREAT))
				return fd;
		}
		fd = make(path, mode, value);
		if (fd >= 0 || errno != EEXIST || (flags & O_EXCL))
			return fd;
	}
}

sem_t *sem_open(const char *name, int flags, ...)
{
	char path[NAME_MAX + 16];
	unsigned value = 0;
	mode_t mode = 0;
	sem_t *sem;
	int fd;

	if (flags & O_CREAT) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		value = va_arg(args, unsigned);
		va_end(args);
	}
	if (path_of(name, path, sizeof(path)))
		return SEM_FAILED;
	fd = open_or_make(path, flags, mode, value);
	if (fd < 0)
		return SEM_FAILED;
	lock_word(&lock, 0);
	sem = map(fd);
	unlock_word(&lock, 0);
	close(fd);
	return sem;
}

int sem_close(sem_t *s)
{
	struct named **at, *n = NULL;

	lock_word(&lock, 0);
	for (at = &open_ones; *at; at = &(*at)->next)
		if ((*at)->sem == s) {
			n = *at;
			if (--n->opens == 0)
				*at = n->next;
			break;
		}
	unlock_word(&lock, 0);
	if (!n)
		return fail(EINVAL);
	if (n->opens == 0) {
		munmap(s, sizeof(*s));
		free(n);
	}
	return 0;
}

int sem_unlink(const char *name)
{
	char path[NAME_MAX + 16];

	if (path_of(name, path, sizeof(path)))
		return -1;
	if (unlink(path) == 0)
		return 0;
	/* What a folder with the sticky bit says about the files of others. */
	return fail(errno == EPERM ? EACCES : errno);
}
