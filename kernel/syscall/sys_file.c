/* SPDX-License-Identifier: MIT */
/*
 * System calls on descriptors. Each turns the number into the open file, with a reference, so that
 * another thread's close does not pull it away meanwhile, and calls kernel/fs.
 */
#include <fs.h>
#include <proc.h>
#include <tty.h>
#include <usercopy.h>
#include "syscall.h"

/* Longest single transfer: results must fit into a positive int for old programs. */
#define IO_MAX 0x7ffff000ul
#define IO_LONG 65536 /* from here on its time is taken */

long sys_close(struct trapframe *tf)
{
	return fd_close((int)ARG0(tf));
}

enum io_kind { IO_READ, IO_WRITE, IO_PREAD, IO_PWRITE };

static ssize_t transfer(int fd, struct uio *uio, off_t pos, enum io_kind kind)
{
	struct file *f = fd_get(fd);
	ssize_t ret;

	if (!f)
		return -EBADF;
	switch (kind) {
	case IO_READ:
		ret = file_read(f, uio);
		break;
	case IO_WRITE:
		ret = file_write(f, uio);
		break;
	case IO_PREAD:
		ret = file_pread(f, uio, pos);
		break;
	default:
		ret = file_pwrite(f, uio, pos);
	}
	file_put(f);
	return ret;
}

static long simple_io(struct trapframe *tf, off_t pos, enum io_kind kind)
{
	struct parvix_iovec iov;
	struct uio uio;
	long ret;

	if ((ssize_t)ARG2(tf) < 0)
		return -EINVAL;
	if (!user_range_ok(UADDR(ARG1(tf)), ARG2(tf)))
		return -EFAULT;
	uio_user(&uio, &iov, UADDR(ARG1(tf)), min(ARG2(tf), IO_MAX));
	if (likely(ARG2(tf) < IO_LONG))
		return transfer((int)ARG0(tf), &uio, pos, kind);
	thread_account();
	ret = transfer((int)ARG0(tf), &uio, pos, kind);
	thread_account_kernel();
	return ret;
}

long sys_read(struct trapframe *tf)
{
	return simple_io(tf, 0, IO_READ);
}

long sys_write(struct trapframe *tf)
{
	return simple_io(tf, 0, IO_WRITE);
}

long sys_pread(struct trapframe *tf)
{
	return simple_io(tf, (off_t)ARG3(tf), IO_PREAD);
}

long sys_pwrite(struct trapframe *tf)
{
	return simple_io(tf, (off_t)ARG3(tf), IO_PWRITE);
}

static long vector_io(struct trapframe *tf, off_t pos, enum io_kind kind)
{
	struct parvix_iovec few[8], *iov = few;
	unsigned long n = ARG2(tf);
	struct uio uio;
	long ret;

	if (n > IOV_MAX)
		return -EINVAL;
	if (n > ARRAY_SIZE(few)) {
		iov = kmalloc(n * sizeof(*iov), 0);
		if (!iov)
			return -ENOMEM;
	}
	if (copy_from_user(iov, UADDR(ARG1(tf)), n * sizeof(*iov)))
		ret = -EFAULT;
	else
		ret = uio_user_vec(&uio, iov, (unsigned)n);
	if (!ret)
		ret = transfer((int)ARG0(tf), &uio, pos, kind);
	if (iov != few)
		kfree(iov);
	return ret;
}

long sys_readv(struct trapframe *tf)
{
	return vector_io(tf, 0, IO_READ);
}

long sys_writev(struct trapframe *tf)
{
	return vector_io(tf, 0, IO_WRITE);
}

long sys_preadv(struct trapframe *tf)
{
	return vector_io(tf, (off_t)ARG3(tf), IO_PREAD);
}

long sys_pwritev(struct trapframe *tf)
{
	return vector_io(tf, (off_t)ARG3(tf), IO_PWRITE);
}

long sys_lseek(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	long ret;

	if (!f)
		return -EBADF;
	ret = file_seek(f, (off_t)ARG1(tf), (int)ARG2(tf));
	file_put(f);
	return ret;
}

