/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables: small numbers for open files, one table for each process.
 *
 * Entries from fds->top on have never been used and hold nothing, not even zeros: a table is made
 * and copied at the cost of what is in it. fds->lock guards all; files are closed outside of it.
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

static unsigned open_max(void)
{
	unsigned long limit = current_proc()->limits[RLIMIT_NOFILE].rlim_cur;

	return limit < OPEN_MAX ? (unsigned)limit : OPEN_MAX;
}

/* Put @f at @fd; fds->lock held. Returns what was there. */
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

	if (lowest < 0 || (unsigned)lowest >= end) {
		file_put(f);
		return lowest < 0 || lowest >= OPEN_MAX ? -EINVAL : -EMFILE;
	}
	spin_lock(&fds->lock);
	for (fd = (unsigned)lowest; fd < fds->top && fds->file[fd];)
		fd++;
	if (fd < end)
		put_at(fds, fd, f, cloexec);
	spin_unlock(&fds->lock);
	if (fd < end)
		return (int)fd;
	file_put(f);
	return -EMFILE;
}

struct fdtable *fdtable_create(void)
{
	struct fdtable *fds = kmalloc(sizeof(*fds), 0);

	if (!fds)
		return NULL;
	spin_init(&fds->lock, "fdtable");
	fds->top = 0;
	memset(fds->cloexec, 0, sizeof(fds->cloexec));
	return fds;
}

struct fdtable *fdtable_copy(struct fdtable *old)
{
	struct fdtable *fds = fdtable_create();

	if (!fds)
		return NULL;
	spin_lock(&old->lock);
	for (unsigned fd = 0; fd < old->top; fd++) {
		struct file *f = old->file[fd];

		fds->file[fd] = f ? file_get(f) : NULL;
	}
	fds->top = old->top;
	memcpy(fds->cloexec, old->cloexec, sizeof(fds->cloexec));
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
				file_put(f);
		}
}

void fdtable_free(struct fdtable *fds)
{
	for (unsigned fd = 0; fd < fds->top; fd++)
		if (fds->file[fd])
			file_put(fds->file[fd]);
	kfree(fds);
}

int fd_close(int fd)
{
	struct file *f = fd < 0 ? NULL : take(current_proc()->fds, (unsigned)fd);

	if (!f)
		return -EBADF;
	file_put(f);
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
	old = put_at(fds, (unsigned)newfd, f, false);
	spin_unlock(&fds->lock);
	if (old)
		file_put(old);
	return newfd;
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
		int lowest = arg < 0 || arg >= OPEN_MAX ? -1 : (int)arg;

		return fd_install(f, lowest, cmd == F_DUPFD_CLOEXEC);
	}
	r = file_fcntl(f, fd, cmd, arg);
	file_put(f);
	return r;
}
