/* SPDX-License-Identifier: MIT */
/*
 * The block frontend's data path with a disk, a backend and a hypervisor made here: every byte
 * arrives where it should, whatever the limits, and no page or grant is lost.
 *
 * SOURCES: drivers/pvfront/blk/queue.c drivers/pvfront/blk/part.c
 *
 * SOURCES: drivers/pvfront/blk/memory.c drivers/pvfront/blk/ring.c
 */
#include "test.h"

#include <printk.h>
#include <string.h>
#include "../../drivers/pvfront/blk/blk.h"

void *mmap(void *addr, size_t n, int prot, int flags, int fd, long offset);
long syscall(long nr, ...);

#define FRAMES 2048ul
#define DISK_SECTORS 4096u
#define GRANTS 1024
#define RQS 24
#define SYS_ARCH_PRCTL 158
#define SET_GS 0x1001

static struct page frames[FRAMES];
struct page *pages = frames;
unsigned long nr_pages = FRAMES;
const unsigned long *machine_p2m, *machine_m2p;
static struct cpu host_cpu = {.self = &host_cpu};
static unsigned frames_limit = FRAMES, frames_used;

static struct {
	bool used, mapped, aside;
	bool read_only;
	unsigned long pfn;
	struct page *keep;
} grants[GRANTS];
static unsigned grants_used, grants_limit = GRANTS;
static const char *broken_why;
static bool event_due;

/* ---- what the driver stands on ---- */

struct page *page_alloc(unsigned order, unsigned flags)
{
	unsigned long n = 1ul << order;

	if (frames_used + n > frames_limit)
		return NULL;
	for (unsigned long i = 0; i + n <= FRAMES; i += n) {
		unsigned long k = 0;

		while (k < n && !frames[i + k].refs)
			k++;
		if (k < n)
			continue;
		frames[i].refs = 1;
		frames[i].order = order;
		frames_used += n;
		memset(page_va(&frames[i]), flags & ALLOC_ZERO ? 0 : 0xa5, n * PAGE_SIZE);
		return &frames[i];
	}
	return NULL;
}

void page_split(struct page *pg)
{
	for (unsigned long i = 0; i < 1ul << pg->order; i++)
		pg[i].refs = 1;
	pg->order = 0;
}

void page_get(struct page *pg)
{
	CHECK(pg->refs > 0);
	pg->refs++;
}

void page_put(struct page *pg)
{
	CHECK(pg->refs > 0);
	if (--pg->refs == 0) {
		frames_used -= 1u << pg->order;
		pg->order = 0;
	}
}

int grant_access(unsigned domid, pfn_t pfn, bool read_only, grant_t *out)
{
	if (grants_used >= grants_limit)
		return -ENOSPC;
	for (grant_t i = 8; i < GRANTS; i++)
		if (!grants[i].used) {
			grants[i].used = true;
			grants[i].read_only = read_only;
			grants[i].pfn = pfn.v;
			grants_used++;
			*out = i;
			return 0;
		}
	return -ENOSPC;
}

int grant_end(grant_t ref)
{
	if (ref >= GRANTS || !grants[ref].used)
		panic("grant %u ends twice", ref);
	if (grants[ref].mapped)
		return -EBUSY;
	grants[ref].used = false;
	grants_used--;
	return 0;
}

void grant_end_page(grant_t ref, struct page *pg)
{
	if (grant_end(ref)) {
		grants[ref].aside = true;
		grants[ref].keep = pg;
	} else if (pg) {
		page_put(pg);
	}
}

/* The backend lets go of all it has. */
static void unmap_all(void)
{
	for (grant_t i = 0; i < GRANTS; i++) {
		grants[i].mapped = false;
		if (grants[i].aside) {
			grants[i].aside = false;
			grant_end_page(i, grants[i].keep);
		}
	}
}

int evtchn_send(unsigned port)
{
	event_due = true;
	return 0;
}

void evtchn_close(unsigned port)
{
}

void evtchn_mask(unsigned port)
{
}

