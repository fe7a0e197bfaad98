/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tries @file in each folder of PATH; a file that may not be run is reported if no other is found.
 */
int execvpe(const char *file, char *const argv[], char *const envp[])
{
	const char *path = getenv("PATH"), *end;
	char full[PATH_MAX];
	size_t n, len = strlen(file);
	int denied = 0;

	if (!len || strchr(file, '/'))
		return execve(file, argv, envp);
	for (path = path ? path : "/bin:/usr/bin"; path; path = *end ? end + 1 : NULL) {
		end = strchrnul(path, ':');
		n = end - path;
		if (n + len + 2 > sizeof(full))
			continue;
		memcpy(full, path, n);
		if (n)
			full[n++] = '/';
		strcpy(full + n, file);
		execve(full, argv, envp);
		if (errno == EACCES)
			denied = 1;
		else if (errno != ENOENT && errno != ENOTDIR)
			return -1;
	}
	errno = denied ? EACCES : ENOENT;
	return -1;
}
