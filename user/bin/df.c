/* SPDX-License-Identifier: MIT */
/* df [-hikT] [file...]: space in file systems, of all or of those that hold the files. */
#include "../lib/util.h"

#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool human, inodes, types;

static void number(unsigned long long n, unsigned long long unit)
{
	char buf[24];

	if (human && unit)
		human_size(n * unit, buf);
	else
		snprintf(buf, sizeof(buf), "%llu", unit ? n * unit / 1024 : n);
	printf(" %9s", buf);
}

static void show(const char *device, const char *type, const char *where)
{
	unsigned long long total, free, used, usable;
	struct statvfs v;

	if (statvfs(where, &v) < 0) {
		warning("%s", where);
		return;
	}
	total = inodes ? v.f_files : v.f_blocks;
	free = inodes ? v.f_ffree : v.f_bfree;
	used = total - free;
	usable = used + (inodes ? v.f_favail : v.f_bavail);
	printf("%-12s", device);
	if (types)
		printf(" %-8s", type);
	number(total, inodes ? 0 : v.f_frsize);
	number(used, inodes ? 0 : v.f_frsize);
	number(usable - used, inodes ? 0 : v.f_frsize);
	if (usable)
		printf(" %3llu%%", (used * 100 + usable - 1) / usable);
	else
		printf("    -");
	printf(" %s\n", where);
}

/* The mounted file system with the device number of @path, or all of them if @path is NULL. */
static void show_mounts(const char *path)
{
	char device[256], where[256], type[64];
	FILE *f = fopen("/proc/mounts", "r");
	struct stat want, st;

	if (!f)
		fatal("/proc/mounts");
	if (path && stat(path, &want) < 0) {
		warning("%s", path);
		fclose(f);
		return;
	}
	while (fscanf(f, "%255s %255s %63s %*[^\n]", device, where, type) == 3) {
		if (path && (stat(where, &st) < 0 || st.st_dev != want.st_dev))
			continue;
		show(device, type, where);
		if (path)
			break;
	}
	fclose(f);
}

int main(int argc, char **argv)
{
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "hikT")) != -1) {
		switch (c) {
		case 'h':
			human = true;
			break;
		case 'i':
			inodes = true;
			break;
		case 'k':
			human = false;
			break;
		case 'T':
			types = true;
			break;
		default:
			usage("[-hikT] [file...]");
		}
	}
	printf("%-12s%s %9s %9s %9s %4s %s\n", "Filesystem", types ? " Type    " : "",
	       inodes  ? "Inodes"
	       : human ? "Size"
		       : "1K-blocks",
	       "Used", inodes ? "Free" : "Available", "Use%", "Mounted on");
	if (optind == argc)
		show_mounts(NULL);
	for (int i = optind; i < argc; i++)
		show_mounts(argv[i]);
	return finish();
}
