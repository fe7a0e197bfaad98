/* SPDX-License-Identifier: MIT */
/* head [-n lines | -c bytes] [file...]: the beginning of files (10 lines). */
#include "../lib/util.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void head(FILE *f, unsigned long long count, bool bytes)
{
	int c;

	while (count > 0 && (c = getc(f)) != EOF) {
		putchar(c);
		if (bytes || c == '\n')
			count--;
	}
}

int main(int argc, char **argv)
{
	unsigned long long count = 10;
	bool bytes = false;
	int c;

	prog_init(argv);
	if (argc > 1 && argv[1][0] == '-' && isdigit((unsigned char)argv[1][1])) {
		count = strtoull(argv[1] + 1, NULL, 10); /* head -5 */
		optind = 2;
	}
	while ((c = getopt(argc, argv, "n:c:q")) != -1) {
		if (c == '?')
			usage("[-n lines | -c bytes] [file...]");
		if (c == 'q')
			continue;
		bytes = c == 'c';
		if (!parse_size(optarg, &count))
			fatalx("invalid number: %s", optarg);
	}
	if (optind == argc)
		head(stdin, count, bytes);
	for (int i = optind; i < argc; i++) {
		FILE *f = open_input(argv[i]);

		if (!f)
			continue;
		if (argc - optind > 1)
			printf("%s==> %s <==\n", i > optind ? "\n" : "", argv[i]);
		head(f, count, bytes);
		close_input(f);
	}
	return finish();
}
