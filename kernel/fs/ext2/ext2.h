/* SPDX-License-Identifier: MIT */
/*
 * ext2: the format on the disk, and what this driver keeps of it in memory.
 *
 * The disk is an array of blocks of 1, 2 or 4 KiB, in groups of at most 8 * block size blocks:
 *
 *   [boot] | super, descriptors | block bitmap | inode bitmap | inode table | data ... | next group
 *            (copies in groups 0, 1 and powers of 3, 5, 7)
 *
 * An inode (128 bytes or more) is a file: 12 block numbers, then a block of numbers, a block of
 * such blocks, and one more level. A directory is a file of records (inode, length, name). All
 * numbers are little-endian, as this machine's. (e2fsprogs, ext2fs/ext2_fs.h; "The Second Extended
 * File System", Dave Poirier.)
 *
 * Nothing read from the disk is believed: the superblock and the descriptors are checked at mount,
 * every other number where it is used. What is wrong is said in one line with its place, the file
 * system is marked as damaged and becomes read-only, the caller gets -EIO.
 *
 * fs->lock guards all metadata: buffers, bitmaps, descriptors, counts, the fields of struct
 * ext2_inode_info. It is taken inside vnode and page locks, and held while metadata is read.
 * Functions below are called with it held unless said otherwise.
 */
#ifndef EXT2_H
#define EXT2_H

#include "../buf.h"
#include "../internal.h"

#define EXT2_MAGIC 0xef53
#define EXT2_ROOT_INO 2
#define EXT2_SUPER_OFFSET 1024 /* bytes, whatever the block size */
#define EXT2_LINK_MAX 32000
#define EXT2_NDIR 12 /* direct block numbers in an inode */
#define EXT2_NSLOTS 15
#define EXT2_FAST_LINK 60 /* a shorter symbolic link lies in the inode itself */

#define EXT2_STATE_CLEAN 1
#define EXT2_STATE_ERROR 2

#define EXT2_COMPAT_RESIZE_INODE 0x10
#define EXT2_INCOMPAT_FILETYPE 0x2
#define EXT2_RO_SPARSE_SUPER 0x1
#define EXT2_RO_LARGE_FILE 0x2

#define EXT2_FLAG_INDEX 0x1000    /* directory has a hash index: we do not keep it up */
#define EXT2_FLAG_EXTENTS 0x80000 /* ext4's maps */

struct ext2_super {
	uint32_t inodes_count, blocks_count, r_blocks_count, free_blocks, free_inodes;
	uint32_t first_data_block, log_block_size, log_frag_size;
	uint32_t blocks_per_group, frags_per_group, inodes_per_group;
	uint32_t mtime, wtime;
	uint16_t mnt_count, max_mnt_count, magic, state, errors, minor_rev;
	uint32_t lastcheck, checkinterval, creator_os, rev_level;
	uint16_t def_resuid, def_resgid;
	uint32_t first_ino; /* from here on: revision 1 */
	uint16_t inode_size, block_group_nr;
	uint32_t compat, incompat, ro_compat;
	uint8_t uuid[16];
	char volume_name[16], last_mounted[64];
	uint32_t algo_bitmap;
	uint8_t prealloc_blocks, prealloc_dir_blocks;
	uint16_t reserved_gdt_blocks;
	uint8_t journal_uuid[16];
	uint32_t journal_inum, journal_dev;
	uint32_t last_orphan; /* orphan.c */
	uint8_t rest[1024 - 236];
};
_Static_assert(sizeof(struct ext2_super) == 1024, "superblock");
_Static_assert(offsetof(struct ext2_super, magic) == 56, "superblock");
_Static_assert(offsetof(struct ext2_super, reserved_gdt_blocks) == 206, "superblock");
_Static_assert(offsetof(struct ext2_super, last_orphan) == 232, "superblock");

struct ext2_group {
	uint32_t block_bitmap, inode_bitmap, inode_table;
	uint16_t free_blocks, free_inodes, used_dirs, flags;
	uint32_t rest[3];
};
_Static_assert(sizeof(struct ext2_group) == 32, "group descriptor");

struct ext2_inode {
	uint16_t mode, uid;
	uint32_t size, atime, ctime, mtime, dtime;
	uint16_t gid, links;
	uint32_t blocks; /* 512-byte units */
	uint32_t flags, osd1;
	uint32_t block[EXT2_NSLOTS];
	uint32_t generation, file_acl, size_high, faddr;
	uint16_t frag, osd2, uid_high, gid_high;
	uint32_t reserved;
	/* from here on only if the inodes are larger than 128 bytes and extra_isize says so */
	uint16_t extra_isize, checksum_high;
	uint32_t ctime_extra, mtime_extra, atime_extra, crtime, crtime_extra, version_high, projid;
};
#define EXT2_OLD_INODE 128
#define EXT2_EXTRA_TIMES 16 /* extra_isize that covers the three times */
#define EXT2_EXTRA_OURS 32  /* what we give new inodes */
_Static_assert(offsetof(struct ext2_inode, extra_isize) == EXT2_OLD_INODE, "inode");

