/* SPDX-License-Identifier: MIT */
/* which [-a] name...: where in $PATH a program is; -a: everywhere. */
#include "../lib/util.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool runnable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool find(const char *name, const char *path, bool every)
{
	bool found = false;

	if (strchr(name, '/')) {
		if (!runnable(name))
			return false;
		puts(name);
		return true;
	}
	while (*path && (every || !found)) {
		size_t n = strcspn(path, ":");
		char *dir = xmalloc(n + 2), *full;

		memcpy(dir, n ? path : ".", n ? n : 1);
		dir[n ? n : 1] = '\0';
		full = path_join(dir, name);
		if (runnable(full)) {
			puts(full);
			found = true;
		}
		free(dir);
		free(full);
		path += n + (path[n] == ':');
	}
	return found;
}

int main(int argc, char **argv)
{
	const char *path = getenv("PATH");
	bool every = false;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "a")) != -1) {
		if (c != 'a')
			usage("[-a] name...");
		every = true;
	}
	if (optind == argc)
		usage("[-a] name...");
	for (int i = optind; i < argc; i++)
		if (!find(argv[i], path ? path : "/bin", every))
			exit_status = 1;
	return finish();
}
