/* SPDX-License-Identifier: MIT */
/*
 * The block ring of <xen/io/blkif.h>: what may be believed of it.
 *
 * Natively a disk controller has a queue in memory too (AHCI's command list), and the driver
 * believes what the controller writes there: it is the machine. Here the other end is a program in
 * another domain, and it can write anything anywhere in the ring's pages at any time.
 *
 * The ring has 2^k entries. Requests and responses use the same entries: a response overwrites a
 * request that the backend has taken. Four indexes, counting for ever (mod 2^32), lie in the first
 * 64 bytes: req_prod and rsp_event are written by us, rsp_prod and req_event by the backend. The
 * two _event indexes say "interrupt me when you produce this one", so that neither side interrupts
 * the other while that is at work anyway.
 *
 * Every request has a slot of ours, a small number; what its `id` on the wire holds is slot and a
 * count of the slot's uses. A response is believed if its id is that of a request in flight, with
 * the operation that was asked for and a status that exists, and if rsp_prod claims no more
 * responses than there are requests in flight. Anything else, and the ring is broken for good:
 * `broken` says why, and nothing is taken from it any more.
 *
 * No locks, no memory, no waiting in here: queue.c does that; tests/unit/test_blk_ring.c runs it
 * against a backend that writes nonsense.
 */
#ifndef PVFRONT_BLK_RING_H
#define PVFRONT_BLK_RING_H

#include <types.h>
#include <xen/io/blkif.h>

#define BLK_RING_PAGES_MAX 16u

struct blk_slot {
	uint32_t uses; /* goes into the id: an answer to an earlier use is no answer */
	uint16_t next; /* free list */
	uint8_t op;    /* BLKIF_OP_*: what the response must say ... */
	uint8_t wire;  /* ... or this: BLKIF_OP_INDIRECT, some backends */
	bool in_flight;
};

struct blk_ring {
	struct blkif_sring *shared;
	struct blk_slot *slots;
	uint32_t size;                         /* entries, and slots */
	uint32_t req_prod, req_told, rsp_cons; /* ours; the ring has copies of two */
	uint16_t free;
	const char *broken; /* why */
};

struct blk_answer {
	unsigned slot;
	int16_t status; /* BLKIF_RSP_* */
};

/* Entries of a ring of @pages pages (a power of two). */
uint32_t blk_ring_entries(unsigned pages);
/* A new ring on zeroed, contiguous memory; @slots: one for each entry. */
void blk_ring_init(struct blk_ring *r, void *shared, unsigned pages, struct blk_slot *slots);
/* Requests that still fit. */
static inline uint32_t blk_ring_room(const struct blk_ring *r)
{
	return r->size - (r->req_prod - r->rsp_cons);
}
static inline uint32_t blk_ring_in_flight(const struct blk_ring *r)
{
	return r->req_prod - r->rsp_cons;
}
/* The slot that the next request will have; there is room. */
static inline unsigned blk_ring_next(const struct blk_ring *r)
{
	return r->free;
}
/*
 * Write a request (struct blkif_request, or one of its forms as long or shorter, with the
 * operation and all but the id filled in); the backend does not see it yet. @op: what is done, for
 * an indirect request too.
 */
void blk_ring_put(struct blk_ring *r, const void *request, size_t size, uint8_t op);
/* Let the backend see what was put. True: it sleeps and needs an event. */
bool blk_ring_push(struct blk_ring *r);
/* The next response: 1 and *@answer, its slot is free again; 0: none; -EIO: broken. */
int blk_ring_take(struct blk_ring *r, struct blk_answer *answer);
/*
 * No response was left: say when an event is wanted, with the next one or, @batch, when half of
 * what is in flight has been answered. True: some came meanwhile, take them first.
 */
bool blk_ring_sleep(struct blk_ring *r, bool batch);

#endif
