/* SPDX-License-Identifier: MIT */
/*
 * Vnodes in memory: one for each file in use, and a stock of unused ones that may be wanted again.
 *
 *   vnode_find:  absent --> LOADING --vnode_ready--> READY --last put, links left--> unused, on LRU
 *                              |                        |                              |  ^
 *                              '-vnode_bad--> freed     '--last put, nlink 0--> DYING  '--' found
 *                                                            or pushed off the LRU ---^
 *
 * References above zero come and go by an atomic add; from and to zero they pass under vnode_lock,
 * which also guards the table, the LRU list and `state`. Whoever meets a vnode LOADING or DYING in
 * the table waits until that is over.
 *
 * A vnode with something to write is not on the LRU list; write-back takes a reference, and the put
 * that follows puts it there. So throwing out the oldest never waits for a disk.
 */
#include "internal.h"

#include <string.h>

#define VNODE_BUCKETS 256
#define VNODE_UNUSED_MAX 512 /* about 300 KiB */

spinlock_t vnode_lock = SPINLOCK("vnode");
static struct vnode *table[VNODE_BUCKETS];
static struct list unused = LIST_INIT(unused);
static unsigned nr_unused;
static uint64_t next_id;
static struct waitq vnode_wait = WAITQ(vnode_wait);

static struct vnode **vnode_bucket(const struct mount *mnt, ino_t ino)
{
	uint64_t key = ((uintptr_t)mnt >> 5) + ino * 0x9e3779b97f4a7c15ull;

	return &table[(key ^ key >> 32) % VNODE_BUCKETS];
}

struct vnode *vnode_get(struct vnode *vn)
{
	__atomic_fetch_add(&vn->refs, 1, __ATOMIC_RELAXED);
	return vn;
}

