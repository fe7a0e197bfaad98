/* SPDX-License-Identifier: MIT */
/* System calls about memory. */
#include <fs.h>
#include <mm.h>
#include <parvix/mman.h>
#include <proc.h>
#include <usercopy.h>
#include "syscall.h"

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

/* Page-aligned [addr, addr + len), len rounded up, inside user space? */
static bool range_ok(unsigned long addr, unsigned long *len)
{
	if (addr % PAGE_SIZE || addr > USER_END || *len > USER_END - addr)
		return false;
	*len = ROUND_UP(*len, PAGE_SIZE);
	return *len <= USER_END - addr;
}

long sys_brk(struct trapframe *tf)
{
	struct aspace *as = current_proc()->aspace;
	unsigned long old = ROUND_UP(as->brk, PAGE_SIZE), end = aspace_brk(as, ARG0(tf));

	if (unlikely(as->lock_future) && end > old)
		aspace_populate(as, old, ROUND_UP(end, PAGE_SIZE));
	return (long)end;
}

/* May @f be mapped so, and what is the region then? -EACCES, -ENODEV, -EINVAL, -EOVERFLOW. */
static int check_file(struct file *f, unsigned prot, unsigned flags, uint64_t offset,
		      unsigned long len, unsigned *region)
{
	unsigned access = f->flags & O_ACCMODE;

	if (offset % PAGE_SIZE)
		return -EINVAL;
	if (!f->vnode || !S_ISREG(f->vnode->mode))
		return -ENODEV;
	if (access == O_WRONLY)
		return -EACCES;
	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return -EOVERFLOW;
	if (flags & MAP_SHARED) {
		*region |= REGION_SHARED;
		if (access == O_RDONLY) {
			if (prot & PROT_WRITE)
				return -EACCES;
			*region |= REGION_NOWRITE;
		}
	}
	return 0;
}

static long map_at(struct aspace *as, unsigned long addr, unsigned long len, unsigned prot,
		   bool fixed, unsigned region, struct vnode *vn, uint64_t offset)
{
	int err = 0;

	mutex_lock(&as->lock);
	if (fixed)
		err = aspace_unmap(as, addr, addr + len);
	else
		addr = aspace_find(as, addr, len);
	if (!addr)
		err = -ENOMEM;
	if (!err)
		err = aspace_map(as, addr, addr + len, prot, region, vn, offset, ~0ul);
	mutex_unlock(&as->lock);
	return err ? err : (long)addr;
}

long sys_mmap(struct trapframe *tf)
{
	unsigned long addr = ARG0(tf), len = ARG1(tf);
	unsigned prot = (unsigned)ARG2(tf), flags = (unsigned)ARG3(tf), region = 0;
	unsigned share = flags & (MAP_SHARED | MAP_PRIVATE);
	bool fixed = flags & MAP_FIXED;
	struct aspace *as = current_proc()->aspace;
	struct file *f = NULL;
	long ret = 0;

	if (!len || (prot & ~PROT_ALL) || (share != MAP_SHARED && share != MAP_PRIVATE))
		return -EINVAL;
	if (!fixed)
		addr = addr <= USER_END ? ROUND_DOWN(addr, PAGE_SIZE) : 0;
	if (addr % PAGE_SIZE || (fixed && addr < USER_START))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		f = fd_get((int)ARG4(tf));
		if (!f)
			return -EBADF;
		ret = check_file(f, prot, flags, ARG5(tf), len, &region);
	} else if (share == MAP_SHARED) {
		region |= REGION_SHARED;
	}
	if (!ret && (len > USER_END || !range_ok(fixed ? addr : 0, &len)))
		ret = -ENOMEM;
	if (!ret)
		ret = map_at(as, addr, len, prot, fixed, region, f ? f->vnode : NULL,
			     f ? ARG5(tf) : 0);
	if (f)
		file_put(f);
	if (ret > 0 && unlikely(as->lock_future))
		aspace_populate(as, (unsigned long)ret, (unsigned long)ret + len);
	return ret;
}

