/* SPDX-License-Identifier: MIT */
/*
 * stat [-L] [-c format] file...: what is known of a file. In a format: %n name, %s size, %b blocks,
 * %i inode, %h links, %a mode in octal, %A as letters, %u %g owner, %U %G by name, %Y time of
 * change in seconds, %F type.
 */
#include "../lib/util.h"

#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

static const char *type(mode_t mode)
{
	if (S_ISREG(mode))
		return "regular file";
	if (S_ISDIR(mode))
		return "directory";
	if (S_ISLNK(mode))
		return "symbolic link";
	if (S_ISCHR(mode))
		return "character device";
	if (S_ISBLK(mode))
		return "block device";
	return S_ISFIFO(mode) ? "named pipe" : "unknown";
}

static void print_time(const char *what, const struct timespec *t)
{
	char buf[40] = "?";
	struct tm *tm = localtime(&t->tv_sec);

	if (tm)
		strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", tm);
	printf("%s: %s.%09ld\n", what, buf, t->tv_nsec);
}

static void show(const char *name, const struct stat *st)
{
	char mode[11];

	mode_string(st->st_mode, mode);
	printf("  File: %s\n", name);
	printf("  Size: %-12lld Blocks: %-8lld Block size: %-6ld %s\n", (long long)st->st_size,
	       (long long)st->st_blocks, (long)st->st_blksize, type(st->st_mode));
	printf("Device: %u,%-10u Inode: %-9llu Links: %u", (unsigned)major(st->st_dev),
	       (unsigned)minor(st->st_dev), (unsigned long long)st->st_ino, (unsigned)st->st_nlink);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		printf("  Device type: %u,%u", (unsigned)major(st->st_rdev),
		       (unsigned)minor(st->st_rdev));
	printf("\nAccess: (%04o/%s)  Uid: %u/%s  Gid: %u/%s\n", (unsigned)st->st_mode & 07777, mode,
	       (unsigned)st->st_uid, user_name(st->st_uid), (unsigned)st->st_gid,
	       group_name(st->st_gid));
	print_time("Access", &st->st_atim);
	print_time("Modify", &st->st_mtim);
	print_time("Change", &st->st_ctim);
}

static void show_as(const char *f, const char *name, const struct stat *st)
{
	char mode[11];

	mode_string(st->st_mode, mode);
	for (; *f; f++) {
		if (*f != '%' || !f[1]) {
			putchar_unlocked(*f);
			continue;
		}
		switch (*++f) {
		case 'n':
			fputs(name, stdout);
			break;
		case 's':
			printf("%lld", (long long)st->st_size);
			break;
		case 'b':
			printf("%lld", (long long)st->st_blocks);
			break;
		case 'i':
			printf("%llu", (unsigned long long)st->st_ino);
			break;
		case 'h':
			printf("%u", (unsigned)st->st_nlink);
			break;
		case 'a':
			printf("%o", (unsigned)st->st_mode & 07777);
			break;
		case 'A':
			fputs(mode, stdout);
			break;
		case 'u':
			printf("%u", (unsigned)st->st_uid);
			break;
		case 'g':
			printf("%u", (unsigned)st->st_gid);
			break;
		case 'U':
			fputs(user_name(st->st_uid), stdout);
			break;
		case 'G':
			fputs(group_name(st->st_gid), stdout);
			break;
		case 'Y':
			printf("%lld", (long long)st->st_mtime);
			break;
		case 'F':
			fputs(type(st->st_mode), stdout);
			break;
		default:
			putchar_unlocked(*f);
			break;
		}
	}
	putchar_unlocked('\n');
}

int main(int argc, char **argv)
{
	const char *format = NULL;
	bool follow = false;
	struct stat st;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "Lc:")) != -1) {
		switch (c) {
		case 'L':
			follow = true;
			break;
		case 'c':
			format = optarg;
			break;
		default:
			usage("[-L] [-c format] file...");
		}
	}
	if (optind == argc)
		usage("[-L] [-c format] file...");
	for (int i = optind; i < argc; i++) {
		if ((follow ? stat(argv[i], &st) : lstat(argv[i], &st)) < 0)
			warning("%s", argv[i]);
		else if (format)
			show_as(format, argv[i], &st);
		else
			show(argv[i], &st);
	}
	return finish();
}
