/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous input and output. Each request is a thread, which makes the call and tells of its
 * end; so a pipe that nobody writes to holds up nobody else, and what is asked for at the same time
 * is under way at the same time. Order matters where there is no position, or always the same one
 * (pipes, O_APPEND), and for aio_fsync: such a request waits for the earlier ones of its file.
 *
 * aio_cancel() cancels the thread. Points of cancellation are exact here (cancel.S): a read that
 * has taken something from a pipe is not cancelled any more. Closing a file cancels what is under
 * way for it: its number may be another file's soon.
 */
#include "thread.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MARK 0x10000 /* in a block's state: there is a request, whose result nobody has taken */

enum what { READ = LIO_READ, WRITE = LIO_WRITE, SYNC, DATASYNC };

/* What lio_listio has started at once. */
struct group {
	int left;
	struct sigevent event;
};

struct request {
	struct request *next; /* the later ones first */
	struct aiocb *cb;
	struct group *group;
	pthread_t thread;
	enum what what;
	int fd;
	int positioned, ordered;
	unsigned long number; /* of no other */
	volatile int *tell;   /* who waits for the end of it, having cancelled it */
};

static volatile int lock;
static volatile int changes; /* grows when a request ends */
static struct request *requests;
static int count;
static unsigned long last_number;

void __parvix_aio_forget(void);
void __parvix_aio_close(int fd);

/* In a child of fork, which has none of the threads. */
void __parvix_aio_forget(void)
{
	requests = NULL;
	count = 0;
	lock = 0;
}

/* ---- a request's thread ---- */

static void notify(const struct sigevent *event)
{
	if (event->sigev_notify == SIGEV_SIGNAL)
		sigqueue(getpid(), event->sigev_signo, event->sigev_value);
	else if (event->sigev_notify == SIGEV_THREAD)
		event->sigev_notify_function(event->sigev_value);
}

/* Whether nobody is left. */
static int leave(struct group *group)
{
	return __atomic_sub_fetch(&group->left, 1, __ATOMIC_SEQ_CST) == 0;
}

static void notify_group(struct group *group)
{
	notify(&group->event);
	free(group);
}

static void take_out(const struct request *r)
{
	struct request **at = &requests;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	count--;
}

static void finish(struct request *r, int error, ssize_t result)
{
	struct sigevent event = r->cb->aio_sigevent;
	struct group *group = r->group;
	int last;

	lock_word(&lock, 0);
	take_out(r);
	r->cb->__result = result;
	/* From here on the block is the program's again. */
	__atomic_store_n(&r->cb->__state, MARK | error, __ATOMIC_SEQ_CST);
	last = group && leave(group);
	if (r->tell)
		*r->tell = MARK | error;
	changes++;
	unlock_word(&lock, 0);
	futex_wake(&changes, INT_MAX, 0);
	free(r);
	notify(&event);
	if (last)
		notify_group(group);
}

static void cancelled(void *arg)
{
	finish(arg, ECANCELED, -1);
}

/* Those that @r has to wait for come behind it in the list. */
static int must_wait(const struct request *r)
{
	for (const struct request *other = r->next; other && r->ordered; other = other->next)
		if (other->fd == r->fd && (r->what >= SYNC || other->what == r->what))
			return 1;
	return 0;
}

static void wait_for_turn(const struct request *r)
{
	for (;;) {
		int seen, wait;

		lock_word(&lock, 0);
		wait = must_wait(r);
		seen = changes;
		unlock_word(&lock, 0);
		if (!wait)
			return;
		__parvix_cancel_sys(SYS_futex, (long)&changes, FUTEX_WAIT | FUTEX_PRIVATE, seen, 0,
				    0);
	}
}

static ssize_t perform(const struct request *r)
{
	void *buf = (void *)r->cb->aio_buf;
	size_t n = r->cb->aio_nbytes;
	off_t at = r->cb->aio_offset;

	switch (r->what) {
	case READ:
		return r->positioned ? pread(r->fd, buf, n, at) : read(r->fd, buf, n);
	case WRITE:
		return r->positioned ? pwrite(r->fd, buf, n, at) : write(r->fd, buf, n);
	case SYNC:
		return fsync(r->fd);
	case DATASYNC:
		return fdatasync(r->fd);
	}
	return -1;
}

