/* SPDX-License-Identifier: MIT */
/* chmod [-Rv] mode file...: change permissions; mode as 755 or u+x,go-w. */
#include "../lib/util.h"

#include <string.h>
#include <unistd.h>

static const char *text;
static bool verbose;
static mode_t mask;

static enum walk_next change(const char *path, const struct stat *st, int depth, void *ctx)
{
	int mode;

	(void)ctx;
	/* Links met on the way are left alone: chmod() would follow them out of the tree. */
	if (depth > 0 && S_ISLNK(st->st_mode))
		return WALK_ON;
	mode = mode_parse(text, st->st_mode, S_ISDIR(st->st_mode), mask);
	if (chmod(path, (mode_t)mode) < 0)
		warning("%s", path);
	else if (verbose)
		printf("%s: %04o\n", path, (unsigned)mode);
	return WALK_ON;
}

int main(int argc, char **argv)
{
	bool recursive = false;
	struct stat st;
	int i = 1;

	prog_init(argv);
	mask = umask(0);
	umask(mask);
	/* Not getopt(): a mode may begin with '-', as in -x. */
	for (; i < argc && argv[i][0] == '-' && strspn(argv[i] + 1, "Rv") == strlen(argv[i] + 1);
	     i++) {
		recursive |= strchr(argv[i], 'R') != NULL;
		verbose |= strchr(argv[i], 'v') != NULL;
	}
	if (argc - i < 2)
		usage("[-Rv] mode file...");
	text = argv[i++];
	if (mode_parse(text, 0, false, mask) < 0)
		fatalx("invalid mode: %s", text);
	for (; i < argc; i++) {
		if (recursive)
			walk(argv[i], WALK_FOLLOW_TOP, change, NULL);
		else if (stat(argv[i], &st) < 0)
			warning("%s", argv[i]);
		else
			change(argv[i], &st, 0, NULL);
	}
	return finish();
}
