/* SPDX-License-Identifier: MIT */
/* head [-n lines | -c bytes] [file...]: the beginning of files (10 lines). */
#include "../lib/util.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void bytes_of(FILE *f, unsigned long long count)
{
	static char block[65536];
	size_t n;

	while (count > 0 &&
	       (n = fread(block, 1, count < sizeof(block) ? count : sizeof(block), f)) > 0) {
		fwrite(block, 1, n, stdout);
		count -= n;
	}
}

static void lines_of(FILE *f, unsigned long long count)
{
	int c;

	while (count > 0 && (c = getc_unlocked(f)) != EOF) {
		putchar_unlocked(c);
		if (c == '\n')
			count--;
	}
}

int main(int argc, char **argv)
{
	unsigned long long count = 10;
	void (*head)(FILE * f, unsigned long long count) = lines_of;
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
		head = c == 'c' ? bytes_of : lines_of;
		if (!parse_size(optarg, &count))
			fatalx("invalid number: %s", optarg);
	}
	if (optind == argc)
		head(stdin, count);
	for (int i = optind; i < argc; i++) {
		FILE *f = open_input(argv[i]);

		if (!f)
			continue;
		if (argc - optind > 1)
			printf("%s==> %s <==\n", i > optind ? "\n" : "", argv[i]);
		head(f, count);
		close_input(f);
	}
	return finish();
}
