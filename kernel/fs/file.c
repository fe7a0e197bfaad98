/* SPDX-License-Identifier: MIT */
/*
 * Open files: what a descriptor refers to. A struct file has a position, flags and operations; the
 * operations are those of regular files or directories (here), of a character device, of a block
 * device (block.c), of a FIFO (pipe.c), or what the file system's open() puts in.
 *
 * f->pos_lock makes read(), write() and lseek() of threads that share a file follow each other.
 * Files without a position (no_seek) are not locked: a reader may sleep there for ever.
 */
#include "internal.h"

#include <parvix/termios.h>
#include <string.h>
#include <usercopy.h>

static unsigned long nr_files; /* in use, of all processes */

struct file *file_alloc(const struct file_ops *ops, struct vnode *vn, unsigned flags, void *private)
{
	struct file *f = NULL;

	/* Of the kernel's memory a user may have so much; root can still open something then. */
	if (__atomic_add_fetch(&nr_files, 1, __ATOMIC_RELAXED) <= pages_total() / 8 || cred_root())
		f = kmalloc(sizeof(*f), ALLOC_ZERO);
	if (!f) {
		__atomic_fetch_sub(&nr_files, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	f->refs = 1;
	f->flags = flags;
	mutex_init(&f->pos_lock, "file");
	f->ops = ops;
	f->vnode = vn; /* the caller's reference */
	f->private = private;
	return f;
}

struct file *file_get(struct file *f)
{
	__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
	return f;
}

void file_put(struct file *f)
{
	if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (f->vnode && f->vnode->locks)
		locks_release(f->vnode, f);
	if (f->ops && f->ops->release)
		f->ops->release(f);
	if (f->claimed)
		vnode_unclaim(f->vnode, 1);
	if (f->vnode)
		vnode_put(f->vnode);
	kfree(f);
	__atomic_fetch_sub(&nr_files, 1, __ATOMIC_RELAXED);
}

/* ---- open ---- */

/* Access that the open mode asks for: R_OK, W_OK. */
static unsigned open_mask(unsigned flags)
{
	static const unsigned char mask[] = {R_OK, W_OK, R_OK | W_OK, 0};

	return mask[flags & O_ACCMODE];
}

static int may_open(struct vnode *vn, unsigned flags, bool created)
{
	unsigned mask = open_mask(flags);

	if (S_ISLNK(vn->mode))
		return -ELOOP;
	if ((flags & O_DIRECTORY) && !S_ISDIR(vn->mode))
		return -ENOTDIR;
	if (S_ISDIR(vn->mode) && ((mask & W_OK) || (flags & O_CREAT)))
		return -EISDIR;
	if ((flags & O_TRUNC) && S_ISREG(vn->mode))
		mask |= W_OK;
	return created ? 0 : vnode_access(vn, mask);
}

/* The name was absent; make it, unless somebody else has done so now. */
static int open_create(struct walk *w, unsigned flags, mode_t mode, bool *created)
{
	int err;

	if (w->slash)
		return -EISDIR;
	mutex_lock(&w->dir->lock);
	err = dir_lookup_locked(w->dir, w->name, w->len, &w->vn);
	if (!err && (flags & O_EXCL))
		err = -EEXIST;
	if (err == -ENOENT) {
		err = create_locked(w, S_IFREG | (mode & 07777), 0, &w->vn);
		*created = !err;
	}
	mutex_unlock(&w->dir->lock);
	return err;
}

static int open_walk(struct vnode *at, const char *path, unsigned flags, mode_t mode,
		     struct vnode **out, bool *created)
{
	bool create = flags & O_CREAT;
	unsigned how = create ? WALK_PARENT : 0;
	struct walk w;
	int err;

	if (!(flags & O_NOFOLLOW) && !(create && (flags & O_EXCL)))
		how |= WALK_FOLLOW;
	err = walk_path(&w, at, path, how);
	if (!err && create && w.vn && (flags & O_EXCL))
		err = -EEXIST;
	else if (!err && !w.vn)
		err = open_create(&w, flags, mode, created);
	if (!err) {
		*out = w.vn;
		w.vn = NULL;
	}
	walk_done(&w);
	return err;
}

/* Operations by type; may sleep for long (FIFOs, terminals). */
static int open_by_type(struct file *f)
{
	struct vnode *vn = f->vnode;
	struct char_device *cd;

	switch (vn->mode & S_IFMT) {
	case S_IFREG:
		if (f->flags & O_DIRECT)
			return -EINVAL;
		/* fall through */
	case S_IFDIR:
		f->ops = S_ISDIR(vn->mode) ? &directory_file_ops : &regular_file_ops;
		return vn->ops->open ? vn->ops->open(vn, f) : 0;
	case S_IFCHR:
		cd = chrdev_find(vn->rdev);
		if (!cd)
			return -ENXIO;
		f->ops = cd->ops;
		return cd->open ? cd->open(f) : 0;
	case S_IFBLK:
		return block_open(f);
	case S_IFIFO:
		return fifo_open(vn, f);
	default:
		return -ENXIO;
	}
}

static int truncate_opened(struct vnode *vn)
{
	int err = 0;

	mutex_lock(&vn->lock);
	if (vn->size)
		err = vnode_set_size(vn, 0);
	else
		vnode_touch(vn, false, true);
	mutex_unlock(&vn->lock);
	return err;
}

int file_open(struct vnode *at, const char *path, unsigned flags, mode_t mode, struct file **out)
{
	bool created = false;
	struct vnode *vn;
	struct file *f;
	int err;

	if ((flags & O_ACCMODE) == O_ACCMODE ||
	    (flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return -EINVAL;
	err = open_walk(at, path, flags, mode, &vn, &created);
	if (err)
		return err;
	if (S_ISDIR(vn->mode) && (open_mask(flags) & W_OK) && vn->ops->write_to) {
		struct vnode *dir = vn;

		err = dir->ops->write_to(dir, &vn);
		vnode_put(dir);
		if (err)
			return err;
	}
	err = may_open(vn, flags, created);
	f = err ? NULL : file_alloc(NULL, vn, flags & ~(unsigned)O_CLOEXEC, NULL);
	if (!f) {
		vnode_put(vn);
		return err ? err : -ENFILE;
	}
	if (S_ISREG(vn->mode) && ((open_mask(flags) & W_OK) || (flags & O_TRUNC))) {
		err = vnode_claim(vn, 1);
		f->claimed = !err;
	}
	if (!err && (flags & O_TRUNC) && S_ISREG(vn->mode) && !created)
		err = truncate_opened(vn);
	if (!err)
		err = open_by_type(f);
	if (err) {
		f->ops = NULL; /* nothing to release */
		file_put(f);
		return err;
	}
	*out = f;
	return 0;
}

/* ---- read, write, seek ---- */

#define PREFAULT_MAX (4ul << 20)

ssize_t file_read(struct file *f, struct uio *uio)
{
	uint64_t none = 0;
	ssize_t r;

	if ((f->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (!f->ops->read)
		return -EINVAL;
	if (f->ops->no_seek)
		return f->ops->read(f, uio, &none);
	mutex_lock(&f->pos_lock);
	r = f->ops->read(f, uio, &f->pos);
	mutex_unlock(&f->pos_lock);
	return r;
}

/*
 * The page faults of a writer's buffer come now, before any lock: a fault may have to wait until
 * some process dies to free memory, and that one may be waiting for our lock. (Pages of a process
 * are not taken away again.) Errors are met again by the copy.
 */
static void prefault(struct uio *uio)
{
	uio_prefault(uio, min(uio->resid, PREFAULT_MAX), false);
}

ssize_t file_write(struct file *f, struct uio *uio)
{
	uint64_t none = 0;
	ssize_t r;

	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (!f->ops->write)
		return -EINVAL;
	if (f->ops->no_seek)
		return f->ops->write(f, uio, &none);
	prefault(uio);
	mutex_lock(&f->pos_lock);
	r = f->ops->write(f, uio, &f->pos);
	mutex_unlock(&f->pos_lock);
	return r;
}

ssize_t file_pread(struct file *f, struct uio *uio, off_t pos)
{
	uint64_t at = (uint64_t)pos;

	if ((f->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (f->ops->no_seek)
		return -ESPIPE;
	if (pos < 0 || !f->ops->read)
		return -EINVAL;
	return f->ops->read(f, uio, &at);
}

ssize_t file_pwrite(struct file *f, struct uio *uio, off_t pos)
{
	uint64_t at = (uint64_t)pos;

	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (f->ops->no_seek)
		return -ESPIPE;
	if (pos < 0 || !f->ops->write)
		return -EINVAL;
	prefault(uio);
	return f->ops->write(f, uio, &at);
}

/* Is there data at @at? @len: how far that holds, at least. vn->lock held. 1, 0, or -EIO. */
static int data_at(struct vnode *vn, uint64_t at, uint64_t *len)
{
	uint64_t from = ROUND_DOWN(at, 512ul), disk;
	struct page *pg;
	ssize_t n;

	if (vn->ops->map) {
		n = vn->ops->map(vn, from, vn->size - from, &disk);
		*len = n > 0 ? (uint64_t)n - (at - from) : 0;
		return n > 0 ? disk != DISK_HOLE : -EIO;
	}
	*len = PAGE_SIZE - at % PAGE_SIZE;
	if (at / PAGE_SIZE > vn->pcache.last_index || !vn->pcache.nr_pages)
		*len = vn->size - at;
	pg = pcache_find(vn, at / PAGE_SIZE);
	if (pg)
		page_put(pg);
	return pg != NULL;
}

/* SEEK_DATA, SEEK_HOLE: where the first of either kind is, from @at on. */
static off_t seek_kind(struct vnode *vn, uint64_t at, bool hole)
{
	off_t to = -ENXIO;

	if (!vn || !S_ISREG(vn->mode))
		return -EINVAL;
	mutex_lock(&vn->lock);
	while (to == -ENXIO && at < vn->size) {
		uint64_t len;
		int data = data_at(vn, at, &len);

		if (data < 0)
			to = data;
		else if (data != hole)
			to = (off_t)at;
		else if (thread_interrupted())
			to = -ERESTART;
		else if (hole && at + len >= vn->size)
			to = (off_t)vn->size;
		at += len;
		sched_relax();
	}
	mutex_unlock(&vn->lock);
	return to;
}

off_t file_seek(struct file *f, off_t offset, int whence)
{
	off_t base = 0, to;

	if (f->ops->no_seek)
		return -ESPIPE;
	mutex_lock(&f->pos_lock);
	if (whence == SEEK_CUR)
		base = (off_t)f->pos;
	else if (whence == SEEK_END)
		base = f->ops->size ? f->ops->size(f) : f->vnode ? (off_t)f->vnode->size : 0;
	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		to = seek_kind(f->vnode, (uint64_t)offset, whence == SEEK_HOLE);
	else if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
		to = -EINVAL;
	else if (__builtin_add_overflow(base, offset, &to))
		to = -EOVERFLOW;
	else if (to < 0)
		to = -EINVAL;
	if (to >= 0)
		f->pos = (uint64_t)to;
	mutex_unlock(&f->pos_lock);
	return to;
}

static ssize_t regular_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	ssize_t n = pcache_file_read(f->vnode, &f->ra, uio, *pos);

	if (n > 0)
		*pos += (uint64_t)n;
	return n;
}

static ssize_t regular_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	ssize_t n = pcache_file_write(f->vnode, uio, pos, f->flags & O_APPEND);

	if (n > 0 && (f->flags & O_SYNC)) {
		int err = file_sync(f, false);

		return err ? err : n;
	}
	return n;
}

static ssize_t directory_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	(void)f;
	(void)uio;
	(void)pos;
	return -EISDIR;
}

const struct file_ops regular_file_ops = {.read = regular_read, .write = regular_write};
const struct file_ops directory_file_ops = {.read = directory_read};

/* ---- what only the vnode is asked for ---- */

int file_truncate(struct file *f, off_t size)
{
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	return f->vnode ? vnode_truncate(f->vnode, size) : -EINVAL;
}

int file_fallocate(struct file *f, off_t offset, off_t len)
{
	off_t end;

	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (!f->vnode || f->ops->no_seek)
		return -ESPIPE;
	if (!S_ISREG(f->vnode->mode))
		return -ENODEV;
	if (offset < 0 || len <= 0)
		return -EINVAL;
	if (__builtin_add_overflow(offset, len, &end))
		return -EFBIG;
	if (file_limit((uint64_t)end))
		return -EFBIG;
	return pcache_allocate(f->vnode, (uint64_t)offset, (uint64_t)len);
}

int file_sync(struct file *f, bool data_only)
{
	struct vnode *vn = f->vnode;

	if (f->ops->sync)
		return f->ops->sync(f);
	if (!vn || (!S_ISREG(vn->mode) && !S_ISDIR(vn->mode)))
		return -EINVAL;
	return vnode_sync(vn, data_only);
}

int file_stat(struct file *f, struct parvix_stat *st)
{
	if (f->vnode)
		return vnode_stat(f->vnode, st);
	*st = (struct parvix_stat){
		.st_mode = (f->ops->type ? f->ops->type : S_IFIFO) | 0600,
		.st_nlink = 1,
		.st_blksize = PIPE_BUF,
	};
	st->st_atim = st->st_mtim = st->st_ctim = time_wall();
	return 0;
}

int file_statfs(struct file *f, struct parvix_statfs *st)
{
	return f->vnode ? vnode_statfs(f->vnode, st) : -ENOSYS;
}

int file_chmod(struct file *f, mode_t mode)
{
	return f->vnode ? vnode_chmod(f->vnode, mode) : -EINVAL;
}

int file_chown(struct file *f, uid_t uid, gid_t gid)
{
	return f->vnode ? vnode_chown(f->vnode, uid, gid) : -EINVAL;
}

int file_utimens(struct file *f, const struct parvix_timespec ts[2])
{
	return f->vnode ? vnode_utimens(f->vnode, ts) : -EINVAL;
}

int file_ioctl(struct file *f, unsigned long req, uaddr_t arg)
{
	int on;

	if (req == FIONBIO) {
		if (get_user(on, arg))
			return -EFAULT;
		f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~(unsigned)O_NONBLOCK;
		return 0;
	}
	return f->ops->ioctl ? f->ops->ioctl(f, req, arg) : -ENOTTY;
}

/* ---- directory entries ---- */

#define GETDENTS_CHUNK 2048ul /* handed out at once; more than one entry's 280 bytes */

struct dent_sink {
	struct dir_sink sink;
	char *buf;
	size_t used, size;
	bool full;
};

static bool dent_put(struct dir_sink *sink, const char *name, size_t len, ino_t ino, unsigned type,
		     uint64_t next)
{
	struct dent_sink *s = container_of(sink, struct dent_sink, sink);
	size_t reclen = ROUND_UP(PARVIX_DIRENT_HEAD + len + 1, 8ul);
	struct parvix_dirent *d = (struct parvix_dirent *)(s->buf + s->used);

	if (reclen > s->size - s->used || len > NAME_MAX) {
		s->full = true;
		return false;
	}
	d->d_ino = ino;
	d->d_off = (parvix_off_t)next;
	d->d_reclen = (unsigned short)reclen;
	d->d_type = (unsigned char)type;
	memcpy(d->d_name, name, len);
	memset(d->d_name + len, 0, reclen - PARVIX_DIRENT_HEAD - len);
	s->used += reclen;
	return true;
}

static ssize_t read_entries(struct vnode *dir, uint64_t *pos, struct dent_sink *s)
{
	int err;

	if (!dir->ops->readdir)
		return -ENOTDIR;
	mutex_lock(&dir->lock);
	err = dir->nlink ? dir->ops->readdir(dir, pos, &s->sink) : 0;
	mutex_unlock(&dir->lock);
	if (s->used)
		return (ssize_t)s->used;
	return err ? err : s->full ? -EINVAL : 0;
}

ssize_t file_getdents(struct file *f, uaddr_t buf, size_t size)
{
	struct dent_sink s = {.sink.put = dent_put, .size = min(size, GETDENTS_CHUNK)};
	uint64_t pos;
	ssize_t n;

	if (!f->vnode || !S_ISDIR(f->vnode->mode))
		return -ENOTDIR;
	s.buf = kmalloc(GETDENTS_CHUNK, 0);
	if (!s.buf)
		return -ENOMEM;
	mutex_lock(&f->pos_lock);
	pos = f->pos;
	n = read_entries(f->vnode, &pos, &s);
	if (n > 0 && copy_to_user(buf, s.buf, (size_t)n))
		n = -EFAULT;
	if (n >= 0)
		f->pos = pos;
	mutex_unlock(&f->pos_lock);
	kfree(s.buf);
	return n;
}
