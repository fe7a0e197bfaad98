/* SPDX-License-Identifier: MIT */
/*
 * Small objects: kmalloc and kfree.
 *
 * Sizes are rounded up to a class. A slab is one page cut into objects of one class; all it needs
 * to know is in its struct page, so objects lie in the page without a header, aligned as their size
 * allows:
 *
 *     private      first free object; each free object holds the address of the next
 *     index        objects in use, and the class in the upper half
 *     link         in the class's list, while objects are free
 *
 * What kfree() needs it finds by the address: the direct map gives the page, the page its class.
 * Objects larger than half a page are whole pages.
 *
 * A free object carries a mark in its second word, which catches freeing twice at once. With DEBUG
 * a freed object is filled with 0x6b as well, and looked at when it is handed out again: who wrote
 * to it after freeing it is found out.
 */
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "room.h"

#define POISON 0x6b
#define FREE_MARK 0xf4eef4eef4eef4eeul

struct free_object {
	struct free_object *next;
	unsigned long mark; /* FREE_MARK ^ own address */
};

struct cache {
	spinlock_t lock;
	unsigned size;
	unsigned per_page;
	struct list partial; /* slabs with free objects */
	struct page *spare;  /* one empty slab, kept */
	unsigned long slabs, used;
	uint64_t allocs;
};

static const unsigned sizes[] = {16, 32, 48, 64, 128, 192, 256, 384, 512, 768, 1024, 1344, 2048};
#define CLASSES ARRAY_SIZE(sizes)

static struct cache caches[CLASSES];
static uint8_t class_of_size[2048 / 16 + 1]; /* by size in units of 16 */
static unsigned long large_pages;            /* in whole-page objects */

void slab_init(void)
{
	unsigned c = 0;

	for (unsigned i = 0; i < CLASSES; i++) {
		spin_init(&caches[i].lock, "slab");
		caches[i].size = sizes[i];
		caches[i].per_page = PAGE_SIZE / sizes[i];
		list_init(&caches[i].partial);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(class_of_size); i++) {
		while (sizes[c] < i * 16)
			c++;
		class_of_size[i] = c;
	}
}

static unsigned slab_class(const struct page *pg)
{
	return pg->index >> 32;
}

static unsigned slab_used(const struct page *pg)
{
	return (uint32_t)pg->index;
}

static unsigned long mark_of(const struct free_object *o)
{
	return FREE_MARK ^ (unsigned long)o;
}

static void poison(struct free_object *o, unsigned size)
{
#ifdef DEBUG
	memset(o + 1, POISON, size - sizeof(*o));
#else
	(void)o;
	(void)size;
#endif
}

static void poison_check(const struct free_object *o, unsigned size)
{
#ifdef DEBUG
	const unsigned char *p = (const unsigned char *)(o + 1);

	for (unsigned i = 0; i < size - sizeof(*o); i++)
		if (p[i] != POISON)
			panic("object %p of %u bytes was written to at offset %zu after kfree()",
			      (const void *)o, size, i + sizeof(*o));
#else
	(void)size;
#endif
	if (o->mark != mark_of(o))
		panic("object %p of %u bytes was written to after kfree()", (const void *)o, size);
}

static void object_free(struct cache *c, struct page *pg, struct free_object *o)
{
	o->next = pg->private;
	o->mark = mark_of(o);
	poison(o, c->size);
	pg->private = o;
}

/* Cut a fresh page into objects. */
static void slab_fill(struct cache *c, struct page *pg)
{
	char *va = page_va(pg);

	pg->flags |= PG_SLAB;
	pg->index = (uint64_t)(c - caches) << 32;
	pg->private = NULL;
	for (unsigned i = c->per_page; i-- > 0;)
		object_free(c, pg, (struct free_object *)(va + i * c->size));
}

/* A slab with a free object; the class's lock is held, and given up while a page is allocated. */
static struct page *slab_get(struct cache *c, unsigned flags)
{
	struct page *pg = c->spare;

	if (!list_empty(&c->partial))
		return list_first(&c->partial, struct page, link);
	if (pg) {
		c->spare = NULL;
	} else {
		spin_unlock(&c->lock);
		pg = page_alloc(0, flags & ALLOC_ATOMIC);
		spin_lock(&c->lock);
		if (!pg)
			return NULL;
		slab_fill(c, pg);
		c->slabs++;
	}
	list_add(&c->partial, &pg->link);
	return pg;
}