struct ext2_dirent {
	uint32_t inode; /* 0: unused */
	uint16_t rec_len;
	uint8_t name_len, file_type;
	char name[];
};
#define EXT2_DIRENT_HEAD 8u
#define EXT2_DIRENT_MIN 12u
#define EXT2_DIRENT_SIZE(name_len) ROUND_UP(EXT2_DIRENT_HEAD + (name_len), 4u)

struct ext2_held { /* blocks of a group: balloc.c */
	char *map;
	unsigned n;
};

struct ext2_fs {
	mutex_t lock;
	struct mount *mount;
	struct block_device *bd;
	struct buf_cache bufs;
	struct ext2_super *sb; /* written back as a whole */
	bool sb_dirty;
	struct ext2_group *groups;                    /* the descriptor blocks as on the disk */
	bool *gdt_dirty;                              /* for each of them */
	unsigned block_size, block_shift, addr_shift; /* addr: block numbers in a block */
	unsigned nr_groups, gdt_blocks,
		super_blocks; /* super_blocks: at the start of a group with a copy */
	unsigned inode_size, itable_blocks;
	uint32_t first_ino;
	bool filetype;
	unsigned complaints;
	uint32_t generation;
	struct ext2_held *held;
	unsigned nr_held;
	int error;      /* of writing, for the next fsync() */
	uint64_t epoch; /* how often all metadata was written */
	struct list orphans, indexes;
	unsigned index_slots;
	ino_t freeing; /* may be loaded although it has no links */
};

struct ext2_inode_info {
	uint32_t block[EXT2_NSLOTS];
	uint32_t flags, file_acl, generation;
	uint64_t last_lb; /* where the last block was allocated, for the next one */
	uint32_t last_pb;
	/* Epochs in which it was last changed, and in which its size or place was. */
	uint64_t changed, moved;
	struct list orphan; /* in fs->orphans, or alone; its number */
	ino_t ino;
	bool listed, dead; /* on the disk; deleted meanwhile */
	struct ext2_index *index;
	uint64_t room; /* directories: the blocks before this one are full */
};

static inline struct ext2_fs *ext2_fs(const struct vnode *vn)
{
	return vn->mount->private;
}
static inline struct ext2_inode_info *ext2_info(const struct vnode *vn)
{
	return vn->private;
}
static inline void ext2_lock(struct ext2_fs *fs)
{
	mutex_lock(&fs->lock);
}

/* super.c */
/* Also looks whether the disk failed meanwhile. */
void ext2_unlock(struct ext2_fs *fs);
/* Everything, in the order that keeps what is on the disk mendable; and wait. */
int ext2_write_metadata(struct ext2_fs *fs);
/* Something on the disk is wrong: one line, read-only from now on. Always returns -EIO. */
int ext2_error(struct ext2_fs *fs, const char *fmt, ...) __printf(2, 3);
void ext2_group_dirty(struct ext2_fs *fs, unsigned group);
int ext2_write_super(struct ext2_fs *fs);

/* check.c: 0, or -EINVAL with a line that says why the file system is refused. No lock. */
int ext2_check_super(struct ext2_fs *fs);
int ext2_check_groups(struct ext2_fs *fs);
bool ext2_has_super(const struct ext2_fs *fs, unsigned group);

/* balloc.c */
uint32_t ext2_group_first(const struct ext2_fs *fs, unsigned group);
uint32_t ext2_group_blocks(const struct ext2_fs *fs, unsigned group);
/* Is @block one that a file may own? */
bool ext2_block_valid(struct ext2_fs *fs, uint32_t block);
/* 1, 0 or an error. */
int ext2_block_used(struct ext2_fs *fs, uint32_t block);
int ext2_alloc_block(struct ext2_fs *fs, uint32_t goal, uint32_t *out);
int ext2_free_block(struct ext2_fs *fs, uint32_t block);
void ext2_release_held(struct ext2_fs *fs);
/* First zero bit of [from, end), or end. */
unsigned ext2_find_zero(const char *map, unsigned from, unsigned end);

