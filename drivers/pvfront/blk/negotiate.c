/* SPDX-License-Identifier: MIT */
/*
 * The block frontend and its backend come to terms: xenstore, rings, disk.
 *
 * Natively the driver asks the disk itself (IDENTIFY) for its size and what it can do. Here all of
 * that is text in the backend's directory, and the way the two will talk is agreed there first:
 *
 *   backend, in InitWait   max-ring-page-order, multi-queue-max-queues
 *   we write               ring-ref (or ring-page-order, ring-ref0 ...), event-channel; for more
 *                          than one queue the same below queue-N; protocol, feature-persistent
 *   backend, in Connected  sectors, sector-size, info; feature-flush-cache, -barrier,
 *                          -discard, -persistent, -max-indirect-segments
 *
 * Nothing of it is taken on trust: a number is a number within limits, or the device is broken.
 * `sectors` and all sector numbers on the ring count 512 bytes whatever sector-size is: the header
 * says otherwise, but so do Linux's backend and frontend, and later headers. sector-size is then
 * the smallest unit that may be written. (A frontend that does not write feature-large-sector-size
 * is never served in other units.)
 *
 * The same function connects a disk again whose backend went away and came back; requests have
 * waited meanwhile.
 */
#include <hv.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include <xen/io/protocols.h>
#include "blk.h"

#define SECTORS_MAX (1ul << 50)
#define ORDER_MAX 16 /* beyond that a ring order is no ring order */
#define QUEUES_OFFER_MAX 65536
#define INDIRECT_OFFER_MAX 65536
#define INFO_MAX 0xffff
#define STUCK_SPAN (10 * NSEC_PER_SEC)
#define STUCK_LOOK NSEC_PER_SEC
#define VDISK_READONLY_BIT 0x4

/* Numbers that the backend need not write: their values stay then. Or an error, the device failed.
 */
static int offered(struct xenbus_device *dev, struct xs_field *fields, unsigned n)
{
	xs_scan_all(XS_NO_TX, dev->backend, fields, n);
	for (unsigned i = 0; i < n; i++)
		if (fields[i].err && fields[i].err != -ENOENT)
			return xenbus_fail(dev, fields[i].err,
					   "the backend's %s is not a number up to %lu",
					   fields[i].node, fields[i].most);
	return 0;
}

/* ---- rings ---- */

struct offer {
	unsigned pages, queues;
};

static int read_offer(struct xenbus_device *dev, const struct blk_args *args, struct offer *o)
{
	struct xs_field order_queues[] = {
		{.node = "max-ring-page-order", .most = ORDER_MAX, .value = 0},
		{.node = "multi-queue-max-queues", .most = QUEUES_OFFER_MAX, .value = 1},
	};
	uint64_t order, queues;
	unsigned want = args->queues ? args->queues : min(nr_cpus, BLK_QUEUES_MAX);
	int err = offered(dev, order_queues, ARRAY_SIZE(order_queues));

	if (err)
		return err;
	order = order_queues[0].value;
	queues = order_queues[1].value;
	o->queues = (unsigned)max(min((uint64_t)want, queues), (uint64_t)1);
	o->pages = 1;
	while (o->pages * 2 <= args->pages && o->pages * 2 <= 1u << order)
		o->pages *= 2;
	return 0;
}

static int queue_make(struct blk_queue *q, unsigned pages, unsigned max_bufs)
{
	int err = blk_memory_make(q, pages), port;

	if (err)
		return err;
	port = evtchn_alloc_unbound(q->disk->dev->backend_id, blk_queue_event, q, q->disk->bd.name);
	if (port < 0) {
		blk_memory_free(q);
		return port;
	}
	q->port = (unsigned)port;
	q->max_bufs = max_bufs;
	return 0;
}

