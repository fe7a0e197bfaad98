/* SPDX-License-Identifier: MIT */
/*
 * The tree of mounted file systems.
 *
 * A mount covers a directory: covered->mounted leads down to it, mnt->covered back up. Both change
 * under mounts_lock, which is taken with no vnode locked, and is held while a file system is being
 * mounted or written out: a path that crosses a mount point waits then.
 */
#include "internal.h"

#include <printk.h>
#include <string.h>

struct list all_mounts = LIST_INIT(all_mounts);
mutex_t mounts_lock = MUTEX(mounts_lock);
struct vnode *root_vnode;

static struct list fs_types = LIST_INIT(fs_types);
static unsigned next_anonymous; /* minor number for file systems without a device */

void fs_register(struct fs_type *type)
{
	list_add_tail(&fs_types, &type->link);
}

void fs_init(void)
{
	pcache_init();
	ext2_init();
	tmpfs_init();
	devfs_init();
	procfs_init();
}

static const struct fs_type *type_find(const char *name)
{
	struct fs_type *type;

	list_for_each (type, &fs_types, link)
		if (!strcmp(type->name, name))
			return type;
	return NULL;
}

/* The block device that @path names, referenced. */
static int device_of(const char *path, struct block_device **bd)
{
	struct vnode *vn;
	int err = namei(NULL, path, 0, &vn);

	if (err)
		return err;
	if (!S_ISBLK(vn->mode))
		err = -ENOTBLK;
	else if (!(*bd = block_find(vn->rdev)))
		err = -ENXIO;
	vnode_put(vn);
	return err;
}

static struct mount *mount_alloc(const struct fs_type *type, struct block_device *bd,
				 unsigned flags, const char *source, const char *target)
{
	struct mount *mnt = kmalloc(sizeof(*mnt), ALLOC_ZERO);

	if (!mnt)
		return NULL;
	mnt->type = type;
	mnt->flags = flags & ~(unsigned)MS_REMOUNT;
	mnt->dev = bd ? bd->dev : MKDEV(0, ++next_anonymous);
	mnt->bd = bd;
	if (bd && bd->read_only)
		mnt->flags |= MS_RDONLY;
	strlcpy(mnt->source, source, sizeof(mnt->source));
	strlcpy(mnt->target, target, sizeof(mnt->target));
	return mnt;
}

/* Under mounts_lock. @covered NULL: the root. References to @covered and @bd are taken over on
 * success. */
static int mount_do(const struct fs_type *type, struct block_device *bd, struct vnode *covered,
		    const char *source, const char *target, unsigned flags, const char *options)
{
	struct mount *mnt;
	int err;

	if (bd && bd->mounted)
		return -EBUSY;
	mnt = mount_alloc(type, bd, flags, source, target);
	if (!mnt)
		return -ENOMEM;
	err = type->mount(mnt, options);
	if (err) {
		vnode_forget_mount(mnt);
		kfree(mnt);
		return err;
	}
	if (bd)
		bd->mounted = mnt;
	mnt->covered = covered;
	if (covered) {
		mutex_lock(&covered->lock);
		covered->mounted = mnt;
		mutex_unlock(&covered->lock);
	} else {
		root_vnode = vnode_get(mnt->root);
	}
	list_add_tail(&all_mounts, &mnt->link);
	return 0;
}

static struct mount *mount_at(struct vnode *vn)
{
	struct mount *mnt;

	list_for_each (mnt, &all_mounts, link)
		if (mnt->root == vn)
			return mnt;
	return NULL;
}

static int remount(const char *target, unsigned flags)
{
	struct mount *mnt;
	struct vnode *vn;
	int err = namei(NULL, target, 0, &vn);

	if (err)
		return err;
	flags &= ~(unsigned)MS_REMOUNT;
	mutex_lock(&mounts_lock);
	mnt = mount_at(vn);
	if (!mnt)
		err = -EINVAL;
	else if (mnt->type->remount)
		err = mnt->type->remount(mnt, flags);
	if (!err)
		mnt->flags = flags;
	mutex_unlock(&mounts_lock);
	vnode_put(vn);
	return err;
}

/* Absolute path of the mount point for /proc/mounts; what the caller gave if it is too long. */
static void target_path(struct vnode *vn, const char *given, char *buf, size_t size)
{
	if (vnode_path(vn, buf, size) < 0)
		strlcpy(buf, given, size);
}

static int mount_on(const struct fs_type *type, struct block_device *bd, const char *source,
		    const char *target, unsigned flags, const char *options)
{
	char path[sizeof(((struct mount *)NULL)->target)];
	struct vnode *vn;
	int err = namei(NULL, target, 0, &vn);

	if (err)
		return err;
	if (!S_ISDIR(vn->mode)) {
		vnode_put(vn);
		return -ENOTDIR;
	}
	target_path(vn, target, path, sizeof(path));
	mutex_lock(&mounts_lock);
	/* The root of the tree is where every path starts, too late to put something over it. */
	if (vn == root_vnode || vn->mounted)
		err = -EBUSY;
	else if (!vn->nlink)
		err = -ENOENT;
	else
		err = mount_do(type, bd, vn, source, path, flags, options);
	mutex_unlock(&mounts_lock);
	if (err)
		vnode_put(vn);
	return err;
}

