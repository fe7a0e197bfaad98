/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several files: poll and select.
 *
 * Each file is asked for its state and at the same time puts us on the wait queues that will be
 * woken when the state changes. Then: prepare to sleep, ask all of them once more (without putting
 * us anywhere), sleep. A change that comes before we are on a queue is seen by the second question;
 * one that comes later wakes us, or keeps us from falling asleep. A file's poll operation must not
 * sleep: it is called between thread_prepare_sleep() and thread_sleep().
 */
#include <fs.h>
#include <proc.h>
#include <string.h>

#define FEW 8
#define CHUNK 48

/* Places on wait queues: a few on the stack, more in chunks. */
struct poll_chunk {
	struct poll_chunk *next;
	struct waiter w[CHUNK];
};
struct poll_table {
	unsigned nr_few, nr_chunk; /* used in few[], in the newest chunk */
	struct waiter few[FEW];
	struct poll_chunk *chunks;
	bool failed;
};

/* One that is waited for. */
struct target {
	struct file *file;
	unsigned mask; /* what is of interest */
	unsigned events;
};

static struct waiter *new_waiter(struct poll_table *pt)
{
	struct poll_chunk *c;

	if (pt->nr_few < FEW)
		return &pt->few[pt->nr_few++];
	if (!pt->chunks || pt->nr_chunk == CHUNK) {
		c = kmalloc(sizeof(*c), 0);
		if (!c)
			return NULL;
		c->next = pt->chunks;
		pt->chunks = c;
		pt->nr_chunk = 0;
	}
	return &pt->chunks->w[pt->nr_chunk++];
}

void poll_wait(struct poll_table *pt, struct waitq *wq)
{
	struct waiter *w;

	if (!pt)
		return;
	w = new_waiter(pt);
	if (w)
		waiter_add(wq, w);
	else
		pt->failed = true;
}

static void leave_queues(struct poll_table *pt)
{
	unsigned n = pt->nr_chunk;

	for (unsigned i = 0; i < pt->nr_few; i++)
		waiter_remove(&pt->few[i]);
	while (pt->chunks) {
		struct poll_chunk *c = pt->chunks;

		for (unsigned i = 0; i < n; i++)
			waiter_remove(&c->w[i]);
		n = CHUNK;
		pt->chunks = c->next;
		kfree(c);
	}
}

/* Ask all; how many have something. */
static int ask(struct target *t, unsigned n, struct poll_table *pt)
{
	int ready = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

		if (!t[i].file)
			continue;
		if (t[i].file->ops->poll)
			events = t[i].file->ops->poll(t[i].file, ready ? NULL : pt);
		t[i].events = events & t[i].mask;
		ready += t[i].events != 0;
	}
	return ready;
}

/* Wait until one of the targets has something, or @deadline. @now_ready: do not wait at all. */
static int wait_for(struct target *t, unsigned n, ktime_t deadline, bool now_ready)
{
	struct poll_table pt = {.chunks = NULL};
	int ready, err = 0;

	if (now_ready || deadline <= 0)
		return ask(t, n, NULL);
	ready = ask(t, n, &pt);
	while (!ready && !err) {
		if (pt.failed) {
			err = -ENOMEM;
			break;
		}
		thread_prepare_sleep();
		ready = ask(t, n, NULL);
		if (ready) {
			thread_cancel_sleep();
			break;
		}
		err = thread_sleep(SLEEP_INTR, deadline);
	}
	leave_queues(&pt);
	if (err == -ETIMEDOUT)
		return ask(t, n, NULL);
	/* A handler always ends the call; without one it goes on, and the caller knows how long. */
	return err == -ERESTART ? -ERESTARTNOHAND : err ? err : ready;
}

static struct target *targets_alloc(unsigned n, struct target *few)
{
	struct target *t = n <= FEW ? few : kmalloc(n * sizeof(*t), 0);

	if (t)
		memset(t, 0, n * sizeof(*t));
	return t;
}

static void targets_free(struct target *t, unsigned n, struct target *few)
{
	for (unsigned i = 0; i < n; i++)
		if (t[i].file)
			file_put(t[i].file);
	if (t != few)
		kfree(t);
}

int do_poll(struct parvix_pollfd *fds, unsigned n, ktime_t deadline)
{
	struct target few[FEW], *t;
	int bad = 0, ret;

	if (n > POLL_MAX)
		return -EINVAL;
	t = targets_alloc(n, few);
	if (!t)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue; /* an entry that is not used */
		t[i].file = fd_get(fds[i].fd);
		t[i].mask = (unsigned short)fds[i].events | POLLERR | POLLHUP;
		if (!t[i].file) {
			fds[i].revents = POLLNVAL;
			bad++;
		}
	}
	ret = wait_for(t, n, deadline, bad);
	for (unsigned i = 0; ret >= 0 && i < n; i++)
		if (t[i].file)
			fds[i].revents = t[i].events;
	targets_free(t, n, few);
	return ret < 0 ? ret : ret + bad;
}

/* ---- select ---- */

#define SELECT_RD (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define SELECT_WR (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define SELECT_EX POLLPRI

static bool in_set(const uint64_t *set, int fd)
{
	return set && set[fd / 64] >> (fd % 64) & 1;
}

static unsigned wanted(const uint64_t *rd, const uint64_t *wr, const uint64_t *ex, int fd)
{
	return (in_set(rd, fd) ? SELECT_RD : 0) | (in_set(wr, fd) ? SELECT_WR : 0) |
	       (in_set(ex, fd) ? SELECT_EX : 0);
}

/* Keep @fd in @set if it is there and ready; returns how many bits that makes. */
static int set_result(uint64_t *set, int fd, bool ready)
{
	if (!in_set(set, fd))
		return 0;
	if (!ready)
		set[fd / 64] &= ~(1ull << (fd % 64));
	return ready;
}

int do_select(int n, uint64_t *rd, uint64_t *wr, uint64_t *ex, ktime_t deadline)
{
	struct target few[FEW], *t;
	unsigned count = 0;
	int ret = 0, bits = 0;

	if (n < 0 || n > PARVIX_FD_SETSIZE)
		return -EINVAL;
	for (int fd = 0; fd < n; fd++)
		count += wanted(rd, wr, ex, fd) != 0;
	t = targets_alloc(count, few);
	if (!t)
		return -ENOMEM;
	for (int fd = 0, i = 0; fd < n && !ret; fd++) {
		unsigned mask = wanted(rd, wr, ex, fd);

		if (!mask)
			continue;
		t[i].mask = mask;
		t[i].file = fd_get(fd);
		if (!t[i++].file)
			ret = -EBADF;
	}
	if (!ret)
		ret = wait_for(t, count, deadline, false);
	for (int fd = 0, i = 0; fd < n && ret >= 0; fd++) {
		unsigned events;

		if (!wanted(rd, wr, ex, fd))
			continue;
		events = t[i++].events;
		bits += set_result(rd, fd, events & SELECT_RD);
		bits += set_result(wr, fd, events & SELECT_WR);
		bits += set_result(ex, fd, events & SELECT_EX);
	}
	targets_free(t, count, few);
	return ret < 0 ? ret : bits;
}
