/* SPDX-License-Identifier: MIT */
/*
 * Advisory locks on files: record locks (fcntl, lockf) and locks on whole files (flock).
 *
 * Both are entries of one list, which hangs on the vnode while it is in memory: a range of bytes,
 * shared or exclusive, and an owner. The owner of a record lock is the process, by its descriptor
 * table: any close of the file by it gives up all its record locks there, a child has none of its
 * own. The owner of a flock is the open file: duplicates and children share it, the last close
 * gives it up. The two kinds do not see each other.
 *
 * An owner's own ranges never overlap. A new one cuts out of them what it covers, and joins those
 * of its type that it touches; to unlock is to cut only.
 *
 * Who must wait for a record lock is on a list with what he wants. Before he sleeps, he follows who
 * waits for whom, from the owner in his way on: if that leads back to himself nobody would ever
 * wake him, and he gets -EDEADLK. What is in somebody's way is looked up anew at each step, so the
 * chain is true at the time. Every change of a list wakes all who wait for it.
 *
 * locks_mutex guards all lists. It is taken with no other lock held, and inside it is only memory
 * allocated.
 */
#include "internal.h"

#include <parvix/types.h>
#include <usercopy.h>

#define LOCKS_MAX 4096 /* in the whole system */
#define CHAIN_MAX 64   /* owners followed when looking for a circle */

struct file_lock {
	struct list link;
	const void *owner;
	pid_t pid;
	bool exclusive;
	bool whole;          /* flock */
	uint64_t start, end; /* both included; at most INT64_MAX */
};

struct file_locks {
	struct list held;
	struct waitq changed;
};

struct lock_wait {
	struct list link;
	struct vnode *vn;
	const struct file_lock *want;
};

static mutex_t locks_mutex = MUTEX(locks_mutex);
static struct list waits = LIST_INIT(waits);
static unsigned nr_locks;

/* What keeps @want from being held, or NULL. */
static struct file_lock *in_the_way(struct vnode *vn, const struct file_lock *want)
{
	struct file_lock *l;

	if (!vn->locks)
		return NULL;
	list_for_each (l, &vn->locks->held, link)
		if (l->whole == want->whole && l->owner != want->owner &&
		    (l->exclusive || want->exclusive) && l->start <= want->end &&
		    want->start <= l->end)
			return l;
	return NULL;
}

static bool would_circle(const struct file_lock *want, const struct file_lock *by)
{
	struct lock_wait *w;

	for (unsigned n = 0; by && n < CHAIN_MAX; n++) {
		const void *owner = by->owner;

		if (owner == want->owner)
			return true;
		by = NULL;
		list_for_each (w, &waits, link)
			if (w->want->owner == owner) {
				by = in_the_way(w->vn, w->want);
				break;
			}
	}
	return false;
}

static int wait_until_free(struct vnode *vn, const struct file_lock *want)
{
	struct lock_wait w = {.vn = vn, .want = want};
	struct file_lock *by;
	int err = 0;

	while (!err && (by = in_the_way(vn, want))) {
		if (would_circle(want, by))
			return -EDEADLK;
		list_add_tail(&waits, &w.link);
		err = sleep_on_mutex(&vn->locks->changed, &locks_mutex, SLEEP_INTR, KTIME_NEVER);
		list_del(&w.link);
	}
	return err;
}

static void drop(struct file_lock *l)
{
	list_del(&l->link);
	kfree(l);
	nr_locks--;
}

/* Cut @want out of its owner's ranges; @joined takes those of the same type that it touches (NULL:
 * unlock). @split is used for the second part of one that is cut in two: true. */
static bool cut(struct file_locks *fl, const struct file_lock *want, struct file_lock *joined,
		struct file_lock *split)
{
	struct file_lock *l, *next;
	bool used = false;

	list_for_each_safe (l, next, &fl->held, link) {
		if (l->owner != want->owner || l->whole != want->whole)
			continue;
		if (joined && l->exclusive == want->exclusive) {
			if (l->end + 1 < want->start || want->end + 1 < l->start)
				continue;
			joined->start = min(joined->start, l->start);
			joined->end = max(joined->end, l->end);
			drop(l);
		} else if (l->end < want->start || want->end < l->start) {
			continue;
		} else if (l->start < want->start && l->end > want->end) {
			*split = *l;
			split->start = want->end + 1;
			l->end = want->start - 1;
			list_add(&l->link, &split->link);
			used = true;
		} else if (l->start < want->start) {
			l->end = want->start - 1;
		} else if (l->end > want->end) {
			l->start = want->end + 1;
		} else {
			drop(l);
		}
	}
	return used;
}

/* The vnode's list, made when it is first needed. */
static struct file_locks *locks_of(struct vnode *vn)
{
	struct file_locks *fl = vn->locks;

	if (!fl) {
		fl = kmalloc(sizeof(*fl), 0);
		if (!fl)
			return NULL;
		list_init(&fl->held);
		waitq_init(&fl->changed);
		vn->locks = fl;
	}
	return fl;
}