long sys_munmap(struct trapframe *tf)
{
	struct aspace *as = current_proc()->aspace;
	unsigned long addr = ARG0(tf), len = ARG1(tf);
	int err;

	if (!len || !range_ok(addr, &len))
		return -EINVAL;
	mutex_lock(&as->lock);
	err = aspace_unmap(as, addr, addr + len);
	mutex_unlock(&as->lock);
	return err;
}

long sys_mprotect(struct trapframe *tf)
{
	struct aspace *as = current_proc()->aspace;
	unsigned long addr = ARG0(tf), len = ARG1(tf);
	int err;

	if ((ARG2(tf) & ~(unsigned long)PROT_ALL) || addr % PAGE_SIZE)
		return -EINVAL;
	if (!range_ok(addr, &len))
		return -ENOMEM;
	if (!len)
		return 0;
	mutex_lock(&as->lock);
	err = aspace_protect(as, addr, addr + len, (unsigned)ARG2(tf));
	mutex_unlock(&as->lock);
	return err;
}

/* The range of the first two arguments; len 0 is left to the caller. -EINVAL: not page aligned;
 * -ENOMEM: not user addresses. */
static int range_arg(struct trapframe *tf, unsigned long *start, unsigned long *end)
{
	unsigned long len = ARG1(tf);

	*start = ARG0(tf);
	if (*start % PAGE_SIZE)
		return -EINVAL;
	if (!range_ok(*start, &len))
		return -ENOMEM;
	*end = *start + len;
	return 0;
}

long sys_msync(struct trapframe *tf)
{
	unsigned long start, end, flags = ARG2(tf);
	int err = range_arg(tf, &start, &end);

	if (flags & ~(unsigned long)(MS_ASYNC | MS_SYNC | MS_INVALIDATE) ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	return err ? err : aspace_sync(current_proc()->aspace, start, end, flags & MS_SYNC);
}

long sys_madvise(struct trapframe *tf)
{
	unsigned long start, end, advice = ARG2(tf);
	int err = range_arg(tf, &start, &end);

	if (advice > MADV_DONTNEED && advice != MADV_FREE)
		return -EINVAL;
	return err || start == end ? err
				   : aspace_advise(current_proc()->aspace, start, end, (int)advice);
}

long sys_mincore(struct trapframe *tf)
{
	unsigned long start, end, next;
	uaddr_t out = UADDR(ARG2(tf));
	int err = range_arg(tf, &start, &end);
	char there[256];

	for (; !err && start < end; start = next) {
		next = min(start + sizeof(there) * PAGE_SIZE, end);
		err = aspace_resident(current_proc()->aspace, start, next, there);
		if (!err)
			err = copy_to_user(out, there, (next - start) / PAGE_SIZE);
		out.v += (next - start) / PAGE_SIZE;
	}
	return err;
}

/* An address need not be a page's: the pages that the range touches. */
static int lock_range(struct trapframe *tf, unsigned long *start, unsigned long *end)
{
	unsigned long in = ARG0(tf) % PAGE_SIZE, len;

	*start = ARG0(tf) - in;
	if (__builtin_add_overflow(ARG1(tf), in, &len) || !range_ok(*start, &len))
		return -ENOMEM;
	*end = ARG1(tf) ? *start + len : *start;
	return 0;
}

long sys_mlock(struct trapframe *tf)
{
	unsigned long start, end;
	int err = lock_range(tf, &start, &end);

	return err ? err : aspace_populate(current_proc()->aspace, start, end);
}

long sys_munlock(struct trapframe *tf)
{
	unsigned long start, end;
	int err = lock_range(tf, &start, &end);

	return err || start == end ? err : aspace_covered(current_proc()->aspace, start, end);
}

long sys_mlockall(struct trapframe *tf)
{
	struct aspace *as = current_proc()->aspace;
	unsigned long flags = ARG0(tf);

	if (flags & ~(unsigned long)(MCL_CURRENT | MCL_FUTURE))
		return -EINVAL;
	as->lock_future = flags & MCL_FUTURE;
	return flags & MCL_CURRENT ? aspace_populate_all(as) : 0;
}
