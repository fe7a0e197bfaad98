/* SPDX-License-Identifier: MIT */
/*
 * Grant entries and the lists through them.
 *
 * An entry is 8 bytes: flags, domain, frame. Who owns which field changes with `flags`:
 *
 *     flags                  the entry is                we may                   Xen may
 *     ---------------------  --------------------------  -----------------------  -----------------
 *     0                      nobody's                    write domid and frame    nothing
 *     permit_access          open to the domain          clear flags, if equal    set reading
 *     .. | readonly                                                               and writing
 *     .. | reading, writing  in use: mapped or copied    nothing                  clear them again
 *
 * So opening is: frame and domain first, then flags, in this order for other processors too; and
 * closing is a compare-and-exchange of flags against 0 that fails as long as Xen has a bit in
 * there. It must be one atomic step: between a test and a store the peer could map the frame.
 *
 * Free references are a list through slots that are our own memory. The one freed last is handed
 * out first: its entry is in the cache. A reference is taken off the list before anybody gets it
 * and comes back only after its flags were exchanged for 0, so one that is in use, or that a peer
 * still uses, cannot be given out a second time.
 */
#include <printk.h>
#include "grant_table.h"

static struct grant_slot *slot_of(struct grant_table *t, uint32_t ref)
{
	KASSERT(ref < t->frames * GRANTS_PER_FRAME);
	return &t->slots[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
}

static void put_free(struct grant_table *t, uint32_t ref)
{
	struct grant_slot *s = slot_of(t, ref);

	s->next = t->free_first;
	s->pfn = GRANT_NO_PFN;
	t->free_first = ref;
	t->free++;
}

void grant_table_add(struct grant_table *t, struct grant_slot *slots)
{
	uint32_t first = t->frames * GRANTS_PER_FRAME;

	KASSERT(t->frames < GRANT_FRAMES_MAX);
	t->slots[t->frames++] = slots;
	/* The lowest first: entries that are used lie together. */
	for (uint32_t i = GRANTS_PER_FRAME; i-- > 0;) {
		if (first + i < GNTTAB_NR_RESERVED_ENTRIES)
			slots[i].next = GRANT_USED; /* by the toolstack: console, xenstore */
		else
			put_free(t, first + i);
	}
}

uint32_t grant_table_take(struct grant_table *t)
{
	uint32_t ref = t->free_first;
	struct grant_slot *s;

	if (!ref)
		return 0;
	s = slot_of(t, ref);
	KASSERT(s->next != GRANT_USED && READ_ONCE(t->entries[ref].flags) == 0);
	t->free_first = s->next;
	s->next = GRANT_USED;
	t->free--;
	t->used++;
	return ref;
}

void grant_table_allow(struct grant_table *t, uint32_t ref, unsigned domid, uint32_t mfn,
		       bool read_only)
{
	struct grant_entry_v1 *e = &t->entries[ref];

	e->frame = mfn;
	e->domid = domid;
	__atomic_store_n(&e->flags, GTF_permit_access | (read_only ? GTF_readonly : 0),
			 __ATOMIC_RELEASE);
}

int grant_table_revoke(struct grant_table *t, uint32_t ref)
{
	uint16_t flags;

	KASSERT(ref >= GNTTAB_NR_RESERVED_ENTRIES && slot_of(t, ref)->next == GRANT_USED);
	flags = READ_ONCE(t->entries[ref].flags);
	do {
		if (flags & (GTF_reading | GTF_writing))
			return -EBUSY;
	} while (!__atomic_compare_exchange_n(&t->entries[ref].flags, &flags, 0, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return 0;
}

void grant_table_give(struct grant_table *t, uint32_t ref)
{
	KASSERT(slot_of(t, ref)->next == GRANT_USED && t->entries[ref].flags == 0);
	t->used--;
	put_free(t, ref);
}

void grant_table_set_aside(struct grant_table *t, uint32_t ref, uint32_t pfn)
{
	struct grant_slot *s = slot_of(t, ref);

	KASSERT(s->next == GRANT_USED);
	s->next = t->aside_first;
	s->pfn = pfn;
	t->aside_first = ref;
	t->used--;
	t->aside++;
}

unsigned grant_table_retry(struct grant_table *t, uint32_t *pfns, unsigned max, unsigned *freed)
{
	uint32_t ref = t->aside_first, next;
	unsigned n = 0;

	t->aside_first = 0;
	*freed = 0;
	for (; ref; ref = next) {
		struct grant_slot *s = slot_of(t, ref);
		uint32_t pfn = s->pfn;

		next = s->next;
		s->next = GRANT_USED;
		t->aside--;
		t->used++;
		if (n == max || grant_table_revoke(t, ref)) {
			grant_table_set_aside(t, ref, pfn);
			continue;
		}
		grant_table_give(t, ref);
		++*freed;
		if (pfn != GRANT_NO_PFN)
			pfns[n++] = pfn;
	}
	return n;
}
