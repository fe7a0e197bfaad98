/* SPDX-License-Identifier: MIT */
/* Asynchronous input and output: by threads of the C library. */
#ifndef _AIO_H
#define _AIO_H

#include <fcntl.h>
#include <signal.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <time.h>

#define _POSIX_ASYNCHRONOUS_IO 200809L

#define AIO_MAX 256 /* requests under way */
#define AIO_LISTIO_MAX 256
#define AIO_PRIO_DELTA_MAX 0

#define AIO_CANCELED 0
#define AIO_NOTCANCELED 1
#define AIO_ALLDONE 2

#define LIO_READ 0
#define LIO_WRITE 1
#define LIO_NOP 2

#define LIO_WAIT 0
#define LIO_NOWAIT 1

struct aiocb {
	int aio_fildes;
	int aio_lio_opcode;
	int aio_reqprio; /* 0: there are no priorities */
	volatile void *aio_buf;
	size_t aio_nbytes;
	off_t aio_offset;
	struct sigevent aio_sigevent;
	volatile int __state; /* 0, or EINPROGRESS or how it has ended, marked */
	volatile ssize_t __result;
};

__BEGIN_DECLS
int aio_read(struct aiocb *);
int aio_write(struct aiocb *);
int aio_fsync(int, struct aiocb *);
int aio_error(const struct aiocb *);
ssize_t aio_return(struct aiocb *);
int aio_suspend(const struct aiocb *const[], int, const struct timespec *);
int aio_cancel(int, struct aiocb *);
int lio_listio(int, struct aiocb *__restrict const[__restrict], int, struct sigevent *__restrict);
__END_DECLS

#endif
