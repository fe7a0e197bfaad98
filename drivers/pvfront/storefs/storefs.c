/* SPDX-License-Identifier: MIT */
/*
 * storefs: xenstore as files, mounted at /xen/store.
 *
 * xenstore is the tree of names and values that all domains of a host share: how a toolstack tells
 *a domain what it has, and how the two halves of a device find each other. A node has a value and
 * children both, a file system's file has one or the other. The mapping:
 *
 *	a node with children, or with an empty value	a directory
 *	any other					a file, whose contents are the value
 *
 * (one without either may also be written to, like a file: it then is one)
 *
 * and no name in xenstore has a dot, so four endings ask for the rest of any node, listed nowhere:
 *
 *	NAME.value	its value, also if it has children; bytes as they are
 *	NAME.dir	it as a directory, also if it has a value: to make its first child
 *	NAME.perms	who may read and write it: "n0 r5", owner first
 *	NAME.watch	a read waits until it, or something below it, changes
 *
 * In front of the ending may be nothing: .watch in a directory is that directory's own. The root of
 * the mount is the root of xenstore; .self in it is a link to the domain's own part,
 * local/domain/N.
 *
 * Nothing is kept: other domains change the tree at any time, so each look-up asks xenstored (a
 * request for a directory, two for a value), and a vnode is only a path. A node that is now a file
 * and later a directory has two vnodes, with two inode numbers. What the domain may not see,
 * xenstored refuses; a node of which it says only that, not whether it exists, is taken for a
 * directory, since what is below it may be ours to see (a backend's directory).
 */
#include "../storefs.h"
#include "../xenbus/xs.h"
#include "storefs.h"

#include <string.h>

#define STOREFS_MAGIC 0xab5c

static const struct vnode_ops dir_ops, file_ops, self_ops;

/* ---- vnodes ---- */

static void set_up(struct vnode *vn, enum store_kind kind)
{
	static const mode_t modes[] = {
		[STORE_DIR] = S_IFDIR | 0755,   [STORE_TEXT] = S_IFREG | 0644,
		[STORE_VALUE] = S_IFREG | 0644, [STORE_PERMS] = S_IFREG | 0644,
		[STORE_WATCH] = S_IFREG | 0400, [STORE_SELF] = S_IFLNK | 0777,
	};

	vn->mode = modes[kind];
	vn->ops = kind == STORE_DIR ? &dir_ops : kind == STORE_SELF ? &self_ops : &file_ops;
	vn->nlink = kind == STORE_DIR ? 2 : 1;
	vn->atime = vn->mtime = vn->ctime = time_wall();
}

static bool is_it(const struct vnode *vn, enum store_kind kind, const char *path)
{
	const struct store_vnode *sv = vn->private;

	return sv->kind == kind && !strcmp(sv->path, path);
}

static int make_vnode(struct mount *mnt, enum store_kind kind, const char *path, struct vnode **out)
{
	struct store_vnode *sv;
	size_t n = strlen(path) + 1;
	ino_t ino = store_ino(path) | kind;
	struct vnode *vn;
	bool fresh;
	int err;

	/* Another path may have the same hash: then the next number. */
	for (;; ino += 8) {
		err = vnode_find(mnt, ino, &vn, &fresh);
		if (err)
			return err;
		if (fresh)
			break;
		if (is_it(vn, kind, path)) {
			*out = vn;
			return 0;
		}
		vnode_put(vn);
	}
	sv = kmalloc(sizeof(*sv) + n, 0);
	if (!sv) {
		vnode_bad(vn);
		return -ENOMEM;
	}
	sv->kind = kind;
	sv->absent = false;
	memcpy(sv->path, path, n);
	vn->private = sv;
	set_up(vn, kind);
	vnode_ready(vn);
	*out = vn;
	return 0;
}

static void evict(struct vnode *vn)
{
	kfree(vn->private);
}

/* Owner and mode are not xenstore's; times may be set and are forgotten. */
static int setattr(struct vnode *vn, const struct vattr *va)
{
	const struct store_vnode *sv = vn->private;

	if (!va || !(va->which & (VATTR_MODE | VATTR_UID | VATTR_GID)))
		return 0;
	set_up(vn, sv->kind);
	vn->uid = vn->gid = 0;
	return -EPERM;
}

/* ---- directories ---- */

