/* SPDX-License-Identifier: MIT */
/* env [-i] [-u name] [name=value...] [command [argument...]]: run with a changed environment. */
#include "../lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	static char *empty[] = {NULL};
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "+iu:")) != -1) {
		switch (c) {
		case 'i':
			environ = empty;
			break;
		case 'u':
			unsetenv(optarg);
			break;
		default:
			usage("[-i] [-u name] [name=value...] [command [argument...]]");
		}
	}
	for (; optind < argc && strchr(argv[optind], '='); optind++)
		if (putenv(argv[optind]) != 0)
			fatal("%s", argv[optind]);
	if (optind < argc) {
		execvp(argv[optind], argv + optind);
		warning("%s", argv[optind]);
		return errno == ENOENT ? 127 : 126;
	}
	for (char **e = environ; *e; e++)
		puts(*e);
	return finish();
}
