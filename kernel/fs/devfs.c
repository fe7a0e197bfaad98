/* SPDX-License-Identifier: MIT */
/*
 * devfs: /dev. One flat directory, made on the fly from what the kernel has: a few fixed links,
 * then the character devices, then the block devices. Nothing is created or removed by hand; owner
 * and mode can be changed and hold as long as the file system is mounted, because it keeps a
 * reference to each vnode that was ever looked up.
 *
 * An inode number says which list an entry is from, and its place in it or its serial number.
 */
#include "internal.h"

#include <machine.h>
#include <string.h>

#define DEVFS_MAGIC 0x1373
#define INO_ROOT 1
#define INO_LINK 0x100
#define INO_CHR 0x200
#define INO_BLK 0x1000 /* and its serial number: never that of one that was there before */
#define PER_KIND 0x100
#define MAX_KEPT 96

static const struct {
	const char *name, *target;
} links[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
};

struct devfs {
	mutex_t lock;
	struct vnode *kept[MAX_KEPT];
	unsigned nr_kept;
	struct parvix_timespec made;
};

struct dev_entry {
	const char *name;
	char block_name[16]; /* the device itself may go at any time */
	ino_t ino;
	mode_t mode;
	dev_t rdev;
	const char *target;
};

/* Entry @n of the whole directory; false behind the last. */
static bool entry_at(unsigned n, struct dev_entry *e)
{
	struct char_device *cd;
	struct block_device *bd;
	unsigned i = n;

	*e = (struct dev_entry){.name = NULL};
	if (i < ARRAY_SIZE(links)) {
		*e = (struct dev_entry){.name = links[i].name,
					.ino = INO_LINK + i,
					.mode = S_IFLNK | 0777,
					.target = links[i].target};
		return true;
	}
	i -= ARRAY_SIZE(links);
	for (unsigned c = 0; c < PER_KIND && (cd = chrdev_nth(c)); c++) {
		if (cd->absent || i-- > 0)
			continue;
		*e = (struct dev_entry){.name = cd->name,
					.ino = INO_CHR + c,
					.mode = S_IFCHR | cd->mode,
					.rdev = cd->dev};
		return true;
	}
	if (i < PER_KIND && (bd = block_nth(i))) {
		*e = (struct dev_entry){.name = e->block_name,
					.ino = INO_BLK + bd->serial,
					.mode = S_IFBLK | (bd->read_only ? 0400 : 0600),
					.rdev = bd->dev};
		strlcpy(e->block_name, bd->name, sizeof(e->block_name));
		block_put(bd);
		return true;
	}
	return false;
}

static ssize_t devfs_readlink(struct vnode *vn, char *buf, size_t size)
{
	const char *target = links[vn->ino - INO_LINK].target;
	size_t n = min(strlen(target), size);

	memcpy(buf, target, n);
	return n;
}

static const struct vnode_ops node_ops = {
	.readlink = devfs_readlink,
};

/* Devices that were pulled out, once a new one comes. */
static void drop_gone(struct devfs *fs)
{
	for (unsigned i = fs->nr_kept; i-- > 0;) {
		struct vnode *vn = fs->kept[i];
		struct block_device *bd = S_ISBLK(vn->mode) ? block_find(vn->rdev) : NULL;

		if (S_ISBLK(vn->mode) && (!bd || INO_BLK + bd->serial != vn->ino)) {
			fs->kept[i] = fs->kept[--fs->nr_kept];
			vnode_put(vn);
		}
		block_put(bd);
	}
}

/* The vnode of @e, referenced; made, and kept, at the first time. */
static int entry_vnode(struct mount *mnt, const struct dev_entry *e, struct vnode **out)
{
	struct devfs *fs = mnt->private;
	struct vnode *vn;
	bool fresh;
	int err = vnode_find(mnt, e->ino, &vn, &fresh);

	if (err)
		return err;
	if (fresh) {
		vn->ops = &node_ops;
		vn->mode = e->mode;
		vn->rdev = e->rdev;
		vn->nlink = 1;
		vn->size = e->target ? strlen(e->target) : 0;
		vn->atime = vn->mtime = vn->ctime = fs->made;
		mutex_lock(&fs->lock);
		drop_gone(fs);
		if (fs->nr_kept < MAX_KEPT)
			fs->kept[fs->nr_kept++] = vnode_get(vn);
		mutex_unlock(&fs->lock);
		vnode_ready(vn);
	}
	*out = vn;
	return 0;
}

static int devfs_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	struct dev_entry e;

	for (unsigned n = 0; entry_at(n, &e); n++)
		if (strlen(e.name) == len && memcmp(e.name, name, len) == 0)
			return entry_vnode(dir->mount, &e, out);
	return -ENOENT;
}

static unsigned dirent_type(mode_t mode)
{
	return S_ISCHR(mode) ? DT_CHR : S_ISBLK(mode) ? DT_BLK : DT_LNK;
}

static int devfs_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	struct dev_entry e;

	for (; *pos < 2; ++*pos)
		if (!sink->put(sink, "..", *pos + 1, dir->ino, DT_DIR, *pos + 1))
			return 0;
	for (; *pos - 2 < PER_KIND * 3 && entry_at(*pos - 2, &e); ++*pos)
		if (!sink->put(sink, e.name, strlen(e.name), e.ino, dirent_type(e.mode), *pos + 1))
			return 0;
	return 0;
}

static const struct vnode_ops root_ops = {
	.lookup = devfs_lookup,
	.readdir = devfs_readdir,
};

static int devfs_mount(struct mount *mnt, const char *options)
{
	struct devfs *fs = kmalloc(sizeof(*fs), ALLOC_ZERO);
	struct vnode *root;
	bool fresh;
	int err;

	(void)options;
	if (!fs)
		return -ENOMEM;
	mutex_init(&fs->lock, "devfs");
	fs->made = time_wall();
	mnt->private = fs;
	err = vnode_find(mnt, INO_ROOT, &root, &fresh);
	if (err) {
		kfree(fs);
		return err;
	}
	root->ops = &root_ops;
	root->mode = S_IFDIR | 0755;
	root->nlink = 2;
	root->atime = root->mtime = root->ctime = fs->made;
	vnode_ready(root);
	mnt->root = root;
	return 0;
}

static bool devfs_busy(struct mount *mnt)
{
	struct devfs *fs = mnt->private;
	bool busy = false;

	mutex_lock(&fs->lock);
	for (unsigned i = 0; i < fs->nr_kept; i++)
		busy |= fs->kept[i]->refs > 1;
	mutex_unlock(&fs->lock);
	return busy;
}

static void devfs_unmount(struct mount *mnt)
{
	struct devfs *fs = mnt->private;

	while (fs->nr_kept > 0)
		vnode_put(fs->kept[--fs->nr_kept]);
	kfree(fs);
}

static int devfs_statfs(struct mount *mnt, struct parvix_statfs *st)
{
	(void)mnt;
	st->f_type = DEVFS_MAGIC;
	st->f_bsize = PAGE_SIZE;
	st->f_namelen = NAME_MAX;
	return 0;
}

static struct fs_type devfs_type = {
	.name = "devfs",
	.mount = devfs_mount,
	.unmount = devfs_unmount,
	.busy = devfs_busy,
	.statfs = devfs_statfs,
};

void devfs_init(void)
{
	memdev_init();
	fs_register(&devfs_type);
}
