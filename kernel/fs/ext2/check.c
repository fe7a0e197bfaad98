/* SPDX-License-Identifier: MIT */
/*
 * What must be true of a superblock and of group descriptors before anything is computed from them.
 * After these checks no shift, division, product or index derived from them can go wrong.
 */
#include "ext2.h"

#include <printk.h>

static int refuse(const struct ext2_fs *fs, const char *why, unsigned long value)
{
	printk("ext2: %s: not mounted: %s (%lu)\n", fs->bd->name, why, value);
	return -EINVAL;
}

struct feature {
	uint32_t bit;
	const char *name;
};

static const struct feature incompat_names[] = {
	{0x1, "compression"},    {0x4, "needs_recovery"}, {0x8, "journal_dev"},
	{0x10, "meta_bg"},       {0x40, "extents"},       {0x80, "64bit"},
	{0x100, "mmp"},          {0x200, "flex_bg"},      {0x400, "ea_inode"},
	{0x1000, "dirdata"},     {0x2000, "csum_seed"},   {0x4000, "large_dir"},
	{0x8000, "inline_data"}, {0x10000, "encrypt"},    {0x20000, "casefold"},
};
static const struct feature ro_names[] = {
	{0x4, "btree_dir"},    {0x8, "huge_file"},  {0x10, "uninit_bg"}, {0x20, "dir_nlink"},
	{0x40, "extra_isize"}, {0x100, "quota"},    {0x200, "bigalloc"}, {0x400, "metadata_csum"},
	{0x1000, "read-only"}, {0x2000, "project"}, {0x8000, "verity"},
};

static const char *feature_name(const struct feature *list, unsigned n, uint32_t bits)
{
	for (unsigned i = 0; i < n; i++)
		if (bits & list[i].bit)
			return list[i].name;
	return "unknown";
}

static int check_features(struct ext2_fs *fs)
{
	const struct ext2_super *sb = fs->sb;
	uint32_t bad = sb->incompat & ~(uint32_t)EXT2_INCOMPAT_FILETYPE;

	if (bad) {
		printk("ext2: %s: not mounted: feature '%s' (incompatible bits 0x%x): make it with "
		       "mke2fs -t ext2\n",
		       fs->bd->name, feature_name(incompat_names, ARRAY_SIZE(incompat_names), bad),
		       bad);
		return -EINVAL;
	}
	bad = sb->ro_compat & ~(uint32_t)(EXT2_RO_SPARSE_SUPER | EXT2_RO_LARGE_FILE);
	if (bad && !mount_readonly(fs->mount)) {
		printk("ext2: %s: read-only: feature '%s' (read-only bits 0x%x)\n", fs->bd->name,
		       feature_name(ro_names, ARRAY_SIZE(ro_names), bad), bad);
		fs->mount->flags |= MS_RDONLY;
	}
	return 0;
}

static int check_revision(struct ext2_fs *fs)
{
	const struct ext2_super *sb = fs->sb;

	if (sb->magic != EXT2_MAGIC)
		return refuse(fs, "no ext2 file system: wrong magic number", sb->magic);
	if (sb->rev_level > 1)
		return refuse(fs, "unknown revision", sb->rev_level);
	if (sb->log_block_size > 2)
		return refuse(fs, "block size is not 1, 2 or 4 KiB: 1 KiB shifted by",
			      sb->log_block_size);
	fs->block_shift = 10 + sb->log_block_size;
	fs->block_size = 1u << fs->block_shift;
	if (fs->block_size < fs->bd->sector)
		return refuse(fs, "blocks are smaller than the device's sectors of bytes",
			      fs->bd->sector);
	fs->addr_shift = fs->block_shift - 2;
	fs->first_ino = 11;
	fs->inode_size = EXT2_OLD_INODE;
	if (!sb->rev_level)
		return 0;
	fs->inode_size = sb->inode_size;
	fs->first_ino = sb->first_ino;
	fs->filetype = sb->incompat & EXT2_INCOMPAT_FILETYPE;
	if (fs->inode_size < EXT2_OLD_INODE || fs->inode_size > fs->block_size ||
	    (fs->inode_size & (fs->inode_size - 1)))
		return refuse(fs, "bad inode size", fs->inode_size);
	return check_features(fs);
}

