/* SPDX-License-Identifier: MIT */
/* Times of files: every function is SYS_utimens with its times converted. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>
#include "sys.h"

static int set_timevals(const char *path, int fd, const struct timeval *tv, int flags)
{
	struct timespec ts[2];
	int i;

	for (i = 0; tv && i < 2; i++) {
		if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000) {
			errno = EINVAL;
			return -1;
		}
		ts[i].tv_sec = tv[i].tv_sec;
		ts[i].tv_nsec = tv[i].tv_usec * 1000;
	}
	return (int)__ret(__SYS4(SYS_utimens, path, fd, tv ? ts : 0, flags));
}

int utimes(const char *path, const struct timeval *tv)
{
	return set_timevals(path, -1, tv, 0);
}

int lutimes(const char *path, const struct timeval *tv)
{
	return set_timevals(path, -1, tv, AT_SYMLINK_NOFOLLOW);
}

int futimes(int fd, const struct timeval *tv)
{
	return set_timevals(NULL, fd, tv, 0);
}

int utime(const char *path, const struct utimbuf *t)
{
	struct timeval tv[2];

	if (!t)
		return set_timevals(path, -1, NULL, 0);
	tv[0].tv_sec = t->actime;
	tv[1].tv_sec = t->modtime;
	tv[0].tv_usec = tv[1].tv_usec = 0;
	return set_timevals(path, -1, tv, 0);
}

int futimens(int fd, const struct timespec *ts)
{
	return (int)__ret(__SYS4(SYS_utimens, 0, fd, ts, 0));
}
