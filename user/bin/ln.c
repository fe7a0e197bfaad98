/* SPDX-License-Identifier: MIT */
/* ln [-fsnv] target... [name|directory]: make hard links, or with -s symbolic ones. */
#include "../lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static bool symbolic, force, verbose;

static void make(const char *target, const char *name)
{
	if (force)
		unlink(name);
	if ((symbolic ? symlink(target, name) : link(target, name)) < 0)
		warning("%s", name);
	else if (verbose)
		printf("%s -> %s\n", name, target);
}

int main(int argc, char **argv)
{
	bool no_follow = false, into_dir;
	const char *last;
	struct stat st;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "fsnv")) != -1) {
		switch (c) {
		case 'f':
			force = true;
			break;
		case 's':
			symbolic = true;
			break;
		case 'n':
			no_follow = true;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			usage("[-fsnv] target... [name|directory]");
		}
	}
	if (optind == argc)
		usage("[-fsnv] target... [name|directory]");
	last = argc - optind > 1 ? argv[--argc] : ".";
	into_dir = (no_follow ? lstat(last, &st) : stat(last, &st)) == 0 && S_ISDIR(st.st_mode);
	if (!into_dir && argc - optind > 1) {
		errno = ENOTDIR;
		fatal("%s", last);
	}
	for (int i = optind; i < argc; i++) {
		if (into_dir) {
			char *base = path_base(argv[i]);
			char *name = path_join(last, base);

			make(argv[i], name);
			free(base);
			free(name);
		} else {
			make(argv[i], last);
		}
	}
	return finish();
}