/* Is the node at @path a directory or a file? An enum store_kind, or an error. */
static int probe(const char *path)
{
	char **names, *value;
	unsigned n;
	size_t len;
	int err = xs_directory(XS_NO_TX, path, &names, &n);

	/* May not be listed, or is too long to be: still something with names below it. */
	if (err == -EACCES || err == -E2BIG)
		return STORE_DIR;
	if (err)
		return err;
	kfree(names);
	if (n)
		return STORE_DIR;
	err = xs_read(XS_NO_TX, path, &value, &len);
	if (err)
		return err == -EACCES ? STORE_DIR : err;
	kfree(value);
	return len ? STORE_TEXT : STORE_DIR;
}

static int exists(const char *path)
{
	char *value;
	size_t len;
	int err = xs_read(XS_NO_TX, path, &value, &len);

	if (!err)
		kfree(value);
	return err;
}

static int lookup_path(struct vnode *dir, const char *name, size_t len, char *path,
		       struct vnode **out)
{
	const struct store_vnode *sv = dir->private;
	int kind, err;

	if (len == 2 && memcmp(name, "..", 2) == 0) {
		err = store_join(path, sv->path, NULL, 0);
		path[store_parent(path)] = 0;
		return err ? err : make_vnode(dir->mount, STORE_DIR, path, out);
	}
	kind = store_split(name, &len);
	if (kind < 0)
		return kind;
	if (kind == STORE_SELF)
		return dir == dir->mount->root ? make_vnode(dir->mount, kind, "/", out) : -ENOENT;
	if (len && !store_name_valid(name, len))
		return -ENOENT;
	err = store_join(path, sv->path, name, len);
	if (!err && (kind == STORE_VALUE || kind == STORE_DIR))
		err = exists(path);
	if (err == -EACCES && kind == STORE_DIR)
		err = 0;
	if (!err && kind == STORE_NODE)
		err = kind = probe(path);
	return err < 0 ? err : make_vnode(dir->mount, kind, path, out);
}

static int dir_lookup_op(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	char *path = kmalloc(STORE_PATH_MAX + 1, 0);
	int err = path ? lookup_path(dir, name, len, path, out) : -ENOMEM;

	kfree(path);
	return err;
}

/*
 * A file is made by what is first written to it, or when it is closed: a watcher would else see it
 * empty first.
 */
static int create_path(struct vnode *dir, const char *name, size_t len, mode_t mode, char *path,
		       struct vnode **out)
{
	const struct store_vnode *sv = dir->private;
	int kind = store_split(name, &len), err;

	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return -EPERM;
	if (kind == STORE_NODE)
		kind = S_ISDIR(mode) ? STORE_DIR : STORE_TEXT;
	if (!store_name_valid(name, len) || (kind != STORE_VALUE && kind > STORE_TEXT) ||
	    S_ISDIR(mode) != (kind == STORE_DIR))
		return -EINVAL;
	err = store_join(path, sv->path, name, len);
	if (!err && S_ISDIR(mode))
		err = xs_mkdir(XS_NO_TX, path);
	if (!err)
		err = make_vnode(dir->mount, kind, path, out);
	if (!err && !S_ISDIR(mode))
		((struct store_vnode *)(*out)->private)->absent = true;
	return err;
}

static int create(struct vnode *dir, const char *name, size_t len, mode_t mode, dev_t rdev,
		  struct vnode **out)
{
	char *path = kmalloc(STORE_PATH_MAX + 1, 0);
	int err = path ? create_path(dir, name, len, mode, path, out) : -ENOMEM;

	(void)rdev;
	kfree(path);
	return err;
}

/* Remove what has no children, in a transaction: xenstore's own removal takes them along. */
static int remove_once(const char *path)
{
	char **names;
	unsigned n;
	xs_tx_t tx;
	int err = xs_tx_start(&tx), end;

	if (err)
		return err;
	err = xs_directory(tx, path, &names, &n);
	if (!err) {
		kfree(names);
		err = n ? -ENOTEMPTY : xs_rm(tx, path);
	}
	end = xs_tx_end(tx, err != 0);
	return err ? err : end;
}

