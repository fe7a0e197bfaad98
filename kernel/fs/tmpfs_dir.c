/* SPDX-License-Identifier: MIT */
/* The entries of a tmpfs directory: see tmpfs_dir.h. */
#include "tmpfs_dir.h"

#include <mm.h>
#include <string.h>

#define BUCKETS_MAX 4096
#define FILL 2 /* entries per bucket before the table grows */

static uint32_t name_hash(const char *name, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	return h ^ h >> 15;
}

void tdir_init(struct tdir *d)
{
	memset(d, 0, sizeof(*d));
	list_init(&d->entries);
	d->buckets = d->few;
	d->nr_buckets = TDIR_FEW;
}

void tdir_free(struct tdir *d)
{
	while (!list_empty(&d->entries))
		tdir_remove(d, list_first(&d->entries, struct tdir_entry, link));
	if (d->buckets != d->few)
		kfree(d->buckets);
	tdir_init(d);
}

static struct tdir_entry **bucket(const struct tdir *d, uint32_t hash)
{
	return &d->buckets[hash & (d->nr_buckets - 1)];
}

struct tdir_entry *tdir_find(const struct tdir *d, const char *name, size_t len)
{
	uint32_t hash = name_hash(name, len);
	struct tdir_entry *e = *bucket(d, hash);

	while (e && (e->hash != hash || e->len != len || memcmp(e->name, name, len) != 0))
		e = e->next;
	return e;
}

/* Without memory the chains get longer, that is all. */
static void grow(struct tdir *d)
{
	unsigned n = d->nr_buckets * 4;
	struct tdir_entry **larger, *e;

	if (d->count < d->nr_buckets * FILL || n > BUCKETS_MAX)
		return;
	larger = kmalloc(n * sizeof(*larger), ALLOC_ZERO);
	if (!larger)
		return;
	if (d->buckets != d->few)
		kfree(d->buckets);
	d->buckets = larger;
	d->nr_buckets = n;
	list_for_each (e, &d->entries, link) {
		struct tdir_entry **head = bucket(d, e->hash);

		e->next = *head;
		*head = e;
	}
}

struct tdir_entry *tdir_add(struct tdir *d, const char *name, size_t len, void *node)
{
	struct tdir_entry *e = kmalloc(sizeof(*e) + len + 1, 0), **head;

	if (!e)
		return NULL;
	grow(d);
	memcpy(e->name, name, len);
	e->name[len] = 0;
	e->len = len;
	e->hash = name_hash(name, len);
	e->node = node;
	e->number = d->next_number++;
	head = bucket(d, e->hash);
	e->next = *head;
	*head = e;
	list_add_tail(&d->entries, &e->link);
	d->count++;
	return e;
}

void tdir_remove(struct tdir *d, struct tdir_entry *e)
{
	struct tdir_entry **p = bucket(d, e->hash);

	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	list_del(&e->link);
	d->count--;
	kfree(e);
}

struct tdir_entry *tdir_from(const struct tdir *d, uint64_t number)
{
	struct tdir_entry *e;

	/* A reader at the end, the most frequent question, need not walk. */
	if (list_empty(&d->entries) ||
	    list_last(&d->entries, struct tdir_entry, link)->number < number)
		return NULL;
	list_for_each (e, &d->entries, link) {
		if (e->number >= number)
			return e;
	}
	return NULL;
}
