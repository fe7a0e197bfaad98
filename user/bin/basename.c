/* SPDX-License-Identifier: MIT */
/* basename path [suffix]: the last part of a path, without the suffix. */
#include "../lib/util.h"

#include <string.h>

int main(int argc, char **argv)
{
	char *base;
	size_t n, s;

	prog_init(argv);
	if (argc < 2 || argc > 3)
		usage("path [suffix]");
	base = path_base(argv[1]);
	n = strlen(base);
	s = argc == 3 ? strlen(argv[2]) : 0;
	if (s > 0 && s < n && strcmp(base + n - s, argv[2]) == 0)
		base[n - s] = '\0';
	puts(base);
	return finish();
}
