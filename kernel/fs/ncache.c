/* SPDX-License-Identifier: MIT */
/*
 * The name cache: what the last look-ups of (directory, name) gave, so that a path is walked
 * without reading directories.
 *
 * An entry holds numbers only, an inode number or 0 for "there is no such name", and so needs no
 * reference counts: the vnode is looked for in the vnode table afterwards. The directory is known
 * by vn->id, which is never used a second time: entries of a directory that was removed, or thrown
 * out of memory, are dead without being looked for.
 *
 * Each name has one place in a table; a newcomer takes it. Names longer than an entry holds are not
 * cached. Whoever changes a directory holds its lock and forgets the name; look-ups that fill the
 * cache hold that lock as well. Only hits need no directory lock.
 */
#include "internal.h"

#include <string.h>

#define NCACHE_BITS 8
#define NCACHE_NAME 47

struct ncache_entry {
	uint64_t dir; /* 0: empty */
	ino_t ino;
	uint8_t len;
	char name[NCACHE_NAME];
};
_Static_assert(sizeof(struct ncache_entry) == 64, "one cache line each");

static struct ncache_entry entries[1 << NCACHE_BITS];
static spinlock_t ncache_lock = SPINLOCK("ncache");

static struct ncache_entry *place(const struct vnode *dir, const char *name, size_t len)
{
	uint64_t h = dir->id;

	for (size_t i = 0; i < len; i++)
		h = h * 31 + (unsigned char)name[i];
	return &entries[(h * 0x9e3779b97f4a7c15ull) >> (64 - NCACHE_BITS)];
}

static bool matches(const struct ncache_entry *e, const struct vnode *dir, const char *name,
		    size_t len)
{
	return e->dir == dir->id && e->len == len && !memcmp(e->name, name, len);
}

bool ncache_lookup(struct vnode *dir, const char *name, size_t len, ino_t *ino)
{
	struct ncache_entry *e;
	bool hit;

	if (len > NCACHE_NAME)
		return false;
	e = place(dir, name, len);
	spin_lock(&ncache_lock);
	hit = matches(e, dir, name, len);
	if (hit)
		*ino = e->ino;
	spin_unlock(&ncache_lock);
	return hit;
}

void ncache_enter(struct vnode *dir, const char *name, size_t len, ino_t ino)
{
	struct ncache_entry *e;

	if (len > NCACHE_NAME)
		return;
	e = place(dir, name, len);
	spin_lock(&ncache_lock);
	e->dir = dir->id;
	e->ino = ino;
	e->len = (uint8_t)len;
	memcpy(e->name, name, len);
	spin_unlock(&ncache_lock);
}

void ncache_forget(struct vnode *dir, const char *name, size_t len)
{
	struct ncache_entry *e;

	if (len > NCACHE_NAME)
		return;
	e = place(dir, name, len);
	spin_lock(&ncache_lock);
	if (matches(e, dir, name, len))
		e->dir = 0;
	spin_unlock(&ncache_lock);
}
