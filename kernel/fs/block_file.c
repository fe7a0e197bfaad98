/* SPDX-License-Identifier: MIT */
/*
 * /dev/NAME: the bytes of a block device, past all caches.
 *
 * Reads and writes go to the device each time, in whole sectors, through pages of this call's own;
 * so they can never disagree with what a mounted file system keeps in its caches of metadata and
 * file pages, except for what is not written yet: opening the device writes that out. A device with
 * a mounted file system is not opened for writing.
 *
 * A call of many bytes is cut into as many requests as the driver's limit asks for, all submitted
 * before the first is waited for.
 */
#include "internal.h"

#include <parvix/blkdev.h>
#include <printk.h>
#include <string.h>
#include <usercopy.h>

#define CHUNK_PAGES 256u /* at once; 1 MiB */

/* Read-change-write of part of a sector, by one at a time. Writes of whole sectors do without: who
 * mixes the two on the same sector has no order between them to rely on. */
static mutex_t raw_lock = MUTEX(raw_lock);
static const struct file_ops block_file_ops;

int block_open(struct file *f)
{
	struct block_device *bd = block_find(f->vnode->rdev);
	bool write = (f->flags & O_ACCMODE) != O_RDONLY;
	int err = 0;

	if (!bd)
		return -ENXIO;
	if (write && bd->read_only)
		err = -EROFS;
	mutex_lock(&mounts_lock);
	if (bd->mounted && !err)
		err = write ? -EBUSY : mount_sync(bd->mounted);
	mutex_unlock(&mounts_lock);
	if (err) {
		block_put(bd);
		return err;
	}
	f->ops = &block_file_ops;
	f->private = bd;
	return 0;
}

static void raw_release(struct file *f)
{
	block_put(f->private);
}

/* The memory of one chunk: pages, and requests over them. */
struct raw {
	struct block_device *bd;
	uint64_t start; /* on the device; whole sectors */
	size_t size;
	unsigned nr_vecs;
	struct block_vec vecs[CHUNK_PAGES];
	struct block_request rqs[]; /* CHUNK_PAGES / bd->max_vecs */
};

static void raw_free(struct raw *raw)
{
	while (raw->nr_vecs)
		page_put(pfn_page(va_pfn(raw->vecs[--raw->nr_vecs].va)));
	kfree(raw);
}

/* For up to @n bytes, fewer if there is little memory. */
static struct raw *raw_alloc(struct block_device *bd, size_t n)
{
	unsigned want = (unsigned)min(DIV_ROUND_UP(n, PAGE_SIZE) + 1, (size_t)CHUNK_PAGES);
	unsigned rqs = DIV_ROUND_UP(want, min(bd->max_vecs, CHUNK_PAGES));
	struct raw *raw = kmalloc(sizeof(*raw) + rqs * sizeof(raw->rqs[0]), 0);
	struct page *pg;

	if (!raw)
		return NULL;
	raw->bd = bd;
	raw->nr_vecs = 0;
	while (raw->nr_vecs < want && (pg = page_alloc(0, ALLOC_USER)))
		raw->vecs[raw->nr_vecs++].va = page_va(pg);
	if (raw->nr_vecs)
		return raw;
	kfree(raw);
	return NULL;
}

static int raw_transfer(struct raw *raw, bool write)
{
	unsigned max = min(raw->bd->max_vecs, CHUNK_PAGES);
	uint64_t done = 0;
	struct block_batch b;

	block_batch_init(&b);
	for (unsigned r = 0; done < raw->size; r++) {
		struct block_request *rq = &raw->rqs[r];

		*rq = (struct block_request){.bd = raw->bd,
					     .op = write ? BLOCK_WRITE : BLOCK_READ,
					     .offset = raw->start + done,
					     .vecs = &raw->vecs[r * max]};
		for (; rq->nr_vecs < max && done < raw->size; rq->nr_vecs++) {
			uint32_t n = (uint32_t)min(raw->size - done, (uint64_t)PAGE_SIZE);

			raw->vecs[r * max + rq->nr_vecs].len = n;
			rq->size += n;
			done += n;
		}
		block_batch_submit(&b, rq);
	}
	return block_batch_wait(&b, raw->bd);
}

/* Bytes [in, in + n) of the chunk from or to the caller. */
static ssize_t raw_copy(struct raw *raw, struct uio *uio, size_t in, size_t n, bool write)
{
	size_t done = 0;

	while (done < n) {
		size_t at = (in + done) & (PAGE_SIZE - 1), part = min(n - done, PAGE_SIZE - at);
		char *va = (char *)raw->vecs[(in + done) >> PAGE_SHIFT].va + at;
		ssize_t r = write ? uio_from(uio, va, part) : uio_to(uio, va, part);

		if (r < 0)
			return r;
		done += part;
	}
	return (ssize_t)n;
}

