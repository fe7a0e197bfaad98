/* SPDX-License-Identifier: MIT */
/*
 * The block ring against a backend that does as it should, and against one that writes anything.
 * SOURCES: drivers/pvfront/blk/ring.c
 */
#include "test.h"

#include "../../drivers/pvfront/blk/ring.h"

void *aligned_alloc(unsigned long alignment, unsigned long size);
void *malloc(unsigned long n);
void free(void *p);
void *memset(void *p, int c, unsigned long n);

struct world {
	struct blk_ring r;
	struct blkif_sring *shared;
	struct blk_slot *slots;
	uint32_t req_cons, rsp_prod; /* the backend's */
	struct blkif_request taken[2048];
	unsigned nr_taken;
	unsigned pages, answered, made;
};

static void begin(struct world *w, unsigned pages)
{
	*w = (struct world){.pages = pages};
	w->shared = aligned_alloc(PAGE_SIZE, pages * PAGE_SIZE);
	memset(w->shared, 0, pages * PAGE_SIZE);
	w->slots = malloc(blk_ring_entries(pages) * sizeof(*w->slots));
	blk_ring_init(&w->r, w->shared, pages, w->slots);
}

static void end(struct world *w)
{
	free(w->shared);
	free(w->slots);
}

static unsigned put(struct world *w, uint8_t op, bool indirect)
{
	struct blkif_request rq = {.operation = indirect ? BLKIF_OP_INDIRECT : op,
				   .sector_number = w->made};
	unsigned slot = blk_ring_next(&w->r);

	w->made++;
	blk_ring_put(&w->r, &rq, sizeof(rq), op);
	return slot;
}

/* ---- a proper backend ---- */

static union blkif_sring_entry *at(struct world *w, uint32_t index)
{
	return &w->shared->ring[index & (w->r.size - 1)];
}

static void backend_take(struct world *w)
{
	/* Scribbling can hit our own index, too. */
	while (w->req_cons != w->shared->req_prod && w->nr_taken < 2048)
		w->taken[w->nr_taken++] = at(w, w->req_cons++)->req;
	w->shared->req_event = w->req_cons + 1;
}

/* Answer one of those taken, any of them; true: an event is due. */
static bool backend_answer(struct world *w, int status)
{
	unsigned n = test_random() % w->nr_taken;
	struct blkif_request rq = w->taken[n];
	uint32_t before = w->rsp_prod;

	w->taken[n] = w->taken[--w->nr_taken];
	at(w, w->rsp_prod++)->rsp =
		(struct blkif_response){.id = rq.id, .operation = rq.operation, .status = status};
	w->shared->rsp_prod = w->rsp_prod;
	return w->rsp_prod - w->shared->rsp_event < w->rsp_prod - before;
}

TEST(entries)
{
	CHECK_EQ(blk_ring_entries(1), 32);
	CHECK_EQ(blk_ring_entries(2), 64);
	CHECK_EQ(blk_ring_entries(4), 128);
	CHECK_EQ(blk_ring_entries(16), 512);
}

/*
 * Nothing is lost, nothing comes twice, and whoever sleeps is told: the frontend looks at the ring
 * only after an event, the backend too.
 */
static void proper(unsigned pages, bool batch)
{
	struct world w;
	bool front_event = false, back_event = false;
	unsigned events = 0;

	begin(&w, pages);
	for (unsigned round = 0; round < 20000 || w.answered < w.made; round++) {
		if (round < 20000 && test_random() % 3 == 0) {
			for (unsigned n = test_random() % 40; n && blk_ring_room(&w.r); n--)
				put(&w, test_random() % 2, test_random() % 2);
			back_event |= blk_ring_push(&w.r);
		}
		if (back_event && test_random() % 2) {
			back_event = false;
			backend_take(&w);
		}
		while (w.nr_taken && test_random() % 4)
			front_event |= backend_answer(&w, 0);
		if (front_event && test_random() % 2) {
			struct blk_answer a;

			front_event = false;
			events++;
			do {
				while (blk_ring_take(&w.r, &a) == 1) {
					CHECK(a.slot < w.r.size);
					CHECK_EQ(a.status, 0);
					w.answered++;
				}
			} while (blk_ring_sleep(&w.r, batch));
		}
		CHECK(w.r.broken == NULL);
		if (round > 200000)
			break;
	}
	CHECK_EQ(w.answered, w.made);
	CHECK_EQ(blk_ring_in_flight(&w.r), 0);
	CHECK_EQ(blk_ring_room(&w.r), w.r.size);
	test_note("%u pages: %u requests, %u events", pages, w.made, events);
	end(&w);
}

