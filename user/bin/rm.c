/* SPDX-License-Identifier: MIT */
/* rm [-dfiRrv] file...: remove files, with -r trees; never ".", ".." or "/". */
#include "../lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool force, interactive, recursive, empty_dirs, verbose;

static enum walk_next remove_one(const char *path, const struct stat *st, int depth, void *ctx)
{
	(void)depth;
	(void)ctx;
	if (interactive && !ask("remove %s? ", path))
		return WALK_ON;
	if ((S_ISDIR(st->st_mode) ? rmdir(path) : unlink(path)) < 0)
		warning("%s", path);
	else if (verbose)
		printf("removed %s\n", path);
	return WALK_ON;
}

static void remove_arg(const char *path)
{
	char *base = path_base(path);
	struct stat st;

	if (strcmp(base, ".") == 0 || strcmp(base, "..") == 0 || strcmp(base, "/") == 0) {
		warningx("%s: not removed", path);
	} else if (lstat(path, &st) < 0) {
		if (!force || (errno != ENOENT && errno != ENOTDIR))
			warning("%s", path);
	} else if (!S_ISDIR(st.st_mode) || (empty_dirs && !recursive)) {
		remove_one(path, &st, 0, NULL);
	} else if (!recursive) {
		errno = EISDIR;
		warning("%s", path);
	} else {
		walk(path, WALK_DEPTH_FIRST, remove_one, NULL);
	}
	free(base);
}

int main(int argc, char **argv)
{
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "dfiRrv")) != -1) {
		switch (c) {
		case 'd':
			empty_dirs = true;
			break;
		case 'f':
			force = true;
			interactive = false;
			break;
		case 'i':
			interactive = true;
			break;
		case 'R':
		case 'r':
			recursive = true;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			usage("[-dfiRrv] file...");
		}
	}
	if (optind == argc && !force)
		usage("[-dfiRrv] file...");
	for (int i = optind; i < argc; i++)
		remove_arg(argv[i]);
	return finish();
}
