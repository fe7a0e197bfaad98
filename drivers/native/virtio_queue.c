/* SPDX-License-Identifier: MIT */
/*
 * A virtio disk's requests: submit, doorbell, interrupt, done. The twin of both ahci_queue.c, by
 * the machine it runs on, and drivers/pvfront/blk/queue.c, by what it is: a ring in memory shared
 * with a program.
 *
 * A request is a header, the caller's memory, and a byte for the answer: three or more descriptors
 * of the ring, or, where the device knows that, one that points to a table of them, so that the
 * ring holds as many requests as it has entries.
 *
 * What the device may touch is all of memory: addresses are physical, nothing is granted. It is
 * believed less than a disk of hardware all the same (virtio_ring.h).
 */
#include <mm.h>
#include <printk.h>
#include "virtio_blk.h"

_Static_assert(sizeof(struct vblk_page) == PAGE_SIZE, "a page for a request");
_Static_assert(VBLK_COMMANDS <= 64, "a bit for each command");

#define WATCH_SPAN NSEC_PER_SEC
#define SILENCE_MAX (60 * NSEC_PER_SEC)

/* Where a request is: kept in its driver[]. */
struct vblk_progress {
	uint64_t done; /* bytes of a discard */
	bool flushing; /* FUA: written, now the flush */
};
_Static_assert(sizeof(struct vblk_progress) <= sizeof(((struct block_request *)0)->driver),
	       "fits the driver's part of a request");

static struct vblk_progress *progress(struct block_request *rq)
{
	return (struct vblk_progress *)rq->driver;
}

static uint64_t phys(const volatile void *va)
{
	return va_pfn((const void *)va).v * PAGE_SIZE + (unsigned long)va % PAGE_SIZE;
}

/* ---- to the device; lock held ---- */

static struct vring_desc piece(const volatile void *va, uint32_t len, bool write)
{
	return (struct vring_desc){.addr = phys(va), .len = len, .flags = write ? VRING_WRITE : 0};
}

/* What this command of a discard covers. */
static uint64_t discard_size(const struct vblk *b, struct block_request *rq)
{
	return min(rq->size - progress(rq)->done, (uint64_t)b->discard_max * SECTOR_SIZE);
}

static uint32_t operation(struct block_request *rq)
{
	if (rq->op == BLOCK_FLUSH || progress(rq)->flushing)
		return VIRTIO_BLK_OP_FLUSH;
	if (rq->op == BLOCK_DISCARD)
		return VIRTIO_BLK_OP_DISCARD;
	return rq->op == BLOCK_WRITE ? VIRTIO_BLK_OUT : VIRTIO_BLK_IN;
}

/* Fill in @page for @rq: returns the number of its descriptors, *@room what the device may write.
 */
static unsigned describe(struct vblk *b, struct block_request *rq, struct vblk_page *page,
			 uint32_t *room)
{
	unsigned n = 0;

	page->header.op = operation(rq);
	page->header.reserved = 0;
	page->header.sector = 0;
	page->status = VBLK_NOT_WRITTEN;
	*room = 1;
	page->desc[n++] = piece(&page->header, sizeof(page->header), false);
	if (page->header.op == VIRTIO_BLK_OP_DISCARD) {
		page->discard.sector = (rq->offset + progress(rq)->done) / SECTOR_SIZE;
		page->discard.sectors = (uint32_t)(discard_size(b, rq) / SECTOR_SIZE);
		page->discard.flags = 0;
		page->desc[n++] = piece(&page->discard, sizeof(page->discard), false);
	} else if (page->header.op != VIRTIO_BLK_OP_FLUSH) {
		page->header.sector = rq->offset / SECTOR_SIZE;
		for (unsigned i = 0; i < rq->nr_vecs; i++)
			page->desc[n++] = piece(rq->vecs[i].va, rq->vecs[i].len,
						rq->op == BLOCK_READ);
		*room += rq->op == BLOCK_READ ? (uint32_t)rq->size : 0;
		b->counts.bytes += rq->size;
	}
	page->desc[n++] = piece(&page->status, 1, true);
	return n;
}

