/* SPDX-License-Identifier: MIT */
/* mkdir [-pv] [-m mode] directory...: make directories; -p: and those above, none being an error.
 */
#include "../lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool verbose;

static bool make(const char *path, mode_t mode, bool exists_ok)
{
	struct stat st;

	if (mkdir(path, mode) == 0) {
		if (verbose)
			printf("created %s\n", path);
		return true;
	}
	if (exists_ok && errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	warning("%s", path);
	return false;
}

static bool make_parents(const char *path)
{
	char *copy = xstrdup(path);
	bool ok = true;

	for (char *s = copy + 1; ok && *s; s++) {
		if (*s != '/' || s[1] == '/' || s[1] == '\0')
			continue;
		*s = '\0';
		ok = make(copy, 0777, true);
		*s = '/';
	}
	free(copy);
	return ok;
}

int main(int argc, char **argv)
{
	bool parents = false, set_mode = false;
	int c, mode = 0777;

	prog_init(argv);
	while ((c = getopt(argc, argv, "pvm:")) != -1) {
		switch (c) {
		case 'p':
			parents = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'm':
			mode = mode_parse(optarg, 0777, true, 0);
			if (mode < 0)
				fatalx("invalid mode: %s", optarg);
			set_mode = true;
			break;
		default:
			usage("[-pv] [-m mode] directory...");
		}
	}
	if (optind == argc)
		usage("[-pv] [-m mode] directory...");
	for (int i = optind; i < argc; i++) {
		if (parents && !make_parents(argv[i]))
			continue;
		/* chmod as well: mkdir() takes the umask away from what was asked for. */
		if (make(argv[i], (mode_t)mode & 0777, parents) && set_mode &&
		    chmod(argv[i], (mode_t)mode) < 0)
			warning("%s", argv[i]);
	}
	return finish();
}
