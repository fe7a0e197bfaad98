/* SPDX-License-Identifier: MIT */
/* yes [text...]: a line of it (y) for ever. */
#include "../lib/util.h"

int main(int argc, char **argv)
{
	prog_init(argv);
	while (!ferror(stdout)) {
		for (int i = 1; i < argc; i++)
			printf("%s%s", argv[i], i + 1 < argc ? " " : "");
		puts(argc > 1 ? "" : "y");
	}
	return finish();
}
