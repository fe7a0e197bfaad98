/* SPDX-License-Identifier: MIT */
/*
 * System calls on the attributes of files: stat, access, chmod, chown, times, size; and on the
 * process's two directories.
 */
#include "internal.h"

int vnode_stat(struct vnode *vn, struct parvix_stat *st)
{
	vnode_fill_stat(vn, st);
	return 0;
}

int path_stat(struct vnode *at, const char *path, unsigned namei_flags, struct parvix_stat *st)
{
	struct vnode *vn;
	int err = namei(at, path, namei_flags, &vn);

	if (!err) {
		err = vnode_stat(vn, st);
		vnode_put(vn);
	}
	return err;
}

int path_access(struct vnode *at, const char *path, unsigned namei_flags, unsigned mode)
{
	struct vnode *vn;
	int err;

	if (mode & ~(unsigned)(R_OK | W_OK | X_OK))
		return -EINVAL;
	err = namei(at, path, namei_flags, &vn);
	if (!err) {
		err = vnode_access_as(vn, mode, namei_flags & NAMEI_REAL_ID);
		vnode_put(vn);
	}
	return err;
}

/* Hand the changed fields to the file system; vn->lock held. */
static int write_attributes(struct vnode *vn, struct vattr *va)
{
	vn->ctime = time_wall();
	return vn->ops->setattr ? vn->ops->setattr(vn, va) : 0;
}

/* May the current process change attributes that belong to the owner? */
static int owner_only(struct vnode *vn)
{
	if (mount_readonly(vn->mount))
		return -EROFS;
	return fs_superuser() || fs_cred()->euid == vn->uid ? 0 : -EPERM;
}

int vnode_chmod(struct vnode *vn, mode_t mode)
{
	struct vattr va = {.which = VATTR_MODE};
	int err;

	if (S_ISLNK(vn->mode))
		return -EOPNOTSUPP;
	mutex_lock(&vn->lock);
	err = owner_only(vn);
	if (!err) {
		mode &= 07777;
		if (!fs_superuser() && !cred_has_group(fs_cred(), vn->gid))
			mode &= ~S_ISGID;
		vn->mode = va.mode = (vn->mode & S_IFMT) | mode;
		err = write_attributes(vn, &va);
	}
	mutex_unlock(&vn->lock);
	return err;
}

static int chown_locked(struct vnode *vn, uid_t uid, gid_t gid)
{
	struct vattr va = {.which = VATTR_UID | VATTR_GID | VATTR_MODE};
	int err = owner_only(vn);

	if (err)
		return err;
	if (uid == (uid_t)-1)
		uid = vn->uid;
	if (gid == (gid_t)-1)
		gid = vn->gid;
	if (!fs_superuser() &&
	    (uid != vn->uid || (gid != vn->gid && !cred_has_group(fs_cred(), gid))))
		return -EPERM;
	vn->uid = va.uid = uid;
	vn->gid = va.gid = gid;
	if (S_ISREG(vn->mode) && (vn->mode & 0111))
		vn->mode &= ~(S_ISUID | S_ISGID);
	va.mode = vn->mode;
	return write_attributes(vn, &va);
}

int vnode_chown(struct vnode *vn, uid_t uid, gid_t gid)
{
	int err;

	mutex_lock(&vn->lock);
	err = chown_locked(vn, uid, gid);
	mutex_unlock(&vn->lock);
	return err;
}

static int utimens_locked(struct vnode *vn, const struct parvix_timespec ts[2])
{
	struct parvix_timespec now = time_wall();
	struct vattr va = {.which = VATTR_ATIME | VATTR_MTIME, .atime = now, .mtime = now};
	int err = owner_only(vn);

	/* "Now" is also for those who may write the file. */
	if (err == -EPERM && (!ts || (ts[0].tv_nsec == UTIME_NOW && ts[1].tv_nsec == UTIME_NOW)))
		err = vnode_access(vn, W_OK);
	if (err)
		return err;
	if (ts && ts[0].tv_nsec == UTIME_OMIT)
		va.which &= ~VATTR_ATIME;
	else if (ts && ts[0].tv_nsec != UTIME_NOW)
		va.atime = ts[0];
	if (ts && ts[1].tv_nsec == UTIME_OMIT)
		va.which &= ~VATTR_MTIME;
	else if (ts && ts[1].tv_nsec != UTIME_NOW)
		va.mtime = ts[1];
	if (va.which & VATTR_ATIME)
		vn->atime = va.atime;
	if (va.which & VATTR_MTIME)
		vn->mtime = va.mtime;
	return write_attributes(vn, &va);
}

