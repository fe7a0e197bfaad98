/* SPDX-License-Identifier: MIT */
/*
 * The page cache: pages of files in memory, found by (pcache, index).
 *
 * One hash table over all files. A page in it has one reference for the cache itself; PTEs and
 * users of the moment hold one each, so refs == 1 means that nobody uses it. A page is on one list:
 *
 *   clean   the LRU list, oldest first. A use only sets PG_REFERENCED; the scan in pcache_reclaim()
 *           gives such pages a second round. So a cached read touches no list.
 *   dirty   its file's dirty_pages, in the order of writing: not looked at by the scan.
 *
 * PG_LOCKED is held during I/O and while a page leaves the cache; whoever waited for it looks at
 * pg->owner again. A page becomes PG_UPTODATE once and then stays so: readers look at that flag
 * alone and take no page lock.
 *
 * Reclaim never writes. page_alloc() calls it in any context, perhaps with vnode, page and
 * file-system locks held, and so it may take none of them: it frees clean pages under the spinlock.
 * That there are always enough clean ones is the writers' business: a write() that finds more than
 * an eighth of memory dirty writes back before it goes on (pcache_too_dirty, in pcache_rw.c), and
 * the write-back thread (writeback.c) does the rest at leisure.
 *
 * Files whose vnode_ops have no write_page live here only: their dirty pages stay.
 */
#include "internal.h"

#include <printk.h>
#include <string.h>

spinlock_t pcache_lock = SPINLOCK("pcache");
struct list dirty_vnodes = LIST_INIT(dirty_vnodes);
unsigned nr_dirty_vnodes;

static struct page **hash;
static unsigned hash_bits;
static struct list lru = LIST_INIT(lru);
static unsigned long nr_cached, nr_lru, nr_dirty_pages;

#define RECLAIM_SLICE 64 /* pages looked at without letting go of the lock */

void page_flags_set(struct page *pg, unsigned bits)
{
	__atomic_fetch_or(&pg->flags, bits, __ATOMIC_SEQ_CST);
}

void page_flags_clear(struct page *pg, unsigned bits)
{
	__atomic_fetch_and(&pg->flags, ~bits, __ATOMIC_SEQ_CST);
}

void pcache_init(void)
{
	unsigned order = 0;
	struct page *pg;

	/* A bucket for every four pages: 2 bytes of table for each 4 KiB. */
	while (order < 9 && (PAGE_SIZE << order) / sizeof(*hash) < pages_total() / 4)
		order++;
	pg = page_alloc(order, ALLOC_ZERO);
	if (!pg)
		panic("page cache: no memory for its table");
	hash = page_va(pg);
	hash_bits = PAGE_SHIFT + order - 3;
}

void pcache_setup(struct pcache *pc, struct vnode *vn)
{
	pc->vnode = vn;
	list_init(&pc->dirty_pages);
	list_init(&pc->dirty_link);
}

static struct page **bucket(const struct pcache *pc, uint64_t index)
{
	uint64_t key = ((uintptr_t)pc >> 6) + index;

	return &hash[(key * 0x9e3779b97f4a7c15ull) >> (64 - hash_bits)];
}

static struct page *find(const struct pcache *pc, uint64_t index)
{
	struct page *pg = *bucket(pc, index);

	while (pg && (pg->index != index || pg->owner != pc))
		pg = pg->hash_next;
	return pg;
}

/* The page, referenced, in whatever state it is. */
struct page *pcache_lookup(struct pcache *pc, uint64_t index)
{
	struct page *pg;

	if (!pc->nr_pages)
		return NULL;
	spin_lock(&pcache_lock);
	pg = find(pc, index);
	if (pg) {
		page_get(pg);
		if (!(pg->flags & PG_REFERENCED))
			page_flags_set(pg, PG_REFERENCED);
	}
	spin_unlock(&pcache_lock);
	return pg;
}

/* Add @pg, taking over one reference for the cache. -EEXIST: *@old is there, referenced. */
int pcache_insert(struct vnode *vn, uint64_t index, struct page *pg, struct page **old)
{
	struct pcache *pc = &vn->pcache;
	struct page **head = bucket(pc, index);

	spin_lock(&pcache_lock);
	*old = find(pc, index);
	if (*old) {
		page_get(*old);
		spin_unlock(&pcache_lock);
		return -EEXIST;
	}
	pg->owner = pc;
	pg->index = index;
	pg->hash_next = *head;
	*head = pg;
	page_flags_set(pg, PG_CACHE);
	list_add_tail(&lru, &pg->link);
	if (!pc->nr_pages || index > pc->last_index)
		pc->last_index = index;
	pc->nr_pages++;
	nr_cached++;
	nr_lru++;
	spin_unlock(&pcache_lock);
	return 0;
}

static bool counted(const struct pcache *pc)
{
	return pc->vnode->ops && pc->vnode->ops->write_page;
}

