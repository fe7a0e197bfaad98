/* SPDX-License-Identifier: MIT */
/*
 * ls [-aACdFhilnrRstSU1] [file...]: list files. Columns when the output is a terminal, one name a
 * line otherwise. Everything is read first, with lstat() only where something needs it, then
 * sorted, then printed.
 */
#include "../lib/util.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

struct entry {
	char *name;
	char *path;
	struct stat st;
	bool have_stat;
};

struct list {
	struct entry *entries;
	size_t count, room;
};

static bool all, almost_all, columns, dirs_as_files, classify, human, inodes, long_form, numeric;
static bool reverse, recursive, show_blocks, by_time, by_size, unsorted;
static int width = 80;

static void add(struct list *l, char *name, char *path, const struct stat *st)
{
	struct entry *e;

	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 32;
		l->entries = xrealloc(l->entries, l->room * sizeof(*l->entries));
	}
	e = &l->entries[l->count++];
	*e = (struct entry){.name = name, .path = path, .have_stat = st != NULL};
	if (st)
		e->st = *st;
}

static void list_clear(struct list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->entries[i].name);
		free(l->entries[i].path);
	}
	free(l->entries);
}

static int compare(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int order = 0;

	if (by_time && a->st.st_mtime != b->st.st_mtime)
		order = a->st.st_mtime < b->st.st_mtime ? 1 : -1;
	else if (by_size && a->st.st_size != b->st.st_size)
		order = a->st.st_size < b->st.st_size ? 1 : -1;
	if (order == 0)
		order = strcmp(a->name, b->name);
	return reverse ? -order : order;
}

static char mark(mode_t mode)
{
	if (S_ISDIR(mode))
		return '/';
	if (S_ISLNK(mode))
		return '@';
	if (S_ISFIFO(mode))
		return '|';
	if (S_ISSOCK(mode))
		return '=';
	return S_ISREG(mode) && (mode & 0111) ? '*' : '\0';
}

/* Control characters would play tricks on the terminal. */
static void print_name(const struct entry *e)
{
	for (const char *s = e->name; *s; s++)
		putchar_unlocked(columns && (unsigned char)*s < ' ' ? '?' : *s);
	if (classify && mark(e->st.st_mode) && !(long_form && S_ISLNK(e->st.st_mode)))
		putchar_unlocked(mark(e->st.st_mode));
}

static void print_time(time_t t)
{
	time_t now = time(NULL);
	bool recent = t <= now + 3600 && t > now - 182 * 86400L;
	struct tm *tm = localtime(&t);
	char buf[32];

	if (!tm || !strftime(buf, sizeof(buf), recent ? "%b %e %H:%M" : "%b %e  %Y", tm))
		snprintf(buf, sizeof(buf), "%12lld", (long long)t);
	printf("%s ", buf);
}

static void size_text(const struct stat *st, char *buf, size_t len)
{
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		snprintf(buf, len, "%u, %u", (unsigned)major(st->st_rdev),
			 (unsigned)minor(st->st_rdev));
	else if (human)
		human_size((unsigned long long)st->st_size, buf);
	else
		snprintf(buf, len, "%lld", (long long)st->st_size);
}

static const char *owner(const struct stat *st)
{
	static char number[12];

	if (!numeric)
		return user_name(st->st_uid);
	snprintf(number, sizeof(number), "%u", (unsigned)st->st_uid);
	return number;
}

static const char *group(const struct stat *st)
{
	static char number[12];

	if (!numeric)
		return group_name(st->st_gid);
	snprintf(number, sizeof(number), "%u", (unsigned)st->st_gid);
	return number;
}

static void print_prefix(const struct entry *e)
{
	char buf[24];

	if (inodes)
		printf("%6llu ", (unsigned long long)e->st.st_ino);
	if (show_blocks) {
		if (human)
			human_size((unsigned long long)e->st.st_blocks * 512, buf);
		else
			snprintf(buf, sizeof(buf), "%lld", (long long)e->st.st_blocks / 2);
		printf("%4s ", buf);
	}
}

static void print_long(const struct list *l)
{
	int links = 1, users = 1, groups = 1, sizes = 1, n;
	char mode[11], size[24], target[1024];

	for (size_t i = 0; i < l->count; i++) {
		const struct stat *st = &l->entries[i].st;

		n = snprintf(size, sizeof(size), "%u", (unsigned)st->st_nlink);
		links = n > links ? n : links;
		n = (int)strlen(owner(st));
		users = n > users ? n : users;
		n = (int)strlen(group(st));
		groups = n > groups ? n : groups;
		size_text(st, size, sizeof(size));
		n = (int)strlen(size);
		sizes = n > sizes ? n : sizes;
	}
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = &l->entries[i];

		print_prefix(e);
		mode_string(e->st.st_mode, mode);
		size_text(&e->st, size, sizeof(size));
		printf("%s %*u %-*s ", mode, links, (unsigned)e->st.st_nlink, users, owner(&e->st));
		printf("%-*s %*s ", groups, group(&e->st), sizes, size);
		print_time(e->st.st_mtime);
		print_name(e);
		if (S_ISLNK(e->st.st_mode)) {
			n = (int)readlink(e->path, target, sizeof(target) - 1);
			if (n >= 0)
				printf(" -> %.*s", n, target);
		}
		putchar_unlocked('\n');
	}
}

