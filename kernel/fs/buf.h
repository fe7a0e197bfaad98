/* SPDX-License-Identifier: MIT */
/*
 * Buffers: blocks of a file system's metadata in memory (buf.c).
 *
 * A file system has its own struct buf_cache, keyed by block number, with buffers as large as its
 * blocks; it is used under the file system's own mutex, so there are no locks in here. File data
 * never comes in here, and metadata never goes through the page cache: a block has one place in
 * memory, also where blocks are smaller than pages. When a metadata block is freed its buffer is
 * forgotten unwritten (buf_forget), so that nothing old is written over a new owner's data.
 */
#ifndef BUF_H
#define BUF_H

#include <fs.h>

#define BUF_HASH 128
#define BUF_BATCH 48u /* written together */

/* What is written before what is the file system's to say: by kind. */
enum buf_kind { BUF_CONTENT, BUF_INODES, BUF_BITMAP };

struct buf {
	struct list lru;
	struct buf *hash_next;
	uint64_t block;
	unsigned refs;
	bool dirty;
	bool freed;     /* an inode in it was freed since it was written */
	uint8_t kind;   /* enum buf_kind */
	uint32_t fresh; /* inodes in it that are not on the disk yet, by place */
	char *data;
};

struct buf_batch {
	struct buf *buf[BUF_BATCH];
	struct block_vec vecs[BUF_BATCH];
	struct block_request rqs[BUF_BATCH];
};

struct buf_cache {
	struct block_device *bd;
	unsigned block_size;
	unsigned count, max; /* at most max buffers, unless more are in use */
	unsigned written;    /* goes up when any are */
	int error;           /* of reading or writing, until somebody sets it back */
	struct list lru;
	struct buf *hash[BUF_HASH];
	struct buf_batch *batch;
};

/* -ENOMEM. */
int buf_cache_init(struct buf_cache *bc, struct block_device *bd, unsigned block_size);
/* The buffer of @block with its contents, referenced. -EIO, -ENOMEM. */
int buf_read(struct buf_cache *bc, uint64_t block, struct buf **out);
/* The same for a block without old contents: zeros, dirty. */
int buf_new(struct buf_cache *bc, uint64_t block, struct buf **out);
void buf_put(struct buf *b); /* NULL is fine */
void buf_dirty(struct buf *b);
void buf_forget(struct buf_cache *bc, uint64_t block);
/* Write those of the kind that are dirty, many at a time, and wait; the first error. @freed: only
 * buffers with that mark and nothing fresh. */
int buf_sync(struct buf_cache *bc, enum buf_kind kind, bool freed);
void buf_drop_all(struct buf_cache *bc); /* without writing */

#endif
