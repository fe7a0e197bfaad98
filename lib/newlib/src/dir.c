/* SPDX-License-Identifier: MIT */
/* Directory streams over SYS_getdents: a descriptor and a buffer of records. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sys.h"

struct __dirstream {
	int fd;
	int pos; /* of the next record in buf */
	int end;
	long tell; /* directory offset of the record at pos */
	char buf[4096] __attribute__((aligned(8)));
};

DIR *fdopendir(int fd)
{
	struct stat st;
	DIR *d;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return NULL;
	}
	d = malloc(sizeof(*d));
	if (!d)
		return NULL;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	d->fd = fd;
	d->pos = d->end = 0;
	d->tell = lseek(fd, 0, SEEK_CUR);
	return d;
}

DIR *opendir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d;

	if (fd < 0)
		return NULL;
	d = fdopendir(fd);
	if (!d)
		close(fd);
	return d;
}

struct dirent *readdir(DIR *d)
{
	struct dirent *e;
	long n;

	if (d->pos >= d->end) {
		n = __ret(__SYS3(SYS_getdents, d->fd, d->buf, sizeof(d->buf)));
		if (n <= 0)
			return NULL;
		d->pos = 0;
		d->end = (int)n;
	}
	e = (struct dirent *)(d->buf + d->pos);
	d->pos += e->d_reclen;
	d->tell = e->d_off;
	return e;
}

int readdir_r(DIR *restrict d, struct dirent *restrict buf, struct dirent **restrict result)
{
	int saved = errno;
	struct dirent *e;
	int err;

	errno = 0;
	e = readdir(d);
	err = errno;
	errno = saved;
	if (e)
		memcpy(buf, e, e->d_reclen);
	*result = e ? buf : NULL;
	return e ? 0 : err;
}

int closedir(DIR *d)
{
	int fd = d->fd;

	free(d);
	return close(fd);
}

int fdclosedir(DIR *d)
{
	int fd = d->fd;

	free(d);
	return fd;
}

int dirfd(DIR *d)
{
	return d->fd;
}

long telldir(DIR *d)
{
	return d->tell;
}

void seekdir(DIR *d, long where)
{
	lseek(d->fd, where, SEEK_SET);
	d->pos = d->end = 0;
	d->tell = where;
}

void rewinddir(DIR *d)
{
	seekdir(d, 0);
}
