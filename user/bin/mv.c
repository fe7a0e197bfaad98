/* SPDX-License-Identifier: MIT */
/*
 * mv [-finv] source... target: rename; between file systems, copy (cp -a) and remove (rm -r).
 */
#include "../lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool interactive, no_clobber, verbose;

static bool run(const char *a, const char *b, const char *c, const char *d)
{
	char *args[] = {(char *)a, (char *)b, (char *)c, (char *)d, NULL};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(a, args);
		warning("%s", a);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		warning("%s", a);
		return false;
	}
	if (status != 0)
		exit_status = 1;
	return status == 0;
}

static void move(const char *from, const char *to)
{
	struct stat st, source;

	if (lstat(from, &source) < 0) {
		warning("%s", from);
		return;
	}
	if (lstat(to, &st) == 0) {
		if (st.st_dev == source.st_dev && st.st_ino == source.st_ino) {
			warningx("%s and %s are the same file", from, to);
			return;
		}
		if (no_clobber || (interactive && !ask("overwrite %s? ", to)))
			return;
	}
	if (verbose)
		printf("%s -> %s\n", from, to);
	fflush(stdout);
	if (rename(from, to) == 0)
		return;
	if (errno != EXDEV)
		warning("%s to %s", from, to);
	else if (run("cp", "-a", from, to))
		run("rm", "-rf", from, NULL);
}

int main(int argc, char **argv)
{
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "finv")) != -1) {
		switch (c) {
		case 'f':
			interactive = no_clobber = false;
			break;
		case 'i':
			interactive = true;
			break;
		case 'n':
			no_clobber = true;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			usage("[-finv] source... target");
		}
	}
	if (argc - optind < 2)
		usage("[-finv] source... target");
	each_to_target(argv + optind, argc - optind - 1, argv[argc - 1], move);
	return finish();
}