static int unlink(struct vnode *dir, const char *name, size_t len, struct vnode *vn)
{
	const struct store_vnode *sv = vn->private;
	int err;

	(void)dir;
	(void)name;
	(void)len;
	if (sv->kind != STORE_DIR && sv->kind != STORE_TEXT)
		return -EPERM;
	for (int tries = 0;; tries++) {
		err = remove_once(sv->path);
		if (err != -EAGAIN || tries == 20)
			return err == -EAGAIN ? -EBUSY : err;
	}
}

static size_t dir_name(struct vnode *dir, char *buf)
{
	const struct store_vnode *sv = dir->private;
	const char *name = sv->path + store_parent(sv->path);
	size_t n;

	name += *name == '/';
	n = strlen(name);
	memcpy(buf, name, n);
	return n;
}

static int write_to(struct vnode *dir, struct vnode **out)
{
	const struct store_vnode *sv = dir->private;
	char **names;
	unsigned n;
	int err = xs_directory(XS_NO_TX, sv->path, &names, &n);

	if (err)
		return err;
	kfree(names);
	return n ? -EISDIR : make_vnode(dir->mount, STORE_TEXT, sv->path, out);
}

static int list_names(struct vnode *dir, char **names, unsigned n, char *path, uint64_t *pos,
		      struct dir_sink *sink)
{
	const struct store_vnode *sv = dir->private;

	for (; *pos - 2 < n; ++*pos) {
		const char *name = names[*pos - 2];
		size_t len = strlen(name);

		if (!store_name_valid(name, len) || store_join(path, sv->path, name, len))
			continue;
		if (!sink->put(sink, name, len, store_ino(path) | STORE_DIR, DT_UNKNOWN, *pos + 1))
			break;
	}
	return 0;
}

static int readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	static const char dots[] = "..";
	const struct store_vnode *sv = dir->private;
	char **names, *path;
	unsigned n;
	int err;

	for (; *pos < 2; ++*pos)
		if (!sink->put(sink, dots, *pos + 1, dir->ino, DT_DIR, *pos + 1))
			return 0;
	path = kmalloc(STORE_PATH_MAX + 1, 0);
	if (!path)
		return -ENOMEM;
	err = xs_directory(XS_NO_TX, sv->path, &names, &n);
	if (!err) {
		err = list_names(dir, names, n, path, pos, sink);
		kfree(names);
	}
	kfree(path);
	return err;
}

/* ---- the others ---- */

static ssize_t self_readlink(struct vnode *vn, char *buf, size_t size)
{
	char text[40] = "local/domain/";
	size_t n = strlen(text);
	char *value;
	size_t len;
	int err = xs_read(XS_NO_TX, "domid", &value, &len);

	(void)vn;
	if (err)
		return err;
	strlcpy(text + n, value, sizeof(text) - n);
	kfree(value);
	n = min(strlen(text), size);
	memcpy(buf, text, n);
	return n;
}

static int file_open_op(struct vnode *vn, struct file *f)
{
	struct store_vnode *sv = vn->private;

	return sv->kind == STORE_WATCH ? store_watch_open(sv, f) : store_value_open(sv, f);
}

static int truncate(struct vnode *vn, uint64_t size)
{
	(void)vn;
	return size ? -EINVAL : 0;
}

static const struct vnode_ops dir_ops = {
	.lookup = dir_lookup_op,
	.create = create,
	.unlink = unlink,
	.readdir = readdir,
	.name = dir_name,
	.write_to = write_to,
	.setattr = setattr,
	.evict = evict,
};
static const struct vnode_ops file_ops = {
	.open = file_open_op,
	.setattr = setattr,
	.truncate = truncate,
	.evict = evict,
};
static const struct vnode_ops self_ops = {
	.readlink = self_readlink,
	.setattr = setattr,
	.evict = evict,
};

static int mount(struct mount *mnt, const char *options)
{
	(void)options;
	return xs_running() ? make_vnode(mnt, STORE_DIR, "/", &mnt->root) : -ENODEV;
}

static int statfs(struct mount *mnt, struct parvix_statfs *st)
{
	(void)mnt;
	st->f_type = STOREFS_MAGIC;
	st->f_bsize = PAGE_SIZE;
	st->f_namelen = NAME_MAX;
	return 0;
}

static struct fs_type storefs_type = {
	.name = "xenstore",
	.mount = mount,
	.statfs = statfs,
};

void storefs_init(void)
{
	fs_register(&storefs_type);
}
