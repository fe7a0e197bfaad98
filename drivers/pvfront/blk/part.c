/* SPDX-License-Identifier: MIT */
/*
 * From a request's memory to the ring's segments, and back.
 *
 * A block_request names any number of pieces of memory. A request of the ring names up to 11
 * segments itself, or up to some hundreds in a page of their own whose grant it holds ("indirect");
 * a segment is a granted page with the first and the last sector in it that is meant. So a long
 * request becomes several parts, each of which the backend may complete in any order.
 *
 * Which memory is granted as it is, and which is copied by way of a page that is granted for good:
 * blk.h.
 */
#include <mm.h>
#include <string.h>
#include "blk.h"

#define PAGE_SEGS (PAGE_SIZE / sizeof(struct blkif_request_segment))
_Static_assert(BLK_SEGS_MAX <= PAGE_SEGS, "one page of segments is enough");

static struct blk_progress *progress(struct block_request *rq)
{
	return (struct blk_progress *)rq->driver;
}

static void advance(const struct block_request *rq, struct blk_cursor *at, uint32_t n)
{
	while (n) {
		uint32_t step = min(n, rq->vecs[at->vec].len - at->off);

		n -= step;
		at->off += step;
		if (at->off == rq->vecs[at->vec].len) {
			at->vec++;
			at->off = 0;
		}
	}
}

/* @n bytes between the request's memory at @at, which moves on, and @page. */
static void copy(const struct block_request *rq, struct blk_cursor *at, char *page, uint32_t n,
		 bool to_page)
{
	while (n) {
		const struct block_vec *v = &rq->vecs[at->vec];
		char *va = (char *)v->va + at->off;
		uint32_t step = min(n, v->len - at->off);

		if (step == PAGE_SIZE)
			copy_page(to_page ? page : va, to_page ? va : page);
		else
			memcpy(to_page ? page : va, to_page ? va : page, step);
		page += step;
		n -= step;
		advance(rq, at, step);
	}
}

/*
 * May the backend see, and write, the page around @va? Not if it is shared with other objects of
 * the kernel. A page that is in the middle of a larger block has no references of its own with
 * which it could be kept aside.
 */
static bool grantable(const void *va)
{
	const struct page *pg = pfn_page(va_pfn(va));

	return pg->refs > 0 && !(pg->flags & (PG_SLAB | PG_RESERVED | PG_TABLE));
}

static void wire_segment(struct blkif_request_segment *wire, grant_t ref, uint32_t off,
			 uint32_t len)
{
	wire->gref = ref;
	wire->first_sect = off / SECTOR_SIZE;
	wire->last_sect = (off + len) / SECTOR_SIZE - 1;
}

/* The memory at @at as it is. False: copy it. */
static bool add_page(struct blk_queue *q, struct blk_part *part, struct blk_cursor *at,
		     struct blk_seg *seg, struct blkif_request_segment *wire)
{
	const struct block_vec *v = &part->rq->vecs[at->vec];
	char *va = (char *)v->va + at->off;
	uint32_t len = v->len - at->off;

	if (q->disk->copy || len % q->disk->bd.sector || !grantable(va))
		return false;
	*seg = (struct blk_seg){.len = len};
	if (grant_access(q->disk->dev->backend_id, va_pfn(va), part->op == BLKIF_OP_WRITE,
			 &seg->ref))
		return false;
	wire_segment(wire, seg->ref, (unsigned long)va % PAGE_SIZE, len);
	advance(part->rq, at, len);
	q->counts.grants++;
	return true;
}

/* Up to a page of what follows @at, by way of a buffer. False: there is none. */
static bool add_copy(struct blk_queue *q, struct blk_part *part, struct blk_cursor *at,
		     uint64_t left, struct blk_seg *seg, struct blkif_request_segment *wire)
{
	uint32_t len = min(left, (uint64_t)PAGE_SIZE);

	*seg = (struct blk_seg){.buf = blk_buf_get(q), .len = len};
	if (!seg->buf)
		return false;
	wire_segment(wire, seg->buf->ref, 0, len);
	if (part->op == BLKIF_OP_WRITE) {
		copy(part->rq, at, page_va(seg->buf->pg), len, true);
		q->counts.copied += len;
	} else {
		advance(part->rq, at, len);
	}
	return true;
}

static struct blk_seg *segments(struct blk_part *part)
{
	return part->table ? part->table->seg : part->seg;
}

/* As many segments as are allowed and there is memory for; returns the bytes they hold. */
static uint32_t fill(struct blk_queue *q, struct blk_part *part, struct blk_cursor *at,
		     uint64_t left, struct blkif_request_segment *wire, unsigned max_segs)
{
	struct blk_seg *seg = segments(part);
	uint32_t bytes = 0;

	for (; part->nr_segs < max_segs && bytes < left; part->nr_segs++, seg++, wire++) {
		if (!add_page(q, part, at, seg, wire) &&
		    !add_copy(q, part, at, left - bytes, seg, wire))
			break;
		bytes += seg->len;
	}
	return bytes;
}

