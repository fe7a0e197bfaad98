/* SPDX-License-Identifier: MIT */
#ifndef _POLL_H
#define _POLL_H

#include <sys/cdefs.h>
#include <signal.h>
#include <time.h>

#define POLLIN 0x001
#define POLLPRI 0x002
#define POLLOUT 0x004
#define POLLERR 0x008
#define POLLHUP 0x010
#define POLLNVAL 0x020
#define POLLRDNORM 0x040
#define POLLRDBAND 0x080
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200
#if __MISC_VISIBLE
#define POLLRDHUP 0x2000 /* a socket's peer sends no more */
#endif

struct pollfd {
	int fd;
	short events;
	short revents;
};
typedef unsigned long nfds_t;

__BEGIN_DECLS
int poll(struct pollfd *, nfds_t, int);
#if __MISC_VISIBLE
int ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
#endif
__END_DECLS

#endif
