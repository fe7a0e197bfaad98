/* SPDX-License-Identifier: MIT */
/* du [-achksx] [-d depth] [file...]: space that trees take, in KiB. */
#include "../lib/util.h"

#include <stdlib.h>
#include <unistd.h>

#define MAX_DEPTH 256

static bool all, human, grand_total, only_total;
static int max_depth = MAX_DEPTH;

/* Blocks below the directory being walked at each depth. */
static unsigned long long below[MAX_DEPTH + 2];

/* Files with several links count once. */
static struct seen {
	dev_t dev;
	ino_t ino;
} * seen;
static size_t seen_count, seen_room;

static bool counted(const struct stat *st)
{
	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return false;
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].dev == st->st_dev && seen[i].ino == st->st_ino)
			return true;
	if (seen_count == seen_room) {
		seen_room = seen_room ? seen_room * 2 : 32;
		seen = xrealloc(seen, seen_room * sizeof(*seen));
	}
	seen[seen_count++] = (struct seen){st->st_dev, st->st_ino};
	return false;
}

static void print(unsigned long long blocks, const char *path)
{
	char buf[24];

	if (human)
		human_size(blocks * 512, buf);
	else
		snprintf(buf, sizeof(buf), "%llu", (blocks + 1) / 2);
	printf("%s\t%s\n", buf, path);
}

static enum walk_next visit(const char *path, const struct stat *st, int depth, void *ctx)
{
	unsigned long long *total = ctx;
	int level = depth < MAX_DEPTH ? depth : MAX_DEPTH;
	unsigned long long blocks = counted(st) ? 0 : (unsigned long long)st->st_blocks;

	/* Depth first: all that is in a directory has been added up when its turn comes. */
	if (S_ISDIR(st->st_mode)) {
		blocks += below[level + 1];
		below[level + 1] = 0;
	}
	below[level] += blocks;
	if (depth == 0) {
		*total += blocks;
		below[0] = 0;
	}
	if (depth == 0 || (!only_total && depth <= max_depth && (all || S_ISDIR(st->st_mode))))
		print(blocks, path);
	return WALK_ON;
}

int main(int argc, char **argv)
{
	unsigned long long total = 0;
	int flags = WALK_DEPTH_FIRST, c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "achksxd:")) != -1) {
		switch (c) {
		case 'a':
			all = true;
			break;
		case 'c':
			grand_total = true;
			break;
		case 'd':
			max_depth = (int)parse_number(optarg, "depth");
			break;
		case 'h':
			human = true;
			break;
		case 'k':
			human = false;
			break;
		case 's':
			only_total = true;
			break;
		case 'x':
			flags |= WALK_ONE_DEVICE;
			break;
		default:
			usage("[-achksx] [-d depth] [file...]");
		}
	}
	if (optind == argc)
		walk(".", flags, visit, &total);
	for (int i = optind; i < argc; i++)
		walk(argv[i], flags, visit, &total);
	if (grand_total)
		print(total, "total");
	return finish();
}
