/* SPDX-License-Identifier: MIT */
/*
 * procfs: the tree of /proc.
 *
 *	/proc/NAME	system-wide files: ours (procfs_system.c) and registered ones
 *	/proc/DIR/NAME	registered ones with a slash in their name
 *	/proc/self	a link to the directory of whoever reads it
 *	/proc/PID/	files (procfs_process.c) and links (procfs_link.c)
 *	/proc/PID/fd/	a link for each open descriptor; fdinfo/: a file
 *
 * Nothing is stored: a look-up checks that the thing exists now and makes a vnode whose inode
 * number says what it stands for. The process may be gone when the vnode is used; every text is
 * made from the pid, and then says ESRCH.
 *
 * ino:  1 the root, 2 self, 0x100 + n the n-th system file, 0x8000 + n the n-th registered,
 *       0x4000 + n the directory of the n-th, if that is the first one in it;
 *       pid << 20 | kind below a process: kind 0 its directory, 1 fd, 2 fdinfo, 0x100 + n its n-th
 *       file, 0x200 + n its n-th link, 0x1000 + n descriptor n, 0x2000 + n what is said of it.
 */
#include "procfs.h"

#include <printk.h>
#include <string.h>

#define PROCFS_MAGIC 0x9fa0
#define INO_ROOT 1
#define INO_SELF 2
#define INO_SYSTEM 0x100
#define INO_SUBDIR 0x4000
#define INO_REGISTERED 0x8000
#define KIND_DIR 0
#define KIND_FD 1
#define KIND_FDINFO 2
#define KIND_FILE 0x100
#define KIND_LINK 0x200
#define KIND_DESC 0x1000
#define KIND_DESC_INFO 0x2000
#define PID_SHIFT 20
#define MAX_REGISTERED 32

static const char *const link_names[] = {
	[LINK_CWD] = "cwd",
	[LINK_ROOT] = "root",
	[LINK_EXE] = "exe",
};

static const char *const fd_names[] = {"fd", "fdinfo"}; /* from KIND_FD on */

static struct procfs_entry registered[MAX_REGISTERED];
static unsigned nr_registered;

void procfs_register(struct proc_file *pf)
{
	struct procfs_entry *e = &registered[nr_registered];

	if (nr_registered == MAX_REGISTERED) {
		printk("/proc/%s: no room\n", pf->name);
		return;
	}
	e->name = pf->name;
	e->mode = pf->mode;
	e->registered = pf;
	__atomic_store_n(&nr_registered, nr_registered + 1, __ATOMIC_RELEASE);
}

static pid_t ino_pid(ino_t ino)
{
	return ino >> PID_SHIFT;
}

static unsigned ino_kind(ino_t ino)
{
	return ino & ((1u << PID_SHIFT) - 1);
}

static ino_t pid_ino(pid_t pid, unsigned kind)
{
	return (ino_t)pid << PID_SHIFT | kind;
}

static const struct procfs_entry *entry_of(ino_t ino)
{
	unsigned kind = ino_kind(ino);

	if (kind >= KIND_DESC_INFO && ino_pid(ino))
		return &procfs_fdinfo;
	if (ino_pid(ino))
		return &procfs_pid_files[kind - KIND_FILE];
	return kind >= INO_REGISTERED ? &registered[kind - INO_REGISTERED]
				      : &procfs_system_files[kind - INO_SYSTEM];
}

/* ---- links and files ---- */

static ssize_t self_readlink(struct vnode *vn, char *buf, size_t size)
{
	struct proc *p = fs_proc();
	char text[12];
	size_t n;

	(void)vn;
	if (!p)
		return -ENOENT;
	n = snprintk(text, sizeof(text), "%d", p->pid);
	n = min(n, size);
	memcpy(buf, text, n);
	return n;
}

static unsigned link_which(const struct vnode *vn)
{
	unsigned kind = ino_kind(vn->ino);

	return kind >= KIND_DESC ? LINK_FD + kind - KIND_DESC : kind - KIND_LINK;
}

static ssize_t link_readlink(struct vnode *vn, char *buf, size_t size)
{
	return procfs_link_text(ino_pid(vn->ino), link_which(vn), buf, size);
}

static int link_follow(struct vnode *vn, struct vnode **out)
{
	return procfs_link_follow(vn->mount, ino_pid(vn->ino), link_which(vn), out);
}

