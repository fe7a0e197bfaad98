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

#include <block.h>
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
/* As uio_user() for a vector whose parts (kernel memory: @iov; user: what it points to) are the
 * caller's. -EINVAL: too many parts, or the sum is no ssize_t; -EFAULT: not user addresses. */
int uio_user_vec(struct uio *uio, struct parvix_iovec *iov, unsigned iovcnt);
/* Touch the next @n bytes of a user buffer so that a copy under a lock will most likely not fault.
 * 0 or -EFAULT. */
int uio_prefault(struct uio *uio, size_t n, bool write);

/* ---- page cache (pcache.c): pages of one file or block device by index ---- */
struct pcache {
	struct vnode *vnode;
	unsigned long nr_pages;
	uint64_t last_index; /* no page lies behind it */
	struct list dirty_pages;
	struct list dirty_link; /* while pages or attributes wait to be written */
	volatile unsigned nr_dirty;
	unsigned nr_writing;  /* under way to the disk */
	int error;            /* of the last write-back; reported once by fsync */
	struct list mappings; /* regions that show it, and the passes over them: mm/mapping.c */
	uint64_t pass;
	bool written_mapped; /* ever: there may be something behind the end in its last page */
};
/* How an open file is read: guesses, never relied on. Zeros at first. */
struct readahead {
	uint64_t next; /* page that a sequential reader wants now */
	uint64_t mark; /* who reaches this page has the next window read */
	uint64_t end;  /* behind the last page asked for */
	unsigned window;
};
void pcache_init(void);
/* Read those of the @n pages from @first on that are neither there nor behind the file's end; does
 * not wait. How many, or -ENOMEM (none). */
int pcache_start_read(struct vnode *vn, uint64_t first, uint64_t n);
/* Page @index with a reference, contents read in. -EIO, -ENOMEM. Sleeps; no spinlock held. */
int pcache_read(struct vnode *vn, uint64_t index, struct page **pg);
/* The same; if it is not there, all of the @n pages (power of two) around it are read. */
int pcache_read_around(struct vnode *vn, uint64_t index, unsigned n, struct page **pg);
/* As pcache_read, but only if it is there already and up to date (fault-around, exec prefault):
 * NULL otherwise. */
struct page *pcache_find(struct vnode *vn, uint64_t index);
void pcache_mark_dirty(struct page *pg);
/* A shared mapping is about to write page @index: its blocks are made, the page is marked dirty.
 * -ENOSPC, -EIO, -EROFS. Sleeps; may be called with the aspace mutex held. */
int pcache_mkwrite(struct vnode *vn, struct page *pg);
void pcache_truncate(struct vnode *vn, uint64_t new_size); /* drop the pages wholly behind */
void pcache_drop(struct vnode *vn);                        /* all, dirty ones too */
/* Free clean pages that nobody uses; returns how many. May sleep but takes spinlocks only: safe in
 * any context in which page_alloc() without ALLOC_ATOMIC is. Never writes: see pcache.c. */
unsigned long pcache_reclaim(unsigned long want);
unsigned long pcache_pages(void);
int pcache_sync_all(void);
/*
 * read() and write() through the cache; vn->lock not held. The write starts at *@offset (at the end
 * of the file with @append, atomically), extends the file and moves *@offset behind what was
 * written. Bytes moved, or an error if there were none: -EFBIG, -ENOSPC, -EROFS, -EIO, -EFAULT.
 * @ra NULL: not read ahead.
 */
ssize_t pcache_file_read(struct vnode *vn, struct readahead *ra, struct uio *uio, uint64_t offset);
ssize_t pcache_file_write(struct vnode *vn, struct uio *uio, uint64_t *offset, bool append);
/* Read into kernel memory: ELF headers and the like. Bytes, or -EIO ... */
ssize_t vnode_read(struct vnode *vn, void *buf, size_t n, uint64_t offset);
/* Set the size of a regular file (the length of truncate and O_TRUNC). vn->lock held. */
int vnode_set_size(struct vnode *vn, uint64_t size);
/* fsync(): the file is on the disk; @data_only: its times need not be. vn->lock not held. -EIO ...
 */
int vnode_sync(struct vnode *vn, bool data_only);

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

/*
 * Directory ops are called with @dir->lock held, file ops with @vn->lock held unless said. Unset
 * ops: -EPERM (those that change), -ENOENT (lookup), -EINVAL (readlink), -ENOTDIR (readdir).
 * The caller has checked: types, permissions, sticky bit, name length <= NAME_MAX, that an entry
 * to be made is not there (unless the file system's names change by themselves), that no mount
 * point is removed or replaced, and for rename that a directory does not move below itself.
 * Names are never "." ; ".." is asked of lookup only, and never in the root of a mount.
 * The caller drops the name cache's entries.
 */