TEST(every_request_is_answered)
{
	for (unsigned pages = 1; pages <= BLK_RING_PAGES_MAX; pages *= 2) {
		proper(pages, false);
		proper(pages, true);
	}
}

TEST(an_event_for_half_of_what_is_in_flight)
{
	struct world w;
	struct blk_answer a;
	unsigned events = 0;

	begin(&w, 1);
	for (int i = 0; i < 32; i++)
		put(&w, BLKIF_OP_READ, false);
	CHECK(blk_ring_push(&w.r));
	backend_take(&w);
	CHECK(!blk_ring_sleep(&w.r, true));
	while (w.nr_taken) {
		if (!backend_answer(&w, 0))
			continue;
		events++;
		do {
			while (blk_ring_take(&w.r, &a) == 1)
				w.answered++;
		} while (blk_ring_sleep(&w.r, true));
	}
	CHECK_EQ(w.answered, 32);
	CHECK_EQ(events, 6); /* 16, 8, 4, 2, 1, 1 */
	end(&w);
}

/* ---- one that is not ---- */

static int answer_with(struct world *w, uint64_t id, uint8_t op, int16_t status)
{
	struct blk_answer a;

	at(w, w->rsp_prod++)->rsp =
		(struct blkif_response){.id = id, .operation = op, .status = status};
	w->shared->rsp_prod = w->rsp_prod;
	return blk_ring_take(&w->r, &a);
}

static void broken_by(uint64_t id_change, uint8_t op, int16_t status)
{
	struct world w;

	begin(&w, 1);
	put(&w, BLKIF_OP_WRITE, false);
	blk_ring_push(&w.r);
	backend_take(&w);
	CHECK_EQ(answer_with(&w, w.taken[0].id ^ id_change, op, status), -EIO);
	CHECK(w.r.broken != NULL);
	/* For good. */
	CHECK_EQ(answer_with(&w, w.taken[0].id, BLKIF_OP_WRITE, 0), -EIO);
	CHECK(!blk_ring_sleep(&w.r, true));
	end(&w);
}

TEST(nonsense_breaks_the_ring)
{
	broken_by(1, BLKIF_OP_WRITE, 0);              /* a slot that is free */
	broken_by(32, BLKIF_OP_WRITE, 0);             /* out of range */
	broken_by(0x8000, BLKIF_OP_WRITE, 0);         /* out of range */
	broken_by(1ul << 16, BLKIF_OP_WRITE, 0);      /* another use of the slot */
	broken_by(1ul << 63, BLKIF_OP_WRITE, 0);      /* bits that never were */
	broken_by(0, BLKIF_OP_READ, 0);               /* another operation */
	broken_by(0, BLKIF_OP_INDIRECT, 0);           /* it was not indirect */
	broken_by(0, BLKIF_OP_WRITE, 1);              /* no such status */
	broken_by(0, BLKIF_OP_WRITE, -3);             /* no such status */
	broken_by(0, BLKIF_OP_WRITE, (int16_t)32768); /* no such status */
}

