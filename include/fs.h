/* SPDX-License-Identifier: MIT */
/*
 * Files (kernel/fs).
 *
 *   path --namei--> vnode --open--> file <-- descriptor table
 *                     | pcache: the file's pages in memory
 *                     v
 *            file system (ext2, tmpfs, devfs, procfs) --> block device
 *
 * A vnode is one file or directory of a mounted file system, unique in memory: (mount, ino) finds
 * it. It is locked by vn->lock (mutex) for changes of its contents, size, attributes and
 * (directories) entries; ops are called as said at each. vnode_get/put count references; at the
 * last, a vnode without links is deleted by the file system.
 *
 * Names: there are no name objects; a mount point is a vnode with `mounted` set, and a mount's root
 * leads to the covered directory by ".." . Lock order: see <lock.h>.
 */
#ifndef FS_H
#define FS_H

#include <list.h>
#include <lock.h>
#include <mm.h>
#include <parvix/fcntl.h>
#include <types.h>

struct vnode;
struct file;
struct mount;
struct proc;

/* ---- data movement: user or kernel buffers alike (uio.c) ---- */
struct uio {
	struct parvix_iovec *iov; /* iov_base: user addresses unless kernel */
	unsigned iovcnt;
	size_t done_in_iov;
	size_t resid; /* bytes still to move */
	bool kernel;
};
void uio_kernel(struct uio *uio, struct parvix_iovec *iov, void *buf, size_t n);
void uio_user(struct uio *uio, struct parvix_iovec *iov, uaddr_t buf, size_t n);
/* Move up to @n bytes between @buf and the uio, going forward in it. Bytes moved is min(n, resid),
 * or -EFAULT. */
ssize_t uio_to(struct uio *uio, const void *buf, size_t n); /* into the caller's memory: read() */
ssize_t uio_from(struct uio *uio, void *buf, size_t n); /* out of the caller's memory: write() */
ssize_t uio_zero(struct uio *uio, size_t n);
/* Touch the next @n bytes of a user buffer so that a copy under a lock will most likely not fault.
 * 0 or -EFAULT. */
int uio_prefault(struct uio *uio, size_t n, bool write);

/* ---- page cache (pcache.c): pages of one file or block device by index ---- */
struct pcache {
	struct vnode *vnode;
	unsigned long nr_pages;
	struct list dirty_link;
	volatile unsigned nr_dirty;
};
void pcache_init(void);
/* Page @index with a reference, contents read in. -EIO, -ENOMEM. Sleeps; no spinlock held. */
int pcache_read(struct vnode *vn, uint64_t index, struct page **pg);
/* As pcache_read, but only if it is there already and up to date (fault-around, exec prefault):
 * NULL otherwise. */
struct page *pcache_find(struct vnode *vn, uint64_t index);
/* Page @index to be overwritten wholly: not read from the disk. */
int pcache_grab(struct vnode *vn, uint64_t index, struct page **pg);
void pcache_mark_dirty(struct page *pg);
int pcache_sync(struct vnode *vn); /* write what is dirty; first error */
void pcache_truncate(struct vnode *vn,
		     uint64_t new_size);          /* drop pages behind, zero the tail of the last */
void pcache_drop(struct vnode *vn);               /* all, dirty ones too (file deleted) */
unsigned long pcache_reclaim(unsigned long want); /* free clean, unused pages; returns how many */
unsigned long pcache_pages(void);
int pcache_sync_all(void);
/* read()/write() through the cache; vn->lock not held; write extends the file by ops->resize/alloc
 * as needed. */
ssize_t pcache_file_read(struct vnode *vn, struct uio *uio, uint64_t offset);
ssize_t pcache_file_write(struct vnode *vn, struct uio *uio, uint64_t offset);

/* ---- vnodes (vnode.c) ---- */
struct dir_sink { /* receives entries of readdir; returns false when full */
	bool (*put)(struct dir_sink *sink, const char *name, size_t len, ino_t ino, unsigned type,
		    uint64_t next);
};

struct vattr { /* for setattr: which says what is valid */
	unsigned which;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct parvix_timespec atime, mtime;
};
#define VATTR_MODE 1u
#define VATTR_UID 2u
#define VATTR_GID 4u
#define VATTR_ATIME 8u
#define VATTR_MTIME 16u

/* Directory ops are called with @dir->lock held, file ops with @vn->lock held unless said. Unset
 * ops: -EPERM/-ENOTDIR/... */
