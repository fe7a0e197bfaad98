/* SPDX-License-Identifier: MIT */
/*
 * The block frontend's inside: what negotiate.c makes and queue.c works with.
 *
 *   block_submit() -> a queue's `waiting` -> parts in its ring -> the backend
 *   rq->done()     <- all parts answered  <- responses, an event
 *
 * A disk has one or more queues (a ring and an event channel each); a request goes to that of the
 * CPU that submits it. What is too long for one request of the ring is cut into parts. Each part
 * has the ring's slot number, and a struct blk_part at that place of the queue's array.
 *
 * How the data gets across is chosen when the disk connects:
 *
 *   grant  every page of a request is granted for its time; the backend maps it, does I/O to it and
 *          unmaps it. Nothing is copied. Memory that shares its page with something else (small
 *          allocations) is copied all the same: a grant opens the page, not the bytes asked for.
 *   copy   ("persistent grants") pages granted once for all stay mapped in the backend; data is
 *          copied to or from them. Bounded by `blk.pool`.
 *
 * Lock: queue->lock covers all of the queue; of order 5 (lock.h), below it only the allocators and
 * grants. rq->done() is called without it.
 */
#ifndef PVFRONT_BLK_H
#define PVFRONT_BLK_H

#include <block.h>
#include <hv.h>
#include <proc.h>
#include "../xenbus/xenbus.h"
#include "ring.h"

#define BLK_QUEUES_MAX 8u
#define BLK_SEGS_MAX 256u /* of an indirect request: a MiB */
#define BLK_TABLES_MAX 64u
#define BLK_BUFS_MIN 16u /* made in advance, so that one request always gets on */

/* A page granted for as long as the connection lasts. */
struct blk_buf {
	struct blk_buf *next;
	struct page *pg;
	grant_t ref;
};

/* A segment: @len bytes copied by way of @buf, or, @buf NULL, a page of the request's own. */
struct blk_seg {
	struct blk_buf *buf;
	grant_t ref;
	uint16_t len;
};

/* What an indirect request needs: the page with its segments as the backend sees them, and ours. */
struct blk_table {
	struct blk_table *next;
	struct blk_buf *page;
	struct blk_seg *seg; /* a page of them */
};
_Static_assert(BLK_SEGS_MAX * sizeof(struct blk_seg) <= PAGE_SIZE, "one page of ours");

/* A place in a request's memory. */
struct blk_cursor {
	uint32_t vec, off;
};

/* A request in the ring. */
struct blk_part {
	struct block_request *rq; /* NULL: the slot is free */
	struct blk_table *table;  /* NULL: segments are in @seg */
	struct blk_cursor from;
	uint16_t nr_segs;
	uint8_t op; /* BLKIF_OP_*, of what is done */
	struct blk_seg seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
};

/* Where a block_request is: kept in its driver[]. */
struct blk_progress {
	uint32_t pushed; /* bytes that parts were made for */
	struct blk_cursor at;
	uint16_t parts; /* in the ring */
	bool flushing;  /* FUA: written, now the flush */
	bool sent;      /* all parts were made */
};
_Static_assert(sizeof(struct blk_progress) <= sizeof(((struct block_request *)0)->driver),
	       "fits the driver's part of a request");

enum blk_state {
	BLK_UNUSED, /* this connection has fewer queues */
	BLK_AWAY,   /* no backend: requests wait for the next */
	BLK_ONLINE,
	BLK_BROKEN, /* the backend wrote nonsense: all ends with -EIO, its thread clears up */
	BLK_DEAD,   /* for ever, or until a backend comes: all ends with disk->error */
};

struct blk_counts {
	uint64_t requests, bytes;           /* of the ring; the data they moved */
	uint64_t notifies, events, answers; /* sent; come; responses taken */
	uint64_t idle_events;               /* that came for nothing */
	uint64_t grants, copied;            /* pages granted for a request; bytes copied */
	uint64_t waits;                     /* a request found no room: ring, buffers or grants */
};

struct blk_queue {
	struct blk_disk *disk;
	unsigned nr;
	spinlock_t lock;
	enum blk_state state;
	bool draining;     /* the event handler is at work, it pushes at the end */
	unsigned idle_row; /* events for nothing in a row */
	struct list waiting, active;
	struct blk_ring ring;
	struct blk_slot *slots;
	struct blk_part *parts;
	struct page *pages; /* of the ring */
	unsigned nr_pages;
	grant_t ref[BLK_RING_PAGES_MAX];
	unsigned port;
	struct blk_buf *bufs; /* free ones, last in first out: the backend has those mapped */
	unsigned nr_bufs, max_bufs;
	struct blk_table *tables;
	unsigned nr_tables;
	struct blk_counts counts;
};