/* locks_mutex held. */
static int change(struct vnode *vn, const struct file_lock *want, bool unlock, bool wait)
{
	struct file_lock *fresh, *split;
	struct file_locks *fl = locks_of(vn);
	int err = fl ? 0 : -ENOLCK;

	if (!err && !unlock && in_the_way(vn, want))
		err = wait ? wait_until_free(vn, want) : -EAGAIN;
	if (!err && nr_locks >= LOCKS_MAX && !unlock)
		err = -ENOLCK;
	if (err)
		return err;
	fresh = unlock ? NULL : kmalloc(sizeof(*fresh), 0);
	split = kmalloc(sizeof(*split), 0);
	if (!split || (!fresh && !unlock)) {
		kfree(fresh);
		kfree(split);
		return -ENOLCK;
	}
	if (fresh)
		*fresh = *want;
	if (cut(fl, want, fresh, split))
		nr_locks++;
	else
		kfree(split);
	if (fresh) {
		list_add_tail(&fl->held, &fresh->link);
		nr_locks++;
	}
	waitq_wake_all(&fl->changed);
	return 0;
}

void locks_release(struct vnode *vn, const void *owner)
{
	struct file_lock *l, *next;

	mutex_lock(&locks_mutex);
	list_for_each_safe (l, next, &vn->locks->held, link)
		if (l->owner == owner)
			drop(l);
	waitq_wake_all(&vn->locks->changed);
	mutex_unlock(&locks_mutex);
}

/* ---- flock ---- */

int file_flock(struct file *f, unsigned op)
{
	struct file_lock want = {.owner = f, .whole = true, .end = INT64_MAX};
	bool wait = !(op & LOCK_NB);
	int err = 0;

	op &= ~(unsigned)LOCK_NB;
	if (op != LOCK_SH && op != LOCK_EX && op != LOCK_UN)
		return -EINVAL;
	if (!f->vnode)
		return -EOPNOTSUPP;
	want.exclusive = op == LOCK_EX;
	mutex_lock(&locks_mutex);
	/* Two who share and both want more: a waiter lets go of what he has. */
	if (wait && op != LOCK_UN && in_the_way(f->vnode, &want))
		err = change(f->vnode, &want, true, false);
	if (!err)
		err = change(f->vnode, &want, op == LOCK_UN, wait);
	mutex_unlock(&locks_mutex);
	return err;
}

/* ---- record locks ---- */

/* The range that @fl means, from the place that it says on. */
static int lock_range(struct file *f, const struct parvix_flock *fl, struct file_lock *want)
{
	off_t start, last;

	switch (fl->l_whence) {
	case SEEK_SET:
		start = 0;
		break;
	case SEEK_CUR:
		start = (off_t)f->pos;
		break;
	case SEEK_END:
		start = (off_t)f->vnode->size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(start, fl->l_start, &start))
		return -EOVERFLOW;
	last = INT64_MAX;
	if (fl->l_len > 0 && __builtin_add_overflow(start, fl->l_len - 1, &last))
		return -EOVERFLOW;
	if (fl->l_len < 0) {
		last = start - 1;
		if (__builtin_add_overflow(start, fl->l_len, &start))
			return -EINVAL;
	}
	if (start < 0)
		return -EINVAL;
	want->start = (uint64_t)start;
	want->end = (uint64_t)last;
	return 0;
}

/* F_GETLK: what would be in the way, as the caller's own words have it. */
static int lock_ask(struct vnode *vn, const struct file_lock *want, struct parvix_flock *fl)
{
	const struct file_lock *l;

	mutex_lock(&locks_mutex);
	l = in_the_way(vn, want);
	fl->l_type = F_UNLCK;
	if (l) {
		fl->l_type = l->exclusive ? F_WRLCK : F_RDLCK;
		fl->l_whence = SEEK_SET;
		fl->l_start = (off_t)l->start;
		fl->l_len = l->end == INT64_MAX ? 0 : (off_t)(l->end - l->start + 1);
		fl->l_pid = l->pid;
	}
	mutex_unlock(&locks_mutex);
	return 0;
}

long file_record_lock(struct file *f, int fd, int cmd, uaddr_t arg)
{
	struct proc *p = current_proc();
	struct file_lock want = {.owner = p->fds, .pid = p->pid};
	unsigned mode = f->flags & O_ACCMODE;
	struct parvix_flock fl;
	int err;

	if (copy_from_user(&fl, arg, sizeof(fl)))
		return -EFAULT;
	if (!f->vnode || fl.l_type < F_RDLCK || fl.l_type > F_UNLCK ||
	    (cmd == F_GETLK && fl.l_type == F_UNLCK))
		return -EINVAL;
	want.exclusive = fl.l_type == F_WRLCK;
	err = lock_range(f, &fl, &want);
	if (err)
		return err;
	if (cmd == F_GETLK) {
		lock_ask(f->vnode, &want, &fl);
		return copy_to_user(arg, &fl, sizeof(fl));
	}
	if ((fl.l_type == F_RDLCK && mode == O_WRONLY) ||
	    (fl.l_type == F_WRLCK && mode == O_RDONLY))
		return -EBADF;
	mutex_lock(&locks_mutex);
	err = change(f->vnode, &want, fl.l_type == F_UNLCK, cmd == F_SETLKW);
	mutex_unlock(&locks_mutex);
	/* Another thread's close may have come between: nobody would ever give this one up. */
	if (!err && fl.l_type != F_UNLCK && !fd_is(fd, f)) {
		locks_release(f->vnode, p->fds);
		return -EBADF;
	}
	return err;
}
