/* SPDX-License-Identifier: MIT */
/*
 * Block devices (kernel/fs/block*.c): between file systems and drivers.
 *
 *   page cache, buffers, /dev/xvda --block_submit()--> driver->submit() ... driver->kick()
 *                                  <--rq->done()--    interrupt or thread of the driver
 *
 * A request is a list of pieces of memory for one stretch of the device. Whoever has several
 * submits them all and kicks once: the driver tells its device then, once. Nobody waits for one
 * request before submitting the next, unless order matters: a device completes requests in any
 * order; what must be on the medium before something else is written is waited for, and then
 * flushed.
 */
#ifndef BLOCK_H
#define BLOCK_H

#include <list.h>
#include <lock.h>
#include <types.h>

#define SECTOR_SIZE 512u /* the unit of all sizes on the wire; devices may ask for larger ones */
#define BLOCK_VECS_MAX 256

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD };

/* Memory inside one page; address and length are multiples of 512. */
struct block_vec {
	void *va; /* in the direct map */
	uint32_t len;
};

struct block_request {
	struct list link; /* whose turn it is owns it: caller, then driver */
	struct block_device *bd;
	enum block_op op;
	bool fua;        /* BLOCK_WRITE: on the medium when done, not only in its cache */
	uint64_t offset; /* bytes, of @bd as submitted; block_submit() turns a partition's into the
			    disk's */
	uint64_t size;   /* bytes: sum of vecs, or what to discard; 0 for a flush */
	const struct block_vec *vecs; /* stay valid until done */
	unsigned nr_vecs;             /* at most bd->max_vecs */
	/* Called once, with rq->status set; in any context, interrupts too: takes spinlocks only.
	 */
	void (*done)(struct block_request *rq);
	int status; /* 0, -EIO, -ENODEV (unplugged), -EROFS, -EOPNOTSUPP (flush, discard) */
	void *arg;  /* the caller's */
	void (*finish)(struct block_request *rq); /* the block layer's: the caller's done() */
	void *driver[2];                          /* the driver's while it has it */
};

struct block_device;
struct block_driver {
	/*
	 * Take the request: it is in range, its memory well formed, the device writable if it
	 * writes. Never sleeps and never refuses: what does not fit the ring waits in the driver.
	 * Errors go to done(), which may be called from in here. A late one may come after
	 * block_unregister(), until release().
	 */
	void (*submit)(struct block_device *bd, struct block_request *rq);
	/* Tell the device of all that was submitted, with one notification at most. */
	void (*kick)(struct block_device *bd);
	/* A user of the disk or of a partition has gone: block_busy() may be false now. Called with
	 * a spinlock held; NULL: nothing to do. */
	void (*unused)(struct block_device *bd);
	/* The last user of a device that was unregistered has gone: free it. May sleep; NULL:
	 * nothing to do. */
	void (*release)(struct block_device *bd);
};

struct mount;
struct block_device {
	/* Set by the driver before block_register() and constant while registered, but for @size:
	 */
	char name[16]; /* below /dev */
	dev_t dev;
	uint64_t size; /* bytes; block_resized() changes it */
	bool read_only, removable;
	unsigned sector;   /* smallest unit that the device can write: 512 .. 4096 */
	unsigned max_vecs; /* of a request; at least 1 */
	bool can_flush;    /* it has a cache; else a flush is done at once */
	bool can_discard;
	uint32_t discard_align; /* bytes */
	const struct block_driver *driver;
	void *private;
	/* Partitions: the disk and where it starts on it; NULL, 0 for a whole disk. */
	struct block_device *disk;
	uint64_t start;

	/* The block layer's own: */
	struct list link;
	unsigned refs;
	unsigned serial;             /* never used again: inode number in /dev */
	volatile bool gone;          /* unregistered: every new request ends with -ENODEV */
	struct mount *mounted;       /* the file system on it; mounts_lock */
	uint64_t count[4], bytes[4]; /* by enum block_op, for /proc/diskstats */
	unsigned in_flight;          /* of a whole disk, its partitions' too */
	volatile bool unflushed;     /* a whole disk: written to since the last flush */
	ktime_t complained;          /* when the last lines about errors began */
	unsigned complaints;
};

/* Publish the disk and look for partitions on it (reads it: sleeps). The name and its partitions'
 * appear together. -EEXIST, -EINVAL, -ENOMEM. */
int block_register(struct block_device *bd);
/*
 * The device is gone, its partitions too: their names go at once, new requests fail with -ENODEV;
 * the driver ends those in flight itself. release() follows when nobody uses it any more, perhaps
 * before the return. May sleep.
 */
void block_unregister(struct block_device *bd);
/* Read the partition table again. -EBUSY: one of the partitions is in use. */
int block_rescan(struct block_device *bd);
void block_resized(struct block_device *bd, uint64_t size);
static inline bool block_gone(const struct block_device *bd)
{
	return bd->gone || (bd->disk && bd->disk->gone);
}
/* In use: it or one of its partitions is mounted or open. */
bool block_busy(struct block_device *bd);

/* Checks the range, counts, hands it to the driver. Never sleeps; errors come through done(), with
 * a line on the console that says which sectors of which disk (not too many of them). */
void block_submit(struct block_request *rq);
void block_kick(struct block_device *bd);

/* Requests that are waited for together: done and arg are the batch's. */
struct block_batch {
	spinlock_t lock;
	struct waitq wq;
	unsigned pending;
	int status; /* the first error */
};
void block_batch_init(struct block_batch *b);
void block_batch_submit(struct block_batch *b, struct block_request *rq);
/* Kicks @bd and sleeps until all are done; their first error. */
int block_batch_wait(struct block_batch *b, struct block_device *bd);

/* Kernel memory, waited for: @buf in the direct map, 512-byte aligned. Whole sectors, or a part of
 * one. 0 or -errno. */
int block_transfer(struct block_device *bd, uint64_t offset, void *buf, size_t n, bool write);
int block_flush(struct block_device *bd);
int block_flush_all(void); /* those that need it: what was written to /dev/NAME; first error */
int block_discard(struct block_device *bd, uint64_t offset, uint64_t size);

/* Referenced; NULL: there is none. A name may begin with "/dev/". */
struct block_device *block_find(dev_t dev);
struct block_device *block_find_name(const char *name);
/* In the order of registration; NULL behind the last. */
struct block_device *block_nth(unsigned n);
void block_put(struct block_device *bd);
/* The first one of @names, separated by spaces; sleeps until one has come or @deadline (monotonic)
 * has. */
struct block_device *block_await(const char *names, ktime_t deadline);

/* /dev/NAME (block_file.c): f->private is the referenced struct block_device. */
struct file;
int block_open(struct file *f);
/* /proc/diskstats: the columns are in docs/proc.md. */
size_t partitions_describe(char *buf, size_t size); /* /proc/partitions, as Linux's */
size_t diskstats_describe(char *buf, size_t size);
int ramdisk_init(pfn_t first, unsigned long size); /* /dev/ram0 */

#endif
