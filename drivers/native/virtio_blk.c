/* SPDX-License-Identifier: MIT */
/*
 * Virtio disks: the device comes up, changes, breaks, goes.
 *
 * Of the two interrupts one is for answers (virtio_queue.c), the other for the configuration: a
 * disk that has another size now. What the device says of itself is a number within limits, or it
 * is not used. One that writes nonsense into the ring, or says that it needs a reset, or is silent
 * for a minute, is reset, which takes the memory from it, and every request ends with -EIO from
 * then on; one whose registers are no longer there is unregistered.
 */
#include "virtio_blk.h"
#include <mm.h>
#include <printk.h>
#include <string.h>

#define VENDOR 0x1af4
#define DEVICE 0x1042
#define DEVICE_OLD 0x1001 /* speaks the old protocol, and perhaps version 1 as well */
#define MAJOR_VD 254
#define SECTORS_MAX (1ull << 50)
#define ENTRY_CONFIG 0
#define ENTRY_QUEUE 1

static struct disk_family family = {.prefix = "vd", .major = MAJOR_VD};

/* The device's configuration (specification, 5.2.4), as far as we look at it. */
struct vblk_config {
	uint64_t capacity; /* sectors of 512 bytes */
	uint32_t size_max, seg_max;
	uint32_t geometry;
	uint32_t sector;
	uint32_t topology[3]; /* with a byte each of other things */
	uint32_t discard_max, discard_segs, discard_align;
} __packed;
_Static_assert(offsetof(struct vblk_config, discard_max) == 36, "max_discard_sectors");

/* Take over what it says. NULL, or what cannot be. */
static const char *identify(struct vblk *b, struct block_device *bd)
{
	uint64_t f = b->v.features;
	struct vblk_config c;

	if (!virtio_config(&b->v, 0, &c, sizeof(c)))
		return "its configuration does not keep still";
	bd->sector = f & VIRTIO_BLK_SECTOR ? c.sector : SECTOR_SIZE;
	if (bd->sector < SECTOR_SIZE || bd->sector > PAGE_SIZE || bd->sector & (bd->sector - 1))
		return "its sector size is none";
	if (c.capacity > SECTORS_MAX)
		return "its size is none";
	if (f & VIRTIO_BLK_SIZE_MAX && c.size_max < PAGE_SIZE)
		return "it wants memory in pieces of less than a page";
	bd->size = ROUND_DOWN(c.capacity * SECTOR_SIZE, bd->sector);
	bd->max_vecs = f & VIRTIO_BLK_SEG_MAX ? min(max(c.seg_max, 1u), VBLK_PIECES) : 1;
	bd->read_only = f & VIRTIO_BLK_READ_ONLY;
	bd->can_flush = f & VIRTIO_BLK_FLUSH;
	b->discard_max = ROUND_DOWN(c.discard_max, bd->sector / SECTOR_SIZE);
	bd->can_discard = f & VIRTIO_BLK_DISCARD && b->discard_max;
	bd->discard_align = bd->sector;
	if (c.discard_align && c.discard_align <= UINT32_MAX / SECTOR_SIZE)
		bd->discard_align = c.discard_align * SECTOR_SIZE;
	return NULL;
}

/* The ring and a page for each command. */
static const char *make_ring(struct vblk *b, struct block_device *bd)
{
	bool indirect = b->v.features & VIRTIO_F_INDIRECT;
	unsigned size = virtio_queue_size(&b->v, 0, indirect ? VBLK_COMMANDS : VIRTIO_RING_MAX);
	struct page *pg = page_alloc(1, ALLOC_ZERO);

	if (!pg)
		return "no memory";
	if (!size || (!indirect && size < 4))
		return "its ring is too short";
	if (!indirect)
		bd->max_vecs = min(bd->max_vecs, size - 3);
	virtio_ring_init(&b->ring, page_va(pg), size, b->v.features & VIRTIO_F_EVENT_INDEX);
	for (unsigned i = 0; i < min(VBLK_COMMANDS, size); i++) {
		pg = page_alloc(0, ALLOC_ZERO);
		if (!pg)
			return i ? NULL : "no memory";
		b->command[i].page = page_va(pg);
		b->free |= 1ull << i;
	}
	return NULL;
}

static void config_interrupt(void *vblk)
{
	struct vblk *b = vblk;

	spin_lock(&b->lock);
	b->changed = true;
	waitq_wake_all(&b->waitq);
	spin_unlock(&b->lock);
}

static const char *begin(struct vblk *b, struct block_device *bd)
{
	const char *why = virtio_begin(&b->v, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX |
						      VIRTIO_BLK_SIZE_MAX | VIRTIO_BLK_SEG_MAX |
						      VIRTIO_BLK_READ_ONLY | VIRTIO_BLK_SECTOR |
						      VIRTIO_BLK_FLUSH | VIRTIO_BLK_DISCARD);

	if (!why)
		why = identify(b, bd);
	if (!why)
		why = make_ring(b, bd);
	if (why)
		return why;
	if (pci_interrupt(b->v.pci, ENTRY_CONFIG, config_interrupt, b, "virtio") ||
	    pci_interrupt(b->v.pci, ENTRY_QUEUE, vblk_interrupt, b, b->name))
		return "it cannot interrupt by messages";
	virtio_config_interrupt(&b->v, ENTRY_CONFIG); /* without it, nobody tells of a new size */
	why = virtio_queue_start(&b->v, 0, &b->ring, ENTRY_QUEUE);
	if (!why)
		virtio_run(&b->v);
	return why;
}

