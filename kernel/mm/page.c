/* SPDX-License-Identifier: MIT */
/*
 * Physical pages.
 *
 * Frames are counted by pfn, the kernel's own numbering, and struct page describes each. Under PV
 * machine frames lie in any order behind them, and nothing in this file knows: "physically
 * contiguous" means contiguous pfns, which are contiguous in the direct map; no device of ours
 * wants more. Free blocks are kept by the buddy system (buddy.c) under one lock. Nearly all
 * requests are for one page, so each CPU has a stock of single pages, used with no more than
 * interrupts off, filled and emptied in batches.
 *
 * Who gets the last pages: allocations for user pages fail (after trying to reclaim) while a
 * reserve is still there, those that cannot wait at half of it; the rest is for the kernel's
 * ordinary needs, so that a process can be told ENOMEM, or be killed, in an orderly way.
 *
 * Memory may be taken away and come back while the kernel runs. struct page exists for every frame
 * that may ever have memory; those that have none are on a list of their own.
 *
 * A page is free when its reference count is 0. Whoever drops a reference that is not there, or
 * frees a page that others still use, finds an assertion.
 */
#include <fs.h>
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "buddy.h"
#include "room.h"

#define STOCK_MAX 256
#define STOCK_ORDER 4 /* of the block that fills an empty stock */
#define STOCK_DRAIN 64
#define RECLAIM_BATCH 32
#define RECLAIM_ROUNDS 8

struct page *pages;

static struct buddy buddy;
static spinlock_t page_spin = SPINLOCK("pages");
static struct stock {
	bool busy; /* in use by code that was interrupted */
	unsigned n;
	struct page *page[STOCK_MAX];
} stocks[MAX_CPUS];
static unsigned long total, reserve;
static struct list absent = LIST_INIT(absent); /* frames without memory */
static unsigned long nr_absent;

static void pages_reserve(unsigned long first, unsigned long n)
{
	for (unsigned long pfn = first; pfn < first + n; pfn++) {
		pages[pfn].flags = PG_RESERVED;
		pages[pfn].refs = 1;
	}
}

/* page_spin held */
static void reserve_set(void)
{
	reserve = total / 64 < 64 ? 64 : total / 64 > 1024 ? 1024 : total / 64;
}

void page_add_range(pfn_t first, unsigned long n)
{
	spin_lock(&page_spin);
	for (unsigned long pfn = first.v; pfn < first.v + n; pfn++) {
		pages[pfn].flags = 0;
		pages[pfn].refs = 0;
	}
	buddy_add(&buddy, first.v, n);
	total += n;
	reserve_set();
	spin_unlock(&page_spin);
}

/* Of frame @pg, which is reserved. page_spin held, or booting */
static void absent_add(struct page *pg)
{
	list_add(&absent, &pg->link);
	nr_absent++;
}

void page_leave(struct page *pg)
{
	bool was_ours = !(pg->flags & PG_RESERVED);

	KASSERT(pg->refs == 1);
	spin_lock(&page_spin);
	pg->flags = PG_RESERVED;
	total -= was_ours;
	reserve_set();
	absent_add(pg);
	spin_unlock(&page_spin);
}

struct page *page_absent(void)
{
	struct page *pg = NULL;

	spin_lock(&page_spin);
	if (!list_empty(&absent)) {
		pg = list_first(&absent, struct page, link);
		list_del(&pg->link);
		nr_absent--;
	}
	spin_unlock(&page_spin);
	return pg;
}

unsigned long pages_max(void)
{
	return nr_pages - boot_info.nr_holes;
}

unsigned long pages_present(void)
{
	return pages_max() - nr_absent;
}

/* Free frames [first, end) except those of the @n ranges @used. */
static void add_except(unsigned long first, unsigned long end, const struct boot_range *used,
		       unsigned n)
{
	for (; n && first < end; used++, n--) {
		unsigned long start = used->first.v, stop = start + used->n;

		if (stop <= first || start >= end)
			continue;
		if (start > first)
			add_except(first, start, used + 1, n - 1);
		first = stop;
	}
	if (first < end)
		page_add_range(PFN(first), end - first);
}

