/* SPDX-License-Identifier: MIT */
/*
 * tr [-cds] set1 [set2]: translate, delete (-d) or squeeze (-s) bytes. Sets: a-z, \n, \033,
 * [:upper:] and the other classes.
 */
#include "../lib/util.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct set {
	unsigned char c[1024];
	int count;
};

static void add(struct set *s, int c)
{
	if (s->count < (int)sizeof(s->c))
		s->c[s->count++] = (unsigned char)c;
}

static int one_char(const char **text)
{
	static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
	const char *s = *text, *p;
	int value = 0, n = 0;

	if (*s != '\\' || !s[1]) {
		*text = s + 1;
		return (unsigned char)*s;
	}
	for (s++; n < 3 && *s >= '0' && *s <= '7'; n++)
		value = value * 8 + *s++ - '0';
	if (n) {
		*text = s;
		return value & 255;
	}
	*text = s + 1;
	p = strchr(from, *s);
	return p ? to[p - from] : (unsigned char)*s;
}

/* "[:name:]" at *@text: add the class and go on behind it. */
static bool class(struct set *set, const char **text)
{
	static const struct {
		const char *name;
		int (*test)(int);
	} classes[] = {
		{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
		{"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
		{"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
	};
	const char *s = *text + 2, *end = strstr(s, ":]");

	if (!end)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (strlen(classes[i].name) != (size_t)(end - s) ||
		    memcmp(classes[i].name, s, (size_t)(end - s)) != 0)
			continue;
		for (int c = 0; c < 256; c++)
			if (classes[i].test(c))
				add(set, c);
		*text = end + 2;
		return true;
	}
	fatalx("unknown class: %s", *text);
}

static void parse(struct set *set, const char *text)
{
	while (*text) {
		int from, to;

		if (text[0] == '[' && text[1] == ':' && class(set, &text))
			continue;
		from = one_char(&text);
		if (text[0] != '-' || !text[1]) {
			add(set, from);
			continue;
		}
		text++;
		to = one_char(&text);
		if (to < from)
			fatalx("a range is the wrong way round");
		for (; from <= to; from++)
			add(set, from);
	}
}

static void complement(struct set *set)
{
	bool in[256] = {false};

	for (int i = 0; i < set->count; i++)
		in[set->c[i]] = true;
	set->count = 0;
	for (int c = 0; c < 256; c++)
		if (!in[c])
			add(set, c);
}

int main(int argc, char **argv)
{
	struct set one = {.count = 0}, two = {.count = 0};
	bool invert = false, delete = false, squeeze = false;
	bool deleted[256] = {false}, squeezed[256] = {false};
	int map[256], c, last = -1;

	prog_init(argv);
	while ((c = getopt(argc, argv, "cCds")) != -1) {
		switch (c) {
		case 'c':
		case 'C':
			invert = true;
			break;
		case 'd':
			delete = true;
			break;
		case 's':
			squeeze = true;
			break;
		default:
			usage("[-cds] set1 [set2]");
		}
	}
	if (argc - optind < 1 || argc - optind > 2 || (argc - optind == 1 && !delete &&!squeeze))
		usage("[-cds] set1 [set2]");
	parse(&one, argv[optind]);
	if (invert)
		complement(&one);
	if (argc - optind == 2)
		parse(&two, argv[optind + 1]);
	for (c = 0; c < 256; c++)
		map[c] = c;
	for (int i = 0; i < one.count; i++) {
		deleted[one.c[i]] = delete;
		if (!delete &&two.count)
			map[one.c[i]] = two.c[i < two.count ? i : two.count - 1];
	}
	for (int i = 0; squeeze && i < (two.count ? two.count : one.count); i++)
		squeezed[two.count ? two.c[i] : one.c[i]] = true;
	while ((c = getchar_unlocked()) != EOF) {
		if (deleted[c])
			continue;
		c = map[c];
		if (squeezed[c] && c == last)
			continue;
		last = c;
		putchar_unlocked(c);
	}
	if (ferror(stdin))
		warning("standard input");
	return finish();
}