/* As many as there is memory for, at least one. */
static int queues_make(struct blk_disk *disk, const struct blk_args *args, struct offer *o)
{
	unsigned n, max_bufs = max(args->pool / o->queues, BLK_BUFS_MIN);
	int err = 0;

	for (n = 0; n < o->queues; n++) {
		err = queue_make(&disk->queue[n], o->pages, max_bufs);
		if (err)
			break;
	}
	if (n == 0 && o->pages > 1) { /* memory in such large pieces is rare */
		o->pages = 1;
		return queues_make(disk, args, o);
	}
	if (n == 0)
		return xenbus_fail(disk->dev, err, "no memory for a ring");
	for (unsigned i = 0; i < n; i++) {
		spin_lock(&disk->queue[i].lock);
		disk->queue[i].state = BLK_AWAY;
		spin_unlock(&disk->queue[i].lock);
	}
	disk->nr_queues = n;
	for (unsigned i = n; i < BLK_QUEUES_MAX; i++) {
		spin_lock(&disk->queue[i].lock);
		disk->queue[i].state = BLK_UNUSED;
		spin_unlock(&disk->queue[i].lock);
		blk_queue_move(&disk->queue[i], &disk->queue[0]);
	}
	return 0;
}

/* A field to be written, with its number as text. */
static void field_number(struct xs_field *f, char text[16], const char *node, unsigned value)
{
	snprintk(text, 16, "%u", value);
	*f = (struct xs_field){.node = node, .text = text};
}

#define COMMON_MAX 4

/* @q's nodes below @dir, and @n of @common, in one go. */
static int write_queue(const struct blk_queue *q, const char *dir, const struct xs_field *common,
		       unsigned n)
{
	struct xs_field f[COMMON_MAX + BLK_RING_PAGES_MAX + 1];
	char node[BLK_RING_PAGES_MAX][16], text[BLK_RING_PAGES_MAX + 1][16];

	for (unsigned i = 0; i < n; i++)
		f[i] = common[i];
	for (unsigned i = 0; i < q->nr_pages; i++) {
		snprintk(node[i], sizeof(node[i]), "ring-ref%u", i);
		if (q->nr_pages == 1)
			strlcpy(node[i], "ring-ref", sizeof(node[i]));
		field_number(&f[n++], text[i], node[i], q->ref[i]);
	}
	field_number(&f[n++], text[q->nr_pages], "event-channel", q->port);
	return xs_write_all(XS_NO_TX, dir, f, n);
}

/* What an earlier connection wrote and this one will not. */
static void forget_nodes(struct xenbus_device *dev)
{
	static const char *const nodes[] = {"ring-ref", "ring-page-order",
					    "multi-queue-num-queues"};
	char path[96];

	for (unsigned i = 0; i < ARRAY_SIZE(nodes); i++) {
		snprintk(path, sizeof(path), "%s/%s", dev->node, nodes[i]);
		xs_rm(XS_NO_TX, path);
	}
}

static int write_rings(struct blk_disk *disk, const struct blk_args *args)
{
	struct xenbus_device *dev = disk->dev;
	unsigned order = 0, n = 1;
	struct xs_field f[COMMON_MAX] = {{.node = "protocol", .text = XEN_IO_PROTO_ABI_X86_64}};
	char text[3][16], dir[80];
	int err;

	if (disk->connects)
		forget_nodes(dev);
	while (1u << order < disk->queue[0].nr_pages)
		order++;
	field_number(&f[n++], text[0], "feature-persistent", args->persistent);
	if (order)
		field_number(&f[n++], text[1], "ring-page-order", order);
	if (disk->nr_queues > 1) {
		field_number(&f[n++], text[2], "multi-queue-num-queues", disk->nr_queues);
		err = xs_write_all(XS_NO_TX, dev->node, f, n);
	} else {
		err = write_queue(&disk->queue[0], dev->node, f, n);
	}
	for (unsigned i = 0; !err && disk->nr_queues > 1 && i < disk->nr_queues; i++) {
		snprintk(dir, sizeof(dir), "%s/queue-%u", dev->node, i);
		err = write_queue(&disk->queue[i], dir, NULL, 0);
	}
	return err ? xenbus_fail(dev, err, "the rings cannot be written to xenstore") : 0;
}

/* ---- the disk ---- */

/* What the backend says of the disk: all asked for at once, since each way there and back counts.
 */
