/* SPDX-License-Identifier: MIT */
/*
 * Inodes: a bit for each in its group's bitmap. A file goes into its directory's group, or the next
 * one with a free inode; a directory goes into the group with the most free blocks among those that
 * have an average number of free inodes, so that trees spread over the disk.
 */
#include "ext2.h"

static unsigned group_for_directory(const struct ext2_fs *fs)
{
	unsigned average = fs->sb->free_inodes / fs->nr_groups, best = fs->nr_groups;

	for (unsigned g = 0; g < fs->nr_groups; g++) {
		const struct ext2_group *gd = &fs->groups[g];

		if (gd->free_inodes && gd->free_inodes >= average &&
		    (best == fs->nr_groups || gd->free_blocks > fs->groups[best].free_blocks))
			best = g;
	}
	return best;
}

static unsigned group_for_file(const struct ext2_fs *fs, unsigned first)
{
	for (unsigned i = 0; i < fs->nr_groups; i++) {
		unsigned g = (first + i) % fs->nr_groups;

		if (fs->groups[g].free_inodes)
			return g;
	}
	return fs->nr_groups;
}

int ext2_alloc_inode(struct ext2_fs *fs, ino_t parent, bool directory, ino_t *out)
{
	unsigned per = fs->sb->inodes_per_group, g, bit;
	struct buf *b;
	int err;

	if (mount_readonly(fs->mount))
		return -EROFS;
	if (!fs->sb->free_inodes)
		return -ENOSPC;
	g = directory ? group_for_directory(fs) : group_for_file(fs, (unsigned)(parent - 1) / per);
	if (g == fs->nr_groups)
		return ext2_error(fs, "%u inodes are free, but no group has one",
				  fs->sb->free_inodes);
	err = buf_read(&fs->bufs, fs->groups[g].inode_bitmap, &b);
	if (err)
		return err;
	b->kind = BUF_BITMAP;
	bit = ext2_find_zero(b->data, 0, per);
	*out = (ino_t)g * per + bit + 1;
	if (bit == per || *out < fs->first_ino) {
		buf_put(b);
		return ext2_error(fs, "group %u has %u free inodes, its bitmap none", g,
				  fs->groups[g].free_inodes);
	}
	b->data[bit / 8] = (char)(b->data[bit / 8] | 1 << bit % 8);
	buf_dirty(b);
	buf_put(b);
	fs->groups[g].free_inodes--;
	if (directory)
		fs->groups[g].used_dirs++;
	fs->sb->free_inodes--;
	ext2_group_dirty(fs, g);
	return 0;
}

int ext2_inode_used(struct ext2_fs *fs, ino_t ino)
{
	unsigned per = fs->sb->inodes_per_group, bit = (unsigned)((ino - 1) % per);
	struct buf *b;
	int r = buf_read(&fs->bufs, fs->groups[(ino - 1) / per].inode_bitmap, &b);

	if (r)
		return r;
	b->kind = BUF_BITMAP;
	r = b->data[bit / 8] >> (bit % 8) & 1;
	buf_put(b);
	return r;
}

int ext2_free_inode(struct ext2_fs *fs, ino_t ino, bool directory)
{
	unsigned per = fs->sb->inodes_per_group;
	unsigned g = (unsigned)((ino - 1) / per), bit = (unsigned)((ino - 1) % per);
	struct buf *b;
	int err = buf_read(&fs->bufs, fs->groups[g].inode_bitmap, &b);

	if (err)
		return err;
	b->kind = BUF_BITMAP;
	if (!(b->data[bit / 8] >> (bit % 8) & 1)) {
		buf_put(b);
		return ext2_error(fs, "inode %lu is freed twice", ino);
	}
	b->data[bit / 8] = (char)(b->data[bit / 8] & ~(1 << bit % 8));
	buf_dirty(b);
	buf_put(b);
	fs->groups[g].free_inodes++;
	if (directory && fs->groups[g].used_dirs)
		fs->groups[g].used_dirs--;
	fs->sb->free_inodes++;
	ext2_group_dirty(fs, g);
	return 0;
}
