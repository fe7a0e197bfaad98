/* SPDX-License-Identifier: MIT */
/*
 * System calls that make, remove and move names.
 *
 * Each walks to the directory with no locks held, locks it, looks the name up once more (it may
 * have changed meanwhile), checks, and lets the file system do it; then the name cache forgets.
 *
 * Locks. All others lock one directory and then, perhaps, one file that is no directory. Whoever
 * needs two or more directories locked (rename, rmdir) holds rename_lock first, and so is the only
 * one of that kind; it locks directories before other files. Thus no circle can close. rename_lock
 * also keeps the shape of the tree still while rename looks whether a directory would move below
 * itself.
 */
#include "internal.h"

#include <string.h>

static mutex_t rename_lock = MUTEX(rename_lock);

#define DEPTH_MAX 4096 /* directories above one; more: ".." goes in a circle on a damaged disk */

static mode_t masked(mode_t mode)
{
	struct proc *p = fs_proc();

	return mode & ~(p ? p->umask : 0u);
}

/* Make a file of @mode's type; w->dir is locked and has no such entry. */
int create_locked(struct walk *w, mode_t mode, dev_t rdev, struct vnode **out)
{
	struct vnode *dir = w->dir;
	int err = may_create(dir);

	if (err)
		return err;
	if (!dir->ops->create)
		return -EPERM;
	ncache_forget(dir, w->name, w->len);
	err = dir->ops->create(dir, w->name, w->len, (mode & S_IFMT) | masked(mode & 07777), rdev,
			       out);
	if (!err && dir->mount->type->cache_names)
		ncache_enter(dir, w->name, w->len, (*out)->ino);
	return err;
}

/* The name is to be made: -EEXIST if it is there. */
static int must_be_absent(struct walk *w)
{
	struct vnode *vn;
	int err = dir_lookup_locked(w->dir, w->name, w->len, &vn);

	if (!err) {
		vnode_put(vn);
		return -EEXIST;
	}
	return err == -ENOENT ? 0 : err;
}

/* @out: where the new file goes, with a reference, or NULL. */
static int make(struct vnode *at, const char *path, mode_t mode, dev_t rdev, struct vnode **out)
{
	struct vnode *vn;
	struct walk w;
	int err = walk_path(&w, at, path, WALK_PARENT);

	if (!err && w.vn)
		err = -EEXIST;
	if (!err && w.slash && !S_ISDIR(mode))
		err = -ENOENT;
	if (!err) {
		mutex_lock(&w.dir->lock);
		err = must_be_absent(&w);
		if (!err)
			err = create_locked(&w, mode, rdev, &vn);
		mutex_unlock(&w.dir->lock);
		if (!err && out)
			*out = vn;
		else if (!err)
			vnode_put(vn);
	}
	walk_done(&w);
	return err;
}

int path_mkdir(struct vnode *at, const char *path, mode_t mode)
{
	return make(at, path, S_IFDIR | (mode & 01777), 0, NULL);
}

int path_mksock(struct vnode *at, const char *path, struct vnode **out)
{
	return make(at, path, S_IFSOCK | 0777, 0, out);
}

int path_mknod(struct vnode *at, const char *path, mode_t mode, dev_t rdev)
{
	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (!fs_superuser())
			return -EPERM;
		break;
	default:
		return -EINVAL;
	}
	if (!S_ISCHR(mode) && !S_ISBLK(mode))
		rdev = 0;
	return make(at, path, mode & (S_IFMT | 07777), rdev, NULL);
}

int path_symlink(const char *target, struct vnode *at, const char *path)
{
	struct walk w;
	int err;

	if (!*target)
		return -ENOENT;
	if (strlen(target) >= PATH_MAX)
		return -ENAMETOOLONG;
	err = walk_path(&w, at, path, WALK_PARENT);
	if (!err && (w.vn || w.slash))
		err = w.vn ? -EEXIST : -ENOENT;
	if (!err) {
		mutex_lock(&w.dir->lock);
		err = must_be_absent(&w);
		if (!err)
			err = may_create(w.dir);
		if (!err && !w.dir->ops->symlink)
			err = -EPERM;
		if (!err) {
			ncache_forget(w.dir, w.name, w.len);
			err = w.dir->ops->symlink(w.dir, w.name, w.len, target);
		}
		mutex_unlock(&w.dir->lock);
	}
	walk_done(&w);
	return err;
}

ssize_t path_readlink(struct vnode *at, const char *path, char *buf, size_t size)
{
	struct vnode *vn;
	ssize_t n = namei(at, path, NAMEI_NOFOLLOW, &vn);

	if (n)
		return n;
	n = -EINVAL;
	if (S_ISLNK(vn->mode) && vn->ops->readlink) {
		mutex_lock(&vn->lock);
		n = vn->ops->readlink(vn, buf, size);
		mutex_unlock(&vn->lock);
	}
	vnode_put(vn);
	return n;
}

