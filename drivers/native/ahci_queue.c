/* SPDX-License-Identifier: MIT */
/*
 * A SATA disk's requests: submit, doorbell, interrupt, done.
 *
 *   submit     appends to `waiting`. Nothing else: who has several submits them all.
 *   kick       writes commands into free slots of the command list, then one bit for each into the
 *              register CI, in one store: the doorbell. The controller fetches commands and memory
 *              lists, and moves the data, by itself.
 *   interrupt  a slot whose bits in CI and SACT are 0 again is done. Its done() is called, and the
 *              slots are filled again.
 *
 * With queueing (NCQ) the disk has all commands that are in flight and chooses their order; without
 * it the controller hands over one after the other. A flush, TRIM, and what is sent a second time
 * after an error go alone: the disk takes no unqueued command while it has queued ones, and an
 * error of a command that was alone needs no asking whose it is.
 *
 * A write with FUA is a write and a flush of its own, as in drivers/pvfront/blk/queue.c: compare
 * the two. There the doorbell is a hypercall, here a store to a register; there what comes back is
 * judged, here the controller could write anywhere in memory anyway.
 */
#include <mm.h>
#include <printk.h>
#include "ahci.h"

#define TRIM_BLOCKS_MAX ((unsigned)((PAGE_SIZE - AHCI_SCRATCH) / ATA_BLOCK))
#define WATCH_SPAN NSEC_PER_SEC

ktime_t ahci_timeout = 30 * NSEC_PER_SEC;

/* Where a request is: kept in its driver[]. */
struct ahci_progress {
	uint64_t done; /* bytes of a discard */
	bool alone;    /* sent a second time */
	bool flushing; /* FUA: written, now the flush */
};
_Static_assert(sizeof(struct ahci_progress) <= sizeof(((struct block_request *)0)->driver),
	       "fits the driver's part of a request");

static struct ahci_progress *progress(struct block_request *rq)
{
	return (struct ahci_progress *)rq->driver;
}

static bool goes_alone(struct block_request *rq)
{
	return rq->op == BLOCK_FLUSH || rq->op == BLOCK_DISCARD || progress(rq)->alone ||
	       progress(rq)->flushing;
}

/* ---- to the disk; lock held ---- */

static void make_discard(struct ahci_port *p, struct block_request *rq, unsigned n)
{
	struct ahci_slot *slot = &p->slot[n];
	uint64_t left = (rq->size - progress(rq)->done) / p->id.sector;
	uint64_t lba = (rq->offset + progress(rq)->done) / p->id.sector;
	uint64_t *list = (uint64_t *)((char *)slot->table + AHCI_SCRATCH);
	struct ata_command c = {.command = ATA_DATA_SET, .features = 1, .write = true};
	unsigned blocks;

	slot->sectors = ata_trim_list(list, min(p->id.trim_blocks, TRIM_BLOCKS_MAX), lba, left,
				      &blocks);
	c.count = (uint16_t)blocks;
	ahci_command(port_header(p, n), slot->table, &c);
	ahci_scratch(port_header(p, n), slot->table, blocks * ATA_BLOCK);
}

/* @rq's next command into slot @n. */
static void make(struct ahci_port *p, struct block_request *rq, unsigned n, bool queued)
{
	struct ahci_header *header = port_header(p, n);
	struct ata_command c = {.command = ATA_FLUSH_EXT};

	if (rq->op == BLOCK_DISCARD) {
		make_discard(p, rq, n);
		return;
	}
	if (rq->op == BLOCK_FLUSH || progress(rq)->flushing) {
		ahci_command(header, p->slot[n].table, &c);
		return;
	}
	c = ata_transfer(rq->op == BLOCK_WRITE, rq->offset / p->id.sector,
			 (uint32_t)(rq->size / p->id.sector), queued ? (int)n : -1);
	ahci_command(header, p->slot[n].table, &c);
	ahci_data(header, p->slot[n].table, rq);
	p->counts.bytes += rq->size;
}

static void watch(struct ktimer *t);

static void watch_start(struct ahci_port *p, ktime_t now)
{
	if (!p->watching)
		ktimer_set(&p->watch, now + WATCH_SPAN, watch, p);
	p->watching = true;
}