#define DISK_HOLE (~0ull)
struct vnode_ops {
	int (*lookup)(struct vnode *dir, const char *name, size_t len, struct vnode **out);
	/* All types but symbolic links; @mode has the type and is ready (umask applied). Owner and
	 * group: vnode_new_owner(). */
	int (*create)(struct vnode *dir, const char *name, size_t len, mode_t mode, dev_t rdev,
		      struct vnode **out);
	int (*symlink)(struct vnode *dir, const char *name, size_t len, const char *target);
	/* link, unlink, rename: @vn (and @victim) are locked too */
	int (*link)(struct vnode *dir, const char *name, size_t len, struct vnode *vn);
	int (*unlink)(struct vnode *dir, const char *name, size_t len,
		      struct vnode *vn); /* directories too (rmdir): empty is checked here */
	int (*rename)(struct vnode *odir, const char *oname, size_t olen, struct vnode *vn,
		      struct vnode *ndir, const char *nname, size_t nlen,
		      struct vnode *victim); /* victim: replaced entry or NULL */
	/* Entries from *@pos on, "." and ".." too; *@pos is moved behind those taken; 0 at the end
	 * or when the sink is full. */
	int (*readdir)(struct vnode *dir, uint64_t *pos, struct dir_sink *sink);
	ssize_t (*readlink)(struct vnode *vn, char *buf, size_t size);
	/* vn->size is @size already and the cache's pages are gone: give back blocks behind. NULL:
	 * the pages were all there was. */
	int (*truncate)(struct vnode *vn, uint64_t size);
	/* Write vn's fields back (sizes, times, mode, owner); @va says what a caller changed, or is
	 * NULL: whatever is there. Not locked by vn->lock when the last reference goes. */
	int (*setattr)(struct vnode *vn, const struct vattr *va);
	/* What vn's data needs to be found again is on the disk; but for @data_only, everything
	 * else of it too. The pages and setattr were before. */
	int (*fsync)(struct vnode *vn, bool data_only);
	/*
	 * Where a symbolic link leads, for links that know better than their text
	 * (/proc/PID/fd/N, exe, cwd): namei follows by this, if set, and else by readlink. Called
	 * without vn->lock; *out is referenced.
	 */
	int (*follow)(struct vnode *vn, struct vnode **out);
	/* Its name in its parent, for file systems whose directories may not all be listed; length,
	 * without a 0, at most NAME_MAX. NULL: the parent is searched for it. */
	size_t (*name)(struct vnode *dir, char *buf);
	/* An open for writing has come to a directory: the file to open instead, referenced, or
	 * -EISDIR. May be NULL. */
	int (*write_to)(struct vnode *dir, struct vnode **out);
	/*
	 * Where @offset (a multiple of 512) lies on the mount's device: *@disk in bytes, or
	 * DISK_HOLE. Returns how many bytes from there on lie there together, at most @n but for
	 * the rest of a block; or -EIO. Not locked by vn->lock: the pages are locked, none of their
	 * blocks goes meanwhile. NULL: the pages are the file (tmpfs): never written, never
	 * reclaimed.
	 */
	ssize_t (*map)(struct vnode *vn, uint64_t offset, uint64_t n, uint64_t *disk);
	/* Blocks for [offset, offset + n) exist afterwards, or -ENOSPC and nothing has changed:
	 * called before a page is made dirty, with or without vn->lock, page locked or not. May be
	 * NULL. */
	int (*reserve)(struct vnode *vn, uint64_t offset, size_t n);
	/* Regular files and directories; vn->lock not held; may set f->ops, f->private. Devices and
	 * FIFOs are opened by the core. */
	int (*open)(struct vnode *vn, struct file *f);
	void (*evict)(struct vnode *vn); /* last reference gone: free private data; nlink == 0:
					    delete the file */
};

enum vnode_state { VN_LOADING, VN_READY, VN_BAD, VN_DYING };