void xenbus_broken(struct xenbus_device *dev, const char *why)
{
	broken_why = why;
}

void xenbus_recheck(struct xenbus_device *dev)
{
}

/* ---- the backend ---- */

static unsigned char medium[DISK_SECTORS * SECTOR_SIZE];
static struct blk_disk disk;
static struct xenbus_device device = {.backend_id = 0};
static uint32_t req_cons, rsp_prod;
static struct blkif_request taken[1024];
static unsigned nr_taken, flushes, writes_since_flush;
static int refuse_op = -1; /* answered with EOPNOTSUPP */

static void *map(grant_t ref, bool write)
{
	if (ref >= GRANTS || !grants[ref].used || (write && grants[ref].read_only))
		panic("grant %u is none%s", ref, write ? " for writing" : "");
	return pfn_va(PFN(grants[ref].pfn));
}

static void do_segments(const struct blkif_request_segment *seg, unsigned n, uint64_t sector,
			bool write)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned bytes = (seg[i].last_sect - seg[i].first_sect + 1u) * SECTOR_SIZE;
		unsigned char *page = map(seg[i].gref, !write);
		unsigned char *at = &medium[sector * SECTOR_SIZE];

		CHECK(seg[i].last_sect < 8 && seg[i].first_sect <= seg[i].last_sect);
		CHECK(sector * SECTOR_SIZE + bytes <= sizeof(medium));
		CHECK_EQ(bytes % disk.bd.sector, 0);
		page += seg[i].first_sect * SECTOR_SIZE;
		if (write)
			memcpy(at, page, bytes);
		else
			memcpy(page, at, bytes);
		sector += bytes / SECTOR_SIZE;
	}
}

static int perform(const struct blkif_request *rq, uint8_t *op)
{
	const struct blkif_request_indirect *in = (const void *)rq;
	const struct blkif_request_discard *dis = (const void *)rq;

	*op = rq->operation == BLKIF_OP_INDIRECT ? in->indirect_op : rq->operation;
	if (*op == refuse_op)
		return BLKIF_RSP_EOPNOTSUPP;
	switch (rq->operation) {
	case BLKIF_OP_INDIRECT:
		CHECK(in->nr_segments <= disk.max_segs);
		do_segments(map(in->indirect_grefs[0], false), in->nr_segments, in->sector_number,
			    *op == BLKIF_OP_WRITE);
		break;
	case BLKIF_OP_READ:
	case BLKIF_OP_WRITE:
		CHECK(rq->nr_segments && rq->nr_segments <= 11);
		do_segments(rq->seg, rq->nr_segments, rq->sector_number, *op == BLKIF_OP_WRITE);
		break;
	case BLKIF_OP_DISCARD:
		memset(&medium[dis->sector_number * SECTOR_SIZE], 0, dis->nr_sectors * SECTOR_SIZE);
		break;
	case BLKIF_OP_FLUSH_DISKCACHE:
	case BLKIF_OP_WRITE_BARRIER:
		CHECK_EQ(rq->nr_segments, 0);
		flushes++;
		writes_since_flush = 0;
		break;
	default:
		CHECK(!"an operation that exists");
	}
	if (*op == BLKIF_OP_WRITE)
		writes_since_flush++;
	return BLKIF_RSP_OKAY;
}

static union blkif_sring_entry *at(struct blk_ring *r, uint32_t index)
{
	return &r->shared->ring[index & (r->size - 1)];
}

/* Some of what is in the ring, in any order. True: an event for the frontend. */
static bool backend_step(struct blk_queue *q)
{
	struct blk_ring *r = &q->ring;
	uint32_t before = rsp_prod;

	while (req_cons != r->shared->req_prod)
		taken[nr_taken++] = at(r, req_cons++)->req;
	r->shared->req_event = req_cons + 1;
	for (unsigned n = test_random() % 8; n && nr_taken; n--) {
		unsigned k = test_random() % nr_taken;
		struct blkif_request rq = taken[k];
		struct blkif_response *rsp;
		uint8_t op;
		int status = perform(&rq, &op);

		taken[k] = taken[--nr_taken];
		rsp = &at(r, rsp_prod++)->rsp;
		*rsp = (struct blkif_response){.id = rq.id, .operation = op, .status = status};
	}
	r->shared->rsp_prod = rsp_prod;
	return rsp_prod - r->shared->rsp_event < rsp_prod - before;
}

