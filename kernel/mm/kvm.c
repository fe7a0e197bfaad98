/* SPDX-License-Identifier: MIT */
/*
 * Kernel mappings with guard pages: above all, kernel stacks.
 *
 * The direct map has no holes, so a stack that overflows there runs into somebody else's page.
 * Here pages, allocated one by one, are mapped into the KVM area with an unmapped page on each
 * side: the overflow faults. Making such a mapping costs a batch of page-table updates (under PV a
 * hypercall), so a few stacks that were given back are kept for the next process.
 *
 * What the area holds is noted page by page: frames[][], in pieces of one page that are made when
 * first needed. A mapping of n pages takes the first gap of n + 2 pages and leaves its ends free;
 * neighbours share the page between them.
 */
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "room.h"

#define KVM_PAGES 65536u /* of the area, as many as are used: 256 MiB */
#define PER_PIECE (PAGE_SIZE / sizeof(uint32_t))
#define BATCH 16 /* pages mapped in one go */
#define STACKS_KEPT 16

static uint32_t *frames[KVM_PAGES / PER_PIECE]; /* pfn + 1; 0: nothing mapped */
static unsigned search_from;                    /* no gap of a stack's size lies below */
static spinlock_t kvm_lock = SPINLOCK("kvm");

/* Stacks kept: the word at the low end of each points to the low end of the next. */
static unsigned long *kept;
static unsigned nr_kept;

static bool is_mapped(unsigned page)
{
	return frames[page / PER_PIECE] && frames[page / PER_PIECE][page % PER_PIECE];
}

bool kvm_is_guard(unsigned long va)
{
	if (va < KVM_BASE || va >= KVM_BASE + KVM_SIZE)
		return false;
	va -= KVM_BASE;
	return va >= KVM_PAGES * PAGE_SIZE || !is_mapped(va / PAGE_SIZE);
}

void kvm_init(void)
{
	search_from = 0;
}

/* First page of a gap that has room for @n pages and two more around them; 0: none. */
static unsigned gap_find(unsigned n)
{
	unsigned run = 0;

	for (unsigned page = search_from; page < KVM_PAGES; page++) {
		run = is_mapped(page) ? 0 : run + 1;
		if (run == n + 2)
			return page - n;
	}
	return 0;
}

/* The pieces of frames[] for [page, page + n). */
static bool pieces_make(unsigned page, unsigned n)
{
	for (unsigned i = page / PER_PIECE; i <= (page + n - 1) / PER_PIECE; i++)
		if (!frames[i] && !(frames[i] = kmalloc(PAGE_SIZE, ALLOC_ZERO)))
			return false;
	return true;
}

/* Take a gap: its pages count as mapped from now on (~0: no frame yet). 0: none. */
static unsigned gap_take(unsigned n)
{
	unsigned page;

	spin_lock(&kvm_lock);
	page = gap_find(n);
	if (page && !pieces_make(page, n))
		page = 0;
	for (unsigned i = 0; page && i < n; i++)
		frames[(page + i) / PER_PIECE][(page + i) % PER_PIECE] = ~0u;
	if (page && n == KSTACK_PAGES)
		search_from = page + n;
	spin_unlock(&kvm_lock);
	return page;
}

/* Unmap [page, page + n), of which the first @done are mapped. */
static void gap_give(unsigned page, unsigned n, unsigned done)
{
	if (done)
		mmu_kernel_unmap(KVM_BASE + page * PAGE_SIZE, done);
	spin_lock(&kvm_lock);
	for (unsigned i = 0; i < n; i++) {
		uint32_t *frame = &frames[(page + i) / PER_PIECE][(page + i) % PER_PIECE];

		if (i < done)
			page_free_pfn(PFN(*frame - 1ul));
		*frame = 0;
	}
	if (page - 1 < search_from)
		search_from = page - 1;
	spin_unlock(&kvm_lock);
}

/* Allocate and map up to @n pages at @page. Returns how many: n, unless there is no memory. */
static unsigned map_batch(unsigned page, unsigned n)
{
	pfn_t pfns[BATCH];
	unsigned got = 0;

	while (got < n && (pfns[got] = page_alloc_pfn(0)).v != PFN_NONE.v)
		got++;
	if (got == n && !mmu_kernel_map(KVM_BASE + page * PAGE_SIZE, pfns, n,
					PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX)) {
		for (unsigned i = 0; i < n; i++)
			frames[(page + i) / PER_PIECE][(page + i) % PER_PIECE] = pfns[i].v + 1;
		return n;
	}
	while (got)
		page_free_pfn(pfns[--got]);
	return 0;
}

void *kvm_alloc(unsigned n)
{
	unsigned page = n && n < KVM_PAGES ? gap_take(n) : 0;

	if (!page)
		return NULL;
	for (unsigned done = 0; done < n;) {
		unsigned got = map_batch(page + done, min(n - done, (unsigned)BATCH));

		if (!got) {
			gap_give(page, n, done);
			return NULL;
		}
		done += got;
	}
	return (void *)(KVM_BASE + page * PAGE_SIZE);
}

void kvm_free(void *va, unsigned n)
{
	if (va)
		gap_give(((unsigned long)va - KVM_BASE) / PAGE_SIZE, n, n);
}

/* One of the stacks kept for reuse (its lowest address), or NULL. */
static unsigned long *take_kept(void)
{
	unsigned long *low;

	spin_lock(&kvm_lock);
	low = kept;
	if (low) {
		kept = (unsigned long *)*low;
		nr_kept--;
	}
	spin_unlock(&kvm_lock);
	return low;
}

void *kstack_alloc(void)
{
	unsigned long *low = take_kept();

	if (!low)
		low = kvm_alloc(KSTACK_PAGES);
	return low ? (char *)low + KSTACK_PAGES * PAGE_SIZE : NULL;
}

void kstack_free(void *top)
{
	unsigned long *low;

	if (!top)
		return;
	low = (unsigned long *)((char *)top - KSTACK_PAGES * PAGE_SIZE);
	spin_lock(&kvm_lock);
	if (nr_kept < STACKS_KEPT) {
		*low = (unsigned long)kept;
		kept = low;
		nr_kept++;
		low = NULL;
	}
	spin_unlock(&kvm_lock);
	kvm_free(low, KSTACK_PAGES);
}

unsigned long kvm_spare_pages(void)
{
	return nr_kept * KSTACK_PAGES;
}

unsigned long kvm_reclaim(void)
{
	unsigned long n = 0;

	for (;;) {
		unsigned long *low = take_kept();

		if (!low)
			return n;
		kvm_free(low, KSTACK_PAGES);
		n += KSTACK_PAGES;
	}
}
