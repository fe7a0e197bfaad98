/* SPDX-License-Identifier: MIT */
/*
 * diff [-qu] [-U lines] old new: what has to be deleted and added to make one file the other.
 * Status 0: the same, 1: different, 2: trouble.
 *
 * The method is Myers': walk the grid of old lines (x) and new lines (y) from one corner to the
 * other, along a diagonal wherever lines are equal. best[k] is how far one gets on diagonal
 * k = x - y with d deletions and insertions; d grows until the far corner is reached. The arrays of
 * every d are kept, and the way is read backwards from them.
 */
#include "../lib/util.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_EDITS 4000 /* beyond that: all old lines go, all new ones come */

struct text {
	const char *name;
	char **line;
	int count, room;
};

struct edits {
	bool *gone, *come; /* by line of the old and of the new text */
};

static int context = 3;

static void load(struct text *t, const char *name)
{
	char *buf = NULL;
	size_t size = 0, len;
	FILE *f = open_input(name);

	if (!f)
		exit(2);
	t->name = name;
	while (read_line(f, &buf, &size, &len)) {
		if (t->count == t->room) {
			t->room = t->room ? t->room * 2 : 256;
			t->line = xrealloc(t->line, (size_t)t->room * sizeof(*t->line));
		}
		t->line[t->count++] = xstrdup(buf);
	}
	close_input(f);
	free(buf);
}

/* Follow the diagonal from (x, x - k) as far as lines are equal. */
static int slide(const struct text *a, const struct text *b, int x, int k)
{
	while (x < a->count && x - k < b->count && strcmp(a->line[x], b->line[x - k]) == 0)
		x++;
	return x;
}

/* Read the way backwards: history[d] is best[] as it was before edit d, centred. */
static void trace_back(int **history, int d, int x, int y, struct edits *e)
{
	for (; d > 0; d--) {
		const int *best = history[d] + d;
		int k = x - y;
		bool down = k == -d || (k != d && best[k - 1] < best[k + 1]);
		int from = best[down ? k + 1 : k - 1];
		int from_y = from - (down ? k + 1 : k - 1);

		if (down)
			e->come[from_y] = true;
		else
			e->gone[from] = true;
		x = from;
		y = from_y;
	}
}

static void compare(const struct text *a, const struct text *b, struct edits *e)
{
	int max = a->count + b->count < MAX_EDITS ? a->count + b->count : MAX_EDITS;
	int *best = xmalloc((size_t)(2 * max + 3) * sizeof(*best)), **history;

	history = xmalloc((size_t)(max + 1) * sizeof(*history));
	best += max + 1;
	best[1] = 0;
	for (int d = 0; d <= max; d++) {
		/* Only the diagonals that d edits can reach: 2d + 1 of them. */
		history[d] = xmalloc((size_t)(2 * d + 3) * sizeof(int));
		memcpy(history[d], best - d, (size_t)(2 * d + 2) * sizeof(int));
		for (int k = -d; k <= d; k += 2) {
			bool down = k == -d || (k != d && best[k - 1] < best[k + 1]);
			int x = slide(a, b, down ? best[k + 1] : best[k - 1] + 1, k);

			best[k] = x;
			if (x >= a->count && x - k >= b->count) {
				trace_back(history, d, a->count, b->count, e);
				return;
			}
		}
	}
	memset(e->gone, true, (size_t)a->count);
	memset(e->come, true, (size_t)b->count);
}

static void print_range(const char *sign, int from, int count)
{
	/* Lines count from 1; an empty range names the line before it. */
	if (count == 1)
		printf(" %s%d", sign, from + 1);
	else
		printf(" %s%d,%d", sign, count ? from + 1 : from, count);
}

