/* SPDX-License-Identifier: MIT */
/*
 * System calls on names: they copy the name in and call kernel/fs.
 *
 * Each exists once, with the directory that a relative name starts at; the calls without one are
 * the same with AT_FDCWD. A name in the kernel is a struct name: most are short and lie on the
 * stack.
 */
#include <fs.h>
#include <proc.h>
#include <usercopy.h>
#include "syscall.h"

int name_get(struct name *n, int dirfd, unsigned long path)
{
	ssize_t len = strncpy_from_user(n->few, UADDR(path), sizeof(n->few));
	struct file *f;
	int err = 0;

	n->at = NULL;
	n->path = n->few;
	if (len == -ENAMETOOLONG) {
		n->path = kmalloc(PATH_MAX, 0);
		if (!n->path)
			return -ENOMEM;
		len = strncpy_from_user(n->path, UADDR(path), PATH_MAX);
	}
	if (len < 0) {
		name_put(n);
		return (int)len;
	}
	if (likely(dirfd == AT_FDCWD) || n->path[0] == '/' || !n->path[0])
		return 0;
	f = fd_get(dirfd);
	if (!f)
		err = -EBADF;
	else if (!f->vnode || !S_ISDIR(f->vnode->mode))
		err = -ENOTDIR;
	else
		n->at = vnode_get(f->vnode);
	if (f)
		file_put(f);
	if (err)
		name_put(n);
	return err;
}

void name_put(struct name *n)
{
	if (n->path != n->few)
		kfree(n->path);
	if (n->at)
		vnode_put(n->at);
	n->path = n->few;
	n->at = NULL;
}

/* AT_SYMLINK_NOFOLLOW and those of @more, which the caller looks at; -EINVAL: another. */
static int at_flags(unsigned long flags, unsigned more, unsigned *namei_flags)
{
	if (flags & ~(unsigned long)(AT_SYMLINK_NOFOLLOW | more))
		return -EINVAL;
	*namei_flags = flags & AT_SYMLINK_NOFOLLOW ? NAMEI_NOFOLLOW : 0;
	return 0;
}

static long do_open(int dirfd, unsigned long path, unsigned flags, mode_t mode)
{
	struct file *f;
	struct name n;
	/* Known too late, a file would have been made, or a FIFO waited for. */
	int err = fd_exhausted() ? -EMFILE : name_get(&n, dirfd, path);

	if (err)
		return err;
	err = file_open(n.at, n.path, flags & ~(unsigned)O_CLOEXEC, mode, &f);
	name_put(&n);
	return err ? err : fd_install(f, 0, flags & O_CLOEXEC);
}

long sys_open(struct trapframe *tf)
{
	return do_open(AT_FDCWD, ARG0(tf), (unsigned)ARG1(tf), (mode_t)ARG2(tf));
}

long sys_openat(struct trapframe *tf)
{
	return do_open((int)ARG0(tf), ARG1(tf), (unsigned)ARG2(tf), (mode_t)ARG3(tf));
}

static long do_stat(int dirfd, unsigned long path, uaddr_t to, unsigned long flags)
{
	struct parvix_stat st;
	struct name n;
	unsigned how;
	int err = at_flags(flags, 0, &how);

	if (!err)
		err = name_get(&n, dirfd, path);
	if (err)
		return err;
	err = path_stat(n.at, n.path, how, &st);
	name_put(&n);
	return err ? err : put_user(to, st);
}

long sys_stat(struct trapframe *tf)
{
	return do_stat(AT_FDCWD, ARG0(tf), UADDR(ARG1(tf)), 0);
}

long sys_lstat(struct trapframe *tf)
{
	return do_stat(AT_FDCWD, ARG0(tf), UADDR(ARG1(tf)), AT_SYMLINK_NOFOLLOW);
}

long sys_fstatat(struct trapframe *tf)
{
	return do_stat((int)ARG0(tf), ARG1(tf), UADDR(ARG2(tf)), ARG3(tf));
}