int vnode_claim(struct vnode *vn, int by)
{
	int n = vn->writers;

	do {
		if (by > 0 ? n < 0 : n > 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(&vn->writers, &n, n + by, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return 0;
}

void vnode_unclaim(struct vnode *vn, int by)
{
	__atomic_fetch_sub(&vn->writers, by, __ATOMIC_RELAXED);
}

static void unused_del(struct vnode *vn)
{
	if (!list_empty(&vn->lru_link)) {
		list_del(&vn->lru_link);
		nr_unused--;
	}
}

/* Reference to a READY vnode that may be unused; vnode_lock held. */
static void get_locked(struct vnode *vn)
{
	if (!__atomic_fetch_add(&vn->refs, 1, __ATOMIC_RELAXED))
		unused_del(vn);
}

static struct vnode *table_find(struct mount *mnt, ino_t ino)
{
	struct vnode *vn = *vnode_bucket(mnt, ino);

	while (vn && (vn->ino != ino || vn->mount != mnt))
		vn = vn->hash_next;
	return vn;
}

static void table_remove(struct vnode *vn)
{
	struct vnode **p = vnode_bucket(vn->mount, vn->ino);

	while (*p != vn)
		p = &(*p)->hash_next;
	*p = vn->hash_next;
}

struct vnode *vnode_alloc(struct mount *mnt, ino_t ino)
{
	struct vnode *vn = kmalloc(sizeof(*vn), ALLOC_ZERO);

	if (!vn)
		return NULL;
	vn->refs = 1;
	vn->state = VN_LOADING;
	mutex_init(&vn->lock, "vnode");
	list_init(&vn->lru_link);
	vn->mount = mnt;
	vn->ino = ino;
	pcache_setup(&vn->pcache, vn);
	return vn;
}

int vnode_find(struct mount *mnt, ino_t ino, struct vnode **out, bool *fresh)
{
	struct vnode *vn, *new = NULL;

	*fresh = false;
	spin_lock(&vnode_lock);
	for (;;) {
		vn = table_find(mnt, ino);
		if (vn && vn->state == VN_READY) {
			get_locked(vn);
			break;
		}
		if (vn) {
			sleep_on(&vnode_wait, &vnode_lock, 0, KTIME_NEVER);
			continue;
		}
		if (new) {
			struct vnode **head = vnode_bucket(mnt, ino);

			vn = new;
			new = NULL;
			vn->id = ++next_id;
			vn->hash_next = *head;
			*head = vn;
			*fresh = true;
			break;
		}
		spin_unlock(&vnode_lock);
		new = vnode_alloc(mnt, ino);
		if (!new)
			return -ENOMEM;
		spin_lock(&vnode_lock);
	}
	spin_unlock(&vnode_lock);
	kfree(new);
	*out = vn;
	return 0;
}

struct vnode *vnode_peek(struct mount *mnt, ino_t ino)
{
	struct vnode *vn;

	spin_lock(&vnode_lock);
	vn = table_find(mnt, ino);
	if (vn && vn->state == VN_READY)
		get_locked(vn);
	else
		vn = NULL;
	spin_unlock(&vnode_lock);
	return vn;
}

void vnode_ready(struct vnode *vn)
{
	spin_lock(&vnode_lock);
	vn->state = VN_READY;
	spin_unlock(&vnode_lock);
	waitq_wake_all(&vnode_wait);
}

void vnode_bad(struct vnode *vn)
{
	spin_lock(&vnode_lock);
	vn->state = VN_BAD;
	table_remove(vn);
	spin_unlock(&vnode_lock);
	waitq_wake_all(&vnode_wait);
	kfree(vn);
}

/* @vn is DYING: nobody has or gets a reference. */
static void vnode_destroy(struct vnode *vn)
{
	pcache_drop(vn);
	if (vn->ops && vn->ops->evict)
		vn->ops->evict(vn);
	spin_lock(&pcache_lock);
	pcache_dirty_unlink(&vn->pcache);
	spin_unlock(&pcache_lock);
	spin_lock(&vnode_lock);
	table_remove(vn);
	spin_unlock(&vnode_lock);
	waitq_wake_all(&vnode_wait);
	kfree(vn->locks);
	kfree(vn);
}

static bool needs_writing(const struct vnode *vn)
{
	return vn->pcache.nr_dirty || vn->dirty;
}

/* The last reference is about to go; vnode_lock held. Returns a vnode to be destroyed. */
static struct vnode *last_put(struct vnode *vn)
{
	struct vnode *old;

	if (__atomic_sub_fetch(&vn->refs, 1, __ATOMIC_RELEASE))
		return NULL;
	if (!vn->nlink) {
		vn->state = VN_DYING;
		return vn;
	}
	if (needs_writing(vn))
		return NULL;
	list_add_tail(&unused, &vn->lru_link);
	if (++nr_unused <= VNODE_UNUSED_MAX)
		return NULL;
	old = list_first(&unused, struct vnode, lru_link);
	unused_del(old);
	old->state = VN_DYING;
	return old;
}

int vnode_start_write_back(struct vnode *vn)
{
	struct pcache *pc = &vn->pcache;
	int err = 0;

	pcache_start_write(vn);
	if (vn->dirty) {
		vn->dirty = false;
		if (vn->ops->setattr && vn->nlink)
			err = vn->ops->setattr(vn, NULL);
	}
	spin_lock(&pcache_lock);
	if (pc->nr_dirty || vn->dirty)
		pcache_dirty_link(pc);
	else
		pcache_dirty_unlink(pc);
	spin_unlock(&pcache_lock);
	return err;
}

int vnode_write_back(struct vnode *vn)
{
	int err, err2;

	mutex_lock(&vn->lock);
	err = vnode_start_write_back(vn);
	pcache_wait(vn);
	err2 = pcache_error(vn);
	mutex_unlock(&vn->lock);
	return err2 ? err2 : err;
}

int vnode_sync(struct vnode *vn, bool data_only)
{
	int err = vnode_write_back(vn), err2 = 0;

	if (vn->ops->fsync) {
		mutex_lock(&vn->lock);
		err2 = vn->ops->fsync(vn, data_only);
		mutex_unlock(&vn->lock);
	}
	return err ? err : err2;
}

void vnode_put(struct vnode *vn)
{
	int refs;

	if (!vn)
		return;
	/* Attributes are copied to the file system's buffers now, memory to memory in most cases.
	 * Only if the lock is free: the caller may hold locks that come after it (munmap). */
	if (vn->refs == 1 && vn->dirty && vn->nlink && !vn->pcache.nr_dirty &&
	    mutex_trylock(&vn->lock)) {
		vnode_start_write_back(vn);
		mutex_unlock(&vn->lock);
	}
	refs = vn->refs;
	while (refs > 1)
		if (__atomic_compare_exchange_n(&vn->refs, &refs, refs - 1, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			return;
	spin_lock(&vnode_lock);
	vn = last_put(vn);
	spin_unlock(&vnode_lock);
	if (vn)
		vnode_destroy(vn);
}

void vnode_mark_dirty(struct vnode *vn)
{
	if (vn->dirty || !vn->ops->setattr)
		return;
	vn->dirty = true;
	spin_lock(&pcache_lock);
	pcache_dirty_link(&vn->pcache);
	spin_unlock(&pcache_lock);
	writeback_kick();
}

struct vnode *vnode_take_dirty(struct mount *mnt)
{
	struct vnode *found = NULL;
	struct pcache *pc, *tmp;

	spin_lock(&vnode_lock);
	spin_lock(&pcache_lock);
	list_for_each_safe (pc, tmp, &dirty_vnodes, dirty_link) {
		if (pc->vnode->state != VN_READY || (mnt && pc->vnode->mount != mnt))
			continue;
		found = pc->vnode;
		pcache_dirty_unlink(pc);
		get_locked(found);
		break;
	}
	spin_unlock(&pcache_lock);
	spin_unlock(&vnode_lock);
	return found;
}

bool vnode_mount_busy(struct mount *mnt)
{
	bool busy = mnt->root->refs > 1;

	if (mnt->type->busy)
		return busy || mnt->type->busy(mnt);
	spin_lock(&vnode_lock);
	for (unsigned i = 0; i < VNODE_BUCKETS && !busy; i++)
		for (struct vnode *vn = table[i]; vn && !busy; vn = vn->hash_next)
			busy = vn->mount == mnt && vn != mnt->root &&
			       (vn->refs || vn->state != VN_READY);
	spin_unlock(&vnode_lock);
	return busy;
}

void vnode_forget_mount(struct mount *mnt)
{
	for (unsigned i = 0; i < VNODE_BUCKETS; i++) {
		struct vnode *vn;

		do {
			spin_lock(&vnode_lock);
			vn = table[i];
			while (vn && (vn->mount != mnt || vn->refs || vn->state != VN_READY))
				vn = vn->hash_next;
			if (vn) {
				unused_del(vn);
				vn->state = VN_DYING;
			}
			spin_unlock(&vnode_lock);
			if (vn)
				vnode_destroy(vn);
		} while (vn);
	}
}

struct parvix_timespec time_wall(void)
{
	ktime_t now = clock_wall();

	return (struct parvix_timespec){now / NSEC_PER_SEC, now % NSEC_PER_SEC};
}

void vnode_touch(struct vnode *vn, bool access, bool modify)
{
	struct parvix_timespec now = time_wall();

	if (access)
		vn->atime = now;
	if (modify)
		vn->mtime = vn->ctime = now;
	vnode_mark_dirty(vn);
}

void vnode_new_owner(const struct vnode *dir, mode_t *mode, uid_t *uid, gid_t *gid)
{
	const struct cred *cr = fs_cred();

	*uid = cr->euid;
	*gid = cr->egid;
	if (dir->mode & S_ISGID) {
		*gid = dir->gid;
		if (S_ISDIR(*mode))
			*mode |= S_ISGID;
	}
}

void vnode_fill_stat(struct vnode *vn, struct parvix_stat *st)
{
	*st = (struct parvix_stat){
		.st_dev = vn->mount ? vn->mount->dev : 0,
		.st_ino = vn->ino,
		.st_mode = vn->mode,
		.st_nlink = vn->nlink,
		.st_uid = vn->uid,
		.st_gid = vn->gid,
		.st_rdev = vn->rdev,
		.st_size = (off_t)vn->size,
		.st_atim = vn->atime,
		.st_mtim = vn->mtime,
		.st_ctim = vn->ctime,
		.st_blksize = PAGE_SIZE,
		.st_blocks = (parvix_blkcnt_t)vn->blocks,
	};
}
