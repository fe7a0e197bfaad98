/* SPDX-License-Identifier: MIT */
/*
 * hypercalls [-a]: how often the kernel has called the hypervisor, by kind, from /proc/hypercalls;
 * kinds never called only with -a.
 *
 * hypercalls command...: run it, then show what was counted meanwhile (by everything that ran).
 * Counting is not free: the difference includes fork, exec and wait of the command itself.
 */
#include "../lib/util.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE "/proc/hypercalls"
#define MAX_KINDS 128

struct count {
	char name[40];
	unsigned long long n;
};

struct counts {
	struct count kinds[MAX_KINDS];
	size_t used;
};

static void read_counts(struct counts *c)
{
	char *text = read_file(SOURCE, NULL), *rest = text, *line;

	if (!text)
		fatal(SOURCE);
	c->used = 0;
	while ((line = strsep(&rest, "\n")) && c->used < MAX_KINDS) {
		char *value = strrchr(line, ' ');
		struct count *k = &c->kinds[c->used];

		if (!value || value == line || line[0] == '#')
			continue;
		snprintf(k->name, sizeof(k->name), "%.*s", (int)strcspn(line, " \t"), line);
		k->n = strtoull(value, NULL, 10);
		c->used++;
	}
	free(text);
}

static int most_first(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	return (x->n < y->n) - (x->n > y->n);
}

int main(int argc, char **argv)
{
	static struct counts before, after;
	bool all = false;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "+a")) != -1) {
		if (c != 'a')
			usage("[-a] [command [argument...]]");
		all = true;
	}
	if (optind < argc) {
		read_counts(&before);
		exit_status = run_command(argv + optind);
	}
	read_counts(&after);
	for (size_t i = 0; i < after.used; i++)
		for (size_t j = 0; j < before.used; j++)
			if (strcmp(after.kinds[i].name, before.kinds[j].name) == 0)
				after.kinds[i].n -= before.kinds[j].n;
	qsort(after.kinds, after.used, sizeof(after.kinds[0]), most_first);
	for (size_t i = 0; i < after.used; i++)
		if (all || after.kinds[i].n)
			printf("%-28s %10llu\n", after.kinds[i].name, after.kinds[i].n);
	return finish();
}
