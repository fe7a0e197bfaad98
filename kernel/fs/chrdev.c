/* SPDX-License-Identifier: MIT */
/*
 * Character devices by number. A driver registers one; its node appears in /dev (devfs reads the
 * list), and nodes with that number on any other file system lead to it as well.
 *
 * Devices come and stay in the list, which gives /dev its inode numbers; one that can be unplugged
 * is marked absent meanwhile.
 */
#include <fs.h>
#include <lock.h>
#include <proc.h>

static struct list devices = LIST_INIT(devices);
static spinlock_t devices_lock = SPINLOCK("chrdev");

void chrdev_register(struct char_device *cd)
{
	spin_lock(&devices_lock);
	list_add_tail(&devices, &cd->link);
	spin_unlock(&devices_lock);
}

struct char_device *chrdev_find(dev_t dev)
{
	struct char_device *cd, *found = NULL;

	spin_lock(&devices_lock);
	list_for_each (cd, &devices, link) {
		if (cd->dev == dev && !cd->absent) {
			found = cd;
			break;
		}
	}
	spin_unlock(&devices_lock);
	return found;
}

struct char_device *chrdev_nth(unsigned n)
{
	struct char_device *cd, *found = NULL;

	spin_lock(&devices_lock);
	list_for_each (cd, &devices, link) {
		if (n-- == 0) {
			found = cd;
			break;
		}
	}
	spin_unlock(&devices_lock);
	return found;
}
