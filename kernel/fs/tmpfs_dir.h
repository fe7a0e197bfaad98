/* SPDX-License-Identifier: MIT */
/*
 * The entries of one tmpfs directory: found by name through a small hash table that grows with
 * them, listed in the order in which they were made. Each has a number of its own, which readdir
 * uses as its position, so that a listing that goes on after entries came and went neither repeats
 * nor skips the others. No locks: the directory's vnode is locked by whoever calls.
 */
#ifndef TMPFS_DIR_H
#define TMPFS_DIR_H

#include <list.h>
#include <types.h>

struct tdir_entry {
	struct list link;        /* in tdir.entries */
	struct tdir_entry *next; /* in the bucket */
	uint64_t number;
	uint32_t hash;
	uint16_t len;
	void *node;
	char name[];
};

#define TDIR_FEW 8

struct tdir {
	struct list entries;
	unsigned count;
	unsigned nr_buckets; /* power of two */
	struct tdir_entry **buckets;
	struct tdir_entry *few[TDIR_FEW];
	uint64_t next_number;
};

void tdir_init(struct tdir *d);
/* Frees the entries, not what they stand for. */
void tdir_free(struct tdir *d);
struct tdir_entry *tdir_find(const struct tdir *d, const char *name, size_t len);
/* The name must not be there yet. NULL: no memory. */
struct tdir_entry *tdir_add(struct tdir *d, const char *name, size_t len, void *node);
void tdir_remove(struct tdir *d, struct tdir_entry *e);
/* The first entry with a number >= @number, or NULL. */
struct tdir_entry *tdir_from(const struct tdir *d, uint64_t number);

#endif
