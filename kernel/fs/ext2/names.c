/* SPDX-License-Identifier: MIT */
/*
 * Names: look-up, and the operations that change directories. The callers (namei.c, path.c) hold
 * the directories' locks and have checked everything that is common to all file systems.
 *
 * Order of changes, for a disk that is left behind in the middle of it: a new inode is written
 * before its name, a link count goes up before a name is added and down after one is gone.
 */
#include "ext2.h"

#include <string.h>

static int enter(struct vnode *dir)
{
	ext2_lock(ext2_fs(dir));
	return mount_readonly(dir->mount) ? -EROFS : 0;
}

static int leave(struct vnode *dir, int err)
{
	ext2_unlock(ext2_fs(dir));
	return err;
}

int ext2_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	struct ext2_slot slot;
	ino_t ino = 0;
	int err;

	ext2_lock(ext2_fs(dir));
	err = ext2_dir_find(dir, name, len, &slot);
	if (!err) {
		ino = slot.de->inode;
		buf_put(slot.buf);
	}
	ext2_unlock(ext2_fs(dir));
	return err ? err : ext2_iget(dir->mount, ino, out);
}

/* ---- new inodes ---- */

static int clear_raw(struct ext2_fs *fs, ino_t ino)
{
	struct ext2_inode *raw;
	struct buf *b;
	int err = ext2_read_raw(fs, ino, &b, &raw);

	if (err)
		return err;
	memset((void *)raw, 0, fs->inode_size);
	if (fs->inode_size >= EXT2_OLD_INODE + EXT2_EXTRA_OURS)
		raw->extra_isize = EXT2_EXTRA_OURS;
	b->fresh |= 1u << ((unsigned)((char *)raw - b->data) / fs->inode_size);
	buf_dirty(b);
	buf_put(b);
	return 0;
}

static void fill_new(struct vnode *dir, struct vnode *vn, mode_t mode, dev_t rdev)
{
	vnode_new_owner(dir, &mode, &vn->uid, &vn->gid);
	vn->mode = mode;
	vn->ops = ext2_ops_of(mode);
	vn->nlink = S_ISDIR(mode) ? 2 : 1;
	vn->atime = vn->mtime = vn->ctime = time_wall();
	vn->rdev = rdev;
	ext2_info(vn)->generation = ++ext2_fs(vn)->generation;
	ext2_info(vn)->moved = ext2_fs(vn)->epoch;
	if (S_ISCHR(mode) || S_ISBLK(mode))
		ext2_set_rdev(vn);
}

/* The number is ours; make its vnode. On an error the number is given back. */
static int vnode_for_new(struct vnode *dir, ino_t ino, mode_t mode, dev_t rdev, struct vnode **out)
{
	struct ext2_fs *fs = ext2_fs(dir);
	struct vnode *vn;
	bool fresh;
	int err = vnode_find(dir->mount, ino, &vn, &fresh);

	if (!err && !fresh) {
		/* The bitmap says free, and yet a directory named it. */
		vnode_put(vn);
		ext2_lock(fs);
		return leave(dir,
			     ext2_error(fs, "inode %lu is in use, but free in its bitmap", ino));
	}
	if (!err) {
		vn->private = ext2_new_info();
		if (vn->private) {
			fill_new(dir, vn, mode, rdev);
			*out = vn;
			return 0;
		}
		vnode_bad(vn);
		err = -ENOMEM;
	}
	ext2_lock(fs);
	ext2_free_inode(fs, ino, S_ISDIR(mode));
	return leave(dir, err);
}

/* Write the inode, its contents and its name; fs->lock held. */
static int furnish(struct vnode *dir, const char *name, size_t len, struct vnode *vn,
		   const char *target)
{
	int err = clear_raw(ext2_fs(dir), vn->ino);

	if (!err && S_ISDIR(vn->mode))
		err = ext2_dir_init(vn, dir->ino);
	if (!err && target)
		err = ext2_set_link(vn, target, strlen(target));
	if (!err)
		err = ext2_write_inode(vn);
	if (!err)
		err = ext2_dir_add(dir, name, len, vn->ino, vn->mode);
	if (!err && S_ISDIR(vn->mode)) {
		dir->nlink++;
		err = ext2_write_inode(dir);
	}
	return err;
}

static int make_inode(struct vnode *dir, const char *name, size_t len, mode_t mode, dev_t rdev,
		      const char *target, struct vnode **out)
{
	struct ext2_fs *fs = ext2_fs(dir);
	struct vnode *vn = NULL;
	ino_t ino;
	int err = enter(dir);

	if (!err && S_ISDIR(mode) && dir->nlink >= EXT2_LINK_MAX)
		err = -EMLINK;
	if (!err)
		err = ext2_alloc_inode(fs, dir->ino, S_ISDIR(mode), &ino);
	if (leave(dir, err))
		return err;
	err = vnode_for_new(dir, ino, mode, rdev, &vn);
	if (err)
		return err;
	ext2_lock(fs);
	err = furnish(dir, name, len, vn, target);
	ext2_unlock(fs);
	if (err)
		vn->nlink = 0; /* the last put deletes it */
	vnode_ready(vn);
	if (err)
		vnode_put(vn);
	else
		*out = vn;
	return err;
}

int ext2_create(struct vnode *dir, const char *name, size_t len, mode_t mode, dev_t rdev,
		struct vnode **out)
{
	return make_inode(dir, name, len, mode, rdev, NULL, out);
}

int ext2_symlink(struct vnode *dir, const char *name, size_t len, const char *target)
{
	struct vnode *vn;
	int err = make_inode(dir, name, len, S_IFLNK | 0777, 0, target, &vn);

	if (!err)
		vnode_put(vn);
	return err;
}

