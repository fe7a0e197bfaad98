/* SPDX-License-Identifier: MIT */
/* Images of disks for the file-system tests: made, checked and read by e2fsprogs. */
#include "fs_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/parvix-fs-XXXXXX";
static char image_path[64], text_path[64];

static void clean_up(void)
{
	unlink(image_path);
	unlink(text_path);
	rmdir(folder);
}

static int start(void)
{
	static int started;

	if (started)
		return 0;
	if (!mkdtemp(folder))
		return -1;
	started = 1;
	snprintf(image_path, sizeof(image_path), "%s/image", folder);
	snprintf(text_path, sizeof(text_path), "%s/text", folder);
	atexit(clean_up);
	return 0;
}

/* The output goes into text_path. */
static int run(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "PATH=$PATH:/sbin:/usr/sbin; %s >%s 2>&1 </dev/null", command,
		 text_path);
	return system(line);
}

static void show_text(void)
{
	char line[256];
	FILE *f = fopen(text_path, "r");

	while (f && fgets(line, sizeof(line), f))
		printf("# %s", line);
	if (f)
		fclose(f);
}

static int save(const void *image, unsigned long size)
{
	FILE *f = start() ? NULL : fopen(image_path, "w");
	int bad = !f || fwrite(image, 1, size, f) != size;

	if (f && fclose(f))
		bad = 1;
	return bad;
}

void *disk_make(const char *options, unsigned long kib)
{
	unsigned long size = kib * 1024;
	char command[256], *image;
	FILE *f;

	if (start())
		return NULL;
	unlink(image_path);
	snprintf(command, sizeof(command), "mke2fs -q -F %s %s %luk", options, image_path, kib);
	if (run(command)) {
		show_text();
		return NULL;
	}
	image = malloc(size);
	f = fopen(image_path, "r");
	if (!image || !f || fread(image, 1, size, f) != size) {
		free(image);
		image = NULL;
	}
	if (f)
		fclose(f);
	return image;
}

int disk_check(const void *image, unsigned long size)
{
	char command[128];

	if (save(image, size))
		return -1;
	snprintf(command, sizeof(command), "e2fsck -fn %s", image_path);
	if (!run(command))
		return 0;
	show_text();
	return -1;
}

int disk_mend(void *image, unsigned long size)
{
	char command[128];
	FILE *f;
	int r;

	if (save(image, size))
		return -1;
	snprintf(command, sizeof(command), "e2fsck -p -f %s", image_path);
	r = run(command);
	if (r != 0 && r != 1 << 8) {
		show_text();
		return -1;
	}
	f = fopen(image_path, "r");
	if (!f || fread(image, 1, size, f) != size)
		r = -1;
	if (f)
		fclose(f);
	return r < 0 ? r : 0;
}

long disk_file(const void *image, unsigned long size, const char *path, void *buf, unsigned long n)
{
	char command[256];
	FILE *f;
	long got;

	if (save(image, size))
		return -1;
	snprintf(command, sizeof(command), "debugfs -R 'dump %s %s' %s", path, text_path,
		 image_path);
	unlink(text_path);
	if (system(strcat(command, " >/dev/null 2>&1")))
		return -1;
	f = fopen(text_path, "r");
	if (!f)
		return -1;
	got = (long)fread(buf, 1, n, f);
	fclose(f);
	return got;
}

void disk_free(void *image)
{
	free(image);
}

void *disk_copy(const void *image, unsigned long size)
{
	void *copy = malloc(size);

	if (copy)
		memcpy(copy, image, size);
	return copy;
}

double disk_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