static int file_ops_open(struct vnode *vn, struct file *f)
{
	return procfs_file_open(f, entry_of(vn->ino), ino_pid(vn->ino),
				ino_kind(vn->ino) & (KIND_DESC_INFO - 1));
}

static const struct vnode_ops self_ops = {.readlink = self_readlink};
static const struct vnode_ops link_ops = {.readlink = link_readlink, .follow = link_follow};
static const struct vnode_ops file_vnode_ops = {.open = file_ops_open};
static const struct vnode_ops root_ops, subdir_ops, pid_ops, fd_ops;

/* ---- vnodes ---- */

static void set_owner(struct vnode *vn)
{
	struct process p;

	if (!ino_pid(vn->ino) || process_look(ino_pid(vn->ino), &p))
		return;
	vn->uid = p.cred.euid;
	vn->gid = p.cred.egid;
	process_done(&p);
}

static int make_vnode(struct mount *mnt, ino_t ino, mode_t mode, const struct vnode_ops *ops,
		      struct vnode **out)
{
	struct vnode *vn;
	bool fresh;
	int err = vnode_find(mnt, ino, &vn, &fresh);

	if (err)
		return err;
	if (fresh) {
		vn->ops = ops;
		vn->mode = mode;
		vn->nlink = S_ISDIR(mode) ? 2 : 1;
		vn->atime = vn->mtime = vn->ctime = time_wall();
	}
	/* A pid may come again with another owner. */
	set_owner(vn);
	if (fresh)
		vnode_ready(vn);
	*out = vn;
	return 0;
}

/* ---- the root directory ---- */

static bool same_name(const char *name, size_t len, const char *wanted)
{
	return strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

/* A number without leading zeros, or 0. */
static pid_t parse_pid(const char *name, size_t len, unsigned max)
{
	unsigned long n = 0;

	if (len == 0 || len > 9 || (name[0] == '0' && len > 1))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		n = n * 10 + name[i] - '0';
	}
	return n <= max ? (pid_t)n : -1;
}

static int find_entry(const struct procfs_entry *e, unsigned n, const char *name, size_t len)
{
	for (unsigned i = 0; i < n && e[i].name; i++)
		if (same_name(name, len, e[i].name))
			return i;
	return -1;
}

/* The length of a registered file's directory name; 0: it lies in the root. */
static size_t subdir_len(unsigned i)
{
	const char *slash = strchr(registered[i].name, '/');

	return slash ? (size_t)(slash - registered[i].name) : 0;
}

/* The first registered file in the directory of this name; -1: there is none. */
static int find_subdir(const char *name, size_t len)
{
	for (unsigned i = 0; i < nr_registered; i++)
		if (len && subdir_len(i) == len && memcmp(registered[i].name, name, len) == 0)
			return i;
	return -1;
}

static int registered_vnode(struct mount *mnt, unsigned i, struct vnode **out)
{
	return make_vnode(mnt, INO_REGISTERED + i, S_IFREG | registered[i].mode, &file_vnode_ops,
			  out);
}

static int root_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	struct mount *mnt = dir->mount;
	pid_t pid = parse_pid(name, len, INT32_MAX);
	int i;

	if (same_name(name, len, "self"))
		return make_vnode(mnt, INO_SELF, S_IFLNK | 0777, &self_ops, out);
	if (pid > 0)
		return process_next(pid) == pid ? make_vnode(mnt, pid_ino(pid, KIND_DIR),
							     S_IFDIR | 0555, &pid_ops, out)
						: -ENOENT;
	i = find_entry(procfs_system_files, ~0u, name, len);
	if (i >= 0)
		return make_vnode(mnt, INO_SYSTEM + i, S_IFREG | procfs_system_files[i].mode,
				  &file_vnode_ops, out);
	i = find_entry(registered, nr_registered, name, len);
	if (i >= 0)
		return registered_vnode(mnt, i, out);
	i = find_subdir(name, len);
	return i < 0 ? -ENOENT : make_vnode(mnt, INO_SUBDIR + i, S_IFDIR | 0555, &subdir_ops, out);
}

/* Positions of a listing: 0 ".", 1 "..", then by what follows in each directory. */
static bool put_dots(struct vnode *dir, ino_t parent, uint64_t *pos, struct dir_sink *sink)
{
	if (*pos == 0) {
		if (!sink->put(sink, ".", 1, dir->ino, DT_DIR, 1))
			return false;
		*pos = 1;
	}
	if (*pos == 1) {
		if (!sink->put(sink, "..", 2, parent, DT_DIR, 2))
			return false;
		*pos = 2;
	}
	return true;
}

