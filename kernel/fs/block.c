/* SPDX-License-Identifier: MIT */
/*
 * Block devices: a table of them by number and name, and the way of a request to the driver.
 *
 * Drivers take requests and finish them in any order, from interrupts or threads; see <block.h>.
 * Natively a driver would write a command into a queue that the disk's controller reads by DMA;
 * under PV it writes it into a page shared with another domain, and the memory of the request is
 * granted to that domain. Both are told once for many requests: hence submit and kick.
 *
 * A partition is a device of its own whose requests go to its disk, moved by where it starts. It
 * has a reference to the disk; the list has one to each device in it.
 *
 * A device that is pulled out leaves the list at once. Whoever uses it still (a mounted file
 * system, an open file) holds a reference, gets -ENODEV for everything, and with the last one the
 * driver may free it.
 */
#include <block.h>
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <string.h>

#include "internal.h"
#include "partition.h"

#define COMPLAINTS_MAX 8
#define COMPLAINTS_SPAN (10 * NSEC_PER_SEC)
#define TRANSFER_VECS 16
#define EXTENDED_MAJOR 259 /* of partitions for whose number the disk has no room */
#define MINORS 16u         /* that a disk has for them, itself included */

static struct list devices = LIST_INIT(devices);
static spinlock_t devices_lock = SPINLOCK("block devices"); /* the list and the references */
static struct waitq devices_wait = WAITQ(devices_wait);     /* for one that is to come */
static mutex_t register_lock = MUTEX(register_lock);        /* one comes or goes at a time */
static unsigned next_serial;

/* ---- the table ---- */

/* By name, or (NULL) by number. List locked. */
static struct block_device *find(const char *name, dev_t dev)
{
	struct block_device *bd;

	list_for_each (bd, &devices, link)
		if (name ? !strcmp(bd->name, name) : bd->dev == dev) {
			bd->refs++;
			return bd;
		}
	return NULL;
}

struct block_device *block_find(dev_t dev)
{
	struct block_device *bd;

	spin_lock(&devices_lock);
	bd = find(NULL, dev);
	spin_unlock(&devices_lock);
	return bd;
}

/* The first one there is of @names, which are separated by spaces. */
static struct block_device *find_one(const char *names)
{
	struct block_device *bd = NULL;
	char name[sizeof(bd->name)];

	while (!bd && *names) {
		const char *end = strchr(names, ' ');
		size_t len = end ? (size_t)(end - names) : strlen(names);

		if (len < sizeof(name)) {
			strlcpy(name, names, len + 1);
			bd = find(name, 0);
		}
		names += len + (end != NULL);
	}
	return bd;
}

struct block_device *block_await(const char *names, ktime_t deadline)
{
	struct block_device *bd;
	int err = deadline ? 0 : -ETIMEDOUT;

	if (!strncmp(names, "/dev/", 5))
		names += 5;
	spin_lock(&devices_lock);
	while (!(bd = find_one(names)) && !err)
		err = sleep_on(&devices_wait, &devices_lock, 0, deadline);
	spin_unlock(&devices_lock);
	return bd;
}

struct block_device *block_find_name(const char *name)
{
	return block_await(name, 0);
}

struct block_device *block_nth(unsigned n)
{
	struct block_device *bd, *found = NULL;

	spin_lock(&devices_lock);
	list_for_each (bd, &devices, link)
		if (n-- == 0) {
			found = bd;
			found->refs++;
		}
	spin_unlock(&devices_lock);
	return found;
}

void block_put(struct block_device *bd)
{
	while (bd) {
		struct block_device *disk = bd->disk;
		unsigned left;

		spin_lock(&devices_lock);
		left = --bd->refs;
		if (left && !bd->gone && bd->driver->unused)
			bd->driver->unused(disk ? disk : bd);
		spin_unlock(&devices_lock);
		if (left)
			break;
		if (disk)
			kfree(bd);
		else if (bd->driver->release)
			bd->driver->release(bd);
		bd = disk;
	}
}

bool block_busy(struct block_device *bd)
{
	struct block_device *part;
	unsigned parts = 0;
	bool busy = false;

	spin_lock(&devices_lock);
	list_for_each (part, &devices, link)
		if (part->disk == bd) {
			busy |= part->refs > 1;
			parts++;
		}
	busy |= bd->refs > 1 + parts;
	spin_unlock(&devices_lock);
	return busy;
}

/* ---- coming and going ---- */

