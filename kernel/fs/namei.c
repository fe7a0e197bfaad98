/* SPDX-License-Identifier: MIT */
/*
 * From a path to a vnode.
 *
 * walk_path() goes through the components one by one: search permission in the directory, the name
 * cache, else the file system's lookup under the directory's lock; then over mount points to the
 * root of what is mounted there. ".." leads, in the root of a mounted file system, to the parent of
 * the directory that it covers, and nowhere from the process's root. A symbolic link is put in
 * front of what is left of the path, in a buffer, and the walk goes on: no recursion, SYMLOOP_MAX
 * links in all.
 *
 * Only one directory is locked at any time, and only for the length of one lookup. So what
 * walk_path() has found may have changed when a caller locks the directory to change it: callers
 * look again then (dir_lookup_locked), which costs little with the name cache.
 */
#include "internal.h"

#include <string.h>

const struct cred *fs_cred(void)
{
	static const struct cred super;
	struct proc *p = fs_proc();

	return p ? &p->cred : &super;
}

bool fs_superuser(void)
{
	return !fs_cred()->euid;
}

bool cred_has_group(const struct cred *cr, gid_t gid)
{
	if (cr->egid == gid)
		return true;
	for (unsigned i = 0; i < cr->ngroups; i++)
		if (cr->groups[i] == gid)
			return true;
	return false;
}

int vnode_access_as(struct vnode *vn, unsigned mask, bool real_id)
{
	const struct cred *cr = fs_cred();
	uid_t uid = real_id ? cr->uid : cr->euid;
	unsigned have;

	if ((mask & W_OK) && mount_readonly(vn->mount) &&
	    (S_ISREG(vn->mode) || S_ISDIR(vn->mode) || S_ISLNK(vn->mode)))
		return -EROFS;
	if (!uid) {
		if ((mask & X_OK) && !S_ISDIR(vn->mode) && !(vn->mode & 0111))
			return -EACCES;
		return 0;
	}
	if (uid == vn->uid)
		have = vn->mode >> 6;
	else if (real_id ? cr->gid == vn->gid || cred_has_group(cr, vn->gid)
			 : cred_has_group(cr, vn->gid))
		have = vn->mode >> 3;
	else
		have = vn->mode;
	return (have & mask) == mask ? 0 : -EACCES;
}

int vnode_access(struct vnode *vn, unsigned mask)
{
	return vnode_access_as(vn, mask, false);
}

int may_create(struct vnode *dir)
{
	if (!dir->nlink)
		return -ENOENT;
	return vnode_access(dir, W_OK | X_OK);
}

int may_delete(struct vnode *dir, struct vnode *vn)
{
	uid_t uid = fs_cred()->euid;
	int err = vnode_access(dir, W_OK | X_OK);

	if (err)
		return err;
	if ((dir->mode & S_ISVTX) && uid && uid != vn->uid && uid != dir->uid)
		return -EPERM;
	if (vn->mounted)
		return -EBUSY;
	/* A damaged directory may hold itself: nobody could lock both. */
	return vn == dir ? -EIO : 0;
}

/* ---- one component ---- */

static bool remembered(struct vnode *dir, const char *name, size_t len, struct vnode **out,
		       int *err)
{
	ino_t ino;

	if (!ncache_lookup(dir, name, len, &ino))
		return false;
	*out = ino ? vnode_peek(dir->mount, ino) : NULL;
	*err = ino ? 0 : -ENOENT;
	return !ino || *out;
}

int dir_lookup_locked(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	bool cached = dir->mount && dir->mount->type->cache_names;
	int err;

	*out = NULL;
	if (!dir->ops->lookup || !dir->nlink)
		return -ENOENT;
	if (cached && remembered(dir, name, len, out, &err))
		return err;
	err = dir->ops->lookup(dir, name, len, out);
	if (cached && (!err || err == -ENOENT))
		ncache_enter(dir, name, len, err ? 0 : (*out)->ino);
	return err;
}

int dir_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	int err;

	if (dir->nlink && dir->mount && dir->mount->type->cache_names &&
	    remembered(dir, name, len, out, &err))
		return err;
	mutex_lock(&dir->lock);
	err = dir_lookup_locked(dir, name, len, out);
	mutex_unlock(&dir->lock);
	return err;
}

static struct vnode *process_root(void)
{
	struct proc *p = fs_proc();

	return p && p->root ? p->root : root_vnode;
}

static struct vnode *process_cwd(void)
{
	struct proc *p = fs_proc();

	return p && p->cwd ? p->cwd : root_vnode;
}

