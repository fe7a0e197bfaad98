/* SPDX-License-Identifier: MIT */
/*
 * tmpfs: files in memory.
 *
 * There is nothing behind the page cache: a page that was written stays there, dirty for ever, and
 * is the file (no map to a disk: holes are zeros, nothing is written out). So reading,
 * writing, mapping and executing are those of any other file system, and what is left to do here is
 * names, and the budget: pages are charged when they are about to become dirty (`reserve`).
 *
 * Vnodes are all there is too: each is held by a reference as long as it has a name, and
 * directory entries point to them. Losing the last name drops that reference; when the last user
 * is gone as well, evict() frees the rest.
 *
 * fs->lock: the budget and the list of nodes. Names: the directory's vnode lock.
 */
#include "internal.h"
#include "tmpfs_dir.h"

#include <string.h>

#define TMPFS_MAGIC 0x01021994
#define ENTRY_SIZE 32 /* what a directory's size counts for each entry */

struct tmpfs {
	spinlock_t lock;
	struct list nodes;
	unsigned long max_pages, used_pages;
	unsigned long max_nodes, nr_nodes; /* names count too */
	ino_t next_ino;
};

struct tnode {
	struct list link;
	struct vnode *vnode;
	struct vnode *parent; /* directories: ".." */
	struct tdir dir;
	char *target;          /* symbolic links */
	unsigned long charged; /* pages */
};

static const struct vnode_ops tmpfs_ops;

static struct tmpfs *fs_of(const struct vnode *vn)
{
	return vn->mount->private;
}

/* ---- the budget ---- */

static bool charge_small(struct tmpfs *fs)
{
	bool ok;

	spin_lock(&fs->lock);
	ok = fs->nr_nodes < fs->max_nodes;
	fs->nr_nodes += ok;
	spin_unlock(&fs->lock);
	return ok;
}

static void uncharge_small(struct tmpfs *fs)
{
	spin_lock(&fs->lock);
	fs->nr_nodes--;
	spin_unlock(&fs->lock);
}

static void set_charge(struct vnode *vn, unsigned long pages)
{
	struct tmpfs *fs = fs_of(vn);
	struct tnode *node = vn->private;

	spin_lock(&fs->lock);
	fs->used_pages += pages - node->charged;
	node->charged = pages;
	vn->blocks = pages * (PAGE_SIZE / 512);
	spin_unlock(&fs->lock);
}

/* Charge what is there: after a truncation, and where a reservation was not used. */
static void recount(struct vnode *vn)
{
	struct page *pg;
	unsigned long n = 0;

	spin_lock(&pcache_lock);
	list_for_each (pg, &vn->pcache.dirty_pages, link)
		n++;
	spin_unlock(&pcache_lock);
	set_charge(vn, n);
}

static bool charge_pages(struct vnode *vn, unsigned long pages)
{
	struct tmpfs *fs = fs_of(vn);
	struct tnode *node = vn->private;
	bool ok;

	spin_lock(&fs->lock);
	ok = pages <= fs->max_pages && fs->used_pages <= fs->max_pages - pages;
	if (ok) {
		fs->used_pages += pages;
		node->charged += pages;
		vn->blocks = node->charged * (PAGE_SIZE / 512);
	}
	spin_unlock(&fs->lock);
	return ok;
}

static int tmpfs_reserve(struct vnode *vn, uint64_t offset, size_t n)
{
	unsigned long missing = 0;

	if (n == 0)
		return 0;
	for (uint64_t i = offset >> PAGE_SHIFT; i <= (offset + n - 1) >> PAGE_SHIFT; i++) {
		struct page *pg = pcache_lookup(&vn->pcache, i);

		if (!pg || !(pg->flags & PG_DIRTY))
			missing++;
		if (pg)
			page_put(pg);
	}
	if (missing == 0 || charge_pages(vn, missing))
		return 0;
	recount(vn);
	return charge_pages(vn, missing) ? 0 : -ENOSPC;
}

static int tmpfs_truncate(struct vnode *vn, uint64_t size)
{
	(void)size;
	recount(vn);
	return 0;
}

/* ---- nodes ---- */

static void node_list_add(struct tmpfs *fs, struct tnode *node)
{
	spin_lock(&fs->lock);
	list_add_tail(&fs->nodes, &node->link);
	spin_unlock(&fs->lock);
}

