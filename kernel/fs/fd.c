/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables: small numbers for open files, one table for each process.
 *
 * Entries from fds->top on have never been used and hold nothing, not even zeros: a table is made
 * and copied at the cost of what is in it. One that needs more than FDS_SMALL entries gets a larger
 * array, up to RLIMIT_NOFILE. fds->lock guards all; files are closed outside of it.
 */
#include "internal.h"

#include <string.h>

static void mark_cloexec(struct fdtable *fds, int fd, bool on)
{
	uint64_t bit = 1ull << (fd % 64);

	if (on)
		fds->cloexec[fd / 64] |= bit;
	else
		fds->cloexec[fd / 64] &= ~bit;
}

static bool is_cloexec(const struct fdtable *fds, int fd)
{
	return fds->cloexec[fd / 64] >> (fd % 64) & 1;
}

struct file *fd_get(int fd)
{
	struct fdtable *fds = current_proc()->fds;
	struct file *f = NULL;

	spin_lock(&fds->lock);
	if ((unsigned)fd < fds->top && fds->file[fd])
		f = file_get(fds->file[fd]);
	spin_unlock(&fds->lock);
	return f;
}

bool fd_is(int fd, const struct file *f)
{
	struct fdtable *fds = current_proc()->fds;
	bool is;

	spin_lock(&fds->lock);
	is = (unsigned)fd < fds->top && fds->file[fd] == f;
	spin_unlock(&fds->lock);
	return is;
}

/* A descriptor of @fds is gone, and with it the process's record locks on the file. */
static void put_closed(const struct fdtable *fds, struct file *f)
{
	if (f->vnode && f->vnode->locks)
		locks_release(f->vnode, fds);
	file_put(f);
}

static unsigned open_max(void)
{
	unsigned long limit = current_proc()->limits[RLIMIT_NOFILE].rlim_cur;

	return limit < OPEN_MAX ? (unsigned)limit : OPEN_MAX;
}

/* Room for @fd. With fds->lock, which is given up meanwhile: things may have changed. */
static int grow(struct fdtable *fds, unsigned fd)
{
	unsigned size = fds->size;
	struct file **file, **old;

	while (size <= fd)
		size *= 4;
	spin_unlock(&fds->lock);
	file = kmalloc(size * sizeof(*file), 0);
	spin_lock(&fds->lock);
	if (!file)
		return -ENOMEM;
	old = file;
	if (fds->size < size) {
		old = fds->file == fds->small ? NULL : fds->file;
		memcpy(file, fds->file, fds->top * sizeof(*file));
		fds->file = file;
		fds->size = size;
	}
	kfree(old);
	return 0;
}

/* Put @f at @fd, for which there is room; fds->lock held. Returns what was there. */
static struct file *put_at(struct fdtable *fds, unsigned fd, struct file *f, bool cloexec)
{
	struct file *old;

	while (fds->top <= fd)
		fds->file[fds->top++] = NULL;
	old = fds->file[fd];
	fds->file[fd] = f;
	mark_cloexec(fds, (int)fd, cloexec);
	return old;
}

int fd_install(struct file *f, int lowest, bool cloexec)
{
	struct fdtable *fds = current_proc()->fds;
	unsigned fd, end = open_max();
	int err = 0;

	if (lowest < 0 || (unsigned)lowest >= end) {
		file_put(f);
		return lowest < 0 ? -EINVAL : -EMFILE;
	}
	spin_lock(&fds->lock);
	do {
		for (fd = (unsigned)lowest; fd < fds->top && fds->file[fd];)
			fd++;
		if (fd >= end)
			err = -EMFILE;
	} while (!err && fd >= fds->size && !(err = grow(fds, fd)));
	if (!err)
		put_at(fds, fd, f, cloexec);
	spin_unlock(&fds->lock);
	if (!err)
		return (int)fd;
	file_put(f);
	return err;
}

bool fd_exhausted(void)
{
	struct fdtable *fds = current_proc()->fds;
	unsigned fd = 0, end = open_max();

	if (READ_ONCE(fds->top) < end)
		return false;
	spin_lock(&fds->lock);
	while (fd < min(fds->top, end) && fds->file[fd])
		fd++;
	spin_unlock(&fds->lock);
	return fd == end;
}

struct fdtable *fdtable_create(void)
{
	struct fdtable *fds = kmalloc(sizeof(*fds), 0);

	if (!fds)
		return NULL;
	spin_init(&fds->lock, "fdtable");
	fds->top = 0;
	fds->size = FDS_SMALL;
	fds->file = fds->small;
	memset(fds->cloexec, 0, sizeof(fds->cloexec));
	return fds;
}