static int link_locked(struct walk *w, struct vnode *vn)
{
	int err = must_be_absent(w);

	if (!err)
		err = may_create(w->dir);
	if (!err && !vn->nlink)
		err = -ENOENT;
	if (!err && !w->dir->ops->link)
		err = -EPERM;
	if (!err) {
		ncache_forget(w->dir, w->name, w->len);
		err = w->dir->ops->link(w->dir, w->name, w->len, vn);
	}
	return err;
}

int path_link(struct vnode *oldat, const char *oldpath, struct vnode *newat, const char *newpath,
	      unsigned namei_flags)
{
	struct vnode *vn;
	struct walk w;
	int err = namei(oldat, oldpath, namei_flags, &vn);

	if (err)
		return err;
	err = walk_path(&w, newat, newpath, WALK_PARENT);
	if (err)
		goto out;
	if (w.vn)
		err = -EEXIST;
	else if (w.slash)
		err = -ENOENT;
	else if (S_ISDIR(vn->mode))
		err = -EPERM;
	else if (vn->mount != w.dir->mount)
		err = -EXDEV;
	if (!err) {
		mutex_lock(&w.dir->lock);
		mutex_lock(&vn->lock);
		err = link_locked(&w, vn);
		mutex_unlock(&vn->lock);
		mutex_unlock(&w.dir->lock);
	}
out:
	walk_done(&w);
	vnode_put(vn);
	return err;
}

/* ---- removal ---- */

static int remove_checked(struct vnode *dir, const char *name, size_t len, struct vnode *vn)
{
	int err;

	if (!dir->ops->unlink)
		return -EPERM;
	mutex_lock(&vn->lock);
	ncache_forget(dir, name, len);
	err = vn->mounted ? -EBUSY : dir->ops->unlink(dir, name, len, vn);
	mutex_unlock(&vn->lock);
	return err;
}

static int remove_entry(struct walk *w, bool directory)
{
	struct vnode *dir = w->dir, *vn = NULL;
	int err;

	if (directory)
		mutex_lock(&rename_lock);
	mutex_lock(&dir->lock);
	err = dir_lookup_locked(dir, w->name, w->len, &vn);
	if (!err)
		err = may_delete(dir, vn);
	if (!err && S_ISDIR(vn->mode) != directory)
		err = directory ? -ENOTDIR : -EISDIR;
	if (!err)
		err = remove_checked(dir, w->name, w->len, vn);
	mutex_unlock(&dir->lock);
	if (directory)
		mutex_unlock(&rename_lock);
	vnode_put(vn); /* the last one deletes the file: no locks held */
	return err;
}

int path_unlink(struct vnode *at, const char *path)
{
	struct walk w;
	int err = walk_path(&w, at, path, WALK_PARENT);

	if (!err && !w.vn)
		err = -ENOENT;
	else if (!err && w.kind != LAST_NAME)
		err = -EISDIR;
	if (!err)
		err = remove_entry(&w, false);
	walk_done(&w);
	return err;
}

int path_rmdir(struct vnode *at, const char *path)
{
	static const int wrong[] = {0, -EINVAL, -ENOTEMPTY, -EBUSY}; /* by enum last_kind */
	struct walk w;
	int err = walk_path(&w, at, path, WALK_PARENT);

	if (!err && !w.vn)
		err = -ENOENT;
	else if (!err)
		err = wrong[w.kind];
	if (!err)
		err = remove_entry(&w, true);
	walk_done(&w);
	return err;
}

/* ---- rename ---- */

/* Is @vn an ancestor of @dir, or @dir itself? 1, 0, or an error. rename_lock held. */
static int is_above(struct vnode *vn, struct vnode *dir)
{
	struct vnode *at = vnode_get(dir), *up;
	int err = 0;

	for (unsigned depth = 0; at != vn && at != at->mount->root; depth++) {
		err = depth < DEPTH_MAX ? dir_lookup(at, "..", 2, &up) : -EIO;
		if (err)
			break;
		vnode_put(at);
		at = up;
		if (!S_ISDIR(at->mode)) {
			err = -EIO;
			break;
		}
	}
	if (!err)
		err = at == vn;
	vnode_put(at);
	return err;
}

struct lock_set {
	struct vnode *vn[4];
	unsigned n;
};

/* Directories first, by address, then other files; each once. */
static bool locked_before(const struct vnode *a, const struct vnode *b)
{
	if (S_ISDIR(a->mode) != S_ISDIR(b->mode))
		return S_ISDIR(a->mode);
	return a < b;
}

static void lock_set_add(struct lock_set *set, struct vnode *vn)
{
	unsigned i = set->n;

	if (!vn)
		return;
	for (unsigned j = 0; j < set->n; j++)
		if (set->vn[j] == vn)
			return;
	for (; i && locked_before(vn, set->vn[i - 1]); i--)
		set->vn[i] = set->vn[i - 1];
	set->vn[i] = vn;
	set->n++;
}