/* One chunk; returns how many bytes of it are the caller's. */
static ssize_t raw_part(struct raw *raw, struct uio *uio, uint64_t pos, bool write)
{
	struct block_device *bd = raw->bd;
	size_t in = pos & (bd->sector - 1), n, room = raw->nr_vecs * PAGE_SIZE - in;
	ssize_t r = 0;

	n = min(uio->resid, room);
	n = min(n, READ_ONCE(bd->size) - pos);
	raw->start = pos - in;
	raw->size = ROUND_UP(in + n, (size_t)bd->sector);
	/* A write of part of a sector keeps the rest of it. */
	if (!write || raw->size != n)
		r = raw_transfer(raw, false);
	if (!r)
		r = raw_copy(raw, uio, in, n, write);
	if (r > 0 && write) {
		int err = raw_transfer(raw, true);

		if (err)
			r = err;
	}
	return r;
}

static ssize_t raw_move(struct file *f, struct uio *uio, uint64_t *pos, bool write)
{
	struct block_device *bd = f->private;
	ssize_t r = 0, done = 0;
	struct raw *raw;

	if ((f->flags & O_DIRECT) && (*pos | uio->resid) % bd->sector)
		return -EINVAL;
	raw = raw_alloc(bd, uio->resid);
	if (!raw)
		return -ENOMEM;
	while (uio->resid && *pos < READ_ONCE(bd->size)) {
		bool change = write && ((*pos | uio->resid) & (bd->sector - 1));

		if (change)
			mutex_lock(&raw_lock);
		r = raw_part(raw, uio, *pos, write);
		if (change)
			mutex_unlock(&raw_lock);
		if (r <= 0)
			break;
		*pos += (uint64_t)r;
		done += r;
		sched_relax();
	}
	raw_free(raw);
	if (write && !done && !r && uio->resid)
		return -ENOSPC;
	return done ? done : r;
}

static ssize_t raw_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	return raw_move(f, uio, pos, false);
}

static ssize_t raw_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	return raw_move(f, uio, pos, true);
}

static off_t raw_size(struct file *f)
{
	struct block_device *bd = f->private;

	return (off_t)bd->size;
}

static int raw_sync(struct file *f)
{
	return block_flush(f->private);
}

static int discard(struct file *f, uaddr_t arg)
{
	uint64_t range[2];

	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (copy_from_user(range, arg, sizeof(range)))
		return -EFAULT;
	return block_discard(f->private, range[0], range[1]);
}

static int flush_all(struct block_device *bd)
{
	int err = 0, err2;

	mutex_lock(&mounts_lock);
	if (bd->mounted)
		err = mount_sync(bd->mounted);
	mutex_unlock(&mounts_lock);
	err2 = block_flush(bd);
	return err ? err : err2;
}

static int raw_ioctl(struct file *f, unsigned long req, uaddr_t arg)
{
	struct block_device *bd = f->private;
	uint64_t value;
	size_t n = sizeof(int);

	switch (req) {
	case BLKROGET:
		value = bd->read_only;
		break;
	case BLKSSZGET:
		value = bd->sector;
		break;
	case BLKGETSIZE:
	case BLKGETSIZE64:
		value = READ_ONCE(bd->size) / (req == BLKGETSIZE ? SECTOR_SIZE : 1);
		n = sizeof(value);
		break;
	case BLKFLSBUF:
		return flush_all(bd);
	case BLKRRPART:
		return fs_superuser() ? block_rescan(bd) : -EACCES;
	case BLKDISCARD:
		return discard(f, arg);
	default:
		return -ENOTTY;
	}
	return copy_to_user(arg, &value, n);
}

static const struct file_ops block_file_ops = {.read = raw_read,
					       .write = raw_write,
					       .size = raw_size,
					       .sync = raw_sync,
					       .ioctl = raw_ioctl,
					       .release = raw_release};

/* ---- /proc/partitions, /proc/diskstats ---- */

size_t partitions_describe(char *buf, size_t size)
{
	size_t n = (size_t)snprintk(buf, size, "major minor  #blocks  name\n\n");
	struct block_device *bd;

	for (unsigned i = 0; size - n > 128 && (bd = block_nth(i)); i++) {
		n += (size_t)snprintk(buf + n, size - n, "%4lu %7lu %10lu %s\n", bd->dev >> 20,
				      bd->dev & 0xfffff, bd->size / 1024, bd->name);
		block_put(bd);
	}
	return n;
}

size_t diskstats_describe(char *buf, size_t size)
{
	struct block_device *bd;
	size_t n = 0;

	/* Linux's columns; what is not measured is 0: merges, times. */
	for (unsigned i = 0; size - n > 256 && (bd = block_nth(i)); i++) {
		const uint64_t *c = bd->count, *b = bd->bytes;

		n += (size_t)snprintk(
			buf + n, size - n,
			"%4lu %7lu %s %lu 0 %lu 0 %lu 0 %lu 0 %u 0 0 %lu 0 %lu 0 %lu 0\n",
			bd->dev >> 20, bd->dev & 0xfffff, bd->name, c[BLOCK_READ],
			b[BLOCK_READ] / SECTOR_SIZE, c[BLOCK_WRITE], b[BLOCK_WRITE] / SECTOR_SIZE,
			READ_ONCE(bd->in_flight), c[BLOCK_DISCARD], b[BLOCK_DISCARD] / SECTOR_SIZE,
			c[BLOCK_FLUSH]);
		block_put(bd);
	}
	return n;
}
