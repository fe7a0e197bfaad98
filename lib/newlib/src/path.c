/* SPDX-License-Identifier: MIT */
/* The working directory, and a path without links and dots. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sys.h"

char *getcwd(char *buf, size_t size)
{
	char *mem = NULL;
	long n;

	if (!buf) {
		if (!size)
			size = PATH_MAX;
		buf = mem = malloc(size);
		if (!buf)
			return NULL;
	} else if (!size) {
		errno = EINVAL;
		return NULL;
	}
	n = __ret(__SYS2(SYS_getcwd, buf, size));
	if (n < 0) {
		free(mem);
		return NULL;
	}
	return buf;
}

char *getwd(char *buf)
{
	return getcwd(buf, PATH_MAX);
}

char *get_current_dir_name(void)
{
	return getcwd(NULL, 0);
}

/*
 * Walks @path one name at a time. @out holds the resolved part, always absolute and without a
 * trailing slash (the root is the empty string until the end); @rest what is still to be walked. A
 * symbolic link is put in front of the rest.
 */
static int resolve(const char *path, char out[PATH_MAX])
{
	char rest[PATH_MAX], link[PATH_MAX];
	size_t len = 0, n;
	int links = 0;
	struct stat st;
	ssize_t got;
	char *p = rest, *end;

	if (strlen(path) >= sizeof(rest))
		return ENAMETOOLONG;
	strcpy(rest, path);
	if (*path != '/') {
		if (!getcwd(out, PATH_MAX))
			return errno;
		len = strcmp(out, "/") ? strlen(out) : 0;
	}
	for (;;) {
		while (*p == '/')
			p++;
		if (!*p)
			break;
		end = strchrnul(p, '/');
		n = end - p;
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			while (len && out[--len] != '/')
				;
		} else if (n != 1 || p[0] != '.') {
			if (len + n + 2 > PATH_MAX)
				return ENAMETOOLONG;
			out[len] = '/';
			memcpy(out + len + 1, p, n);
			out[len + 1 + n] = 0;
			if (lstat(out, &st) < 0)
				return errno;
			if (S_ISLNK(st.st_mode)) {
				if (++links > SYMLOOP_MAX)
					return ELOOP;
				got = readlink(out, link, sizeof(link) - 1);
				if (got < 0)
					return errno;
				if (got + strlen(end) + 1 > sizeof(link))
					return ENAMETOOLONG;
				strcpy(link + got, end);
				strcpy(rest, link);
				p = rest;
				if (*p == '/')
					len = 0;
				continue;
			}
			if (*end && !S_ISDIR(st.st_mode))
				return ENOTDIR;
			len += n + 1;
		}
		p = end;
	}
	if (!len)
		out[len++] = '/';
	out[len] = 0;
	return 0;
}

char *realpath(const char *restrict path, char *restrict resolved)
{
	char out[PATH_MAX];
	int err;

	if (!path || !*path) {
		errno = path ? ENOENT : EINVAL;
		return NULL;
	}
	err = resolve(path, out);
	if (err) {
		errno = err;
		return NULL;
	}
	return resolved ? strcpy(resolved, out) : strdup(out);
}

char *canonicalize_file_name(const char *path)
{
	return realpath(path, NULL);
}