int vnode_utimens(struct vnode *vn, const struct parvix_timespec ts[2])
{
	int err;

	for (unsigned i = 0; ts && i < 2; i++)
		if (ts[i].tv_nsec != UTIME_NOW && ts[i].tv_nsec != UTIME_OMIT &&
		    (ts[i].tv_nsec < 0 || ts[i].tv_nsec >= NSEC_PER_SEC))
			return -EINVAL;
	mutex_lock(&vn->lock);
	err = utimens_locked(vn, ts);
	mutex_unlock(&vn->lock);
	return err;
}

int file_limit(uint64_t size)
{
	struct proc *p = fs_proc();

	if (!p || size <= p->limits[RLIMIT_FSIZE].rlim_cur)
		return 0;
	signal_send(p, SIGXFSZ, NULL);
	return -EFBIG;
}

int vnode_truncate(struct vnode *vn, off_t size)
{
	int err;

	if (size < 0)
		return -EINVAL;
	if (!S_ISREG(vn->mode))
		return S_ISDIR(vn->mode) ? -EISDIR : -EINVAL;
	err = (uint64_t)size > vn->size ? file_limit((uint64_t)size) : 0;
	if (err)
		return err;
	mutex_lock(&vn->lock);
	err = vnode_set_size(vn, (uint64_t)size);
	mutex_unlock(&vn->lock);
	return err;
}

int path_chmod(struct vnode *at, const char *path, unsigned namei_flags, mode_t mode)
{
	struct vnode *vn;
	int err = namei(at, path, namei_flags, &vn);

	if (!err) {
		err = vnode_chmod(vn, mode);
		vnode_put(vn);
	}
	return err;
}

int path_chown(struct vnode *at, const char *path, unsigned namei_flags, uid_t uid, gid_t gid)
{
	struct vnode *vn;
	int err = namei(at, path, namei_flags, &vn);

	if (!err) {
		err = vnode_chown(vn, uid, gid);
		vnode_put(vn);
	}
	return err;
}

int path_utimens(struct vnode *at, const char *path, unsigned namei_flags,
		 const struct parvix_timespec ts[2])
{
	struct vnode *vn;
	int err = namei(at, path, namei_flags, &vn);

	if (!err) {
		err = vnode_utimens(vn, ts);
		vnode_put(vn);
	}
	return err;
}

int path_truncate(const char *path, off_t size)
{
	struct vnode *vn;
	int err = namei(NULL, path, 0, &vn);

	if (err)
		return err;
	err = vnode_access(vn, W_OK);
	if (!err)
		err = vnode_claim(vn, 1);
	if (!err) {
		err = vnode_truncate(vn, size);
		vnode_unclaim(vn, 1);
	}
	vnode_put(vn);
	return err;
}

int path_statfs(const char *path, struct parvix_statfs *st)
{
	struct vnode *vn;
	int err = namei(NULL, path, 0, &vn);

	if (!err) {
		err = vnode_statfs(vn, st);
		vnode_put(vn);
	}
	return err;
}

/* Make @vn (whose reference is taken over) the process's directory *@slot. */
static int change_directory(struct vnode **slot, struct vnode *vn)
{
	struct vnode *old = *slot;
	int err = S_ISDIR(vn->mode) ? vnode_access(vn, X_OK) : -ENOTDIR;

	if (err) {
		vnode_put(vn);
		return err;
	}
	spin_lock(&proc_lock); /* /proc/PID/cwd looks */
	*slot = vn;
	spin_unlock(&proc_lock);
	vnode_put(old);
	return 0;
}

int path_chdir(const char *path)
{
	struct vnode *vn;
	int err = namei(NULL, path, 0, &vn);

	return err ? err : change_directory(&current_proc()->cwd, vn);
}

int file_chdir(struct file *f)
{
	if (!f->vnode)
		return -ENOTDIR;
	return change_directory(&current_proc()->cwd, vnode_get(f->vnode));
}

int path_chroot(const char *path)
{
	struct vnode *vn;
	int err = fs_superuser() ? namei(NULL, path, 0, &vn) : -EPERM;

	return err ? err : change_directory(&current_proc()->root, vn);
}