static void print_columns(const struct list *l)
{
	size_t widest = 1, across, rows;

	for (size_t i = 0; i < l->count; i++) {
		size_t n = strlen(l->entries[i].name) + (classify ? 1 : 0);

		widest = n > widest ? n : widest;
	}
	widest += 2 + (inodes ? 7 : 0) + (show_blocks ? 5 : 0);
	across = (size_t)width / widest ? (size_t)width / widest : 1;
	rows = (l->count + across - 1) / across;
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < l->count; i += rows) {
			const struct entry *e = &l->entries[i];
			size_t used = strlen(e->name) + (inodes ? 7 : 0) + (show_blocks ? 5 : 0);

			print_prefix(e);
			print_name(e);
			if (classify && mark(e->st.st_mode))
				used++;
			if (i + rows < l->count)
				printf("%*s", (int)(widest - used), "");
		}
		putchar_unlocked('\n');
	}
}

static void print_list(struct list *l)
{
	if (!unsorted && l->count)
		qsort(l->entries, l->count, sizeof(*l->entries), compare);
	if (long_form) {
		print_long(l);
	} else if (columns) {
		print_columns(l);
	} else {
		for (size_t i = 0; i < l->count; i++) {
			print_prefix(&l->entries[i]);
			print_name(&l->entries[i]);
			putchar_unlocked('\n');
		}
	}
}

static void read_dir(const char *path, struct list *l)
{
	bool need_stat = long_form || classify || inodes || show_blocks || by_time || by_size ||
			 recursive;
	DIR *dir = opendir(path);
	struct dirent *d;

	if (!dir) {
		warning("%s", path);
		return;
	}
	while (errno = 0, (d = readdir(dir)) != NULL) {
		bool dots = strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0;
		struct stat st;
		char *full;

		if (d->d_name[0] == '.' && !all && (!almost_all || dots))
			continue;
		full = path_join(path, d->d_name);
		if (need_stat && lstat(full, &st) < 0) {
			warning("%s", full);
			free(full);
			continue;
		}
		add(l, xstrdup(d->d_name), full, need_stat ? &st : NULL);
	}
	if (errno)
		warning("%s", path);
	closedir(dir);
}

static void show_dir(const char *path, bool heading)
{
	struct list l = {0};
	unsigned long long blocks = 0;
	static bool before;

	read_dir(path, &l);
	if (heading)
		printf("%s%s:\n", before ? "\n" : "", path);
	before = true;
	if (long_form || show_blocks) {
		char buf[24];

		for (size_t i = 0; i < l.count; i++)
			blocks += (unsigned long long)l.entries[i].st.st_blocks;
		if (human)
			human_size(blocks * 512, buf);
		else
			snprintf(buf, sizeof(buf), "%llu", blocks / 2);
		printf("total %s\n", buf);
	}
	print_list(&l);
	for (size_t i = 0; recursive && i < l.count; i++) {
		const struct entry *e = &l.entries[i];

		if (S_ISDIR(e->st.st_mode) && strcmp(e->name, ".") && strcmp(e->name, ".."))
			show_dir(e->path, true);
	}
	list_clear(&l);
}

static void options(int argc, char **argv)
{
	struct winsize ws;
	int c;

	if (isatty(1)) {
		columns = true;
		if (ioctl(1, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
			width = ws.ws_col;
	}
	while ((c = getopt(argc, argv, "aACdFhilnrRstSU1")) != -1) {
		switch (c) {
		case 'a':
			all = true;
			break;
		case 'A':
			almost_all = true;
			break;
		case 'C':
			columns = true;
			long_form = false;
			break;
		case 'd':
			dirs_as_files = true;
			break;
		case 'F':
			classify = true;
			break;
		case 'h':
			human = true;
			break;
		case 'i':
			inodes = true;
			break;
		case 'l':
			long_form = true;
			break;
		case 'n':
			long_form = numeric = true;
			break;
		case 'r':
			reverse = true;
			break;
		case 'R':
			recursive = true;
			break;
		case 's':
			show_blocks = true;
			break;
		case 't':
			by_time = true;
			break;
		case 'S':
			by_size = true;
			break;
		case 'U':
			unsorted = true;
			break;
		case '1':
			columns = false;
			break;
		default:
			usage("[-aACdFhilnrRstSU1] [file...]");
		}
	}
}

int main(int argc, char **argv)
{
	struct list files = {0}, dirs = {0};
	struct stat st;

	prog_init(argv);
	options(argc, argv);
	if (optind == argc)
		argv[--optind] = ".";
	for (int i = optind; i < argc; i++) {
		bool keep_link = long_form || classify || dirs_as_files;

		/* A link named on the command line is followed, unless links are the point. */
		if ((keep_link || stat(argv[i], &st) < 0) && lstat(argv[i], &st) < 0) {
			warning("%s", argv[i]);
			continue;
		}
		add(S_ISDIR(st.st_mode) && !dirs_as_files ? &dirs : &files, xstrdup(argv[i]),
		    xstrdup(argv[i]), &st);
	}
	print_list(&files);
	if (!unsorted && dirs.count)
		qsort(dirs.entries, dirs.count, sizeof(*dirs.entries), compare);
	if (files.count && dirs.count)
		putchar_unlocked('\n');
	for (size_t i = 0; i < dirs.count; i++)
		show_dir(dirs.entries[i].path, argc - optind > 1 || recursive);
	return finish();
}
