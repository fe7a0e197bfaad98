/* SPDX-License-Identifier: MIT */
/* cmp [-ls] file1 file2: compare bytes. Status 0 equal, 1 different, 2 trouble. */
#include "../lib/util.h"

#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long long pos = 1, line = 1;
	bool list = false, silent = false, differ = false;
	FILE *a, *b;
	int c, ca, cb;

	prog_init(argv);
	while ((c = getopt(argc, argv, "ls")) != -1) {
		switch (c) {
		case 'l':
			list = true;
			break;
		case 's':
			silent = true;
			break;
		default:
			usage("[-ls] file1 file2");
		}
	}
	if (argc - optind != 2)
		usage("[-ls] file1 file2");
	a = open_input(argv[optind]);
	b = open_input(argv[optind + 1]);
	if (!a || !b)
		return 2;
	for (;; pos++) {
		ca = getc(a);
		cb = getc(b);
		if (ca == EOF || cb == EOF)
			break;
		if (ca != cb) {
			differ = true;
			if (!list)
				break;
			if (!silent)
				printf("%llu %3o %3o\n", pos, ca, cb);
		}
		line += ca == '\n';
	}
	if (ferror(a) || ferror(b)) {
		warning("read error");
		return 2;
	}
	if (differ && !list && !silent)
		printf("%s %s differ: byte %llu, line %llu\n", argv[optind], argv[optind + 1], pos,
		       line);
	if (!differ && ca != cb) {
		differ = true;
		if (!silent)
			warningx("%s ends at byte %llu", argv[optind + (ca != EOF)], pos - 1);
	}
	return finish() | differ;
}