int fs_mount(const char *source, const char *target, const char *type, unsigned flags,
	     const char *options)
{
	const struct fs_type *fs = type_find(type);
	struct block_device *bd = NULL;
	int err;

	if (!fs_superuser())
		return -EPERM;
	if (flags & MS_REMOUNT)
		return remount(target, flags);
	if (!fs)
		return -ENODEV;
	if (fs->needs_device) {
		err = device_of(source, &bd);
		if (err)
			return err;
	}
	err = mount_on(fs, bd, source, target, flags, options);
	if (err)
		block_put(bd);
	return err;
}

int fs_mount_root(const char *device, const char *type, unsigned flags)
{
	const struct fs_type *fs = type_find(type);
	struct block_device *bd = NULL;
	char source[32];
	int err;

	if (!fs)
		return -ENODEV;
	if (fs->needs_device) {
		bd = block_find_name(device);
		if (!bd)
			return -ENXIO;
	}
	snprintk(source, sizeof(source), "%s%s", bd ? "/dev/" : "", device);
	mutex_lock(&mounts_lock);
	err = root_vnode ? -EBUSY : mount_do(fs, bd, NULL, source, "/", flags, NULL);
	mutex_unlock(&mounts_lock);
	if (err)
		block_put(bd);
	else
		writeback_start();
	return err;
}

/* ---- sync and unmount ---- */

int mount_sync(struct mount *mnt)
{
	int first = vnodes_write_back(mnt);
	int err = mnt->type->sync ? mnt->type->sync(mnt) : 0;

	return first ? first : err;
}

static void detach(struct mount *mnt)
{
	list_del(&mnt->link);
	mutex_lock(&mnt->covered->lock);
	mnt->covered->mounted = NULL;
	mutex_unlock(&mnt->covered->lock);
	vnode_put(mnt->root);
	vnode_forget_mount(mnt);
	if (mnt->type->unmount)
		mnt->type->unmount(mnt);
	if (mnt->bd)
		mnt->bd->mounted = NULL;
	block_put(mnt->bd);
}

int fs_unmount(const char *target, unsigned flags)
{
	struct vnode *vn, *covered = NULL;
	struct mount *mnt;
	int err;

	if (!fs_superuser())
		return -EPERM;
	if (flags)
		return -EINVAL;
	err = namei(NULL, target, 0, &vn);
	if (err)
		return err;
	mutex_lock(&mounts_lock);
	mnt = mount_at(vn);
	vnode_put(vn);
	if (!mnt)
		err = -EINVAL;
	else if (!mnt->covered)
		err = -EBUSY;
	else if (vnode_mount_busy(mnt))
		err = -EBUSY;
	else if (mount_sync(mnt))
		printk("%s: unmounted, not all of it was written\n", mnt->source);
	if (!err) {
		covered = mnt->covered;
		detach(mnt);
		kfree(mnt);
	}
	mutex_unlock(&mounts_lock);
	vnode_put(covered);
	return err;
}

int fs_sync(void)
{
	struct mount *mnt;
	int first = pcache_sync_all(), err;

	mutex_lock(&mounts_lock);
	list_for_each (mnt, &all_mounts, link) {
		err = mnt->type->sync ? mnt->type->sync(mnt) : 0;
		if (err && !first)
			first = err;
	}
	mutex_unlock(&mounts_lock);
	err = block_flush_all();
	return first ? first : err;
}

void fs_shutdown(void)
{
	struct mount *mnt;

	fs_sync();
	mutex_lock(&mounts_lock);
	list_for_each (mnt, &all_mounts, link) {
		if (mount_readonly(mnt) || !mnt->type->remount)
			continue;
		if (mnt->type->remount(mnt, mnt->flags | MS_RDONLY))
			printk("%s: not left clean\n", mnt->source);
		mnt->flags |= MS_RDONLY;
	}
	mutex_unlock(&mounts_lock);
}

/* ---- crossing, information ---- */

struct vnode *mount_cross(struct vnode *vn)
{
	mutex_lock(&mounts_lock);
	while (vn->mounted) {
		struct vnode *root = vnode_get(vn->mounted->root);

		vnode_put(vn); /* not the last: the mount has one */
		vn = root;
	}
	mutex_unlock(&mounts_lock);
	return vn;
}

int vnode_statfs(struct vnode *vn, struct parvix_statfs *st)
{
	struct mount *mnt = vn->mount;

	*st = (struct parvix_statfs){.f_bsize = PAGE_SIZE, .f_namelen = NAME_MAX};
	if (!mnt)
		return -ENOSYS;
	st->f_flags = mnt->flags;
	st->f_fsid = mnt->dev;
	strlcpy(st->f_fstypename, mnt->type->name, sizeof(st->f_fstypename));
	return mnt->type->statfs ? mnt->type->statfs(mnt, st) : 0;
}

size_t mounts_describe(char *buf, size_t size)
{
	struct mount *mnt;
	size_t n = 0;

	mutex_lock(&mounts_lock);
	list_for_each (mnt, &all_mounts, link) {
		size_t left = size - n;
		int r = snprintk(buf + n, left, "%s %s %s %s 0 0\n", mnt->source, mnt->target,
				 mnt->type->name, mount_readonly(mnt) ? "ro" : "rw");

		if (r < 0 || (size_t)r >= left)
			break;
		n += (size_t)r;
	}
	mutex_unlock(&mounts_lock);
	return n;
}

size_t filesystems_describe(char *buf, size_t size)
{
	struct fs_type *type;
	size_t n = 0;

	list_for_each (type, &fs_types, link)
		if (size - n > 64)
			n += snprintk(buf + n, size - n, "%s\t%s\n",
				      type->needs_device ? "" : "nodev", type->name);
	return n;
}