/* One piece: old lines x1 to x2, new lines y1 to y2. */
static void print_unified(const struct text *a, const struct text *b, const struct edits *e, int x1,
			  int x2, int y1, int y2)
{
	int x = x1, y = y1;

	fputs("@@", stdout);
	print_range("-", x1, x2 - x1);
	print_range("+", y1, y2 - y1);
	puts(" @@");
	while (x < x2 || y < y2) {
		if (x < x2 && e->gone[x])
			printf("-%s\n", a->line[x++]);
		else if (y < y2 && e->come[y])
			printf("+%s\n", b->line[y++]);
		else {
			printf(" %s\n", a->line[x++]);
			y++;
		}
	}
}

static void print_lines(const char *sign, const struct text *t, int from, int to)
{
	for (; from < to; from++)
		printf("%s %s\n", sign, t->line[from]);
}

static void print_normal(const struct text *a, const struct text *b, int x1, int x2, int y1, int y2)
{
	if (x2 - x1 > 1)
		printf("%d,%d", x1 + 1, x2);
	else
		printf("%d", x2 > x1 ? x2 : x1);
	putchar(x1 == x2 ? 'a' : y1 == y2 ? 'd' : 'c');
	if (y2 - y1 > 1)
		printf("%d,%d\n", y1 + 1, y2);
	else
		printf("%d\n", y2 > y1 ? y2 : y1);
	print_lines("<", a, x1, x2);
	if (x1 != x2 && y1 != y2)
		puts("---");
	print_lines(">", b, y1, y2);
}

/* Go through both texts; each run of changes is printed, with -u together with those close by. */
static bool print_all(const struct text *a, const struct text *b, const struct edits *e,
		      bool unified)
{
	int x = 0, y = 0;
	bool any = false;

	while (x < a->count || y < b->count) {
		int x1 = x, y1 = y, same = 0;

		if (!(x < a->count && e->gone[x]) && !(y < b->count && e->come[y])) {
			x++;
			y++;
			continue;
		}
		if (unified && !any)
			printf("--- %s\n+++ %s\n", a->name, b->name);
		any = true;
		while (x < a->count || y < b->count) {
			bool changed = false;

			for (; x < a->count && e->gone[x]; x++)
				changed = true;
			for (; y < b->count && e->come[y]; y++)
				changed = true;
			same = changed ? 0 : same + 1;
			if (!changed) {
				if (!unified || same > 2 * context)
					break;
				x++;
				y++;
			}
		}
		if (!unified) {
			print_normal(a, b, x1, x, y1, y);
			continue;
		}
		/* Equal lines at the end beyond the context belong to the next piece. */
		int before = x1 < context ? x1 : context;
		int after = same > context ? same - context : 0;

		if (same > 2 * context)
			after = same - 1 - context;
		print_unified(a, b, e, x1 - before, x - after, y1 - before, y - after);
	}
	return any;
}

int main(int argc, char **argv)
{
	struct text old = {0}, new = {0};
	bool unified = false, quiet = false, differ;
	struct edits e;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "quU:")) != -1) {
		switch (c) {
		case 'q':
			quiet = true;
			break;
		case 'U':
			context = (int)parse_number(optarg, "number of lines");
			unified = true;
			break;
		case 'u':
			unified = true;
			break;
		default:
			usage("[-qu] [-U lines] old new");
		}
	}
	if (argc - optind != 2)
		usage("[-qu] [-U lines] old new");
	load(&old, argv[optind]);
	load(&new, argv[optind + 1]);
	e.gone = xmalloc((size_t)old.count);
	e.come = xmalloc((size_t) new.count);
	memset(e.gone, 0, (size_t)old.count);
	memset(e.come, 0, (size_t) new.count);
	compare(&old, &new, &e);
	if (quiet) {
		differ = memchr(e.gone, 1, (size_t)old.count) ||
			 memchr(e.come, 1, (size_t) new.count);
		if (differ)
			printf("Files %s and %s differ\n", old.name, new.name);
	} else {
		differ = print_all(&old, &new, &e, unified);
	}
	return finish() ? 2 : differ;
}