/* The size may be another now. */
static void look_again(struct vblk *b)
{
	struct block_device *bd = &b->disk->bd;
	struct vblk_config c;
	uint64_t size;

	if (virtio_status(&b->v) & VIRTIO_STATUS_NEEDS_RESET) {
		spin_lock(&b->lock);
		vblk_broken(b, "it says that it needs a reset");
		spin_unlock(&b->lock);
		return;
	}
	if (!virtio_config(&b->v, 0, &c, sizeof(c)) || c.capacity > SECTORS_MAX)
		return;
	size = ROUND_DOWN(c.capacity * SECTOR_SIZE, bd->sector);
	if (size != bd->size)
		block_resized(bd, size);
}

/* The device is stopped, and all requests end. */
static void stop(struct vblk *b)
{
	bool gone = virtio_status(&b->v) == VIRTIO_STATUS_GONE;

	printk("%s: the device is not used any more: %s\n", b->name, b->why);
	if (!gone && virtio_reset(&b->v))
		pci_enable(b->v.pci, false); /* it shall not write to memory */
	vblk_end(b, gone ? -ENODEV : -EIO);
	if (gone) {
		struct disk *disk = b->disk;

		spin_lock(&b->lock);
		b->disk = NULL;
		spin_unlock(&b->lock);
		disk_remove(disk);
	}
}

/* Each device has one. What it belongs to stays when the device goes: an interrupt is for ever. */
static void vblk_thread(void *arg)
{
	struct vblk *b = arg;
	enum vblk_state state;

	do {
		spin_lock(&b->lock);
		while (b->state == VBLK_ONLINE && !b->changed)
			sleep_on(&b->waitq, &b->lock, 0, KTIME_NEVER);
		b->changed = false;
		state = b->state;
		spin_unlock(&b->lock);
		if (state == VBLK_ONLINE)
			look_again(b);
		else if (state == VBLK_BROKEN)
			stop(b);
	} while (state == VBLK_ONLINE);
}

static size_t disk_describe(const struct vblk *b, char *buf, size_t size)
{
	const struct block_device *bd = &b->disk->bd;

	return (size_t)snprintk(
		buf, size,
		"  %s: %lu sectors of %u%s, ring %u, indirect %s, event index %s, flush %s, "
		"discard %s%s%s\n",
		b->name, bd->size / bd->sector, bd->sector, bd->read_only ? " read-only" : "",
		b->ring.size, b->v.features & VIRTIO_F_INDIRECT ? "yes" : "no",
		b->v.features & VIRTIO_F_EVENT_INDEX ? "yes" : "no", bd->can_flush ? "yes" : "no",
		bd->can_discard ? "yes" : "no",
		b->state == VBLK_ONLINE ? "" : ", broken: ", b->state == VBLK_ONLINE ? "" : b->why);
}

static size_t vblk_describe(struct pci_device *pci, char *buf, size_t size)
{
	struct vblk *b = pci->private;
	const struct vblk_counts *c = &b->counts;
	size_t n;

	spin_lock(&b->lock); /* the disk stays meanwhile */
	if (b->disk)
		n = disk_describe(b, buf, size);
	else
		n = (size_t)snprintk(buf, size, "  %s: unplugged\n", b->name);
	spin_unlock(&b->lock);
	return n + (size_t)snprintk(buf + n, size - n,
				    "    requests %lu bytes %lu doorbells %lu interrupts %lu "
				    "answers %lu waits %lu\n",
				    c->requests, c->bytes, c->notifies, c->interrupts, c->answers,
				    c->waits);
}

/* Give back what a device has that never came up; it was reset. */
static void discard(struct vblk *b)
{
	for (unsigned i = 0; i < VBLK_COMMANDS; i++)
		if (b->command[i].page)
			page_free_pfn(va_pfn(b->command[i].page));
	if (b->ring.mem.desc)
		page_put(pfn_page(va_pfn(b->ring.mem.desc)));
}

static void vblk_make(struct pci_device *pci)
{
	struct vblk *b = kmalloc(sizeof(*b), ALLOC_ZERO);
	struct disk *disk = b ? disk_make(&family, &vblk_driver) : NULL;
	const char *why;

	if (!disk) {
		kfree(b);
		printk("virtio: no memory for a disk\n");
		return;
	}
	b->disk = disk;
	disk->owner = b;
	strlcpy(b->name, disk->bd.name, sizeof(b->name));
	spin_init(&b->lock, "virtio");
	list_init(&b->waiting);
	waitq_init(&b->waitq);
	ktimer_init(&b->watch);
	pci_enable(pci, true);
	why = virtio_find(&b->v, pci);
	if (!why)
		why = begin(b, &disk->bd);
	if (!why && !kthread_create("virtio", vblk_thread, b))
		why = "no memory";
	if (why) {
		printk("%s: the virtio disk cannot be used: %s\n", b->name, why);
		b->state = VBLK_DEAD;
		if (!b->v.common || !virtio_reset(&b->v))
			discard(b); /* not @b: an interrupt is for ever */
		else
			pci_enable(pci, false);
		disk_remove(disk);
		return;
	}
	pci->driver = "virtio-blk";
	pci->private = b;
	pci->describe = vblk_describe;
	printk("%s: virtio disk, %lu MiB%s\n", b->name, disk->bd.size >> 20,
	       disk->bd.read_only ? ", read-only" : "");
	if (disk_publish(disk)) {
		spin_lock(&b->lock);
		vblk_broken(b, "no memory to register it");
		spin_unlock(&b->lock);
	}
}

void virtio_blk_start(void)
{
	for (struct pci_device *pci = pci_next(NULL); pci; pci = pci_next(pci))
		if (pci->vendor == VENDOR && (pci->id == DEVICE || pci->id == DEVICE_OLD))
			vblk_make(pci);
}
