/* SPDX-License-Identifier: MIT */
/*
 * Where the names of a large directory are: a hash table in memory, made by the first look-up, that
 * gives for a name the blocks it may be in. So a look-up in a directory of any size reads one
 * block, and one for a name that is not there reads none, mostly.
 *
 * A slot is 0 or 16 bits of the hash and the block's number plus one; slots are probed in order.
 * The table knows every name; a name that was removed stays in it, and costs somebody a look into a
 * block. When three quarters are full it is thrown away, and the next look-up makes a new one.
 *
 * It is memory that can be had again: the oldest go when all together exceed 1/64 of memory, and
 * without one the directory is read from its start.
 */
#include "ext2.h"

#define INDEX_MIN 4096ul /* bytes of a directory that is worth it */
#define SLOTS_MAX (1u << 18)

struct ext2_index {
	struct list link;
	struct ext2_inode_info *owner;
	unsigned slots, used; /* slots: a power of two */
	uint32_t slot[];
};

static uint64_t name_hash(const char *name, size_t len)
{
	uint64_t h = len;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3ull;
	return h * 0x9e3779b97f4a7c15ull;
}

static uint32_t tag(uint64_t hash)
{
	return (uint32_t)hash & 0xffff0000u;
}

static void drop(struct ext2_fs *fs, struct ext2_index *ix)
{
	ix->owner->index = NULL;
	fs->index_slots -= ix->slots;
	list_del(&ix->link);
	kfree(ix);
}

void ext2_index_drop(struct vnode *dir)
{
	struct ext2_index *ix = ext2_info(dir)->index;

	if (ix)
		drop(ext2_fs(dir), ix);
}

bool ext2_index_create(struct vnode *dir)
{
	unsigned most = (unsigned)min(pages_total() * PAGE_SIZE / 64 / sizeof(uint32_t),
				      (unsigned long)SLOTS_MAX);
	struct ext2_fs *fs = ext2_fs(dir);
	struct ext2_index *ix;
	unsigned slots = 512;

	if (dir->size <= INDEX_MIN)
		return false;
	while (slots < dir->size / 8)
		slots *= 2;
	if (slots > most || dir->size >> fs->block_shift >= 0xffff)
		return false;
	while (fs->index_slots + slots > most)
		drop(fs, list_first(&fs->indexes, struct ext2_index, link));
	ix = kmalloc(sizeof(*ix) + slots * sizeof(ix->slot[0]), ALLOC_ZERO);
	if (!ix)
		return false;
	ix->owner = ext2_info(dir);
	ix->owner->index = ix;
	ix->slots = slots;
	fs->index_slots += slots;
	list_add_tail(&fs->indexes, &ix->link);
	return true;
}

void ext2_index_add(struct vnode *dir, const char *name, size_t len, uint64_t lb)
{
	struct ext2_index *ix = ext2_info(dir)->index;
	uint64_t hash = name_hash(name, len);
	uint32_t value = tag(hash) | (uint32_t)(lb + 1);
	unsigned i;

	if (!ix)
		return;
	if (lb >= 0xffff || ix->used > ix->slots / 4 * 3) {
		ext2_index_drop(dir);
		return;
	}
	for (i = (unsigned)(hash >> 32); ix->slot[i & (ix->slots - 1)]; i++)
		if (ix->slot[i & (ix->slots - 1)] == value)
			return;
	ix->slot[i & (ix->slots - 1)] = value;
	ix->used++;
}

bool ext2_index_next(const struct vnode *dir, const char *name, size_t len, unsigned *pos,
		     uint64_t *lb)
{
	const struct ext2_index *ix = ext2_info(dir)->index;
	uint64_t hash = name_hash(name, len);
	uint32_t value;

	while ((value = ix->slot[((unsigned)(hash >> 32) + *pos) & (ix->slots - 1)])) {
		++*pos;
		if (tag(value) == tag(hash)) {
			*lb = (value & 0xffff) - 1;
			return true;
		}
	}
	return false;
}