/* Entries of a table, at positions from @base on; false: the sink is full. */
static bool put_table(const struct procfs_entry *e, unsigned n, ino_t ino, uint64_t base,
		      uint64_t *pos, struct dir_sink *sink)
{
	if (*pos < base)
		*pos = base;
	for (; *pos - base < n && e[*pos - base].name; ++*pos) {
		unsigned i = *pos - base;

		if (!sink->put(sink, e[i].name, strlen(e[i].name), ino + i, DT_REG, *pos + 1))
			return false;
	}
	return true;
}

#define POS_SYSTEM 0x100
#define POS_REGISTERED 0x200
#define POS_PIDS 0x1000

/* Registered files of the root, and directories of the others; false: the sink is full. */
static bool put_registered(uint64_t *pos, struct dir_sink *sink)
{
	*pos = max(*pos, (uint64_t)POS_REGISTERED);
	for (; *pos - POS_REGISTERED < nr_registered; ++*pos) {
		unsigned i = *pos - POS_REGISTERED;
		const char *name = registered[i].name;
		size_t len = subdir_len(i);

		if (len && find_subdir(name, len) != (int)i)
			continue;
		if (!sink->put(sink, name, len ? len : strlen(name),
			       (len ? INO_SUBDIR : INO_REGISTERED) + i, len ? DT_DIR : DT_REG,
			       *pos + 1))
			return false;
	}
	return true;
}

static int root_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	pid_t pid;
	char name[12];

	if (!put_dots(dir, dir->ino, pos, sink))
		return 0;
	if (*pos == 2) {
		if (!sink->put(sink, "self", 4, INO_SELF, DT_LNK, 3))
			return 0;
		*pos = 3;
	}
	if (*pos < POS_REGISTERED &&
	    !put_table(procfs_system_files, 0x100, INO_SYSTEM, POS_SYSTEM, pos, sink))
		return 0;
	if (*pos < POS_PIDS && !put_registered(pos, sink))
		return 0;
	*pos = max(*pos, (uint64_t)POS_PIDS);
	while (*pos - POS_PIDS < INT32_MAX && (pid = process_next(*pos - POS_PIDS)) > 0) {
		size_t n = snprintk(name, sizeof(name), "%d", pid);

		if (!sink->put(sink, name, n, pid_ino(pid, KIND_DIR), DT_DIR, POS_PIDS + pid + 1))
			return 0;
		*pos = POS_PIDS + pid + 1;
	}
	return 0;
}

/* ---- /proc/DIR, of registered files ---- */

/* The @i-th registered file's name in the directory whose first one is @first; NULL: another's. */
static const char *name_in(unsigned first, unsigned i)
{
	size_t len = subdir_len(first);

	if (subdir_len(i) != len || memcmp(registered[i].name, registered[first].name, len) != 0)
		return NULL;
	return registered[i].name + len + 1;
}

static int subdir_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	unsigned first = dir->ino - INO_SUBDIR;

	if (same_name(name, len, ".."))
		return make_vnode(dir->mount, INO_ROOT, S_IFDIR | 0555, &root_ops, out);
	for (unsigned i = first; i < nr_registered; i++)
		if (name_in(first, i) && same_name(name, len, name_in(first, i)))
			return registered_vnode(dir->mount, i, out);
	return -ENOENT;
}

static int subdir_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	unsigned first = dir->ino - INO_SUBDIR;

	if (!put_dots(dir, INO_ROOT, pos, sink))
		return 0;
	for (; *pos - 2 < nr_registered; ++*pos) {
		const char *name = name_in(first, *pos - 2);

		if (name && !sink->put(sink, name, strlen(name), INO_REGISTERED + *pos - 2, DT_REG,
				       *pos + 1))
			break;
	}
	return 0;
}

/* ---- /proc/PID ---- */

