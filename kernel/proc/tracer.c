/* SPDX-License-Identifier: MIT */
/*
 * Tracing a process from another one: <parvix/tracer.h> says what it looks like.
 *
 * There is no buffer. A thread that has something to tell puts it on its own stack, into the
 * tracer's list, and sleeps; the reader copies it out, and with its next read, or when it closes,
 * lets go those whose event it had. So nothing is lost, nothing grows, and the reader finds the
 * memory of the traced as it was. Only a kill ends that sleep otherwise. The end of a process is
 * told without waiting, from memory of its own.
 *
 * proc->tracer is guarded by proc_lock, and each has a reference. Nothing of this is on the way of
 * a system call unless somebody traces somebody: each tracer counts 2 in trace_syscalls, which the
 * dispatcher tests anyway.
 */
#include <fs.h>
#include <mm.h>
#include <parvix/tracer.h>
#include <proc.h>
#include <string.h>
#include <trace.h>
#include "room.h"

struct tracer {
	spinlock_t lock;
	volatile int refs;
	unsigned flags;
	unsigned traced; /* processes */
	bool closed;
	struct list events;
	struct waitq reader;
};

enum told { NEW, READ, RELEASED };

struct told_event {
	struct list link;
	struct trace_event event;
	enum told state;
	struct proc
		*proc; /* whose thread waits; NULL: nobody, the memory is the reader's to free */
};

static void tracer_put(struct tracer *tr)
{
	if (__atomic_sub_fetch(&tr->refs, 1, __ATOMIC_ACQ_REL) == 0)
		kfree(tr);
}

/* That of @p, referenced, or NULL. */
static struct tracer *tracer_get(struct proc *p)
{
	struct tracer *tr;

	if (!READ_ONCE(p->tracer))
		return NULL;
	spin_lock(&proc_lock);
	tr = p->tracer;
	if (tr)
		__atomic_add_fetch(&tr->refs, 1, __ATOMIC_RELAXED);
	spin_unlock(&proc_lock);
	return tr;
}

/* ---- the side of the traced ---- */

static void tell(struct tracer *tr, struct told_event *e)
{
	struct thread *t = current;
	sigset_t mask = t->sigmask;

	e->proc = t->proc;
	e->event.pid = t->proc->pid;
	e->event.tid = t->tid;
	e->event.time = clock_now();
	/* Signals other than a kill do not end the sleep; they are looked at afterwards. */
	signal_set_mask(SIG_ALL);
	spin_lock(&tr->lock);
	if (!tr->closed) {
		list_add_tail(&tr->events, &e->link);
		waitq_wake_all(&tr->reader);
		while (e->state != RELEASED && !t->killed && !t->proc->killed)
			sleep_on(&t->proc->thread_wait, &tr->lock, SLEEP_INTR, KTIME_NEVER);
		list_del(&e->link);
	}
	spin_unlock(&tr->lock);
	signal_set_mask(mask);
}

void tracer_call(unsigned long nr, const unsigned long *args, const long *result)
{
	struct tracer *tr = tracer_get(current_proc());
	struct told_event e = {.state = NEW};

	if (!tr)
		return;
	e.event.type = result ? TRACE_EXIT : TRACE_ENTER;
	e.event.number = nr;
	e.event.result = result ? *result : 0;
	memcpy(e.event.args, args, sizeof(e.event.args));
	tell(tr, &e);
	tracer_put(tr);
}

void tracer_signal(int sig, const struct parvix_siginfo *info)
{
	struct tracer *tr = tracer_get(current_proc());
	struct told_event e = {.state = NEW};

	if (!tr)
		return;
	e.event.type = TRACE_SIGNAL;
	e.event.number = sig;
	e.event.args[0] = info->si_code;
	e.event.args[1] = info->si_pid;
	e.event.args[2] = info->si_uid;
	e.event.args[3] = info->si_addr;
	tell(tr, &e);
	tracer_put(tr);
}

void tracer_fork(struct proc *p, struct proc *child)
{
	struct tracer *tr;

	spin_lock(&proc_lock);
	tr = p->tracer;
	if (tr && (tr->flags & TRACE_CHILDREN)) {
		child->tracer = tr;
		__atomic_add_fetch(&tr->refs, 1, __ATOMIC_RELAXED);
		spin_lock(&tr->lock);
		tr->traced++;
		spin_unlock(&tr->lock);
	}
	spin_unlock(&proc_lock);
}

void tracer_leave(struct proc *p, int status)
{
	struct tracer *tr;
	struct told_event *e;

	spin_lock(&proc_lock);
	tr = p->tracer;
	p->tracer = NULL;
	spin_unlock(&proc_lock);
	if (!tr)
		return;
	e = kmalloc(sizeof(*e), ALLOC_ZERO);
	spin_lock(&tr->lock);
	tr->traced--;
	if (e && !tr->closed) {
		e->event.type = TRACE_END;
		e->event.pid = e->event.tid = p->pid;
		e->event.result = status;
		e->event.time = clock_now();
		list_add_tail(&tr->events, &e->link);
		e = NULL;
	}
	waitq_wake_all(&tr->reader);
	spin_unlock(&tr->lock);
	kfree(e);
	tracer_put(tr);
}