/* ialloc.c */
int ext2_alloc_inode(struct ext2_fs *fs, ino_t parent, bool directory, ino_t *out);
int ext2_free_inode(struct ext2_fs *fs, ino_t ino, bool directory);
/* 1, 0 or an error. */
int ext2_inode_used(struct ext2_fs *fs, ino_t ino);

/* orphan.c */
void ext2_orphan_add(struct vnode *vn);
/* It is deleted; fine if it is none. False: its info is needed until the list is written again. */
bool ext2_orphan_del(struct vnode *vn);
int ext2_orphans_undo(struct ext2_fs *fs);  /* before other metadata is written */
int ext2_orphans_write(struct ext2_fs *fs); /* afterwards */
void ext2_orphans_forget(struct ext2_fs *fs);
void ext2_free_orphans(struct ext2_fs *fs); /* at mount; takes the lock */

/* map.c */
/* Block on the disk of file block @lb; 0: a hole. @create: make it (and say so in *@fresh). */
int ext2_map(struct vnode *vn, uint64_t lb, bool create, uint32_t *out, bool *fresh);
/* The same for up to @n blocks from @lb on that lie (or do not: *@out 0) one behind the other: how
 * many, at least 1, or an error. */
int ext2_map_run(struct vnode *vn, uint64_t lb, unsigned n, uint32_t *out);
int ext2_unmap(struct vnode *vn, uint64_t lb);
/* Free the blocks from @first on. */
int ext2_free_from(struct vnode *vn, uint64_t first);
uint64_t ext2_max_size(const struct ext2_fs *fs);

/* inode.c */
extern const struct vnode_ops ext2_file_ops, ext2_dir_ops, ext2_link_ops, ext2_special_ops;
/* fs->lock NOT held: it may wait for the vnode. */
int ext2_iget(struct mount *mnt, ino_t ino, struct vnode **out);
int ext2_write_inode(struct vnode *vn);
const struct vnode_ops *ext2_ops_of(mode_t mode);
int ext2_read_raw(struct ext2_fs *fs, ino_t ino, struct buf **b, struct ext2_inode **raw);
void ext2_set_rdev(struct vnode *vn);
void ext2_evict(struct vnode *vn);
int ext2_setattr(struct vnode *vn, const struct vattr *va);
int ext2_fsync(struct vnode *vn, bool data_only);
struct ext2_inode_info *ext2_new_info(void); /* NULL: no memory */

/* file.c */
ssize_t ext2_file_map(struct vnode *vn, uint64_t offset, uint64_t n, uint64_t *disk);
int ext2_reserve(struct vnode *vn, uint64_t offset, size_t n);
int ext2_truncate(struct vnode *vn, uint64_t size);
ssize_t ext2_readlink(struct vnode *vn, char *buf, size_t size);
int ext2_set_link(struct vnode *vn, const char *target, size_t len);

/* dir.c */
struct ext2_slot {       /* an entry found */
	struct buf *buf; /* referenced: buf_put() */
	struct ext2_dirent *de, *prev;
	uint64_t lb;
};
int ext2_dir_find(struct vnode *dir, const char *name, size_t len, struct ext2_slot *slot);
int ext2_dir_add(struct vnode *dir, const char *name, size_t len, ino_t ino, mode_t mode);
void ext2_dir_set(struct vnode *dir, struct ext2_slot *slot, ino_t ino, mode_t mode);
void ext2_dir_remove(struct vnode *dir, struct ext2_slot *slot);
int ext2_dir_init(struct vnode *dir, ino_t parent);
int ext2_dir_empty(struct vnode *dir); /* 0, -ENOTEMPTY, an error */
int ext2_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink); /* takes the lock */

/* index.c: an empty table for @dir, to be filled; false: there will be none. */
bool ext2_index_create(struct vnode *dir);
void ext2_index_drop(struct vnode *dir); /* fine if there is none */
void ext2_index_add(struct vnode *dir, const char *name, size_t len, uint64_t lb);
/* The next block, *@pos being 0 at first, that may have the name. */
bool ext2_index_next(const struct vnode *dir, const char *name, size_t len, unsigned *pos,
		     uint64_t *lb);

/* names.c */
int ext2_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out);
int ext2_create(struct vnode *dir, const char *name, size_t len, mode_t mode, dev_t rdev,
		struct vnode **out);
int ext2_symlink(struct vnode *dir, const char *name, size_t len, const char *target);
int ext2_link(struct vnode *dir, const char *name, size_t len, struct vnode *vn);
int ext2_unlink(struct vnode *dir, const char *name, size_t len, struct vnode *vn);
int ext2_rename(struct vnode *odir, const char *oname, size_t olen, struct vnode *vn,
		struct vnode *ndir, const char *nname, size_t nlen, struct vnode *victim);

#endif
