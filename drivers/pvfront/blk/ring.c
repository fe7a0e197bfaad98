/* SPDX-License-Identifier: MIT */
/*
 * The block ring's indexes and ids. What is believed and what not: ring.h.
 *
 * Ordering: an entry is written before the index that covers it (release), and read after it
 * (acquire). The _event protocol needs more: "write my index, then read your event" on one side and
 * "write my event, then read your index" on the other must not both read the old value, or both
 * sleep. That takes a full barrier between the two steps, on both sides.
 */
#include <string.h>
#include "ring.h"

#define SLOT_BITS 16

/* The wire's layout, as all backends have it. */
_Static_assert(sizeof(union blkif_sring_entry) == 112, "a request is 112 bytes");
_Static_assert(offsetof(struct blkif_sring, ring) == 64, "indexes take 64 bytes");
_Static_assert(sizeof(struct blkif_response) == 16, "a response is 16 bytes");
_Static_assert(offsetof(struct blkif_request, id) == 8, "id of a request");
_Static_assert(offsetof(struct blkif_request_indirect, id) == 8, "id of an indirect request");
_Static_assert(offsetof(struct blkif_request_discard, id) == 8, "id of a discard");
_Static_assert(sizeof(struct blkif_request_segment) == 8, "512 segments in a page");

#define ID_OFFSET 8

uint32_t blk_ring_entries(unsigned pages)
{
	uint32_t n = 1, fit = (pages * PAGE_SIZE - offsetof(struct blkif_sring, ring)) /
			      sizeof(union blkif_sring_entry);

	while (n * 2 <= fit)
		n *= 2;
	return n;
}

void blk_ring_init(struct blk_ring *r, void *shared, unsigned pages, struct blk_slot *slots)
{
	*r = (struct blk_ring){.shared = shared, .slots = slots, .size = blk_ring_entries(pages)};
	for (uint32_t i = 0; i < r->size; i++)
		slots[i] = (struct blk_slot){.next = i + 1};
	r->shared->req_event = 1;
	r->shared->rsp_event = 1;
}

static union blkif_sring_entry *entry(struct blk_ring *r, uint32_t index)
{
	return &r->shared->ring[index & (r->size - 1)];
}

void blk_ring_put(struct blk_ring *r, const void *request, size_t size, uint8_t op)
{
	unsigned n = r->free;
	struct blk_slot *slot = &r->slots[n];
	uint64_t id = (uint64_t)++slot->uses << SLOT_BITS | n;
	char *to = (char *)entry(r, r->req_prod);

	memcpy(to, request, size);
	memcpy(to + ID_OFFSET, &id, sizeof(id));
	r->free = slot->next;
	slot->op = op;
	slot->wire = *(const uint8_t *)request;
	slot->in_flight = true;
	r->req_prod++;
}

bool blk_ring_push(struct blk_ring *r)
{
	uint32_t before = r->req_told, event;

	if (before == r->req_prod)
		return false;
	r->req_told = r->req_prod;
	__atomic_store_n(&r->shared->req_prod, r->req_prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* Any value does no harm here: it decides about an event only. */
	event = READ_ONCE(r->shared->req_event);
	return r->req_prod - event < r->req_prod - before;
}

static int nonsense(struct blk_ring *r, const char *why)
{
	r->broken = why;
	return -EIO;
}

/* Is @rsp the answer to a request in flight? Its slot; -EIO: no. */
static int judge(struct blk_ring *r, const struct blkif_response *rsp)
{
	unsigned n = rsp->id & ((1u << SLOT_BITS) - 1);

	if (n >= r->size)
		return nonsense(r, "a response's id is out of range");
	if (!r->slots[n].in_flight || rsp->id >> SLOT_BITS != r->slots[n].uses)
		return nonsense(r, "a response to a request that is not in flight");
	if (rsp->operation != r->slots[n].op && rsp->operation != r->slots[n].wire)
		return nonsense(r, "a response with another operation than its request");
	if (rsp->status > BLKIF_RSP_OKAY || rsp->status < BLKIF_RSP_EOPNOTSUPP)
		return nonsense(r, "a response with a status that does not exist");
	return (int)n;
}

int blk_ring_take(struct blk_ring *r, struct blk_answer *answer)
{
	uint32_t ready;
	struct blkif_response rsp;
	int n;

	if (r->broken)
		return -EIO;
	ready = __atomic_load_n(&r->shared->rsp_prod, __ATOMIC_ACQUIRE) - r->rsp_cons;
	if (ready == 0)
		return 0;
	if (ready > r->req_told - r->rsp_cons)
		return nonsense(r, "more responses than requests in flight");
	/* Copied once: what is judged is what is used. */
	rsp = *(volatile struct blkif_response *)&entry(r, r->rsp_cons)->rsp;
	n = judge(r, &rsp);
	if (n < 0)
		return n;
	r->rsp_cons++;
	r->slots[n].in_flight = false;
	r->slots[n].next = r->free;
	r->free = n;
	*answer = (struct blk_answer){.slot = n, .status = rsp.status};
	return 1;
}

bool blk_ring_sleep(struct blk_ring *r, bool batch)
{
	uint32_t in_flight = r->req_told - r->rsp_cons;
	uint32_t wanted = batch && in_flight > 1 ? (in_flight + 1) / 2 : 1;

	if (r->broken)
		return false;
	WRITE_ONCE(r->shared->rsp_event, r->rsp_cons + wanted);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return READ_ONCE(r->shared->rsp_prod) != r->rsp_cons;
}
