/* SPDX-License-Identifier: MIT */
/*
 * read() and write() of files through the page cache, and changes of their size.
 *
 * No page lock is held while bytes move between a page and the caller's memory: touching that
 * memory may fault, and the fault may want the very page. A page that is up to date is copied to
 * and from as it stands. A page that is going to be overwritten as a whole, or lies behind the end
 * of the file, is not read from the disk first: the caller's bytes go into a fresh page, which
 * enters the cache when they are there.
 *
 * A page is in the cache before its blocks are reserved: so nobody can read from the disk what an
 * old owner left in the blocks. What lies in a page behind the end of the file is always 0.
 *
 * Writers of a file exclude each other by vn->lock; readers take no lock.
 */
#include "internal.h"

#include <parvix/signal.h>
#include <string.h>

#define RELAX_PAGES 64 /* copied between two offers of the CPU */

void vnode_touch_access(struct vnode *vn)
{
	if (vn->atime.tv_sec > vn->mtime.tv_sec || mount_readonly(vn->mount))
		return;
	if (vn->atime.tv_sec < vn->mtime.tv_sec || vn->atime.tv_nsec <= vn->mtime.tv_nsec)
		vnode_touch(vn, true, false);
}

ssize_t pcache_file_read(struct vnode *vn, struct readahead *ra, struct uio *uio, uint64_t offset)
{
	uint64_t pos = offset;
	ssize_t err = 0;

	while (uio->resid) {
		uint64_t size = READ_ONCE(vn->size);
		size_t in = pos & (PAGE_SIZE - 1), n = min(PAGE_SIZE - in, uio->resid);
		struct page *pg;
		ssize_t r;

		if (pos >= size)
			break;
		if (n > size - pos)
			n = size - pos;
		err = pcache_read_ahead(vn, ra, pos >> PAGE_SHIFT,
					DIV_ROUND_UP(in + uio->resid, PAGE_SIZE), &pg);
		if (err)
			break;
		r = uio_to(uio, (char *)page_va(pg) + in, n);
		page_put(pg);
		if (r < 0) {
			err = r;
			break;
		}
		pos += n;
		if (!((pos >> PAGE_SHIFT) % RELAX_PAGES) && uio->resid) {
			struct proc *p = fs_proc();

			if (p && p->killed)
				break;
			sched_relax();
		}
	}
	vnode_touch_access(vn);
	return pos > offset ? (ssize_t)(pos - offset) : err;
}

ssize_t vnode_read(struct vnode *vn, void *buf, size_t n, uint64_t offset)
{
	struct parvix_iovec iov;
	struct uio uio;

	uio_kernel(&uio, &iov, buf, n);
	return pcache_file_read(vn, NULL, &uio, offset);
}

static int reserve(struct vnode *vn, uint64_t pos, size_t n)
{
	return vn->ops->reserve ? vn->ops->reserve(vn, pos, n) : 0;
}

/*
 * The file is about to become longer. Programs that map its last page may have written behind the
 * end; what becomes part of the file there is 0.
 */
static void clear_tail(struct vnode *vn)
{
	size_t in = vn->size & (PAGE_SIZE - 1);
	struct page *pg;

	if (!vn->pcache.written_mapped || !in)
		return;
	pg = pcache_find(vn, vn->size >> PAGE_SHIFT);
	if (pg) {
		memset((char *)page_va(pg) + in, 0, PAGE_SIZE - in);
		pcache_mark_dirty(pg);
		page_put(pg);
	}
}

/* Into a page that is in the cache and up to date. */
static ssize_t write_present(struct vnode *vn, struct page *pg, struct uio *uio, uint64_t pos,
			     size_t n)
{
	char *at = (char *)page_va(pg) + (pos & (PAGE_SIZE - 1));
	ssize_t r = reserve(vn, pos, n);

	if (r)
		return r;
	r = uio_from(uio, at, n);
	if (r < 0 && pos + n > vn->size) {
		/* Some bytes may have come: behind the end of the file they must be 0 again. */
		size_t keep = vn->size > pos ? vn->size - pos : 0;

		memset(at + keep, 0, n - keep);
	}
	pcache_mark_dirty(pg);
	return r;
}

