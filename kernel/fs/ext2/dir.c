/* SPDX-License-Identifier: MIT */
/*
 * Directories: blocks of records, each with the length to the next. The records of a block fill it
 * exactly, and none crosses into another block. A removed record is joined to the one before it, or
 * (the first) gets inode 0; a new name goes behind a record that is longer than its name needs, or
 * into an unused one, or into a new block at the end.
 *
 * Directories with a hash index (dir_index) are read as what they also are, plain lists; the first
 * change clears the flag, since the index is not kept up.
 */
#include "ext2.h"

#include <string.h>

/* Block @lb of the directory, which has no holes. */
static int dir_block(struct vnode *dir, uint64_t lb, struct buf **b)
{
	struct ext2_fs *fs = ext2_fs(dir);
	uint32_t block;
	int err = ext2_map(dir, lb, false, &block, NULL);

	if (!err && !block)
		err = ext2_error(fs, "directory %lu has a hole at block %lu", dir->ino,
				 (unsigned long)lb);
	return err ? err : buf_read(&fs->bufs, block, b);
}

/* The record at @off of the block, or NULL after a complaint. */
static struct ext2_dirent *record_at(struct vnode *dir, struct buf *b, unsigned off)
{
	struct ext2_fs *fs = ext2_fs(dir);
	struct ext2_dirent *de = (struct ext2_dirent *)(b->data + off);
	unsigned left = fs->block_size - off;
	const char *why = NULL;

	if (left < EXT2_DIRENT_MIN)
		why = "rest of the block";
	else if (de->rec_len < EXT2_DIRENT_MIN || de->rec_len % 4)
		why = "record length";
	else if (de->rec_len > left)
		why = "record crosses the block's end";
	else if (EXT2_DIRENT_HEAD + de->name_len > de->rec_len || (de->inode && !de->name_len))
		why = "name length";
	else if (de->inode > fs->sb->inodes_count)
		why = "inode number";
	if (!why)
		return de;
	ext2_error(fs, "directory %lu, block %lu, offset %u: bad %s", dir->ino,
		   (unsigned long)b->block, off, why);
	return NULL;
}

static uint64_t dir_blocks(const struct vnode *dir)
{
	return dir->size >> ext2_fs(dir)->block_shift;
}

static bool name_is(const struct ext2_dirent *de, const char *name, size_t len)
{
	return de->inode && de->name_len == len && !memcmp(de->name, name, len);
}

static int find_in_block(struct vnode *dir, struct buf *b, const char *name, size_t len,
			 struct ext2_slot *slot)
{
	struct ext2_dirent *de, *prev = NULL;

	for (unsigned off = 0; off < ext2_fs(dir)->block_size; off += de->rec_len) {
		de = record_at(dir, b, off);
		if (!de)
			return -EIO;
		if (name_is(de, name, len)) {
			*slot = (struct ext2_slot){.buf = b, .de = de, .prev = prev};
			return 0;
		}
		prev = de;
	}
	return -ENOENT;
}

static int find_in(struct vnode *dir, uint64_t lb, const char *name, size_t len,
		   struct ext2_slot *slot)
{
	struct buf *b;
	int err = dir_block(dir, lb, &b);

	if (err)
		return err;
	err = find_in_block(dir, b, name, len, slot);
	slot->lb = lb;
	if (err)
		buf_put(b);
	return err;
}

static int index_block(struct vnode *dir, uint64_t lb)
{
	struct ext2_dirent *de;
	struct buf *b;
	int err = dir_block(dir, lb, &b);

	if (err)
		return err;
	for (unsigned off = 0; off < ext2_fs(dir)->block_size && !err; off += de->rec_len) {
		de = record_at(dir, b, off);
		if (!de)
			err = -EIO;
		else if (de->inode)
			ext2_index_add(dir, de->name, de->name_len, lb);
		if (err)
			break;
	}
	buf_put(b);
	return err;
}

/* Have an index if it is worth it. */
static int make_index(struct vnode *dir)
{
	int err = 0;

	if (ext2_info(dir)->index || !ext2_index_create(dir))
		return 0;
	for (uint64_t lb = 0; lb < dir_blocks(dir) && !err; lb++)
		err = index_block(dir, lb);
	if (err)
		ext2_index_drop(dir);
	return err;
}

