/* SPDX-License-Identifier: MIT */
/*
 * Inodes: from the table on the disk into a vnode, back, and away with the last link and reference.
 */
#include "ext2.h"

#include <string.h>

/* The inode in its buffer; @ino is in range. */
int ext2_read_raw(struct ext2_fs *fs, ino_t ino, struct buf **b, struct ext2_inode **raw)
{
	unsigned per = fs->sb->inodes_per_group;
	size_t at = (size_t)((ino - 1) % per) * fs->inode_size;
	uint32_t block = fs->groups[(ino - 1) / per].inode_table;
	int err = buf_read(&fs->bufs, block + (uint32_t)(at >> fs->block_shift), b);

	if (err)
		return err;
	(*b)->kind = BUF_INODES;
	*raw = (struct ext2_inode *)((*b)->data + (at & (fs->block_size - 1)));
	return 0;
}

const struct vnode_ops *ext2_ops_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return &ext2_file_ops;
	case S_IFDIR:
		return &ext2_dir_ops;
	case S_IFLNK:
		return &ext2_link_ops;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return &ext2_special_ops;
	default:
		return NULL;
	}
}

/* ---- times: 32 bits of seconds; in larger inodes two more, and nanoseconds ---- */

static bool has_extra_times(const struct ext2_fs *fs, const struct ext2_inode *raw)
{
	return fs->inode_size >= EXT2_OLD_INODE + EXT2_EXTRA_OURS &&
	       raw->extra_isize >= EXT2_EXTRA_TIMES;
}

static struct parvix_timespec load_time(uint32_t sec, uint32_t extra)
{
	long nsec = extra >> 2;

	return (struct parvix_timespec){(int32_t)sec + ((long)(extra & 3) << 32),
					nsec < NSEC_PER_SEC ? nsec : 0};
}

static uint32_t extra_time(struct parvix_timespec t)
{
	return (uint32_t)t.tv_nsec << 2 | (uint32_t)((t.tv_sec - (int32_t)t.tv_sec) >> 32 & 3);
}

/* ---- device numbers: 8 + 8 bits in the first slot, or 12 + 20 in the second ---- */

static dev_t load_rdev(const uint32_t *block)
{
	if (block[0])
		return MKDEV(block[0] >> 8 & 0xff, block[0] & 0xff);
	return MKDEV(block[1] >> 8 & 0xfff, (block[1] & 0xff) | (block[1] >> 12 & 0xfff00));
}

void ext2_set_rdev(struct vnode *vn)
{
	uint32_t *block = ext2_info(vn)->block;
	uint32_t major = (uint32_t)(vn->rdev >> 20) & 0xfff, minor = (uint32_t)vn->rdev & 0xfffff;

	if (major < 256 && minor < 256)
		block[0] = major << 8 | minor;
	else
		block[1] = (minor & 0xff) | major << 8 | (minor & 0xfff00) << 12;
}

/* ---- disk to vnode ---- */

static int check_inode(struct ext2_fs *fs, const struct vnode *vn, const struct ext2_inode *raw)
{
	if (!raw->links && fs->freeing != vn->ino)
		return ext2_error(fs, "inode %lu is in a directory, but deleted", vn->ino);
	if (!vn->ops)
		return ext2_error(fs, "inode %lu is of no type: mode 0%o", vn->ino, raw->mode);
	if (raw->flags & EXT2_FLAG_EXTENTS)
		return ext2_error(fs, "inode %lu has extents", vn->ino);
	if (S_ISDIR(vn->mode) && (!vn->size || vn->size % fs->block_size || vn->size > INT32_MAX))
		return ext2_error(fs, "directory %lu: size %lu", vn->ino, (unsigned long)vn->size);
	if (S_ISLNK(vn->mode) && (!vn->size || vn->size >= fs->block_size))
		return ext2_error(fs, "symbolic link %lu: size %lu", vn->ino,
				  (unsigned long)vn->size);
	if (S_ISREG(vn->mode) && vn->size > fs->mount->max_size)
		return ext2_error(fs, "file %lu: size %lu", vn->ino, (unsigned long)vn->size);
	return 0;
}

