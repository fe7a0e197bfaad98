/* SPDX-License-Identifier: MIT */
/*
 * Block devices: a table of them by number and name, and their files in /dev.
 *
 * A driver gives transfer(); everybody else calls block_transfer(), which checks the range and says
 * on the console which sectors of which device failed.
 *
 * A device's own file has no page cache. Reads and writes go through a small buffer to the device
 * each time, in whole sectors; so they can never disagree with what a mounted file system keeps in
 * its caches of metadata and file pages, except for what is not written yet: opening the device
 * writes that out. A device with a mounted file system is not opened for writing.
 */
#include "internal.h"

#include <printk.h>
#include <string.h>

#define SECTOR 512ul
#define BOUNCE (4 * PAGE_SIZE)

static struct list devices = LIST_INIT(devices);
static spinlock_t devices_lock = SPINLOCK("block devices");
static mutex_t raw_lock = MUTEX(raw_lock); /* read-change-write of part of a sector */

int block_register(struct block_device *bd)
{
	struct vnode *vn;

	if (!bd->transfer || !bd->size || bd->size % SECTOR || bd->size > INT64_MAX)
		return -EINVAL;
	if (block_find(bd->dev) || block_find_name(bd->name))
		return -EEXIST;
	vn = vnode_alloc(NULL, 0);
	if (!vn)
		return -ENOMEM;
	vn->mode = S_IFBLK | 0600;
	vn->nlink = 1;
	vn->rdev = bd->dev;
	vn->state = VN_READY;
	bd->vnode = vn;
	spin_lock(&devices_lock);
	list_add_tail(&devices, &bd->link);
	spin_unlock(&devices_lock);
	return 0;
}

struct block_device *block_find(dev_t dev)
{
	struct block_device *bd, *found = NULL;

	spin_lock(&devices_lock);
	list_for_each (bd, &devices, link)
		if (bd->dev == dev)
			found = bd;
	spin_unlock(&devices_lock);
	return found;
}

struct block_device *block_find_name(const char *name)
{
	struct block_device *bd, *found = NULL;

	if (!strncmp(name, "/dev/", 5))
		name += 5;
	spin_lock(&devices_lock);
	list_for_each (bd, &devices, link)
		if (!strcmp(bd->name, name))
			found = bd;
	spin_unlock(&devices_lock);
	return found;
}

struct block_device *block_nth(unsigned n)
{
	struct block_device *bd, *found = NULL;

	spin_lock(&devices_lock);
	list_for_each (bd, &devices, link)
		if (n-- == 0)
			found = bd;
	spin_unlock(&devices_lock);
	return found;
}

int block_transfer(struct block_device *bd, uint64_t offset, void *buf, size_t n, bool write)
{
	int err;

	if (offset > bd->size || n > bd->size - offset || (offset | n) % SECTOR)
		err = -EIO;
	else if (write && bd->read_only)
		err = -EROFS;
	else
		err = bd->transfer(bd, offset, buf, n, write);
	if (err)
		printk("%s: %s of sectors %llu to %llu failed: error %d\n", bd->name,
		       write ? "write" : "read", (unsigned long long)(offset / SECTOR),
		       (unsigned long long)((offset + n) / SECTOR) - 1, -err);
	return err;
}

/* ---- /dev/NAME ---- */

int block_open(struct file *f)
{
	struct block_device *bd = block_find(f->vnode->rdev);
	bool write = (f->flags & O_ACCMODE) != O_RDONLY;
	int err = 0;

	if (!bd)
		return -ENXIO;
	if (write && bd->read_only)
		return -EROFS;
	f->ops = &block_file_ops;
	f->private = bd;
	mutex_lock(&mounts_lock);
	if (bd->mounted)
		err = write ? -EBUSY : mount_sync(bd->mounted);
	mutex_unlock(&mounts_lock);
	return err;
}

/* One stretch through @buf; returns how many bytes of [pos, end of stretch) are the caller's. */
static ssize_t raw_part(struct block_device *bd, struct uio *uio, uint64_t pos, char *buf,
			bool write)
{
	uint64_t start = ROUND_DOWN(pos, SECTOR);
	size_t in = pos - start, n = min(uio->resid, BOUNCE - in);
	size_t whole;
	ssize_t r = 0;

	n = min(n, bd->size - pos);
	whole = ROUND_UP(in + n, SECTOR);
	/* A write of part of a sector keeps the rest of it. */
	if (!write || in || whole != n)
		r = block_transfer(bd, start, buf, whole, false);
	if (!r)
		r = write ? uio_from(uio, buf + in, n) : uio_to(uio, buf + in, n);
	if (r > 0 && write) {
		int err = block_transfer(bd, start, buf, whole, true);

		if (err)
			r = err;
	}
	return r;
}

static ssize_t raw_move(struct file *f, struct uio *uio, uint64_t *pos, bool write)
{
	struct block_device *bd = f->private;
	ssize_t r = 0, done = 0;
	char *buf = kmalloc(BOUNCE, 0);

	if (!buf)
		return -ENOMEM;
	while (uio->resid && *pos < bd->size) {
		if (write)
			mutex_lock(&raw_lock);
		r = raw_part(bd, uio, *pos, buf, write);
		if (write)
			mutex_unlock(&raw_lock);
		if (r <= 0)
			break;
		*pos += (uint64_t)r;
		done += r;
		sched_relax();
	}
	kfree(buf);
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
	struct block_device *bd = f->private;

	return bd->flush ? bd->flush(bd) : 0;
}

const struct file_ops block_file_ops = {
	.read = raw_read, .write = raw_write, .size = raw_size, .sync = raw_sync};