/* ---- the requests ---- */

struct asked {
	struct block_request rq;
	struct block_vec vecs[BLOCK_VECS_MAX];
	struct page *pg[BLOCK_VECS_MAX];
	bool busy;
	unsigned first, sectors;
};
static struct asked asked[RQS];
static unsigned char model[sizeof(medium)];
static unsigned nr_done;
static int want_status;

/* Does it touch what another request in flight is at? Then the outcome is nobody's guess. */
static bool overlaps(unsigned first, unsigned sectors)
{
	for (unsigned i = 0; i < RQS; i++)
		if (asked[i].busy && first < asked[i].first + asked[i].sectors &&
		    asked[i].first < first + sectors)
			return true;
	return false;
}

static void free_vecs(struct asked *a)
{
	for (unsigned i = 0; i < a->rq.nr_vecs; i++)
		page_put(a->pg[i]);
}

static void done(struct block_request *rq)
{
	struct asked *a = rq->arg;
	size_t off = rq->offset;

	CHECK(a->busy);
	CHECK_EQ(rq->status, want_status);
	if (rq->op == BLOCK_WRITE && rq->fua && disk.flush_op && !rq->status)
		CHECK(flushes > 0);
	for (unsigned i = 0; i < rq->nr_vecs && rq->op == BLOCK_READ && !rq->status; i++) {
		CHECK_MEM(rq->vecs[i].va, model + off, rq->vecs[i].len);
		off += rq->vecs[i].len;
	}
	free_vecs(a);
	a->busy = false;
	nr_done++;
}

/* Pieces of any length, or of whole pages, of the @sectors from a random place on. */
static bool make_request(struct asked *a, unsigned unit)
{
	bool whole = test_random() % 2;
	unsigned most = whole ? 128 * 8 : 256, left, n = 0;
	size_t off;

	a->sectors = (1 + test_random() % most + unit - 1) / unit * unit;
	a->first = test_random() % (DISK_SECTORS - a->sectors) / unit * unit;
	if (overlaps(a->first, a->sectors))
		return false;
	a->rq = (struct block_request){.bd = &disk.bd,
				       .op = test_random() % 2 ? BLOCK_WRITE : BLOCK_READ,
				       .fua = test_random() % 4 == 0,
				       .offset = (uint64_t)a->first * SECTOR_SIZE,
				       .size = (uint64_t)a->sectors * SECTOR_SIZE,
				       .vecs = a->vecs,
				       .done = done,
				       .arg = a};
	off = a->rq.offset;
	for (left = a->sectors; left; n++) {
		unsigned in = whole ? 0 : test_random() % 8;
		unsigned len = whole ? 8 : 1 + test_random() % (8 - in);

		len = min(len, left);
		a->pg[n] = page_alloc(0, 0);
		if (!a->pg[n] || n == BLOCK_VECS_MAX - 1)
			break;
		a->pg[n]->flags = test_random() % 8 == 0 ? PG_SLAB : 0;
		a->vecs[n] = (struct block_vec){.va = (char *)page_va(a->pg[n]) + in * SECTOR_SIZE,
						.len = len * SECTOR_SIZE};
		left -= len;
		for (unsigned i = 0; a->rq.op == BLOCK_WRITE && i < len * SECTOR_SIZE; i++)
			((unsigned char *)a->vecs[n].va)[i] = model[off + i] =
				(unsigned char)test_random();
		off += len * SECTOR_SIZE;
	}
	if (left && a->pg[n])
		page_put(a->pg[n]);
	a->rq.nr_vecs = n;
	a->rq.size -= left * SECTOR_SIZE;
	a->sectors -= left;
	if (n == 0 || a->sectors % unit) { /* an end that the device cannot do */
		memcpy(model + a->rq.offset, medium + a->rq.offset, a->rq.size);
		free_vecs(a);
		return false;
	}
	a->busy = true;
	return true;
}