/* Publish the devices of @new together; -EEXIST and none is. */
static int publish(struct list *new)
{
	struct block_device *bd, *other, *tmp;
	int err = 0;

	spin_lock(&devices_lock);
	list_for_each (bd, new, link)
		list_for_each (other, &devices, link)
			if (other->dev == bd->dev || !strcmp(other->name, bd->name))
				err = -EEXIST;
	if (!err)
		list_for_each_safe (bd, tmp, new, link) {
			list_del(&bd->link);
			list_add_tail(&devices, &bd->link);
			bd->serial = ++next_serial;
		}
	spin_unlock(&devices_lock);
	waitq_wake_all(&devices_wait);
	return err;
}

static int read_sector(struct partition_disk *d, uint64_t sector, void *buf)
{
	return block_transfer(d->arg, sector * d->sector, buf, d->sector, false);
}

static struct block_device *partition_new(struct block_device *disk, const struct partition *p)
{
	static unsigned extended;
	struct block_device *bd = kmalloc(sizeof(*bd), 0);
	size_t n = strlen(disk->name);
	bool digit = n && disk->name[n - 1] >= '0' && disk->name[n - 1] <= '9';

	if (!bd)
		return NULL;
	*bd = *disk;
	snprintk(bd->name, sizeof(bd->name), "%s%s%u", disk->name, digit ? "p" : "", p->nr);
	bd->dev = p->nr < MINORS && !(disk->dev % MINORS) ? disk->dev + p->nr
							  : MKDEV(EXTENDED_MAJOR, extended++);
	bd->disk = disk;
	bd->start = p->start * disk->sector;
	bd->size = p->size * disk->sector;
	bd->refs = 1;
	memset(bd->count, 0, sizeof(bd->count));
	memset(bd->bytes, 0, sizeof(bd->bytes));
	spin_lock(&devices_lock);
	disk->refs++;
	spin_unlock(&devices_lock);
	return bd;
}

/* Append its partitions to @list. */
static void scan(struct block_device *bd, struct list *list)
{
	struct partition_disk d = {.name = bd->name,
				   .sector = bd->sector,
				   .nr_sectors = bd->size / bd->sector,
				   .read = read_sector,
				   .arg = bd};
	struct partition *parts = kmalloc(PARTITIONS_MAX * sizeof(*parts), 0);
	struct block_device *part;
	int n = 0;

	d.buf = kmalloc(PAGE_SIZE, 0);
	d.head = kmalloc(PAGE_SIZE, 0);
	if (parts && d.buf && d.head)
		n = partitions_read(&d, parts);
	for (int i = 0; i < n && (part = partition_new(bd, &parts[i])); i++)
		list_add_tail(list, &part->link);
	kfree(d.head);
	kfree(d.buf);
	kfree(parts);
}

/* Names go, new requests fail. @gone takes over the list's references. */
static void withdraw(struct block_device *bd, struct list *gone)
{
	if (bd->mounted || !bd->disk)
		printk("%s: is gone%s%s\n", bd->name, bd->mounted ? ", mounted on " : "",
		       bd->mounted ? bd->mounted->target : "");
	bd->gone = true;
	spin_lock(&devices_lock);
	list_del(&bd->link);
	list_add_tail(gone, &bd->link);
	spin_unlock(&devices_lock);
}

static void put_all(struct list *gone)
{
	while (!list_empty(gone)) {
		struct block_device *bd = list_first(gone, struct block_device, link);

		list_del(&bd->link);
		block_put(bd);
	}
}

static void withdraw_partitions(struct block_device *bd, struct list *gone)
{
	struct block_device *part;
	bool found;

	do {
		found = false;
		spin_lock(&devices_lock);
		list_for_each (part, &devices, link)
			if (part->disk == bd) {
				found = true;
				break;
			}
		spin_unlock(&devices_lock);
		if (found) /* nobody else takes it from the list: register_lock */
			withdraw(part, gone);
	} while (found);
}

int block_register(struct block_device *bd)
{
	struct list new = LIST_INIT(new);
	int err;

	if (!bd->driver || bd->size > INT64_MAX || bd->size % SECTOR_SIZE || !bd->max_vecs ||
	    bd->sector < SECTOR_SIZE || bd->sector > PAGE_SIZE || (bd->sector & (bd->sector - 1)))
		return -EINVAL;
	bd->refs = 1;
	list_init(&bd->link);
	list_add_tail(&new, &bd->link);
	mutex_lock(&register_lock);
	scan(bd, &new);
	err = publish(&new);
	mutex_unlock(&register_lock);
	if (err) {
		list_del(&bd->link);
		put_all(&new);
	}
	return err;
}