long sys_statfs(struct trapframe *tf)
{
	struct parvix_statfs st;
	struct name n;
	int err = name_get(&n, AT_FDCWD, ARG0(tf));

	if (err)
		return err;
	err = path_statfs(n.path, &st);
	name_put(&n);
	return err ? err : put_user(UADDR(ARG1(tf)), st);
}

static long do_access(int dirfd, unsigned long path, unsigned mode, unsigned long flags)
{
	struct name n;
	unsigned how;
	int err = at_flags(flags, AT_EACCESS, &how);

	if (!err)
		err = name_get(&n, dirfd, path);
	if (err)
		return err;
	err = path_access(n.at, n.path, how | (flags & AT_EACCESS ? 0 : NAMEI_REAL_ID), mode);
	name_put(&n);
	return err;
}

long sys_access(struct trapframe *tf)
{
	return do_access(AT_FDCWD, ARG0(tf), (unsigned)ARG1(tf), 0);
}

long sys_faccessat(struct trapframe *tf)
{
	return do_access((int)ARG0(tf), ARG1(tf), (unsigned)ARG2(tf), ARG3(tf));
}

/* A call that takes a path, and nothing else, from the working directory on. */
static long one_path(unsigned long path, int (*what)(const char *path))
{
	struct name n;
	int err = name_get(&n, AT_FDCWD, path);

	if (err)
		return err;
	err = what(n.path);
	name_put(&n);
	return err;
}

long sys_chdir(struct trapframe *tf)
{
	return one_path(ARG0(tf), path_chdir);
}

long sys_chroot(struct trapframe *tf)
{
	return cred_root() ? one_path(ARG0(tf), path_chroot) : -EPERM;
}

long sys_getcwd(struct trapframe *tf)
{
	char *path = kmalloc(PATH_MAX, 0);
	ssize_t n;

	if (!path)
		return -ENOMEM;
	n = vnode_path(current_proc()->cwd, path, PATH_MAX);
	if (n >= 0 && ARG1(tf) < (size_t)n)
		n = ARG1(tf) ? -ERANGE : -EINVAL;
	if (n >= 0 && copy_to_user(UADDR(ARG0(tf)), path, (size_t)n))
		n = -EFAULT;
	kfree(path);
	return n;
}

static long do_mknod(int dirfd, unsigned long path, mode_t mode, dev_t rdev)
{
	struct name n;
	int err = name_get(&n, dirfd, path);

	if (err)
		return err;
	err = S_ISDIR(mode) ? path_mkdir(n.at, n.path, mode) : path_mknod(n.at, n.path, mode, rdev);
	name_put(&n);
	return err;
}

long sys_mkdir(struct trapframe *tf)
{
	return do_mknod(AT_FDCWD, ARG0(tf), S_IFDIR | ((mode_t)ARG1(tf) & 07777), 0);
}

long sys_mkdirat(struct trapframe *tf)
{
	return do_mknod((int)ARG0(tf), ARG1(tf), S_IFDIR | ((mode_t)ARG2(tf) & 07777), 0);
}

long sys_mknod(struct trapframe *tf)
{
	return S_ISDIR(ARG1(tf)) ? -EINVAL
				 : do_mknod(AT_FDCWD, ARG0(tf), (mode_t)ARG1(tf), (dev_t)ARG2(tf));
}

long sys_mknodat(struct trapframe *tf)
{
	return S_ISDIR(ARG2(tf))
		       ? -EINVAL
		       : do_mknod((int)ARG0(tf), ARG1(tf), (mode_t)ARG2(tf), (dev_t)ARG3(tf));
}

static long do_unlink(int dirfd, unsigned long path, unsigned long flags)
{
	struct name n;
	int err = flags & ~(unsigned long)AT_REMOVEDIR ? -EINVAL : name_get(&n, dirfd, path);

	if (err)
		return err;
	err = flags ? path_rmdir(n.at, n.path) : path_unlink(n.at, n.path);
	name_put(&n);
	return err;
}

