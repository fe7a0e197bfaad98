/* SPDX-License-Identifier: MIT */
/*
 * Where the blocks of a file lie: a tree with up to three levels of blocks full of numbers
 * ("indirect blocks") below the 15 numbers in the inode.
 *
 *   slot 0..11  data
 *   slot 12     1 level,  a numbers      (a = block size / 4)
 *   slot 13     2 levels, a^2
 *   slot 14     3 levels, a^3
 *
 * A damaged tree may point anywhere, to itself too. Numbers are checked before they are followed;
 * the depth is fixed, so a look-up always ends; and freeing looks at the bitmap before it goes
 * down: what was freed once is never entered again, so it ends as well.
 */
#include "ext2.h"

/* Indexes on the way to @lb: path[0] in the inode. Levels in all (1 .. 4), 0: behind all. */
static unsigned find_path(const struct ext2_fs *fs, uint64_t lb, unsigned path[4])
{
	uint64_t span = 1ull << fs->addr_shift;
	unsigned mask = (unsigned)span - 1, levels = 1;

	if (lb < EXT2_NDIR) {
		path[0] = (unsigned)lb;
		return 1;
	}
	lb -= EXT2_NDIR;
	while (lb >= span) {
		if (++levels == 4)
			return 0;
		lb -= span;
		span <<= fs->addr_shift;
	}
	path[0] = EXT2_NDIR + levels - 1;
	for (unsigned i = levels; i; i--) {
		path[i] = (unsigned)lb & mask;
		lb >>= fs->addr_shift;
	}
	return levels + 1;
}

/* Limited by the tree, and by the 32-bit count of 512-byte units in the inode. */
uint64_t ext2_max_size(const struct ext2_fs *fs)
{
	uint64_t a = 1ull << fs->addr_shift;
	uint64_t tree = (EXT2_NDIR + a + a * a + a * a * a) << fs->block_shift;
	uint64_t units = (1ull << 41) - (1ull << 33);

	if (!fs->sb->rev_level)
		return INT32_MAX; /* no high half of the size */
	return min(tree, units);
}

static uint32_t goal_for(struct vnode *vn, uint64_t lb, const uint32_t *slot, unsigned index,
			 const struct buf *b)
{
	struct ext2_inode_info *in = ext2_info(vn);
	struct ext2_fs *fs = ext2_fs(vn);

	if (in->last_pb && (in->last_lb + 1 == lb || in->last_lb == lb))
		return in->last_pb + 1;
	if (index && slot[-1])
		return slot[-1] + 1;
	if (b)
		return (uint32_t)b->block + 1;
	return ext2_group_first(fs, (unsigned)((vn->ino - 1) / fs->sb->inodes_per_group));
}

/* Fill the empty *@slot, in @b or (NULL) in the inode; *@child: the new indirect block's buffer. */
static int grow(struct vnode *vn, uint64_t lb, uint32_t *slot, unsigned index, struct buf *b,
		bool leaf, struct buf **child)
{
	struct ext2_inode_info *in = ext2_info(vn);
	struct ext2_fs *fs = ext2_fs(vn);
	uint32_t block;
	int err = ext2_alloc_block(fs, goal_for(vn, lb, slot, index, b), &block);

	if (err)
		return err;
	if (!leaf) {
		err = buf_new(&fs->bufs, block, child);
		if (err) {
			ext2_free_block(fs, block);
			return err;
		}
	}
	*slot = block;
	if (b)
		buf_dirty(b);
	vn->blocks += fs->block_size / 512;
	in->last_lb = lb;
	in->last_pb = block;
	in->moved = in->changed = fs->epoch;
	vnode_mark_dirty(vn);
	return 0;
}

/* The slot for @lb: in *@b, referenced, or in the inode (*@b NULL). *@slot NULL: a hole on the way.
 */
static int find_slot(struct vnode *vn, uint64_t lb, bool create, struct buf **b, uint32_t **slot,
		     unsigned *index)
{
	struct ext2_fs *fs = ext2_fs(vn);
	unsigned path[4] = {0}, levels = find_path(fs, lb, path);

	*b = NULL;
	if (!levels)
		return -EFBIG;
	*slot = &ext2_info(vn)->block[path[0]];
	for (unsigned i = 1; i < levels; i++) {
		struct buf *child = NULL;
		int err = 0;

		if (**slot && !ext2_block_valid(fs, **slot))
			err = ext2_error(fs, "inode %lu: indirect block is %u", vn->ino, **slot);
		else if (**slot)
			err = buf_read(&fs->bufs, **slot, &child);
		else if (create)
			err = grow(vn, lb, *slot, path[i - 1], *b, false, &child);
		buf_put(*b);
		*b = child;
		*slot = child ? (uint32_t *)child->data + path[i] : NULL;
		if (err || !child)
			return err;
	}
	*index = path[levels - 1];
	return 0;
}

