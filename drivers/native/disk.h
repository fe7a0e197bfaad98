/* SPDX-License-Identifier: MIT */
/* What the disks of different controllers have in common: a name, coming and going. */
#ifndef NATIVE_DISK_H
#define NATIVE_DISK_H

#include <block.h>
#include <lock.h>

/* Names are the prefix and a letter; the major number is the family's. */
struct disk_family {
	const char *prefix;
	unsigned major;
	uint32_t taken; /* a bit for each letter */
};

struct disk {
	struct block_device bd;
	struct disk_family *family;
	unsigned nr;
	void *owner; /* the driver's */
	bool publishing, published;
};

/*
 * A new disk with the next name of @family; the caller fills in the rest of bd. NULL: no memory, or
 * no name left.
 */
struct disk *disk_make(struct disk_family *family, const struct block_driver *driver);
/*
 * Register it with the block layer, from a thread of its own: looking for partitions reads the
 * disk, and the caller must be free to deal with the errors of that. -ENOMEM: nothing was done.
 */
int disk_publish(struct disk *disk);
/* All its requests have been ended and new ones fail: unregister it; it is freed when the last user
 * has gone. Sleeps. */
void disk_remove(struct disk *disk);
/* Wait until all disks that are being published have been; boot does, for a while. */
void disk_settle(ktime_t deadline);

/* Sleep. Threads only. */
void disk_nap(ktime_t span);

/* ---- the drivers; each finds its devices on PCI ---- */
void ahci_start(void);
void virtio_blk_start(void);

#endif
