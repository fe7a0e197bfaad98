/* SPDX-License-Identifier: MIT */
/* uniq [-cdiu] [-f fields] [-s chars] [input [output]]: one of each run of equal lines. */
#include "../lib/util.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static bool show_count, only_repeated, only_unique, fold;
static long skip_fields, skip_chars;

static const char *compared_part(const char *s)
{
	for (long i = 0; i < skip_fields; i++) {
		s += strspn(s, " \t");
		s += strcspn(s, " \t");
	}
	for (long i = 0; i < skip_chars && *s; i++)
		s++;
	return s;
}

static bool same(const char *a, const char *b)
{
	a = compared_part(a);
	b = compared_part(b);
	return (fold ? strcasecmp(a, b) : strcmp(a, b)) == 0;
}

static void print(const char *line, unsigned long count)
{
	if ((only_repeated && count == 1) || (only_unique && count > 1))
		return;
	if (show_count)
		printf("%7lu ", count);
	puts(line);
}

int main(int argc, char **argv)
{
	char *line = NULL, *kept = NULL;
	size_t size = 0, len;
	unsigned long count = 0;
	FILE *f;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "cdiuf:s:")) != -1) {
		switch (c) {
		case 'c':
			show_count = true;
			break;
		case 'd':
			only_repeated = true;
			break;
		case 'i':
			fold = true;
			break;
		case 'u':
			only_unique = true;
			break;
		case 'f':
			skip_fields = parse_number(optarg, "number of fields");
			break;
		case 's':
			skip_chars = parse_number(optarg, "number of characters");
			break;
		default:
			usage("[-cdiu] [-f fields] [-s chars] [input [output]]");
		}
	}
	f = open_input(optind < argc ? argv[optind] : NULL);
	if (!f)
		return 1;
	if (optind + 1 < argc && !freopen(argv[optind + 1], "w", stdout))
		fatal("%s", argv[optind + 1]);
	while (read_line(f, &line, &size, &len)) {
		if (kept && same(kept, line)) {
			count++;
			continue;
		}
		if (kept)
			print(kept, count);
		free(kept);
		kept = xstrdup(line);
		count = 1;
	}
	if (kept)
		print(kept, count);
	return finish();
}
