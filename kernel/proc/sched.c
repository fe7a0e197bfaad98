/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: who runs next on this CPU.
 *
 * Each CPU has a queue of ready threads, served in turn. A thread runs until it sleeps, or until
 * its slice is over while somebody waits: 10 ms at normal priority, from 20 ms (nice -20) down to
 * 0.5 ms (nice 19), so priorities are shares of the CPU, and nobody starves. The slice timer is set
 * only while somebody waits. Kernel code is not preempted: the end of a slice sets WORK_RESCHED,
 * which is looked at on the way back to user mode; long loops in the kernel call sched_relax().
 *
 * The switch itself is in two halves. What only the machine knows (page tables, the stack on which
 * the next entry from user mode lands, the FS base) goes to machine->switch_to() in one piece:
 * natively a few instructions, under PV one multicall, which also carries waiting page-table
 * updates. Then context_switch() exchanges the registers that C preserves, and the stack.
 *
 * A queue's lock is held across the switch and released by the thread that comes: so a thread on a
 * queue, or asleep, is off its stack for whoever holds that lock, and no other CPU can take it up
 * half switched. A thread that has ended is freed by its successor, since nobody can free the
 * stack on which he stands.
 *
 * Time is charged at switches: one clock reading for each. A system call does not read the clock
 * (under PV a time stamp may cost a trip into Xen), so the split into user and system time is an
 * estimate: the span since the last look goes whole to the program if it made few system calls in
 * it, to the kernel if it made many. What is known to be long (fork, execve, exit, large transfers)
 * reads the clock before and after.
 */
#include <lock.h>
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include "room.h"

#define SLICE_PER_STEP (NSEC_PER_MSEC / 2)
#define CALL_USUAL \
	(50 * NSEC_PER_USEC) /* more than a short system call takes, in an emulator too */

static struct runq {
	spinlock_t lock;
	struct thread *prev; /* the one that was switched away from, for its successor */
} runqs[MAX_CPUS];

static struct thread idle_threads[MAX_CPUS];

/* Load averages: samples of the number of ready threads, 16.16 fixed point, decayed each 5 s. */
static unsigned long load_avg[3];
static ktime_t load_next;
static const unsigned long load_decay[3] = {60297, 64453, 65173}; /* exp(-5/60), /300, /900 */

static struct runq *runq_of(const struct cpu *c)
{
	return &runqs[c->id];
}

void sched_init(void)
{
	struct cpu *c = this_cpu();
	struct thread *t = &idle_threads[c->id];

	spin_init(&runq_of(c)->lock, "run queue");
	list_init(&c->runq);
	timers_init_cpu(c);
	t->arch.kstack_top = c->kstack_top;
	t->state = THREAD_RUNNING;
	t->cpu = c;
	t->priority = 39;
	list_init(&t->run_link);
	list_init(&t->proc_link);
	strlcpy(t->name, "idle", sizeof(t->name));
	c->idle = t;
	c->thread = t;
	t->stamp = clock_now();
	load_next = t->stamp + 5 * NSEC_PER_SEC;
}

void sched_loads(unsigned long loads[3])
{
	memcpy(loads, load_avg, sizeof(load_avg));
}

/* @running: threads that wanted the CPU during the span that ends now. */
static void load_sample(ktime_t now, unsigned running)
{
	for (int steps = 0; now >= load_next && steps < 1000; steps++) {
		for (int i = 0; i < 3; i++)
			load_avg[i] = (load_avg[i] * load_decay[i] +
				       ((unsigned long)running << 16) * (65536 - load_decay[i])) >>
				      16;
		load_next += 5 * NSEC_PER_SEC;
	}
	if (now >= load_next)
		load_next = now + 5 * NSEC_PER_SEC;
}

/* The current thread, which has run since t->stamp. @kernel: surely in the kernel. */
static void account(struct thread *t, ktime_t now, bool kernel)
{
	uint64_t calls = this_cpu()->counters[CNT_syscalls];
	ktime_t span = now - t->stamp;

	if (span > 0) {
		if (!kernel && t->proc && span > (ktime_t)(calls - t->stamp_calls) * CALL_USUAL)
			t->utime += span;
		else
			t->stime += span;
	}
	t->stamp = now;
	t->stamp_calls = calls;
}

void thread_account(void)
{
	irq_push_off();
	account(current, clock_now(), false);
	irq_pop_off();
}

void thread_account_kernel(void)
{
	irq_push_off();
	account(current, clock_now(), true);
	irq_pop_off();
}