enum { SECTORS, SECTOR_BYTES, INFO, FLUSH, BARRIER, DISCARD, UNIT, PERSISTENT, INDIRECT, SAYS };

static int read_says(struct xenbus_device *dev, struct xs_field f[SAYS])
{
	static const struct xs_field all[SAYS] = {
		[SECTORS] = {.node = "sectors", .most = SECTORS_MAX},
		[SECTOR_BYTES] = {.node = "sector-size", .most = 1u << 20, .value = SECTOR_SIZE},
		[INFO] = {.node = "info", .most = INFO_MAX},
		[FLUSH] = {.node = "feature-flush-cache", .most = 1},
		[BARRIER] = {.node = "feature-barrier", .most = 1},
		[DISCARD] = {.node = "feature-discard", .most = 1},
		[UNIT] = {.node = "discard-granularity", .most = 1u << 31},
		[PERSISTENT] = {.node = "feature-persistent", .most = 1},
		[INDIRECT] = {.node = "feature-max-indirect-segments", .most = INDIRECT_OFFER_MAX},
	};
	int err;

	memcpy(f, all, sizeof(all));
	err = offered(dev, f, SAYS);
	if (!err && f[SECTORS].err)
		err = xenbus_fail(dev, f[SECTORS].err, "the backend does not say how many sectors");
	return err;
}

/* The disk itself, checked. */
struct identity {
	uint64_t sectors, sector_size, info;
	bool read_only;
};

static int check_identity(struct xenbus_device *dev, const struct xs_field *f, struct identity *id)
{
	id->sectors = f[SECTORS].value;
	id->sector_size = f[SECTOR_BYTES].value;
	id->info = f[INFO].value;
	if (id->sector_size < SECTOR_SIZE || id->sector_size > PAGE_SIZE ||
	    (id->sector_size & (id->sector_size - 1)))
		return xenbus_fail(dev, -EINVAL, "the backend's sector-size is %lu",
				   id->sector_size);
	if (!id->sectors)
		return xenbus_fail(dev, -EINVAL, "the backend's sectors is 0: no disk in it");
	if (id->sectors % (id->sector_size / SECTOR_SIZE))
		return xenbus_fail(dev, -EINVAL, "%lu sectors of 512 are not whole ones of %lu",
				   id->sectors, id->sector_size);
	id->read_only = id->info & (VDISK_READONLY_BIT | VDISK_CDROM);
	return 0;
}

static void take_features(struct blk_disk *disk, const struct xs_field *f,
			  const struct blk_args *args)
{
	struct block_device *bd = &disk->bd;

	/* To Linux's backend a flush is a write, which it refuses for a read-only disk, feature or
	 * not. */
	disk->flush_op = 0;
	if (args->flush && !bd->read_only && f[BARRIER].value && (args->barrier || !f[FLUSH].value))
		disk->flush_op = BLKIF_OP_WRITE_BARRIER;
	else if (args->flush && !bd->read_only && f[FLUSH].value)
		disk->flush_op = BLKIF_OP_FLUSH_DISKCACHE;
	bd->can_flush = disk->flush_op != 0;
	bd->can_discard = args->discard && f[DISCARD].value && !bd->read_only;
	bd->discard_align = (uint32_t)max(f[UNIT].value, (uint64_t)bd->sector);
	disk->copy = args->persistent && f[PERSISTENT].value;
	disk->batch = args->batch;
	disk->max_segs = (unsigned)max(min(f[INDIRECT].value, (uint64_t)args->indirect),
				       (uint64_t)BLKIF_MAX_SEGMENTS_PER_REQUEST);
}

/* A disk that comes back is the same disk, but for its size. */
static int identify(struct blk_disk *disk, const struct blk_args *args)
{
	struct block_device *bd = &disk->bd;
	struct xs_field f[SAYS];
	struct identity id = {0};
	int err = read_says(disk->dev, f);

	if (!err)
		err = check_identity(disk->dev, f, &id);
	if (err)
		return err;
	if (disk->connects && (id.sector_size != bd->sector || (id.read_only && !bd->read_only)))
		return xenbus_fail(disk->dev, -EINVAL, "it came back as another disk");
	bd->sector = (unsigned)id.sector_size;
	if (!disk->connects) {
		bd->size = id.sectors * SECTOR_SIZE;
		bd->read_only = id.read_only;
		bd->removable = id.info & (VDISK_REMOVABLE | VDISK_CDROM);
	}
	take_features(disk, f, args);
	if (disk->published && id.sectors * SECTOR_SIZE != bd->size)
		block_resized(bd, id.sectors * SECTOR_SIZE);
	return 0;
}

