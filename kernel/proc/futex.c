/* SPDX-License-Identifier: MIT */
/*
 * Futexes: sleeping until a word of the program's memory changes.
 *
 * Locks of threads are words that the program itself changes with atomic instructions; only who
 * finds a lock taken, and who releases one that others wait for, makes a system call. A waiter is
 * known by a key: for private memory the address space and the address, for shared memory the
 * object that is mapped and the place in it, so that processes who map it at different addresses
 * meet.
 *
 * No wake-up may be lost between the waiter's look at the word and its sleep. The look happens
 * under the lock of the key's bucket, after that the waiter is in the bucket; who wakes has changed
 * the word before, and searches the bucket under the same lock. Since nothing may sleep under that
 * lock, the word is not read through the user's address: with the address space locked, so that the
 * page stays, it is read through the kernel's own mapping of the page; if there is no page yet, it
 * is faulted in, and all begins anew.
 *
 * A waiter that was woken is not in a bucket any more, and has `woken` set: then it was counted,
 * and must say so, even if a signal came or time was over as well.
 */
#include <mm.h>
#include <parvix/futex.h>
#include <proc.h>
#include <usercopy.h>
#include "ptimer.h"
#include "room.h"

#define BUCKETS 64
#define ROBUST_MAX 2048 /* locks of one thread that are let go: the list may be damaged */

struct bucket {
	spinlock_t lock;
	struct list waiters;
};

struct futex_waiter {
	struct list link;
	struct futex_key key;
	struct thread *thread;
	struct bucket *volatile bucket;
	volatile bool woken;
};

static struct bucket buckets[BUCKETS];

void futex_init(void)
{
	for (int i = 0; i < BUCKETS; i++) {
		spin_init(&buckets[i].lock, "futex");
		list_init(&buckets[i].waiters);
	}
}

static struct bucket *bucket_of(const struct futex_key *key)
{
	uint64_t h = ((uintptr_t)key->object >> 4) * 31 + (key->offset >> 2);

	return &buckets[(h * 0x9e3779b97f4a7c15ull) >> 58];
}

static bool same(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->offset == b->offset;
}

/* The bucket of @w, locked; it may be moved until then. */
static struct bucket *bucket_lock(struct futex_waiter *w)
{
	for (;;) {
		struct bucket *b = w->bucket;

		spin_lock(&b->lock);
		if (b == w->bucket)
			return b;
		spin_unlock(&b->lock);
	}
}

static int key_of(uaddr_t addr, bool private, struct futex_key *key)
{
	struct aspace *as = current_proc()->aspace;

	if (addr.v & 3)
		return -EINVAL;
	if (addr.v >= USER_END)
		return -EFAULT;
	key->object = as;
	key->offset = addr.v;
	if (!private) {
		mutex_lock(&as->lock);
		aspace_futex_key(as, addr.v, key);
		mutex_unlock(&as->lock);
	}
	return 0;
}

/* Wake up to @n; @b is locked. */
static int wake_locked(struct bucket *b, const struct futex_key *key, int n)
{
	struct futex_waiter *w, *next;
	int woken = 0;

	list_for_each_safe (w, next, &b->waiters, link) {
		if (woken >= n)
			break;
		if (!same(&w->key, key))
			continue;
		list_del(&w->link);
		w->woken = true;
		thread_wake(w->thread);
		woken++;
	}
	return woken;
}

static int wake(const struct futex_key *key, int n)
{
	struct bucket *b = bucket_of(key);
	int woken;

	spin_lock(&b->lock);
	woken = wake_locked(b, key, n);
	spin_unlock(&b->lock);
	return woken;
}

int futex_wake(uaddr_t addr, int n, bool private)
{
	struct futex_key key;
	int err = key_of(addr, private, &key);

	return err ? err : wake(&key, n);
}

int futex_requeue(uaddr_t addr, int n, uaddr_t addr2, bool private)
{
	struct futex_key key, key2;
	struct futex_waiter *w, *next;
	struct bucket *from, *to;
	int err = key_of(addr, private, &key), done;

	if (!err)
		err = key_of(addr2, private, &key2);
	if (err)
		return err;
	from = bucket_of(&key);
	to = bucket_of(&key2);
	spin_lock(from < to ? &from->lock : &to->lock);
	if (from != to)
		spin_lock(from < to ? &to->lock : &from->lock);
	done = wake_locked(from, &key, 1);
	list_for_each_safe (w, next, &from->waiters, link) {
		if (n <= 0 || same(&key, &key2))
			break;
		if (!same(&w->key, &key))
			continue;
		list_del(&w->link);
		w->key = key2;
		w->bucket = to;
		list_add_tail(&to->waiters, &w->link);
		done++;
		n--;
	}
	if (from != to)
		spin_unlock(&to->lock);
	spin_unlock(&from->lock);
	return done;
}

