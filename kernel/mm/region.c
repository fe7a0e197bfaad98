/* SPDX-License-Identifier: MIT */
/*
 * Regions. A process has a handful (text, constants, data, heap, stack, a few mappings), so a
 * sorted list does: a fault looks at three or four entries. munmap and mprotect first make their
 * borders into borders of regions, by cutting, and then treat whole regions; what became alike is
 * joined again afterwards.
 */
#include <fs.h>
#include <mm.h>
#include <printk.h>
#include "region.h"
#include "room.h"

struct region *region_above(const struct list *regions, unsigned long addr)
{
	struct region *r;

	list_for_each (r, regions, link)
		if (r->end > addr)
			return r;
	return NULL;
}

struct region *region_find(const struct list *regions, unsigned long addr)
{
	struct region *r = region_above(regions, addr);

	return r && r->start <= addr ? r : NULL;
}

struct region *region_before(const struct list *regions, const struct region *r)
{
	return r->link.prev == regions ? NULL : list_entry(r->link.prev, struct region, link);
}

bool regions_overlap(const struct list *regions, unsigned long start, unsigned long end)
{
	struct region *r = region_above(regions, start);

	return r && r->start < end;
}

bool regions_cover(const struct list *regions, unsigned long start, unsigned long end)
{
	struct region *r;

	list_for_each (r, regions, link) {
		if (r->end <= start)
			continue;
		if (r->start > start)
			return false;
		start = r->end;
		if (start >= end)
			return true;
	}
	return false;
}

void regions_insert(struct list *regions, struct region *r)
{
	struct region *next = region_above(regions, r->start);

	KASSERT(!next || next->start >= r->end);
	list_add_tail(next ? &next->link : regions, &r->link);
}

struct region *region_dup(const struct region *r, struct aspace *as)
{
	struct region *copy = kmalloc(sizeof(*copy), 0);

	if (!copy)
		return NULL;
	*copy = *r;
	list_init(&copy->link);
	copy->as = as;
	if (copy->vnode) {
		vnode_get(copy->vnode);
		mapping_add(copy);
	}
	if (copy->shared)
		shared_get(copy->shared);
	return copy;
}

void region_free(struct region *r)
{
	if (r->vnode) {
		mapping_del(r);
		vnode_put(r->vnode);
	}
	if (r->shared)
		shared_put(r->shared);
	kfree(r);
}

int regions_cut(struct list *regions, unsigned long at)
{
	struct region *r = region_find(regions, at), *upper;

	if (!r || r->start == at)
		return 0;
	upper = region_dup(r, r->as);
	if (!upper)
		return -ENOMEM;
	upper->start = at;
	upper->offset += at - r->start;
	r->end = at;
	list_add(&r->link, &upper->link);
	return 1;
}

static bool alike(const struct region *a, const struct region *b)
{
	if (a->end != b->start || a->prot != b->prot || a->flags != b->flags ||
	    a->vnode != b->vnode || a->shared != b->shared)
		return false;
	if (!a->vnode && !a->shared)
		return true;
	return b->offset == a->offset + (a->end - a->start) && a->file_end == b->file_end;
}

unsigned regions_merge(struct list *regions, unsigned long start, unsigned long end)
{
	struct region *r = region_above(regions, start ? start - 1 : 0);
	unsigned gone = 0;

	while (r && r->start <= end && r->link.next != regions) {
		struct region *next = list_entry(r->link.next, struct region, link);

		if (!alike(r, next)) {
			r = next;
			continue;
		}
		r->end = next->end;
		list_del(&next->link);
		region_free(next);
		gone++;
	}
	return gone;
}

/* Where the room that belongs to @r begins: lower than the region itself for a stack. */
static unsigned long room_start(const struct region *r, unsigned long stack_limit)
{
	unsigned long room = min(stack_limit, 1ul << 30);

	if (!(r->flags & REGION_STACK))
		return r->start;
	room = ROUND_UP(room, PAGE_SIZE) + PAGE_SIZE;
	return r->end > room ? min(r->start, r->end - room) : 0;
}

unsigned long regions_gap(const struct list *regions, unsigned long low, unsigned long high,
			  unsigned long size, unsigned long stack_limit)
{
	unsigned long at = low;
	struct region *r;

	if (!size || low >= high || size > high - low)
		return 0;
	list_for_each (r, regions, link) {
		unsigned long start = room_start(r, stack_limit);

		if (r->end <= at)
			continue;
		if (start > at && start - at >= size)
			break;
		at = r->end;
	}
	return at < high && high - at >= size ? at : 0;
}