int ext2_dir_find(struct vnode *dir, const char *name, size_t len, struct ext2_slot *slot)
{
	int err = make_index(dir);
	unsigned pos = 0;
	uint64_t lb = 0;

	if (err)
		return err;
	err = -ENOENT;
	if (ext2_info(dir)->index) {
		while (err == -ENOENT && ext2_index_next(dir, name, len, &pos, &lb))
			err = find_in(dir, lb, name, len, slot);
	} else {
		for (; lb < dir_blocks(dir) && err == -ENOENT; lb++)
			err = find_in(dir, lb, name, len, slot);
	}
	return err;
}

static uint8_t type_byte(const struct ext2_fs *fs, mode_t mode)
{
	/* by S_IFMT >> 12: FIFO 1, character 2, directory 4, block 6, file 8, link 10, socket 12 */
	static const uint8_t types[16] = {
		[1] = 5, [2] = 3, [4] = 2, [6] = 4, [8] = 1, [10] = 7, [12] = 6};

	return fs->filetype ? types[mode >> 12 & 15] : 0;
}

void ext2_dir_set(struct vnode *dir, struct ext2_slot *slot, ino_t ino, mode_t mode)
{
	slot->de->inode = (uint32_t)ino;
	slot->de->file_type = type_byte(ext2_fs(dir), mode);
	buf_dirty(slot->buf);
}

/* The directory's own attributes after a change of its entries. */
static int dir_changed(struct vnode *dir)
{
	dir->mtime = dir->ctime = time_wall();
	ext2_info(dir)->flags &= ~(uint32_t)EXT2_FLAG_INDEX;
	return ext2_write_inode(dir);
}

static void fill_record(struct vnode *dir, struct buf *b, struct ext2_dirent *de, const char *name,
			size_t len, ino_t ino, mode_t mode)
{
	struct ext2_slot slot = {.buf = b, .de = de};

	de->name_len = (uint8_t)len;
	memcpy(de->name, name, len);
	ext2_dir_set(dir, &slot, ino, mode);
}

/* Room for @need bytes in the block: the record to fill, or NULL with *@err 0 or -EIO. */
static struct ext2_dirent *find_room(struct vnode *dir, struct buf *b, unsigned need, int *err)
{
	struct ext2_dirent *de;

	*err = 0;
	for (unsigned off = 0; off < ext2_fs(dir)->block_size; off += de->rec_len) {
		unsigned used;

		de = record_at(dir, b, off);
		if (!de) {
			*err = -EIO;
			return NULL;
		}
		used = de->inode ? (unsigned)EXT2_DIRENT_SIZE(de->name_len) : 0;
		if (de->rec_len < used + need)
			continue;
		if (used) {
			struct ext2_dirent *rest = (struct ext2_dirent *)((char *)de + used);

			rest->rec_len = (uint16_t)(de->rec_len - used);
			de->rec_len = (uint16_t)used;
			de = rest;
		}
		return de;
	}
	return NULL;
}

/* A new last block, one unused record. */
static int add_block(struct vnode *dir, struct buf **b)
{
	struct ext2_fs *fs = ext2_fs(dir);
	uint32_t block;
	int err;

	if (dir->size + fs->block_size > INT32_MAX)
		return -ENOSPC;
	err = ext2_map(dir, dir_blocks(dir), true, &block, NULL);
	if (!err)
		err = buf_new(&fs->bufs, block, b);
	if (err)
		return err;
	((struct ext2_dirent *)(*b)->data)->rec_len = (uint16_t)fs->block_size;
	dir->size += fs->block_size;
	return 0;
}

int ext2_dir_add(struct vnode *dir, const char *name, size_t len, ino_t ino, mode_t mode)
{
	unsigned need = (unsigned)EXT2_DIRENT_SIZE(len);
	struct ext2_inode_info *in = ext2_info(dir);
	struct ext2_dirent *de = NULL;
	struct buf *b = NULL;
	int err = 0;

	/* A block that had no room for one name is not tried again for another, until a name in it
	 * or before it is removed. */
	for (; in->room < dir_blocks(dir); in->room++) {
		err = dir_block(dir, in->room, &b);
		if (err)
			return err;
		de = find_room(dir, b, need, &err);
		if (de)
			break;
		buf_put(b);
		if (err)
			return err;
	}
	if (!de) {
		err = add_block(dir, &b);
		if (err)
			return err;
		de = (struct ext2_dirent *)b->data;
	}
	fill_record(dir, b, de, name, len, ino, mode);
	buf_put(b);
	ext2_index_add(dir, name, len, in->room);
	return dir_changed(dir);
}