static void slice_start(struct thread *t, ktime_t now)
{
	t->stamp = now;
	t->stamp_calls = this_cpu()->counters[CNT_syscalls];
	t->slice_end = now + (40 - t->priority) * SLICE_PER_STEP;
}

/* The thread that has just got the CPU lets go of the queue and buries its predecessor. */
static void switch_finish(void)
{
	struct runq *rq = runq_of(this_cpu());
	struct thread *prev = rq->prev;
	bool dead = prev && prev->state == THREAD_DEAD;

	rq->prev = NULL;
	spin_unlock(&rq->lock);
	if (dead)
		thread_free(prev);
}

void sched_first_run(void)
{
	this_cpu()->irq_were_on = true;
	switch_finish();
}

static void switch_to(struct cpu *c, struct thread *prev, struct thread *next)
{
	struct mmu *mmu = c->mmu;

	if (next->proc && next->proc->aspace)
		mmu = &next->proc->aspace->mmu;
	trace(switch, prev->proc ? prev->proc->pid : 0, next->proc ? next->proc->pid : 0, 0);
	count(switches);
	machine->switch_to(&prev->arch, &next->arch, mmu);
	if (prev->arch.fpu)
		fpu_save(prev->arch.fpu);
	if (next->arch.fpu)
		fpu_restore(next->arch.fpu);
	runq_of(c)->prev = prev;
	c->thread = next;
	c->work = next->work;
	context_switch(&prev->arch.rsp, next->arch.rsp);
}

/* Interrupts off, the queue's lock held; gives it up. The thread's state is set. */
static void switch_away(struct cpu *c, struct thread *prev)
{
	struct runq *rq = runq_of(c);
	struct thread *next = c->idle;
	bool were_on = c->irq_were_on;
	ktime_t now;

	if (unlikely(c->irq_depth != 1))
		panic("thread '%s' sleeps with %u spinlocks held", prev->name, c->irq_depth - 1);
	if (!list_empty(&c->runq)) {
		next = list_first(&c->runq, struct thread, run_link);
		list_del(&next->run_link);
		c->nr_running--;
	}
	if (next == prev) {
		prev->state = THREAD_RUNNING;
		c->work = prev->work;
		spin_unlock(&rq->lock);
		return;
	}
	now = clock_now();
	if (unlikely(now >= load_next))
		load_sample(now, c->nr_running + (prev != c->idle));
	account(prev, now, false);
	slice_start(next, now);
	next->state = THREAD_RUNNING;
	next->cpu = c;
	if (c->nr_running && next != c->idle)
		timer_need(next->slice_end);
	if (unlikely(next->cpu_next))
		timer_need(thread_cpu_deadline(next));
	switch_to(c, prev, next);
	/* Here prev runs again: perhaps much later, perhaps on another CPU. */
	this_cpu()->irq_were_on = were_on;
	switch_finish();
}

void schedule(void)
{
	struct cpu *c;
	struct thread *t = current;

	irq_push_off();
	c = this_cpu();
	spin_lock(&runq_of(c)->lock);
	irq_pop_off();
	__atomic_and_fetch(&t->work, ~WORK_RESCHED, __ATOMIC_RELAXED);
	if (t != c->idle && t->state == THREAD_RUNNING) {
		if (list_empty(&c->runq)) {
			/* Alone: a new slice begins when somebody comes. */
			__atomic_and_fetch(&c->work, ~WORK_RESCHED, __ATOMIC_RELAXED);
			spin_unlock(&runq_of(c)->lock);
			return;
		}
		t->state = THREAD_READY;
		t->nivcsw++;
		list_add_tail(&c->runq, &t->run_link);
		c->nr_running++;
	}
	switch_away(c, t);
}

void sched_relax(void)
{
	if (this_cpu()->work & WORK_RESCHED)
		schedule();
}

/* Interrupts call it first of all, so that what they do themselves does not count as waiting. */
void sched_idle_over(void)
{
	struct cpu *c = this_cpu();

	if (c->idle_since) {
		c->counters[CNT_idle_ticks] += rdtsc_now() - c->idle_since;
		c->idle_since = 0;
	}
}

void sched_idle(void)
{
	struct cpu *c = this_cpu();

	for (;;) {
		schedule();
		/* An interrupt that comes between the look and the wait is not lost: the wait
		 * begins with interrupts off, and ends at once if one is pending. */
		machine->irq_disable();
		if (list_empty(&c->runq)) {
			count(idles);
			c->idle_since = trace_stamps_dear ? 0 : rdtsc_now();
			machine->idle();
			sched_idle_over();
		} else {
			machine->irq_enable();
		}
	}
}