TEST(an_answer_is_taken_once)
{
	struct world w;

	begin(&w, 1);
	put(&w, BLKIF_OP_READ, false);
	put(&w, BLKIF_OP_READ, false);
	blk_ring_push(&w.r);
	backend_take(&w);
	CHECK_EQ(answer_with(&w, w.taken[0].id, BLKIF_OP_READ, 0), 1);
	CHECK_EQ(answer_with(&w, w.taken[0].id, BLKIF_OP_READ, 0), -EIO);
	end(&w);
}

TEST(an_old_answer_is_none)
{
	struct world w;
	uint64_t old;

	begin(&w, 1);
	put(&w, BLKIF_OP_READ, false);
	blk_ring_push(&w.r);
	backend_take(&w);
	old = w.taken[0].id;
	CHECK_EQ(answer_with(&w, old, BLKIF_OP_READ, 0), 1);
	put(&w, BLKIF_OP_READ, false); /* the same slot */
	blk_ring_push(&w.r);
	CHECK_EQ(answer_with(&w, old, BLKIF_OP_READ, 0), -EIO);
	end(&w);
}

TEST(the_index_jumps)
{
	static const uint32_t jumps[] = {3, 33, 1000, 0x7fffffff, 0x80000000, 0xffffffff};

	for (unsigned i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		struct world w;
		struct blk_answer a;

		begin(&w, 1);
		put(&w, BLKIF_OP_READ, false);
		put(&w, BLKIF_OP_READ, false);
		blk_ring_push(&w.r);
		put(&w, BLKIF_OP_READ, false); /* not shown yet: no answer to this */
		w.shared->rsp_prod = jumps[i];
		CHECK_EQ(blk_ring_take(&w.r, &a), -EIO);
		CHECK(w.r.broken != NULL);
		end(&w);
	}
}

/* Any bytes anywhere at any time: no access out of bounds, no answer to what is not in flight. */
static void scribble(struct world *w)
{
	unsigned char *p = (unsigned char *)w->shared;
	unsigned long size = w->pages * PAGE_SIZE;

	switch (test_random() % 6) {
	case 0:
		p[test_random() % size] = (unsigned char)test_random();
		break;
	case 1:
		((uint32_t *)p)[test_random() % 16] = (uint32_t)test_random();
		break;
	case 2:
		w->shared->rsp_prod = w->r.rsp_cons + test_random() % 4;
		break;
	case 3:
		at(w, w->r.rsp_cons)->rsp.status = (int16_t)(test_random() % 5) - 3;
		break;
	case 4:
		at(w, w->r.rsp_cons)->rsp.id ^= 1ul << test_random() % 64;
		break;
	default:
		w->shared->req_event = (uint32_t)test_random();
	}
}

static void hostile_round(unsigned pages)
{
	struct world w;
	struct blk_answer a;
	bool *in_flight;
	int n = 0;

	begin(&w, pages);
	in_flight = malloc(w.r.size);
	memset(in_flight, 0, w.r.size);
	for (unsigned step = 0; step < 300 && n >= 0; step++) {
		while (blk_ring_room(&w.r) && test_random() % 8)
			in_flight[put(&w, test_random() % 6, test_random() % 2)] = true;
		blk_ring_push(&w.r);
		if (w.nr_taken < 1024)
			backend_take(&w);
		while (w.nr_taken && test_random() % 4)
			backend_answer(&w, 0);
		if (test_random() % 8 == 0)
			scribble(&w);
		while ((n = blk_ring_take(&w.r, &a)) == 1) {
			CHECK(a.slot < w.r.size);
			CHECK(in_flight[a.slot]);
			CHECK(a.status <= 0 && a.status >= -2);
			in_flight[a.slot] = false;
		}
		blk_ring_sleep(&w.r, test_random() % 2);
		CHECK(blk_ring_in_flight(&w.r) <= w.r.size);
	}
	CHECK_EQ(n < 0, w.r.broken != NULL);
	free(in_flight);
	end(&w);
}

TEST(a_hostile_backend)
{
	for (int i = 0; i < 5000; i++)
		hostile_round(1u << test_random() % 5);
}