struct blk_disk {
	struct block_device bd;
	struct xenbus_device *dev; /* NULL: removed */
	struct blk_queue queue[BLK_QUEUES_MAX];
	unsigned nr_queues;
	/* Of this connection: */
	unsigned handle, max_segs;
	bool copy;          /* see above */
	bool batch;         /* event suppression */
	uint8_t flush_op;   /* BLKIF_OP_FLUSH_DISKCACHE, _WRITE_BARRIER, or 0: none */
	int error;          /* of BLK_DEAD */
	unsigned connects;  /* how often */
	bool publishing;    /* block_register() is at work */
	bool published;     /* it was successful */
	struct waitq waitq; /* publishing ends */
	spinlock_t lock;    /* of publishing, published */
	/* A backend that closes while requests are in flight, and has stopped to answer: */
	struct ktimer stuck_timer;
	uint64_t stuck_answers;
	ktime_t stuck_since; /* 0: not looked at */
};

/* ---- queue.c: requests ---- */
extern const struct block_driver blk_driver;
/* Once for each, when the disk is made. */
void blk_queue_init(struct blk_queue *q, struct blk_disk *disk, unsigned nr);
/* From here on requests go into the ring. */
void blk_queue_start(struct blk_queue *q);
/* No request goes into the ring, no event comes any more, the port is closed. @state: AWAY or DEAD
 * or UNUSED. */
void blk_queue_stop(struct blk_queue *q, enum blk_state state);
/*
 * What was in flight when the queue stopped waits again, or, @err not 0, ends with it, and all that
 * waits too. When the backend has let go of the memory: at its next connection; or, with @err, at
 * once (pages still mapped are kept aside).
 */
void blk_queue_reclaim(struct blk_queue *q, int err);
/* All requests that wait on @from go to the end of @to's. */
void blk_queue_move(struct blk_queue *from, struct blk_queue *to);
/* The event channel's handler. */
void blk_queue_event(void *queue);

/* ---- memory.c: the queue's memory ---- */
/* Ring of @pages pages with its grants and arrays: 0, -ENOMEM, -ENOSPC. */
int blk_memory_make(struct blk_queue *q, unsigned pages);
void blk_memory_free(struct blk_queue *q);
/* Lock held. NULL: there is none just now. */
struct blk_buf *blk_buf_get(struct blk_queue *q);
void blk_buf_put(struct blk_queue *q, struct blk_buf *buf);
struct blk_table *blk_table_get(struct blk_queue *q);
void blk_table_put(struct blk_queue *q, struct blk_table *table);

/* ---- part.c: a request's data in the ring's terms ---- */
/*
 * Put the next part of @rq into the ring. False: no room, buffers or grants; nothing has changed.
 * Lock held, and so for the next.
 */
bool blk_part_make(struct blk_queue *q, struct block_request *rq);
/* Give a part's memory back, after copying what was read if @good. -EBUSY: the backend still maps a
 * page of the request; it is kept aside. */
int blk_part_end(struct blk_queue *q, struct blk_part *part, bool good);

/* ---- args.c ---- */
/* The kernel's arguments `blk.NAME`, which switch off what a backend offers (docs/boot.md). */
struct blk_args {
	unsigned pages;      /* of a ring, at most */
	unsigned queues;     /* at most; 0: as many as CPUs */
	unsigned indirect;   /* segments in an indirect request, at most; 0: none */
	unsigned pool;       /* pages to copy by, of a disk, at most */
	bool persistent;     /* copy, if the backend keeps pages mapped */
	bool flush, barrier; /* flush caches; by the one or by the other operation */
	bool discard;
	bool batch; /* an event for half of what is in flight, not for each response */
};
void blk_args(struct blk_args *args);
/* "xvdb2" and device number of the virtual device number @vdev. -EINVAL: it has no name. */
int blk_name(uint64_t vdev, char name[16], dev_t *dev);

/* ---- describe.c ---- */
size_t blk_describe(struct xenbus_device *dev, char *buf, size_t size);

/* ---- negotiate.c ---- */
int blk_start(void); /* registers with xenbus */

#endif