/* Into a fresh page. -EEXIST: the cache has one, and the caller's bytes are in *@stage. */
static ssize_t write_fresh(struct vnode *vn, struct uio *uio, uint64_t pos, size_t n,
			   struct page **stage)
{
	size_t in = pos & (PAGE_SIZE - 1);
	struct page *pg = page_alloc(0, ALLOC_USER), *old;
	char *va;
	ssize_t r;

	if (!pg)
		return -ENOMEM;
	va = page_va(pg);
	memset(va, 0, in);
	memset(va + in + n, 0, PAGE_SIZE - in - n);
	r = uio_from(uio, va + in, n);
	if (r < 0) {
		page_put(pg);
		return r;
	}
	page_lock(pg);
	page_get(pg);
	if (pcache_insert(vn, pos >> PAGE_SHIFT, pg, &old)) {
		page_unlock(pg);
		page_put(pg);
		page_put(old);
		*stage = pg;
		return -EEXIST;
	}
	r = reserve(vn, pos, n);
	if (r) {
		pcache_remove(pg);
	} else {
		page_flags_set(pg, PG_UPTODATE | PG_REFERENCED);
		pcache_mark_dirty(pg);
		r = (ssize_t)n;
	}
	page_unlock(pg);
	page_put(pg);
	return r;
}

/* Up to the end of the page that holds @pos; returns @n or an error. */
static ssize_t write_part(struct vnode *vn, struct uio *uio, uint64_t pos, size_t n)
{
	uint64_t index = pos >> PAGE_SHIFT;
	struct page *pg = pcache_lookup(&vn->pcache, index), *stage = NULL;
	struct parvix_iovec iov;
	struct uio staged;
	ssize_t r;

	if (!pg && (n == PAGE_SIZE || (index << PAGE_SHIFT) >= vn->size)) {
		r = write_fresh(vn, uio, pos, n, &stage);
		if (r != -EEXIST)
			return r;
		uio_kernel(&staged, &iov, (char *)page_va(stage) + (pos & (PAGE_SIZE - 1)), n);
		uio = &staged;
	}
	if (!pg || !(pg->flags & PG_UPTODATE)) {
		if (pg)
			page_put(pg);
		r = pcache_read(vn, index, &pg);
		if (r)
			goto out;
	}
	r = write_present(vn, pg, uio, pos, n);
	page_put(pg);
out:
	if (stage)
		page_put(stage);
	return r;
}

/* Most bytes that may be written at @pos: RLIMIT_FSIZE, and what the file system can hold. */
static ssize_t write_limit(struct vnode *vn, uint64_t pos, size_t n)
{
	struct proc *p = fs_proc();
	uint64_t limit = vn->mount && vn->mount->max_size ? vn->mount->max_size : INT64_MAX;

	if (p && p->limits[RLIMIT_FSIZE].rlim_cur < limit) {
		limit = p->limits[RLIMIT_FSIZE].rlim_cur;
		if (n && pos >= limit)
			signal_send(p, SIGXFSZ, NULL);
	}
	if (n && pos >= limit)
		return -EFBIG;
	return (ssize_t)min((uint64_t)n, limit - pos);
}

/* A set-user-id program that somebody wrote to is not its author's any more. */
static void drop_set_id(struct vnode *vn)
{
	if ((vn->mode & (S_ISUID | S_ISGID)) && !fs_superuser()) {
		vn->mode &= ~S_ISUID;
		if (vn->mode & 010)
			vn->mode &= ~S_ISGID;
	}
}

