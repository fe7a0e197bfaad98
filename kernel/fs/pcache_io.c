/* SPDX-License-Identifier: MIT */
/*
 * Pages of files from and to the disk, many at a time, and none waited for here.
 *
 *   pages of one file, locked --map()--> runs on the disk --> requests, merged --> the driver
 *                                                               '-- done: pages unlocked
 *
 * The file system's part is the map from file offsets to places on the device. Pages that follow
 * each other there go into one request, as many as the driver takes. A page may be several pieces
 * (blocks smaller than pages); it is finished, from the driver's interrupt, with its last piece:
 * pg->private counts them meanwhile.
 *
 * A page that could not be read leaves the cache with PG_ERROR set, so that whoever waits for it
 * sees that, and the next one tries anew. A page that could not be written stays; the file
 * remembers the error for fsync().
 *
 * All pages are locked before the first is mapped: truncation waits for them before it frees their
 * blocks, so the map does not change under us.
 *
 * Read-ahead, per open file: a read that begins where the last one ended, or at the start, opens a
 * window behind what it wants, 16 KiB at first. When the reader enters the second half of it, the
 * next window is asked for, twice as large, up to 512 KiB. A reader that jumps gets what it asks
 * for. A window all of whose pages are there already closes, so that a cached file costs a compare
 * a page.
 */
#include "internal.h"

#include <printk.h>
#include <string.h>

#define START_MAX 128u /* pages locked and submitted at a time */
#define WINDOW_MIN 4u
#define WINDOW_MAX 128u
#define WANT_MAX 256u

struct io {
	struct block_request rq;
	uint64_t file_size; /* reads: what lies behind is 0 */
	unsigned max_vecs;
	struct block_vec vecs[];
};

/* What is being put together. */
struct plan {
	struct vnode *vn;
	bool write;
	uint64_t size;
	struct io *io;
};

/* ---- the end of a page's I/O; in any context ---- */

static void piece_done(struct page *pg, bool write, uint64_t size)
{
	uint64_t start = pg->index << PAGE_SHIFT;
	bool bad;

	if (__atomic_sub_fetch((uintptr_t *)&pg->private, 1, __ATOMIC_ACQ_REL))
		return;
	bad = pg->flags & PG_ERROR;
	if (write) {
		pcache_written(pg->owner, bad ? -EIO : 0);
	} else if (bad) {
		pcache_remove(pg);
	} else {
		size_t keep = size > start ? min(size - start, (uint64_t)PAGE_SIZE) : 0;

		memset((char *)page_va(pg) + keep, 0, PAGE_SIZE - keep);
		page_flags_set(pg, PG_UPTODATE);
	}
	page_unlock(pg);
	page_put(pg);
}

static void io_done(struct block_request *rq)
{
	struct io *io = container_of(rq, struct io, rq);

	for (unsigned i = 0; i < rq->nr_vecs; i++) {
		struct page *pg = pfn_page(va_pfn(io->vecs[i].va));

		if (rq->status)
			page_flags_set(pg, PG_ERROR);
		piece_done(pg, rq->op == BLOCK_WRITE, io->file_size);
	}
	kfree(io);
}

/* ---- pages to requests ---- */

static void submit(struct plan *p)
{
	if (p->io)
		block_submit(&p->io->rq);
	p->io = NULL;
}

static struct io *io_new(struct plan *p, uint64_t disk, unsigned pages)
{
	struct block_device *bd = p->vn->mount->bd;
	unsigned max = min(bd->max_vecs, pages);
	struct io *io = kmalloc(sizeof(*io) + max * sizeof(io->vecs[0]), 0);

	if (!io)
		return NULL;
	io->rq = (struct block_request){.bd = bd,
					.op = p->write ? BLOCK_WRITE : BLOCK_READ,
					.offset = disk,
					.vecs = io->vecs,
					.done = io_done};
	io->file_size = p->size;
	io->max_vecs = max;
	return io;
}

/* @n bytes of the page lie at @disk; about @pages more pages are to come. */
static void add_piece(struct plan *p, struct page *pg, size_t in, uint32_t n, uint64_t disk,
		      unsigned pages)
{
	char *va = (char *)page_va(pg) + in;
	struct block_request *rq = p->io ? &p->io->rq : NULL;
	struct block_vec *last = rq ? &p->io->vecs[rq->nr_vecs - 1] : NULL;

	if (rq && rq->offset + rq->size == disk && in && (char *)last->va + last->len == va) {
		last->len += n;
		rq->size += n;
		return;
	}
	if (!rq || rq->offset + rq->size != disk || rq->nr_vecs == p->io->max_vecs) {
		submit(p);
		p->io = io_new(p, disk, pages);
		if (!p->io) { /* no memory: then one by one */
			if (block_transfer(p->vn->mount->bd, disk, va, n, p->write))
				page_flags_set(pg, PG_ERROR);
			return;
		}
		rq = &p->io->rq;
	}
	__atomic_fetch_add((uintptr_t *)&pg->private, 1, __ATOMIC_RELAXED);
	p->io->vecs[rq->nr_vecs++] = (struct block_vec){va, n};
	rq->size += n;
}

