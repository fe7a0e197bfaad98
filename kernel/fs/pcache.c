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
 * file-system locks held, and so it may take none of them: it frees clean pages under the spinlock,
 * and if they do not suffice it wakes the write-back thread (writeback.c).
 * That there are enough clean ones is the writers' business (pcache_balance): with a sixteenth of
 * memory dirty a write() starts to write its file back, without waiting; it sleeps while another
 * sixteenth is under way to the disk. So a writer goes on as fast as the disk does.
 *
 * Files whose vnode_ops have no map live here only: their dirty pages stay.
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
static unsigned long nr_cached, nr_lru, nr_dirty_pages, nr_writing;
static struct waitq written_wait = WAITQ(written_wait);

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
	list_init(&pc->mappings);
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
	return pc->vnode->ops && pc->vnode->ops->map;
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
	page_flags_clear(pg, PG_CACHE | PG_REFERENCED);
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

/* A new page for @index, locked, or -EEXIST and the one that is there. */
int pcache_add(struct vnode *vn, uint64_t index, struct page **pg)
{
	struct page *new;

	*pg = pcache_lookup(&vn->pcache, index);
	if (*pg)
		return -EEXIST;
	new = page_alloc(0, ALLOC_USER);
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

/* A page of a file without a disk, or behind the file's end, locked. */
static void fill_zero(struct page *pg)
{
	memset(page_va(pg), 0, PAGE_SIZE);
	page_flags_set(pg, PG_UPTODATE);
	page_unlock(pg);
	page_put(pg);
}

int pcache_read(struct vnode *vn, uint64_t index, struct page **out)
{
	struct pcache *pc = &vn->pcache;

	for (;;) {
		struct page *pg;
		int err = pcache_add(vn, index, &pg);
		bool failed;

		if (err == -ENOMEM)
			return err;
		if (!err) {
			page_get(pg); /* ours; the other goes with the reading */
			if (vn->ops->map && index < DIV_ROUND_UP(READ_ONCE(vn->size), PAGE_SIZE))
				pcache_read_locked(vn, pg);
			else
				fill_zero(pg);
		}
		if (!(pg->flags & PG_UPTODATE)) {
			page_lock(pg);
			page_unlock(pg);
		}
		if ((pg->flags & PG_UPTODATE) && pg->owner == pc) {
			*out = pg;
			return 0;
		}
		/* Somebody else's request failed, perhaps for another page of it, or the page was
		 * thrown out: try this one, alone. */
		failed = !err && (pg->flags & PG_ERROR);
		page_put(pg);
		if (failed)
			return -EIO;
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
	if (!err) {
		vnode_touch(vn, false, true);
		vn->pcache.written_mapped = true;
		pcache_mark_dirty(pg);
	}
	return err;
}

/* ---- dirty pages on their way to the disk ---- */

unsigned pcache_take_dirty(struct pcache *pc, struct page **out, unsigned max)
{
	struct page *pg = NULL;
	unsigned n = 0;

	spin_lock(&pcache_lock);
	while (n < max && !list_empty(&pc->dirty_pages)) {
		pg = list_first(&pc->dirty_pages, struct page, link);
		page_get(pg);
		if (!page_trylock(pg))
			break;
		/* Clean from now on: a write that comes during the transfer makes it dirty again.
		 */
		dirty_gone(pg);
		list_del(&pg->link);
		list_add_tail(&lru, &pg->link);
		nr_lru++;
		nr_writing++;
		pc->nr_writing++;
		out[n++] = pg;
		pg = NULL;
	}
	spin_unlock(&pcache_lock);
	if (!pg)
		return n;
	/* It is under way to the disk already, as it was before. */
	if (!n) {
		block_kick(pc->vnode->mount->bd);
		page_lock(pg);
		page_unlock(pg);
	}
	page_put(pg);
	return n ? n : pcache_take_dirty(pc, out, max);
}

/* A page of @pc is written; interrupts. */
void pcache_written(struct pcache *pc, int err)
{
	spin_lock(&pcache_lock);
	if (err)
		pc->error = err;
	nr_writing--;
	pc->nr_writing--;
	if (!pc->nr_writing || nr_writing == pages_total() / 16)
		waitq_wake_all(&written_wait);
	spin_unlock(&pcache_lock);
}

/* Until nothing of the file is under way; vn->lock keeps new writers out. */
void pcache_wait(struct vnode *vn)
{
	spin_lock(&pcache_lock);
	while (vn->pcache.nr_writing)
		sleep_on(&written_wait, &pcache_lock, 0, KTIME_NEVER);
	spin_unlock(&pcache_lock);
}

int pcache_error(struct vnode *vn)
{
	int err;

	spin_lock(&pcache_lock);
	err = vn->pcache.error;
	vn->pcache.error = 0;
	spin_unlock(&pcache_lock);
	return err;
}

void pcache_balance(struct vnode *vn)
{
	unsigned long limit = pages_total() / 16;

	if (!counted(&vn->pcache) || nr_dirty_pages < limit)
		return;
	pcache_start_write(vn);
	writeback_now();
	spin_lock(&pcache_lock);
	while (nr_writing > limit)
		sleep_on(&written_wait, &pcache_lock, 0, KTIME_NEVER);
	spin_unlock(&pcache_lock);
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
	if (freed < want && nr_dirty_pages)
		writeback_now();
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
