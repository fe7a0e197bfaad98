/* SPDX-License-Identifier: MIT */
/*
 * The virtqueue against a device that does as it should, and against one that writes anything.
 * SOURCES: drivers/native/virtio_ring.c
 */
#include "test.h"

#include "../../drivers/native/virtio_ring.h"

void *aligned_alloc(unsigned long alignment, unsigned long size);
void free(void *p);
void *memset(void *p, int c, unsigned long n);

struct world {
	struct virtio_ring r;
	void *memory;
	uint16_t avail_cons, used_prod; /* the device's */
	uint16_t taken[VIRTIO_RING_MAX];
	unsigned nr_taken;
	bool in_flight[65536]; /* by cookie */
	uint16_t cookie;
	unsigned made, answered;
};

static void begin(struct world *w, unsigned size, bool event_index)
{
	memset(w, 0, sizeof(*w));
	w->memory = aligned_alloc(PAGE_SIZE, VRING_PAGES * PAGE_SIZE);
	memset(w->memory, 0, VRING_PAGES * PAGE_SIZE);
	virtio_ring_init(&w->r, w->memory, size, event_index);
}

static void end(struct world *w)
{
	free(w->memory);
}

/* A request of @n pieces; piece i has address 1000 * cookie + i, the last is written. */
static void put(struct world *w, unsigned n)
{
	struct vring_desc pieces[16];
	uint32_t room = 0;

	for (unsigned i = 0; i < n; i++) {
		pieces[i] = (struct vring_desc){.addr = 1000ul * w->cookie + i, .len = 512};
		if (i + 1 == n) {
			pieces[i].flags = VRING_WRITE;
			room = pieces[i].len;
		}
	}
	virtio_ring_put(&w->r, pieces, n, room, w->cookie);
	CHECK(!w->in_flight[w->cookie]);
	w->in_flight[w->cookie++] = true;
	w->made++;
}

static void take(struct world *w, const struct virtio_answer *a)
{
	CHECK(a->cookie < 65536 && w->in_flight[a->cookie]);
	CHECK(a->len <= 512);
	w->in_flight[a->cookie] = false;
	w->answered++;
}

/* ---- a proper device ---- */

static void check_chain(struct world *w, uint16_t first)
{
	unsigned n = 0;

	for (uint16_t at = first;; at = w->r.mem.desc[at].next, n++) {
		const struct vring_desc *d = &w->r.mem.desc[at];

		CHECK(at < w->r.size && n < 16);
		CHECK_EQ(d->addr % 1000, n);
		CHECK_EQ(d->addr / 1000, w->r.mem.desc[first].addr / 1000);
		CHECK_EQ(!(d->flags & VRING_NEXT), !!(d->flags & VRING_WRITE));
		if (!(d->flags & VRING_NEXT))
			break;
	}
}

static void device_take(struct world *w, bool check)
{
	while (w->avail_cons != w->r.mem.avail[1] && w->nr_taken < w->r.size) {
		uint16_t first = w->r.mem.avail[2 + (w->avail_cons++ & (w->r.size - 1))];

		if (check)
			check_chain(w, first);
		w->taken[w->nr_taken++] = first;
	}
	w->r.mem.used[2 + w->r.size * 4] = w->avail_cons; /* avail_event */
}

static volatile uint32_t *used_entry(struct world *w)
{
	return (volatile uint32_t *)&w->r.mem.used[2] + 2 * (w->used_prod & (w->r.size - 1));
}

static void used_write(struct world *w, uint32_t id, uint32_t len)
{
	volatile uint32_t *e = used_entry(w);

	e[0] = id;
	e[1] = len;
}

/* Answer one of those taken, any of them; true: an interrupt is due. */
static bool device_answer(struct world *w)
{
	unsigned n = test_random() % w->nr_taken;
	uint16_t before = w->used_prod, event = w->r.mem.avail[2 + w->r.size];

	used_write(w, w->taken[n], (uint32_t)(test_random() % 513));
	w->taken[n] = w->taken[--w->nr_taken];
	w->r.mem.used[1] = ++w->used_prod;
	return !w->r.event_index ||
	       (uint16_t)(w->used_prod - event - 1) < (uint16_t)(w->used_prod - before);
}