/* Put @w into its bucket if the word is @val. -EAGAIN, -EFAULT. */
static int enqueue_if(struct futex_waiter *w, uaddr_t addr, uint32_t val, bool private)
{
	struct aspace *as = current_proc()->aspace;
	volatile uint32_t *word;
	uint32_t now;
	int err;

	for (;;) {
		mutex_lock(&as->lock);
		word = aspace_word(as, addr.v, false);
		if (word)
			break;
		mutex_unlock(&as->lock);
		if (get_user(now, addr))
			return -EFAULT;
	}
	w->key = (struct futex_key){as, addr.v};
	if (!private)
		aspace_futex_key(as, addr.v, &w->key);
	w->bucket = bucket_of(&w->key);
	spin_lock(&w->bucket->lock);
	err = *word == val ? 0 : -EAGAIN;
	if (!err)
		list_add_tail(&w->bucket->waiters, &w->link);
	spin_unlock(&w->bucket->lock);
	mutex_unlock(&as->lock);
	return err;
}

int futex_wait(uaddr_t addr, uint32_t val, ktime_t deadline, bool wall, bool private)
{
	struct futex_waiter w = {.thread = current};
	struct waiter clock;
	struct bucket *b;
	int err;

	if (addr.v & 3)
		return -EINVAL;
	err = enqueue_if(&w, addr, val, private);
	if (err)
		return err;
	if (wall)
		waiter_add(&wall_changed, &clock);
	do {
		thread_prepare_sleep();
		if (w.woken)
			break;
		err = thread_sleep(SLEEP_INTR, wall ? clock_until_wall(deadline) : deadline);
	} while (!err);
	if (wall)
		waiter_remove(&clock);
	thread_cancel_sleep();
	/* Also for the sake of the waker, who may still be at it. */
	b = bucket_lock(&w);
	list_del(&w.link);
	spin_unlock(&b->lock);
	return w.woken ? 0 : err;
}

/* ---- the end of a thread ---- */

/* The lock at @addr: if @tid owns it, nobody does any more, and one who waits is told. */
static void release_lock(unsigned long addr, pid_t tid)
{
	struct aspace *as = current_proc()->aspace;
	volatile uint32_t *word = NULL;
	struct futex_key key;
	uint32_t old;

	if (addr & 3 || addr >= USER_END)
		return;
	for (int tries = 0; !word; tries++) {
		mutex_lock(&as->lock);
		word = aspace_word(as, addr, true);
		if (word)
			break;
		mutex_unlock(&as->lock);
		if (tries == 3 || aspace_fault(as, addr, PF_WRITE | PF_USER))
			return;
	}
	old = *word;
	while ((old & FUTEX_TID_MASK) == (uint32_t)tid &&
	       !__atomic_compare_exchange_n(word, &old, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED,
					    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	key = (struct futex_key){as, addr};
	aspace_futex_key(as, addr, &key);
	mutex_unlock(&as->lock);
	if ((old & FUTEX_TID_MASK) != (uint32_t)tid)
		return;
	wake(&key, 1);
	/* Those who said FUTEX_PRIVATE about shared memory. */
	wake(&(struct futex_key){as, addr}, 1);
}

static void robust_exit(struct thread *t)
{
	struct robust_list_head head;
	struct robust_list link;
	unsigned long at, end = t->robust_list;

	t->robust_list = 0;
	if (copy_from_user(&head, UADDR(end), sizeof(head)))
		return;
	at = (unsigned long)head.list.next;
	for (int n = 0; at && at != end && n < ROBUST_MAX; n++) {
		/* First the next one: who gets the lock may free it. */
		if (copy_from_user(&link, UADDR(at), sizeof(link)))
			break;
		if (at != (unsigned long)head.list_op_pending)
			release_lock(at + (unsigned long)head.futex_offset, t->tid);
		at = (unsigned long)link.next;
	}
	if (head.list_op_pending)
		release_lock((unsigned long)head.list_op_pending + (unsigned long)head.futex_offset,
			     t->tid);
}

void futex_thread_exit(struct thread *t)
{
	uaddr_t at = UADDR(t->tid_at);
	int zero = 0;

	if (t->robust_list)
		robust_exit(t);
	t->tid_at = 0;
	if (at.v && !put_user(at, zero)) {
		futex_wake(at, 1, true);
		futex_wake(at, 1, false);
	}
}
