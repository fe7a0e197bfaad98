/* SPDX-License-Identifier: MIT */
/*
 * Files without a name that are still in use. If the machine stops, nobody would ever free them. So
 * they are a list on the disk: the superblock has the first one's number, and each inode, in place
 * of its time of deletion, the next one's. Whoever mounts the file system for writing, or checks
 * it, frees what is in the list.
 *
 * The machine may stop between any two writes, and then an inode with such a "time" that is not in
 * the list is a riddle for e2fsck; one without links and with no time at all it simply frees. So
 * the list grows and shrinks at its end only, one write after the other, each flushed:
 *
 *   a new one     when all other metadata is written, the last one, or the superblock, gets its
 * number one that was  before anything else is written, the list is undone from its end up to the
 * one before deleted       it; those behind it come to the end again afterwards
 *
 * A file that loses its name and its last user between two such moments costs nothing.
 */
#include "ext2.h"

#include <printk.h>
#include <string.h>

static struct ext2_inode_info *orphan_at(struct list *l)
{
	return list_entry(l, struct ext2_inode_info, orphan);
}

/* What follows on @prev, an orphan or the head of the list, is @next: on the disk, now, and nothing
 * else of the block that it is in. */
static int set_next(struct ext2_fs *fs, struct list *prev, ino_t next)
{
	struct ext2_inode *raw;
	char *copy = NULL;
	struct buf *b;
	int err;

	if (prev == &fs->orphans) {
		fs->sb->last_orphan = (uint32_t)next;
		err = ext2_write_super(fs);
		return err ? err : block_flush(fs->bd);
	}
	err = ext2_read_raw(fs, orphan_at(prev)->ino, &b, &raw);
	if (err)
		return err;
	copy = kmalloc(fs->block_size, 0);
	err = copy ? block_transfer(fs->bd, b->block << fs->block_shift, copy, fs->block_size,
				    false)
		   : -ENOMEM;
	if (!err) {
		((struct ext2_inode *)(copy + ((char *)raw - b->data)))->dtime = (uint32_t)next;
		err = block_transfer(fs->bd, b->block << fs->block_shift, copy, fs->block_size,
				     true);
	}
	if (!err && !orphan_at(prev)->dead)
		raw->dtime = (uint32_t)next;
	kfree(copy);
	buf_put(b);
	return err ? err : block_flush(fs->bd);
}

void ext2_orphan_add(struct vnode *vn)
{
	struct ext2_inode_info *in = ext2_info(vn);

	in->ino = vn->ino;
	if (list_empty(&in->orphan))
		list_add_tail(&ext2_fs(vn)->orphans, &in->orphan);
}

bool ext2_orphan_del(struct vnode *vn)
{
	struct ext2_inode_info *in = ext2_info(vn);

	in->dead = in->listed;
	if (!in->dead)
		list_del(&in->orphan);
	return !in->dead;
}

int ext2_orphans_undo(struct ext2_fs *fs)
{
	struct list *l, *prev;
	unsigned dead = 0;
	int err = 0;

	for (l = fs->orphans.next; l != &fs->orphans; l = l->next)
		dead += orphan_at(l)->dead;
	for (l = fs->orphans.prev; dead && !err; l = prev) {
		struct ext2_inode_info *in = orphan_at(l);

		prev = l->prev;
		if (in->listed)
			err = set_next(fs, prev, 0);
		if (err)
			break;
		in->listed = false;
		if (in->dead) {
			dead--;
			list_del(l);
			kfree(in);
		}
	}
	return err;
}

int ext2_orphans_write(struct ext2_fs *fs)
{
	int err = 0;

	for (struct list *l = fs->orphans.next; l != &fs->orphans && !err; l = l->next) {
		struct ext2_inode_info *in = orphan_at(l);

		if (in->listed)
			continue;
		err = set_next(fs, l->prev, in->ino);
		in->listed = !err;
	}
	return err;
}

void ext2_orphans_forget(struct ext2_fs *fs)
{
	while (!list_empty(&fs->orphans)) {
		struct ext2_inode_info *in = orphan_at(fs->orphans.next);

		list_del(&in->orphan);
		kfree(in);
	}
}

/* Take the first number off the list on the disk, in *@ino; 0: none, or it leads nowhere. *@gone:
 * its inode has no links. */
static int take_first(struct ext2_fs *fs, ino_t *ino, bool *gone)
{
	struct ext2_inode *raw;
	struct buf *b;
	int err;

	*ino = fs->sb->last_orphan;
	fs->sb->last_orphan = 0;
	if (!*ino)
		return 0;
	fs->sb_dirty = true;
	if (*ino < fs->first_ino || *ino > fs->sb->inodes_count || ext2_inode_used(fs, *ino) <= 0) {
		*ino = 0;
		return 0;
	}
	err = ext2_read_raw(fs, *ino, &b, &raw);
	if (err)
		return err;
	*gone = !raw->links;
	fs->sb->last_orphan = raw->dtime;
	raw->dtime = 0;
	buf_dirty(b);
	buf_put(b);
	return 0;
}

/* Whatever is freed is not in use any more, so a list in a circle has an end too. */
void ext2_free_orphans(struct ext2_fs *fs)
{
	unsigned freed = 0;
	struct vnode *vn;
	bool gone = false;
	ino_t ino;
	int err;

	do {
		ext2_lock(fs);
		err = take_first(fs, &ino, &gone);
		ext2_unlock(fs);
		if (!err && ino && gone) {
			fs->freeing = ino;
			err = ext2_iget(fs->mount, ino, &vn);
			fs->freeing = 0;
			if (!err)
				vnode_put(vn); /* no link, and now no reference */
			freed++;
		}
	} while (!err && ino && fs->sb->last_orphan);
	if (freed)
		printk("ext2: %s: %u files freed that were in use without a name\n", fs->bd->name,
		       freed);
}
