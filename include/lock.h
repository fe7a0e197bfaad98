/* SPDX-License-Identifier: MIT */
/*
 * Locks.
 *
 * spinlock: short sections, nothing may sleep. Interrupts are off on this CPU while any is held
 * (nesting is counted per CPU), so a lock may be taken in interrupt handlers too, and there is one
 * kind only. mutex: long sections, may sleep while held, never in interrupt handlers.
 *
 * ORDER, outermost first (a lock may be taken while holding those above it, never those below):
 *   0  the mutex of a pipe or of one Unix socket (never two): user memory is copied under it
 *   1  vfs rename mutex, then vnode mutexes (directory before entry; two directories: by address)
 *   2  aspace mutex               (a fault may read a file: page lock, block layer below)
 *   3  page lock (bit in struct page, sleeping), buffer/file-system mutexes
 *   4  a console's input lock, proc table lock, then a process's signal lock
 *   5  tty, Unix sockets' names and connections, file-descriptor-table, timer spinlocks, vnode
 *      table; page cache; block-device list and batches; inside of any of these: waitq
 *   6  run queue
 *   7  slab, then page allocator
 *   8  page-table update queue
 *   9  console, trace: the leaves
 * A fault on user memory may sleep and takes 2: so user copies are made with no spinlock and no
 * aspace mutex held, and a vnode mutex may be held only because no fault path takes vnode mutexes
 * (page-cache reads take page locks).
 *
 * One step goes up: whoever writes a file out locks its dirty pages and then takes the lock of each
 * aspace that maps them (mappings_clean()). A fault, which has its aspace's lock, waits for the
 * locks of pages that are not up to date only, and dirty pages are.
 */
#ifndef LOCK_H
#define LOCK_H

#include <cpu.h>
#include <list.h>
#include <types.h>

typedef struct {
	volatile unsigned locked;
	struct cpu *owner;
	const char *name;
} spinlock_t;

#define SPINLOCK(lockname)       \
	{                        \
		.name = lockname \
	}

void spin_init(spinlock_t *l, const char *name);
void spin_lock(spinlock_t *l);
bool spin_trylock(spinlock_t *l);
void spin_unlock(spinlock_t *l);
bool spin_held(const spinlock_t *l);

/* Interrupts off on this CPU, nested with spin_lock's own count. */
void irq_push_off(void);
void irq_pop_off(void);

/*
 * Where threads wait. A thread that waits on several (poll) has one struct waiter for each.
 * waitq_wake() may be called from interrupt handlers and with other spinlocks of order <= 5 held.
 */
struct waitq {
	spinlock_t lock;
	struct list waiters;
};

struct waiter {
	struct list link;
	struct thread *thread;
	struct waitq *wq;
};

#define WAITQ(qname)                                         \
	{                                                    \
		SPINLOCK(#qname), LIST_INIT((qname).waiters) \
	}

void waitq_init(struct waitq *wq);
void waitq_wake_all(struct waitq *wq);
void waitq_wake_one(struct waitq *wq);

/*
 * The steps below sleep_on(), for poll and for conditions without a lock:
 *   waiter_add(wq, &w) ...; thread_prepare_sleep(); check the conditions; thread_sleep(flags,
 * deadline); waiter_remove(&w) ... A wake-up between prepare and sleep is not lost: thread_sleep()
 * then returns at once.
 */
void waiter_add(struct waitq *wq, struct waiter *w);
void waiter_remove(struct waiter *w);
void thread_prepare_sleep(void);
void thread_cancel_sleep(void);
/* flags: SLEEP_INTR: a pending signal ends it with -ERESTART. Else 0, or -ETIMEDOUT once @deadline
 * (monotonic) passed. */
int thread_sleep(unsigned flags, ktime_t deadline);

#define SLEEP_INTR 1u

/*
 * Wait on @wq as on a condition variable: @lk is held by the caller, given up while asleep, held
 * again on return. The caller loops on its condition. Returns 0 (woken, perhaps for nothing),
 * -ERESTART, -ETIMEDOUT.
 */
int sleep_on(struct waitq *wq, spinlock_t *lk, unsigned flags, ktime_t deadline);

/*
 * Result of an interrupted system call that may be restarted: signal delivery turns it into a
 * restart (SA_RESTART or no handler run) or into -EINTR. Never seen by user programs.
 */
#define ERESTART 512

typedef struct {
	spinlock_t lock;
	struct thread *owner;
	struct waitq wq;
} mutex_t;

#define MUTEX(m)                                          \
	{                                                 \
		.lock = SPINLOCK(#m), .wq = WAITQ((m).wq) \
	}

void mutex_init(mutex_t *m, const char *name);
void mutex_lock(mutex_t *m);
bool mutex_trylock(mutex_t *m);
void mutex_unlock(mutex_t *m);
bool mutex_held(const mutex_t *m);
/* Wait as sleep_on() does, with a mutex. */
int sleep_on_mutex(struct waitq *wq, mutex_t *m, unsigned flags, ktime_t deadline);

#endif