/* A new file, referenced, without a name yet. @parent NULL: the root. */
static int node_create(struct mount *mnt, struct vnode *parent, mode_t mode, dev_t rdev,
		       struct vnode **out)
{
	struct tmpfs *fs = mnt->private;
	struct tnode *node;
	struct vnode *vn;
	bool fresh;
	ino_t ino;
	int err;

	if (!charge_small(fs))
		return -ENOSPC;
	node = kmalloc(sizeof(*node), ALLOC_ZERO);
	ino = __atomic_fetch_add(&fs->next_ino, 1, __ATOMIC_RELAXED);
	err = node ? vnode_find(mnt, ino, &vn, &fresh) : -ENOMEM;
	if (err) {
		kfree(node);
		uncharge_small(fs);
		return err;
	}
	tdir_init(&node->dir);
	node->vnode = vn;
	node->parent = parent ? parent : vn;
	vn->private = node;
	vn->ops = &tmpfs_ops;
	if (parent)
		vnode_new_owner(parent, &mode, &vn->uid, &vn->gid);
	vn->mode = mode;
	vn->rdev = rdev;
	vn->atime = vn->mtime = vn->ctime = time_wall();
	node_list_add(fs, node);
	vnode_ready(vn);
	*out = vn;
	return 0;
}

static void tmpfs_evict(struct vnode *vn)
{
	struct tmpfs *fs = fs_of(vn);
	struct tnode *node = vn->private;

	set_charge(vn, 0);
	spin_lock(&fs->lock);
	list_del(&node->link);
	fs->nr_nodes -= 1 + node->dir.count;
	spin_unlock(&fs->lock);
	tdir_free(&node->dir);
	kfree(node->target);
	kfree(node);
}

static struct tdir *dir_of(struct vnode *vn)
{
	return &((struct tnode *)vn->private)->dir;
}

static void dir_changed(struct vnode *dir)
{
	dir->size = dir_of(dir)->count * ENTRY_SIZE;
	vnode_touch(dir, false, true);
}

/* A name for @vn in @dir; the caller counts links. */
static int name_add(struct vnode *dir, const char *name, size_t len, struct vnode *vn)
{
	struct tmpfs *fs = fs_of(dir);

	if (!charge_small(fs))
		return -ENOSPC;
	if (!tdir_add(dir_of(dir), name, len, vn)) {
		uncharge_small(fs);
		return -ENOMEM;
	}
	dir_changed(dir);
	return 0;
}

static void name_remove(struct vnode *dir, struct tdir_entry *e)
{
	tdir_remove(dir_of(dir), e);
	uncharge_small(fs_of(dir));
	dir_changed(dir);
}

/* @vn has lost a name in @dir. The caller has a reference of its own. */
static void lose_link(struct vnode *dir, struct vnode *vn)
{
	if (S_ISDIR(vn->mode)) {
		vn->nlink = 0;
		dir->nlink--;
	} else {
		vn->nlink--;
	}
	vn->ctime = time_wall();
	if (vn->nlink == 0)
		vnode_put(vn);
}

/* ---- directory operations ---- */

static int tmpfs_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	struct tdir_entry *e;

	if (len == 2 && name[0] == '.' && name[1] == '.') {
		*out = vnode_get(((struct tnode *)dir->private)->parent);
		return 0;
	}
	e = tdir_find(dir_of(dir), name, len);
	if (!e)
		return -ENOENT;
	*out = vnode_get(e->node);
	return 0;
}

/* Give a node that was just made its first name; it is gone if that fails. */
static int name_new(struct vnode *dir, const char *name, size_t len, struct vnode *vn)
{
	int err = name_add(dir, name, len, vn);

	if (err) {
		vnode_put(vn); /* no links: the last reference frees it */
		return err;
	}
	vn->nlink = S_ISDIR(vn->mode) ? 2 : 1;
	if (S_ISDIR(vn->mode))
		dir->nlink++;
	vnode_get(vn);
	return 0;
}

static int tmpfs_create(struct vnode *dir, const char *name, size_t len, mode_t mode, dev_t rdev,
			struct vnode **out)
{
	struct vnode *vn;
	int err = node_create(dir->mount, dir, mode, rdev, &vn);

	if (!err)
		err = name_new(dir, name, len, vn);
	if (!err)
		*out = vn;
	return err;
}

