/* SPDX-License-Identifier: MIT */
/*
 * The *at() family. The kernel resolves relative paths from the working directory only; a path that
 * starts at an open directory goes through /proc/self/fd/N, which leads to what descriptor N stands
 * for. So these functions need /proc to be mounted, unless the directory is AT_FDCWD or the path is
 * absolute. A flag that would need the kernel's help is answered with EINVAL.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syslimits.h>
#include <sys/time.h>
#include <unistd.h>
#include "sys.h"

#define FD_DIR "/proc/self/fd/"
#define AT_MAX (PATH_MAX + sizeof(FD_DIR) + 12)

/* The path to use, in @buf if it is not @path itself; NULL and errno if there is none. */
static const char *at_path(int dir, const char *path, char *buf)
{
	char digits[12];
	char *d = digits + sizeof(digits) - 1;

	if (dir == AT_FDCWD || *path == '/')
		return path;
	if (*path == '\0') {
		errno = ENOENT;
		return NULL;
	}
	if (fcntl(dir, F_GETFD) < 0)
		return NULL;
	if (strlen(path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	/* Not by snprintf(): whoever wants openat() need not want all of that. */
	*d = '\0';
	do {
		*--d = (char)('0' + dir % 10);
		dir /= 10;
	} while (dir);
	strcpy(buf, FD_DIR);
	strcat(buf, d);
	strcat(buf, "/");
	return strcat(buf, path);
}

static int invalid(void)
{
	errno = EINVAL;
	return -1;
}

int openat(int dir, const char *path, int flags, ...)
{
	char buf[AT_MAX];
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	path = at_path(dir, path, buf);
	return path ? open(path, flags, mode) : -1;
}

int fstatat(int dir, const char *restrict path, struct stat *restrict st, int flags)
{
	char buf[AT_MAX];

	if (flags & ~AT_SYMLINK_NOFOLLOW)
		return invalid();
	path = at_path(dir, path, buf);
	if (!path)
		return -1;
	return flags ? lstat(path, st) : stat(path, st);
}

int faccessat(int dir, const char *path, int mode, int flags)
{
	char buf[AT_MAX];

	if ((flags & ~AT_EACCESS) || (flags && (getuid() != geteuid() || getgid() != getegid())))
		return invalid();
	path = at_path(dir, path, buf);
	return path ? access(path, mode) : -1;
}

int fchmodat(int dir, const char *path, mode_t mode, int flags)
{
	char buf[AT_MAX];

	if (flags)
		return invalid();
	path = at_path(dir, path, buf);
	return path ? chmod(path, mode) : -1;
}

int fchownat(int dir, const char *path, uid_t uid, gid_t gid, int flags)
{
	char buf[AT_MAX];

	if (flags & ~AT_SYMLINK_NOFOLLOW)
		return invalid();
	path = at_path(dir, path, buf);
	if (!path)
		return -1;
	return flags ? lchown(path, uid, gid) : chown(path, uid, gid);
}

int linkat(int dir1, const char *path1, int dir2, const char *path2, int flags)
{
	char buf1[AT_MAX], buf2[AT_MAX];

	if (flags)
		return invalid();
	path1 = at_path(dir1, path1, buf1);
	path2 = path1 ? at_path(dir2, path2, buf2) : NULL;
	return path2 ? link(path1, path2) : -1;
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	char buf[AT_MAX];

	path = at_path(dir, path, buf);
	return path ? mkdir(path, mode) : -1;
}

int mkfifoat(int dir, const char *path, mode_t mode)
{
	char buf[AT_MAX];

	path = at_path(dir, path, buf);
	return path ? mkfifo(path, mode) : -1;
}

int mknodat(int dir, const char *path, mode_t mode, dev_t dev)
{
	char buf[AT_MAX];

	path = at_path(dir, path, buf);
	return path ? mknod(path, mode, dev) : -1;
}

ssize_t readlinkat(int dir, const char *restrict path, char *restrict target, size_t size)
{
	char buf[AT_MAX];

	path = at_path(dir, path, buf);
	return path ? readlink(path, target, size) : -1;
}

int renameat(int dir1, const char *path1, int dir2, const char *path2)
{
	char buf1[AT_MAX], buf2[AT_MAX];

	path1 = at_path(dir1, path1, buf1);
	path2 = path1 ? at_path(dir2, path2, buf2) : NULL;
	return path2 ? rename(path1, path2) : -1;
}

int symlinkat(const char *target, int dir, const char *path)
{
	char buf[AT_MAX];

	path = at_path(dir, path, buf);
	return path ? symlink(target, path) : -1;
}

int unlinkat(int dir, const char *path, int flags)
{
	char buf[AT_MAX];

	if (flags & ~AT_REMOVEDIR)
		return invalid();
	path = at_path(dir, path, buf);
	if (!path)
		return -1;
	return flags ? rmdir(path) : unlink(path);
}

int utimensat(int dir, const char *path, const struct timespec *ts, int flags)
{
	char buf[AT_MAX];

	path = at_path(dir, path, buf);
	return path ? (int)__ret(__SYS4(SYS_utimens, path, -1, ts, flags)) : -1;
}