static void fill_vnode(struct ext2_fs *fs, struct vnode *vn, const struct ext2_inode *raw)
{
	struct ext2_inode_info *in = ext2_info(vn);
	bool extra = has_extra_times(fs, raw);

	vn->mode = raw->mode;
	vn->ops = ext2_ops_of(vn->mode);
	vn->nlink = raw->links;
	vn->uid = raw->uid | (uid_t)raw->uid_high << 16;
	vn->gid = raw->gid | (gid_t)raw->gid_high << 16;
	vn->size = raw->size;
	if (S_ISREG(vn->mode) && fs->sb->rev_level)
		vn->size |= (uint64_t)raw->size_high << 32;
	vn->blocks = raw->blocks;
	vn->atime = load_time(raw->atime, extra ? raw->atime_extra : 0);
	vn->mtime = load_time(raw->mtime, extra ? raw->mtime_extra : 0);
	vn->ctime = load_time(raw->ctime, extra ? raw->ctime_extra : 0);
	memcpy(in->block, raw->block, sizeof(in->block));
	in->flags = raw->flags;
	in->file_acl = raw->file_acl;
	in->generation = raw->generation;
	if (S_ISCHR(vn->mode) || S_ISBLK(vn->mode))
		vn->rdev = load_rdev(in->block);
}

struct ext2_inode_info *ext2_new_info(void)
{
	struct ext2_inode_info *in = kmalloc(sizeof(*in), ALLOC_ZERO);

	if (in)
		list_init(&in->orphan);
	return in;
}

static int load_inode(struct ext2_fs *fs, struct vnode *vn)
{
	struct ext2_inode *raw;
	struct buf *b;
	int err;

	vn->private = ext2_new_info();
	if (!vn->private)
		return -ENOMEM;
	ext2_lock(fs);
	err = ext2_read_raw(fs, vn->ino, &b, &raw);
	if (!err) {
		fill_vnode(fs, vn, raw);
		err = check_inode(fs, vn, raw);
		buf_put(b);
	}
	ext2_unlock(fs);
	return err;
}

int ext2_iget(struct mount *mnt, ino_t ino, struct vnode **out)
{
	struct ext2_fs *fs = mnt->private;
	bool fresh;
	int err;

	if (ino != EXT2_ROOT_INO && (ino < fs->first_ino || ino > fs->sb->inodes_count)) {
		ext2_lock(fs);
		err = ext2_error(fs, "a directory names inode %lu", ino);
		ext2_unlock(fs);
		return err;
	}
	err = vnode_find(mnt, ino, out, &fresh);
	if (err || !fresh)
		return err;
	err = load_inode(fs, *out);
	if (err) {
		kfree((*out)->private);
		vnode_bad(*out);
	} else {
		vnode_ready(*out);
	}
	return err;
}

/* ---- vnode to disk ---- */

static void fill_raw(struct ext2_fs *fs, const struct vnode *vn, struct ext2_inode *raw)
{
	const struct ext2_inode_info *in = ext2_info(vn);

	raw->mode = (uint16_t)vn->mode;
	raw->links = (uint16_t)vn->nlink;
	raw->uid = (uint16_t)vn->uid;
	raw->uid_high = (uint16_t)(vn->uid >> 16);
	raw->gid = (uint16_t)vn->gid;
	raw->gid_high = (uint16_t)(vn->gid >> 16);
	raw->size = (uint32_t)vn->size;
	if (S_ISREG(vn->mode) && fs->sb->rev_level)
		raw->size_high = (uint32_t)(vn->size >> 32);
	raw->blocks = (uint32_t)vn->blocks;
	raw->atime = (uint32_t)vn->atime.tv_sec;
	raw->mtime = (uint32_t)vn->mtime.tv_sec;
	raw->ctime = (uint32_t)vn->ctime.tv_sec;
	if (has_extra_times(fs, raw)) {
		raw->atime_extra = extra_time(vn->atime);
		raw->mtime_extra = extra_time(vn->mtime);
		raw->ctime_extra = extra_time(vn->ctime);
	}
	raw->flags = in->flags;
	raw->file_acl = in->file_acl;
	raw->generation = in->generation;
	memcpy(raw->block, in->block, sizeof(in->block));
}

