/* SPDX-License-Identifier: MIT */
/*
 * A virtqueue: how a driver and a virtual device share memory ("split" form). Specification:
 * Virtual I/O Device 1.1, 2.6.
 *
 *   desc    memory pieces: address, length, and the next one of the same request
 *   avail   ours: first descriptors of requests, in the order of asking; index
 *   used    the device's: which of them are done, in any order; index
 *
 * Both indexes run freely and are taken modulo the size. Beside each stands the other side's wish
 * "tell me when you get there" (if both know event indexes), so that neither notifies one that is
 * at work anyway: as in Xen's rings, see drivers/pvfront/blk/ring.h.
 *
 * An answer names a descriptor. It is believed if that one is in range and the first of a request
 * in flight, if no more bytes are said to be written than there was room for, and if the index
 * claims no more answers than there are requests in flight. Anything else, and the ring is broken
 * for good. (There is no count of a descriptor's uses on the wire, as there is room for in a Xen
 * ring's id: an answer that comes twice is caught unless the descriptor has been used again.)
 *
 * No locks, no waiting in here; tests/unit/test_virtio_ring.c runs it against a device that writes
 * nonsense.
 */
#ifndef NATIVE_VIRTIO_RING_H
#define NATIVE_VIRTIO_RING_H

#include <types.h>

#define VIRTIO_RING_MAX 256u

struct vring_desc {
	uint64_t addr; /* physical */
	uint32_t len;
	uint16_t flags, next;
};
#define VRING_NEXT 1u
#define VRING_WRITE 2u    /* the device writes there */
#define VRING_INDIRECT 4u /* a table of descriptors is there */

struct vring_used {
	uint32_t id, len;
};

/* The ring in memory. `avail` and `used` have an event index behind their last entry. */
struct vring {
	struct vring_desc *desc;
	volatile uint16_t *avail; /* flags, index, entries, used_event */
	volatile uint16_t *used;  /* flags, index, entries of 8 bytes, avail_event */
};
#define VRING_PAGES 2u /* for any size up to VIRTIO_RING_MAX */

struct virtio_slot {
	uint16_t next;   /* of the same request, or free */
	uint16_t nr;     /* descriptors of the request whose first this is; 0: none is in flight */
	uint16_t cookie; /* the caller's */
	uint32_t room;   /* bytes that the device may write */
};

struct virtio_ring {
	struct vring mem;
	unsigned size; /* a power of two */
	bool event_index;
	uint16_t free;
	unsigned nr_free;          /* descriptors */
	uint16_t prod, told, cons; /* avail's index, as last shown; used's */
	const char *broken;        /* why */
	struct virtio_slot slot[VIRTIO_RING_MAX];
};

struct virtio_answer {
	unsigned cookie;
	uint32_t len; /* bytes that the device says it wrote */
};

/* @memory: VRING_PAGES zeroed pages, contiguous. @size: a power of two up to VIRTIO_RING_MAX. */
void virtio_ring_init(struct virtio_ring *r, void *memory, unsigned size, bool event_index);
static inline unsigned virtio_ring_in_flight(const struct virtio_ring *r)
{
	return (uint16_t)(r->prod - r->cons);
}
/* A request of @n pieces (nr_free at least): address, length and VRING_WRITE or VRING_INDIRECT are
 * filled in. @room: what the device may write, also where @pieces do not say it. The device does
 * not see it yet. */
void virtio_ring_put(struct virtio_ring *r, const struct vring_desc *pieces, unsigned n,
		     uint32_t room, uint16_t cookie);
/* Let the device see what was put. True: it wants to be notified. */
bool virtio_ring_push(struct virtio_ring *r);
/* The next answer: 1 and *@answer, its descriptors are free again; 0: none; -EIO: broken. */
int virtio_ring_take(struct virtio_ring *r, struct virtio_answer *answer);
/* No answer was left: an interrupt is wanted when half of what is in flight has been answered.
 * True: some came meanwhile, take them first. */
bool virtio_ring_sleep(struct virtio_ring *r);

#endif