static int pid_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	pid_t pid = ino_pid(dir->ino);
	int i;

	if (same_name(name, len, ".."))
		return make_vnode(dir->mount, INO_ROOT, S_IFDIR | 0555, &root_ops, out);
	if (process_next(pid) != pid)
		return -ENOENT;
	for (unsigned d = 0; d < ARRAY_SIZE(fd_names); d++)
		if (same_name(name, len, fd_names[d]))
			return make_vnode(dir->mount, pid_ino(pid, KIND_FD + d), S_IFDIR | 0500,
					  &fd_ops, out);
	for (unsigned l = 0; l < ARRAY_SIZE(link_names); l++)
		if (same_name(name, len, link_names[l]))
			return make_vnode(dir->mount, pid_ino(pid, KIND_LINK + l), S_IFLNK | 0777,
					  &link_ops, out);
	i = find_entry(procfs_pid_files, ~0u, name, len);
	if (i < 0)
		return -ENOENT;
	return make_vnode(dir->mount, pid_ino(pid, KIND_FILE + i),
			  S_IFREG | procfs_pid_files[i].mode, &file_vnode_ops, out);
}

static int pid_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	pid_t pid = ino_pid(dir->ino);

	if (process_next(pid) != pid)
		return -ENOENT;
	if (!put_dots(dir, INO_ROOT, pos, sink))
		return 0;
	for (; *pos - 2 < ARRAY_SIZE(fd_names); ++*pos) {
		const char *name = fd_names[*pos - 2];

		if (!sink->put(sink, name, strlen(name), pid_ino(pid, KIND_FD + *pos - 2), DT_DIR,
			       *pos + 1))
			return 0;
	}
	for (; *pos - 4 < ARRAY_SIZE(link_names); ++*pos) {
		const char *name = link_names[*pos - 4];

		if (!sink->put(sink, name, strlen(name), pid_ino(pid, KIND_LINK + *pos - 4), DT_LNK,
			       *pos + 1))
			return 0;
	}
	put_table(procfs_pid_files, 0x100, pid_ino(pid, KIND_FILE), POS_SYSTEM, pos, sink);
	return 0;
}

/* ---- /proc/PID/fd and fdinfo ---- */

static bool is_fdinfo(const struct vnode *dir)
{
	return ino_kind(dir->ino) == KIND_FDINFO;
}

static int fd_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	pid_t pid = ino_pid(dir->ino), fd;

	if (same_name(name, len, ".."))
		return make_vnode(dir->mount, pid_ino(pid, KIND_DIR), S_IFDIR | 0555, &pid_ops,
				  out);
	fd = parse_pid(name, len, OPEN_MAX - 1);
	if (fd < 0 || process_next_fd(pid, fd) != fd)
		return -ENOENT;
	if (is_fdinfo(dir))
		return make_vnode(dir->mount, pid_ino(pid, KIND_DESC_INFO + fd), S_IFREG | 0400,
				  &file_vnode_ops, out);
	return make_vnode(dir->mount, pid_ino(pid, KIND_DESC + fd), S_IFLNK | 0700, &link_ops, out);
}

static int fd_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	pid_t pid = ino_pid(dir->ino);
	unsigned base = is_fdinfo(dir) ? KIND_DESC_INFO : KIND_DESC;
	unsigned char type = is_fdinfo(dir) ? DT_REG : DT_LNK;
	char name[12];
	int fd;

	if (!put_dots(dir, pid_ino(pid, KIND_DIR), pos, sink))
		return 0;
	while (*pos - 2 < OPEN_MAX && (fd = process_next_fd(pid, *pos - 2)) >= 0) {
		size_t n = snprintk(name, sizeof(name), "%d", fd);

		if (!sink->put(sink, name, n, pid_ino(pid, base + fd), type, fd + 3))
			return 0;
		*pos = fd + 3;
	}
	return 0;
}

static const struct vnode_ops root_ops = {.lookup = root_lookup, .readdir = root_readdir};
static const struct vnode_ops subdir_ops = {.lookup = subdir_lookup, .readdir = subdir_readdir};
static const struct vnode_ops pid_ops = {.lookup = pid_lookup, .readdir = pid_readdir};
static const struct vnode_ops fd_ops = {.lookup = fd_lookup, .readdir = fd_readdir};

/* ---- mounts ---- */

static int procfs_mount(struct mount *mnt, const char *options)
{
	(void)options;
	return make_vnode(mnt, INO_ROOT, S_IFDIR | 0555, &root_ops, &mnt->root);
}

static int procfs_statfs(struct mount *mnt, struct parvix_statfs *st)
{
	(void)mnt;
	st->f_type = PROCFS_MAGIC;
	st->f_bsize = PAGE_SIZE;
	st->f_namelen = NAME_MAX;
	return 0;
}

static struct fs_type procfs_type = {
	.name = "proc",
	.mount = procfs_mount,
	.statfs = procfs_statfs,
};

void procfs_init(void)
{
	fs_register(&procfs_type);
}
