/* SPDX-License-Identifier: MIT */
/* lsblk: the block devices, their sizes, and where they are mounted. */
#include "../lib/util.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

/* Where /dev/NAME is mounted, or "". */
static void mounted_on(const char *name, char *where)
{
	FILE *f = fopen("/proc/mounts", "r");
	char device[256];

	while (f && fscanf(f, "%255s %255s %*[^\n]", device, where) == 2)
		if (!strncmp(device, "/dev/", 5) && !strcmp(device + 5, name)) {
			fclose(f);
			return;
		}
	if (f)
		fclose(f);
	*where = 0;
}

static int read_only(const char *name)
{
	char path[80];
	int fd, ro = 0;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		if (ioctl(fd, BLKROGET, &ro))
			ro = 0;
		close(fd);
	}
	return ro;
}

int main(int argc, char **argv)
{
	unsigned long major, minor, kib;
	char name[64], where[256];
	FILE *f;

	prog_init(argv);
	if (argc > 1)
		usage("");
	f = fopen("/proc/partitions", "r");
	if (!f)
		fatal("/proc/partitions");
	if (fscanf(f, "%*[^\n]") < 0)
		fatalx("/proc/partitions: no heading");
	printf("NAME       MAJ:MIN       KIB RO MOUNTED ON\n");
	while (fscanf(f, "%lu %lu %lu %63s", &major, &minor, &kib, name) == 4) {
		mounted_on(name, where);
		printf("%-10s %3lu:%-3lu %9lu  %d%s%s\n", name, major, minor, kib, read_only(name),
		       *where ? " " : "", where);
	}
	fclose(f);
	return finish();
}