long sys_rmdir(struct trapframe *tf)
{
	return do_unlink(AT_FDCWD, ARG0(tf), AT_REMOVEDIR);
}

long sys_unlink(struct trapframe *tf)
{
	return do_unlink(AT_FDCWD, ARG0(tf), 0);
}

long sys_unlinkat(struct trapframe *tf)
{
	return do_unlink((int)ARG0(tf), ARG1(tf), ARG2(tf));
}

/* Two names: link() or, with @flags negative, rename(). */
static long two_names(int dir1, unsigned long path1, int dir2, unsigned long path2, long flags)
{
	struct name from, to;
	int err;

	if (flags > 0 && flags != AT_SYMLINK_FOLLOW)
		return -EINVAL;
	err = name_get(&from, dir1, path1);
	if (err)
		return err;
	err = name_get(&to, dir2, path2);
	if (!err) {
		err = flags < 0 ? path_rename(from.at, from.path, to.at, to.path)
				: path_link(from.at, from.path, to.at, to.path,
					    flags ? 0 : NAMEI_NOFOLLOW);
		name_put(&to);
	}
	name_put(&from);
	return err;
}

long sys_link(struct trapframe *tf)
{
	return two_names(AT_FDCWD, ARG0(tf), AT_FDCWD, ARG1(tf), 0);
}

long sys_linkat(struct trapframe *tf)
{
	return two_names((int)ARG0(tf), ARG1(tf), (int)ARG2(tf), ARG3(tf), (unsigned)ARG4(tf));
}

long sys_rename(struct trapframe *tf)
{
	return two_names(AT_FDCWD, ARG0(tf), AT_FDCWD, ARG1(tf), -1);
}

long sys_renameat(struct trapframe *tf)
{
	return two_names((int)ARG0(tf), ARG1(tf), (int)ARG2(tf), ARG3(tf), -1);
}

static long do_symlink(unsigned long target, int dirfd, unsigned long path)
{
	struct name text, n;
	int err = name_get(&text, AT_FDCWD, target);

	if (err)
		return err;
	err = name_get(&n, dirfd, path);
	if (!err) {
		err = path_symlink(text.path, n.at, n.path);
		name_put(&n);
	}
	name_put(&text);
	return err;
}

long sys_symlink(struct trapframe *tf)
{
	return do_symlink(ARG0(tf), AT_FDCWD, ARG1(tf));
}

long sys_symlinkat(struct trapframe *tf)
{
	return do_symlink(ARG0(tf), (int)ARG1(tf), ARG2(tf));
}

static long do_readlink(int dirfd, unsigned long path, uaddr_t to, size_t size)
{
	struct name n;
	char *target;
	ssize_t len = name_get(&n, dirfd, path);

	if (len)
		return len;
	target = kmalloc(PATH_MAX, 0);
	if (!size)
		len = -EINVAL;
	else
		len = target ? path_readlink(n.at, n.path, target, PATH_MAX) : -ENOMEM;
	name_put(&n);
	if (len > 0) {
		if ((size_t)len > size)
			len = (ssize_t)size;
		if (copy_to_user(to, target, (size_t)len))
			len = -EFAULT;
	}
	kfree(target);
	return len;
}

long sys_readlink(struct trapframe *tf)
{
	return do_readlink(AT_FDCWD, ARG0(tf), UADDR(ARG1(tf)), ARG2(tf));
}

long sys_readlinkat(struct trapframe *tf)
{
	return do_readlink((int)ARG0(tf), ARG1(tf), UADDR(ARG2(tf)), ARG3(tf));
}

static long do_chmod(int dirfd, unsigned long path, mode_t mode, unsigned long flags)
{
	struct name n;
	unsigned how;
	int err = at_flags(flags, 0, &how);

	if (!err)
		err = name_get(&n, dirfd, path);
	if (err)
		return err;
	err = path_chmod(n.at, n.path, how, mode);
	name_put(&n);
	return err;
}

