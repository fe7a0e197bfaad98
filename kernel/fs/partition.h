/* SPDX-License-Identifier: MIT */
/*
 * Partition tables (partition.c): from bytes of a disk to a list; no device, no memory of its own.
 */
#ifndef PARTITION_H
#define PARTITION_H

#include <types.h>

#define PARTITIONS_MAX 64

struct partition {
	unsigned nr;          /* as in the name: 1 .. */
	uint64_t start, size; /* in sectors of the disk */
};

struct partition_disk {
	const char *name;    /* for messages */
	unsigned sector;     /* bytes: 512 .. 4096 */
	uint64_t nr_sectors; /* of that size */
	int (*read)(struct partition_disk *disk, uint64_t sector, void *buf); /* one; 0 or -errno */
	void *arg;
	void *buf;  /* room for a sector */
	void *head; /* and for another */
};

/*
 * The partitions of the disk, at most PARTITIONS_MAX, all within it: how many; 0: none, or the
 * table is not one. Nothing in the table is believed; reading it ends whatever it says.
 */
int partitions_read(struct partition_disk *disk, struct partition *out);

#endif
