/* SPDX-License-Identifier: MIT */
/*
 * Blocks: a bit for each in its group's bitmap. A new block is taken at the goal (behind the file's
 * last one), else the next free one in that group, else in the groups that follow. The last few
 * blocks are the super-user's, as the superblock says.
 *
 * A block that was freed is "held": not given to another file until the inode that had it is
 * written without it. Otherwise a crash in between leaves two files with one block, which e2fsck
 * does not mend by itself. Held blocks are free in the bitmap; a second bitmap, in memory, has
 * them.
 */
#include "ext2.h"

uint32_t ext2_group_first(const struct ext2_fs *fs, unsigned group)
{
	return fs->sb->first_data_block + group * fs->sb->blocks_per_group;
}

uint32_t ext2_group_blocks(const struct ext2_fs *fs, unsigned group)
{
	uint32_t left = fs->sb->blocks_count - ext2_group_first(fs, group);

	return min(left, fs->sb->blocks_per_group);
}

static unsigned group_of(const struct ext2_fs *fs, uint32_t block)
{
	return (block - fs->sb->first_data_block) / fs->sb->blocks_per_group;
}

bool ext2_block_valid(struct ext2_fs *fs, uint32_t block)
{
	const struct ext2_group *gd;
	unsigned g;

	if (block <= fs->sb->first_data_block || block >= fs->sb->blocks_count)
		return false;
	g = group_of(fs, block);
	gd = &fs->groups[g];
	if (block == gd->block_bitmap || block == gd->inode_bitmap ||
	    block - gd->inode_table < fs->itable_blocks)
		return false;
	return block - ext2_group_first(fs, g) >= fs->super_blocks || !ext2_has_super(fs, g);
}

static bool bit_get(const char *map, unsigned bit)
{
	return map[bit / 8] >> (bit % 8) & 1;
}

static void bit_set(char *map, unsigned bit, bool on)
{
	unsigned char *byte = (unsigned char *)map + bit / 8, mask = (unsigned char)(1u << bit % 8);

	*byte = on ? *byte | mask : *byte & (unsigned char)~mask;
}

unsigned ext2_find_zero(const char *map, unsigned from, unsigned end)
{
	while (from < end) {
		const uint64_t *word = (const uint64_t *)map + from / 64;
		uint64_t zeros = ~*word >> (from % 64);

		if (zeros) {
			from += (unsigned)__builtin_ctzll(zeros);
			break;
		}
		from = ROUND_DOWN(from, 64) + 64;
	}
	return min(from, end);
}

static int block_bitmap(struct ext2_fs *fs, unsigned group, struct buf **b)
{
	int err = buf_read(&fs->bufs, fs->groups[group].block_bitmap, b);

	if (!err)
		(*b)->kind = BUF_BITMAP;
	return err;
}

int ext2_block_used(struct ext2_fs *fs, uint32_t block)
{
	unsigned g = group_of(fs, block);
	struct buf *b;
	int r = block_bitmap(fs, g, &b);

	if (r)
		return r;
	r = bit_get(b->data, block - ext2_group_first(fs, g));
	buf_put(b);
	return r;
}

static void hold(struct ext2_fs *fs, unsigned group, unsigned bit)
{
	struct ext2_held *h = &fs->held[group];

	if (!h->map)
		h->map = kmalloc(fs->block_size, ALLOC_ZERO);
	if (!h->map || bit_get(h->map, bit))
		return;
	bit_set(h->map, bit, true);
	h->n++;
	fs->nr_held++;
}

void ext2_release_held(struct ext2_fs *fs)
{
	for (unsigned g = 0; g < fs->nr_groups && fs->nr_held; g++) {
		fs->nr_held -= fs->held[g].n;
		kfree(fs->held[g].map);
		fs->held[g] = (struct ext2_held){.n = 0};
	}
}

/* As ext2_find_zero, but none that is held. */
static unsigned find_free(const struct ext2_fs *fs, unsigned group, const char *map, unsigned from,
			  unsigned end)
{
	const char *held = fs->held[group].map;

	do
		from = ext2_find_zero(map, from, end);
	while (from < end && held && bit_get(held, from) && ++from);
	return from;
}

/* A free block of @group, at or behind its block number @from if there is one. 0: none. */
static int take_in_group(struct ext2_fs *fs, unsigned group, unsigned from, uint32_t *out)
{
	unsigned n = ext2_group_blocks(fs, group), bit;
	struct buf *b;
	int err = block_bitmap(fs, group, &b);

	if (err)
		return err;
	bit = find_free(fs, group, b->data, from, n);
	if (bit == n)
		bit = find_free(fs, group, b->data, 0, n);
	*out = ext2_group_first(fs, group) + bit;
	if (bit == n)
		err = ext2_error(fs, "group %u has %u free blocks, its bitmap none", group,
				 fs->groups[group].free_blocks);
	else if (!ext2_block_valid(fs, *out))
		err = ext2_error(fs, "bitmap of group %u has metadata block %u as free", group,
				 *out);
	if (!err) {
		bit_set(b->data, bit, true);
		buf_dirty(b);
		fs->groups[group].free_blocks--;
		fs->sb->free_blocks--;
		ext2_group_dirty(fs, group);
	}
	buf_put(b);
	return err;
}

int ext2_alloc_block(struct ext2_fs *fs, uint32_t goal, uint32_t *out)
{
	uint32_t kept = fs_superuser() ? 0 : fs->sb->r_blocks_count;
	unsigned first;

	if (mount_readonly(fs->mount))
		return -EROFS;
	if (fs->sb->free_blocks <= kept)
		return -ENOSPC;
	if (fs->sb->free_blocks <= fs->nr_held) {
		int err = ext2_write_metadata(fs);

		if (err)
			return err;
	}
	if (goal < fs->sb->first_data_block || goal >= fs->sb->blocks_count)
		goal = fs->sb->first_data_block;
	first = group_of(fs, goal);
	for (unsigned i = 0; i < fs->nr_groups; i++) {
		unsigned g = (first + i) % fs->nr_groups;

		if (fs->groups[g].free_blocks > fs->held[g].n)
			return take_in_group(fs, g, i ? 0 : goal - ext2_group_first(fs, g), out);
	}
	return ext2_error(fs, "%u blocks are free, but no group has one", fs->sb->free_blocks);
}

int ext2_free_block(struct ext2_fs *fs, uint32_t block)
{
	unsigned g, bit;
	struct buf *b;
	int err;

	if (!ext2_block_valid(fs, block))
		return ext2_error(fs, "a file owns block %u, which is metadata or not there",
				  block);
	g = group_of(fs, block);
	bit = block - ext2_group_first(fs, g);
	err = block_bitmap(fs, g, &b);
	if (err)
		return err;
	if (!bit_get(b->data, bit)) {
		buf_put(b);
		return ext2_error(fs, "block %u is freed twice", block);
	}
	bit_set(b->data, bit, false);
	buf_dirty(b);
	buf_put(b);
	buf_forget(&fs->bufs, block);
	hold(fs, g, bit);
	fs->groups[g].free_blocks++;
	fs->sb->free_blocks++;
	ext2_group_dirty(fs, g);
	return 0;
}