int ext2_check_super(struct ext2_fs *fs)
{
	const struct ext2_super *sb = fs->sb;
	uint64_t inodes;
	unsigned reserved = 0;
	int err = check_revision(fs);

	if (err)
		return err;
	if (sb->first_data_block != (fs->block_size == 1024))
		return refuse(fs, "bad first data block", sb->first_data_block);
	if (sb->blocks_count <= sb->first_data_block ||
	    (uint64_t)sb->blocks_count << fs->block_shift > fs->bd->size)
		return refuse(fs, "the device is too small for the number of blocks",
			      sb->blocks_count);
	if (sb->blocks_per_group < 8 || sb->blocks_per_group % 8 ||
	    sb->blocks_per_group > fs->block_size * 8)
		return refuse(fs, "bad number of blocks in a group", sb->blocks_per_group);
	if (!sb->inodes_per_group || sb->inodes_per_group > fs->block_size * 8)
		return refuse(fs, "bad number of inodes in a group", sb->inodes_per_group);
	fs->nr_groups = DIV_ROUND_UP(sb->blocks_count - sb->first_data_block, sb->blocks_per_group);
	inodes = (uint64_t)fs->nr_groups * sb->inodes_per_group;
	if (sb->inodes_count != inodes)
		return refuse(fs, "the number of inodes does not fit the groups", sb->inodes_count);
	if (fs->first_ino < 11 || fs->first_ino > sb->inodes_count)
		return refuse(fs, "bad first inode", fs->first_ino);
	fs->itable_blocks = DIV_ROUND_UP(sb->inodes_per_group * fs->inode_size, fs->block_size);
	fs->gdt_blocks = DIV_ROUND_UP((uint64_t)fs->nr_groups * sizeof(struct ext2_group),
				      fs->block_size);
	if (sb->rev_level && (sb->compat & EXT2_COMPAT_RESIZE_INODE))
		reserved = sb->reserved_gdt_blocks;
	fs->super_blocks = 1 + fs->gdt_blocks + reserved;
	if (fs->super_blocks + fs->itable_blocks + 2 > sb->blocks_per_group)
		return refuse(fs, "no room for data in a group", sb->blocks_per_group);
	return 0;
}

static bool power_of(unsigned n, unsigned base)
{
	while (n % base == 0)
		n /= base;
	return n == 1;
}

bool ext2_has_super(const struct ext2_fs *fs, unsigned group)
{
	if (!fs->sb->rev_level || !(fs->sb->ro_compat & EXT2_RO_SPARSE_SUPER) || group <= 1)
		return true;
	return power_of(group, 3) || power_of(group, 5) || power_of(group, 7);
}

static bool outside(uint32_t block, uint32_t n, uint32_t first, uint64_t end)
{
	return block < first || (uint64_t)block + n > end;
}

static bool overlap(uint32_t a, uint32_t na, uint32_t b, uint32_t nb)
{
	return a < b + nb && b < a + na;
}

static int check_group(struct ext2_fs *fs, unsigned g)
{
	const struct ext2_group *gd = &fs->groups[g];
	uint32_t first = ext2_group_first(fs, g), n = ext2_group_blocks(fs, g);
	uint64_t end = (uint64_t)first + n;
	uint32_t data = first + (ext2_has_super(fs, g) ? fs->super_blocks : 0);

	if (outside(gd->block_bitmap, 1, data, end) || outside(gd->inode_bitmap, 1, data, end) ||
	    outside(gd->inode_table, fs->itable_blocks, data, end))
		return refuse(fs, "bitmaps or inode table lie outside of their group", g);
	if (gd->block_bitmap == gd->inode_bitmap ||
	    overlap(gd->block_bitmap, 1, gd->inode_table, fs->itable_blocks) ||
	    overlap(gd->inode_bitmap, 1, gd->inode_table, fs->itable_blocks))
		return refuse(fs, "bitmaps and inode table overlap in group", g);
	if (gd->free_blocks > n || gd->free_inodes > fs->sb->inodes_per_group)
		return refuse(fs, "more free than there are, in group", g);
	return 0;
}

int ext2_check_groups(struct ext2_fs *fs)
{
	uint32_t blocks = 0, inodes = 0;

	for (unsigned g = 0; g < fs->nr_groups; g++) {
		int err = check_group(fs, g);

		if (err)
			return err;
		blocks += fs->groups[g].free_blocks;
		inodes += fs->groups[g].free_inodes;
	}
	/* The superblock's own counts are sums only; they are brought up to date with it. */
	fs->sb->free_blocks = blocks;
	fs->sb->free_inodes = inodes;
	return 0;
}
