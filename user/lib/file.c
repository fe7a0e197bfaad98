/* SPDX-License-Identifier: MIT */
/* Paths, lines, whole files, directories, the walk over a tree. */
#include "util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *path_join(const char *dir, const char *name)
{
	size_t d = strlen(dir);
	size_t n = strlen(name);
	char *path = xmalloc(d + n + 2);

	memcpy(path, dir, d);
	if (d > 0 && path[d - 1] != '/')
		path[d++] = '/';
	memcpy(path + d, name, n + 1);
	return path;
}

char *path_base(const char *path)
{
	size_t end = strlen(path);
	size_t start;
	char *base;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	if (start == end && end > 0)
		start--; /* "/" */
	base = xmalloc(end - start + 1);
	memcpy(base, path + start, end - start);
	base[end - start] = '\0';
	return base;
}

bool read_line(FILE *f, char **buf, size_t *size, size_t *len)
{
	size_t n = 0;
	int c;

	while ((c = getc_unlocked(f)) != EOF) {
		if (n + 1 >= *size) {
			*size = *size ? *size * 2 : 128;
			*buf = xrealloc(*buf, *size);
		}
		if (c == '\n')
			break;
		(*buf)[n++] = (char)c;
	}
	if (ferror(f))
		warning("read error");
	if (c == EOF && n == 0)
		return false;
	(*buf)[n] = '\0';
	*len = n;
	return true;
}

FILE *open_input(const char *path)
{
	FILE *f;
	struct stat st;

	if (!path || strcmp(path, "-") == 0)
		return stdin;
	f = fopen(path, "r");
	if (!f) {
		warning("%s", path);
		return NULL;
	}
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		warning("%s", path);
		fclose(f);
		return NULL;
	}
	return f;
}

void close_input(FILE *f)
{
	if (f != stdin)
		fclose(f);
}

bool write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **list_dir(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0, room = 16;
	struct dirent *entry;
	char **names;
	int error;

	if (!dir)
		return NULL;
	names = xmalloc(room * sizeof(*names));
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (count + 1 == room) {
			room *= 2;
			names = xrealloc(names, room * sizeof(*names));
		}
		names[count++] = xstrdup(entry->d_name);
	}
	error = errno;
	names[count] = NULL;
	closedir(dir);
	if (error) {
		list_free(names);
		errno = error;
		return NULL;
	}
	qsort(names, count, sizeof(*names), compare_names);
	return names;
}

void list_free(char **names)
{
	for (size_t i = 0; names[i]; i++)
		free(names[i]);
	free(names);
}

char *read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY);
	size_t used = 0, room = 4096;
	char *buf;

	if (fd < 0)
		return NULL;
	buf = xmalloc(room);
	for (;;) {
		ssize_t n = read(fd, buf + used, room - used - 1);

		if (n < 0) {
			int error = errno;

			free(buf);
			close(fd);
			errno = error;
			return NULL;
		}
		if (n == 0)
			break;
		used += (size_t)n;
		if (room - used < 1024) {
			room *= 2;
			buf = xrealloc(buf, room);
		}
	}
	close(fd);
	buf[used] = '\0';
	if (len)
		*len = used;
	return buf;
}

struct walker {
	int flags;
	walk_fn visit;
	void *ctx;
	dev_t device;
};

/* Whether (@dev, @ino) is among the directories that lead here: a loop of symbolic links. */
struct ancestor {
	const struct ancestor *up;
	dev_t dev;
	ino_t ino;
};

static bool in_loop(const struct ancestor *up, const struct stat *st)
{
	for (; up; up = up->up)
		if (up->dev == st->st_dev && up->ino == st->st_ino)
			return true;
	return false;
}

static void walk_at(struct walker *w, const char *path, int depth, const struct ancestor *up)
{
	bool follow = (w->flags & WALK_FOLLOW) || (depth == 0 && (w->flags & WALK_FOLLOW_TOP));
	struct ancestor self;
	struct stat st;
	char **names;

	if ((!follow || stat(path, &st) < 0) && lstat(path, &st) < 0) {
		warning("%s", path);
		return;
	}
	if (depth == 0)
		w->device = st.st_dev;
	if (!S_ISDIR(st.st_mode)) {
		w->visit(path, &st, depth, w->ctx);
		return;
	}
	if (in_loop(up, &st)) {
		warningx("%s: a loop of symbolic links", path);
		return;
	}
	if (!(w->flags & WALK_DEPTH_FIRST) && w->visit(path, &st, depth, w->ctx) == WALK_PRUNE)
		return;
	if (!(w->flags & WALK_ONE_DEVICE) || st.st_dev == w->device) {
		names = list_dir(path);
		if (!names)
			warning("%s", path);
		self = (struct ancestor){up, st.st_dev, st.st_ino};
		for (size_t i = 0; names && names[i]; i++) {
			char *child = path_join(path, names[i]);

			walk_at(w, child, depth + 1, &self);
			free(child);
		}
		if (names)
			list_free(names);
	}
	if (w->flags & WALK_DEPTH_FIRST)
		w->visit(path, &st, depth, w->ctx);
}

void walk(const char *path, int flags, walk_fn visit, void *ctx)
{
	struct walker w = {.flags = flags, .visit = visit, .ctx = ctx};

	walk_at(&w, path, 0, NULL);
}

void each_to_target(char **sources, int n, const char *target,
		    void (*one)(const char *from, const char *to))
{
	struct stat st;

	if (stat(target, &st) == 0 && S_ISDIR(st.st_mode)) {
		for (int i = 0; i < n; i++) {
			char *base = path_base(sources[i]);
			char *to = path_join(target, base);

			one(sources[i], to);
			free(base);
			free(to);
		}
	} else if (n > 1) {
		errno = ENOTDIR;
		fatal("%s", target);
	} else {
		one(sources[0], target);
	}
}
