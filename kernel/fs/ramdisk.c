/* SPDX-License-Identifier: MIT */
/*
 * /dev/ram0: the boot module as a block device. Its frames were never given to the page allocator
 * and are mapped by the direct map like all memory: a transfer is one copy.
 */
#include <fs.h>
#include <mmu.h>
#include <string.h>

#define RAM_MAJOR 1

static struct block_device ram0;

static int ram_transfer(struct block_device *bd, uint64_t offset, void *buf, size_t n, bool write)
{
	char *at = (char *)bd->private + offset;

	if (write)
		memcpy(at, buf, n);
	else
		memcpy(buf, at, n);
	return 0;
}

int ramdisk_init(pfn_t first, unsigned long size)
{
	strlcpy(ram0.name, "ram0", sizeof(ram0.name));
	ram0.dev = MKDEV(RAM_MAJOR, 0);
	ram0.size = ROUND_DOWN(size, 512ul);
	ram0.transfer = ram_transfer;
	ram0.private = pfn_va(first);
	return block_register(&ram0);
}
