/* SPDX-License-Identifier: MIT */
/*
 * devfs: /dev. Made on the fly from what the kernel has: a few fixed links and directories, then
 * the character devices, then the block devices. A device whose name is DIR/NAME is in that
 * directory. Nothing is created or removed by hand; owner and mode can be changed and hold as long
 * as the file system is mounted, because it keeps a reference to each vnode that was ever looked
 * up.
 *
 * An inode number says which list an entry is from, and its place in it or its serial number.
 */
#include "internal.h"

#include <machine.h>
#include <string.h>

#define DEVFS_MAGIC 0x1373
#define INO_ROOT 1
#define INO_DIR 0x80
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

/* pts: slaves of pseudo-terminals. shm: for a tmpfs to be mounted on. */
static const char *const dirs[] = {"pts", "shm"};

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
	uid_t uid;
	gid_t gid;
	dev_t rdev;
	const char *target;
};

/* The name of @cd within directory @dir (NULL: the root); NULL if it is not in it. */
static const char *name_in(const struct char_device *cd, const char *dir)
{
	const char *slash = strchr(cd->name, '/');
	size_t len = slash ? slash - cd->name : 0;

	if (!dir)
		return slash ? NULL : cd->name;
	return len == strlen(dir) && memcmp(cd->name, dir, len) == 0 ? slash + 1 : NULL;
}

/* Of the @i-th device that is there, in the list's order; and *@i less one for each passed. */
static bool chrdev_entry(const char *dir, unsigned *i, struct dev_entry *e)
{
	struct char_device *cd;

	for (unsigned c = 0; c < PER_KIND && (cd = chrdev_nth(c)); c++) {
		const char *name = cd->absent ? NULL : name_in(cd, dir);

		if (!name || (*i)-- > 0)
			continue;
		*e = (struct dev_entry){.name = name,
					.ino = INO_CHR + c + ((ino_t)cd->serial << 32),
					.mode = S_IFCHR | cd->mode,
					.uid = cd->uid,
					.gid = cd->gid,
					.rdev = cd->dev};
		return true;
	}
	return false;
}

/* Entry @n of directory @dir, NULL: the root; false behind the last. */
static bool entry_at(const char *dir, unsigned n, struct dev_entry *e)
{
	struct block_device *bd;
	unsigned i = n;

	*e = (struct dev_entry){.name = NULL};
	if (dir)
		return chrdev_entry(dir, &i, e);
	if (i < ARRAY_SIZE(dirs)) {
		*e = (struct dev_entry){
			.name = dirs[i], .ino = INO_DIR + i, .mode = S_IFDIR | 0755};
		return true;
	}
	i -= ARRAY_SIZE(dirs);
	if (i < ARRAY_SIZE(links)) {
		*e = (struct dev_entry){.name = links[i].name,
					.ino = INO_LINK + i,
					.mode = S_IFLNK | 0777,
					.target = links[i].target};
		return true;
	}
	i -= ARRAY_SIZE(links);
	if (chrdev_entry(NULL, &i, e))
		return true;
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

static const struct vnode_ops dir_ops;

static bool is_gone(const struct vnode *vn)
{
	struct block_device *bd;
	struct char_device *cd;
	bool gone;

	if (S_ISCHR(vn->mode)) {
		cd = chrdev_nth((unsigned)vn->ino - INO_CHR);
		return cd && cd->serial != vn->ino >> 32;
	}
	if (!S_ISBLK(vn->mode))
		return false;
	bd = block_find(vn->rdev);
	gone = !bd || INO_BLK + bd->serial != vn->ino;
	block_put(bd);
	return gone;
}

/* Devices that were pulled out, once a new one comes. */
static void drop_gone(struct devfs *fs)
{
	for (unsigned i = fs->nr_kept; i-- > 0;) {
		struct vnode *vn = fs->kept[i];

		if (is_gone(vn)) {
			fs->kept[i] = fs->kept[--fs->nr_kept];
			vnode_put(vn);
		}
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
		vn->ops = S_ISDIR(e->mode) ? &dir_ops : &node_ops;
		vn->mode = e->mode;
		vn->uid = e->uid;
		vn->gid = e->gid;
		vn->rdev = e->rdev;
		vn->nlink = S_ISDIR(e->mode) ? 2 : 1;
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

/* NULL: the root. */
static const char *dir_name(const struct vnode *dir)
{
	return dir->ino == INO_ROOT ? NULL : dirs[dir->ino - INO_DIR];
}

static int devfs_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	struct dev_entry e;

	if (len == 2 && memcmp(name, "..", 2) == 0) {
		*out = vnode_get(dir->mount->root);
		return 0;
	}
	for (unsigned n = 0; entry_at(dir_name(dir), n, &e); n++)
		if (strlen(e.name) == len && memcmp(e.name, name, len) == 0)
			return entry_vnode(dir->mount, &e, out);
	return -ENOENT;
}

static unsigned dirent_type(mode_t mode)
{
	return S_ISCHR(mode) ? DT_CHR : S_ISBLK(mode) ? DT_BLK : S_ISDIR(mode) ? DT_DIR : DT_LNK;
}

static int devfs_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	struct dev_entry e;

	for (; *pos < 2; ++*pos)
		if (!sink->put(sink, "..", *pos + 1, *pos ? INO_ROOT : dir->ino, DT_DIR, *pos + 1))
			return 0;
	for (; *pos - 2 < PER_KIND * 3 && entry_at(dir_name(dir), *pos - 2, &e); ++*pos)
		if (!sink->put(sink, e.name, strlen(e.name), e.ino, dirent_type(e.mode), *pos + 1))
			return 0;
	return 0;
}

static const struct vnode_ops dir_ops = {
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
	root->ops = &dir_ops;
	root->mode = S_IFDIR | 0755;
	root->nlink = 2 + ARRAY_SIZE(dirs);
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