long sys_dup(struct trapframe *tf)
{
	return fd_dup((int)ARG0(tf));
}

long sys_dup2(struct trapframe *tf)
{
	return fd_dup2((int)ARG0(tf), (int)ARG1(tf));
}

long sys_fcntl(struct trapframe *tf)
{
	return fd_fcntl((int)ARG0(tf), (int)ARG1(tf), (long)ARG2(tf));
}

long sys_pipe2(struct trapframe *tf)
{
	unsigned flags = (unsigned)ARG1(tf);
	struct file *rd, *wr;
	int fds[2], err;

	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(&rd, &wr, flags);
	if (err)
		return err;
	fds[0] = fd_install(rd, 0, flags & O_CLOEXEC);
	if (fds[0] < 0) {
		file_put(wr);
		return fds[0];
	}
	fds[1] = fd_install(wr, 0, flags & O_CLOEXEC);
	err = fds[1] < 0 ? fds[1] : copy_to_user(UADDR(ARG0(tf)), fds, sizeof(fds));
	if (err) {
		fd_close(fds[0]);
		if (fds[1] >= 0)
			fd_close(fds[1]);
	}
	return err;
}

long sys_ioctl(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	long ret;

	if (!f)
		return -EBADF;
	ret = file_ioctl(f, ARG1(tf), UADDR(ARG2(tf)));
	file_put(f);
	return ret;
}

long sys_isatty(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	bool is;

	if (!f)
		return -EBADF;
	is = file_tty(f) != NULL;
	file_put(f);
	return is ? 1 : -ENOTTY;
}

long sys_fstat(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	struct parvix_stat st;
	int err;

	if (!f)
		return -EBADF;
	err = file_stat(f, &st);
	file_put(f);
	return err ? err : put_user(UADDR(ARG1(tf)), st);
}

long sys_fstatfs(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	struct parvix_statfs st;
	int err;

	if (!f)
		return -EBADF;
	err = file_statfs(f, &st);
	file_put(f);
	return err ? err : put_user(UADDR(ARG1(tf)), st);
}

long sys_fchdir(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	int err;

	if (!f)
		return -EBADF;
	err = file_chdir(f);
	file_put(f);
	return err;
}

long sys_fchmod(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	int err;

	if (!f)
		return -EBADF;
	err = file_chmod(f, (mode_t)ARG1(tf));
	file_put(f);
	return err;
}

long sys_fchown(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	int err;

	if (!f)
		return -EBADF;
	err = file_chown(f, (uid_t)ARG1(tf), (gid_t)ARG2(tf));
	file_put(f);
	return err;
}

long sys_ftruncate(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	int err;

	if (!f)
		return -EBADF;
	err = file_truncate(f, (off_t)ARG1(tf));
	file_put(f);
	return err;
}

long sys_fallocate(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	int err;

	if (!f)
		return -EBADF;
	err = file_fallocate(f, (off_t)ARG1(tf), (off_t)ARG2(tf));
	file_put(f);
	return err;
}

long sys_flock(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	int err;

	if (!f)
		return -EBADF;
	err = file_flock(f, (unsigned)ARG1(tf));
	file_put(f);
	return err;
}

static long sync_fd(struct trapframe *tf, bool data_only)
{
	struct file *f = fd_get((int)ARG0(tf));
	int err;

	if (!f)
		return -EBADF;
	err = file_sync(f, data_only);
	file_put(f);
	return err;
}

long sys_fsync(struct trapframe *tf)
{
	return sync_fd(tf, false);
}

long sys_fdatasync(struct trapframe *tf)
{
	return sync_fd(tf, true);
}

long sys_getdents(struct trapframe *tf)
{
	struct file *f = fd_get((int)ARG0(tf));
	long ret;

	if (!f)
		return -EBADF;
	ret = file_getdents(f, UADDR(ARG1(tf)), min(ARG2(tf), IO_MAX));
	file_put(f);
	return ret;
}
