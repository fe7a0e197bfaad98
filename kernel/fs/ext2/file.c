/* SPDX-License-Identifier: MIT */
/*
 * Contents of files: pages to blocks and back, and symbolic links.
 *
 * A page is one to four blocks, which may lie anywhere; files mostly lie in long runs, though, and
 * the page cache asks for those (pcache_io.c).
 */
#include "ext2.h"

#include <string.h>

ssize_t ext2_file_map(struct vnode *vn, uint64_t offset, uint64_t n, uint64_t *disk)
{
	struct ext2_fs *fs = ext2_fs(vn);
	uint64_t in = offset & (fs->block_size - 1);
	unsigned blocks = (unsigned)min(DIV_ROUND_UP(in + n, (uint64_t)fs->block_size), 1u << 20);
	uint32_t first;
	int run;

	ext2_lock(fs);
	run = ext2_map_run(vn, offset >> fs->block_shift, blocks, &first);
	ext2_unlock(fs);
	if (run < 0)
		return run;
	*disk = first ? ((uint64_t)first << fs->block_shift) + in : DISK_HOLE;
	return (ssize_t)(((uint64_t)run << fs->block_shift) - in);
}

/* At most a page: so a set of bits holds which blocks were new, to be given back on an error. What
 * lies in them on the disk is somebody's old data. */
static int reserve_locked(struct vnode *vn, uint64_t first, unsigned n)
{
	uint32_t block, made = 0;
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		bool fresh = false;

		err = ext2_map(vn, first + i, true, &block, &fresh);
		if (fresh)
			made |= 1u << i;
	}
	for (unsigned i = 0; err && i < n; i++)
		if (made & 1u << i)
			ext2_unmap(vn, first + i);
	return err;
}

int ext2_reserve(struct vnode *vn, uint64_t offset, size_t n)
{
	struct ext2_fs *fs = ext2_fs(vn);
	uint64_t first = offset >> fs->block_shift;
	uint64_t last = (offset + n - 1) >> fs->block_shift;
	int err;

	if (!n)
		return 0;
	ext2_lock(fs);
	err = mount_readonly(vn->mount) ? -EROFS
					: reserve_locked(vn, first, (unsigned)(last - first + 1));
	ext2_unlock(fs);
	return err;
}

int ext2_truncate(struct vnode *vn, uint64_t size)
{
	struct ext2_fs *fs = ext2_fs(vn);
	int err, err2;

	ext2_lock(fs);
	err = ext2_free_from(vn, DIV_ROUND_UP(size, (uint64_t)fs->block_size));
	err2 = ext2_write_inode(vn);
	ext2_unlock(fs);
	return err ? err : err2;
}

/* ---- symbolic links: short ones in place of the block numbers ---- */

static bool fast_link(const struct vnode *vn)
{
	unsigned attr = ext2_info(vn)->file_acl ? ext2_fs(vn)->block_size / 512 : 0;

	return vn->blocks <= attr && vn->size < EXT2_FAST_LINK;
}

static int read_slow_link(struct vnode *vn, char *buf, size_t n)
{
	struct ext2_fs *fs = ext2_fs(vn);
	uint32_t block;
	struct buf *b;
	int err;

	ext2_lock(fs);
	err = ext2_map(vn, 0, false, &block, NULL);
	if (!err && !block)
		err = ext2_error(fs, "symbolic link %lu has no block", vn->ino);
	if (!err)
		err = buf_read(&fs->bufs, block, &b);
	if (!err) {
		memcpy(buf, b->data, n);
		buf_put(b);
	}
	ext2_unlock(fs);
	return err;
}

ssize_t ext2_readlink(struct vnode *vn, char *buf, size_t size)
{
	size_t n = min(size, (size_t)vn->size);
	int err = 0;

	if (fast_link(vn))
		memcpy(buf, ext2_info(vn)->block, n);
	else
		err = read_slow_link(vn, buf, n);
	/* A 0 would end the path early, for whoever takes it for a string. */
	if (!err && memchr(buf, 0, n))
		err = -EIO;
	return err ? err : (ssize_t)n;
}

/* fs->lock held; @vn is new. */
int ext2_set_link(struct vnode *vn, const char *target, size_t len)
{
	struct ext2_fs *fs = ext2_fs(vn);
	uint32_t block;
	struct buf *b;
	int err;

	if (len >= fs->block_size)
		return -ENAMETOOLONG;
	vn->size = len;
	if (len < EXT2_FAST_LINK) {
		memcpy(ext2_info(vn)->block, target, len);
		return 0;
	}
	err = ext2_map(vn, 0, true, &block, NULL);
	if (!err)
		err = buf_new(&fs->bufs, block, &b);
	if (!err) {
		memcpy(b->data, target, len);
		buf_put(b);
	}
	return err;
}
