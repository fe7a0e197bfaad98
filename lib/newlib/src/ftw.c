/* SPDX-License-Identifier: MIT */
/*
 * Walks over trees. One path buffer grows and shrinks with the depth; a directory stays open while
 * what is in it is visited, unless as many as the caller allows are open: then the place in it is
 * noted, it is closed, and opened again afterwards. With links followed, the directories above are
 * compared, so that a link to one of them ends the descent there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

typedef int (*nftw_fn)(const char *, const struct stat *, int, struct FTW *);
typedef int (*ftw_fn)(const char *, const struct stat *, int);

struct above {
	const struct above *up;
	dev_t dev;
	ino_t ino;
};

struct tree {
	nftw_fn each;
	ftw_fn each_plain; /* ftw() */
	int flags, open_left;
	dev_t dev; /* FTW_MOUNT */
	char path[PATH_MAX];
};

static int visit(struct tree *t, size_t len, size_t base, int level, const struct above *up);

static int call(struct tree *t, const struct stat *st, int type, size_t base, int level)
{
	struct FTW where = {(int)base, level};

	if (t->each_plain)
		return t->each_plain(t->path, st, type);
	return t->each(t->path, st, type, &where);
}

static int child(struct tree *t, size_t len, const char *name, int level, const struct above *me)
{
	size_t n = strlen(name), at = len && t->path[len - 1] == '/' ? len : len + 1;
	int ret;

	if (at + n >= sizeof(t->path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	t->path[at - 1] = '/';
	memcpy(t->path + at, name, n + 1);
	ret = visit(t, at + n, at, level + 1, me);
	t->path[len] = 0;
	return ret;
}

/* What is in the directory @d, which is closed at the end. */
static int entries(struct tree *t, DIR *d, size_t len, int level, const struct above *me)
{
	struct dirent *e;
	int ret = 0;

	t->open_left--;
	while (!ret && (errno = 0, e = readdir(d))) {
		char name[NAME_MAX + 1];
		long place = telldir(d);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		strcpy(name, e->d_name);
		if (t->open_left <= 0) {
			closedir(d);
			t->open_left++;
			ret = child(t, len, name, level, me);
			t->open_left--;
			d = opendir(t->path);
			if (!d)
				break;
			seekdir(d, place);
		} else {
			ret = child(t, len, name, level, me);
		}
	}
	if (!ret && (!d || errno))
		ret = -1;
	if (d)
		closedir(d);
	t->open_left++;
	return ret;
}

static int directory(struct tree *t, const struct stat *st, size_t len, size_t base, int level,
		     const struct above *up)
{
	struct above me = {up, st->st_dev, st->st_ino};
	int depth = t->flags & FTW_DEPTH, ret = 0;
	DIR *d;

	if (!(t->flags & FTW_PHYS))
		for (; up; up = up->up)
			if (up->dev == me.dev && up->ino == me.ino)
				return 0;
	d = opendir(t->path);
	if (!d)
		return errno == EACCES ? call(t, st, FTW_DNR, base, level) : -1;
	if (!depth)
		ret = call(t, st, FTW_D, base, level);
	if (ret)
		closedir(d);
	else
		ret = entries(t, d, len, level, &me);
	return !ret && depth ? call(t, st, FTW_DP, base, level) : ret;
}

static int visit(struct tree *t, size_t len, size_t base, int level, const struct above *up)
{
	struct stat st;
	int type = FTW_F;

	if ((t->flags & FTW_PHYS ? lstat(t->path, &st) : stat(t->path, &st)) < 0) {
		/* A link that leads nowhere, a directory that may not be searched. */
		if (errno != ENOENT && errno != EACCES && errno != ELOOP)
			return -1;
		if (!level && lstat(t->path, &st) < 0)
			return -1;
		type = lstat(t->path, &st) == 0 && S_ISLNK(st.st_mode) ? FTW_SLN : FTW_NS;
		if (type == FTW_SLN && t->each_plain)
			type = FTW_SL;
		return call(t, &st, type, base, level);
	}
	if ((t->flags & FTW_MOUNT) && !level)
		t->dev = st.st_dev;
	else if ((t->flags & FTW_MOUNT) && st.st_dev != t->dev)
		return 0;
	if (S_ISDIR(st.st_mode))
		return directory(t, &st, len, base, level, up);
	return call(t, &st, S_ISLNK(st.st_mode) ? FTW_SL : FTW_F, base, level);
}

static int walk(struct tree *t, const char *path, int limit)
{
	size_t len = strlen(path), base;

	if (len >= sizeof(t->path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (t->flags & FTW_CHDIR) {
		errno = ENOTSUP;
		return -1;
	}
	memcpy(t->path, path, len + 1);
	while (len > 1 && t->path[len - 1] == '/')
		t->path[--len] = 0;
	for (base = len; base && t->path[base - 1] != '/'; base--)
		;
	t->open_left = limit < 1 ? 1 : limit;
	return visit(t, len, base, 0, NULL);
}

int nftw(const char *path, nftw_fn each, int limit, int flags)
{
	struct tree t = {.each = each, .flags = flags};

	return walk(&t, path, limit);
}

int ftw(const char *path, ftw_fn each, int limit)
{
	struct tree t = {.each_plain = each};

	return walk(&t, path, limit);
}