/* ---- making the disk known ---- */

/*
 * On a thread of its own: looking for partitions reads the disk, and if the backend never answers,
 * the device's thread must be free to hear that it goes away.
 */
static void publish(void *arg)
{
	struct blk_disk *disk = arg;
	int err = block_register(&disk->bd);

	if (err) {
		printk("%s: cannot be registered (%d)\n", disk->bd.name, err);
		xenbus_broken(disk->dev, "the disk cannot be registered");
	}
	spin_lock(&disk->lock);
	disk->published = !err;
	disk->publishing = false;
	waitq_wake_all(&disk->waitq);
	spin_unlock(&disk->lock);
}

static int publish_start(struct blk_disk *disk)
{
	if (disk->published || disk->publishing)
		return 0;
	disk->publishing = true;
	if (kthread_create(disk->bd.name, publish, disk))
		return 0;
	disk->publishing = false;
	return -ENOMEM;
}

static void unpublish(struct blk_disk *disk)
{
	spin_lock(&disk->lock);
	while (disk->publishing)
		sleep_on(&disk->waitq, &disk->lock, 0, KTIME_NEVER);
	spin_unlock(&disk->lock);
	if (disk->published)
		block_unregister(&disk->bd); /* release() frees */
	else
		kfree(disk);
}

static struct blk_disk *disk_make(struct xenbus_device *dev)
{
	struct blk_disk *disk = kmalloc(sizeof(*disk), ALLOC_ZERO);

	if (!disk)
		return NULL;
	disk->nr_queues = 1;
	disk->handle = dev->id & 0xffff;
	disk->bd.driver = &blk_driver;
	disk->bd.private = disk;
	disk->bd.max_vecs = BLOCK_VECS_MAX;
	spin_init(&disk->lock, "blk-disk");
	waitq_init(&disk->waitq);
	ktimer_init(&disk->stuck_timer);
	for (unsigned i = 0; i < BLK_QUEUES_MAX; i++)
		blk_queue_init(&disk->queue[i], disk, i);
	return disk;
}

/* ---- what the bus calls ---- */

/* No ring is used any more. @err: all requests end with it; 0: they wait. */
static void stop_all(struct blk_disk *disk, int err)
{
	disk->error = err;
	ktimer_cancel(&disk->stuck_timer);
	disk->stuck_since = 0;
	for (unsigned i = 0; i < disk->nr_queues; i++)
		blk_queue_stop(&disk->queue[i], err ? BLK_DEAD : BLK_AWAY);
	for (unsigned i = 0; err && i < BLK_QUEUES_MAX; i++) {
		blk_queue_reclaim(&disk->queue[i], err);
		blk_memory_free(&disk->queue[i]);
	}
}

static int blk_handshake(struct blk_disk *disk)
{
	struct xenbus_device *dev = disk->dev;
	struct blk_args args;
	struct offer offer;
	int err;

	blk_args(&args);
	err = read_offer(dev, &args, &offer);
	if (!err)
		err = queues_make(disk, &args, &offer);
	if (!err)
		err = write_rings(disk, &args);
	if (!err)
		err = xenbus_switch(dev, BUS_INITIALISED);
	if (!err)
		err = xenbus_wait(dev, BUS_BIT(BUS_CONNECTED));
	if (!err)
		err = identify(disk, &args);
	return err ? err : xenbus_switch(dev, BUS_CONNECTED);
}

/* The handshake has failed. A disk that has a name stays, and every request fails; others go. */
static int connect_failed(struct xenbus_device *dev, struct blk_disk *disk, int err)
{
	stop_all(disk, -EIO);
	if (!disk->published && !disk->publishing) {
		dev->private = NULL;
		kfree(disk);
	}
	return err;
}