/* The first free frame from which @n are free, and not the boot module's. */
static unsigned long find_room(unsigned long n, const struct boot_range *module)
{
	for (unsigned i = 0; i < boot_info.nr_free; i++) {
		unsigned long first = boot_info.free[i].first.v;
		unsigned long end = first + boot_info.free[i].n;
		unsigned long mod = module->first.v, mod_end = mod + module->n;

		if (module->n && first < mod_end && first + n > mod)
			first = max(first, mod_end);
		if (first + n <= end && (!module->n || first >= mod_end || first + n <= mod))
			return first;
	}
	panic("not enough memory: %lu KiB, and no %lu together for the list of all page frames",
	      (boot_info.nr_present - boot_info.nr_holes) * 4, n * 4);
}

void page_init(void)
{
	unsigned long present = boot_info.nr_present;
	struct boot_range used[2] = {
		{boot_info.ramdisk, DIV_ROUND_UP(boot_info.ramdisk_size, PAGE_SIZE)},
		{.n = DIV_ROUND_UP(nr_pages * sizeof(struct page), PAGE_SIZE)},
	};

	if (boot_info.ramdisk.v == PFN_NONE.v)
		used[0] = (struct boot_range){PFN(0), 0};
	used[1].first = PFN(find_room(used[1].n, &used[0]));
	pages = pfn_va(used[1].first);
	memset(pages, 0, used[1].n * PAGE_SIZE);
	buddy_init(&buddy);
	page_lock_init();

	pages_reserve(0, nr_pages);
	for (unsigned i = 0; i < boot_info.nr_free; i++)
		add_except(boot_info.free[i].first.v,
			   boot_info.free[i].first.v + boot_info.free[i].n, used, 2);
	for (unsigned long pfn = nr_pages; pfn-- > present;)
		absent_add(&pages[pfn]);
}

static struct stock *this_stock(void)
{
	return &stocks[this_cpu()->id];
}

/* A whole block at once: one look into the free lists for 16 pages. */
static __attribute__((noinline)) void stock_fill(struct stock *s)
{
	struct page *pg;

	spin_lock(&page_spin);
	pg = buddy_alloc(&buddy, STOCK_ORDER);
	for (unsigned i = 0; i < 1u << STOCK_ORDER; i++) {
		struct page *one = pg ? pg + ((1u << STOCK_ORDER) - 1 - i) : buddy_alloc(&buddy, 0);

		if (!one)
			break;
		s->page[s->n++] = one;
	}
	spin_unlock(&page_spin);
}

static __attribute__((noinline)) void stock_drain(struct stock *s, unsigned n)
{
	spin_lock(&page_spin);
	while (n-- && s->n)
		buddy_free(&buddy, s->page[--s->n], 0);
	spin_unlock(&page_spin);
}

static struct page *block_take(unsigned order)
{
	struct page *pg;

	spin_lock(&page_spin);
	pg = buddy_alloc(&buddy, order);
	spin_unlock(&page_spin);
	return pg;
}

static struct page *block_alloc(unsigned order)
{
	struct page *pg = block_take(order);
	struct stock *s = this_stock();

	if (pg || !s->n || s->busy)
		return pg;
	/* What this CPU has in stock may be what is missing in a larger block. */
	stock_drain(s, STOCK_MAX);
	return block_take(order);
}

/*
 * One page from this CPU's stock, filled up first if it is empty. The kernel is not preempted, so
 * only an interrupt handler can come in between; it sees `busy` and leaves the stock alone.
 */
static struct page *stock_take(void)
{
	struct stock *s = this_stock();
	struct page *pg = NULL;

	if (unlikely(s->busy))
		return block_alloc(0);
	s->busy = true;
	barrier();
	if (unlikely(!s->n))
		stock_fill(s);
	if (likely(s->n))
		pg = s->page[--s->n];
	barrier();
	s->busy = false;
	return pg;
}

static void block_free(struct page *pg, unsigned order)
{
	spin_lock(&page_spin);
	buddy_free(&buddy, pg, order);
	spin_unlock(&page_spin);
}

