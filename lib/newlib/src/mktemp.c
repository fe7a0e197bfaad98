/* SPDX-License-Identifier: MIT */
/* Names for temporary files: the X at the end of a template become random; newlib's count from the
 * pid. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { A_FILE, A_FOLDER, A_NAME };

/* Returns the descriptor, or 0 where there is none; -1 with errno. */
static int make(char *path, int suffix, int flags, enum kind kind)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(path);
	unsigned char random[6];
	char *x = path + len - 6 - suffix;
	struct stat st;
	int result;

	if (suffix < 0 || len < 6 + (size_t)suffix || strncmp(x, "XXXXXX", 6)) {
		errno = EINVAL;
		return -1;
	}
	for (int tries = 0; tries < 1000; tries++) {
		if (getrandom(random, sizeof(random), 0) < 0)
			return -1;
		for (int i = 0; i < 6; i++)
			x[i] = letters[random[i] % (sizeof(letters) - 1)];
		if (kind == A_FOLDER)
			result = mkdir(path, 0700);
		else if (kind == A_FILE)
			result = open(path, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
		else
			result = lstat(path, &st) == 0 ? (errno = EEXIST, -1) : 0;
		if (result >= 0 || errno != EEXIST)
			return result;
	}
	return -1;
}

int mkostemps(char *path, int suffix, int flags)
{
	return make(path, suffix, flags & ~O_ACCMODE, A_FILE);
}

int mkstemps(char *path, int suffix)
{
	return mkostemps(path, suffix, 0);
}

int mkostemp(char *path, int flags)
{
	return mkostemps(path, 0, flags);
}

int mkstemp(char *path)
{
	return mkostemps(path, 0, 0);
}

char *mkdtemp(char *path)
{
	return make(path, 0, 0, A_FOLDER) < 0 ? NULL : path;
}

char *mktemp(char *path)
{
	if (make(path, 0, 0, A_NAME) < 0 && errno != ENOENT)
		*path = '\0';
	return path;
}