static int tmpfs_symlink(struct vnode *dir, const char *name, size_t len, const char *target)
{
	size_t n = strlen(target);
	struct tnode *node;
	struct vnode *vn;
	int err = node_create(dir->mount, dir, S_IFLNK | 0777, 0, &vn);

	if (err)
		return err;
	node = vn->private;
	node->target = kmalloc(n + 1, 0);
	if (!node->target) {
		vnode_put(vn);
		return -ENOMEM;
	}
	memcpy(node->target, target, n + 1);
	vn->size = n;
	err = name_new(dir, name, len, vn);
	if (!err)
		vnode_put(vn);
	return err;
}

static int tmpfs_link(struct vnode *dir, const char *name, size_t len, struct vnode *vn)
{
	int err = name_add(dir, name, len, vn);

	if (err)
		return err;
	vn->nlink++;
	vn->ctime = time_wall();
	return 0;
}

static int tmpfs_unlink(struct vnode *dir, const char *name, size_t len, struct vnode *vn)
{
	struct tdir_entry *e = tdir_find(dir_of(dir), name, len);

	if (!e || e->node != vn)
		return -ENOENT;
	if (S_ISDIR(vn->mode) && dir_of(vn)->count)
		return -ENOTEMPTY;
	name_remove(dir, e);
	lose_link(dir, vn);
	return 0;
}

static int tmpfs_rename(struct vnode *odir, const char *oname, size_t olen, struct vnode *vn,
			struct vnode *ndir, const char *nname, size_t nlen, struct vnode *victim)
{
	struct tdir_entry *from = tdir_find(dir_of(odir), oname, olen), *to;
	int err;

	if (!from || from->node != vn)
		return -ENOENT;
	if (victim) {
		to = tdir_find(dir_of(ndir), nname, nlen);
		if (!to || to->node != victim)
			return -ENOENT;
		if (S_ISDIR(victim->mode) && dir_of(victim)->count)
			return -ENOTEMPTY;
		to->node = vn;
		dir_changed(ndir);
		lose_link(ndir, victim);
	} else {
		err = name_add(ndir, nname, nlen, vn);
		if (err)
			return err;
	}
	name_remove(odir, from);
	if (S_ISDIR(vn->mode) && odir != ndir) {
		odir->nlink--;
		ndir->nlink++;
		((struct tnode *)vn->private)->parent = ndir;
	}
	vn->ctime = time_wall();
	return 0;
}

static int tmpfs_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	struct vnode *parent = ((struct tnode *)dir->private)->parent;
	struct tdir_entry *e;

	if (*pos == 0) {
		if (!sink->put(sink, ".", 1, dir->ino, DT_DIR, 1))
			return 0;
		*pos = 1;
	}
	if (*pos == 1) {
		if (!sink->put(sink, "..", 2, parent->ino, DT_DIR, 2))
			return 0;
		*pos = 2;
	}
	for (e = tdir_from(dir_of(dir), *pos - 2); e && &e->link != &dir_of(dir)->entries;
	     e = list_entry(e->link.next, struct tdir_entry, link)) {
		struct vnode *vn = e->node;

		/* DT_* are the type bits of the mode, shifted. */
		if (!sink->put(sink, e->name, e->len, vn->ino, vn->mode >> 12 & 15, e->number + 3))
			return 0;
		*pos = e->number + 3;
	}
	return 0;
}

static ssize_t tmpfs_readlink(struct vnode *vn, char *buf, size_t size)
{
	size_t n = min(vn->size, size);

	memcpy(buf, ((struct tnode *)vn->private)->target, n);
	return n;
}

static const struct vnode_ops tmpfs_ops = {
	.lookup = tmpfs_lookup,
	.create = tmpfs_create,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rename = tmpfs_rename,
	.readdir = tmpfs_readdir,
	.readlink = tmpfs_readlink,
	.truncate = tmpfs_truncate,
	.reserve = tmpfs_reserve,
	.evict = tmpfs_evict,
};

/* ---- mounts ---- */

static const char *parse_number(const char *s, unsigned base, unsigned long *out)
{
	unsigned long n = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s < (char)('0' + base); s++)
		if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, *s - '0', &n))
			return NULL;
	*out = n;
	return s;
}

