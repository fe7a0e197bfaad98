/* SPDX-License-Identifier: MIT */
/*
 * Probes of files: in /tmp, where both systems keep them in memory, so that it is the kernel's own
 * work that is measured; and of a disk, past the caches.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_DIRECT */
#endif
#include "lat.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_path[] = "/tmp/lat.file", directory[] = "/tmp/lat.dir";
static int file_fd = -1, disk_fd = -1;
static off_t disk_size;
static char block[PAGE] __attribute__((aligned(PAGE)));

void setup_file(void)
{
	file_fd = open(file_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (file_fd < 0)
		err(2, "%s", file_path);
	memset(block, 1, sizeof(block));
	for (unsigned i = 0; i < now->size; i++)
		if (pwrite(file_fd, block, PAGE, (off_t)i * PAGE) != PAGE)
			err(2, "%s", file_path);
}

void end_file(void)
{
	close(file_fd);
	unlink(file_path);
}

void run_file_read(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (pread(file_fd, block, PAGE, (off_t)(i % now->size) * PAGE) != PAGE)
			err(2, "%s", file_path);
}

void run_file_write(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (pwrite(file_fd, block, PAGE, (off_t)(i % now->size) * PAGE) != PAGE)
			err(2, "%s", file_path);
}

/* Each page written, so that no system can map its neighbours on the way. */
void run_file_fault(unsigned n)
{
	while (n--) {
		char *p = mmap(NULL, (size_t)now->size * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			       file_fd, 0);

		if (p == MAP_FAILED)
			err(2, "%s", file_path);
		for (unsigned i = 0; i < now->size; i++)
			p[i * PAGE] = 2;
		munmap(p, (size_t)now->size * PAGE);
	}
}

void run_create(unsigned n)
{
	while (n--) {
		int fd = open(file_path, O_WRONLY | O_CREAT | O_EXCL, 0600);

		if (fd < 0)
			err(2, "%s", file_path);
		close(fd);
		unlink(file_path);
	}
}

/* The name of file @i, put together by hand: printf would take longer than the look-up. */
static const char *entry(unsigned i)
{
	static char path[] = "/tmp/lat.dir/file-number-00000";

	for (char *p = path + sizeof(path) - 2; *p != '-'; p--, i /= 10)
		*p = (char)('0' + i % 10);
	return path;
}

void setup_directory(void)
{
	if (mkdir(directory, 0700))
		err(2, "%s", directory);
	for (unsigned i = 0; i < now->size; i++) {
		int fd = open(entry(i), O_WRONLY | O_CREAT, 0600);

		if (fd < 0)
			err(2, "%s", entry(i));
		close(fd);
	}
}

void end_directory(void)
{
	for (unsigned i = 0; i < now->size; i++)
		unlink(entry(i));
	rmdir(directory);
}

/* Names all over the directory, in an order that helps nobody. */
void run_lookup(unsigned n)
{
	static unsigned at;
	struct stat st;

	while (n--) {
		at = at * 1103515245 + 12345;
		if (stat(entry((at >> 8) % now->size), &st))
			err(2, "%s", directory);
	}
}

void setup_disk(void)
{
	disk_fd = open(disk_path, (may_write ? O_RDWR : O_RDONLY) | O_DIRECT);
	if (disk_fd < 0)
		err(2, "%s", disk_path);
	disk_size = lseek(disk_fd, 0, SEEK_END);
	if (disk_size < PAGE)
		errx(2, "%s: smaller than one block", disk_path);
}

void end_disk(void)
{
	close(disk_fd);
}

void run_disk_read(unsigned n)
{
	for (off_t at = 0; n--; at = (at + PAGE) % (disk_size / PAGE * PAGE))
		if (pread(disk_fd, block, PAGE, at) != PAGE)
			err(2, "%s: read", disk_path);
}

void run_disk_write(unsigned n)
{
	for (off_t at = 0; n--; at = (at + PAGE) % (disk_size / PAGE * PAGE))
		if (pwrite(disk_fd, block, PAGE, at) != PAGE)
			err(2, "%s: write", disk_path);
}