/* Nothing is lost, nothing comes twice, and whoever sleeps is told. */
static void proper(unsigned size, bool event_index)
{
	static struct world w;
	bool interrupt = false, bell = false;
	unsigned interrupts = 0, bells = 0;

	begin(&w, size, event_index);
	for (unsigned round = 0; round < 20000 || w.answered < w.made; round++) {
		if (round < 20000 && test_random() % 3 == 0) {
			unsigned n = 1 + (unsigned)(test_random() % 6);

			for (unsigned k = test_random() % 20; k && w.r.nr_free >= n; k--)
				put(&w, n);
			if (virtio_ring_push(&w.r)) {
				bell = true;
				bells++;
			}
		}
		if (bell && test_random() % 2) {
			bell = false;
			device_take(&w, true);
		}
		while (w.nr_taken && test_random() % 4)
			interrupt |= device_answer(&w);
		if (interrupt && test_random() % 2) {
			struct virtio_answer a;

			interrupt = false;
			interrupts++;
			do {
				while (virtio_ring_take(&w.r, &a) == 1)
					take(&w, &a);
			} while (virtio_ring_sleep(&w.r));
		}
		CHECK(w.r.broken == NULL);
		if (round > 200000)
			break;
	}
	CHECK_EQ(w.answered, w.made);
	CHECK_EQ(w.r.nr_free, size);
	CHECK_EQ(virtio_ring_in_flight(&w.r), 0);
	test_note("%u entries: %u requests, %u doorbells, %u interrupts", size, w.made, bells,
		  interrupts);
	end(&w);
}

TEST(every_request_is_answered)
{
	for (unsigned size = 8; size <= VIRTIO_RING_MAX; size *= 2) {
		proper(size, false);
		proper(size, true);
	}
}

TEST(an_interrupt_for_half_of_what_is_in_flight)
{
	static struct world w;
	struct virtio_answer a;
	unsigned interrupts = 0;

	begin(&w, 32, true);
	for (int i = 0; i < 32; i++)
		put(&w, 1);
	CHECK(virtio_ring_push(&w.r));
	device_take(&w, true);
	CHECK(!virtio_ring_sleep(&w.r));
	while (w.nr_taken) {
		if (!device_answer(&w))
			continue;
		interrupts++;
		do {
			while (virtio_ring_take(&w.r, &a) == 1)
				take(&w, &a);
		} while (virtio_ring_sleep(&w.r));
	}
	CHECK_EQ(w.answered, 32);
	CHECK_EQ(interrupts, 6); /* 16, 8, 4, 2, 1, 1 */
	end(&w);
}

TEST(one_doorbell_for_a_batch)
{
	static struct world w;

	begin(&w, 32, true);
	put(&w, 1);
	CHECK(virtio_ring_push(&w.r));
	put(&w, 1);
	CHECK(!virtio_ring_push(&w.r)); /* it is awake and will see this one */
	CHECK(!virtio_ring_push(&w.r)); /* nothing new */
	device_take(&w, true);
	CHECK_EQ(w.nr_taken, 2);
	put(&w, 1);
	CHECK(virtio_ring_push(&w.r));
	end(&w);
}

/* ---- one that is not ---- */

static void broken_by(uint32_t id, uint32_t len)
{
	static struct world w;
	struct virtio_answer a;

	begin(&w, 16, true);
	put(&w, 3); /* descriptors 0, 1, 2 */
	put(&w, 1);
	virtio_ring_push(&w.r);
	used_write(&w, id, len);
	w.r.mem.used[1] = 1;
	CHECK_EQ(virtio_ring_take(&w.r, &a), -EIO);
	CHECK(w.r.broken != NULL);
	/* For good. */
	used_write(&w, 0, 0);
	CHECK_EQ(virtio_ring_take(&w.r, &a), -EIO);
	CHECK(!virtio_ring_sleep(&w.r));
	end(&w);
}