int ext2_map(struct vnode *vn, uint64_t lb, bool create, uint32_t *out, bool *fresh)
{
	struct ext2_fs *fs = ext2_fs(vn);
	unsigned index = 0;
	uint32_t *slot;
	struct buf *b;
	int err = find_slot(vn, lb, create, &b, &slot, &index);

	*out = 0;
	if (!err && slot && !*slot && create) {
		err = grow(vn, lb, slot, index, b, true, NULL);
		if (fresh)
			*fresh = !err;
	}
	if (!err && slot && *slot) {
		if (ext2_block_valid(fs, *slot))
			*out = *slot;
		else
			err = ext2_error(fs, "inode %lu: block %lu is %u", vn->ino,
					 (unsigned long)lb, *slot);
	}
	buf_put(b);
	return err;
}

int ext2_map_run(struct vnode *vn, uint64_t lb, unsigned n, uint32_t *out)
{
	struct ext2_fs *fs = ext2_fs(vn);
	unsigned index, run = 0, span = 1u << fs->addr_shift;
	unsigned left = lb < EXT2_NDIR ? EXT2_NDIR - (unsigned)lb
				       : span - ((unsigned)(lb - EXT2_NDIR) & (span - 1));
	uint32_t *slot;
	struct buf *b;
	int err = find_slot(vn, lb, false, &b, &slot, &index);

	if (err)
		return err;
	n = min(n, left);
	*out = slot ? *slot : 0;
	if (!slot)
		run = n;
	while (run < n && slot[run] == (*out ? *out + run : 0) &&
	       (!*out || ext2_block_valid(fs, slot[run])))
		run++;
	if (!run)
		err = ext2_error(fs, "inode %lu: block %lu is %u", vn->ino, (unsigned long)lb,
				 *slot);
	buf_put(b);
	return err ? err : (int)run;
}

static int release(struct vnode *vn, uint32_t *slot)
{
	struct ext2_fs *fs = ext2_fs(vn);
	unsigned units = fs->block_size / 512;
	int err = ext2_free_block(fs, *slot);

	if (err)
		return err;
	*slot = 0;
	ext2_info(vn)->moved = ext2_info(vn)->changed = fs->epoch;
	vn->blocks -= min(vn->blocks, (uint64_t)units);
	return 0;
}

int ext2_unmap(struct vnode *vn, uint64_t lb)
{
	unsigned index = 0;
	uint32_t *slot;
	struct buf *b;
	int err = find_slot(vn, lb, false, &b, &slot, &index);

	if (!err && slot && *slot) {
		err = release(vn, slot);
		if (b)
			buf_dirty(b);
	}
	buf_put(b);
	ext2_info(vn)->last_pb = 0;
	return err;
}

/* Free what lies at or behind file block @first in the tree of @depth levels at *@slot, whose first
 * file block is @base. */
static int free_tree(struct vnode *vn, uint32_t *slot, unsigned depth, uint64_t base,
		     uint64_t first)
{
	struct ext2_fs *fs = ext2_fs(vn);
	uint64_t child_span = depth ? 1ull << fs->addr_shift * (depth - 1) : 0;
	uint64_t span = depth ? child_span << fs->addr_shift : 1;
	uint32_t *entry;
	struct buf *b;
	int err;

	if (!*slot || base + span <= first)
		return 0;
	if (!depth)
		return release(vn, slot);
	if (!ext2_block_valid(fs, *slot))
		return ext2_error(fs, "inode %lu: indirect block is %u", vn->ino, *slot);
	err = ext2_block_used(fs, *slot);
	if (err <= 0)
		return err ? err
			   : ext2_error(fs, "inode %lu: indirect block %u is free", vn->ino, *slot);
	err = buf_read(&fs->bufs, *slot, &b);
	if (err)
		return err;
	entry = (uint32_t *)b->data;
	for (uint64_t i = first > base ? (first - base) / child_span : 0;
	     i < 1ull << fs->addr_shift && !err; i++)
		if (entry[i]) /* most are not */
			err = free_tree(vn, &entry[i], depth - 1, base + i * child_span, first);
	buf_dirty(b);
	buf_put(b);
	if (!err && base >= first)
		err = release(vn, slot);
	return err;
}

int ext2_free_from(struct vnode *vn, uint64_t first)
{
	struct ext2_inode_info *in = ext2_info(vn);
	struct ext2_fs *fs = ext2_fs(vn);
	uint64_t base = EXT2_NDIR;
	int err = 0;

	in->last_pb = 0;
	for (uint64_t i = first; i < EXT2_NDIR && !err; i++)
		err = free_tree(vn, &in->block[i], 0, i, first);
	for (unsigned depth = 1; depth <= 3 && !err; depth++) {
		err = free_tree(vn, &in->block[EXT2_NDIR + depth - 1], depth, base, first);
		base += 1ull << fs->addr_shift * depth;
	}
	return err;
}
