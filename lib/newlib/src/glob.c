/* SPDX-License-Identifier: MIT */
/*
 * glob: names that match a pattern. The pattern is taken a component at a time: one without special
 * characters is appended as it is, the entries of the folder so far are held against one with them,
 * and each that fits is followed into the rest. Nothing is looked at that the pattern does not ask
 * for: whether a name is there is found out at the end, by lstat.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct search {
	glob_t *found;
	int flags;
	int (*errfunc)(const char *, int);
	char path[PATH_MAX]; /* as far as it is known */
};

static bool is_special(const char *s, size_t len, bool escapes)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\' && escapes)
			i++;
		else if (strchr("*?[", s[i]))
			return true;
	}
	return false;
}

static int add(glob_t *found, const char *path, bool slash)
{
	size_t used = found->gl_offs + found->gl_pathc, len = strlen(path);
	char **list = realloc(found->gl_pathv, (used + 2) * sizeof(*list));
	char *name = malloc(len + 2);

	if (list)
		found->gl_pathv = list;
	if (!list || !name) {
		free(name);
		return GLOB_NOSPACE;
	}
	memcpy(name, path, len + 1);
	if (slash)
		strcpy(name + len, "/");
	list[used] = name;
	list[used + 1] = NULL;
	found->gl_pathc++;
	return 0;
}

/* All components are in the path: is there such a name? */
static int end_of_pattern(struct search *s, size_t at)
{
	struct stat st;

	if (lstat(s->path, &st) < 0)
		return 0;
	if ((s->flags & GLOB_MARK) && s->path[at - 1] != '/') {
		if (S_ISLNK(st.st_mode) && stat(s->path, &st) < 0)
			st.st_mode = 0;
		return add(s->found, s->path, S_ISDIR(st.st_mode));
	}
	return add(s->found, s->path, false);
}

static int expand(struct search *s, size_t at, const char *pattern);

/* @component of the folder that the path names; the path ends with a slash, or is empty. */
static int match_folder(struct search *s, size_t at, const char *component, const char *rest)
{
	DIR *dir = opendir(at ? s->path : ".");
	struct dirent *entry;
	int err = 0;

	if (!dir) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		if ((s->errfunc && s->errfunc(at ? s->path : ".", errno)) || (s->flags & GLOB_ERR))
			return GLOB_ABORTED;
		return 0;
	}
	while (!err && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (at + len + 1 > sizeof(s->path) ||
		    fnmatch(component, entry->d_name,
			    FNM_PERIOD | (s->flags & GLOB_NOESCAPE ? FNM_NOESCAPE : 0)))
			continue;
		memcpy(s->path + at, entry->d_name, len + 1);
		err = expand(s, at + len, rest);
	}
	closedir(dir);
	return err;
}

static int expand(struct search *s, size_t at, const char *pattern)
{
	bool escapes = !(s->flags & GLOB_NOESCAPE);
	size_t len;

	for (;;) {
		/* Slashes are themselves, and a name before them must be a folder: opendir will
		 * say. */
		while (*pattern == '/' && at + 1 < sizeof(s->path))
			s->path[at++] = *pattern++;
		s->path[at] = '\0';
		if (!*pattern)
			return end_of_pattern(s, at);
		len = strcspn(pattern, "/");
		if (is_special(pattern, len, escapes))
			break;
		for (; len; len--, pattern++) {
			if (*pattern == '\\' && escapes && len > 1) {
				pattern++;
				len--;
			}
			if (at + 1 >= sizeof(s->path))
				return 0;
			s->path[at++] = *pattern;
		}
	}
	{
		char component[len + 1];

		memcpy(component, pattern, len);
		component[len] = '\0';
		return match_folder(s, at, component, pattern + len);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcoll(*(char *const *)a, *(char *const *)b);
}

int glob(const char *restrict pattern, int flags, int (*errfunc)(const char *, int),
	 glob_t *restrict found)
{
	struct search s = {.found = found, .flags = flags, .errfunc = errfunc};
	size_t before;
	int err;

	if (!(flags & GLOB_DOOFFS))
		found->gl_offs = 0;
	if (!(flags & GLOB_APPEND)) {
		found->gl_pathc = 0;
		found->gl_pathv = calloc(found->gl_offs + 1, sizeof(char *));
		if (!found->gl_pathv)
			return GLOB_NOSPACE;
	}
	before = found->gl_pathc;
	err = *pattern ? expand(&s, 0, pattern) : 0;
	if (err)
		return err;
	if (found->gl_pathc == before) {
		if (!(flags & GLOB_NOCHECK) &&
		    !((flags & GLOB_NOMAGIC) &&
		      !is_special(pattern, strlen(pattern), !(flags & GLOB_NOESCAPE))))
			return GLOB_NOMATCH;
		return add(found, pattern, false);
	}
	if (!(flags & GLOB_NOSORT))
		qsort(found->gl_pathv + found->gl_offs + before, found->gl_pathc - before,
		      sizeof(char *), by_name);
	return 0;
}

void globfree(glob_t *found)
{
	for (size_t i = 0; found->gl_pathv && i < found->gl_pathc; i++)
		free(found->gl_pathv[found->gl_offs + i]);
	free(found->gl_pathv);
	found->gl_pathv = NULL;
	found->gl_pathc = 0;
}