struct vnode_ops {
	int (*lookup)(struct vnode *dir, const char *name, size_t len, struct vnode **out);
	int (*create)(struct vnode *dir, const char *name, size_t len, mode_t mode, dev_t rdev,
		      struct vnode **out);
	int (*symlink)(struct vnode *dir, const char *name, size_t len, const char *target);
	int (*link)(struct vnode *dir, const char *name, size_t len, struct vnode *vn);
	int (*unlink)(struct vnode *dir, const char *name, size_t len,
		      struct vnode *vn); /* directories too (rmdir): empty is checked here */
	int (*rename)(struct vnode *odir, const char *oname, size_t olen, struct vnode *vn,
		      struct vnode *ndir, const char *nname, size_t nlen,
		      struct vnode *victim); /* victim: replaced entry or NULL */
	int (*readdir)(struct vnode *dir, uint64_t *pos, struct dir_sink *sink);
	ssize_t (*readlink)(struct vnode *vn, char *buf, size_t size);
	int (*truncate)(struct vnode *vn, uint64_t size);
	int (*setattr)(
		struct vnode *vn,
		const struct vattr *va); /* vn's fields are set by the caller; write them back */
	int (*fsync)(struct vnode *vn);
	/* Pages, not locked by vn->lock: page lock held. */
	int (*read_page)(struct vnode *vn, struct page *pg);
	int (*write_page)(struct vnode *vn, struct page *pg);
	/* Blocks behind [offset, offset + n) exist afterwards, or -ENOSPC: called before a write
	 * dirties the page. */
	int (*reserve)(struct vnode *vn, uint64_t offset, size_t n);
	int (*open)(struct vnode *vn, struct file *f); /* may set f->ops, f->private */
	void (*evict)(struct vnode *vn); /* last reference gone: free private data; nlink == 0:
					    delete the file */
};

struct vnode {
	volatile int refs;
	mutex_t lock;
	const struct vnode_ops *ops;
	struct mount *mount;
	struct mount *mounted; /* file system mounted on this directory */
	struct list hash_link, lru_link;
	ino_t ino;
	mode_t mode; /* type and permissions */
	unsigned nlink;
	uid_t uid;
	gid_t gid;
	dev_t rdev;
	uint64_t size;
	uint64_t blocks; /* 512-byte units */
	struct parvix_timespec atime, mtime, ctime;
	bool dirty; /* attributes to be written back */
	struct pcache pcache;
	void *private;
	void *pipe; /* FIFO */
};

struct vnode *vnode_get(struct vnode *vn);
void vnode_put(struct vnode *vn);
/* Find or make the vnode of (mount, ino); *fresh says that the caller must fill it and then
 * vnode_ready() (or vnode_bad()). */
int vnode_find(struct mount *mnt, ino_t ino, struct vnode **out, bool *fresh);
void vnode_ready(struct vnode *vn);
void vnode_bad(struct vnode *vn);
void vnode_touch(struct vnode *vn, bool access, bool modify); /* time stamps now */

/* ---- mounts (mount.c) ---- */
struct fs_type {
	const char *name;
	bool needs_device;
	int (*mount)(struct mount *mnt, struct vnode *device,
		     const char *options); /* sets mnt->root, ops */
	int (*sync)(struct mount *mnt);
	int (*remount)(struct mount *mnt, unsigned flags);
	void (*unmount)(struct mount *mnt);
	int (*statfs)(struct mount *mnt, struct parvix_statfs *st);
	struct list link;
};
struct mount {
	struct list link;
	const struct fs_type *type;
	unsigned flags; /* MS_* */
	dev_t dev;      /* st_dev of its files */
	struct vnode *root;
	struct vnode *covered; /* directory under it; NULL for the root file system */
	struct vnode *device;
	volatile int busy; /* vnodes in use besides root */
	char source[64], target[128];
	void *private;
};
void fs_init(void);
void fs_register(struct fs_type *type);
int fs_mount(const char *source, const char *target, const char *type, unsigned flags,
	     const char *options);
int fs_mount_root(const char *device, const char *type, unsigned flags); /* boot */
int fs_unmount(const char *target, unsigned flags);
int fs_sync(void);
extern struct list all_mounts; /* under mounts_lock */
extern mutex_t mounts_lock;
extern struct vnode *root_vnode;