/* "..", @dir's reference stays the caller's. */
int dir_parent(struct vnode *dir, struct vnode **out)
{
	struct vnode *root = process_root(), *at = dir;
	int err;

	while (at != root && at->mount && at == at->mount->root && at->mount->covered)
		at = at->mount->covered;
	if (at == root || (at->mount && at == at->mount->root)) {
		*out = vnode_get(at);
		return 0;
	}
	err = dir_lookup(at, "..", 2, out);
	if (!err && !S_ISDIR((*out)->mode)) {
		vnode_put(*out);
		return -EIO;
	}
	return err;
}

static int step(struct vnode *cur, const char *name, size_t len, struct vnode **next,
		enum last_kind *kind)
{
	int err;

	if (name[0] == '.' && len == 1) {
		*kind = LAST_DOT;
		*next = vnode_get(cur);
		return 0;
	}
	if (name[0] == '.' && name[1] == '.' && len == 2) {
		*kind = LAST_DOTDOT;
		err = dir_parent(cur, next);
	} else {
		*kind = LAST_NAME;
		err = dir_lookup(cur, name, len, next);
	}
	if (!err && unlikely((*next)->mounted))
		*next = mount_cross(*next);
	return err;
}

/* ---- symbolic links ---- */

/* A new path in w->buf: the link's text, and then @rest (with its leading slashes, or empty). */
static int put_link(struct walk *w, struct vnode *link, const char *rest)
{
	size_t left = strlen(rest);
	char *buf;
	ssize_t n;

	if (!link->ops->readlink)
		return -EINVAL;
	buf = kmalloc(PATH_MAX, 0);
	if (!buf)
		return -ENOMEM;
	mutex_lock(&link->lock);
	n = link->ops->readlink(link, buf, PATH_MAX);
	mutex_unlock(&link->lock);
	if (n == 0)
		n = -ENOENT;
	else if (n > 0 && (size_t)n + left >= PATH_MAX)
		n = -ENAMETOOLONG;
	if (n < 0) {
		kfree(buf);
		return (int)n;
	}
	memcpy(buf + n, rest, left + 1);
	buf[n + (ssize_t)left] = '\0';
	kfree(w->buf);
	w->buf = buf;
	return 0;
}

/* ---- the walk ---- */

static const char *skip_slashes(const char *p)
{
	while (*p == '/')
		p++;
	return p;
}

static int search_permission(const struct walk *w, struct vnode *dir)
{
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	return vnode_access_as(dir, X_OK, w->real_id);
}

/* The component at w->name in @cur is the last one and is @next (NULL: absent). Takes over both. */
static int walk_end(struct walk *w, struct vnode *cur, struct vnode *next)
{
	w->dir = cur;
	w->vn = next;
	return next && w->slash && !S_ISDIR(next->mode) ? -ENOTDIR : 0;
}

static int walk_from(struct walk *w, struct vnode *cur, const char *p, unsigned flags)
{
	unsigned links = 0;

	for (;;) {
		struct vnode *next = NULL;
		const char *after;
		bool last;
		int err;

		p = skip_slashes(p);
		if (!*p) {
			w->kind = LAST_ROOT;
			w->vn = cur;
			return 0;
		}
		w->name = p;
		while (*p && *p != '/')
			p++;
		w->len = (size_t)(p - w->name);
		after = skip_slashes(p);
		last = !*after;
		w->slash = last && *p;
		err = w->len > NAME_MAX ? -ENAMETOOLONG : search_permission(w, cur);
		if (!err)
			err = step(cur, w->name, w->len, &next, &w->kind);
		if (err == -ENOENT && last && (flags & WALK_PARENT) && w->kind == LAST_NAME)
			return walk_end(w, cur, NULL);
		if (!err && S_ISLNK(next->mode) && (!last || (flags & WALK_FOLLOW))) {
			struct vnode *to = NULL;

			if (++links > SYMLOOP_MAX)
				err = -ELOOP;
			else if (next->ops->follow)
				err = next->ops->follow(next, &to);
			else
				err = put_link(w, next, p);
			vnode_put(next);
			if (err)
				goto fail;
			next = to;
			if (!to) {
				p = w->buf;
				if (*p == '/') {
					vnode_put(cur);
					cur = vnode_get(process_root());
				}
				continue;
			}
		}
		if (err)
			goto fail;
		if (last)
			return walk_end(w, cur, next);
		vnode_put(cur);
		cur = next;
		continue;
	fail:
		vnode_put(cur);
		return err;
	}
}