TEST(nonsense_breaks_the_ring)
{
	broken_by(1, 0);     /* not the first of a request */
	broken_by(4, 0);     /* free */
	broken_by(16, 0);    /* out of range */
	broken_by(65536, 0); /* out of range */
	broken_by(~0u, 0);   /* out of range */
	broken_by(0, 513);   /* more than there is room for */
	broken_by(0, ~0u);   /* more than there is room for */
}

TEST(an_answer_is_taken_once)
{
	static struct world w;
	struct virtio_answer a;

	begin(&w, 16, false);
	put(&w, 2);
	put(&w, 2);
	virtio_ring_push(&w.r);
	w.r.mem.used[1] = 2; /* both entries name descriptor 0 */
	CHECK_EQ(virtio_ring_take(&w.r, &a), 1);
	CHECK_EQ(virtio_ring_take(&w.r, &a), -EIO);
	end(&w);
}

static void jump(uint16_t index)
{
	static struct world w;
	struct virtio_answer a;

	begin(&w, 16, true);
	put(&w, 1);
	put(&w, 1);
	virtio_ring_push(&w.r);
	put(&w, 1); /* not shown yet: no answer to this */
	w.r.mem.used[1] = index;
	CHECK_EQ(virtio_ring_take(&w.r, &a), -EIO);
	CHECK(w.r.broken != NULL);
	end(&w);
}

TEST(the_index_jumps)
{
	jump(3);
	jump(17);
	jump(1000);
	jump(0x7fff);
	jump(0x8000);
	jump(0xffff);
}

/* Any bytes anywhere: the device may write to all of the ring, its descriptors too. */
static void scribble(struct world *w)
{
	volatile uint32_t *e;

	switch (test_random() % 6) {
	case 0:
		((uint8_t *)w->memory)[test_random() % (VRING_PAGES * PAGE_SIZE)] =
			(uint8_t)test_random();
		break;
	case 1:
		w->r.mem.desc[test_random() % w->r.size].next = (uint16_t)test_random();
		break;
	case 2:
		w->r.mem.used[1] = (uint16_t)(w->r.cons + test_random() % 4);
		break;
	case 3:
		e = (volatile uint32_t *)&w->r.mem.used[2] +
		    2 * ((w->r.cons + test_random() % 4) & (w->r.size - 1));
		e[test_random() % 2] = (uint32_t)test_random() % (2 * w->r.size);
		break;
	case 4:
		w->r.mem.used[2 + w->r.size * 4] = (uint16_t)test_random();
		break;
	default:
		w->r.mem.used[0] = (uint16_t)test_random();
	}
}

static bool hostile_round(unsigned size)
{
	static struct world w;
	struct virtio_answer a;
	bool broken;
	int n = 0;

	begin(&w, size, test_random() % 2);
	for (unsigned step = 0; step < 300 && n >= 0; step++) {
		unsigned pieces = 1 + (unsigned)(test_random() % 6);

		while (w.r.nr_free >= pieces && test_random() % 8)
			put(&w, pieces);
		virtio_ring_push(&w.r);
		device_take(&w, false);
		while (w.nr_taken && test_random() % 4)
			device_answer(&w);
		if (test_random() % 8 == 0)
			scribble(&w);
		while ((n = virtio_ring_take(&w.r, &a)) == 1)
			take(&w, &a);
		virtio_ring_sleep(&w.r);
		CHECK(virtio_ring_in_flight(&w.r) <= w.r.size);
		CHECK(w.r.nr_free <= w.r.size);
	}
	CHECK_EQ(n < 0, w.r.broken != NULL);
	broken = w.r.broken;
	end(&w);
	return broken;
}

TEST(a_hostile_device)
{
	unsigned broken = 0;

	for (int i = 0; i < 3000; i++)
		broken += hostile_round(8u << test_random() % 6);
	CHECK(broken > 100);
	test_note("%u of 3000 rings were broken", broken);
}