static int blk_connect(struct xenbus_device *dev)
{
	struct blk_disk *disk = dev->private;
	int err;

	if (!disk)
		disk = disk_make(dev);
	if (!disk)
		return xenbus_fail(dev, -ENOMEM, "no memory for the disk");
	dev->private = disk;
	disk->dev = dev;
	if (blk_name(dev->id, disk->bd.name, &disk->bd.dev))
		return connect_failed(
			dev, disk, xenbus_fail(dev, -EINVAL, "no disk has the number %u", dev->id));
	strlcpy(dev->name, disk->bd.name, sizeof(dev->name));
	/* The backend has begun anew, so it has let go of what it had. */
	for (unsigned i = 0; i < BLK_QUEUES_MAX; i++) {
		blk_queue_reclaim(&disk->queue[i], 0);
		blk_memory_free(&disk->queue[i]);
	}
	err = blk_handshake(disk);
	if (err)
		return connect_failed(dev, disk, err);
	disk->connects++;
	for (unsigned i = 0; i < disk->nr_queues; i++)
		blk_queue_start(&disk->queue[i]);
	err = publish_start(disk);
	return err ? connect_failed(dev, disk, err) : 0;
}

static void blk_disconnect(struct xenbus_device *dev, bool forever)
{
	struct blk_disk *disk = dev->private;
	int err = forever ? -ENODEV : 0;

	if (!disk)
		return;
	for (unsigned i = 0; i < disk->nr_queues; i++)
		if (disk->queue[i].state == BLK_BROKEN || disk->queue[i].state == BLK_DEAD)
			err = -EIO;
	stop_all(disk, err);
	if (forever) {
		dev->private = NULL;
		unpublish(disk);
	}
}

/* Resized, most likely. */
static void blk_changed(struct xenbus_device *dev)
{
	struct blk_disk *disk = dev->private;
	uint64_t sectors;

	if (!disk || !disk->published)
		return;
	if (xs_scan(XS_NO_TX, dev->backend, "sectors", 0, SECTORS_MAX, &sectors)) {
		xenbus_broken(dev, "the backend's sectors is not a number any more");
		return;
	}
	if (sectors * SECTOR_SIZE == disk->bd.size)
		return;
	printk("%s: %lu sectors now\n", disk->bd.name, sectors);
	block_resized(&disk->bd, sectors * SECTOR_SIZE);
}

static void look_again(struct ktimer *t)
{
	struct blk_disk *disk = t->arg;

	xenbus_recheck(disk->dev);
}

/*
 * The backend is closing and the disk is in use. As long as it answers, it may wait. If there are
 * requests in flight and none has been answered for STUCK_SPAN, none will be: whoever waits for
 * them would wait for ever.
 */
static bool stuck(struct blk_disk *disk)
{
	uint64_t answers = 0, requests = 0;
	ktime_t now = clock_now();

	for (unsigned i = 0; i < disk->nr_queues; i++) {
		answers += READ_ONCE(disk->queue[i].counts.answers);
		requests += blk_ring_in_flight(&disk->queue[i].ring);
	}
	if (!disk->stuck_since || answers != disk->stuck_answers || !requests) {
		disk->stuck_since = now;
		disk->stuck_answers = answers;
	}
	if (now - disk->stuck_since >= STUCK_SPAN) {
		printk("%s: the backend closes and answers no more\n", disk->bd.name);
		return true;
	}
	ktimer_set(&disk->stuck_timer, now + STUCK_LOOK, look_again, disk);
	return false;
}

static bool blk_may_close(struct xenbus_device *dev)
{
	struct blk_disk *disk = dev->private;

	return !disk || !disk->published || !block_busy(&disk->bd) || stuck(disk);
}

static const struct xenbus_driver blk_frontend = {
	.type = "vbd",
	.connect = blk_connect,
	.disconnect = blk_disconnect,
	.changed = blk_changed,
	.may_close = blk_may_close,
	.describe = blk_describe,
};

int blk_start(void)
{
	return xenbus_register(&blk_frontend);
}
