/* SPDX-License-Identifier: MIT */
/*
 * A virtio disk: what virtio_blk.c (device, errors) and virtio_queue.c (requests) share.
 * Specification: Virtual I/O Device 1.1, 5.2.
 */
#ifndef NATIVE_VIRTIO_BLK_H
#define NATIVE_VIRTIO_BLK_H

#include <proc.h>
#include "disk.h"
#include "virtio.h"

/* Features: */
#define VIRTIO_BLK_SIZE_MAX (1ull << 1)
#define VIRTIO_BLK_SEG_MAX (1ull << 2)
#define VIRTIO_BLK_READ_ONLY (1ull << 5)
#define VIRTIO_BLK_SECTOR (1ull << 6)
#define VIRTIO_BLK_FLUSH (1ull << 9)
#define VIRTIO_BLK_DISCARD (1ull << 13)

/* Operations: */
#define VIRTIO_BLK_IN 0u
#define VIRTIO_BLK_OUT 1u
#define VIRTIO_BLK_OP_FLUSH 4u
#define VIRTIO_BLK_OP_DISCARD 11u

#define VBLK_COMMANDS 64u /* in flight, at most */
#define VBLK_PIECES 248u

/* All that is said of a request, in one page: so each has its own. */
struct vblk_page {
	struct vring_desc desc[VBLK_PIECES + 2]; /* used if the ring knows indirect descriptors */
	struct {
		uint32_t op, reserved;
		uint64_t sector; /* of 512 bytes, always */
	} header;
	struct {
		uint64_t sector;
		uint32_t sectors, flags;
	} discard;
	volatile uint8_t status; /* VBLK_* */
	uint8_t reserved[63];
};
#define VBLK_OK 0u
#define VBLK_ERROR 1u
#define VBLK_UNSUPPORTED 2u
#define VBLK_NOT_WRITTEN 0xffu /* ours */

struct vblk_command {
	struct vblk_page *page;
	struct block_request *rq; /* NULL: free */
	ktime_t since;
};

enum vblk_state {
	VBLK_ONLINE,
	VBLK_BROKEN, /* it wrote nonsense or is silent; requests wait for the thread to end them */
	VBLK_DEAD,   /* all requests end with vblk->error */
};

struct vblk_counts {
	uint64_t requests, bytes;
	uint64_t notifies, interrupts, answers;
	uint64_t waits; /* a request found no room */
};

struct vblk {
	struct virtio v;
	struct disk *disk; /* NULL: it was unplugged */
	char name[16];
	spinlock_t lock; /* order 5; of what follows */
	enum vblk_state state;
	int error;
	const char *why;
	struct list waiting;
	struct vblk_command command[VBLK_COMMANDS];
	uint64_t free;        /* a bit for each command that is */
	unsigned discard_max; /* sectors of 512, in one request */
	bool changed;         /* the configuration has */
	struct waitq waitq;
	struct ktimer watch;
	bool watching;
	struct virtio_ring ring;
	struct vblk_counts counts;
};

/* ---- virtio_queue.c ---- */
extern const struct block_driver vblk_driver;
void vblk_interrupt(void *vblk);
/* The device is stopped: all requests end with @err, later ones too. */
void vblk_end(struct vblk *b, int err);
/* Lock held: no more requests go to the device, its thread is woken. */
void vblk_broken(struct vblk *b, const char *why);

#endif
