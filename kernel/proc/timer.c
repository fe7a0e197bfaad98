/* SPDX-License-Identifier: MIT */
/*
 * Timers, on top of the machine's one-shot timer.
 *
 * There is no tick. Each CPU has a list of timers, sorted; the machine's timer is set to the first
 * of them, or to the end of the running thread's slice if somebody waits for the CPU. Setting it
 * natively costs a write to the local APIC; under PV a hypercall, and when it fires, an event, an
 * upcall and an iret hypercall. So it is set only if the new deadline is earlier than the one it is
 * set to: cancelling a timer, or giving the CPU away before the slice ends, touches nothing, and
 * the timer fires once for nothing, finds nobody due, and is set to what comes next. A program that
 * sleeps and wakes a thousand times a second because others wake it costs no timer hypercall at
 * all, instead of two thousand.
 */
#include <lock.h>
#include <machine.h>
#include <proc.h>
#include "room.h"
#include "timerq.h"

static struct timers {
	spinlock_t lock;
	struct list queue;
	ktime_t armed;                   /* what the machine's timer is set to */
	struct ktimer *volatile running; /* whose function is being called */
} timers[MAX_CPUS];

void timers_init_cpu(struct cpu *c)
{
	struct timers *tm = &timers[c->id];

	spin_init(&tm->lock, "timers");
	list_init(&tm->queue);
	tm->armed = KTIME_NEVER;
}

/* Interrupts off. */
void timer_need(ktime_t deadline)
{
	struct timers *tm = &timers[this_cpu()->id];

	if (deadline >= tm->armed)
		return;
	tm->armed = deadline;
	trace(timer, deadline, 0, 0);
	count(timer_sets);
	machine->timer_set(deadline);
}

bool timer_armed_by(ktime_t deadline)
{
	return timers[this_cpu()->id].armed <= deadline;
}

void ktimer_init(struct ktimer *t)
{
	list_init(&t->link);
	t->cpu = NULL;
	t->when = KTIME_NEVER;
}

/* Off the queue; false: it was not there, and its function may be running. */
static bool dequeue(struct ktimer *t)
{
	struct cpu *c = READ_ONCE(t->cpu);
	bool was_set = false;

	if (c) {
		spin_lock(&timers[c->id].lock);
		was_set = t->cpu == c;
		if (was_set) {
			list_del(&t->link);
			t->cpu = NULL;
		}
		spin_unlock(&timers[c->id].lock);
	}
	return was_set;
}

static void enqueue(struct ktimer *t, ktime_t when, void (*fn)(struct ktimer *), void *arg)
{
	struct timers *tm;

	irq_push_off();
	tm = &timers[this_cpu()->id];
	spin_lock(&tm->lock);
	t->when = when;
	t->fn = fn;
	t->arg = arg;
	t->cpu = this_cpu();
	if (timerq_insert(&tm->queue, t))
		timer_need(when);
	spin_unlock(&tm->lock);
	irq_pop_off();
}

void ktimer_set(struct ktimer *t, ktime_t when, void (*fn)(struct ktimer *), void *arg)
{
	ktimer_cancel(t);
	enqueue(t, when, fn, arg);
}

void ktimer_move(struct ktimer *t, ktime_t when, void (*fn)(struct ktimer *), void *arg)
{
	dequeue(t);
	enqueue(t, when, fn, arg);
}

bool ktimer_cancel(struct ktimer *t)
{
	bool was_set = dequeue(t);

	/* On this CPU its function runs with interrupts off: then it is we who run inside it. */
	for (unsigned i = 0; i < nr_cpus; i++)
		while (i != this_cpu()->id && timers[i].running == t)
			cpu_relax();
	return was_set;
}

void timer_interrupt(void)
{
	struct timers *tm = &timers[this_cpu()->id];
	ktime_t now = clock_now(), slice, cpu = KTIME_NEVER;
	struct ktimer *t;

	if (unlikely(current->cpu_next))
		cpu = ptimers_cpu_check(current);

	spin_lock(&tm->lock);
	tm->armed = KTIME_NEVER;
	while ((t = timerq_pop(&tm->queue, now))) {
		/* The function may set it again, or free it: nothing is read from it afterwards. */
		tm->running = t;
		t->cpu = NULL;
		spin_unlock(&tm->lock);
		t->fn(t);
		spin_lock(&tm->lock);
		tm->running = NULL;
	}
	slice = sched_slice_check(now);
	slice = min(slice, cpu);
	timer_need(min(slice, timerq_first(&tm->queue)));
	spin_unlock(&tm->lock);
}
