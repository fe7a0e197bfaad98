/* SPDX-License-Identifier: MIT */
/*
 * sort [-bcdfhnru] [-t char] [-k from[,to][flags]]... [-o file] [file...]: sort lines, in memory.
 * Keys are compared in their order; lines whose keys are all equal are then compared whole (unless
 * -s or -u), so that the result does not depend on the order of the input.
 */
#include "../lib/util.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_KEYS 16

struct flags {
	bool blanks, dictionary, fold, numeric, human, reverse;
};

struct key {
	int from, from_char, to, to_char; /* counted from 1; 0: not given */
	struct flags flags;
	bool own_flags;
};

static struct flags global;
static struct key keys[MAX_KEYS];
static int key_count;
static char separator;
static bool unique, stable;

static bool set_flag(struct flags *f, char c)
{
	switch (c) {
	case 'b':
		f->blanks = true;
		break;
	case 'd':
		f->dictionary = true;
		break;
	case 'f':
		f->fold = true;
		break;
	case 'h':
		f->human = true;
		break;
	case 'n':
		f->numeric = true;
		break;
	case 'r':
		f->reverse = true;
		break;
	default:
		return false;
	}
	return true;
}

static void parse_key(const char *text)
{
	struct key *k = &keys[key_count++];
	char *s;

	if (key_count == MAX_KEYS)
		fatalx("too many keys");
	k->from = (int)strtol(text, &s, 10);
	if (*s == '.')
		k->from_char = (int)strtol(s + 1, &s, 10);
	for (; set_flag(&k->flags, *s); s++)
		k->own_flags = true;
	if (*s == ',') {
		k->to = (int)strtol(s + 1, &s, 10);
		if (*s == '.')
			k->to_char = (int)strtol(s + 1, &s, 10);
		for (; set_flag(&k->flags, *s); s++)
			k->own_flags = true;
	}
	if (*s || k->from < 1)
		fatalx("invalid key: %s", text);
}

/* Start of field @n (from 1). Without -t a field begins with the blanks before it. */
static const char *field(const char *s, int n)
{
	while (--n > 0 && *s) {
		if (separator) {
			s += strcspn(s, (char[]){separator, 0});
			if (*s)
				s++;
		} else {
			s += strspn(s, " \t");
			s += strcspn(s, " \t");
		}
	}
	return s;
}

static const char *field_end(const char *s, int n)
{
	s = field(s, n);
	if (separator)
		return s + strcspn(s, (char[]){separator, 0});
	s += strspn(s, " \t");
	return s + strcspn(s, " \t");
}

/* The part of @line that @k names: returns its start, and its end in *@end. */
static const char *key_part(const struct key *k, const struct flags *f, const char *line,
			    const char **end)
{
	const char *s = field(line, k->from);

	*end = k->to ? field_end(line, k->to) : line + strlen(line);
	if (f->blanks)
		s += strspn(s, " \t");
	for (int i = 1; i < k->from_char && *s; i++)
		s++;
	if (k->to && k->to_char) {
		*end = field(line, k->to);
		for (int i = 0; i < k->to_char && **end; i++)
			(*end)++;
	}
	if (*end < s)
		*end = s;
	return s;
}

static double number(const char *s, const char *end, bool human)
{
	static const char units[] = "KMGTPE";
	char buf[64], *rest;
	size_t n;
	double value;

	s += strspn(s, " \t");
	n = end > s ? (size_t)(end - s) : 0;
	n = n < sizeof(buf) ? n : sizeof(buf) - 1;
	memcpy(buf, s, n);
	buf[n] = '\0';
	buf[strspn(buf, human ? "-0123456789.KMGTPE" : "-0123456789.")] = '\0';
	value = strtod(buf, &rest);
	if (human && *rest && strchr(units, *rest))
		for (const char *u = units; u <= strchr(units, *rest); u++)
			value *= 1024;
	return value;
}

static int compare_text(const struct flags *f, const char *a, const char *a_end, const char *b,
			const char *b_end)
{
	for (;; a++, b++) {
		int ca, cb;

		while (f->dictionary && a < a_end && !isalnum((unsigned char)*a) &&
		       !isblank((unsigned char)*a))
			a++;
		while (f->dictionary && b < b_end && !isalnum((unsigned char)*b) &&
		       !isblank((unsigned char)*b))
			b++;
		ca = a < a_end ? (unsigned char)*a : -1;
		cb = b < b_end ? (unsigned char)*b : -1;
		if (f->fold) {
			ca = ca < 0 ? ca : toupper(ca);
			cb = cb < 0 ? cb : toupper(cb);
		}
		if (ca != cb)
			return ca < cb ? -1 : 1;
		if (ca < 0)
			return 0;
	}
}