static void *serve(void *arg)
{
	struct request *r = arg;
	ssize_t result;

	pthread_cleanup_push(cancelled, r);
	wait_for_turn(r);
	result = perform(r);
	pthread_cleanup_pop(0);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	finish(r, result < 0 ? errno : 0, result);
	return NULL;
}

/* ---- requests ---- */

/* 0 or an error number. */
static int submit(struct aiocb *cb, enum what what, struct group *group)
{
	int flags = fcntl(cb->aio_fildes, F_GETFL), err = 0;
	sigset_t others = ~(1ul << SIGCANCEL), mask;
	struct request *r;
	pthread_attr_t attr;

	if (flags < 0)
		return EBADF;
	if ((what == READ && (flags & O_ACCMODE) == O_WRONLY) ||
	    (what == WRITE && (flags & O_ACCMODE) == O_RDONLY))
		return EBADF;
	if (what < SYNC && (cb->aio_reqprio || cb->aio_nbytes > SSIZE_MAX))
		return EINVAL;
	r = malloc(sizeof(*r));
	if (!r)
		return EAGAIN;
	*r = (struct request){.cb = cb, .group = group, .what = what, .fd = cb->aio_fildes};
	r->positioned = lseek(r->fd, 0, SEEK_CUR) >= 0;
	r->ordered = what >= SYNC || !r->positioned || (what == WRITE && flags & O_APPEND);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	thread_self();
	lock_word(&lock, 0);
	if (count == AIO_MAX) {
		err = EAGAIN;
	} else {
		cb->__state = MARK | EINPROGRESS;
		r->next = requests;
		requests = r;
		r->number = ++last_number;
		count++;
		__SYS3(SYS_sigprocmask, SIG_SETMASK, &others, &mask);
		err = pthread_create(&r->thread, &attr, serve, r);
		__SYS3(SYS_sigprocmask, SIG_SETMASK, &mask, NULL);
		if (err)
			take_out(r);
	}
	unlock_word(&lock, 0);
	if (err) {
		cb->__state = MARK | err;
		cb->__result = -1;
		free(r);
	}
	return err;
}

static int started(int err)
{
	if (!err)
		return 0;
	errno = err;
	return -1;
}

int aio_read(struct aiocb *cb)
{
	return started(submit(cb, READ, NULL));
}

int aio_write(struct aiocb *cb)
{
	return started(submit(cb, WRITE, NULL));
}

int aio_fsync(int how, struct aiocb *cb)
{
	int flags = fcntl(cb->aio_fildes, F_GETFL);

	if (how != O_SYNC && how != O_DSYNC)
		return started(EINVAL);
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return started(EBADF);
	return started(submit(cb, how == O_SYNC ? SYNC : DATASYNC, NULL));
}

int aio_error(const struct aiocb *cb)
{
	int state = __atomic_load_n(&cb->__state, __ATOMIC_SEQ_CST);

	return state & MARK ? state & ~MARK : started(EINVAL);
}

ssize_t aio_return(struct aiocb *cb)
{
	if (aio_error(cb) == EINPROGRESS || !(cb->__state & MARK))
		return started(EINVAL);
	cb->__state = 0;
	return cb->__result;
}

int aio_suspend(const struct aiocb *const list[], int n, const struct timespec *timeout)
{
	struct timespec end;
	long ret = 0;

	if (timeout) {
		if (time_is_wrong(timeout))
			return started(EINVAL);
		clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_sec += timeout->tv_sec;
		end.tv_nsec += timeout->tv_nsec;
		if (end.tv_nsec >= 1000000000) {
			end.tv_nsec -= 1000000000;
			end.tv_sec++;
		}
	}
	for (;;) {
		int seen = changes;

		for (int i = 0; i < n; i++)
			if (list[i] && aio_error(list[i]) != EINPROGRESS)
				return 0;
		if (ret == -ETIMEDOUT || ret == -EINTR)
			return started(ret == -EINTR ? EINTR : EAGAIN);
		ret = __parvix_cancel_sys(SYS_futex, (long)&changes, FUTEX_WAIT | FUTEX_PRIVATE,
					  seen, timeout ? (long)&end : 0, 0);
	}
}