struct vnode {
	volatile int refs;
	volatile enum vnode_state state;
	mutex_t lock;
	const struct vnode_ops *ops;
	struct mount *mount;
	struct mount *mounted; /* file system mounted on this directory */
	struct vnode *hash_next;
	struct list lru_link; /* refs == 0 and nothing to write */
	ino_t ino;
	uint64_t id; /* never used again: key of the name cache */
	mode_t mode; /* type and permissions */
	unsigned nlink;
	uid_t uid;
	gid_t gid;
	dev_t rdev;
	uint64_t size;
	uint64_t blocks; /* 512-byte units */
	struct parvix_timespec atime, mtime, ctime;
	volatile int writers; /* open for writing; negative: running as programs. vnode_claim() */
	volatile bool dirty;  /* attributes to be written back: vnode_mark_dirty() */
	struct pcache pcache;
	void *private;
	void *pipe; /* FIFO: its pipe; socket: who is bound to it (kernel/net/unix.c) */
	struct file_locks *locks; /* lock.c; NULL: there never was one */
};

struct vnode *vnode_get(struct vnode *vn);
void vnode_put(struct vnode *vn);
/* A file is not open for writing (@by 1) while it runs as a program (-1): -ETXTBSY. */
int vnode_claim(struct vnode *vn, int by);
void vnode_unclaim(struct vnode *vn, int by);
/*
 * Find or make the vnode of (mount, ino), referenced; *@fresh says that the caller must fill it
 * (all fields are 0) and then vnode_ready(), or vnode_bad(), which also drops the reference.
 * Meanwhile others who look for it wait. -ENOMEM, -EIO (another's vnode_bad).
 */
int vnode_find(struct mount *mnt, ino_t ino, struct vnode **out, bool *fresh);
void vnode_ready(struct vnode *vn);
void vnode_bad(struct vnode *vn);
/* As vnode_find, but only if it is in memory: NULL otherwise. */
struct vnode *vnode_peek(struct mount *mnt, ino_t ino);
void vnode_mark_dirty(struct vnode *vn);
void vnode_touch(struct vnode *vn, bool access, bool modify); /* time stamps now */
/* Owner of a file that the current process makes in @dir; a directory's set-group-id bit is passed
 * on through *@mode. */
void vnode_new_owner(const struct vnode *dir, mode_t *mode, uid_t *uid, gid_t *gid);
void vnode_fill_stat(struct vnode *vn, struct parvix_stat *st);
struct parvix_timespec time_wall(void);

/* ---- mounts (mount.c) ---- */
struct fs_type {
	const char *name;
	bool needs_device;
	bool cache_names; /* names change through namei only: look-ups may be remembered */
	int (*mount)(struct mount *mnt, const char *options); /* on mnt->bd; sets mnt->root */
	int (*sync)(struct mount *mnt);
	int (*remount)(struct mount *mnt, unsigned flags);
	void (*unmount)(struct mount *mnt);
	/* For a file system that keeps a reference to each of its vnodes as long as it has a name
	 * (tmpfs): is any in use besides? Asked instead of looking at references; then unmount()
	 * drops them. May be NULL. */
	bool (*busy)(struct mount *mnt);
	int (*statfs)(struct mount *mnt, struct parvix_statfs *st);
	struct list link;
};
struct mount {
	struct list link;
	const struct fs_type *type;
	unsigned flags; /* MS_* */
	dev_t dev;      /* st_dev of its files */
	struct vnode *root;
	struct vnode *covered;   /* directory under it; NULL for the root file system */
	struct block_device *bd; /* referenced; NULL: none */
	uint64_t max_size;       /* of a file; 0: any */
	char source[64], target[128];
	void *private;
};
void fs_init(void); /* also calls the init functions of the file systems: */
void ext2_init(void);
void tmpfs_init(void);
void devfs_init(void);
void procfs_init(void);
void fs_register(struct fs_type *type);
int fs_mount(const char *source, const char *target, const char *type, unsigned flags,
	     const char *options);
int fs_mount_root(const char *device, const char *type, unsigned flags); /* boot */
int fs_unmount(const char *target, unsigned flags);
int fs_sync(void);
/* Before power-off and reboot: write everything, make every file system read-only and clean. */
void fs_shutdown(void);
int vnode_statfs(struct vnode *vn, struct parvix_statfs *st);
/* Bytes of the text of /proc/mounts. */
size_t mounts_describe(char *buf, size_t size);
size_t filesystems_describe(char *buf, size_t size);
extern struct list all_mounts; /* under mounts_lock */
extern mutex_t mounts_lock;
extern struct vnode *root_vnode;

/* ---- names (namei.c) ---- */
#define NAMEI_NOFOLLOW 1u /* do not follow a final symbolic link */
#define NAMEI_REAL_ID 2u  /* access(): check with the real ids */
/* The vnode of @path (kernel string), referenced. A relative path starts at the directory @at, or
 * if that is NULL at the process's own. Search permission is checked on the way. */
