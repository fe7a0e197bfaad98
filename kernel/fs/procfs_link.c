/* SPDX-License-Identifier: MIT */
/*
 * The links below /proc/PID: cwd, root, exe and fd/N. They lead to the object itself
 * (vnode_ops.follow); their text is for people. Names of files other than directories and devices
 * are not kept in the kernel, so those are shown by device and inode number.
 *
 * A pipe has no vnode. One is made when such a link is followed: a FIFO without a name, whose pipe
 * is that pipe, so that open() does what it does for FIFOs.
 */
#include "pipe.h"
#include "procfs.h"

#include <net.h>
#include <printk.h>
#include <string.h>

#define INO_PIPE (1ull << 62)

/* What a link stands for: one of the two, referenced. */
struct object {
	struct vnode *vnode;
	struct file *file;
};

static void object_put(struct object *o)
{
	vnode_put(o->vnode);
	if (o->file)
		file_put(o->file);
}

int process_private(pid_t pid)
{
	struct proc *p;
	int err = 0;

	spin_lock(&proc_lock);
	p = proc_find(pid);
	if (!p)
		err = -ESRCH;
	else if (!fs_superuser() && fs_cred()->euid != p->cred.euid)
		err = -EACCES;
	spin_unlock(&proc_lock);
	return err;
}

static struct file *get_file(struct proc *p, unsigned fd)
{
	struct file *f = NULL;

	if (!p->fds)
		return NULL;
	spin_lock(&p->fds->lock);
	if (fd < p->fds->top && p->fds->file[fd])
		f = file_get(p->fds->file[fd]);
	spin_unlock(&p->fds->lock);
	return f;
}

static int get_object(pid_t pid, unsigned which, struct object *o)
{
	struct vnode *vn = NULL;
	struct proc *p;
	int err = process_private(pid);

	*o = (struct object){.vnode = NULL};
	if (err)
		return err;
	spin_lock(&proc_lock);
	p = proc_find(pid);
	if (p && which >= LINK_FD)
		o->file = get_file(p, which - LINK_FD);
	else if (p)
		vn = which == LINK_CWD ? p->cwd : which == LINK_ROOT ? p->root : p->exe;
	if (vn)
		o->vnode = vnode_get(vn);
	spin_unlock(&proc_lock);
	return o->vnode || o->file ? 0 : -ENOENT;
}

int process_next_fd(pid_t pid, int fd)
{
	struct proc *p;
	int found = -1;

	spin_lock(&proc_lock);
	p = proc_find(pid);
	if (p && p->fds) {
		spin_lock(&p->fds->lock);
		for (unsigned i = fd; i < p->fds->top && found < 0; i++)
			if (p->fds->file[i])
				found = i;
		spin_unlock(&p->fds->lock);
	}
	spin_unlock(&proc_lock);
	return found;
}

static ssize_t vnode_text(struct vnode *vn, char *buf, size_t size)
{
	struct char_device *cd;
	struct block_device *bd;
	dev_t dev = vn->mount ? vn->mount->dev : 0;

	switch (vn->mode & S_IFMT) {
	case S_IFDIR:
		return vnode_path(vn, buf, size);
	case S_IFCHR:
		cd = chrdev_find(vn->rdev);
		if (cd)
			return snprintk(buf, size, "/dev/%s", cd->name);
		break;
	case S_IFBLK:
		bd = block_find(vn->rdev);
		if (bd) {
			ssize_t n = snprintk(buf, size, "/dev/%s", bd->name);

			block_put(bd);
			return n;
		}
		break;
	}
	return snprintk(buf, size, "%s:[%lu:%lu:%lu]", S_ISFIFO(vn->mode) ? "fifo" : "file",
			dev >> 20, dev & 0xfffff, vn->ino);
}

ssize_t procfs_link_text(pid_t pid, unsigned which, char *buf, size_t size)
{
	char *text = kmalloc(PATH_MAX, 0);
	struct object o;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	n = get_object(pid, which, &o);
	if (n) {
		kfree(text);
		return n;
	}
	if (o.vnode)
		n = vnode_text(o.vnode, text, PATH_MAX);
	else if (o.file->vnode)
		n = vnode_text(o.file->vnode, text, PATH_MAX);
	else if (pipe_of(o.file))
		n = snprintk(text, PATH_MAX, "pipe:[%lu]", pipe_id(pipe_of(o.file)));
	else
		n = snprintk(text, PATH_MAX, "%s", file_socket(o.file) ? "socket" : "nameless");
	object_put(&o);
	if (n > 0) {
		n = min(strnlen(text, PATH_MAX), size);
		memcpy(buf, text, n);
	}
	kfree(text);
	return n;
}

static int make_fdinfo(struct text *t, pid_t pid)
{
	struct object o;
	int err = get_object(pid, LINK_FD + t->fd, &o);

	if (err)
		return err;
	text_printf(t, "pos:\t%lu\nflags:\t0%o\n", o.file->pos, o.file->flags);
	object_put(&o);
	return 0;
}

const struct procfs_entry procfs_fdinfo = {.name = "fdinfo", .mode = 0400, .make = make_fdinfo};

static void pipe_evict(struct vnode *vn)
{
	pipe_drop(vn->pipe);
}

static const struct vnode_ops pipe_vnode_ops = {.evict = pipe_evict};

static int pipe_vnode(struct mount *mnt, struct pipe *p, struct vnode **out)
{
	struct vnode *vn;
	bool fresh;
	int err = vnode_find(mnt, INO_PIPE | pipe_id(p), &vn, &fresh);

	if (err)
		return err;
	if (fresh) {
		pipe_hold(p);
		vn->pipe = p;
		vn->ops = &pipe_vnode_ops;
		vn->mode = S_IFIFO | 0600;
		vn->uid = fs_cred()->euid;
		vn->gid = fs_cred()->egid;
		vn->nlink = 0; /* goes with its last user */
		vn->atime = vn->mtime = vn->ctime = time_wall();
		vnode_ready(vn);
	}
	*out = vn;
	return 0;
}

int procfs_link_follow(struct mount *mnt, pid_t pid, unsigned which, struct vnode **out)
{
	struct object o;
	int err = get_object(pid, which, &o);

	if (err)
		return err;
	if (o.vnode)
		*out = vnode_get(o.vnode);
	else if (o.file->vnode)
		*out = vnode_get(o.file->vnode);
	else if (pipe_of(o.file))
		err = pipe_vnode(mnt, pipe_of(o.file), out);
	else
		err = -ENXIO;
	object_put(&o);
	return err;
}
