/* SPDX-License-Identifier: MIT */
/* cut -b list | -c list | -f list [-d char] [-s] [file...]: parts of each line. list: 1,3-5,7- */
#include "../lib/util.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_RANGES 64

static struct {
	long from, to;
} ranges[MAX_RANGES];
static int range_count;
static char delimiter = '\t';
static bool only_delimited;

static void parse_list(const char *text)
{
	const char *s = text;

	for (;;) {
		char *end;
		long from = 1, to;

		if (*s != '-')
			from = strtol(s, &end, 10);
		else
			end = (char *)s;
		to = from;
		if (*end == '-') {
			s = end + 1;
			to = strtol(s, &end, 10);
			if (end == s)
				to = LONG_MAX;
		}
		if (from < 1 || to < from || (*end && *end != ',') || range_count == MAX_RANGES)
			fatalx("invalid list: %s", text);
		ranges[range_count].from = from;
		ranges[range_count++].to = to;
		if (!*end)
			return;
		s = end + 1;
	}
}

static bool selected(long n)
{
	for (int i = 0; i < range_count; i++)
		if (n >= ranges[i].from && n <= ranges[i].to)
			return true;
	return false;
}

/* Characters are UTF-8: a continuation byte goes with the one before it. */
static void cut_chars(const char *line, size_t len, bool bytes)
{
	long n = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes || ((unsigned char)line[i] & 0xc0) != 0x80)
			n++;
		if (selected(n))
			putchar_unlocked(line[i]);
	}
	putchar_unlocked('\n');
}

static void cut_fields(const char *line, size_t len)
{
	const char *end = line + len;
	bool first = true;

	if (!memchr(line, delimiter, len)) {
		if (!only_delimited)
			puts(line);
		return;
	}
	for (long n = 1;; n++) {
		const char *next = memchr(line, delimiter, (size_t)(end - line));

		if (selected(n)) {
			if (!first)
				putchar_unlocked(delimiter);
			fwrite(line, 1, (size_t)((next ? next : end) - line), stdout);
			first = false;
		}
		if (!next)
			break;
		line = next + 1;
	}
	putchar_unlocked('\n');
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0, len;
	char what = 0;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "b:c:f:d:ns")) != -1) {
		switch (c) {
		case 'b':
		case 'c':
		case 'f':
			if (what)
				fatalx("only one of -b, -c, -f");
			what = (char)c;
			parse_list(optarg);
			break;
		case 'd':
			delimiter = optarg[0];
			break;
		case 'n':
			break;
		case 's':
			only_delimited = true;
			break;
		default:
			usage("-b list | -c list | -f list [-d char] [-s] [file...]");
		}
	}
	if (!what)
		usage("-b list | -c list | -f list [-d char] [-s] [file...]");
	if (optind == argc)
		argv[--optind] = "-";
	for (int i = optind; i < argc; i++) {
		FILE *f = open_input(argv[i]);

		while (f && read_line(f, &line, &size, &len)) {
			if (what == 'f')
				cut_fields(line, len);
			else
				cut_chars(line, len, what == 'b');
		}
		if (f)
			close_input(f);
	}
	return finish();
}