static ssize_t write_locked(struct vnode *vn, struct uio *uio, uint64_t start)
{
	ssize_t left = write_limit(vn, start, uio->resid), r = 0;
	uint64_t pos = start;

	if (left < 0)
		return left;
	if (start + (uint64_t)left > vn->size)
		clear_tail(vn);
	while (left) {
		size_t n = min(PAGE_SIZE - (pos & (PAGE_SIZE - 1)), (size_t)left);

		r = write_part(vn, uio, pos, n);
		if (r < 0)
			break;
		pos += n;
		left -= n;
		if (pos > vn->size)
			vn->size = pos;
		if ((pos >> PAGE_SHIFT) % RELAX_PAGES || !left)
			continue;
		pcache_balance(vn);
		sched_relax();
	}
	/* Blocks that were reserved for nothing. */
	if (r < 0 && vn->ops->truncate && pos >= vn->size)
		vn->ops->truncate(vn, vn->size);
	if (pos == start)
		return r;
	drop_set_id(vn);
	vnode_touch(vn, false, true);
	return (ssize_t)(pos - start);
}

ssize_t pcache_file_write(struct vnode *vn, struct uio *uio, uint64_t *offset, bool append)
{
	ssize_t r;

	if (mount_readonly(vn->mount))
		return -EROFS;
	if (vn->ops->map && pcache_too_dirty())
		pcache_sync_all();
	mutex_lock(&vn->lock);
	if (append)
		*offset = vn->size;
	r = write_locked(vn, uio, *offset);
	mutex_unlock(&vn->lock);
	if (r > 0)
		*offset += (uint64_t)r;
	return r;
}

/* The bytes behind the new end, in the page that it falls into, become 0 on the disk too: they
 * must not come back when the file grows again. */
static int zero_tail(struct vnode *vn, uint64_t size)
{
	size_t in = size & (PAGE_SIZE - 1);
	struct page *pg;
	int err;

	if (!in)
		return 0;
	err = pcache_read(vn, size >> PAGE_SHIFT, &pg);
	if (err)
		return err;
	memset((char *)page_va(pg) + in, 0, PAGE_SIZE - in);
	pcache_mark_dirty(pg);
	page_put(pg);
	return 0;
}

int vnode_set_size(struct vnode *vn, uint64_t size)
{
	int err = 0;

	if (mount_readonly(vn->mount))
		return -EROFS;
	if (vn->mount && vn->mount->max_size && size > vn->mount->max_size)
		return -EFBIG;
	if (size < vn->size) {
		err = zero_tail(vn, size);
		if (err)
			return err;
		vn->size = size;
		mappings_truncate(vn, DIV_ROUND_UP(size, PAGE_SIZE));
		pcache_truncate(vn, size);
		if (vn->ops->truncate)
			err = vn->ops->truncate(vn, size);
	} else {
		clear_tail(vn);
	}
	vn->size = size;
	drop_set_id(vn);
	vnode_touch(vn, false, true);
	return err;
}

/* Blocks and zeroed pages where there are holes; vn->lock held. */
static int allocate_locked(struct vnode *vn, uint64_t pos, uint64_t end)
{
	int err = 0;

	while (pos < end && !err) {
		size_t n = min(PAGE_SIZE - (pos & (PAGE_SIZE - 1)), end - pos);
		struct page *pg;

		/* Read first: what is a hole now reads as zeros. */
		err = pcache_read(vn, pos >> PAGE_SHIFT, &pg);
		if (err)
			break;
		err = reserve(vn, pos, n);
		if (!err) {
			pcache_mark_dirty(pg);
			pos += n;
			vn->size = max(vn->size, pos);
		}
		page_put(pg);
		pcache_balance(vn);
		sched_relax();
	}
	vnode_touch(vn, false, true);
	return err;
}

/* fallocate(): the range can be written without -ENOSPC afterwards. */
int pcache_allocate(struct vnode *vn, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len, old;
	int err;

	if (mount_readonly(vn->mount))
		return -EROFS;
	mutex_lock(&vn->lock);
	old = vn->size;
	clear_tail(vn);
	if (vn->mount && vn->mount->max_size && end > vn->mount->max_size)
		err = -EFBIG;
	else
		err = allocate_locked(vn, offset, end);
	if (err && vn->size > old)
		vnode_set_size(vn, old);
	mutex_unlock(&vn->lock);
	return err;
}
