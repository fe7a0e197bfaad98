/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

static int convert(int ret, const struct statfs *s, struct statvfs *v)
{
	if (ret < 0)
		return ret;
	memset(v, 0, sizeof(*v));
	v->f_bsize = v->f_frsize = s->f_bsize;
	v->f_blocks = s->f_blocks;
	v->f_bfree = s->f_bfree;
	v->f_bavail = s->f_bavail;
	v->f_files = s->f_files;
	v->f_ffree = v->f_favail = s->f_ffree;
	v->f_fsid = s->f_fsid;
	v->f_flag = s->f_flags & (ST_RDONLY | ST_NOSUID);
	v->f_namemax = s->f_namelen;
	return 0;
}

int statvfs(const char *restrict path, struct statvfs *restrict v)
{
	struct statfs s;

	return convert(statfs(path, &s), &s, v);
}

int fstatvfs(int fd, struct statvfs *v)
{
	struct statfs s;

	return convert(fstatfs(fd, &s), &s, v);
}
