/* SPDX-License-Identifier: MIT */
/* System calls on names: they copy the name in and call kernel/fs. */
#include <fs.h>
#include <proc.h>
#include <usercopy.h>
#include "syscall.h"

int path_from_user(char *buf, uaddr_t path)
{
	ssize_t n = strncpy_from_user(buf, path, PATH_MAX);

	return n < 0 ? (int)n : 0;
}

long sys_open(struct trapframe *tf)
{
	unsigned flags = (unsigned)ARG1(tf);
	char path[PATH_MAX];
	struct file *f;
	int err = path_from_user(path, UADDR(ARG0(tf)));

	if (!err)
		err = file_open(path, flags & ~(unsigned)O_CLOEXEC, (mode_t)ARG2(tf), &f);
	return err ? err : fd_install(f, 0, flags & O_CLOEXEC);
}

static long do_stat(struct trapframe *tf, unsigned flags)
{
	struct parvix_stat st;
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	if (!err)
		err = path_stat(path, flags, &st);
	return err ? err : put_user(UADDR(ARG1(tf)), st);
}

long sys_stat(struct trapframe *tf)
{
	return do_stat(tf, 0);
}

long sys_lstat(struct trapframe *tf)
{
	return do_stat(tf, NAMEI_NOFOLLOW);
}

long sys_statfs(struct trapframe *tf)
{
	struct parvix_statfs st;
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	if (!err)
		err = path_statfs(path, &st);
	return err ? err : put_user(UADDR(ARG1(tf)), st);
}

long sys_access(struct trapframe *tf)
{
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	if (ARG1(tf) & ~(unsigned long)(R_OK | W_OK | X_OK))
		return -EINVAL;
	return err ? err : path_access(path, (unsigned)ARG1(tf));
}

long sys_chdir(struct trapframe *tf)
{
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	return err ? err : path_chdir(path);
}

long sys_chroot(struct trapframe *tf)
{
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	if (!cred_root())
		return -EPERM;
	return err ? err : path_chroot(path);
}

long sys_getcwd(struct trapframe *tf)
{
	char path[PATH_MAX];
	ssize_t n = vnode_path(current_proc()->cwd, path, sizeof(path));

	if (n < 0)
		return n;
	if (ARG1(tf) < (size_t)n)
		return ARG1(tf) ? -ERANGE : -EINVAL;
	return copy_to_user(UADDR(ARG0(tf)), path, (size_t)n) ? -EFAULT : n;
}

long sys_mkdir(struct trapframe *tf)
{
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	return err ? err : path_mkdir(path, (mode_t)ARG1(tf));
}

long sys_mknod(struct trapframe *tf)
{
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	return err ? err : path_mknod(path, (mode_t)ARG1(tf), (dev_t)ARG2(tf));
}

long sys_rmdir(struct trapframe *tf)
{
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	return err ? err : path_rmdir(path);
}

long sys_unlink(struct trapframe *tf)
{
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	return err ? err : path_unlink(path);
}

/* Two names: the second is @what is done with the first. */
static long two_paths(struct trapframe *tf, int (*what)(const char *, const char *))
{
	char first[PATH_MAX], second[PATH_MAX];
	int err = path_from_user(first, UADDR(ARG0(tf)));

	if (!err)
		err = path_from_user(second, UADDR(ARG1(tf)));
	return err ? err : what(first, second);
}

long sys_link(struct trapframe *tf)
{
	return two_paths(tf, path_link);
}

long sys_symlink(struct trapframe *tf)
{
	return two_paths(tf, path_symlink);
}

long sys_rename(struct trapframe *tf)
{
	return two_paths(tf, path_rename);
}

long sys_readlink(struct trapframe *tf)
{
	char path[PATH_MAX], target[PATH_MAX];
	size_t size = min(ARG2(tf), sizeof(target));
	ssize_t n = path_from_user(path, UADDR(ARG0(tf)));

	if (n)
		return n;
	if (!size)
		return -EINVAL;
	n = path_readlink(path, target, sizeof(target));
	if (n < 0)
		return n;
	n = min(n, (ssize_t)size);
	return copy_to_user(UADDR(ARG1(tf)), target, (size_t)n) ? -EFAULT : n;
}

long sys_chmod(struct trapframe *tf)
{
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	return err ? err : path_chmod(path, (mode_t)ARG1(tf));
}

static long do_chown(struct trapframe *tf, unsigned flags)
{
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	return err ? err : path_chown(path, flags, (uid_t)ARG1(tf), (gid_t)ARG2(tf));
}

long sys_chown(struct trapframe *tf)
{
	return do_chown(tf, 0);
}

long sys_lchown(struct trapframe *tf)
{
	return do_chown(tf, NAMEI_NOFOLLOW);
}

long sys_truncate(struct trapframe *tf)
{
	char path[PATH_MAX];
	int err = path_from_user(path, UADDR(ARG0(tf)));

	return err ? err : path_truncate(path, (off_t)ARG1(tf));
}

long sys_utimens(struct trapframe *tf)
{
	struct parvix_timespec ts[2], *times = NULL;
	char path[PATH_MAX];
	struct file *f;
	int err;

	if (ARG3(tf) & ~(unsigned long)AT_SYMLINK_NOFOLLOW)
		return -EINVAL;
	if (ARG2(tf)) {
		if (copy_from_user(ts, UADDR(ARG2(tf)), sizeof(ts)))
			return -EFAULT;
		times = ts;
	}
	if (ARG0(tf)) {
		err = path_from_user(path, UADDR(ARG0(tf)));
		return err ? err : path_utimens(path, ARG3(tf) ? NAMEI_NOFOLLOW : 0, times);
	}
	f = fd_get((int)ARG1(tf));
	if (!f)
		return -EBADF;
	err = file_utimens(f, times);
	file_put(f);
	return err;
}

long sys_sync(struct trapframe *tf)
{
	(void)tf;
	return fs_sync();
}

/* A short string argument; 0 gives "". */
static int text_from_user(char *buf, size_t size, unsigned long text)
{
	ssize_t n = 0;

	buf[0] = 0;
	if (text)
		n = strncpy_from_user(buf, UADDR(text), size);
	return n < 0 ? (int)n : 0;
}

long sys_mount(struct trapframe *tf)
{
	char source[PATH_MAX], target[PATH_MAX], type[16], options[256];
	int err;

	if (!cred_root())
		return -EPERM;
	err = text_from_user(source, sizeof(source), ARG0(tf));
	if (!err)
		err = path_from_user(target, UADDR(ARG1(tf)));
	if (!err)
		err = text_from_user(type, sizeof(type), ARG2(tf));
	if (!err)
		err = text_from_user(options, sizeof(options), ARG4(tf));
	if (err)
		return err;
	return fs_mount(source, target, type, (unsigned)ARG3(tf), ARG4(tf) ? options : NULL);
}

long sys_umount(struct trapframe *tf)
{
	char target[PATH_MAX];
	int err;

	if (!cred_root())
		return -EPERM;
	err = path_from_user(target, UADDR(ARG0(tf)));
	return err ? err : fs_unmount(target, (unsigned)ARG1(tf));
}