/* ---- names (namei.c) ---- */
#define NAMEI_NOFOLLOW 1u /* do not follow a final symbolic link */
/* The vnode of @path (kernel string), referenced. Search permission is checked on the way. */
int namei(const char *path, unsigned flags, struct vnode **out);
/* Parent directory (referenced, unlocked) and last component (points into @path). -EEXIST-like
 * cases are the caller's. */
int namei_parent(const char *path, struct vnode **dir, const char **name, size_t *len);
/* Permission of the current process: mask of R_OK W_OK X_OK. 0, -EACCES, -EROFS. */
int vnode_access(struct vnode *vn, unsigned mask);
ssize_t vnode_path(struct vnode *vn, char *buf,
		   size_t size); /* absolute path of a directory (getcwd) */

/* ---- open files (file.c) ---- */
struct poll_table;
struct file_ops {
	ssize_t (*read)(struct file *f, struct uio *uio, uint64_t *pos);
	ssize_t (*write)(struct file *f, struct uio *uio, uint64_t *pos);
	int (*ioctl)(struct file *f, unsigned long req, uaddr_t arg); /* -ENOTTY if unknown */
	/* POLL* bits ready now; poll_wait(pt, wq) for each queue that will wake when that changes.
	 */
	unsigned (*poll)(struct file *f, struct poll_table *pt);
	void (*release)(struct file *f);
	bool no_seek;
};
struct file {
	volatile int refs;
	unsigned flags; /* O_* */
	uint64_t pos;
	mutex_t pos_lock;
	const struct file_ops *ops;
	struct vnode *vnode; /* may be NULL: pipes */
	void *private;
};
struct file *file_alloc(const struct file_ops *ops, struct vnode *vn, unsigned flags,
			void *private);
struct file *file_get(struct file *f);
void file_put(struct file *f); /* the last closes */
int file_open(const char *path, unsigned flags, mode_t mode, struct file **out);
void poll_wait(struct poll_table *pt, struct waitq *wq);
extern const struct file_ops regular_file_ops, directory_file_ops;

/* descriptors of the current process (fd.c) */
struct fdtable;
struct file *fd_get(int fd);                              /* referenced; NULL: bad */
int fd_install(struct file *f, int lowest, bool cloexec); /* takes over the reference; -EMFILE */
struct fdtable *fdtable_create(void);
struct fdtable *fdtable_copy(struct fdtable *old); /* fork */
void fdtable_exec(struct fdtable *fds);            /* close what is close-on-exec */
void fdtable_free(struct fdtable *fds);

/* ---- block devices (block.c) ---- */
struct block_device {
	struct list link;
	char name[16];
	dev_t dev;
	uint64_t size; /* bytes */
	bool read_only;
	/* Read or write @n bytes (multiple of 512) at @offset from/to kernel memory; sleeps; 0 or
	 * -EIO. */
	int (*transfer)(struct block_device *bd, uint64_t offset, void *buf, size_t n, bool write);
	int (*flush)(struct block_device *bd);
	void *private;
	struct vnode *vnode; /* its page cache: metadata of the file system on it, and /dev/NAME */
};
int block_register(struct block_device *bd);
struct block_device *block_find(dev_t dev);
struct block_device *block_find_name(const char *name);
int ramdisk_init(pfn_t first, unsigned long size); /* /dev/ram0 */

/* ---- character devices (devfs) ---- */
struct char_device {
	const char *name;
	dev_t dev;
	mode_t mode;
	const struct file_ops *ops;
	int (*open)(struct file *f); /* may be NULL */
	struct list link;
};
#define MKDEV(major, minor) (((dev_t)(major) << 20) | (minor))
void chrdev_register(struct char_device *cd); /* appears in /dev at once */
struct char_device *chrdev_find(dev_t dev);

/* ---- /proc: generated files (procfs) ---- */
struct proc_file {
	const char *name;
	mode_t mode;
	/* Produce text from byte @pos on; returns bytes (0: end) or -errno. */
	ssize_t (*read)(void *arg, uint64_t pos, char *buf, size_t size);
	ssize_t (*write)(void *arg, const char *buf, size_t n); /* may be NULL */
	void *arg;
	struct list link;
};
void procfs_register(struct proc_file *pf); /* /proc/NAME */

/* pipe.c */
int pipe_create(struct file **rd, struct file **wr, unsigned flags);

#endif