/* ---- link and unlink ---- */

int ext2_link(struct vnode *dir, const char *name, size_t len, struct vnode *vn)
{
	int err = enter(dir);

	if (!err && vn->nlink >= EXT2_LINK_MAX)
		err = -EMLINK;
	if (!err) {
		vn->nlink++;
		vn->ctime = time_wall();
		err = ext2_write_inode(vn);
		if (!err)
			err = ext2_dir_add(dir, name, len, vn->ino, vn->mode);
		if (err) {
			vn->nlink--;
			ext2_write_inode(vn);
		}
	}
	return leave(dir, err);
}

/* One name less for @vn, which lost it in @dir; a directory loses its own "." as well, and @dir a
 * "..". */
static void drop_link(struct vnode *dir, struct vnode *vn)
{
	if (S_ISDIR(vn->mode)) {
		vn->nlink = 0;
		if (dir->nlink > 2)
			dir->nlink--;
		ext2_write_inode(dir);
	} else if (vn->nlink) {
		vn->nlink--;
	}
	vn->ctime = time_wall();
	ext2_write_inode(vn);
	/* The caller has one. */
	if (!vn->nlink && vn->refs > 1)
		ext2_orphan_add(vn);
}

/* The entry of @vn under @name; -EIO if it is another's: a directory that changed under our hands.
 */
static int find_entry(struct vnode *dir, const char *name, size_t len, struct vnode *vn,
		      struct ext2_slot *slot)
{
	int err = ext2_dir_find(dir, name, len, slot);

	if (!err && slot->de->inode != vn->ino) {
		buf_put(slot->buf);
		err = -EIO;
	}
	return err;
}

int ext2_unlink(struct vnode *dir, const char *name, size_t len, struct vnode *vn)
{
	struct ext2_slot slot;
	int err = enter(dir);

	if (!err && S_ISDIR(vn->mode))
		err = ext2_dir_empty(vn);
	if (!err)
		err = find_entry(dir, name, len, vn, &slot);
	if (!err) {
		ext2_dir_remove(dir, &slot);
		buf_put(slot.buf);
		drop_link(dir, vn);
	}
	return leave(dir, err);
}

/* ---- rename ---- */

static int replace_entry(struct vnode *dir, const char *name, size_t len, struct vnode *victim,
			 struct vnode *vn)
{
	struct ext2_slot slot;
	int err = S_ISDIR(victim->mode) ? ext2_dir_empty(victim) : 0;

	if (!err)
		err = find_entry(dir, name, len, victim, &slot);
	if (err)
		return err;
	ext2_dir_set(dir, &slot, vn->ino, vn->mode);
	buf_put(slot.buf);
	dir->mtime = dir->ctime = time_wall();
	drop_link(dir, victim);
	return ext2_write_inode(dir);
}

/* A directory has another parent now. */
static int move_parent(struct vnode *odir, struct vnode *vn, struct vnode *ndir)
{
	struct ext2_slot slot;
	int err = ext2_dir_find(vn, "..", 2, &slot);

	if (err)
		return err == -ENOENT ? ext2_error(ext2_fs(vn), "directory %lu has no ..", vn->ino)
				      : err;
	ext2_dir_set(vn, &slot, ndir->ino, S_IFDIR);
	buf_put(slot.buf);
	ndir->nlink++;
	if (odir->nlink > 2)
		odir->nlink--;
	err = ext2_write_inode(ndir);
	return err ? err : ext2_write_inode(odir);
}

/*
 * The new entry is on the disk before the old one goes, in another block: see
 * ext2_write_metadata(). (A directory with two names is no better for e2fsck than one without: both
 * are written at the same time then.)
 */
static int entry_first(struct vnode *odir, const char *oname, size_t olen, struct vnode *ndir,
		       const char *nname, size_t nlen)
{
	struct ext2_slot old, new;
	int err = ext2_dir_find(odir, oname, olen, &old);
	bool same;

	if (err)
		return err;
	err = ext2_dir_find(ndir, nname, nlen, &new);
	buf_put(old.buf);
	if (err)
		return err;
	same = old.buf == new.buf;
	buf_put(new.buf);
	return same ? 0 : ext2_write_metadata(ext2_fs(odir));
}

static int rename_locked(struct vnode *odir, const char *oname, size_t olen, struct vnode *vn,
			 struct vnode *ndir, const char *nname, size_t nlen, struct vnode *victim)
{
	bool reparent = S_ISDIR(vn->mode) && odir != ndir;
	struct ext2_slot slot;
	int err;

	if (reparent && !victim && ndir->nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	if (victim)
		err = replace_entry(ndir, nname, nlen, victim, vn);
	else
		err = ext2_dir_add(ndir, nname, nlen, vn->ino, vn->mode);
	if (!err && !S_ISDIR(vn->mode))
		err = entry_first(odir, oname, olen, ndir, nname, nlen);
	if (!err)
		err = find_entry(odir, oname, olen, vn, &slot);
	if (err)
		return err;
	ext2_dir_remove(odir, &slot);
	buf_put(slot.buf);
	vn->ctime = time_wall();
	err = ext2_write_inode(vn);
	return reparent && !err ? move_parent(odir, vn, ndir) : err;
}

int ext2_rename(struct vnode *odir, const char *oname, size_t olen, struct vnode *vn,
		struct vnode *ndir, const char *nname, size_t nlen, struct vnode *victim)
{
	int err = enter(odir);

	if (!err)
		err = rename_locked(odir, oname, olen, vn, ndir, nname, nlen, victim);
	return leave(odir, err);
}