int namei(struct vnode *at, const char *path, unsigned flags, struct vnode **out);
/* Permission of the current process: mask of R_OK W_OK X_OK. 0, -EACCES, -EROFS. */
int vnode_access(struct vnode *vn, unsigned mask);
ssize_t vnode_path(struct vnode *vn, char *buf,
		   size_t size); /* absolute path of a directory (getcwd); length with the 0 */
/* System calls on names, by the current process; @at as for namei(), paths: kernel strings. */
int path_mkdir(struct vnode *at, const char *path, mode_t mode);
int path_mknod(struct vnode *at, const char *path, mode_t mode, dev_t rdev);
/* A socket's name (0777 less the umask); *@out is referenced. -EEXIST. */
int path_mksock(struct vnode *at, const char *path, struct vnode **out);
int path_unlink(struct vnode *at, const char *path);
int path_rmdir(struct vnode *at, const char *path);
int path_link(struct vnode *oldat, const char *oldpath, struct vnode *newat, const char *newpath,
	      unsigned namei_flags); /* of the old one */
int path_symlink(const char *target, struct vnode *at, const char *path);
ssize_t path_readlink(struct vnode *at, const char *path, char *buf, size_t size);
int path_rename(struct vnode *oldat, const char *oldpath, struct vnode *newat, const char *newpath);
int path_stat(struct vnode *at, const char *path, unsigned namei_flags, struct parvix_stat *st);
/* F_OK, R_OK | W_OK | X_OK; NAMEI_REAL_ID: with the real ids. */
int path_access(struct vnode *at, const char *path, unsigned namei_flags, unsigned mode);
int path_chmod(struct vnode *at, const char *path, unsigned namei_flags, mode_t mode);
int path_chown(struct vnode *at, const char *path, unsigned namei_flags, uid_t uid,
	       gid_t gid); /* -1: keep */
int path_utimens(struct vnode *at, const char *path, unsigned namei_flags,
		 const struct parvix_timespec ts[2]);
int path_truncate(const char *path, off_t size);
int path_statfs(const char *path, struct parvix_statfs *st);
int path_chdir(const char *path);
int path_chroot(const char *path);
/* The same on a vnode, which is not locked; ts NULL: now; UTIME_NOW, UTIME_OMIT are known. */
int vnode_stat(struct vnode *vn, struct parvix_stat *st);
int vnode_chmod(struct vnode *vn, mode_t mode);
int vnode_chown(struct vnode *vn, uid_t uid, gid_t gid);
int vnode_utimens(struct vnode *vn, const struct parvix_timespec ts[2]);
int vnode_truncate(struct vnode *vn, off_t size); /* permission is the caller's */
/* RLIMIT_FSIZE of the caller: SIGXFSZ and -EFBIG if a file of @size is too large for it. */
int file_limit(uint64_t size);

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
	bool no_seek; /* pipes, terminals: lseek, pread and pwrite give -ESPIPE */
	/* Both NULL unless the vnode cannot say: size for SEEK_END, write-back for fsync. */
	off_t (*size)(struct file *f);
	int (*sync)(struct file *f);
	mode_t type; /* of files without a vnode: S_IFSOCK; 0 is S_IFIFO */
};
struct file {
	volatile int refs;
	unsigned flags; /* O_* */
	uint64_t pos;
	mutex_t pos_lock;
	const struct file_ops *ops;
	struct vnode *vnode; /* may be NULL: pipes */
	bool claimed;        /* vnode_claim()ed for writing */
	struct readahead ra;
	void *private;
};
/* NULL: no memory, or a user's and there are too many in all. */
struct file *file_alloc(const struct file_ops *ops, struct vnode *vn, unsigned flags,
			void *private);
