/* SPDX-License-Identifier: MIT */
/* System calls about memory: brk, mmap, munmap, mprotect. */
#include <fs.h>
#include <mm.h>
#include <parvix/mman.h>
#include <proc.h>
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
	return (long)aspace_brk(current_proc()->aspace, ARG0(tf));
}

/* May @f be mapped so, and what is the region then? -EACCES, -ENODEV, -EINVAL. */
static int check_file(struct file *f, unsigned prot, unsigned flags, uint64_t offset,
		      unsigned long len, unsigned *region)
{
	unsigned access = f->flags & O_ACCMODE;

	if (offset % PAGE_SIZE || offset > INT64_MAX || len > INT64_MAX - offset)
		return -EINVAL;
	if (!f->vnode || !S_ISREG(f->vnode->mode))
		return -ENODEV;
	if (access == O_WRONLY)
		return -EACCES;
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
	struct file *f = NULL;
	long ret = 0;

	if (!len || (prot & ~PROT_ALL) || (share != MAP_SHARED && share != MAP_PRIVATE))
		return -EINVAL;
	if (!fixed)
		addr = addr <= USER_END ? ROUND_DOWN(addr, PAGE_SIZE) : 0;
	if (addr % PAGE_SIZE || (fixed && addr < USER_START))
		return -EINVAL;
	if (len > USER_END || !range_ok(fixed ? addr : 0, &len))
		return -ENOMEM;
	if (!(flags & MAP_ANONYMOUS)) {
		f = fd_get((int)ARG4(tf));
		if (!f)
			return -EBADF;
		ret = check_file(f, prot, flags, ARG5(tf), len, &region);
	} else if (share == MAP_SHARED) {
		region |= REGION_SHARED;
	}
	if (!ret)
		ret = map_at(current_proc()->aspace, addr, len, prot, fixed, region,
			     f ? f->vnode : NULL, f ? ARG5(tf) : 0);
	if (f)
		file_put(f);
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