void block_unregister(struct block_device *bd)
{
	struct list gone = LIST_INIT(gone);

	mutex_lock(&register_lock);
	bd->gone = true;
	withdraw_partitions(bd, &gone);
	withdraw(bd, &gone);
	mutex_unlock(&register_lock);
	put_all(&gone);
}

int block_rescan(struct block_device *bd)
{
	struct list new = LIST_INIT(new), gone = LIST_INIT(gone);
	struct block_device *part;
	int err = bd->disk ? -EINVAL : bd->gone ? -ENODEV : bd->mounted ? -EBUSY : 0;

	mutex_lock(&register_lock);
	spin_lock(&devices_lock);
	list_for_each (part, &devices, link)
		if (part->disk == bd && part->refs > 1)
			err = -EBUSY;
	spin_unlock(&devices_lock);
	if (!err) {
		withdraw_partitions(bd, &gone);
		scan(bd, &new);
		err = publish(&new);
	}
	mutex_unlock(&register_lock);
	put_all(&new);
	put_all(&gone);
	return err;
}

void block_resized(struct block_device *bd, uint64_t size)
{
	WRITE_ONCE(bd->size, size);
	printk("%s: has %llu sectors now\n", bd->name, (unsigned long long)(size / SECTOR_SIZE));
}

/* ---- requests ---- */

static void complain(struct block_request *rq)
{
	static const char *const names[] = {"read", "write", "flush", "discard"};
	struct block_device *bd = rq->bd;
	ktime_t now = clock_now();

	if (now - bd->complained > COMPLAINTS_SPAN || !bd->complained) {
		bd->complained = now;
		bd->complaints = 0;
	}
	if (bd->complaints++ >= COMPLAINTS_MAX)
		return;
	if (rq->op == BLOCK_FLUSH)
		printk("%s: flush failed: %s\n", bd->name, error_text(rq->status));
	else
		printk("%s: %s of sectors %llu to %llu failed: %s\n", bd->name, names[rq->op],
		       (unsigned long long)(rq->offset / SECTOR_SIZE),
		       (unsigned long long)((rq->offset + rq->size) / SECTOR_SIZE) - 1,
		       error_text(rq->status));
}

static void request_done(struct block_request *rq)
{
	__atomic_fetch_sub(&rq->bd->in_flight, 1, __ATOMIC_RELAXED);
	if (rq->status && rq->status != -EOPNOTSUPP)
		complain(rq);
	rq->done = rq->finish;
	rq->done(rq);
}

static int check(const struct block_device *bd, const struct block_request *rq)
{
	uint64_t size = READ_ONCE(bd->size);

	if (block_gone(bd))
		return -ENODEV;
	if (rq->op == BLOCK_FLUSH)
		return 0;
	if (rq->op != BLOCK_READ && bd->read_only)
		return -EROFS;
	if (rq->op == BLOCK_DISCARD && !bd->can_discard)
		return -EOPNOTSUPP;
	if (rq->offset > size || rq->size > size - rq->offset ||
	    (rq->offset | rq->size) % bd->sector)
		return -EIO;
	return 0;
}

static void account(struct block_device *bd, const struct block_request *rq)
{
	if (rq->op == BLOCK_WRITE)
		bd->unflushed = true;
	__atomic_fetch_add(&bd->count[rq->op], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&bd->bytes[rq->op], rq->size, __ATOMIC_RELAXED);
}

void block_submit(struct block_request *rq)
{
	struct block_device *bd = rq->bd;
	int err = check(bd, rq);

	KASSERT(rq->nr_vecs <= bd->max_vecs);
	if (!err)
		account(bd, rq);
	if (bd->disk) {
		rq->bd = bd->disk;
		rq->offset += bd->start;
		bd = bd->disk;
		err = err ? err : check(bd, rq);
		if (!err)
			account(bd, rq);
	}
	rq->finish = rq->done;
	rq->done = request_done;
	rq->status = err;
	__atomic_fetch_add(&bd->in_flight, 1, __ATOMIC_RELAXED);
	if (err || (rq->op == BLOCK_FLUSH && !bd->can_flush))
		rq->done(rq);
	else
		bd->driver->submit(bd, rq);
}

