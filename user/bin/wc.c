/* SPDX-License-Identifier: MIT */
/* wc [-clmw] [file...]: count lines, words and bytes (-m: characters, as UTF-8). */
#include "../lib/util.h"

#include <ctype.h>
#include <unistd.h>

struct counts {
	unsigned long long lines, words, bytes, chars;
};

static bool show_lines, show_words, show_bytes, show_chars;

static struct counts count(FILE *f, const char *name)
{
	struct counts n = {0};
	bool in_word = false;
	int c;

	while ((c = getc_unlocked(f)) != EOF) {
		n.bytes++;
		n.chars += (c & 0xc0) != 0x80;
		n.lines += c == '\n';
		if (isspace(c)) {
			in_word = false;
		} else if (!in_word) {
			in_word = true;
			n.words++;
		}
	}
	if (ferror(f))
		warning("%s", name);
	return n;
}

static void print(struct counts n, const char *name)
{
	const char *between = "";

	const struct {
		bool show;
		unsigned long long value;
	} columns[] = {{show_lines, n.lines},
		       {show_words, n.words},
		       {show_chars, n.chars},
		       {show_bytes, n.bytes}};
	bool one = show_lines + show_words + show_chars + show_bytes == 1;

	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		if (!columns[i].show)
			continue;
		printf("%s%*llu", between, one ? 1 : 7, columns[i].value);
		between = " ";
	}
	printf("%s%s\n", name ? " " : "", name ? name : "");
}

int main(int argc, char **argv)
{
	struct counts total = {0};
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "clmw")) != -1) {
		switch (c) {
		case 'c':
			show_bytes = true;
			break;
		case 'l':
			show_lines = true;
			break;
		case 'm':
			show_chars = true;
			break;
		case 'w':
			show_words = true;
			break;
		default:
			usage("[-clmw] [file...]");
		}
	}
	if (!show_bytes && !show_lines && !show_chars && !show_words)
		show_lines = show_words = show_bytes = true;
	if (optind == argc)
		print(count(stdin, "standard input"), NULL);
	for (int i = optind; i < argc; i++) {
		FILE *f = open_input(argv[i]);
		struct counts n;

		if (!f)
			continue;
		n = count(f, argv[i]);
		close_input(f);
		print(n, argv[i]);
		total.lines += n.lines;
		total.words += n.words;
		total.bytes += n.bytes;
		total.chars += n.chars;
	}
	if (argc - optind > 1)
		print(total, "total");
	return finish();
}
