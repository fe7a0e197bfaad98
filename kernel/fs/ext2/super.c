/* SPDX-License-Identifier: MIT */
/*
 * ext2 file systems: mount, sync, unmount, and what happens when one proves damaged.
 *
 * The superblock and the group descriptors are kept in memory as they lie on the disk. While
 * mounted for writing the superblock on the disk says "not clean"; unmount and the change to
 * read-only write everything and then the "clean" state, last.
 */
#include "ext2.h"

#include <printk.h>
#include <string.h>

#define COMPLAINTS_MAX 16

static void make_readonly(struct ext2_fs *fs, const char *advice)
{
	printk("ext2: %s: is read-only from now on%s\n", fs->bd->name, advice);
	fs->sb->state |= EXT2_STATE_ERROR;
	fs->mount->flags |= MS_RDONLY;
	ext2_write_super(fs);
}

int ext2_error(struct ext2_fs *fs, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintk(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (fs->complaints < COMPLAINTS_MAX)
		printk("ext2: %s: damaged: %s\n", fs->bd->name, text);
	else if (fs->complaints == COMPLAINTS_MAX)
		printk("ext2: %s: damaged: and so on\n", fs->bd->name);
	fs->complaints++;
	if (!mount_readonly(fs->mount))
		make_readonly(fs, "; check it with e2fsck");
	return -EIO;
}

/* A device that has gone says nothing about what is on it. */
static void transfer_failed(struct ext2_fs *fs)
{
	if (!block_gone(fs->bd))
		ext2_error(fs, "metadata could not be read or written");
	else if (!mount_readonly(fs->mount))
		make_readonly(fs, ": the disk is gone, with what was not written yet");
}

void ext2_unlock(struct ext2_fs *fs)
{
	if (unlikely(fs->bufs.error)) {
		fs->bufs.error = 0;
		transfer_failed(fs);
	}
	mutex_unlock(&fs->lock);
}

void ext2_group_dirty(struct ext2_fs *fs, unsigned group)
{
	fs->gdt_dirty[group * sizeof(struct ext2_group) / fs->block_size] = true;
	fs->sb_dirty = true;
	writeback_kick();
}

int ext2_write_super(struct ext2_fs *fs)
{
	fs->sb_dirty = false;
	fs->sb->wtime = (uint32_t)time_wall().tv_sec;
	return block_transfer(fs->bd, EXT2_SUPER_OFFSET, fs->sb, sizeof(*fs->sb), true);
}

static int transfer_gdt(struct ext2_fs *fs, unsigned i, bool write)
{
	uint64_t block = fs->sb->first_data_block + 1 + i;

	return block_transfer(fs->bd, block << fs->block_shift,
			      (char *)fs->groups + ((size_t)i << fs->block_shift), fs->block_size,
			      write);
}

/* Inodes that were freed, in blocks that also have new ones, which are left out. */
static int write_freed(struct ext2_fs *fs)
{
	char *copy = NULL;
	struct buf *b;
	int err = buf_sync(&fs->bufs, BUF_INODES, true);

	list_for_each (b, &fs->bufs.lru, lru) {
		if (!b->dirty || !b->freed || b->kind != BUF_INODES || err)
			continue;
		if (!copy)
			copy = kmalloc(fs->block_size, 0);
		if (!copy)
			break; /* not worth failing for */
		memcpy(copy, b->data, fs->block_size);
		for (unsigned i = 0; i < fs->block_size / fs->inode_size; i++)
			if (b->fresh >> i & 1)
				memset(copy + i * fs->inode_size, 0, fs->inode_size);
		b->freed = false;
		fs->bufs.written++;
		err = block_transfer(fs->bd, b->block * fs->block_size, copy, fs->block_size, true);
	}
	kfree(copy);
	return err;
}

/* What was written since *@written is on the disk before anything that follows. */
static int flush_step(struct ext2_fs *fs, unsigned *written)
{
	if (*written == fs->bufs.written)
		return 0;
	*written = fs->bufs.written;
	return block_flush(fs->bd);
}

static int write_groups(struct ext2_fs *fs)
{
	int first = 0;

	for (unsigned i = 0; i < fs->gdt_blocks; i++) {
		int err;

		if (!fs->gdt_dirty[i])
			continue;
		fs->gdt_dirty[i] = false;
		err = transfer_gdt(fs, i, true);
		first = first ? first : err;
	}
	return first;
}

/*
 * The guest may be destroyed between any two of these writes. `e2fsck -p` mends everything that can
 * be found then: an entry whose inode is free, counts and bitmaps that are wrong. It would stop at
 * an inode that no directory names, at one whose directory or indirect blocks are something else,
 * and at two files with one block. Hence: inodes that were freed; then directories and indirect
 * blocks; then the other inodes; and only what is left then can give blocks to others. Between the
 * steps the disk empties its cache, which would write them in any order.
 */
int ext2_write_metadata(struct ext2_fs *fs)
{
	unsigned written = fs->bufs.written;
	int err = ext2_orphans_undo(fs);

	if (!err)
		err = write_freed(fs);
	if (!err)
		err = flush_step(fs, &written);
	if (!err)
		err = buf_sync(&fs->bufs, BUF_CONTENT, false);
	if (!err)
		err = flush_step(fs, &written);
	if (!err)
		err = buf_sync(&fs->bufs, BUF_INODES, false);
	if (!err)
		err = flush_step(fs, &written);
	if (!err)
		ext2_release_held(fs);
	if (!err)
		err = buf_sync(&fs->bufs, BUF_BITMAP, false);
	if (!err)
		err = write_groups(fs);
	if (!err && fs->sb_dirty)
		err = ext2_write_super(fs);
	if (!err && !list_empty(&fs->orphans))
		err = flush_step(fs, &written);
	if (!err)
		err = ext2_orphans_write(fs);
	if (err)
		fs->bufs.error = err;
	else
		fs->epoch++;
	return err;
}

static int ext2_sync(struct mount *mnt)
{
	struct ext2_fs *fs = mnt->private;
	int err, err2;

	ext2_lock(fs);
	err = ext2_write_metadata(fs);
	ext2_unlock(fs);
	err2 = block_flush(fs->bd);
	err = err ? err : err2;
	if (err)
		fs->error = -EIO;
	return err;
}

/*
 * If nothing of the file's is in buffers only, flushing the disk's cache is all: what a database
 * gets that overwrites its pages. Otherwise all metadata goes out: in parts, it would leave bitmaps
 * behind that do not know the file's blocks, and there may be nobody to run e2fsck after a crash.
 * Reported is also what a write-back that nobody asked for has failed to do.
 */
int ext2_fsync(struct vnode *vn, bool data_only)
{
	const struct ext2_inode_info *in = ext2_info(vn);
	struct ext2_fs *fs = ext2_fs(vn);
	bool behind;
	int err;

	ext2_lock(fs);
	behind = (data_only ? in->moved : in->changed) == fs->epoch;
	ext2_unlock(fs);
	if (behind)
		ext2_sync(vn->mount);
	else if (block_flush(fs->bd))
		fs->error = -EIO;
	ext2_lock(fs);
	err = fs->error;
	fs->error = 0;
	ext2_unlock(fs);
	return err;
}

/* Say on the disk that it is in use, or (@clean) that it is whole. */
static int set_state(struct ext2_fs *fs, bool clean)
{
	if (clean)
		fs->sb->state |= EXT2_STATE_CLEAN;
	else
		fs->sb->state &= (uint16_t)~EXT2_STATE_CLEAN;
	return ext2_write_super(fs);
}

static int begin_writing(struct ext2_fs *fs)
{
	struct ext2_super *sb = fs->sb;

	if (sb->state & EXT2_STATE_ERROR)
		printk("ext2: %s: was found damaged before; check it with e2fsck\n", fs->bd->name);
	else if (!(sb->state & EXT2_STATE_CLEAN))
		printk("ext2: %s: was not unmounted; check it with e2fsck\n", fs->bd->name);
	sb->mnt_count++;
	sb->mtime = (uint32_t)time_wall().tv_sec;
	return set_state(fs, false);
}

/* Not before the mount says that it may be written. */
static void tidy_up(struct ext2_fs *fs)
{
	if (fs->sb->rev_level && fs->sb->last_orphan && list_empty(&fs->orphans))
		ext2_free_orphans(fs);
}

static int end_writing(struct ext2_fs *fs)
{
	int err;

	ext2_lock(fs);
	err = ext2_write_metadata(fs);
	if (!err && !(fs->sb->state & EXT2_STATE_ERROR))
		err = set_state(fs, true);
	ext2_unlock(fs);
	if (!err)
		err = block_flush(fs->bd);
	return err;
}

static int ext2_remount(struct mount *mnt, unsigned flags)
{
	struct ext2_fs *fs = mnt->private;
	bool readonly = flags & MS_RDONLY;
	int err;

	if (readonly == mount_readonly(mnt))
		return 0;
	if (readonly)
		return end_writing(fs);
	if (fs->bd->read_only || fs->complaints ||
	    (fs->sb->rev_level &&
	     (fs->sb->ro_compat & ~(uint32_t)(EXT2_RO_SPARSE_SUPER | EXT2_RO_LARGE_FILE))))
		return -EROFS;
	err = begin_writing(fs);
	if (!err) {
		mnt->flags &= ~(unsigned)MS_RDONLY;
		tidy_up(fs);
	}
	return err;
}

static void release_fs(struct ext2_fs *fs)
{
	ext2_orphans_forget(fs);
	buf_drop_all(&fs->bufs);
	if (fs->held)
		ext2_release_held(fs);
	kfree(fs->held);
	kfree(fs->groups);
	kfree(fs->gdt_dirty);
	kfree(fs->sb);
	kfree(fs);
}

static void ext2_unmount(struct mount *mnt)
{
	struct ext2_fs *fs = mnt->private;

	if (!mount_readonly(mnt) && end_writing(fs))
		printk("ext2: %s: not left clean\n", fs->bd->name);
	release_fs(fs);
}

static int read_groups(struct ext2_fs *fs)
{
	size_t size = (size_t)fs->gdt_blocks << fs->block_shift;
	int err = 0;

	fs->groups = kmalloc(size, 0);
	fs->gdt_dirty = kmalloc(fs->gdt_blocks * sizeof(bool), ALLOC_ZERO);
	fs->held = kmalloc(fs->nr_groups * sizeof(*fs->held), ALLOC_ZERO);
	if (!fs->groups || !fs->gdt_dirty || !fs->held)
		return -ENOMEM;
	for (unsigned i = 0; i < fs->gdt_blocks && !err; i++)
		err = transfer_gdt(fs, i, false);
	return err ? err : ext2_check_groups(fs);
}

static int load(struct ext2_fs *fs)
{
	int err;

	if (fs->bd->size < EXT2_SUPER_OFFSET + sizeof(*fs->sb)) {
		printk("ext2: %s: not mounted: the device is too small\n", fs->bd->name);
		return -EINVAL;
	}
	err = block_transfer(fs->bd, EXT2_SUPER_OFFSET, fs->sb, sizeof(*fs->sb), false);
	if (!err)
		err = ext2_check_super(fs);
	if (!err)
		err = read_groups(fs);
	if (err)
		return err;
	err = buf_cache_init(&fs->bufs, fs->bd, fs->block_size);
	if (err)
		return err;
	fs->mount->max_size = ext2_max_size(fs);
	fs->generation = (uint32_t)clock_wall();
	fs->epoch = 1;
	return ext2_iget(fs->mount, EXT2_ROOT_INO, &fs->mount->root);
}

static int ext2_mount(struct mount *mnt, const char *options)
{
	struct ext2_fs *fs = kmalloc(sizeof(*fs), ALLOC_ZERO);
	int err;

	(void)options;
	if (!fs)
		return -ENOMEM;
	list_init(&fs->bufs.lru);
	list_init(&fs->orphans);
	list_init(&fs->indexes);
	mutex_init(&fs->lock, "ext2");
	fs->mount = mnt;
	fs->bd = mnt->bd;
	fs->sb = kmalloc(sizeof(*fs->sb), 0);
	mnt->private = fs;
	err = !fs->sb ? -ENOMEM : load(fs);
	if (!err && !S_ISDIR(mnt->root->mode)) {
		vnode_put(mnt->root);
		err = ext2_error(fs, "the root inode is no directory");
	}
	if (!err && !mount_readonly(mnt)) {
		err = begin_writing(fs);
		if (err)
			vnode_put(mnt->root);
		else
			tidy_up(fs);
	}
	if (err) {
		vnode_forget_mount(mnt);
		release_fs(fs);
	}
	return err;
}

static int ext2_statfs(struct mount *mnt, struct parvix_statfs *st)
{
	struct ext2_fs *fs = mnt->private;
	const struct ext2_super *sb = fs->sb;
	unsigned long overhead = sb->first_data_block;

	ext2_lock(fs);
	for (unsigned g = 0; g < fs->nr_groups; g++)
		overhead += 2 + fs->itable_blocks + (ext2_has_super(fs, g) ? fs->super_blocks : 0);
	st->f_type = EXT2_MAGIC;
	st->f_bsize = fs->block_size;
	st->f_blocks = sb->blocks_count > overhead ? sb->blocks_count - overhead : 0;
	st->f_bfree = sb->free_blocks;
	st->f_bavail = sb->free_blocks > sb->r_blocks_count ? sb->free_blocks - sb->r_blocks_count
							    : 0;
	st->f_files = sb->inodes_count;
	st->f_ffree = sb->free_inodes;
	ext2_unlock(fs);
	return 0;
}

void ext2_init(void)
{
	static struct fs_type type = {
		.name = "ext2",
		.needs_device = true,
		.cache_names = true,
		.mount = ext2_mount,
		.sync = ext2_sync,
		.remount = ext2_remount,
		.unmount = ext2_unmount,
		.statfs = ext2_statfs,
	};

	fs_register(&type);
}