struct rename {
	struct walk from, to;
	struct vnode *vn, *victim; /* looked up under rename_lock, referenced */
};

/* What must hold between the two ends, POSIX's list. */
static int rename_check(struct rename *r)
{
	struct vnode *odir = r->from.dir, *ndir = r->to.dir, *vn = r->vn, *victim = r->victim;
	bool is_dir = S_ISDIR(vn->mode);
	int err = may_delete(odir, vn);

	if (!err)
		err = victim ? may_delete(ndir, victim) : may_create(ndir);
	if (err)
		return err;
	if (victim && is_dir && !S_ISDIR(victim->mode))
		return -ENOTDIR;
	if (victim && !is_dir && S_ISDIR(victim->mode))
		return -EISDIR;
	if (!is_dir && r->to.slash)
		return -ENOTDIR;
	if (is_dir && odir != ndir)
		return vnode_access(vn, W_OK); /* its ".." changes */
	return 0;
}

/* Under rename_lock, nothing else locked. */
static int rename_lookup(struct rename *r)
{
	struct vnode *odir = r->from.dir, *ndir = r->to.dir;
	int err = dir_lookup(odir, r->from.name, r->from.len, &r->vn);

	if (!err) {
		err = dir_lookup(ndir, r->to.name, r->to.len, &r->victim);
		if (err == -ENOENT)
			err = 0;
	}
	if (err)
		return err;
	if (S_ISDIR(r->vn->mode) && odir != ndir) {
		err = is_above(r->vn, ndir);
		if (err)
			return err > 0 ? -EINVAL : err;
	}
	/* The one to be replaced holds, somewhere below, the one that moves. */
	if (r->victim && S_ISDIR(r->victim->mode) && odir != ndir) {
		err = is_above(r->victim, odir);
		if (err)
			return err > 0 ? -ENOTEMPTY : err;
	}
	return 0;
}

/* Everything locked: are they still what was looked up? -EAGAIN: start over. */
static int rename_again(struct rename *r)
{
	struct vnode *vn = NULL, *victim = NULL;
	int err = dir_lookup_locked(r->from.dir, r->from.name, r->from.len, &vn);

	if (!err) {
		err = dir_lookup_locked(r->to.dir, r->to.name, r->to.len, &victim);
		if (err == -ENOENT)
			err = 0;
	}
	if (!err && (vn != r->vn || victim != r->victim))
		err = -EAGAIN;
	vnode_put(vn);
	vnode_put(victim);
	return err;
}

static int rename_once(struct rename *r)
{
	struct vnode *odir = r->from.dir, *ndir = r->to.dir;
	struct lock_set set = {.n = 0};
	int err = rename_lookup(r);

	if (err || r->vn == r->victim)
		return err; /* two names of one file: nothing to do */
	lock_set_add(&set, odir);
	lock_set_add(&set, ndir);
	lock_set_add(&set, r->vn);
	lock_set_add(&set, r->victim);
	for (unsigned i = 0; i < set.n; i++)
		mutex_lock(&set.vn[i]->lock);
	err = rename_again(r);
	if (!err)
		err = rename_check(r);
	if (!err && !odir->ops->rename)
		err = -EPERM;
	if (!err) {
		ncache_forget(odir, r->from.name, r->from.len);
		ncache_forget(ndir, r->to.name, r->to.len);
		if (S_ISDIR(r->vn->mode))
			ncache_forget(r->vn, "..", 2);
		err = odir->ops->rename(odir, r->from.name, r->from.len, r->vn, ndir, r->to.name,
					r->to.len, r->victim);
	}
	for (unsigned i = set.n; i--;)
		mutex_unlock(&set.vn[i]->lock);
	return err;
}

static int rename_walked(struct rename *r)
{
	int err;

	if (r->from.kind != LAST_NAME || r->to.kind != LAST_NAME)
		return -EBUSY;
	if (!r->from.vn)
		return -ENOENT;
	if (r->from.dir->mount != r->to.dir->mount)
		return -EXDEV;
	do {
		mutex_lock(&rename_lock);
		err = rename_once(r);
		mutex_unlock(&rename_lock);
		vnode_put(r->vn);
		vnode_put(r->victim);
		r->vn = r->victim = NULL;
	} while (err == -EAGAIN);
	return err;
}

int path_rename(struct vnode *oldat, const char *oldpath, struct vnode *newat, const char *newpath)
{
	struct rename *r = kmalloc(sizeof(*r), ALLOC_ZERO);
	int err;

	if (!r)
		return -ENOMEM;
	err = walk_path(&r->from, oldat, oldpath, WALK_PARENT);
	if (!err)
		err = walk_path(&r->to, newat, newpath, WALK_PARENT);
	if (!err)
		err = rename_walked(r);
	walk_done(&r->from);
	walk_done(&r->to);
	kfree(r);
	return err;
}