/* "16m", "50%", "100000": bytes into pages. */
static const char *parse_size(const char *s, unsigned long *pages)
{
	unsigned long n, unit = 1;

	s = parse_number(s, 10, &n);
	if (!s)
		return NULL;
	switch (*s | 0x20) {
	case 'g':
		unit = 1ul << 30;
		break;
	case 'm':
		unit = 1ul << 20;
		break;
	case 'k':
		unit = 1ul << 10;
		break;
	}
	if (*s == '%') {
		*pages = n <= 100 ? pages_total() * n / 100 : pages_total();
		return s + 1;
	}
	if (unit > 1)
		s++;
	if (__builtin_mul_overflow(n, unit, &n))
		return NULL;
	*pages = DIV_ROUND_UP(n, PAGE_SIZE);
	return s;
}

/* size=SIZE, nr_inodes=N, mode=OCTAL, separated by commas. */
static int parse_options(const char *s, unsigned long *pages, unsigned long *inodes,
			 unsigned long *mode)
{
	while (s && *s) {
		if (strncmp(s, "size=", 5) == 0)
			s = parse_size(s + 5, pages);
		else if (strncmp(s, "nr_inodes=", 10) == 0)
			s = parse_number(s + 10, 10, inodes);
		else if (strncmp(s, "mode=", 5) == 0)
			s = parse_number(s + 5, 8, mode);
		else
			return -EINVAL;
		if (!s || (*s && *s != ','))
			return -EINVAL;
		if (*s == ',')
			s++;
	}
	return 0;
}

static int tmpfs_mount(struct mount *mnt, const char *options)
{
	unsigned long pages = pages_total() / 2, inodes = 0, mode = 0755;
	struct tmpfs *fs;
	int err = parse_options(options, &pages, &inodes, &mode);

	if (err)
		return err;
	fs = kmalloc(sizeof(*fs), ALLOC_ZERO);
	if (!fs)
		return -ENOMEM;
	spin_init(&fs->lock, "tmpfs");
	list_init(&fs->nodes);
	fs->max_pages = pages;
	/* A file and its name each; a file for each page, if nothing is said. */
	fs->max_nodes = max(2 * (inodes ? min(inodes, 1ul << 32) : pages), inodes ? 2ul : 16ul);
	fs->next_ino = 1;
	mnt->private = fs;
	err = node_create(mnt, NULL, S_IFDIR | (mode & 07777), 0, &mnt->root);
	if (err) {
		kfree(fs);
		return err;
	}
	mnt->root->nlink = 2;
	return 0;
}

static bool tmpfs_busy(struct mount *mnt)
{
	struct tmpfs *fs = mnt->private;
	struct tnode *node;
	bool busy = false;

	spin_lock(&fs->lock);
	list_for_each (node, &fs->nodes, link)
		busy |= node->vnode != mnt->root &&
			node->vnode->refs > (node->vnode->nlink ? 1 : 0);
	spin_unlock(&fs->lock);
	return busy;
}

/* Nobody uses anything any more: without a name, each node goes with the reference that held it. */
static void tmpfs_unmount(struct mount *mnt)
{
	struct tmpfs *fs = mnt->private;

	while (!list_empty(&fs->nodes)) {
		struct vnode *vn = list_first(&fs->nodes, struct tnode, link)->vnode;

		vn->nlink = 0;
		vnode_put(vn);
	}
	kfree(fs);
}

static int tmpfs_statfs(struct mount *mnt, struct parvix_statfs *st)
{
	struct tmpfs *fs = mnt->private;

	spin_lock(&fs->lock);
	st->f_type = TMPFS_MAGIC;
	st->f_bsize = PAGE_SIZE;
	st->f_blocks = fs->max_pages;
	st->f_bfree = fs->max_pages - min(fs->max_pages, fs->used_pages);
	st->f_bavail = st->f_bfree;
	st->f_files = fs->max_nodes / 2;
	st->f_ffree = (fs->max_nodes - fs->nr_nodes) / 2;
	st->f_namelen = NAME_MAX;
	spin_unlock(&fs->lock);
	return 0;
}

static struct fs_type tmpfs_type = {
	.name = "tmpfs",
	.mount = tmpfs_mount,
	.unmount = tmpfs_unmount,
	.busy = tmpfs_busy,
	.statfs = tmpfs_statfs,
};

void tmpfs_init(void)
{
	fs_register(&tmpfs_type);
}
