/* SPDX-License-Identifier: MIT */
/* hexdump [-Cv] [-n length] [-s skip] [file]: bytes in hexadecimal, with -C as characters too. */
#include "../lib/util.h"

#include <string.h>
#include <unistd.h>

static bool canonical, verbose;

static void print_row(unsigned long long pos, const unsigned char *p, size_t n)
{
	printf(canonical ? "%08llx" : "%07llx", pos);
	if (!canonical) {
		/* 16-bit words of the machine's order, the low byte first. */
		for (size_t i = 0; i < n; i += 2)
			printf(" %02x%02x", i + 1 < n ? p[i + 1] : 0, p[i]);
		putchar_unlocked('\n');
		return;
	}
	for (size_t i = 0; i < 16; i++) {
		if (i % 8 == 0)
			putchar_unlocked(' ');
		if (i < n)
			printf(" %02x", p[i]);
		else
			fputs("   ", stdout);
	}
	fputs("  |", stdout);
	for (size_t i = 0; i < n; i++)
		putchar_unlocked(p[i] >= ' ' && p[i] < 127 ? p[i] : '.');
	fputs("|\n", stdout);
}

int main(int argc, char **argv)
{
	unsigned long long left = ~0ULL, skip = 0, pos = 0;
	unsigned char row[16], last[16];
	bool have_last = false, starred = false;
	size_t n;
	FILE *f;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "Cvn:s:")) != -1) {
		switch (c) {
		case 'C':
			canonical = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'n':
		case 's':
			if (!parse_size(optarg, c == 'n' ? &left : &skip))
				fatalx("invalid number: %s", optarg);
			break;
		default:
			usage("[-Cv] [-n length] [-s skip] [file]");
		}
	}
	f = open_input(optind < argc ? argv[optind] : NULL);
	if (!f)
		return 1;
	if (skip && fseek(f, (long)skip, SEEK_SET) == 0)
		pos = skip;
	for (; pos < skip && getc_unlocked(f) != EOF; pos++)
		;
	while (left > 0 && (n = fread(row, 1, left < 16 ? (size_t)left : 16, f)) > 0) {
		if (!verbose && have_last && n == 16 && memcmp(row, last, 16) == 0) {
			if (!starred)
				puts("*"); /* stands for rows like the one above */
			starred = true;
		} else {
			print_row(pos, row, n);
			starred = false;
		}
		memcpy(last, row, 16);
		have_last = true;
		pos += n;
		left -= n;
	}
	if (ferror(f))
		warning("read error");
	printf(canonical ? "%08llx\n" : "%07llx\n", pos);
	return finish();
}
