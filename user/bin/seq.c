/* SPDX-License-Identifier: MIT */
/* seq [-w] [-s separator] [first [step]] last: numbers, one a line. Whole numbers only. */
#include "../lib/util.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long first = 1, step = 1, last;
	const char *separator = "\n";
	bool same_width = false, any = false;
	int width = 0, i = 1, n;

	prog_init(argv);
	/* Not getopt(): -5 is a number. */
	for (; i < argc && argv[i][0] == '-' && (argv[i][1] == 'w' || argv[i][1] == 's'); i++) {
		if (argv[i][1] == 'w')
			same_width = true;
		else if (i + 1 < argc)
			separator = argv[++i];
	}
	if (argc - i < 1 || argc - i > 3)
		usage("[-w] [-s separator] [first [step]] last");
	if (argc - i > 1)
		first = parse_number(argv[i], "number");
	if (argc - i > 2)
		step = parse_number(argv[i + 1], "number");
	last = parse_number(argv[argc - 1], "number");
	if (step == 0)
		fatalx("the step is 0");
	if (same_width) {
		width = snprintf(NULL, 0, "%ld", first);
		n = snprintf(NULL, 0, "%ld", last);
		width = n > width ? n : width;
	}
	for (long value = first; step > 0 ? value <= last : value >= last; value += step) {
		printf("%s%0*ld", any ? separator : "", width, value);
		any = true;
	}
	if (any)
		putchar_unlocked('\n');
	return finish();
}