/* An empty table with room for as many as @old has; old->lock is held afterwards. */
static struct fdtable *create_like(struct fdtable *old)
{
	struct fdtable *fds = fdtable_create();
	int err = 0;

	spin_lock(&old->lock);
	while (fds && fds->size < old->top) {
		unsigned top = old->top;

		spin_unlock(&old->lock);
		spin_lock(&fds->lock);
		err = grow(fds, top - 1);
		spin_unlock(&fds->lock);
		spin_lock(&old->lock);
		if (err) {
			kfree(fds);
			fds = NULL;
		}
	}
	return fds;
}

struct fdtable *fdtable_copy(struct fdtable *old)
{
	struct fdtable *fds = create_like(old);

	for (unsigned fd = 0; fds && fd < old->top; fd++) {
		struct file *f = old->file[fd];

		fds->file[fd] = f ? file_get(f) : NULL;
	}
	if (fds) {
		fds->top = old->top;
		memcpy(fds->cloexec, old->cloexec, sizeof(fds->cloexec));
	}
	spin_unlock(&old->lock);
	return fds;
}

static struct file *take(struct fdtable *fds, unsigned fd)
{
	struct file *f = NULL;

	spin_lock(&fds->lock);
	if (fd < fds->top) {
		f = fds->file[fd];
		fds->file[fd] = NULL;
		mark_cloexec(fds, (int)fd, false);
	}
	spin_unlock(&fds->lock);
	return f;
}

void fdtable_exec(struct fdtable *fds)
{
	for (unsigned word = 0; word < ARRAY_SIZE(fds->cloexec); word++)
		while (fds->cloexec[word]) {
			unsigned fd = word * 64 + (unsigned)__builtin_ctzll(fds->cloexec[word]);
			struct file *f = take(fds, fd);

			if (f)
				put_closed(fds, f);
		}
}

void fdtable_free(struct fdtable *fds)
{
	for (unsigned fd = 0; fd < fds->top; fd++)
		if (fds->file[fd])
			put_closed(fds, fds->file[fd]);
	if (fds->file != fds->small)
		kfree(fds->file);
	kfree(fds);
}

int fd_close(int fd)
{
	struct file *f = fd < 0 ? NULL : take(current_proc()->fds, (unsigned)fd);

	if (!f)
		return -EBADF;
	put_closed(current_proc()->fds, f);
	return 0;
}

int fd_dup(int fd)
{
	struct file *f = fd_get(fd);

	return f ? fd_install(f, 0, false) : -EBADF;
}

int fd_dup2(int oldfd, int newfd)
{
	struct fdtable *fds = current_proc()->fds;
	struct file *f, *old;
	int err = 0;

	if (newfd < 0 || (unsigned)newfd >= open_max())
		return -EBADF;
	f = fd_get(oldfd);
	if (!f)
		return -EBADF;
	if (oldfd == newfd) {
		file_put(f);
		return newfd;
	}
	spin_lock(&fds->lock);
	while (!err && (unsigned)newfd >= fds->size)
		err = grow(fds, (unsigned)newfd);
	old = err ? NULL : put_at(fds, (unsigned)newfd, f, false);
	spin_unlock(&fds->lock);
	if (err)
		file_put(f);
	else if (old)
		put_closed(fds, old);
	return err ? err : newfd;
}

/* Those of F_GETFL and F_SETFL: access mode and status, not what only mattered to open(). */
#define STATUS_FLAGS (O_APPEND | O_NONBLOCK | O_SYNC)

static long file_fcntl(struct file *f, int fd, int cmd, long arg)
{
	struct fdtable *fds = current_proc()->fds;
	long r = 0;

	switch (cmd) {
	case F_GETFD:
		return is_cloexec(fds, fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		spin_lock(&fds->lock);
		if (fds->file[fd] == f)
			mark_cloexec(fds, fd, arg & FD_CLOEXEC);
		else
			r = -EBADF;
		spin_unlock(&fds->lock);
		return r;
	case F_GETFL:
		return f->flags & (O_ACCMODE | STATUS_FLAGS);
	case F_SETFL:
		f->flags = (f->flags & ~STATUS_FLAGS) | ((unsigned)arg & STATUS_FLAGS);
		return 0;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
		return file_record_lock(f, fd, cmd, UADDR(arg));
	default:
		return -EINVAL;
	}
}

long fd_fcntl(int fd, int cmd, long arg)
{
	struct file *f = fd_get(fd);
	long r;

	if (!f)
		return -EBADF;
	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC) {
		int lowest = arg < 0 || arg >= (long)open_max() ? -1 : (int)arg;

		return fd_install(f, lowest, cmd == F_DUPFD_CLOEXEC);
	}
	r = file_fcntl(f, fd, cmd, arg);
	file_put(f);
	return r;
}
