/* SPDX-License-Identifier: MIT */
/*
 * Shared memory objects: files in /dev/shm, which is a tmpfs. And what POSIX calls otherwise than
 * the kernel does.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "sys.h"

#define SHM_DIR "/dev/shm/"

/* "/name" or "name", without another slash, to a path. */
static int shm_path(const char *name, char path[sizeof(SHM_DIR) + NAME_MAX])
{
	size_t len;

	while (*name == '/')
		name++;
	len = strlen(name);
	if (len > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!len || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) {
		errno = EINVAL;
		return -1;
	}
	memcpy(path, SHM_DIR, sizeof(SHM_DIR) - 1);
	memcpy(path + sizeof(SHM_DIR) - 1, name, len + 1);
	return 0;
}

int shm_open(const char *name, int flags, mode_t mode)
{
	char path[sizeof(SHM_DIR) + NAME_MAX];
	int fd;

	if (shm_path(name, path))
		return -1;
	fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0 && errno == ELOOP)
		errno = EINVAL;
	return fd;
}

int shm_unlink(const char *name)
{
	char path[sizeof(SHM_DIR) + NAME_MAX];

	if (shm_path(name, path))
		return -1;
	if (unlink(path) == 0)
		return 0;
	/* What a folder with the sticky bit says about the files of others. */
	if (errno == EPERM)
		errno = EACCES;
	return -1;
}

/* Advice that never changes what memory holds: so DONTNEED must not be the kernel's. */
int posix_madvise(void *addr, size_t len, int advice)
{
	if (advice < POSIX_MADV_NORMAL || advice > POSIX_MADV_DONTNEED)
		return EINVAL;
	if (advice == POSIX_MADV_DONTNEED)
		advice = MADV_NORMAL;
	return (int)-__SYS3(SYS_madvise, addr, len, advice);
}

int mlockall(int flags)
{
	if (!flags) {
		errno = EINVAL;
		return -1;
	}
	return (int)__ret(__SYS1(SYS_mlockall, flags));
}

int munlockall(void)
{
	return (int)__ret(__SYS1(SYS_mlockall, 0));
}