long sys_chmod(struct trapframe *tf)
{
	return do_chmod(AT_FDCWD, ARG0(tf), (mode_t)ARG1(tf), 0);
}

long sys_fchmodat(struct trapframe *tf)
{
	return do_chmod((int)ARG0(tf), ARG1(tf), (mode_t)ARG2(tf), ARG3(tf));
}

static long do_chown(int dirfd, unsigned long path, uid_t uid, gid_t gid, unsigned long flags)
{
	struct name n;
	unsigned how;
	int err = at_flags(flags, 0, &how);

	if (!err)
		err = name_get(&n, dirfd, path);
	if (err)
		return err;
	err = path_chown(n.at, n.path, how, uid, gid);
	name_put(&n);
	return err;
}

long sys_chown(struct trapframe *tf)
{
	return do_chown(AT_FDCWD, ARG0(tf), (uid_t)ARG1(tf), (gid_t)ARG2(tf), 0);
}

long sys_lchown(struct trapframe *tf)
{
	return do_chown(AT_FDCWD, ARG0(tf), (uid_t)ARG1(tf), (gid_t)ARG2(tf), AT_SYMLINK_NOFOLLOW);
}

long sys_fchownat(struct trapframe *tf)
{
	return do_chown((int)ARG0(tf), ARG1(tf), (uid_t)ARG2(tf), (gid_t)ARG3(tf), ARG4(tf));
}

long sys_truncate(struct trapframe *tf)
{
	struct name n;
	int err = name_get(&n, AT_FDCWD, ARG0(tf));

	if (err)
		return err;
	err = path_truncate(n.path, (off_t)ARG1(tf));
	name_put(&n);
	return err;
}

/* Without a path it is the file that @dirfd stands for. */
static long do_utimens(int dirfd, unsigned long path, unsigned long times, unsigned long flags)
{
	struct parvix_timespec ts[2], *to = times ? ts : NULL;
	struct file *f;
	struct name n;
	unsigned how;
	int err = at_flags(flags, 0, &how);

	if (err)
		return err;
	if (to && copy_from_user(ts, UADDR(times), sizeof(ts)))
		return -EFAULT;
	if (path) {
		err = name_get(&n, dirfd, path);
		if (err)
			return err;
		err = path_utimens(n.at, n.path, how, to);
		name_put(&n);
		return err;
	}
	f = fd_get(dirfd);
	if (!f)
		return -EBADF;
	err = file_utimens(f, to);
	file_put(f);
	return err;
}

long sys_utimens(struct trapframe *tf)
{
	return do_utimens(ARG0(tf) ? AT_FDCWD : (int)ARG1(tf), ARG0(tf), ARG2(tf), ARG3(tf));
}

long sys_utimensat(struct trapframe *tf)
{
	return do_utimens((int)ARG0(tf), ARG1(tf), ARG2(tf), ARG3(tf));
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
	struct name source = {.path = source.few}, target;
	char type[16], options[256];
	int err;

	if (!cred_root())
		return -EPERM;
	err = ARG0(tf) ? name_get(&source, AT_FDCWD, ARG0(tf)) : 0;
	if (!err)
		err = name_get(&target, AT_FDCWD, ARG1(tf));
	if (!err) {
		err = text_from_user(type, sizeof(type), ARG2(tf));
		if (!err)
			err = text_from_user(options, sizeof(options), ARG4(tf));
		if (!err)
			err = fs_mount(source.path, target.path, type, (unsigned)ARG3(tf),
				       ARG4(tf) ? options : NULL);
		name_put(&target);
	}
	name_put(&source);
	return err;
}

long sys_umount(struct trapframe *tf)
{
	struct name target;
	int err = cred_root() ? name_get(&target, AT_FDCWD, ARG0(tf)) : -EPERM;

	if (err)
		return err;
	err = fs_unmount(target.path, (unsigned)ARG1(tf));
	name_put(&target);
	return err;
}