/* Pages with neighbouring indexes, @n of them. */
static void add_run(struct plan *p, struct page **pg, unsigned n)
{
	uint64_t start = pg[0]->index << PAGE_SHIFT;
	uint64_t end = min(start + ((uint64_t)n << PAGE_SHIFT), p->size);
	uint64_t disk = 0, pos = start;
	ssize_t run = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t page_end = start + ((uint64_t)(i + 1) << PAGE_SHIFT);

		pg[i]->private = (void *)1;
		page_flags_clear(pg[i], PG_ERROR);
		if (p->write && page_end > end && page_end - end < PAGE_SIZE)
			memset((char *)page_va(pg[i]) + PAGE_SIZE - (page_end - end), 0,
			       page_end - end);
		while (pos < page_end && pos < end) {
			size_t in = pos & (PAGE_SIZE - 1);
			uint32_t part;

			if (!run)
				run = p->vn->ops->map(p->vn, pos, end - pos, &disk);
			if (run <= 0) {
				page_flags_set(pg[i], PG_ERROR);
				pos = page_end;
				run = 0;
				break;
			}
			part = (uint32_t)min((uint64_t)run, page_end - pos);
			if (disk != DISK_HOLE) {
				add_piece(p, pg[i], in, part, disk, n - i);
				disk += part;
			} else if (!p->write) {
				memset((char *)page_va(pg[i]) + in, 0, part);
			}
			pos += part;
			run -= part;
		}
		piece_done(pg[i], p->write, p->size);
	}
}

/* Submits; the caller kicks. @pg: locked and referenced, both given up when done; by index. */
static void pages_io(struct vnode *vn, struct page **pg, unsigned n, bool write)
{
	struct plan p = {.vn = vn, .write = write, .size = READ_ONCE(vn->size)};
	unsigned run;

	for (unsigned i = 0; i < n; i += run) {
		for (run = 1; i + run < n && pg[i + run]->index == pg[i]->index + run;)
			run++;
		add_run(&p, pg + i, run);
	}
	submit(&p);
}

/* ---- reading ---- */

void pcache_read_locked(struct vnode *vn, struct page *pg)
{
	pages_io(vn, &pg, 1, false);
	block_kick(vn->mount->bd);
}

int pcache_start_read(struct vnode *vn, uint64_t first, uint64_t n)
{
	uint64_t pages = DIV_ROUND_UP(READ_ONCE(vn->size), PAGE_SIZE);
	uint64_t end = first < pages ? min(first + n, pages) : first;
	struct page *pg[START_MAX];
	unsigned nr = 0, started = 0;
	int err = 0;

	for (uint64_t i = first; i < end && err != -ENOMEM; i++) {
		err = pcache_add(vn, i, &pg[nr]);

		if (err == -EEXIST)
			page_put(pg[nr]);
		else if (!err)
			nr++;
		if (nr == START_MAX || (nr && (err || i + 1 == end))) {
			pages_io(vn, pg, nr, false);
			started += nr;
			nr = 0;
		}
	}
	if (!started)
		return err == -ENOMEM ? err : 0;
	block_kick(vn->mount->bd);
	return (int)started;
}

/* Page @index is about to be used, @hit or not, and @want pages from there on are asked for. */
static void read_ahead(struct vnode *vn, struct readahead *ra, uint64_t index, uint64_t want,
		       bool hit)
{
	uint64_t n = min(want, (uint64_t)WANT_MAX);

	if (hit) { /* the reader has reached the mark */
		ra->window = min(2 * ra->window, WINDOW_MAX);
		ra->mark = ra->end;
		ra->end += ra->window;
		if (pcache_start_read(vn, ra->mark, ra->window) <= 0)
			ra->window = 0;
		return;
	}
	if (!ra || index != ra->next) {
		if (ra)
			ra->window = 0;
	} else {
		ra->window = max(ra->window, (unsigned)min(2 * n, (uint64_t)WINDOW_MAX));
		ra->window = max(ra->window, WINDOW_MIN);
		n = max(n, (uint64_t)ra->window);
		ra->end = index + n;
		ra->mark = index + n / 2;
	}
	pcache_start_read(vn, index, n);
}

int pcache_read_ahead(struct vnode *vn, struct readahead *ra, uint64_t index, uint64_t want,
		      struct page **pg)
{
	int err = 0;

	*pg = pcache_find(vn, index);
	if (!*pg) {
		if (vn->ops->map)
			read_ahead(vn, ra, index, want, false);
		err = pcache_read(vn, index, pg);
	} else if (ra && ra->window && index >= ra->mark && index < ra->end) {
		read_ahead(vn, ra, index, want, true);
	}
	if (ra)
		ra->next = index + 1;
	return err;
}

int pcache_read_around(struct vnode *vn, uint64_t index, unsigned n, struct page **pg)
{
	*pg = pcache_find(vn, index);
	if (*pg)
		return 0;
	if (vn->ops->map)
		pcache_start_read(vn, ROUND_DOWN(index, (uint64_t)n), n);
	return pcache_read(vn, index, pg);
}

/* ---- writing ---- */

/* Nearly in order mostly: pages become dirty from the start of a file to its end. */
static void sort(struct page **pg, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct page *p = pg[i];
		unsigned j = i;

		for (; j && pg[j - 1]->index > p->index; j--)
			pg[j] = pg[j - 1];
		pg[j] = p;
	}
}

void pcache_start_write(struct vnode *vn)
{
	struct pcache *pc = &vn->pcache;
	struct page *pg[START_MAX];

	/* As many as there are now: a busy writer must not keep us here. */
	for (unsigned n, left = pc->nr_dirty; left; left -= min(n, left)) {
		n = pcache_take_dirty(pc, pg, min(left, START_MAX));
		if (!n)
			break;
		sort(pg, n);
		mappings_clean(vn, pg[0]->index, pg[n - 1]->index);
		pages_io(vn, pg, n, true);
	}
	if (vn->mount && vn->mount->bd)
		block_kick(vn->mount->bd);
}
