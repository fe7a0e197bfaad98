/* SPDX-License-Identifier: MIT */
/* tty [-s]: name the terminal on standard input; status 1 if it is none. */
#include "../lib/util.h"

#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	bool silent = argc > 1 && strcmp(argv[1], "-s") == 0;
	char *name = ttyname(0);

	prog_init(argv);
	if (!silent)
		puts(name ? name : "not a tty");
	return finish() || !name;
}
