/* SPDX-License-Identifier: MIT */
/*
 * The metadata buffers of <buf.h>: a hash table and an LRU list of at most 256 KiB. When it is full
 * the oldest buffer not in use goes, a clean one if there is one among the oldest few, otherwise it
 * is written first.
 */
#include "buf.h"
#include "internal.h"

#include <string.h>

#define BUF_MEMORY (256u * 1024)
#define BUF_LOOK 16 /* buffers looked at for a clean one */

void buf_cache_init(struct buf_cache *bc, struct block_device *bd, unsigned block_size)
{
	memset(bc, 0, sizeof(*bc));
	bc->bd = bd;
	bc->block_size = block_size;
	bc->max = BUF_MEMORY / block_size;
	list_init(&bc->lru);
}

static struct buf **buf_bucket(struct buf_cache *bc, uint64_t block)
{
	return &bc->hash[(block ^ block >> 7) % BUF_HASH];
}

static struct buf *buf_find(struct buf_cache *bc, uint64_t block)
{
	struct buf *b = *buf_bucket(bc, block);

	while (b && b->block != block)
		b = b->hash_next;
	if (b) {
		b->refs++;
		list_del(&b->lru);
		list_add_tail(&bc->lru, &b->lru);
	}
	return b;
}

static void buf_free(struct buf_cache *bc, struct buf *b)
{
	struct buf **p = buf_bucket(bc, b->block);

	while (*p != b)
		p = &(*p)->hash_next;
	*p = b->hash_next;
	list_del(&b->lru);
	bc->count--;
	kfree(b->data);
	kfree(b);
}

static int buf_write(struct buf_cache *bc, struct buf *b)
{
	b->dirty = false; /* an error is reported once, not tried for ever */
	return block_transfer(bc->bd, b->block * bc->block_size, b->data, bc->block_size, true);
}

static void buf_shrink(struct buf_cache *bc)
{
	struct buf *b, *oldest = NULL;
	unsigned looks = 0;

	list_for_each (b, &bc->lru, lru) {
		if (b->refs)
			continue;
		if (!oldest)
			oldest = b;
		if (!b->dirty || looks++ == BUF_LOOK)
			break;
	}
	if (&b->lru == &bc->lru || b->dirty)
		b = oldest;
	if (!b)
		return;
	if (b->dirty)
		buf_write(bc, b);
	buf_free(bc, b);
}

static struct buf *buf_add(struct buf_cache *bc, uint64_t block)
{
	struct buf **head = buf_bucket(bc, block), *b;

	if (bc->count >= bc->max)
		buf_shrink(bc);
	b = kmalloc(sizeof(*b), ALLOC_ZERO);
	if (!b)
		return NULL;
	b->data = kmalloc(bc->block_size, 0);
	if (!b->data) {
		kfree(b);
		return NULL;
	}
	b->block = block;
	b->refs = 1;
	b->hash_next = *head;
	*head = b;
	list_add_tail(&bc->lru, &b->lru);
	bc->count++;
	return b;
}

int buf_read(struct buf_cache *bc, uint64_t block, struct buf **out)
{
	struct buf *b = buf_find(bc, block);

	if (!b) {
		int err;

		b = buf_add(bc, block);
		if (!b)
			return -ENOMEM;
		err = block_transfer(bc->bd, block * bc->block_size, b->data, bc->block_size,
				     false);
		if (err) {
			buf_free(bc, b);
			return err;
		}
	}
	*out = b;
	return 0;
}

int buf_new(struct buf_cache *bc, uint64_t block, struct buf **out)
{
	struct buf *b = buf_find(bc, block);

	if (!b)
		b = buf_add(bc, block);
	if (!b)
		return -ENOMEM;
	memset(b->data, 0, bc->block_size);
	buf_dirty(b);
	*out = b;
	return 0;
}

void buf_put(struct buf *b)
{
	if (b)
		b->refs--;
}

void buf_dirty(struct buf *b)
{
	b->dirty = true;
	writeback_kick();
}

/* The block was freed. A damaged disk may have it in use still, under another name: then the buffer
 * stays, but is not written. */
void buf_forget(struct buf_cache *bc, uint64_t block)
{
	struct buf *b = *buf_bucket(bc, block);

	while (b && b->block != block)
		b = b->hash_next;
	if (b && b->refs)
		b->dirty = false;
	else if (b)
		buf_free(bc, b);
}

int buf_sync(struct buf_cache *bc)
{
	struct buf *b;
	int first = 0;

	list_for_each (b, &bc->lru, lru) {
		int err = b->dirty ? buf_write(bc, b) : 0;

		if (err && !first)
			first = err;
	}
	return first;
}

void buf_drop_all(struct buf_cache *bc)
{
	while (!list_empty(&bc->lru))
		buf_free(bc, list_first(&bc->lru, struct buf, lru));
}