/*
 * Fills *@w, which walk_done() releases, also after an error. With WALK_PARENT the last component
 * may be absent (w->vn NULL), and w->dir is its directory. A trailing slash asks for a directory.
 */
int walk_path(struct walk *w, struct vnode *at, const char *path, unsigned flags)
{
	struct vnode *start = *path == '/' ? process_root() : at ? at : process_cwd();
	size_t n = strlen(path);

	*w = (struct walk){.real_id = flags & NAMEI_REAL_ID};
	if (!n)
		return -ENOENT;
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (!start)
		return -ENOENT;
	/* "link/" names the directory behind the link, for those who only look. */
	if (path[n - 1] == '/' && !(flags & WALK_PARENT))
		flags |= WALK_FOLLOW;
	return walk_from(w, vnode_get(start), path, flags);
}

void walk_done(struct walk *w)
{
	if (w->dir)
		vnode_put(w->dir);
	if (w->vn)
		vnode_put(w->vn);
	kfree(w->buf);
	w->dir = w->vn = NULL;
	w->buf = NULL;
}

int namei(struct vnode *at, const char *path, unsigned flags, struct vnode **out)
{
	unsigned how = flags & NAMEI_REAL_ID;
	struct walk w;
	int err;

	if (!(flags & NAMEI_NOFOLLOW))
		how |= WALK_FOLLOW;
	err = walk_path(&w, at, path, how);
	if (!err) {
		*out = w.vn;
		w.vn = NULL;
	}
	walk_done(&w);
	return err;
}

/* ---- the way back: the path of a directory ---- */

struct name_sink {
	struct dir_sink sink;
	ino_t ino;
	char *buf; /* NAME_MAX bytes */
	size_t len;
};

static bool name_put(struct dir_sink *sink, const char *name, size_t len, ino_t ino, unsigned type,
		     uint64_t next)
{
	struct name_sink *s = container_of(sink, struct name_sink, sink);

	(void)type;
	(void)next;
	if (ino != s->ino || len > NAME_MAX || (len == 1 && name[0] == '.') ||
	    (len == 2 && name[0] == '.' && name[1] == '.'))
		return true;
	memcpy(s->buf, name, len);
	s->len = len;
	return false;
}

/* Name of directory @ino in @dir, into @buf; its length, 0: not there any more. */
static ssize_t name_of(struct vnode *dir, ino_t ino, char *buf)
{
	struct name_sink s = {.sink.put = name_put, .ino = ino, .buf = buf};
	uint64_t pos = 0, before;
	int err = dir->ops->readdir ? 0 : -ENOTDIR;

	mutex_lock(&dir->lock);
	do {
		before = pos;
		if (!err)
			err = dir->ops->readdir(dir, &pos, &s.sink);
	} while (!err && !s.len && pos != before);
	mutex_unlock(&dir->lock);
	return err ? err : (ssize_t)s.len;
}

/* Built from its end, at the end of the buffer. */
static ssize_t path_build(struct vnode *vn, char *buf, size_t size, char *name)
{
	struct vnode *root = process_root(), *at = vnode_get(vn), *up;
	size_t start = size - 1;
	ssize_t n = 0;

	buf[start] = '\0';
	while (at != root) {
		/* The name to look for is that of the directory which this one covers. */
		while (at->mount && at == at->mount->root && at->mount->covered) {
			up = vnode_get(at->mount->covered);
			vnode_put(at);
			at = up;
		}
		if (at == root || (at->mount && at == at->mount->root))
			break;
		n = dir_parent(at, &up);
		if (n)
			break;
		n = at->ops->name ? (ssize_t)at->ops->name(at, name) : name_of(up, at->ino, name);
		vnode_put(at);
		at = up;
		if (n > 0 && (size_t)n + 1 > start)
			n = -ERANGE;
		else if (!n)
			n = -ENOENT;
		if (n < 0)
			break;
		start -= (size_t)n;
		memcpy(buf + start, name, (size_t)n);
		buf[--start] = '/';
	}
	vnode_put(at);
	if (n < 0)
		return n;
	if (start == size - 1)
		buf[--start] = '/';
	memmove(buf, buf + start, size - start);
	return (ssize_t)(size - start);
}

ssize_t vnode_path(struct vnode *vn, char *buf, size_t size)
{
	char *name;
	ssize_t n;

	if (size < 2)
		return -ERANGE;
	name = kmalloc(NAME_MAX + 1, 0);
	if (!name)
		return -ENOMEM;
	n = path_build(vn, buf, size, name);
	kfree(name);
	return n;
}
