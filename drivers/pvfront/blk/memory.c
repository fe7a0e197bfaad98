/* SPDX-License-Identifier: MIT */
/*
 * The memory of a queue: the ring's pages, and pages that are granted for the whole connection.
 *
 * The buffers are a stack: the one given back last is taken first. A backend maps a granted page
 * when it sees it for the first time and keeps it mapped; it may keep fewer than we have, and then
 * lets go of those not used for long. With a stack these are the same ones.
 *
 * Buffers are made when they are needed, up to a limit, and stay until the connection ends. When
 * they are given back they go by grant_end_page(): a page that the backend still maps, or will not
 * let go of, is not used for anything else.
 */
#include <mm.h>
#include <string.h>
#include "blk.h"

static struct blk_buf *buf_make(struct blk_queue *q, unsigned flags)
{
	struct blk_buf *buf = kmalloc(sizeof(*buf), flags);
	/* Zeroed: what of it a request does not fill is shown to the backend, too. */
	struct page *pg = page_alloc(0, flags | ALLOC_ZERO);

	if (!buf || !pg || grant_access(q->disk->dev->backend_id, page_pfn(pg), false, &buf->ref)) {
		if (pg)
			page_put(pg);
		kfree(buf);
		return NULL;
	}
	buf->pg = pg;
	q->nr_bufs++;
	return buf;
}

static void buf_free(struct blk_buf *buf)
{
	grant_end_page(buf->ref, buf->pg);
	kfree(buf);
}

struct blk_buf *blk_buf_get(struct blk_queue *q)
{
	struct blk_buf *buf = q->bufs;

	if (buf)
		q->bufs = buf->next;
	else if (q->nr_bufs < q->max_bufs)
		buf = buf_make(q, ALLOC_ATOMIC);
	return buf;
}

void blk_buf_put(struct blk_queue *q, struct blk_buf *buf)
{
	buf->next = q->bufs;
	q->bufs = buf;
}

struct blk_table *blk_table_get(struct blk_queue *q)
{
	struct blk_table *t = q->tables;
	struct blk_buf *page;
	struct page *pg;

	if (t) {
		q->tables = t->next;
		return t;
	}
	if (q->nr_tables >= BLK_TABLES_MAX)
		return NULL;
	t = kmalloc(sizeof(*t), ALLOC_ATOMIC);
	pg = page_alloc(0, ALLOC_ATOMIC);
	page = buf_make(q, ALLOC_ATOMIC);
	if (!t || !pg || !page) {
		kfree(t);
		if (pg)
			page_put(pg);
		if (page)
			blk_buf_put(q, page);
		return NULL;
	}
	*t = (struct blk_table){.page = page, .seg = page_va(pg)};
	q->nr_bufs--; /* it is not one of those */
	q->nr_tables++;
	return t;
}

void blk_table_put(struct blk_queue *q, struct blk_table *t)
{
	t->next = q->tables;
	q->tables = t;
}

/* Pages one after another, each of which is given back on its own. */
static struct page *ring_pages(unsigned n)
{
	unsigned order = 0;
	struct page *pg;

	while (1u << order < n)
		order++;
	pg = page_alloc(order, ALLOC_ZERO);
	if (pg)
		page_split(pg);
	return pg;
}

static int ring_make(struct blk_queue *q, unsigned pages)
{
	uint32_t n = blk_ring_entries(pages);

	q->slots = kmalloc(n * sizeof(*q->slots), ALLOC_ZERO);
	q->parts = kmalloc(n * sizeof(*q->parts), ALLOC_ZERO);
	q->pages = ring_pages(pages);
	if (!q->slots || !q->parts || !q->pages)
		return -ENOMEM;
	for (q->nr_pages = 0; q->nr_pages < pages; q->nr_pages++) {
		int err = grant_access(q->disk->dev->backend_id, page_pfn(q->pages + q->nr_pages),
				       false, &q->ref[q->nr_pages]);

		if (err)
			return err;
	}
	blk_ring_init(&q->ring, page_va(q->pages), pages, q->slots);
	return 0;
}

int blk_memory_make(struct blk_queue *q, unsigned pages)
{
	int err = ring_make(q, pages);

	/* Pages of the ring that were not granted are the last ones: given back here. */
	for (unsigned i = q->nr_pages; err && q->pages && i < pages; i++)
		page_put(q->pages + i);
	while (!err && q->nr_bufs < BLK_BUFS_MIN) {
		struct blk_buf *buf = buf_make(q, 0);

		if (buf)
			blk_buf_put(q, buf);
		else
			err = -ENOMEM;
	}
	if (err)
		blk_memory_free(q);
	return err;
}

void blk_memory_free(struct blk_queue *q)
{
	struct blk_buf *buf;
	struct blk_table *t;

	while ((t = q->tables)) {
		q->tables = t->next;
		buf_free(t->page);
		page_put(pfn_page(va_pfn(t->seg)));
		kfree(t);
	}
	while ((buf = q->bufs)) {
		q->bufs = buf->next;
		buf_free(buf);
	}
	for (unsigned i = 0; i < q->nr_pages; i++)
		grant_end_page(q->ref[i], q->pages + i);
	kfree(q->slots);
	kfree(q->parts);
	q->slots = NULL;
	q->parts = NULL;
	q->pages = NULL;
	q->nr_pages = q->nr_bufs = q->nr_tables = 0;
	memset(&q->ring, 0, sizeof(q->ring));
}
