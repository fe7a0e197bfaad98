/* SPDX-License-Identifier: MIT */
/*
 * What the files of kernel/fs share with each other and nobody else.
 */
#ifndef FS_INTERNAL_H
#define FS_INTERNAL_H

#include <fs.h>
#include <proc.h>

/* The process on whose behalf this runs; NULL in kernel threads (boot, write-back), which count as
 * the super-user at the root of the tree. */
static inline struct proc *fs_proc(void)
{
	return current ? current->proc : NULL;
}
const struct cred *fs_cred(void);
bool fs_superuser(void);
bool cred_has_group(const struct cred *cr, gid_t gid); /* effective or supplementary */

/* vnode.c: spinlock over the vnode table and references that start or end at 0. */
extern spinlock_t vnode_lock;
/* A vnode in no table, refs 1, LOADING; NULL: no memory. */
struct vnode *vnode_alloc(struct mount *mnt, ino_t ino);
/* Start to write pages and attributes back, the latter to the file system's buffers; locked. */
int vnode_start_write_back(struct vnode *vn);
/* The same, and wait; errors since the last call. Takes vn->lock. */
int vnode_write_back(struct vnode *vn);
/* The oldest vnode with something to write, referenced and off the list; NULL: none. @mnt NULL: of
 * any mount. */
struct vnode *vnode_take_dirty(struct mount *mnt);
/* True if a vnode of @mnt is in use, its root aside. */
bool vnode_mount_busy(struct mount *mnt);
/* Forget all unused vnodes of @mnt (root included, whose last reference the caller drops). */
void vnode_forget_mount(struct mount *mnt);

/* pcache.c */
extern spinlock_t pcache_lock;   /* taken inside vnode_lock */
extern struct list dirty_vnodes; /* of struct pcache by dirty_link; pcache_lock */
extern unsigned nr_dirty_vnodes;
void pcache_setup(struct pcache *pc, struct vnode *vn);
struct page *pcache_lookup(struct pcache *pc, uint64_t index);
int pcache_insert(struct vnode *vn, uint64_t index, struct page *pg, struct page **old);
void pcache_remove(struct page *pg);
void pcache_dirty_link(struct pcache *pc);   /* pcache_lock held */
void pcache_dirty_unlink(struct pcache *pc); /* pcache_lock held */
void page_flags_set(struct page *pg, unsigned bits);
void page_flags_clear(struct page *pg, unsigned bits);
bool pcache_too_dirty(void);
/* A new page for @index, locked and referenced; -EEXIST: *@pg is the one that is there. -ENOMEM. */
int pcache_add(struct vnode *vn, uint64_t index, struct page **pg);
/* Dirty pages of the file, locked and referenced, counted as under way: at most @max; 0: none. */
unsigned pcache_take_dirty(struct pcache *pc, struct page **out, unsigned max);
void pcache_written(struct pcache *pc, int err);
void pcache_wait(struct vnode *vn);
int pcache_error(struct vnode *vn); /* of write-back since the last call */
/* A writer, vn->lock held, stops for a while if it is faster than the disk. */
void pcache_balance(struct vnode *vn);

/* pcache_io.c */
/* Start to read a page that is locked and referenced, both given up when done. */
void pcache_read_locked(struct vnode *vn, struct page *pg);
/* pcache_read() for a reader who wants @want pages from here on. */
int pcache_read_ahead(struct vnode *vn, struct readahead *ra, uint64_t index, uint64_t want,
		      struct page **pg);
/* Submit all that is dirty; pcache_wait() waits. vn->lock held. */
void pcache_start_write(struct vnode *vn);
int pcache_allocate(struct vnode *vn, uint64_t offset, uint64_t len);

/* writeback.c */
void writeback_kick(void); /* something is dirty */
void writeback_now(void);  /* much is dirty; takes spinlocks only */
void writeback_start(void);

/* ncache.c: the name cache. Entries of @dir change under dir->lock only. */
bool ncache_lookup(struct vnode *dir, const char *name, size_t len, ino_t *ino); /* 0: absent */
void ncache_enter(struct vnode *dir, const char *name, size_t len, ino_t ino);
void ncache_forget(struct vnode *dir, const char *name, size_t len);

/* namei.c */
enum last_kind { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };
struct walk {
	struct vnode *dir; /* where the last component is looked up; NULL for LAST_ROOT */
	struct vnode *vn;  /* what it names, or NULL */
	const char *name;
	size_t len;
	enum last_kind kind;
	bool slash; /* the path ended in '/' */
	bool real_id;
	char *buf; /* path after a symbolic link was put in */
};
#define WALK_PARENT 0x100u /* the last component may be absent; dir is kept */
#define WALK_FOLLOW 0x200u /* follow a symbolic link in the last place */
int walk_path(struct walk *w, struct vnode *at, const char *path, unsigned flags);
void walk_done(struct walk *w);
/* One component in a locked or unlocked directory, no crossing of mount points. */
int dir_lookup_locked(struct vnode *dir, const char *name, size_t len, struct vnode **out);
int dir_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out);
int dir_parent(struct vnode *dir, struct vnode **out);
/* May the current process add to, or remove @vn from, the locked @dir? */
int may_create(struct vnode *dir);
int may_delete(struct vnode *dir, struct vnode *vn);
int vnode_access_as(struct vnode *vn, unsigned mask, bool real_id);
/* Make a file in w->dir, which is locked by the caller and has no such entry. */
int create_locked(struct walk *w, mode_t mode, dev_t rdev, struct vnode **out);

/* mount.c */
struct vnode *mount_cross(struct vnode *vn); /* consumes the reference, follows `mounted` */
/* Dirty vnodes of one file system, of all (NULL): pages and attributes. The first error. */
int vnodes_write_back(struct mount *mnt);
int mount_sync(struct mount *mnt); /* the same, and the file system's own metadata */
/* It has been read. The access time changes only if it is older than the last change: a reader need
 * not make the inode dirty each time. */
void vnode_touch_access(struct vnode *vn);
static inline bool mount_readonly(const struct mount *mnt)
{
	return mnt && (mnt->flags & MS_RDONLY);
}

#endif
