/* SPDX-License-Identifier: MIT */
/* rmdir [-p] directory...: remove empty directories; -p: and those above that become empty. */
#include "../lib/util.h"

#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	bool parents = false;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "p")) != -1) {
		if (c != 'p')
			usage("[-p] directory...");
		parents = true;
	}
	if (optind == argc)
		usage("[-p] directory...");
	for (int i = optind; i < argc; i++) {
		char *slash;

		do {
			if (rmdir(argv[i]) < 0) {
				warning("%s", argv[i]);
				break;
			}
			slash = strrchr(argv[i], '/');
			if (slash)
				*slash = '\0';
		} while (parents && slash && argv[i][0]);
	}
	return finish();
}