/* Slice timer for the thread that runs, now that another one waits behind it. */
static void slice_watch(struct cpu *c)
{
	struct thread *cur = c->thread;

	if (cur == c->idle || c != this_cpu() || timer_armed_by(cur->slice_end))
		return;
	if (clock_now() >= cur->slice_end)
		__atomic_or_fetch(&c->work, WORK_RESCHED, __ATOMIC_RELAXED);
	else
		timer_need(cur->slice_end);
}

ktime_t sched_slice_check(ktime_t now)
{
	struct cpu *c = this_cpu();
	struct thread *t = c->thread;

	if (!t || t == c->idle || !c->nr_running || (c->work & WORK_RESCHED))
		return KTIME_NEVER;
	if (now < t->slice_end)
		return t->slice_end;
	__atomic_or_fetch(&c->work, WORK_RESCHED, __ATOMIC_RELAXED);
	return KTIME_NEVER;
}

/* The queue's lock is held. A CPU that is not ours finds the thread at its next interrupt. */
static void enqueue(struct cpu *c, struct thread *t)
{
	t->state = THREAD_READY;
	list_add_tail(&c->runq, &t->run_link);
	c->nr_running++;
	slice_watch(c);
}

void thread_ready(struct thread *t)
{
	struct cpu *c;

	irq_push_off();
	c = t->cpu;
	spin_lock(&runq_of(c)->lock);
	enqueue(c, t);
	spin_unlock(&runq_of(c)->lock);
	irq_pop_off();
}

/* The queue's lock of the CPU on which @t runs or ran last; it may move until we hold it. */
static struct runq *thread_runq_lock(struct thread *t)
{
	for (;;) {
		struct cpu *c = READ_ONCE(t->cpu);
		struct runq *rq = runq_of(c);

		spin_lock(&rq->lock);
		if (likely(t->cpu == c))
			return rq;
		spin_unlock(&rq->lock);
	}
}

void thread_wake(struct thread *t)
{
	struct runq *rq = thread_runq_lock(t);

	t->wake_pending = true;
	if (t->state == THREAD_SLEEPING)
		enqueue(t->cpu, t);
	spin_unlock(&rq->lock);
}

void thread_set_work(struct thread *t, unsigned work)
{
	struct runq *rq = thread_runq_lock(t);

	__atomic_or_fetch(&t->work, work, __ATOMIC_RELAXED);
	if (t->cpu->thread == t)
		__atomic_or_fetch(&t->cpu->work, work, __ATOMIC_RELAXED);
	spin_unlock(&rq->lock);
}

void thread_interrupt(struct thread *t)
{
	struct runq *rq = thread_runq_lock(t);

	if (t->state == THREAD_SLEEPING && t->sleep_intr)
		enqueue(t->cpu, t);
	spin_unlock(&rq->lock);
}

void thread_prepare_sleep(void)
{
	WRITE_ONCE(current->wake_pending, false);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void thread_cancel_sleep(void)
{
	WRITE_ONCE(current->wake_pending, false);
}

struct sleep_timeout {
	struct ktimer timer;
	struct thread *thread;
	volatile bool over;
};

static void sleep_timeout(struct ktimer *timer)
{
	struct sleep_timeout *to = timer->arg;
	struct runq *rq;

	to->over = true;
	rq = thread_runq_lock(to->thread);
	if (to->thread->state == THREAD_SLEEPING)
		enqueue(to->thread->cpu, to->thread);
	spin_unlock(&rq->lock);
}

int thread_sleep(unsigned flags, ktime_t deadline)
{
	struct thread *t = current;
	struct sleep_timeout to;
	struct runq *rq;
	bool intr = flags & SLEEP_INTR;

	to.over = false;
	if (deadline != KTIME_NEVER) {
		to.thread = t;
		ktimer_init(&to.timer);
		ktimer_set(&to.timer, deadline, sleep_timeout, &to);
	}
	rq = thread_runq_lock(t);
	if (!t->wake_pending && !to.over && !(intr && thread_interrupted())) {
		t->state = THREAD_SLEEPING;
		t->sleep_intr = intr;
		t->nvcsw++;
		switch_away(t->cpu, t);
	} else {
		spin_unlock(&rq->lock);
	}
	if (deadline != KTIME_NEVER)
		ktimer_cancel(&to.timer);
	if (t->wake_pending) {
		t->wake_pending = false;
		return 0;
	}
	if (intr && thread_interrupted())
		return -ERESTART;
	return to.over ? -ETIMEDOUT : 0;
}

void thread_exit(void)
{
	struct thread *t = current;

	thread_runq_lock(t);
	t->state = THREAD_DEAD;
	switch_away(t->cpu, t);
	panic("a thread that has ended runs again");
}