/* False: no room. */
static bool put(struct vblk *b, struct block_request *rq)
{
	bool indirect = b->v.features & VIRTIO_F_INDIRECT;
	unsigned needed = indirect ? 1 : rq->nr_vecs + 3, nr, n;
	struct vblk_command *c;
	uint32_t room;

	if (!b->free || b->ring.nr_free < needed)
		return false;
	nr = (unsigned)__builtin_ctzll(b->free);
	c = &b->command[nr];
	n = describe(b, rq, c->page, &room);
	if (indirect) {
		struct vring_desc table = piece(c->page->desc, n * sizeof(struct vring_desc),
						false);

		for (unsigned i = 0; i + 1 < n; i++) {
			c->page->desc[i].flags |= VRING_NEXT;
			c->page->desc[i].next = (uint16_t)(i + 1);
		}
		table.flags = VRING_INDIRECT;
		virtio_ring_put(&b->ring, &table, 1, room, (uint16_t)nr);
	} else {
		virtio_ring_put(&b->ring, c->page->desc, n, room, (uint16_t)nr);
	}
	b->free &= ~(1ull << nr);
	c->rq = rq;
	return true;
}

static void watch(struct ktimer *t);

static void watch_start(struct vblk *b, ktime_t now)
{
	if (!b->watching)
		ktimer_set(&b->watch, now + WATCH_SPAN, watch, b);
	b->watching = true;
}

static void push(struct vblk *b)
{
	ktime_t now;

	if (b->state != VBLK_ONLINE || list_empty(&b->waiting))
		return;
	now = clock_now();
	while (!list_empty(&b->waiting)) {
		struct block_request *rq = list_first(&b->waiting, struct block_request, link);
		unsigned nr = b->free ? (unsigned)__builtin_ctzll(b->free) : 0;

		if (!put(b, rq)) {
			b->counts.waits++;
			break;
		}
		list_del(&rq->link);
		b->command[nr].since = now;
		b->counts.requests++;
	}
	watch_start(b, now);
	if (virtio_ring_push(&b->ring)) {
		b->counts.notifies++;
		virtio_notify(&b->v, 0);
	}
}

static void vblk_submit(struct block_device *bd, struct block_request *rq)
{
	struct vblk *b = ((struct disk *)bd->private)->owner;

	*progress(rq) = (struct vblk_progress){0};
	rq->status = 0;
	spin_lock(&b->lock);
	if (b->state != VBLK_DEAD) {
		list_add_tail(&b->waiting, &rq->link);
		spin_unlock(&b->lock);
		return;
	}
	spin_unlock(&b->lock);
	rq->status = b->error;
	rq->done(rq);
}

static void vblk_kick(struct block_device *bd)
{
	struct vblk *b = ((struct disk *)bd->private)->owner;

	spin_lock(&b->lock);
	push(b);
	spin_unlock(&b->lock);
}

static void vblk_release(struct block_device *bd)
{
	kfree(bd->private);
}

const struct block_driver vblk_driver = {
	.submit = vblk_submit,
	.kick = vblk_kick,
	.release = vblk_release,
};

/* ---- from the device ---- */

/* The callers' done() may submit again, so no lock is held here. */
static void call_done(struct list *done)
{
	while (!list_empty(done)) {
		struct block_request *rq = list_first(done, struct block_request, link);

		list_del(&rq->link);
		rq->done(rq);
	}
}

static struct block_request *command_free(struct vblk *b, unsigned nr)
{
	struct block_request *rq = b->command[nr].rq;

	b->command[nr].rq = NULL;
	b->free |= 1ull << nr;
	return rq;
}