/*
 * One request of @fd, or that of @cb, is cancelled if it still can be, and has ended then. 0: there
 * is none; else MARK and its error. The block itself may be gone by then.
 */
static int cancel_one(int fd, const struct aiocb *cb)
{
	volatile int outcome = MARK; /* it has ended, unless it says more */
	unsigned long number;
	struct request *r;

	lock_word(&lock, 0);
	for (r = requests; r && (r->fd != fd || (cb && r->cb != cb)); r = r->next)
		;
	if (!r) {
		unlock_word(&lock, 0);
		return 0;
	}
	number = r->number;
	r->tell = &outcome;
	pthread_cancel(r->thread);
	while (r) {
		int seen = changes;

		unlock_word(&lock, 0);
		futex_wait(&changes, seen, CLOCK_MONOTONIC, NULL, 0);
		lock_word(&lock, 0);
		for (r = requests; r && r->number != number; r = r->next)
			;
	}
	unlock_word(&lock, 0);
	return outcome;
}

int aio_cancel(int fd, struct aiocb *cb)
{
	int result = AIO_ALLDONE, outcome;

	if (fcntl(fd, F_GETFD) < 0)
		return started(EBADF);
	if (cb && cb->aio_fildes != fd)
		return started(EINVAL);
	do {
		outcome = cancel_one(fd, cb);
		if (outcome == (MARK | ECANCELED))
			result = AIO_CANCELED;
	} while (outcome && !cb);
	return result;
}

void __parvix_aio_close(int fd)
{
	while (count && cancel_one(fd, NULL))
		;
}

/* Until none of them is under way: 0, EIO if one has failed, EINTR. */
static int wait_for_all(struct aiocb *const list[], int n)
{
	int failed = 0;

	for (int i = 0; i < n; i++) {
		const struct aiocb *cb = list[i];

		if (!cb || cb->aio_lio_opcode == LIO_NOP)
			continue;
		while (aio_error(cb) == EINPROGRESS)
			if (aio_suspend(&cb, 1, NULL) < 0)
				return errno;
		failed |= aio_error(cb);
	}
	return failed ? EIO : 0;
}

int lio_listio(int mode, struct aiocb *__restrict const list[__restrict], int n,
	       struct sigevent *__restrict event)
{
	struct group *group = NULL;
	int err = 0;

	if ((mode != LIO_WAIT && mode != LIO_NOWAIT) || n < 0 || n > AIO_LISTIO_MAX)
		return started(EINVAL);
	if (mode == LIO_NOWAIT && event) {
		group = malloc(sizeof(*group));
		if (!group)
			return started(EAGAIN);
		*group = (struct group){.left = 1, .event = *event};
	}
	for (int i = 0; i < n; i++) {
		int what = list[i] ? list[i]->aio_lio_opcode : LIO_NOP, bad = 0;

		if (what == LIO_NOP)
			continue;
		if (group)
			__atomic_add_fetch(&group->left, 1, __ATOMIC_SEQ_CST);
		if (what == LIO_READ || what == LIO_WRITE)
			bad = submit(list[i], (enum what)what, group);
		else
			bad = EINVAL;
		if (bad) {
			list[i]->__state = MARK | bad;
			list[i]->__result = -1;
			err = bad == EAGAIN ? EAGAIN : EIO;
			if (group)
				leave(group);
		}
	}
	if (group && leave(group))
		notify_group(group);
	if (mode == LIO_WAIT) {
		int ended = wait_for_all((struct aiocb *const *)list, n);

		err = err ? err : ended;
	}
	return started(err);
}