void ext2_dir_remove(struct vnode *dir, struct ext2_slot *slot)
{
	if (slot->prev)
		slot->prev->rec_len = (uint16_t)(slot->prev->rec_len + slot->de->rec_len);
	else
		slot->de->inode = 0;
	ext2_info(dir)->room = min(ext2_info(dir)->room, slot->lb);
	buf_dirty(slot->buf);
	dir_changed(dir);
}

/* "." and ".." of a new directory. */
int ext2_dir_init(struct vnode *dir, ino_t parent)
{
	struct ext2_fs *fs = ext2_fs(dir);
	struct ext2_dirent *de;
	struct buf *b;
	int err = add_block(dir, &b);

	if (err)
		return err;
	de = (struct ext2_dirent *)b->data;
	de->rec_len = EXT2_DIRENT_MIN;
	fill_record(dir, b, de, ".", 1, dir->ino, S_IFDIR);
	de = (struct ext2_dirent *)(b->data + EXT2_DIRENT_MIN);
	de->rec_len = (uint16_t)(fs->block_size - EXT2_DIRENT_MIN);
	fill_record(dir, b, de, "..", 2, parent, S_IFDIR);
	buf_put(b);
	return 0;
}

static bool is_dots(const struct ext2_dirent *de)
{
	return de->name[0] == '.' &&
	       (de->name_len == 1 || (de->name_len == 2 && de->name[1] == '.'));
}

int ext2_dir_empty(struct vnode *dir)
{
	for (uint64_t lb = 0; lb < dir_blocks(dir); lb++) {
		struct ext2_dirent *de;
		struct buf *b;
		int err = dir_block(dir, lb, &b);

		if (err)
			return err;
		for (unsigned off = 0; off < ext2_fs(dir)->block_size && !err; off += de->rec_len) {
			de = record_at(dir, b, off);
			if (!de)
				err = -EIO;
			else if (de->inode && !is_dots(de))
				err = -ENOTEMPTY;
			if (err)
				break;
		}
		buf_put(b);
		if (err)
			return err;
	}
	return 0;
}

/* Names that no path can hold would mislead every program. */
static bool readable_name(const struct ext2_dirent *de)
{
	return !memchr(de->name, '/', de->name_len) && !memchr(de->name, 0, de->name_len);
}

static unsigned dt_type(const struct ext2_fs *fs, const struct ext2_dirent *de)
{
	static const uint8_t types[8] = {DT_UNKNOWN, DT_REG,  DT_DIR,  DT_CHR,
					 DT_BLK,     DT_FIFO, DT_SOCK, DT_LNK};

	return fs->filetype && de->file_type < 8 ? types[de->file_type] : DT_UNKNOWN;
}

/*
 * Records of block @lb from offset @from on. That offset was a record's when it was handed out; a
 * removal since then may have joined it to another: so the block is walked from its start.
 */
static int read_block(struct vnode *dir, uint64_t lb, unsigned from, uint64_t *pos,
		      struct dir_sink *sink, bool *full)
{
	struct ext2_fs *fs = ext2_fs(dir);
	struct ext2_dirent *de;
	struct buf *b;
	int err = dir_block(dir, lb, &b);

	if (err)
		return err;
	for (unsigned off = 0; off < fs->block_size; off += de->rec_len) {
		uint64_t next;

		de = record_at(dir, b, off);
		if (!de) {
			err = -EIO;
			break;
		}
		next = (lb << fs->block_shift) + off + de->rec_len;
		if (off < from)
			continue;
		if (de->inode && readable_name(de) &&
		    !sink->put(sink, de->name, de->name_len, de->inode, dt_type(fs, de), next)) {
			*full = true;
			break;
		}
		*pos = next;
	}
	buf_put(b);
	return err;
}

int ext2_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	struct ext2_fs *fs = ext2_fs(dir);
	bool full = false;
	int err = 0;

	ext2_lock(fs);
	while (*pos < dir->size && !err && !full) {
		uint64_t lb = *pos >> fs->block_shift;

		err = read_block(dir, lb, (unsigned)*pos & (fs->block_size - 1), pos, sink, &full);
		/* A position behind the last record's start: nothing was left of the block. */
		if (!err && !full && *pos >> fs->block_shift == lb)
			*pos = (lb + 1) << fs->block_shift;
	}
	ext2_unlock(fs);
	return err;
}
