/* SPDX-License-Identifier: MIT */
/*
 * The *at() family. The kernel resolves relative paths from the working directory only, so these
 * functions accept AT_FDCWD, or any descriptor with an absolute path (which POSIX says is then not
 * looked at). Another directory with a relative path is answered with ENOTSUP, and a flag that
 * would need the kernel's help with EINVAL, never with the wrong file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* Whether @path can be used as it is. */
static int usable(int dir, const char *path)
{
	if (dir == AT_FDCWD || *path == '/')
		return 1;
	errno = *path ? ENOTSUP : ENOENT;
	return 0;
}

static int invalid(void)
{
	errno = EINVAL;
	return -1;
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return usable(dir, path) ? open(path, flags, mode) : -1;
}

int fstatat(int dir, const char *restrict path, struct stat *restrict st, int flags)
{
	if (flags & ~AT_SYMLINK_NOFOLLOW)
		return invalid();
	if (!usable(dir, path))
		return -1;
	return flags ? lstat(path, st) : stat(path, st);
}

int faccessat(int dir, const char *path, int mode, int flags)
{
	if ((flags & ~AT_EACCESS) || (flags && (getuid() != geteuid() || getgid() != getegid())))
		return invalid();
	return usable(dir, path) ? access(path, mode) : -1;
}

int fchmodat(int dir, const char *path, mode_t mode, int flags)
{
	if (flags)
		return invalid();
	return usable(dir, path) ? chmod(path, mode) : -1;
}

int fchownat(int dir, const char *path, uid_t uid, gid_t gid, int flags)
{
	if (flags & ~AT_SYMLINK_NOFOLLOW)
		return invalid();
	if (!usable(dir, path))
		return -1;
	return flags ? lchown(path, uid, gid) : chown(path, uid, gid);
}

int linkat(int dir1, const char *path1, int dir2, const char *path2, int flags)
{
	if (flags)
		return invalid();
	return usable(dir1, path1) && usable(dir2, path2) ? link(path1, path2) : -1;
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	return usable(dir, path) ? mkdir(path, mode) : -1;
}

int mkfifoat(int dir, const char *path, mode_t mode)
{
	return usable(dir, path) ? mkfifo(path, mode) : -1;
}

int mknodat(int dir, const char *path, mode_t mode, dev_t dev)
{
	return usable(dir, path) ? mknod(path, mode, dev) : -1;
}

ssize_t readlinkat(int dir, const char *restrict path, char *restrict buf, size_t size)
{
	return usable(dir, path) ? readlink(path, buf, size) : -1;
}

int renameat(int dir1, const char *path1, int dir2, const char *path2)
{
	return usable(dir1, path1) && usable(dir2, path2) ? rename(path1, path2) : -1;
}

int symlinkat(const char *target, int dir, const char *path)
{
	return usable(dir, path) ? symlink(target, path) : -1;
}

int unlinkat(int dir, const char *path, int flags)
{
	if (flags & ~AT_REMOVEDIR)
		return invalid();
	if (!usable(dir, path))
		return -1;
	return flags ? rmdir(path) : unlink(path);
}