static void connect(unsigned ring_pages, unsigned pool)
{
	struct blk_queue *q = &disk.queue[0];

	blk_queue_reclaim(q, 0);
	blk_memory_free(q);
	q->max_bufs = pool;
	CHECK_EQ(blk_memory_make(q, ring_pages), 0);
	q->port = 1;
	req_cons = rsp_prod = nr_taken = 0;
	blk_queue_start(q);
}

static void begin(unsigned ring_pages, unsigned segs, bool copying, unsigned pool, unsigned sector)
{
	static bool once;

	if (!once) {
		mmap((void *)DIRECT_MAP, FRAMES * PAGE_SIZE, 3, 0x32, -1, 0);
		syscall(SYS_ARCH_PRCTL, SET_GS, &host_cpu);
	}
	once = true;
	memset(&disk, 0, sizeof(disk));
	disk.nr_queues = 1;
	disk.dev = &device;
	disk.bd.private = &disk;
	disk.bd.sector = sector;
	disk.copy = copying;
	disk.max_segs = segs;
	disk.batch = test_random() % 2;
	disk.flush_op = test_random() % 2 ? BLKIF_OP_FLUSH_DISKCACHE : BLKIF_OP_WRITE_BARRIER;
	for (unsigned i = 0; i < BLK_QUEUES_MAX; i++)
		blk_queue_init(&disk.queue[i], &disk, i);
	memset(medium, 0, sizeof(medium));
	memset(model, 0, sizeof(model));
	want_status = 0;
	broken_why = NULL;
	refuse_op = -1;
	flushes = 0;
	connect(ring_pages, pool);
}

static void submit_some(unsigned unit)
{
	for (unsigned i = 0; i < RQS; i++)
		if (!asked[i].busy && test_random() % 3 == 0 && make_request(&asked[i], unit))
			blk_driver.submit(&disk.bd, &asked[i].rq);
	blk_driver.kick(&disk.bd);
}

static bool any_busy(void)
{
	for (unsigned i = 0; i < RQS; i++)
		if (asked[i].busy)
			return true;
	return false;
}

/* Events only when they are due: who is not woken never ends. */
static void drain(void)
{
	unsigned idle = 0;

	while (any_busy() && idle < 10000) {
		idle++;
		if (backend_step(&disk.queue[0])) {
			blk_queue_event(&disk.queue[0]);
			idle = 0;
		}
	}
	CHECK(!any_busy());
	for (unsigned i = 0; i < RQS; i++)
		asked[i].busy = false;
}

static void end(void)
{
	blk_queue_stop(&disk.queue[0], BLK_DEAD);
	blk_queue_reclaim(&disk.queue[0], -ENODEV);
	blk_memory_free(&disk.queue[0]);
	unmap_all();
	CHECK_EQ(frames_used, 0);
	CHECK_EQ(grants_used, 0);
	CHECK(broken_why == NULL);
}

static void turn(unsigned pages_, unsigned segs, bool copying, unsigned pool, unsigned sector)
{
	begin(pages_, segs, copying, pool, sector);
	for (int i = 0; i < 60; i++) {
		submit_some(sector / SECTOR_SIZE);
		for (int k = test_random() % 6; k; k--)
			if (backend_step(&disk.queue[0]))
				blk_queue_event(&disk.queue[0]);
		if (test_random() % 4 == 0)
			drain();
	}
	drain();
	CHECK_MEM(medium, model, sizeof(model));
	end();
}

TEST(data_arrives_with_all_limits)
{
	for (int i = 0; i < 12; i++)
		turn(1u << test_random() % 3, test_random() % 2 ? 11 : 12 + test_random() % 245,
		     test_random() % 2, 16 + test_random() % 300, test_random() % 4 ? 512 : 4096);
}

