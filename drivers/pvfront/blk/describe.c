/* SPDX-License-Identifier: MIT */
/*
 * A disk in /proc/xen/devices: how it is connected, and what it has cost so far. Sums over its
 * queues; "per event" is what event suppression is about.
 */
#include <printk.h>
#include "blk.h"

static void add(struct blk_counts *sum, const struct blk_counts *c)
{
	sum->requests += c->requests;
	sum->bytes += c->bytes;
	sum->notifies += c->notifies;
	sum->events += c->events;
	sum->idle_events += c->idle_events;
	sum->answers += c->answers;
	sum->grants += c->grants;
	sum->copied += c->copied;
	sum->waits += c->waits;
}

/* Tenths, for "%lu.%lu". */
static uint64_t tenths(uint64_t n, uint64_t of)
{
	return of ? n * 10 / of : 0;
}

size_t blk_describe(struct xenbus_device *dev, char *buf, size_t size)
{
	struct blk_disk *disk = dev->private;
	struct blk_counts c = {0};
	unsigned bufs = 0, tables = 0, per_event;
	const char *flush;
	size_t len;

	if (!disk)
		return 0;
	for (unsigned i = 0; i < BLK_QUEUES_MAX; i++) {
		add(&c, &disk->queue[i].counts);
		bufs += disk->queue[i].nr_bufs;
		tables += disk->queue[i].nr_tables;
	}
	flush = disk->flush_op == BLKIF_OP_FLUSH_DISKCACHE ? "flush"
		: disk->flush_op == BLKIF_OP_WRITE_BARRIER ? "barrier"
							   : "none";
	len = (size_t)snprintk(
		buf, size,
		"%s: %lu sectors of %u%s, queues %u, ring pages %u, segments %u, data by %s, "
		"flush %s, discard %s, connected %u times\n",
		disk->bd.name, disk->bd.size / SECTOR_SIZE, disk->bd.sector,
		disk->bd.read_only ? " read-only" : "", disk->nr_queues, disk->queue[0].nr_pages,
		disk->max_segs, disk->copy ? "copy" : "grant", flush,
		disk->bd.can_discard ? "yes" : "no", disk->connects);
	per_event = (unsigned)tenths(c.requests, c.notifies);
	len += (size_t)snprintk(
		buf + len, size - len,
		"  requests %lu bytes %lu notifications %lu (requests each %u.%u) events %lu idle "
		"%lu",
		c.requests, c.bytes, c.notifies, per_event / 10, per_event % 10, c.events,
		c.idle_events);
	per_event = (unsigned)tenths(c.answers, c.events);
	len += (size_t)snprintk(
		buf + len, size - len,
		" (responses each %u.%u) grants %lu copied %lu waits %lu buffers %u "
		"tables %u\n",
		per_event / 10, per_event % 10, c.grants, c.copied, c.waits, bufs, tables);
	return len;
}
