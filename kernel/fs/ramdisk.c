/* SPDX-License-Identifier: MIT */
/*
 * /dev/ram0: the boot module as a block device. Its frames were never given to the page allocator
 * and are mapped by the direct map like all memory: a request is done at once, by copying.
 */
#include <block.h>
#include <fs.h>
#include <mmu.h>
#include <string.h>

#define RAM_MAJOR 1

static void ram_submit(struct block_device *bd, struct block_request *rq)
{
	char *at = (char *)bd->private + rq->offset;

	for (unsigned i = 0; i < rq->nr_vecs; at += rq->vecs[i++].len) {
		if (rq->op == BLOCK_WRITE)
			memcpy(at, rq->vecs[i].va, rq->vecs[i].len);
		else
			memcpy(rq->vecs[i].va, at, rq->vecs[i].len);
	}
	rq->done(rq);
}

int ramdisk_init(pfn_t first, unsigned long size)
{
	static const struct block_driver driver = {.submit = ram_submit};
	static struct block_device ram0 = {.name = "ram0",
					   .dev = MKDEV(RAM_MAJOR, 0),
					   .sector = SECTOR_SIZE,
					   .max_vecs = BLOCK_VECS_MAX,
					   .driver = &driver};

	ram0.size = ROUND_DOWN(size, (unsigned long)SECTOR_SIZE);
	ram0.private = pfn_va(first);
	return block_register(&ram0);
}