int ext2_write_inode(struct vnode *vn)
{
	struct ext2_inode_info *in = ext2_info(vn);
	struct ext2_fs *fs = ext2_fs(vn);
	struct ext2_inode *raw;
	struct buf *b;
	int err;

	if (mount_readonly(vn->mount))
		return -EROFS;
	if (vn->size > INT32_MAX && !(fs->sb->ro_compat & EXT2_RO_LARGE_FILE)) {
		fs->sb->ro_compat |= EXT2_RO_LARGE_FILE;
		fs->sb_dirty = true;
	}
	err = ext2_read_raw(fs, vn->ino, &b, &raw);
	if (err)
		return err;
	if (raw->size != (uint32_t)vn->size || raw->size_high != (uint32_t)(vn->size >> 32))
		in->moved = fs->epoch;
	in->changed = fs->epoch;
	fill_raw(fs, vn, raw);
	b->freed |= !vn->nlink;
	buf_dirty(b);
	buf_put(b);
	return 0;
}

int ext2_setattr(struct vnode *vn, const struct vattr *va)
{
	struct ext2_fs *fs = ext2_fs(vn);
	int err;

	(void)va;
	ext2_lock(fs);
	err = ext2_write_inode(vn);
	ext2_unlock(fs);
	return err;
}

/* ---- deletion ---- */

#define XATTR_MAGIC 0xea020000

/* A block of extended attributes may belong to several inodes: it counts them. */
static int free_attributes(struct ext2_fs *fs, struct ext2_inode_info *in)
{
	uint32_t *head, block = in->file_acl;
	struct buf *b;
	int err;

	if (!block)
		return 0;
	if (!ext2_block_valid(fs, block))
		return ext2_error(fs, "attribute block is %u", block);
	err = buf_read(&fs->bufs, block, &b);
	if (err)
		return err;
	head = (uint32_t *)b->data;
	if (head[0] == XATTR_MAGIC && head[1] > 1) {
		head[1]--;
		buf_dirty(b);
		buf_put(b);
		return 0;
	}
	buf_put(b);
	return ext2_free_block(fs, block);
}

static bool has_blocks(const struct ext2_fs *fs, const struct vnode *vn)
{
	unsigned attr = ext2_info(vn)->file_acl ? fs->block_size / 512 : 0;

	if (S_ISLNK(vn->mode))
		return vn->blocks > attr;
	return S_ISREG(vn->mode) || S_ISDIR(vn->mode);
}

static int delete_inode(struct ext2_fs *fs, struct vnode *vn)
{
	struct ext2_inode *raw;
	struct buf *b;
	int err = has_blocks(fs, vn) ? ext2_free_from(vn, 0) : 0;

	if (!err)
		err = free_attributes(fs, ext2_info(vn));
	if (!err)
		err = ext2_read_raw(fs, vn->ino, &b, &raw);
	if (err)
		return err;
	raw->links = 0;
	raw->size = raw->size_high = raw->blocks = raw->file_acl = 0;
	memset(raw->block, 0, sizeof(raw->block));
	raw->dtime = (uint32_t)time_wall().tv_sec;
	if (!raw->dtime)
		raw->dtime = 1;
	b->freed = true;
	buf_dirty(b);
	buf_put(b);
	return ext2_free_inode(fs, vn->ino, S_ISDIR(vn->mode));
}

void ext2_evict(struct vnode *vn)
{
	struct ext2_inode_info *in = ext2_info(vn);
	struct ext2_fs *fs = ext2_fs(vn);

	if (!vn->nlink || in->index) {
		ext2_lock(fs);
		ext2_index_drop(vn);
		if (!vn->nlink && !mount_readonly(vn->mount))
			delete_inode(fs, vn);
		if (!ext2_orphan_del(vn))
			in = NULL;
		ext2_unlock(fs);
	}
	kfree(in);
}

const struct vnode_ops ext2_file_ops = {
	.setattr = ext2_setattr,
	.fsync = ext2_fsync,
	.truncate = ext2_truncate,
	.map = ext2_file_map,
	.reserve = ext2_reserve,
	.evict = ext2_evict,
};

const struct vnode_ops ext2_dir_ops = {
	.lookup = ext2_lookup,
	.create = ext2_create,
	.symlink = ext2_symlink,
	.link = ext2_link,
	.unlink = ext2_unlink,
	.rename = ext2_rename,
	.readdir = ext2_readdir,
	.setattr = ext2_setattr,
	.fsync = ext2_fsync,
	.evict = ext2_evict,
};

const struct vnode_ops ext2_link_ops = {
	.readlink = ext2_readlink,
	.setattr = ext2_setattr,
	.evict = ext2_evict,
};

const struct vnode_ops ext2_special_ops = {
	.setattr = ext2_setattr,
	.evict = ext2_evict,
};
