/* SPDX-License-Identifier: MIT */
/* clear: empty the terminal's screen (ANSI sequences, as all of today's terminals have them). */
#include "../lib/util.h"

int main(int argc, char **argv)
{
	(void)argc;
	prog_init(argv);
	fputs("\033[H\033[2J\033[3J", stdout);
	return finish();
}