/* Lists and counts when PG_DIRTY goes; pcache_lock held. */
static void dirty_gone(struct page *pg)
{
	page_flags_clear(pg, PG_DIRTY);
	if (counted(pg->owner)) {
		pg->owner->nr_dirty--;
		nr_dirty_pages--;
	}
}

static void remove_locked(struct page *pg)
{
	struct page **p = bucket(pg->owner, pg->index);

	while (*p != pg)
		p = &(*p)->hash_next;
	*p = pg->hash_next;
	if (pg->flags & PG_DIRTY)
		dirty_gone(pg);
	else
		nr_lru--;
	list_del(&pg->link);
	pg->owner->nr_pages--;
	nr_cached--;
	pg->hash_next = NULL;
	pg->owner = NULL;
	page_flags_clear(pg, PG_CACHE | PG_REFERENCED | PG_ERROR);
	page_put(pg);
}

/* Out of the cache, whatever its state; the caller has it locked and referenced. */
void pcache_remove(struct page *pg)
{
	spin_lock(&pcache_lock);
	if (pg->owner)
		remove_locked(pg);
	spin_unlock(&pcache_lock);
}

/* Contents of a locked page from the file; what lies behind its end is 0. */
static int fill(struct vnode *vn, struct page *pg)
{
	uint64_t start = pg->index << PAGE_SHIFT, size = READ_ONCE(vn->size);
	int err = 0;

	if (start >= size || !vn->ops->read_page) {
		memset(page_va(pg), 0, PAGE_SIZE);
	} else {
		err = vn->ops->read_page(vn, pg);
		if (!err && size - start < PAGE_SIZE)
			memset((char *)page_va(pg) + (size - start), 0, PAGE_SIZE - (size - start));
	}
	if (err)
		page_flags_set(pg, PG_ERROR);
	else
		page_flags_set(pg, PG_UPTODATE);
	return err;
}

/* A new page for @index, locked, or the one that somebody else put there meanwhile. */
static int add_page(struct vnode *vn, uint64_t index, struct page **pg)
{
	struct page *new = page_alloc(0, ALLOC_USER);

	if (!new)
		return -ENOMEM;
	page_lock(new);
	page_get(new);
	if (pcache_insert(vn, index, new, pg)) {
		page_unlock(new);
		page_put(new);
		page_put(new);
		return -EEXIST;
	}
	*pg = new;
	return 0;
}

int pcache_read(struct vnode *vn, uint64_t index, struct page **out)
{
	struct pcache *pc = &vn->pcache;

	for (;;) {
		struct page *pg = pcache_lookup(pc, index);
		int err;

		if (pg && (pg->flags & PG_UPTODATE)) {
			*out = pg;
			return 0;
		}
		if (!pg) {
			err = add_page(vn, index, &pg);
			if (err == -ENOMEM)
				return err;
			if (err)
				page_lock(pg);
		} else {
			page_lock(pg);
		}
		/* Locked. It may have been read, or thrown out, while we waited. */
		if (pg->owner != pc) {
			page_unlock(pg);
			page_put(pg);
			continue;
		}
		err = (pg->flags & PG_UPTODATE) ? 0 : fill(vn, pg);
		page_unlock(pg);
		if (err)
			page_put(pg);
		else
			*out = pg;
		return err;
	}
}

struct page *pcache_find(struct vnode *vn, uint64_t index)
{
	struct page *pg = pcache_lookup(&vn->pcache, index);

	if (pg && !(pg->flags & PG_UPTODATE)) {
		page_put(pg);
		pg = NULL;
	}
	return pg;
}

void pcache_dirty_link(struct pcache *pc)
{
	if (list_empty(&pc->dirty_link)) {
		list_add_tail(&dirty_vnodes, &pc->dirty_link);
		nr_dirty_vnodes++;
	}
}

void pcache_dirty_unlink(struct pcache *pc)
{
	if (!list_empty(&pc->dirty_link)) {
		list_del(&pc->dirty_link);
		nr_dirty_vnodes--;
	}
}

void pcache_mark_dirty(struct page *pg)
{
	struct pcache *pc;
	bool kick = false;

	if (pg->flags & PG_DIRTY)
		return;
	spin_lock(&pcache_lock);
	pc = pg->owner;
	if (pc && !(pg->flags & PG_DIRTY)) {
		page_flags_set(pg, PG_DIRTY);
		list_del(&pg->link);
		list_add_tail(&pc->dirty_pages, &pg->link);
		nr_lru--;
		if (counted(pc)) {
			pc->nr_dirty++;
			nr_dirty_pages++;
			pcache_dirty_link(pc);
			kick = true;
		}
	}
	spin_unlock(&pcache_lock);
	if (kick)
		writeback_kick();
}