/* ---- the reader's side ---- */

/* Those whose event has been read go on; all of them, if the reader goes. Lock held. */
static void release_all(struct tracer *tr, bool unread)
{
	struct told_event *e;

	list_for_each (e, &tr->events, link) {
		if (!e->proc || (e->state == NEW && !unread))
			continue;
		e->state = RELEASED;
		waitq_wake_all(&e->proc->thread_wait);
	}
}

/* The next event that has not been read, into @out. False: there is none. Lock held. */
static bool take(struct tracer *tr, struct trace_event *out)
{
	struct told_event *e;

	list_for_each (e, &tr->events, link) {
		if (e->state != NEW)
			continue;
		*out = e->event;
		e->state = READ;
		if (!e->proc) {
			list_del(&e->link);
			kfree(e);
		}
		return true;
	}
	return false;
}

static ssize_t tracer_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct tracer *tr = f->private;
	struct trace_event event;
	ssize_t done = 0, n;
	int err = 0;

	(void)pos;
	if (uio->resid < sizeof(event))
		return -EINVAL;
	spin_lock(&tr->lock);
	release_all(tr, false);
	while (!err && uio->resid >= sizeof(event)) {
		if (take(tr, &event)) {
			spin_unlock(&tr->lock);
			n = uio_to(uio, &event, sizeof(event));
			spin_lock(&tr->lock);
			err = n < 0 ? n : 0;
			done += n < 0 ? 0 : n;
			continue;
		}
		if (done || tr->traced == 0)
			break;
		err = f->flags & O_NONBLOCK
			      ? -EAGAIN
			      : sleep_on(&tr->reader, &tr->lock, SLEEP_INTR, KTIME_NEVER);
	}
	spin_unlock(&tr->lock);
	return done ? done : err;
}

static unsigned tracer_poll(struct file *f, struct poll_table *pt)
{
	struct tracer *tr = f->private;
	unsigned events = tr->traced ? 0 : POLLIN | POLLHUP;
	struct told_event *e;

	poll_wait(pt, &tr->reader);
	spin_lock(&tr->lock);
	list_for_each (e, &tr->events, link)
		if (e->state == NEW)
			events |= POLLIN | POLLRDNORM;
	spin_unlock(&tr->lock);
	return events;
}

static void tracer_release(struct file *f)
{
	struct tracer *tr = f->private;
	struct trace_event event;
	struct proc *p;
	int gone = 0;

	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all) {
		if (p->tracer == tr) {
			p->tracer = NULL;
			gone++;
		}
	}
	spin_unlock(&proc_lock);
	spin_lock(&tr->lock);
	tr->closed = true;
	while (take(tr, &event)) /* frees the ends of processes */
		;
	release_all(tr, true);
	spin_unlock(&tr->lock);
	__atomic_sub_fetch(&trace_syscalls, TRACE_SYSCALLS_TRACER, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&tr->refs, gone, __ATOMIC_RELAXED);
	tracer_put(tr);
}

static const struct file_ops tracer_file_ops = {
	.read = tracer_read,
	.poll = tracer_poll,
	.release = tracer_release,
	.no_seek = true,
};

/* May the current process look into @p? proc_lock held. */
static int may_trace(const struct proc *p)
{
	const struct cred *me = &current_proc()->cred, *c = &p->cred;

	if (p->state == PROC_ZOMBIE || p->state == PROC_EMBRYO)
		return -ESRCH;
	if (p == current_proc())
		return -EINVAL;
	if (p == init_proc) /* everybody's parent: it must not wait for anybody */
		return -EPERM;
	if (me->euid == 0)
		return 0;
	return me->euid == c->uid && me->euid == c->euid && me->euid == c->suid &&
			       me->egid == c->gid && me->egid == c->egid && me->egid == c->sgid
		       ? 0
		       : -EPERM;
}

static int attach(struct tracer *tr, pid_t pid)
{
	struct proc *p;
	int err;

	spin_lock(&proc_lock);
	p = proc_find(pid);
	err = p ? may_trace(p) : -ESRCH;
	if (!err && p->tracer)
		err = -EBUSY;
	if (!err) {
		p->tracer = tr;
		tr->refs++;
		tr->traced++;
	}
	spin_unlock(&proc_lock);
	return err;
}

int tracer_open(pid_t pid, unsigned flags)
{
	struct tracer *tr;
	struct file *f;
	int err;

	if (flags & ~TRACE_CHILDREN)
		return -EINVAL;
	tr = kmalloc(sizeof(*tr), ALLOC_ZERO);
	if (!tr)
		return -ENOMEM;
	spin_init(&tr->lock, "tracer");
	waitq_init(&tr->reader);
	list_init(&tr->events);
	tr->refs = 1;
	tr->flags = flags;
	f = file_alloc(&tracer_file_ops, NULL, O_RDONLY, tr);
	if (!f) {
		kfree(tr);
		return -ENOMEM;
	}
	__atomic_add_fetch(&trace_syscalls, TRACE_SYSCALLS_TRACER, __ATOMIC_RELAXED);
	err = attach(tr, pid);
	if (err) {
		file_put(f);
		return err;
	}
	return fd_install(f, 0, true);
}