struct file *file_get(struct file *f);
void file_put(struct file *f); /* the last closes */
/* @at as for namei(). */
int file_open(struct vnode *at, const char *path, unsigned flags, mode_t mode, struct file **out);
/* System calls on open files; the caller holds a reference. -EBADF if not open for that. */
ssize_t file_read(struct file *f, struct uio *uio);
ssize_t file_write(struct file *f, struct uio *uio);
ssize_t file_pread(struct file *f, struct uio *uio, off_t pos);
ssize_t file_pwrite(struct file *f, struct uio *uio, off_t pos);
off_t file_seek(struct file *f, off_t offset, int whence);
int file_truncate(struct file *f, off_t size);
int file_fallocate(struct file *f, off_t offset, off_t len);
int file_sync(struct file *f, bool data_only);
int file_stat(struct file *f, struct parvix_stat *st); /* pipes too */
int file_statfs(struct file *f, struct parvix_statfs *st);
int file_chmod(struct file *f, mode_t mode);
int file_chown(struct file *f, uid_t uid, gid_t gid);
int file_utimens(struct file *f, const struct parvix_timespec ts[2]);
int file_chdir(struct file *f);
int file_ioctl(struct file *f, unsigned long req, uaddr_t arg);
/* Records of struct parvix_dirent; bytes, 0 at the end; -EINVAL: not even one fits. */
ssize_t file_getdents(struct file *f, uaddr_t buf, size_t size);
void poll_wait(struct poll_table *pt, struct waitq *wq);
extern const struct file_ops regular_file_ops, directory_file_ops;

/* advisory locks (lock.c) */
int file_flock(struct file *f, unsigned op); /* LOCK_*: -EAGAIN, -EINVAL, -ENOLCK, -ERESTART */
/* F_GETLK, F_SETLK, F_SETLKW of descriptor @fd, which stands for @f; -EDEADLK besides. */
long file_record_lock(struct file *f, int fd, int cmd, uaddr_t arg);
/* Give up all that @owner (descriptor table or open file) holds; @vn->locks is there. Sleeps. */
void locks_release(struct vnode *vn, const void *owner);

/* descriptors of the current process (fd.c) */
struct fdtable;
struct file *fd_get(int fd);                              /* referenced; NULL: bad */
int fd_install(struct file *f, int lowest, bool cloexec); /* takes over the reference; -EMFILE */
bool fd_exhausted(void);                                  /* none free now */
struct fdtable *fdtable_create(void);
struct fdtable *fdtable_copy(struct fdtable *old); /* fork */
void fdtable_exec(struct fdtable *fds);            /* close what is close-on-exec */
void fdtable_free(struct fdtable *fds);
bool fd_is(int fd, const struct file *f); /* does it still stand for that? */
int fd_close(int fd);
int fd_dup(int fd);
int fd_dup2(int oldfd, int newfd);
long fd_fcntl(int fd, int cmd, long arg);

/* ---- character devices (devfs) ---- */
struct char_device {
	const char *name; /* in /dev; DIR/NAME for one of devfs' directories */
	dev_t dev;
	mode_t mode;
	const struct file_ops *ops;
	int (*open)(struct file *f); /* may be NULL */
	bool absent;                 /* unplugged: not in /dev, cannot be opened */
	uid_t uid;                   /* owner of the node at first */
	gid_t gid;
	unsigned serial; /* another one: the node's owner and mode begin anew */
	struct list link;
};
#define MKDEV(major, minor) (((dev_t)(major) << 20) | (minor))
void chrdev_register(struct char_device *cd); /* appears in /dev at once */
struct char_device *chrdev_find(dev_t dev);
/* Entry @n of the list of devices (0 ..) for /dev and /proc/devices; NULL behind the last. */
struct char_device *chrdev_nth(unsigned n);

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
void procfs_register(struct proc_file *pf); /* /proc/NAME, /proc/DIR/NAME if NAME is DIR/NAME */

/* pipe.c */
int pipe_create(struct file **rd, struct file **wr, unsigned flags);
/* open() of a FIFO: f->vnode is set, f->flags say which end; sleeps for the other end as POSIX has
 * it (-ERESTART, -ENXIO); sets f->ops. vn->pipe is its own. */
int fifo_open(struct vnode *vn, struct file *f);

/* ---- poll.c: waiting for several files at once ---- */
/*
 * A file's poll operation calls poll_wait(pt, wq) for each wait queue that is woken when its answer
 * may change; @pt is NULL when only the answer is wanted.
 */
#define POLL_MAX 1024 /* entries in one call */
/* The system call's work: fills revents. Number of entries with events, 0 at @deadline (monotonic;
 * KTIME_NEVER; 0 or before: does not wait), -ERESTARTNOHAND, -ENOMEM, -EINVAL (@n > POLL_MAX). */
int do_poll(struct parvix_pollfd *fds, unsigned n, ktime_t deadline);
/* Bit sets of PARVIX_FD_SETSIZE bits in kernel memory (NULL: not asked), replaced by what is ready.
 * Number of bits set, or an error as above, or -EBADF. */
int do_select(int n, uint64_t *rd, uint64_t *wr, uint64_t *ex, ktime_t deadline);

/* Null, zero, full, random ...: called by devfs_init(). */
void memdev_init(void);

#endif
