/* SPDX-License-Identifier: MIT */
/*
 * The list of regions of an address space, as a data structure: sorted, not overlapping. Knows
 * nothing of page tables. The caller holds the space's lock.
 */
#ifndef REGION_H
#define REGION_H

#include <mm.h>

/* The first region that ends above @addr; it contains @addr if it starts at or below. NULL: none.
 */
struct region *region_above(const struct list *regions, unsigned long addr);
/* The region that contains @addr, or NULL. */
struct region *region_find(const struct list *regions, unsigned long addr);
/* The region before @r, or NULL if @r is the first. */
struct region *region_before(const struct list *regions, const struct region *r);
bool regions_overlap(const struct list *regions, unsigned long start, unsigned long end);
/* True if every address of [start, end) is in some region. */
bool regions_cover(const struct list *regions, unsigned long start, unsigned long end);
/* Put @r in its place; it overlaps none. */
void regions_insert(struct list *regions, struct region *r);
/* Make @at a border: a region around it becomes two. Number of regions added, or -ENOMEM. */
int regions_cut(struct list *regions, unsigned long at);
/* Join neighbours that are alike, among those that touch [start, end]. Returns how many went. */
unsigned regions_merge(struct list *regions, unsigned long start, unsigned long end);
/* Lowest free range of @size bytes in [low, high), or 0. Below a stack there stays room for it to
 * grow to @stack_limit bytes. */
unsigned long regions_gap(const struct list *regions, unsigned long low, unsigned long high,
			  unsigned long size, unsigned long stack_limit);

/* A copy for @as with references of its own, in no list but its file's. NULL: no memory. */
struct region *region_dup(const struct region *r, struct aspace *as);
/* Not in a list any more. */
void region_free(struct region *r);

#endif