/* Commands for what waits, as many as there are slots, and one doorbell for all. */
static void push(struct ahci_port *p)
{
	uint32_t all = (uint32_t)((1ull << p->depth) - 1), fresh = 0, queued = 0;
	ktime_t now = list_empty(&p->waiting) && list_empty(&p->again) ? 0 : clock_now();

	while (p->state == AHCI_ONLINE && !p->exclusive && p->busy != all) {
		struct list *from = list_empty(&p->again) ? &p->waiting : &p->again;
		unsigned n = (unsigned)__builtin_ctz(~p->busy);
		struct block_request *rq;

		if (list_empty(from))
			break;
		rq = list_first(from, struct block_request, link);
		if (goes_alone(rq) && p->busy)
			break;
		list_del(&rq->link);
		p->exclusive = goes_alone(rq);
		make(p, rq, n, p->id.depth && !p->exclusive);
		p->slot[n].rq = rq;
		p->slot[n].since = now;
		p->busy |= 1u << n;
		fresh |= 1u << n;
		if (p->id.depth && !p->exclusive)
			queued |= 1u << n;
	}
	if (!fresh)
		return;
	p->queued |= queued;
	p->counts.commands += bits(fresh);
	p->counts.queued += bits(queued);
	p->counts.doorbells++;
	watch_start(p, now);
	barrier(); /* the commands are in memory; the processor keeps the order of its stores */
	if (queued)
		port_write(p, PORT_SACT, queued);
	port_write(p, PORT_CI, fresh);
}

static void ahci_submit(struct block_device *bd, struct block_request *rq)
{
	struct disk *disk = bd->private;
	struct ahci_port *p = disk->owner;

	*progress(rq) = (struct ahci_progress){0};
	rq->status = 0;
	spin_lock(&p->lock);
	if (p->disk == disk) {
		list_add_tail(&p->waiting, &rq->link);
		spin_unlock(&p->lock);
		return;
	}
	spin_unlock(&p->lock);
	rq->status = -ENODEV;
	rq->done(rq);
}

static void ahci_kick(struct block_device *bd)
{
	struct disk *disk = bd->private;
	struct ahci_port *p = disk->owner;

	spin_lock(&p->lock);
	push(p);
	spin_unlock(&p->lock);
}

static void ahci_release(struct block_device *bd)
{
	kfree(bd->private);
}

const struct block_driver ahci_driver = {
	.submit = ahci_submit,
	.kick = ahci_kick,
	.release = ahci_release,
};

/* ---- from the disk ---- */

/* The callers' done() may submit again, so no lock is held here. */
static void call_done(struct list *done)
{
	while (!list_empty(done)) {
		struct block_request *rq = list_first(done, struct block_request, link);

		list_del(&rq->link);
		rq->done(rq);
	}
}

/* Take the request out of slot @n. */
static struct block_request *slot_free(struct ahci_port *p, unsigned n)
{
	struct block_request *rq = p->slot[n].rq;

	p->slot[n].rq = NULL;
	p->busy &= ~(1u << n);
	p->queued &= ~(1u << n);
	p->exclusive = p->exclusive && p->busy;
	return rq;
}

/* The command in slot @n was carried out; its request may need another. */
static void slot_done(struct ahci_port *p, unsigned n, struct list *done)
{
	struct block_request *rq = slot_free(p, n);
	struct ahci_progress *at = progress(rq);

	if (rq->op == BLOCK_DISCARD) {
		at->done += p->slot[n].sectors * p->id.sector;
		if (at->done < rq->size) {
			list_add(&p->waiting, &rq->link);
			return;
		}
	}
	if (rq->op == BLOCK_WRITE && rq->fua && !at->flushing && p->disk->bd.can_flush) {
		at->flushing = true;
		list_add(&p->waiting, &rq->link);
		return;
	}
	list_add_tail(done, &rq->link);
}

static void look(struct ahci_port *p, unsigned why)
{
	p->attention |= why;
	waitq_wake_all(&p->waitq);
}

/* Something is wrong: no more interrupts and no more commands, until the thread has looked. */
static void trouble(struct ahci_port *p, uint32_t is)
{
	unsigned why = is & IS_ERRORS ? LOOK_ERROR : 0;

	if (is & (IS_FATAL | IS_OTHER_ERRORS))
		why |= LOOK_FATAL;
	if (is & (IS_LINK | IS_CONNECT))
		why |= LOOK_LINK;
	p->task_file = port_read(p, PORT_TFD);
	port_write(p, PORT_IE, 0);
	if (p->state == AHCI_ONLINE)
		p->state = AHCI_RECOVERING;
	look(p, why);
}