TEST(data_arrives_with_few_grants)
{
	for (int i = 0; i < 4; i++) {
		grants_limit = 40 + (unsigned)(test_random() % 40);
		turn(1, 256, test_random() % 2, 500, 512);
	}
	grants_limit = GRANTS;
}

TEST(a_backend_comes_back)
{
	for (int i = 0; i < 8; i++) {
		begin(1, 64, i % 2, 100, 512);
		for (int k = 0; k < 10; k++) {
			submit_some(1);
			if (backend_step(&disk.queue[0]))
				blk_queue_event(&disk.queue[0]);
			submit_some(1);
			blk_queue_stop(&disk.queue[0], BLK_AWAY);
			submit_some(1);
			disk.max_segs = test_random() % 2 ? 11 : 64;
			disk.copy = test_random() % 2;
			connect(1u << test_random() % 3, 100);
		}
		drain();
		CHECK_MEM(medium, model, sizeof(model));
		end();
	}
}

TEST(a_dead_device_ends_all)
{
	begin(1, 256, true, 64, 512);
	submit_some(1);
	backend_step(&disk.queue[0]);
	disk.error = want_status = -EIO;
	blk_queue_stop(&disk.queue[0], BLK_DEAD);
	blk_queue_reclaim(&disk.queue[0], -EIO);
	CHECK(!any_busy());
	submit_some(1);
	CHECK(!any_busy());
	end();
}

/* A page that the backend does not let go of: the device is broken, the page is kept. */
TEST(a_page_that_stays_mapped)
{
	struct asked *a = &asked[0];
	unsigned in_use;

	begin(1, 11, false, 64, 512);
	do {
		a->busy = false;
	} while (!make_request(a, 1));
	for (unsigned i = 0; i < a->rq.nr_vecs; i++)
		a->pg[i]->flags = 0;
	blk_driver.submit(&disk.bd, &a->rq);
	blk_driver.kick(&disk.bd);
	for (grant_t i = 0; i < GRANTS; i++)
		if (grants[i].used && grants[i].pfn == (unsigned long)(a->pg[0] - frames))
			grants[i].mapped = true;
	while (nr_taken || req_cons != disk.queue[0].ring.shared->req_prod)
		backend_step(&disk.queue[0]);
	blk_queue_event(&disk.queue[0]);
	CHECK(broken_why != NULL);
	CHECK(a->busy);
	want_status = -EIO;
	disk.error = -EIO;
	blk_queue_stop(&disk.queue[0], BLK_DEAD);
	blk_queue_reclaim(&disk.queue[0], -EIO);
	CHECK(!a->busy);
	blk_memory_free(&disk.queue[0]);
	in_use = frames_used;
	CHECK_EQ(in_use, 1);
	broken_why = NULL;
	end();
}

static void one(enum block_op op, int status)
{
	struct asked *a = &asked[0];

	*a = (struct asked){.busy = true};
	a->rq = (struct block_request){.bd = &disk.bd,
				       .op = op,
				       .done = done,
				       .arg = a,
				       .size = op == BLOCK_DISCARD ? 4096 : 0};
	want_status = status;
	blk_driver.submit(&disk.bd, &a->rq);
	blk_driver.kick(&disk.bd);
	drain();
}

TEST(flush_and_discard)
{
	begin(1, 256, true, 64, 512);
	one(BLOCK_FLUSH, 0);
	CHECK_EQ(flushes, 1);
	memset(medium, 1, 8192);
	one(BLOCK_DISCARD, 0);
	CHECK_EQ(medium[4095], 0);
	CHECK_EQ(medium[4096], 1);
	disk.bd.can_discard = disk.bd.can_flush = true;
	refuse_op = BLKIF_OP_DISCARD;
	one(BLOCK_DISCARD, -EOPNOTSUPP);
	CHECK(!disk.bd.can_discard);
	refuse_op = disk.flush_op;
	one(BLOCK_FLUSH, -EOPNOTSUPP);
	CHECK_EQ(disk.flush_op, 0);
	CHECK(!disk.bd.can_flush);
	one(BLOCK_FLUSH, 0);
	end();
}
