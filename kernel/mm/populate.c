/* SPDX-License-Identifier: MIT */
/*
 * Filling an address space before its first use (exec), and writing into one that is not loaded.
 *
 * While the tables of a space are not published an entry costs a store, in every world; afterwards
 * a fault, and under PV a hypercall. So exec maps whatever it can have without waiting for a disk:
 * the file's pages that are in the cache, copies of the first writable ones, and the first pages of
 * bss and stack.
 */
#include <fs.h>
#include <mm.h>
#include <parvix/mman.h>
#include <printk.h>
#include <string.h>
#include "region.h"
#include "room.h"

#define COPIES_MAX 8 /* writable pages of the file that are copied beforehand */

/* Map the cached file page at @va as it is, if it can be. */
static void prefault_cached(struct aspace *as, struct region *r, unsigned long va)
{
	pte_t *slot = mmu_slot(&as->mmu, va, true);
	struct page *pg;

	if (!slot || slot->v)
		return;
	pg = pcache_find(r->vnode, region_offset(r, va) >> PAGE_SHIFT);
	if (!pg)
		return;
	mmu_set(&as->mmu, va, slot, pte_make(page_pfn(pg), region_pte_flags(r)));
	as->pages++;
}

static void prefault_region(struct aspace *as, struct region *r, unsigned long start,
			    unsigned long end, bool anon)
{
	unsigned copies = 0;

	for (unsigned long va = start; va < end; va += PAGE_SIZE) {
		bool from_file = r->vnode && region_offset(r, va) < r->file_end;

		if (from_file && !(r->prot & PROT_WRITE)) {
			prefault_cached(as, r, va);
		} else if (from_file ? copies++ < COPIES_MAX : anon) {
			if (fault_in(as, r, va, r->prot & PROT_WRITE) < 0)
				return;
		}
	}
}

void aspace_prefault(struct aspace *as, unsigned long start, unsigned long end, bool anon)
{
	struct region *r;

	mutex_lock(&as->lock);
	list_for_each (r, &as->regions, link) {
		if (r->end <= start || r->prot == PROT_NONE || (r->flags & REGION_SHARED))
			continue;
		if (r->start >= end)
			break;
		prefault_region(as, r, max(r->start, start), min(r->end, end), anon);
	}
	mmu_commit();
	mutex_unlock(&as->lock);
}

/* The page at @va, made present, to write also the space's own; NULL and *@err if that cannot be.
 */
static struct page *page_for(struct aspace *as, unsigned long va, bool write, int *err)
{
	struct region *r = write ? fault_region(as, va) : region_find(&as->regions, va);

	*err = -EFAULT;
	if (!r || (write && r->vnode && (r->flags & REGION_SHARED)) || r->prot == PROT_NONE)
		return NULL;
	*err = fault_in(as, r, ROUND_DOWN(va, PAGE_SIZE), write);
	mmu_commit();
	if (*err < 0) {
		if (*err == -EIO)
			*err = -EFAULT;
		return NULL;
	}
	*err = 0;
	return pfn_page(pte_pfn(*mmu_slot(&as->mmu, va, false)));
}

static int access(struct aspace *as, unsigned long addr, char *buf, size_t n, bool write)
{
	int err = 0;

	if (addr >= USER_END || n > USER_END - addr)
		return -EFAULT;
	mutex_lock(&as->lock);
	while (n) {
		unsigned long in_page = addr & (PAGE_SIZE - 1);
		size_t piece = min(n, PAGE_SIZE - in_page);
		struct page *pg = page_for(as, addr, write, &err);

		if (!pg)
			break;
		if (write)
			memcpy((char *)page_va(pg) + in_page, buf, piece);
		else
			memcpy(buf, (char *)page_va(pg) + in_page, piece);
		addr += piece;
		buf += piece;
		n -= piece;
	}
	mutex_unlock(&as->lock);
	return err;
}

int aspace_write(struct aspace *as, unsigned long addr, const void *src, size_t n)
{
	return access(as, addr, (char *)(uintptr_t)src, n, true);
}

int aspace_read(struct aspace *as, unsigned long addr, void *dst, size_t n)
{
	return access(as, addr, dst, n, false);
}