/* What is done, and what is wrong. Lock held. */
static void take(struct ahci_port *p, struct list *done)
{
	uint32_t is = port_read(p, PORT_IS), ended;

	port_write(p, PORT_IS, is);
	ended = p->busy & ~(port_read(p, PORT_CI) | port_read(p, PORT_SACT));
	/* An error that came after the first look: some controllers clear CI with it. */
	is |= port_read(p, PORT_IS);
	if (is & IS_ERRORS)
		ended &= p->queued;
	if (is & (IS_LINK | IS_CONNECT)) /* who knows by which disk */
		ended = 0;
	if (p->state == AHCI_ONLINE)
		for (; ended; ended &= ended - 1)
			slot_done(p, (unsigned)__builtin_ctz(ended), done);
	if (is & (IS_ERRORS | IS_LINK | IS_CONNECT))
		trouble(p, is);
}

void ahci_queue_interrupt(struct ahci_port *p)
{
	struct list done;

	list_init(&done);
	spin_lock(&p->lock);
	p->counts.interrupts++;
	take(p, &done);
	push(p);
	spin_unlock(&p->lock);
	call_done(&done);
}

/* In the timer's interrupt, about once a second while the disk is at work. What is done and waits
 * for its interrupt, or has lost it, is not late. */
static void watch(struct ktimer *t)
{
	struct ahci_port *p = t->arg;
	ktime_t now = clock_now();
	bool late = false;
	struct list done;

	list_init(&done);
	spin_lock(&p->lock);
	p->watching = false;
	if (p->state == AHCI_ONLINE)
		take(p, &done);
	for (uint32_t left = p->busy; left; left &= left - 1)
		late |= now - p->slot[__builtin_ctz(left)].since >= ahci_timeout;
	if (p->state == AHCI_ONLINE && late) {
		port_write(p, PORT_IE, 0);
		p->state = AHCI_RECOVERING;
		look(p, LOOK_TIMEOUT);
	}
	push(p);
	if (p->state == AHCI_ONLINE && p->busy)
		watch_start(p, now);
	spin_unlock(&p->lock);
	call_done(&done);
}

/* ---- after an error; the port has stopped ---- */

static bool has_failed(struct ahci_port *p, unsigned n, unsigned why)
{
	const struct ahci_slot *slot = &p->slot[n];

	if (progress(slot->rq)->alone)
		return true;
	if (why & LOOK_TIMEOUT && clock_now() - slot->since >= ahci_timeout)
		return true;
	/* The disk says that a command failed, and it had only this one. */
	return why == LOOK_ERROR && p->busy == 1u << n;
}

void ahci_queue_sort(struct ahci_port *p, unsigned why)
{
	uint32_t failed = 0;
	struct list done;

	list_init(&done);
	spin_lock(&p->lock);
	for (uint32_t left = p->busy; left; left &= left - 1)
		if (has_failed(p, (unsigned)__builtin_ctz(left), why))
			failed |= left & -left;
	while (p->busy) {
		unsigned n = (unsigned)__builtin_ctz(p->busy);
		struct block_request *rq = slot_free(p, n);

		if (failed & 1u << n)
			rq->status = -EIO;
		progress(rq)->alone = true;
		list_add_tail(rq->status ? &done : &p->again, &rq->link);
	}
	spin_unlock(&p->lock);
	call_done(&done);
}

void ahci_queue_start(struct ahci_port *p)
{
	spin_lock(&p->lock);
	p->state = AHCI_ONLINE;
	push(p);
	spin_unlock(&p->lock);
}

static void end_list(struct list *from, int err, struct list *done)
{
	while (!list_empty(from)) {
		struct block_request *rq = list_first(from, struct block_request, link);

		list_del(&rq->link);
		rq->status = err;
		list_add_tail(done, &rq->link);
	}
}

void ahci_queue_end(struct ahci_port *p, int err)
{
	struct list done;

	list_init(&done);
	spin_lock(&p->lock);
	p->state = AHCI_EMPTY;
	p->disk = NULL;
	while (p->busy) {
		struct block_request *rq = slot_free(p, (unsigned)__builtin_ctz(p->busy));

		rq->status = err;
		list_add_tail(&done, &rq->link);
	}
	end_list(&p->again, err, &done);
	end_list(&p->waiting, err, &done);
	spin_unlock(&p->lock);
	call_done(&done);
}