void block_kick(struct block_device *bd)
{
	bd = bd->disk ? bd->disk : bd;
	if (!bd->gone && bd->driver->kick)
		bd->driver->kick(bd);
}

/* ---- waiting ---- */

void block_batch_init(struct block_batch *b)
{
	spin_init(&b->lock, "block batch");
	waitq_init(&b->wq);
	b->pending = 0;
	b->status = 0;
}

/* The waiter's stack has the batch: it is gone once the lock is free. */
static void batch_done(struct block_request *rq)
{
	struct block_batch *b = rq->arg;

	spin_lock(&b->lock);
	if (rq->status && !b->status)
		b->status = rq->status;
	if (!--b->pending)
		waitq_wake_all(&b->wq);
	spin_unlock(&b->lock);
}

void block_batch_submit(struct block_batch *b, struct block_request *rq)
{
	rq->done = batch_done;
	rq->arg = b;
	spin_lock(&b->lock);
	b->pending++;
	spin_unlock(&b->lock);
	block_submit(rq);
}

int block_batch_wait(struct block_batch *b, struct block_device *bd)
{
	block_kick(bd);
	spin_lock(&b->lock);
	while (b->pending)
		sleep_on(&b->wq, &b->lock, 0, KTIME_NEVER);
	spin_unlock(&b->lock);
	return b->status;
}

static int submit_one(struct block_request *rq)
{
	struct block_device *bd = rq->bd;
	struct block_batch b;

	block_batch_init(&b);
	block_batch_submit(&b, rq);
	return block_batch_wait(&b, bd);
}

/* A part of one sector that is larger than usual. */
static int transfer_part(struct block_device *bd, uint64_t offset, void *buf, size_t n, bool write)
{
	uint64_t start = ROUND_DOWN(offset, (uint64_t)bd->sector);
	char *whole;
	int err;

	if (offset + n > start + bd->sector)
		return -EIO;
	whole = kmalloc(PAGE_SIZE, 0);
	if (!whole)
		return -ENOMEM;
	err = block_transfer(bd, start, whole, bd->sector, false);
	if (!err && write) {
		memcpy(whole + (offset - start), buf, n);
		err = block_transfer(bd, start, whole, bd->sector, true);
	} else if (!err) {
		memcpy(buf, whole + (offset - start), n);
	}
	kfree(whole);
	return err;
}

int block_transfer(struct block_device *bd, uint64_t offset, void *buf, size_t n, bool write)
{
	unsigned max = min(bd->max_vecs, (unsigned)TRANSFER_VECS);
	int err = 0;

	if ((offset | n) % bd->sector)
		return transfer_part(bd, offset, buf, n, write);
	while (n && !err) {
		struct block_vec vecs[TRANSFER_VECS];
		struct block_request rq = {.bd = bd,
					   .op = write ? BLOCK_WRITE : BLOCK_READ,
					   .offset = offset,
					   .vecs = vecs};

		while (n && rq.nr_vecs < max) {
			size_t in_page = PAGE_SIZE - ((uintptr_t)buf & (PAGE_SIZE - 1));
			size_t part = min(n, in_page);

			vecs[rq.nr_vecs++] = (struct block_vec){buf, (uint32_t)part};
			rq.size += part;
			buf = (char *)buf + part;
			n -= part;
		}
		offset += rq.size;
		err = submit_one(&rq);
	}
	return err;
}

int block_flush(struct block_device *bd)
{
	struct block_request rq = {.bd = bd, .op = BLOCK_FLUSH};
	struct block_device *disk = bd->disk ? bd->disk : bd;
	int err;

	disk->unflushed = false;
	err = submit_one(&rq);
	disk->unflushed |= err == -EIO;
	/* No flush although the device said that it has one: then what is written is written. */
	return err == -EOPNOTSUPP ? 0 : err;
}

int block_flush_all(void)
{
	struct block_device *bd;
	int first = 0;

	for (unsigned i = 0; (bd = block_nth(i)); i++) {
		int err = !bd->disk && bd->unflushed ? block_flush(bd) : 0;

		first = first ? first : err;
		block_put(bd);
	}
	return first;
}

int block_discard(struct block_device *bd, uint64_t offset, uint64_t size)
{
	struct block_request rq = {.bd = bd, .op = BLOCK_DISCARD, .offset = offset, .size = size};

	return submit_one(&rq);
}
