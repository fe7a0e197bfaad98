/* SPDX-License-Identifier: MIT */
/*
 * What the person who boots wants of the block frontend, and what the disks are called.
 *
 * The toolstack numbers virtual devices in a way that grew (docs: xen-vbd-interface(7)): a number
 * says kind, disk and partition. All kinds get a name xvd*, since all are the same thing here.
 */
#include <bootarg.h>
#include <fs.h>
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "blk.h"

#define MAJOR_XVD 202
#define MAJOR_XVD_MORE 203 /* ours: partitions from 16 on */

/* A decimal number up to @most; a value that is none of those counts as @otherwise. */
static unsigned number(const char *name, unsigned otherwise, unsigned most)
{
	char text[12];
	unsigned n = 0;

	if (!boot_arg(name, text, sizeof(text)) || !text[0] || strlen(text) > 8)
		return otherwise;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return otherwise;
		n = n * 10 + (unsigned)(*p - '0');
	}
	return min(n, most);
}

static bool flag(const char *name, bool otherwise)
{
	return number(name, otherwise, 1);
}

void blk_args(struct blk_args *args)
{
	/* A thirty-second of the memory, as far as it helps. */
	unsigned long pool = min(pages_total() / 32, 1024ul);
	unsigned asked = number("blk.pool", pool > 64 ? (unsigned)pool : 64, 65536);

	*args = (struct blk_args){
		.pages = max(number("blk.pages", 1, BLK_RING_PAGES_MAX), 1u),
		.queues = number("blk.queues", 0, BLK_QUEUES_MAX),
		.indirect = number("blk.indirect", BLK_SEGS_MAX, BLK_SEGS_MAX),
		.pool = max(asked, BLK_BUFS_MIN),
		.persistent = flag("blk.persistent", true),
		.flush = flag("blk.flush", true),
		.barrier = flag("blk.barrier", false),
		.discard = flag("blk.discard", true),
		.batch = flag("blk.batch", true),
	};
}

/* Disk 0 is a, 25 z, 26 aa, 27 ab ...; returns the end. */
static char *letters(char *to, unsigned disk)
{
	if (disk >= 26)
		to = letters(to, disk / 26 - 1);
	*to++ = (char)('a' + disk % 26);
	return to;
}

int blk_name(uint64_t vdev, char name[16], dev_t *dev)
{
	unsigned disk, partition;
	char *end;

	if (vdev >> 28 == 1) {
		disk = vdev >> 8 & 0xfffff;
		partition = vdev & 0xff;
	} else if (vdev >> 8 == 202 || vdev >> 8 == 8) { /* xvd, sd */
		disk = vdev >> 4 & 0xf;
		partition = vdev & 0xf;
	} else if (vdev >> 8 == 3 || vdev >> 8 == 22) { /* hd */
		disk = (vdev >> 6 & 3) + (vdev >> 8 == 22 ? 2 : 0);
		partition = vdev & 0x3f;
	} else {
		return -EINVAL;
	}
	end = letters(name + strlcpy(name, "xvd", 16), disk);
	if (partition)
		snprintk(end, 16 - (size_t)(end - name), "%u", partition);
	else
		*end = 0;
	*dev = partition < 16 ? MKDEV(MAJOR_XVD, (disk << 4 | partition) & 0xfffff)
			      : MKDEV(MAJOR_XVD_MORE, (disk << 8 | partition) & 0xfffff);
	return 0;
}