int pcache_mkwrite(struct vnode *vn, struct page *pg)
{
	uint64_t start = pg->index << PAGE_SHIFT, size = READ_ONCE(vn->size);
	int err = 0;

	if (mount_readonly(vn->mount))
		return -EROFS;
	if (start >= size)
		return -EIO;
	if (vn->ops->reserve)
		err = vn->ops->reserve(vn, start, min(PAGE_SIZE, size - start));
	if (!err)
		pcache_mark_dirty(pg);
	return err;
}

/* The first dirty page, referenced and locked; NULL: none left. */
static struct page *dirty_first(struct pcache *pc)
{
	for (;;) {
		struct page *pg = NULL;

		spin_lock(&pcache_lock);
		if (!list_empty(&pc->dirty_pages)) {
			pg = list_first(&pc->dirty_pages, struct page, link);
			page_get(pg);
		}
		spin_unlock(&pcache_lock);
		if (!pg)
			return NULL;
		page_lock(pg);
		if (pg->owner == pc && (pg->flags & PG_DIRTY))
			return pg;
		page_unlock(pg);
		page_put(pg);
	}
}

static void write_one(struct vnode *vn, struct page *pg)
{
	int err;

	/* Clean first: a write that comes during the transfer makes it dirty again. */
	spin_lock(&pcache_lock);
	dirty_gone(pg);
	list_del(&pg->link);
	list_add_tail(&lru, &pg->link);
	nr_lru++;
	spin_unlock(&pcache_lock);
	err = vn->ops->write_page(vn, pg);
	if (err) {
		page_flags_set(pg, PG_ERROR);
		vn->pcache.error = err;
	}
	page_unlock(pg);
	page_put(pg);
}

int pcache_sync(struct vnode *vn)
{
	struct pcache *pc = &vn->pcache;
	int err;

	/* As many as there are now: a busy writer must not keep us here. */
	for (unsigned n = counted(pc) ? pc->nr_dirty : 0; n; n--) {
		struct page *pg = dirty_first(pc);

		if (!pg)
			break;
		write_one(vn, pg);
	}
	err = pc->error;
	pc->error = 0;
	return err;
}

/* Throw out page @index, once its I/O is over. */
static void drop_index(struct pcache *pc, uint64_t index)
{
	struct page *pg = pcache_lookup(pc, index);

	if (!pg)
		return;
	page_lock(pg);
	if (pg->owner == pc)
		pcache_remove(pg);
	page_unlock(pg);
	page_put(pg);
}

/* The same for all pages from @first on by a walk over the table: for files larger than it. */
static void drop_by_table(struct pcache *pc, uint64_t first)
{
	for (size_t i = 0; i < (size_t)1 << hash_bits && pc->nr_pages; i++) {
		struct page *pg;

		do {
			uint64_t index = 0;

			spin_lock(&pcache_lock);
			for (pg = hash[i]; pg; pg = pg->hash_next) {
				index = pg->index;
				if (pg->owner == pc && index >= first)
					break;
			}
			spin_unlock(&pcache_lock);
			if (pg)
				drop_index(pc, index);
		} while (pg);
	}
}

void pcache_truncate(struct vnode *vn, uint64_t new_size)
{
	struct pcache *pc = &vn->pcache;
	uint64_t first = DIV_ROUND_UP(new_size, PAGE_SIZE), last;

	if (!pc->nr_pages)
		return;
	last = pc->last_index;
	if (last >= first && (last - first) >> hash_bits > 1) {
		drop_by_table(pc, first);
		return;
	}
	for (uint64_t i = first; i <= last && pc->nr_pages; i++)
		drop_index(pc, i);
}

void pcache_drop(struct vnode *vn)
{
	struct pcache *pc = &vn->pcache;

	pcache_truncate(vn, 0);
	spin_lock(&pcache_lock);
	pcache_dirty_unlink(pc);
	spin_unlock(&pcache_lock);
}

unsigned long pcache_reclaim(unsigned long want)
{
	unsigned long freed = 0, looks = 2 * nr_lru;

	while (freed < want && looks) {
		spin_lock(&pcache_lock);
		for (unsigned n = 0; n < RECLAIM_SLICE && looks && freed < want; n++, looks--) {
			struct page *pg = list_first(&lru, struct page, link);

			if (list_empty(&lru)) {
				looks = 1;
				continue;
			}
			if (pg->refs == 1 && !(pg->flags & (PG_REFERENCED | PG_LOCKED))) {
				remove_locked(pg);
				freed++;
				continue;
			}
			if (pg->refs == 1)
				page_flags_clear(pg, PG_REFERENCED);
			list_del(&pg->link);
			list_add_tail(&lru, &pg->link);
		}
		spin_unlock(&pcache_lock);
	}
	return freed;
}

unsigned long pcache_pages(void)
{
	return nr_cached;
}

bool pcache_too_dirty(void)
{
	return nr_dirty_pages > pages_total() / 8;
}
