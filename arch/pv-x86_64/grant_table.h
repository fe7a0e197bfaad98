/* SPDX-License-Identifier: MIT */
/*
 * The grant table as a data structure, without the hypercalls and locks around it (grant.c): what
 * a unit test can run on the host. The caller holds the lock.
 */
#ifndef GRANT_TABLE_H
#define GRANT_TABLE_H

#include <types.h>
#include <xen/xen.h>
#include <xen/grant_table.h>

#define GRANTS_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define GRANT_FRAMES_MAX 511u /* what one lowest-level page table maps, but one */

/* The ABI: version 1 of <xen/grant_table.h>. */
_Static_assert(sizeof(struct grant_entry_v1) == 8, "grant entry");
_Static_assert(offsetof(struct grant_entry_v1, flags) == 0, "grant entry: flags");
_Static_assert(offsetof(struct grant_entry_v1, domid) == 2, "grant entry: domid");
_Static_assert(offsetof(struct grant_entry_v1, frame) == 4, "grant entry: frame");
_Static_assert(GNTTAB_NR_RESERVED_ENTRIES == 8, "references that the toolstack uses");

/* Ours, beside each entry: Xen's table has no room for it, and a peer cannot write to this one. */
struct grant_slot {
	uint32_t next; /* free or set aside: the next of its list, 0 ends; in use: GRANT_USED */
	uint32_t pfn;  /* set aside: its page's frame, or GRANT_NO_PFN */
};
#define GRANT_USED ~0u
#define GRANT_NO_PFN ~0u
_Static_assert(sizeof(struct grant_slot) * GRANTS_PER_FRAME == PAGE_SIZE, "slots: a page a frame");

struct grant_table {
	struct grant_entry_v1 *entries; /* all frames, one after the other */
	struct grant_slot *slots[GRANT_FRAMES_MAX];
	unsigned frames;
	uint32_t free_first, aside_first;
	unsigned used, free, aside;
};

/* One more frame is mapped behind the others; @slots: PAGE_SIZE bytes, in any state. */
void grant_table_add(struct grant_table *t, struct grant_slot *slots);
/* A reference that nobody uses: in use from now on, with no access yet. 0: none is free. */
uint32_t grant_table_take(struct grant_table *t);
/* Domain @domid may use machine frame @mfn through @ref from now on. */
void grant_table_allow(struct grant_table *t, uint32_t ref, unsigned domid, uint32_t mfn,
		       bool read_only);
/* Nobody may any more. -EBUSY: the frame is mapped or being copied; nothing has changed. */
int grant_table_revoke(struct grant_table *t, uint32_t ref);
/* @ref, revoked, is free. */
void grant_table_give(struct grant_table *t, uint32_t ref);
/* @ref, in use, could not be revoked: keep it and @pfn (or GRANT_NO_PFN) aside. */
void grant_table_set_aside(struct grant_table *t, uint32_t ref, uint32_t pfn);
/*
 * Try again with all that is set aside. The references that could be revoked are free afterwards.
 * Up to @max frames that go with them are put into @pfns; more wait until next time. Returns how
 * many frames; *@freed: how many references.
 */
unsigned grant_table_retry(struct grant_table *t, uint32_t *pfns, unsigned max, unsigned *freed);

#endif
