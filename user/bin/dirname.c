/* SPDX-License-Identifier: MIT */
/* dirname path...: a path without its last part. */
#include "../lib/util.h"

#include <string.h>

int main(int argc, char **argv)
{
	prog_init(argv);
	if (argc < 2)
		usage("path...");
	for (int i = 1; i < argc; i++) {
		char *s = argv[i];
		size_t n = strlen(s);

		while (n > 1 && s[n - 1] == '/')
			n--;
		while (n > 0 && s[n - 1] != '/')
			n--;
		while (n > 1 && s[n - 1] == '/')
			n--;
		if (n == 0)
			puts(".");
		else
			printf("%.*s\n", (int)n, s);
	}
	return finish();
}
