/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks and mutexes.
 *
 * A spinlock is one word taken by an atomic exchange, and it keeps interrupts off on its CPU for
 * as long as it is held: otherwise an interrupt handler could wait for a lock that the code under
 * it holds. How interrupts are kept off is the machine's affair. Natively it is `cli`; under PV it
 * is a store to this virtual CPU's event mask in the shared page, and turning them on again is a
 * store and a look at the pending flag beside it: neither needs a hypercall unless something came
 * meanwhile. Sections nest, so a counter per CPU remembers how deep we are and the state found at
 * the outermost entry is restored at the outermost exit.
 *
 * A mutex is a pointer to its owner, changed by compare-and-exchange; who finds it taken sleeps.
 * There is no hand-over: the one who is woken tries again, and may lose against a thread that came
 * just then. The waiting list is looked at after the owner has been cleared, and the owner after
 * one has put oneself on the list; with a full barrier on both sides one of the two sees the other.
 */
#include <lock.h>
#include <machine.h>
#include <printk.h>
#include <proc.h>

/* These two are in every lock and unlock, hence inline; @c is this CPU. */
static inline void push_off(struct cpu *c)
{
	bool on;

	if (c->irq_depth) {
		c->irq_depth++;
		return;
	}
	on = machine->irq_enabled();
	machine->irq_disable();
	c->irq_were_on = on;
	c->irq_depth = 1;
}

static inline void pop_off(struct cpu *c)
{
	if (--c->irq_depth == 0 && c->irq_were_on)
		machine->irq_enable();
}

void irq_push_off(void)
{
	push_off(this_cpu());
}

void irq_pop_off(void)
{
	struct cpu *c = this_cpu();

	KASSERT(c->irq_depth > 0);
	pop_off(c);
}

void spin_init(spinlock_t *l, const char *name)
{
	l->locked = 0;
	l->owner = NULL;
	l->name = name;
}

bool spin_held(const spinlock_t *l)
{
	return l->locked && l->owner == this_cpu();
}

static __attribute__((noinline)) void spin_contended(spinlock_t *l)
{
	struct thread *t = current;

	if (l->owner == this_cpu())
		panic("deadlock: lock '%s' is taken again by CPU %u, which holds it (thread '%s')",
		      l->name ? l->name : "?", this_cpu()->id, t ? t->name : "boot");
	do {
		while (l->locked)
			cpu_relax();
	} while (__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE));
}

void spin_lock(spinlock_t *l)
{
	struct cpu *c = this_cpu();

	push_off(c);
	if (unlikely(__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE)))
		spin_contended(l);
	l->owner = c;
}

bool spin_trylock(spinlock_t *l)
{
	struct cpu *c = this_cpu();

	push_off(c);
	if (__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE)) {
		pop_off(c);
		return false;
	}
	l->owner = c;
	return true;
}

static __noreturn __attribute__((noinline)) void not_held(const spinlock_t *l)
{
	panic("lock '%s' is released by CPU %u, which does not hold it", l->name ? l->name : "?",
	      this_cpu()->id);
}

void spin_unlock(spinlock_t *l)
{
	struct cpu *c = this_cpu();

	if (unlikely(l->owner != c))
		not_held(l);
	l->owner = NULL;
	__atomic_store_n(&l->locked, 0, __ATOMIC_RELEASE);
	pop_off(c);
}

void mutex_init(mutex_t *m, const char *name)
{
	spin_init(&m->lock, name);
	m->owner = NULL;
	waitq_init(&m->wq);
	m->wq.lock.name = name;
}

bool mutex_held(const mutex_t *m)
{
	return m->owner == current;
}

bool mutex_trylock(mutex_t *m)
{
	struct thread *none = NULL;

	return __atomic_compare_exchange_n(&m->owner, &none, current, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

static __attribute__((noinline)) void mutex_wait(mutex_t *m)
{
	struct waiter w;

	if (m->owner == current)
		panic("deadlock: mutex '%s' is taken again by its owner, thread '%s'",
		      m->lock.name ? m->lock.name : "?", current->name);
	waiter_add(&m->wq, &w);
	for (;;) {
		thread_prepare_sleep();
		if (mutex_trylock(m))
			break;
		thread_sleep(0, KTIME_NEVER);
	}
	thread_cancel_sleep();
	waiter_remove(&w);
}

void mutex_lock(mutex_t *m)
{
	if (unlikely(!mutex_trylock(m)))
		mutex_wait(m);
}

void mutex_unlock(mutex_t *m)
{
	if (unlikely(m->owner != current))
		panic("mutex '%s' is released by thread '%s', which does not own it",
		      m->lock.name ? m->lock.name : "?", current->name);
	__atomic_store_n(&m->owner, NULL, __ATOMIC_SEQ_CST);
	if (unlikely(!list_empty(&m->wq.waiters)))
		waitq_wake_one(&m->wq);
}
