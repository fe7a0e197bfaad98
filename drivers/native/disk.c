/* SPDX-License-Identifier: MIT */
/* Names for disks, and their way into the block layer and out of it. See disk.h. */
#include "disk.h"
#include <fs.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>

#define LETTERS 26u
#define MINORS 16u /* of a disk: itself and its partitions */

static spinlock_t lock = SPINLOCK("disks"); /* of names, publishing and published */
static struct waitq settled = WAITQ(settled);
static unsigned nr_publishing;

void disk_nap(ktime_t span)
{
	thread_prepare_sleep();
	thread_sleep(0, clock_now() + span);
}

static int name_take(struct disk_family *family)
{
	int nr = -ENOSPC;

	spin_lock(&lock);
	for (unsigned i = 0; i < LETTERS && nr < 0; i++)
		if (!(family->taken & 1u << i))
			nr = (int)i;
	if (nr >= 0)
		family->taken |= 1u << nr;
	spin_unlock(&lock);
	return nr;
}

static void name_give(struct disk_family *family, unsigned nr)
{
	spin_lock(&lock);
	family->taken &= ~(1u << nr);
	spin_unlock(&lock);
}

struct disk *disk_make(struct disk_family *family, const struct block_driver *driver)
{
	struct disk *disk = kmalloc(sizeof(*disk), ALLOC_ZERO);
	int nr = disk ? name_take(family) : -ENOMEM;

	if (nr < 0) {
		kfree(disk);
		return NULL;
	}
	disk->family = family;
	disk->nr = (unsigned)nr;
	snprintk(disk->bd.name, sizeof(disk->bd.name), "%s%c", family->prefix, 'a' + nr);
	disk->bd.dev = MKDEV(family->major, disk->nr * MINORS);
	disk->bd.driver = driver;
	disk->bd.private = disk;
	return disk;
}

static void publish(void *arg)
{
	struct disk *disk = arg;
	int err = block_register(&disk->bd);

	if (err)
		printk("%s: cannot be registered: %s\n", disk->bd.name, error_text(err));
	spin_lock(&lock);
	disk->published = !err;
	disk->publishing = false;
	nr_publishing--;
	waitq_wake_all(&settled);
	spin_unlock(&lock);
}

int disk_publish(struct disk *disk)
{
	spin_lock(&lock);
	disk->publishing = true;
	nr_publishing++;
	spin_unlock(&lock);
	if (kthread_create(disk->bd.name, publish, disk))
		return 0;
	spin_lock(&lock);
	disk->publishing = false;
	nr_publishing--;
	spin_unlock(&lock);
	return -ENOMEM;
}

void disk_remove(struct disk *disk)
{
	struct disk_family *family = disk->family;
	unsigned nr = disk->nr;

	spin_lock(&lock);
	while (disk->publishing)
		sleep_on(&settled, &lock, 0, KTIME_NEVER);
	spin_unlock(&lock);
	if (disk->published)
		block_unregister(&disk->bd); /* release() frees */
	else
		kfree(disk);
	name_give(family, nr);
}

void disk_settle(ktime_t deadline)
{
	int err = 0;

	spin_lock(&lock);
	while (nr_publishing && !err)
		err = sleep_on(&settled, &lock, 0, deadline);
	spin_unlock(&lock);
}