static bool make_data(struct blk_queue *q, struct blk_part *part, struct blk_progress *p)
{
	struct block_request *rq = part->rq;
	uint64_t left = rq->size - p->pushed, sector = (rq->offset + p->pushed) / SECTOR_SIZE;
	unsigned want = q->disk->copy ? DIV_ROUND_UP(left, PAGE_SIZE) : rq->nr_vecs - p->at.vec;
	struct blkif_request direct;
	uint32_t bytes;

	part->op = rq->op == BLOCK_READ ? BLKIF_OP_READ : BLKIF_OP_WRITE;
	if (want > BLKIF_MAX_SEGMENTS_PER_REQUEST &&
	    q->disk->max_segs > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		part->table = blk_table_get(q);
	if (part->table)
		bytes = fill(q, part, &p->at, left, page_va(part->table->page->pg),
			     q->disk->max_segs);
	else
		bytes = fill(q, part, &p->at, left, direct.seg, BLKIF_MAX_SEGMENTS_PER_REQUEST);
	if (!bytes) {
		if (part->table)
			blk_table_put(q, part->table);
		return false;
	}
	if (part->table) {
		struct blkif_request_indirect indirect = {
			.operation = BLKIF_OP_INDIRECT,
			.indirect_op = part->op,
			.nr_segments = part->nr_segs,
			.sector_number = sector,
			.handle = q->disk->handle,
			.indirect_grefs = {part->table->page->ref},
		};

		blk_ring_put(&q->ring, &indirect, sizeof(indirect), part->op);
	} else {
		direct.operation = part->op;
		direct.nr_segments = part->nr_segs;
		direct.handle = q->disk->handle;
		direct.sector_number = sector;
		blk_ring_put(&q->ring, &direct, offsetof(struct blkif_request, seg[part->nr_segs]),
			     part->op);
	}
	p->pushed += bytes;
	p->sent = p->pushed == rq->size;
	q->counts.bytes += bytes;
	return true;
}

static void make_flush(struct blk_queue *q, struct blk_part *part, struct blk_progress *p)
{
	struct blkif_request wire = {.operation = q->disk->flush_op, .handle = q->disk->handle};

	part->op = q->disk->flush_op;
	blk_ring_put(&q->ring, &wire, offsetof(struct blkif_request, seg), part->op);
	p->sent = true;
}

static void make_discard(struct blk_queue *q, struct blk_part *part, struct blk_progress *p)
{
	struct blkif_request_discard wire = {
		.operation = BLKIF_OP_DISCARD,
		.handle = q->disk->handle,
		.sector_number = part->rq->offset / SECTOR_SIZE,
		.nr_sectors = part->rq->size / SECTOR_SIZE,
	};

	part->op = BLKIF_OP_DISCARD;
	blk_ring_put(&q->ring, &wire, sizeof(wire), part->op);
	p->sent = true;
}

bool blk_part_make(struct blk_queue *q, struct block_request *rq)
{
	struct blk_progress *p = progress(rq);
	struct blk_part *part;

	if (!blk_ring_room(&q->ring))
		return false;
	part = &q->parts[blk_ring_next(&q->ring)];
	part->rq = rq;
	part->table = NULL;
	part->from = p->at;
	part->nr_segs = 0;
	if (rq->op == BLOCK_FLUSH || p->flushing) {
		make_flush(q, part, p);
	} else if (rq->op == BLOCK_DISCARD) {
		make_discard(q, part, p);
	} else if (!make_data(q, part, p)) {
		part->rq = NULL;
		return false;
	}
	p->parts++;
	q->counts.requests++;
	return true;
}

/* The page stays where it is; if the backend does not let go of it, it also stays out of use. */
static int end_grant(const struct block_request *rq, const struct blk_cursor *at, grant_t ref)
{
	struct page *pg;

	if (!grant_end(ref))
		return 0;
	pg = pfn_page(va_pfn((char *)rq->vecs[at->vec].va + at->off));
	page_get(pg);
	grant_end_page(ref, pg);
	return -EBUSY;
}

int blk_part_end(struct blk_queue *q, struct blk_part *part, bool good)
{
	struct blk_seg *seg = segments(part);
	struct blk_cursor at = part->from;
	bool read = good && part->op == BLKIF_OP_READ;
	int err = 0;

	for (unsigned i = 0; i < part->nr_segs; i++, seg++) {
		if (seg->buf && read) {
			copy(part->rq, &at, page_va(seg->buf->pg), seg->len, false);
			q->counts.copied += seg->len;
		} else {
			if (!seg->buf && end_grant(part->rq, &at, seg->ref))
				err = -EBUSY;
			advance(part->rq, &at, seg->len);
		}
		if (seg->buf)
			blk_buf_put(q, seg->buf);
	}
	if (part->table)
		blk_table_put(q, part->table);
	part->table = NULL;
	part->rq = NULL;
	return err;
}