static void stock_give(struct page *pg)
{
	struct stock *s = this_stock();

	if (unlikely(s->busy)) {
		block_free(pg, 0);
		return;
	}
	s->busy = true;
	barrier();
	if (unlikely(s->n == STOCK_MAX))
		stock_drain(s, STOCK_DRAIN);
	s->page[s->n++] = pg;
	barrier();
	s->busy = false;
}

static unsigned long limit_of(unsigned flags)
{
	return flags & ALLOC_USER ? reserve : flags & ALLOC_ATOMIC ? reserve / 2 : 0;
}

static struct page *try_alloc(unsigned order, unsigned flags)
{
	if (buddy.nr_free < limit_of(flags))
		return NULL;
	return likely(order == 0) ? stock_take() : block_alloc(order);
}

static bool may_reclaim(unsigned flags)
{
	return !(flags & ALLOC_ATOMIC) && this_cpu()->irq_depth == 0 && !this_cpu()->in_irq &&
	       current;
}

static __attribute__((noinline)) struct page *reclaim_alloc(unsigned order, unsigned flags)
{
	struct page *pg = NULL;

	for (unsigned i = 0; !pg && i < RECLAIM_ROUNDS; i++) {
		if (!pcache_reclaim(RECLAIM_BATCH << order) && !slab_reclaim() && !kvm_reclaim() &&
		    !mmu_trim())
			break;
		stock_drain(this_stock(), STOCK_MAX);
		pg = try_alloc(order, flags);
	}
	return pg;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	struct page *pg;

	if (order >= BUDDY_ORDERS)
		return NULL;
	pg = try_alloc(order, flags);
	if (unlikely(!pg) && may_reclaim(flags))
		pg = reclaim_alloc(order, flags);
	if (unlikely(!pg))
		return NULL;
	KASSERT((pg->refs | pg->flags) == 0);
	pg->refs = 1;
	pg->order = order;
	pg->owner = NULL;
	pg->private = NULL;
	list_init(&pg->link);
	if (flags & ALLOC_ZERO) {
		if (order == 0)
			zero_page(page_va(pg));
		else
			memset(page_va(pg), 0, PAGE_SIZE << order);
		count_add(pages_zeroed, 1ul << order);
	}
	return pg;
}

struct page *page_alloc_spare(void)
{
	unsigned long floor = max(total / 16, 512ul);

	while (pages_free() <= floor)
		if (!pcache_reclaim(RECLAIM_BATCH))
			return NULL;
	return page_alloc(0, ALLOC_USER);
}

void page_get(struct page *pg)
{
	KASSERT(pg->refs > 0);
	__atomic_fetch_add(&pg->refs, 1, __ATOMIC_RELAXED);
}

void page_put(struct page *pg)
{
	int before = __atomic_fetch_sub(&pg->refs, 1, __ATOMIC_ACQ_REL);

	if (likely(before > 1))
		return;
	KASSERT(before == 1);
	KASSERT(!(pg->flags & (PG_RESERVED | PG_LOCKED | PG_CACHE | PG_BUDDY)));
	pg->flags = 0;
#ifdef DEBUG
	memset(page_va(pg), 0x6b, PAGE_SIZE << pg->order); /* who still reads it shall notice */
#endif
	if (pg->order == 0) {
		stock_give(pg);
		return;
	}
	block_free(pg, pg->order);
}

void page_split(struct page *pg)
{
	for (unsigned long i = (1ul << pg->order) - 1; i; i--) {
		pg[i].refs = 1;
		pg[i].flags = 0;
		pg[i].order = 0;
	}
	pg->order = 0;
}

pfn_t page_alloc_pfn(unsigned flags)
{
	struct page *pg = page_alloc(0, flags);

	return pg ? page_pfn(pg) : PFN_NONE;
}

void page_free_pfn(pfn_t pfn)
{
	KASSERT(pfn.v < nr_pages && pfn_page(pfn)->refs == 1);
	page_put(pfn_page(pfn));
}

/* What other rooms keep for reuse and give back when asked counts as free. */
unsigned long pages_free(void)
{
	unsigned long n = buddy.nr_free + slab_spare_pages() + kvm_spare_pages() + mmu_kept_pages();

	for (unsigned i = 0; i < nr_cpus; i++)
		n += stocks[i].n;
	return n;
}

unsigned long pages_total(void)
{
	return total;
}
