/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries: x86-64's format, common to all worlds. An entry holds a machine frame number;
 * the translation between pfn and mfn is a table look-up under PV (p2m: the domain's own array;
 * m2p: Xen's, read-only) and nothing natively, where both pointers are NULL.
 *
 * A non-present entry is 0 and nothing else: under PV any other non-present value that looks like
 * an address is an L1TF hazard for which Xen kills the domain.
 */
#ifndef PTE_H
#define PTE_H

#include <types.h>

#define PTE_P 0x001ull
#define PTE_W 0x002ull
#define PTE_U 0x004ull
#define PTE_PWT 0x008ull
#define PTE_PCD 0x010ull
#define PTE_A 0x020ull
#define PTE_D 0x040ull
#define PTE_PS 0x080ull
#define PTE_G 0x100ull
#define PTE_NX 0x8000000000000000ull
#define PTE_FRAME 0x000ffffffffff000ull
#define PTE_SW1 0x200ull /* free for software */
#define PTE_SW2 0x400ull

#define PT_ENTRIES 512
/* Index into the table of @level (1: lowest .. 4: top) for @va. */
#define PT_INDEX(va, level) (((va) >> (12 + 9 * ((level)-1))) & 511)
#define PT_SPAN(level) (1ul << (12 + 9 * ((level)-1))) /* bytes that one entry maps */

/* Kernel address map (see docs/memory.md). Xen keeps 0xffff800000000000 .. 0xffff87ffffffffff. */
#define USER_END 0x00007ffffffff000ul
#ifndef DIRECT_MAP /* unit tests put it where a host program may have it */
#define DIRECT_MAP \
	0xffff888000000000ul /* all physical pages, by pfn; 512 GiB: one top-level slot */
#endif
#define KVM_BASE                                                                                  \
	0xffffc90000000000ul          /* kernel stacks, other mappings with guard pages; one slot \
				       */
#define KVM_SIZE 0x0000000040000000ul /* 1 GiB */
#define KERNEL_BASE \
	0xffffffffc0000000ul /* the image: 3 GiB into the last 4, away from Linux's place */

extern const unsigned long *machine_p2m; /* pfn -> mfn, nr_pages entries; NULL: identity */
extern const unsigned long *machine_m2p; /* mfn -> pfn; NULL: identity */
extern unsigned long nr_pages;           /* of this guest, highest pfn + 1 */

static inline mfn_t pfn_to_mfn(pfn_t pfn)
{
	return MFN(machine_p2m ? machine_p2m[pfn.v] : pfn.v);
}

static inline pfn_t mfn_to_pfn(mfn_t mfn)
{
	return PFN(machine_m2p ? machine_m2p[mfn.v] : mfn.v);
}

static inline void *pfn_va(pfn_t pfn)
{
	return (void *)(DIRECT_MAP + (pfn.v << PAGE_SHIFT));
}

/* Inverse of pfn_va(); direct-map addresses only. */
static inline pfn_t va_pfn(const void *va)
{
	return PFN(((unsigned long)va - DIRECT_MAP) >> PAGE_SHIFT);
}

static inline pte_t pte_make(pfn_t pfn, uint64_t flags)
{
	return (pte_t){(pfn_to_mfn(pfn).v << PAGE_SHIFT) | flags};
}

static inline bool pte_present(pte_t pte)
{
	return pte.v & PTE_P;
}

static inline pfn_t pte_pfn(pte_t pte)
{
	return mfn_to_pfn(MFN((pte.v & PTE_FRAME) >> PAGE_SHIFT));
}

#define PTE_NONE ((pte_t){0})

#endif
