/* SPDX-License-Identifier: MIT */
/* Calls on files that are another call with some arguments fixed. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sys.h"

int mkfifo(const char *path, mode_t mode)
{
	return mknod(path, S_IFIFO | (mode & 07777), 0);
}

int mkfifoat(int dir, const char *path, mode_t mode)
{
	return mknodat(dir, path, S_IFIFO | (mode & 07777), 0);
}

int pipe(int fds[2])
{
	return pipe2(fds, 0);
}

int umount(const char *target)
{
	return umount2(target, 0);
}

/* Unlike dup2, refuses equal descriptors and can set close-on-exec. */
int dup3(int old, int new, int flags)
{
	int fd;

	if (old == new || (flags & ~O_CLOEXEC)) {
		errno = EINVAL;
		return -1;
	}
	fd = dup2(old, new);
	if (fd >= 0 && (flags & O_CLOEXEC))
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
	return (int)-__SYS3(SYS_fallocate, fd, offset, len);
}

/* The kernel reads ahead, and forgets, by what it sees. */
int posix_fadvise(int fd, off_t offset, off_t len, int advice)
{
	int saved = errno, err = 0;

	if (fcntl(fd, F_GETFL) < 0 || (lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE))
		err = errno;
	else if (offset < 0 || len < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
		err = EINVAL;
	errno = saved;
	return err;
}

int lockf(int fd, int cmd, off_t len)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = len};

	switch (cmd) {
	case F_ULOCK:
		l.l_type = F_UNLCK;
		return fcntl(fd, F_SETLK, &l);
	case F_LOCK:
		return fcntl(fd, F_SETLKW, &l);
	case F_TLOCK:
		return fcntl(fd, F_SETLK, &l);
	case F_TEST:
		if (fcntl(fd, F_GETLK, &l) < 0)
			return -1;
		if (l.l_type == F_UNLCK)
			return 0;
		errno = EACCES;
		return -1;
	}
	errno = EINVAL;
	return -1;
}