static int compare_part(const struct flags *f, const char *a, const char *a_end, const char *b,
			const char *b_end)
{
	int order;

	if (f->numeric || f->human) {
		double na = number(a, a_end, f->human), nb = number(b, b_end, f->human);

		order = (na > nb) - (na < nb);
	} else {
		order = compare_text(f, a, a_end, b, b_end);
	}
	return f->reverse ? -order : order;
}

static int compare_keys(const char *a, const char *b)
{
	const char *a_end, *b_end;
	int order = 0;

	if (!key_count) {
		const char *sa = a + (global.blanks ? strspn(a, " \t") : 0);
		const char *sb = b + (global.blanks ? strspn(b, " \t") : 0);

		return compare_part(&global, sa, sa + strlen(sa), sb, sb + strlen(sb));
	}
	for (int i = 0; i < key_count && order == 0; i++) {
		const struct flags *f = keys[i].own_flags ? &keys[i].flags : &global;
		const char *pa = key_part(&keys[i], f, a, &a_end);
		const char *pb = key_part(&keys[i], f, b, &b_end);

		order = compare_part(f, pa, a_end, pb, b_end);
	}
	return order;
}

static int compare(const char *a, const char *b)
{
	int order = compare_keys(a, b);

	if (order == 0 && !unique && !stable)
		order = global.reverse ? strcmp(b, a) : strcmp(a, b);
	return order;
}

/* A merge sort, because qsort() keeps no order among equals. @tmp is as large as @v. */
static void merge_sort(char **v, char **tmp, size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	merge_sort(v, tmp, half);
	merge_sort(v + half, tmp, n - half);
	while (i < half && j < n)
		tmp[k++] = compare(v[i], v[j]) <= 0 ? v[i++] : v[j++];
	while (i < half)
		tmp[k++] = v[i++];
	memcpy(v, tmp, k * sizeof(*v)); /* what is left of the second half is in place */
}

struct lines {
	char **v;
	size_t count, room;
};

static void read_lines(FILE *f, struct lines *l)
{
	char *buf = NULL;
	size_t size = 0, len;

	while (read_line(f, &buf, &size, &len)) {
		if (l->count == l->room) {
			l->room = l->room ? l->room * 2 : 256;
			l->v = xrealloc(l->v, l->room * sizeof(*l->v));
		}
		l->v[l->count++] = xstrdup(buf);
	}
	free(buf);
}

static int check(const struct lines *l)
{
	for (size_t i = 1; i < l->count; i++) {
		int order = compare(l->v[i - 1], l->v[i]);

		if (order > 0 || (order == 0 && unique)) {
			fprintf(stderr, "%s: out of order at line %zu: %s\n", prog_name, i + 1,
				l->v[i]);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct lines lines = {0};
	const char *output = NULL;
	bool check_only = false;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "bcdfhnrust:k:o:")) != -1) {
		switch (c) {
		case 'c':
			check_only = true;
			break;
		case 'k':
			parse_key(optarg);
			break;
		case 'o':
			output = optarg;
			break;
		case 's':
			stable = true;
			break;
		case 't':
			separator = optarg[0];
			break;
		case 'u':
			unique = true;
			break;
		default:
			if (!set_flag(&global, (char)c))
				usage("[-bcdfhnrsu] [-t char] [-k from[,to]]... [-o file] "
				      "[file...]");
		}
	}
	if (optind == argc)
		read_lines(stdin, &lines);
	for (int i = optind; i < argc; i++) {
		FILE *f = open_input(argv[i]);

		if (!f)
			exit(2);
		read_lines(f, &lines);
		close_input(f);
	}
	if (check_only)
		return check(&lines);
	merge_sort(lines.v, xmalloc(lines.count * sizeof(char *)), lines.count);
	if (output && !freopen(output, "w", stdout))
		fatal("%s", output);
	for (size_t i = 0; i < lines.count; i++)
		if (!unique || i == 0 || compare_keys(lines.v[i - 1], lines.v[i]) != 0)
			puts(lines.v[i]);
	return finish();
}
