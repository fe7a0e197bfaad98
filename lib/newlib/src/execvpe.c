/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <paths.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* @file; if it is no program that the kernel knows, as a script for the shell. */
static void try(const char *file, char *const argv[], char *const envp[])
{
	size_t n = 0;

	execve(file, argv, envp);
	if (errno != ENOEXEC)
		return;
	while (argv[n])
		n++;
	{
		char *args[n + 3]; /* no malloc: this may be the child of a vfork */

		args[0] = "sh";
		args[1] = (char *)file;
		for (size_t i = 1; i <= n; i++)
			args[i + 1] = argv[i];
		args[n ? n + 1 : 2] = NULL;
		execve(_PATH_BSHELL, args, envp);
	}
}

/* Tries @file in each folder of PATH; a file that may not be run is reported if no other is found.
 */
int execvpe(const char *file, char *const argv[], char *const envp[])
{
	const char *path = getenv("PATH"), *end;
	char full[PATH_MAX];
	size_t n, len = strlen(file);
	int denied = 0;

	if (!len) {
		errno = ENOENT;
		return -1;
	}
	if (strchr(file, '/')) {
		try(file, argv, envp);
		return -1;
	}
	for (path = path ? path : "/bin:/usr/bin"; path; path = *end ? end + 1 : NULL) {
		end = strchrnul(path, ':');
		n = end - path;
		if (n + len + 2 > sizeof(full))
			continue;
		memcpy(full, path, n);
		if (n)
			full[n++] = '/';
		strcpy(full + n, file);
		try(full, argv, envp);
		if (errno == EACCES)
			denied = 1;
		else if (errno != ENOENT && errno != ENOTDIR)
			return -1;
	}
	errno = denied ? EACCES : ENOENT;
	return -1;
}

int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}
