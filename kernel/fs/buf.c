/* SPDX-License-Identifier: MIT */
/*
 * The metadata buffers of <buf.h>: a hash table and an LRU list of 256 KiB. When that is full the
 * oldest buffer that is clean and not in use goes. If there is none it grows, and the write-back
 * thread is told: dirty ones are not written one by one, since their order matters (ext2/super.c).
 */
#include "buf.h"
#include "internal.h"

#include <string.h>

#define BUF_MEMORY (256u * 1024)

int buf_cache_init(struct buf_cache *bc, struct block_device *bd, unsigned block_size)
{
	memset(bc, 0, sizeof(*bc));
	bc->bd = bd;
	bc->block_size = block_size;
	bc->max = BUF_MEMORY / block_size;
	list_init(&bc->lru);
	bc->batch = kmalloc(sizeof(*bc->batch), 0);
	return bc->batch ? 0 : -ENOMEM;
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

static void buf_shrink(struct buf_cache *bc)
{
	struct buf *b;

	list_for_each (b, &bc->lru, lru)
		if (!b->refs && !b->dirty) {
			buf_free(bc, b);
			return;
		}
	writeback_now();
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
			bc->error = err;
			buf_free(bc, b);
			return -EIO;
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

/* By block, so that neighbours meet. */
static void batch_sort(struct buf_batch *out, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct buf *b = out->buf[i];
		unsigned j = i;

		for (; j && out->buf[j - 1]->block > b->block; j--)
			out->buf[j] = out->buf[j - 1];
		out->buf[j] = b;
	}
}

static int batch_write(struct buf_cache *bc, unsigned n)
{
	struct buf_batch *out = bc->batch;
	struct block_request *rq = NULL;
	struct block_batch b;
	int err;

	bc->written++;
	block_batch_init(&b);
	batch_sort(out, n);
	for (unsigned i = 0; i < n; i++) {
		uint64_t offset = out->buf[i]->block * bc->block_size;

		out->vecs[i] = (struct block_vec){out->buf[i]->data, bc->block_size};
		if (!rq || rq->offset + rq->size != offset || rq->nr_vecs == bc->bd->max_vecs) {
			if (rq)
				block_batch_submit(&b, rq);
			rq = &out->rqs[i];
			*rq = (struct block_request){.bd = bc->bd,
						     .op = BLOCK_WRITE,
						     .offset = offset,
						     .vecs = &out->vecs[i]};
		}
		rq->nr_vecs++;
		rq->size += bc->block_size;
	}
	if (rq)
		block_batch_submit(&b, rq);
	err = block_batch_wait(&b, bc->bd);
	if (err)
		bc->error = err;
	return err ? -EIO : 0;
}

int buf_sync(struct buf_cache *bc, enum buf_kind kind, bool freed)
{
	unsigned n = 0;
	struct buf *b;
	int first = 0, err;

	list_for_each (b, &bc->lru, lru) {
		if (!b->dirty || b->kind != kind || (freed && (!b->freed || b->fresh)))
			continue;
		b->dirty = b->freed = false; /* an error is reported once, not tried for ever */
		b->fresh = 0;
		bc->batch->buf[n++] = b;
		if (n == BUF_BATCH) {
			err = batch_write(bc, n);
			first = first ? first : err;
			n = 0;
		}
	}
	err = n ? batch_write(bc, n) : 0;
	return first ? first : err;
}

void buf_drop_all(struct buf_cache *bc)
{
	while (!list_empty(&bc->lru))
		buf_free(bc, list_first(&bc->lru, struct buf, lru));
	kfree(bc->batch);
}