static void *class_alloc(struct cache *c, unsigned flags)
{
	struct free_object *o = NULL;
	struct page *pg;

	spin_lock(&c->lock);
	pg = slab_get(c, flags);
	if (pg) {
		o = pg->private;
		poison_check(o, c->size);
		pg->private = o->next;
		pg->index++;
		if (!pg->private)
			list_del(&pg->link);
		c->used++;
		c->allocs++;
	}
	spin_unlock(&c->lock);
	return o;
}

static void *large_alloc(size_t size, unsigned flags)
{
	unsigned order = 0;
	struct page *pg;

	if (size > PAGE_SIZE << 10)
		return NULL;
	while (PAGE_SIZE << order < size)
		order++;
	pg = page_alloc(order, flags & (ALLOC_ATOMIC | ALLOC_ZERO));
	if (!pg)
		return NULL;
	__atomic_fetch_add(&large_pages, 1ul << order, __ATOMIC_RELAXED);
	return page_va(pg);
}

void *kmalloc(size_t size, unsigned flags)
{
	void *p;

	if (size > 2048)
		return large_alloc(size, flags);
	p = class_alloc(&caches[class_of_size[(size + 15) / 16]], flags);
	if (p && (flags & ALLOC_ZERO))
		memset(p, 0, ROUND_UP(size, 8));
	return p;
}

/* An empty slab: keep one, give the others back. Returns the page to free. */
static struct page *slab_retire(struct cache *c, struct page *pg)
{
	list_del(&pg->link);
	if (!c->spare) {
		c->spare = pg;
		return NULL;
	}
	c->slabs--;
	return pg;
}

static void class_free(struct page *pg, struct free_object *o)
{
	struct cache *c = &caches[slab_class(pg)];
	struct page *empty = NULL;

	if (((unsigned long)o & (PAGE_SIZE - 1)) % c->size)
		panic("kfree(%p): not the start of an object of %u bytes", (void *)o, c->size);
	spin_lock(&c->lock);
	if (o->mark == mark_of(o))
		for (struct free_object *f = pg->private; f; f = f->next)
			if (f == o)
				panic("kfree(%p): object of %u bytes is free already", (void *)o,
				      c->size);
	if (!pg->private)
		list_add(&c->partial, &pg->link);
	object_free(c, pg, o);
	pg->index--;
	c->used--;
	if (slab_used(pg) == 0)
		empty = slab_retire(c, pg);
	spin_unlock(&c->lock);
	if (empty)
		page_put(empty);
}

void kfree(void *p)
{
	struct page *pg;

	if (!p)
		return;
	KASSERT(va_pfn(p).v < nr_pages);
	pg = pfn_page(va_pfn(p));
	if (pg->flags & PG_SLAB) {
		class_free(pg, p);
		return;
	}
	KASSERT((unsigned long)p % PAGE_SIZE == 0 && pg->refs == 1 && !(pg->flags & PG_RESERVED));
	__atomic_fetch_sub(&large_pages, 1ul << pg->order, __ATOMIC_RELAXED);
	page_put(pg);
}

size_t kmalloc_used(void)
{
	size_t n = large_pages * PAGE_SIZE;

	for (unsigned i = 0; i < CLASSES; i++)
		n += caches[i].used * caches[i].size;
	return n;
}

unsigned long slab_spare_pages(void)
{
	unsigned long n = 0;

	for (unsigned i = 0; i < CLASSES; i++)
		n += caches[i].spare != NULL;
	return n;
}

unsigned long slab_reclaim(void)
{
	unsigned long n = 0;

	for (unsigned i = 0; i < CLASSES; i++) {
		struct page *pg;

		spin_lock(&caches[i].lock);
		pg = caches[i].spare;
		caches[i].spare = NULL;
		caches[i].slabs -= pg != NULL;
		spin_unlock(&caches[i].lock);
		if (pg) {
			page_put(pg);
			n++;
		}
	}
	return n;
}

size_t slab_describe(char *buf, size_t size)
{
	size_t n = snprintk(buf, size, "%6s %8s %8s %6s %10s\n", "size", "used", "objects", "pages",
			    "allocated");

	for (unsigned i = 0; i < CLASSES; i++) {
		const struct cache *c = &caches[i];

		n += snprintk(buf + n, size - n, "%6u %8lu %8lu %6lu %10lu\n", c->size, c->used,
			      c->slabs * c->per_page, c->slabs, c->allocs);
	}
	n += snprintk(buf + n, size - n, "%6s %8s %8s %6lu\n", "large", "-", "-", large_pages);
	return n;
}
