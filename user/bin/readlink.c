/* SPDX-License-Identifier: MIT */
/* readlink [-fn] file...: where a symbolic link leads; -f: the whole way, as an absolute path. */
#include "../lib/util.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	bool full = false, newline = true;
	char buf[PATH_MAX + 1];
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "fn")) != -1) {
		switch (c) {
		case 'f':
			full = true;
			break;
		case 'n':
			newline = false;
			break;
		default:
			usage("[-fn] file...");
		}
	}
	if (optind == argc)
		usage("[-fn] file...");
	for (int i = optind; i < argc; i++) {
		ssize_t n;

		if (full) {
			if (!realpath(argv[i], buf)) {
				warning("%s", argv[i]);
				continue;
			}
		} else {
			n = readlink(argv[i], buf, PATH_MAX);
			if (n < 0) {
				exit_status = 1; /* said by the status alone, as scripts expect */
				continue;
			}
			buf[n] = '\0';
		}
		printf("%s%s", buf, newline ? "\n" : "");
	}
	return finish();
}