/* The device offered something and now cannot do it. */
static int unsupported(struct vblk *b, struct block_request *rq)
{
	if (rq->op != BLOCK_DISCARD)
		return -EIO;
	b->disk->bd.can_discard = false;
	return -EOPNOTSUPP;
}

static void command_done(struct vblk *b, unsigned nr, struct list *done)
{
	uint8_t status = b->command[nr].page->status;
	struct block_request *rq = command_free(b, nr);
	struct vblk_progress *at = progress(rq);

	b->counts.answers++;
	if (status == VBLK_UNSUPPORTED)
		rq->status = unsupported(b, rq);
	else if (status != VBLK_OK)
		rq->status = -EIO;
	if (!rq->status && rq->op == BLOCK_DISCARD) {
		at->done += discard_size(b, rq);
		if (at->done < rq->size) {
			list_add(&b->waiting, &rq->link);
			return;
		}
	}
	if (!rq->status && rq->op == BLOCK_WRITE && rq->fua && !at->flushing &&
	    b->disk->bd.can_flush) {
		at->flushing = true;
		list_add(&b->waiting, &rq->link);
		return;
	}
	list_add_tail(done, &rq->link);
}

void vblk_broken(struct vblk *b, const char *why)
{
	if (b->state != VBLK_ONLINE)
		return;
	b->state = VBLK_BROKEN;
	b->why = why;
	waitq_wake_all(&b->waitq);
}

static void take_answers(struct vblk *b, struct list *done)
{
	struct virtio_answer answer;
	int n;

	do {
		while ((n = virtio_ring_take(&b->ring, &answer)) > 0)
			command_done(b, answer.cookie, done);
	} while (n == 0 && virtio_ring_sleep(&b->ring));
	if (n < 0)
		vblk_broken(b, b->ring.broken);
}

void vblk_interrupt(void *vblk)
{
	struct vblk *b = vblk;
	struct list done;

	list_init(&done);
	spin_lock(&b->lock);
	b->counts.interrupts++;
	if (b->state == VBLK_ONLINE)
		take_answers(b, &done);
	push(b);
	spin_unlock(&b->lock);
	call_done(&done);
}

/* In the timer's interrupt, about once a second while the disk is at work. What is done and waits
 * for its interrupt, or has lost it, is not late. */
static void watch(struct ktimer *t)
{
	struct vblk *b = t->arg;
	ktime_t now = clock_now();
	bool late = false, busy = false;
	struct list done;

	list_init(&done);
	spin_lock(&b->lock);
	b->watching = false;
	if (b->state == VBLK_ONLINE && virtio_status(&b->v) == VIRTIO_STATUS_GONE)
		vblk_broken(b, "it is not there any more");
	if (b->state == VBLK_ONLINE)
		take_answers(b, &done);
	for (unsigned i = 0; i < VBLK_COMMANDS; i++) {
		busy |= b->command[i].rq != NULL;
		late |= b->command[i].rq && now - b->command[i].since >= SILENCE_MAX;
	}
	if (late)
		vblk_broken(b, "it does not answer");
	push(b);
	if (b->state == VBLK_ONLINE && busy)
		watch_start(b, now);
	spin_unlock(&b->lock);
	call_done(&done);
}

void vblk_end(struct vblk *b, int err)
{
	struct list done;

	list_init(&done);
	spin_lock(&b->lock);
	b->state = VBLK_DEAD;
	b->error = err;
	for (unsigned i = 0; i < VBLK_COMMANDS; i++)
		if (b->command[i].rq)
			list_add_tail(&done, &command_free(b, i)->link);
	while (!list_empty(&b->waiting)) {
		struct list *link = b->waiting.next;

		list_del(link);
		list_add_tail(&done, link);
	}
	spin_unlock(&b->lock);
	for (struct list *l = done.next; l != &done; l = l->next)
		list_entry(l, struct block_request, link)->status = err;
	call_done(&done);
}
