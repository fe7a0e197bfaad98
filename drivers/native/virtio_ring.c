/* SPDX-License-Identifier: MIT */
/*
 * The virtqueue's indexes and descriptors. What is believed and what not: virtio_ring.h.
 *
 * Ordering is that of drivers/pvfront/blk/ring.c: an entry is written before the index that covers
 * it and read after it, and between "write my index" and "read your event index" stands a full
 * barrier, on both sides.
 */
#include "virtio_ring.h"

#define FLAGS 0
#define INDEX 1
#define ENTRIES 2
#define NO_NOTIFY 1u     /* in used's flags, without event indexes */
#define USED_OFFSET 1024 /* behind avail, in the second page */

_Static_assert(sizeof(struct vring_desc) == 16 && VIRTIO_RING_MAX * 16 == PAGE_SIZE, "a page");
_Static_assert(2 * (ENTRIES + VIRTIO_RING_MAX + 1) <= USED_OFFSET, "avail fits");
_Static_assert(USED_OFFSET + 2 * (ENTRIES + 1) + 8 * VIRTIO_RING_MAX <= PAGE_SIZE, "used fits");

void virtio_ring_init(struct virtio_ring *r, void *memory, unsigned size, bool event_index)
{
	*r = (struct virtio_ring){.size = size, .nr_free = size, .event_index = event_index};
	r->mem.desc = memory;
	r->mem.avail = (volatile uint16_t *)((char *)memory + PAGE_SIZE);
	r->mem.used = (volatile uint16_t *)((char *)memory + PAGE_SIZE + USED_OFFSET);
	for (unsigned i = 0; i < size; i++)
		r->slot[i].next = (uint16_t)(i + 1);
}

static volatile uint16_t *used_event(struct virtio_ring *r)
{
	return &r->mem.avail[ENTRIES + r->size];
}

static volatile uint16_t *avail_event(struct virtio_ring *r)
{
	return &r->mem.used[ENTRIES + r->size * (sizeof(struct vring_used) / 2)];
}

void virtio_ring_put(struct virtio_ring *r, const struct vring_desc *pieces, unsigned n,
		     uint32_t room, uint16_t cookie)
{
	uint16_t first = r->free, at = first;

	for (unsigned i = 0; i < n; i++) {
		struct vring_desc *desc = &r->mem.desc[at];

		*desc = pieces[i];
		if (i + 1 < n) {
			desc->flags |= VRING_NEXT;
			desc->next = r->slot[at].next;
		}
		at = r->slot[at].next;
	}
	r->free = at;
	r->nr_free -= n;
	r->slot[first].nr = (uint16_t)n;
	r->slot[first].cookie = cookie;
	r->slot[first].room = room;
	r->mem.avail[ENTRIES + (r->prod & (r->size - 1))] = first;
	r->prod++;
}

bool virtio_ring_push(struct virtio_ring *r)
{
	uint16_t before = r->told;

	if (before == r->prod)
		return false;
	r->told = r->prod;
	__atomic_store_n(&r->mem.avail[INDEX], r->prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* Any value does no harm here: it decides about a notification only. */
	if (!r->event_index)
		return !(r->mem.used[FLAGS] & NO_NOTIFY);
	return (uint16_t)(r->prod - *avail_event(r) - 1) < (uint16_t)(r->prod - before);
}

static int nonsense(struct virtio_ring *r, const char *why)
{
	r->broken = why;
	return -EIO;
}

/* The request's descriptors are free again. They are followed by our own notes: what stands in the
 * ring is for the device, and is not read back. */
static void give_back(struct virtio_ring *r, unsigned first)
{
	unsigned n = r->slot[first].nr;
	uint16_t last = (uint16_t)first;

	for (unsigned i = 1; i < n; i++)
		last = r->slot[last].next;
	r->slot[last].next = r->free;
	r->free = (uint16_t)first;
	r->nr_free += n;
	r->slot[first].nr = 0;
}

int virtio_ring_take(struct virtio_ring *r, struct virtio_answer *answer)
{
	const volatile uint32_t *entry;
	uint32_t id, len;
	uint16_t ready;

	if (r->broken)
		return -EIO;
	ready = (uint16_t)(__atomic_load_n(&r->mem.used[INDEX], __ATOMIC_ACQUIRE) - r->cons);
	if (ready == 0)
		return 0;
	if (ready > (uint16_t)(r->told - r->cons))
		return nonsense(r, "more answers than requests in flight");
	entry = (const volatile uint32_t *)&r->mem.used[ENTRIES] + 2 * (r->cons & (r->size - 1));
	id = entry[0];
	len = entry[1];
	if (id >= r->size)
		return nonsense(r, "an answer's descriptor is out of range");
	if (!r->slot[id].nr)
		return nonsense(r, "an answer to a request that is not in flight");
	if (len > r->slot[id].room)
		return nonsense(r, "an answer longer than its memory");
	r->cons++;
	give_back(r, id);
	*answer = (struct virtio_answer){.cookie = r->slot[id].cookie, .len = len};
	return 1;
}

bool virtio_ring_sleep(struct virtio_ring *r)
{
	uint16_t in_flight = (uint16_t)(r->told - r->cons);
	uint16_t wanted = in_flight > 1 ? (uint16_t)((in_flight + 1) / 2) : 1;

	if (r->broken)
		return false;
	*used_event(r) = (uint16_t)(r->cons + wanted - 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return r->mem.used[INDEX] != r->cons;
}
