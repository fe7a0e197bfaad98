/* SPDX-License-Identifier: MIT */
/*
 * The table of processes, and the first of them.
 *
 * A process is found by its pid through a hash table, and all of them are on one list in the order
 * of their births. Process ids count up to PID_MAX and start again; after that a number is used
 * again only if no process has it as pid, process group or session, because a group or a session
 * lives on after the process that it is named after.
 *
 * The first process is not made by fork: the thread that mounted the root file system becomes it,
 * by getting a struct proc and executing a program. Everything else descends from it, and orphans
 * are given to it.
 */
#include <fs.h>
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <record.h>
#include <string.h>
#include "room.h"

#define PID_MAX 32767
#define PID_HASH 256
/* Process slots that only root may take, so that a fork bomb can be dealt with. */
#define PROC_RESERVE 16

spinlock_t proc_lock = SPINLOCK("proc");
struct list all_procs = LIST_INIT(all_procs);
unsigned nr_procs;
static unsigned nr_extra_threads;
struct proc *init_proc;

static struct list pid_hash[PID_HASH];
static pid_t last_pid;
static bool pid_wrapped;

void proc_init(void)
{
	for (int i = 0; i < PID_HASH; i++)
		list_init(&pid_hash[i]);
	futex_init();
}

unsigned proc_max(void)
{
	return (unsigned)max(32ul, min((unsigned long)PROC_MAX, pages_total() / 64));
}

struct proc *proc_find(pid_t pid)
{
	struct proc *p;

	if (pid <= 0)
		return NULL;
	list_for_each (p, &pid_hash[pid % PID_HASH], pid_link)
		if (p->pid == pid)
			return p;
	return NULL;
}

static bool pid_in_use(pid_t pid)
{
	const struct thread *t;
	const struct proc *p;

	list_for_each (p, &all_procs, all) {
		if (p->pid == pid || p->pgid == pid || p->sid == pid)
			return true;
		list_for_each (t, &p->threads, proc_link)
			if (t->tid == pid)
				return true;
	}
	return false;
}

/* There are far fewer processes than numbers, so one is found. */
static pid_t pid_alloc(void)
{
	do {
		if (last_pid >= PID_MAX) {
			last_pid = 1;
			pid_wrapped = true;
		}
		last_pid++;
	} while (pid_wrapped && pid_in_use(last_pid));
	return last_pid;
}

struct proc *proc_alloc(void)
{
	struct proc *p = kmalloc(sizeof(*p), ALLOC_ZERO);

	if (!p)
		return NULL;
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->all);
	list_init(&p->pid_link);
	list_init(&p->threads);
	spin_init(&p->sig.lock, "signals");
	sigpending_init(&p->sig.pending);
	waitq_init(&p->thread_wait);
	waitq_init(&p->child_wait);
	p->state = PROC_EMBRYO;
	p->start = clock_now();
	return p;
}

void proc_add_first(struct proc *p, struct thread *t)
{
	list_add_tail(&p->threads, &t->proc_link);
	p->nr_threads = 1;
}

/* Threads beyond the first of each process that memory may hold. */
static unsigned extra_threads_max(void)
{
	return 2 * proc_max();
}

/* Has @parent's user as many threads as RLIMIT_NPROC allows? */
static bool user_limit(const struct proc *parent)
{
	unsigned long limit = parent->limits[RLIMIT_NPROC].rlim_cur, n = 0;
	const struct proc *p;

	if (parent->cred.euid == 0 || limit == RLIM_INFINITY)
		return false;
	list_for_each (p, &all_procs, all)
		n += p->cred.uid == parent->cred.uid ? p->nr_threads : 0;
	return n >= limit;
}

static bool over_limit(const struct proc *parent)
{
	unsigned reserve = parent->cred.euid == 0 ? 0 : PROC_RESERVE;

	return nr_procs >= proc_max() - reserve || user_limit(parent);
}

int proc_add_thread(struct proc *p, struct thread *t)
{
	int err = 0;

	spin_lock(&proc_lock);
	if (current->killed || nr_extra_threads >= extra_threads_max() || user_limit(p)) {
		err = -EAGAIN;
	} else {
		t->tid = pid_alloc();
		list_add_tail(&p->threads, &t->proc_link);
		p->nr_threads++;
		t->cpu_next = p->timers ? 1 : 0;
		nr_extra_threads++;
	}
	spin_unlock(&proc_lock);
	return err;
}

void proc_remove_thread(struct proc *p, struct thread *t)
{
	list_del(&t->proc_link);
	p->nr_threads--;
	nr_extra_threads--;
	waitq_wake_all(&p->thread_wait);
}

int proc_attach(struct proc *p, struct proc *parent)
{
	spin_lock(&proc_lock);
	if (parent) {
		if (over_limit(parent)) {
			spin_unlock(&proc_lock);
			return -EAGAIN;
		}
		p->pid = proc_thread(p)->tid = pid_alloc();
		/* Not before now: the parent may have been moved to another group meanwhile. */
		p->pgid = parent->pgid;
		p->sid = parent->sid;
		p->ctty = parent->ctty;
		p->parent = parent;
		list_add_tail(&parent->children, &p->sibling);
	} else {
		p->pid = last_pid = 1;
	}
	list_add_tail(&all_procs, &p->all);
	list_add_tail(&pid_hash[p->pid % PID_HASH], &p->pid_link);
	nr_procs++;
	p->state = PROC_ALIVE;
	spin_unlock(&proc_lock);
	return 0;
}

void proc_detach(struct proc *p)
{
	list_del(&p->all);
	list_del(&p->pid_link);
	list_del(&p->sibling);
	nr_procs--;
}

static void limits_default(struct parvix_rlimit *limits)
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		limits[i].rlim_cur = limits[i].rlim_max = RLIM_INFINITY;
	limits[RLIMIT_STACK].rlim_cur = 8ul << 20;
	limits[RLIMIT_NOFILE].rlim_cur = limits[RLIMIT_NOFILE].rlim_max = OPEN_MAX;
	limits[RLIMIT_CORE].rlim_cur = 0;
	limits[RLIMIT_NPROC].rlim_cur = proc_max() / 2;
}

/* Descriptors 0, 1 and 2 on the console, so that the first program can complain. */
static void open_console(void)
{
	struct file *f;

	for (int fd = 0; fd < 3; fd++) {
		if (file_open(NULL, "/dev/console", O_RDWR | O_NOCTTY, 0, &f))
			return;
		fd_install(f, fd, false);
	}
}

static const char *why(int err)
{
	switch (err) {
	case -ENOENT:
		return "there is no such file in the root file system";
	case -EACCES:
		return "the file is not executable";
	case -ENOEXEC:
		return "the file is not a whole, static 64-bit ELF program (or script) for this "
		       "system";
	case -ENOMEM:
		return "there is not enough memory: give the domain more";
	case -EIO:
		return "the root file system cannot be read";
	}
	return "it cannot be executed";
}

void proc_start_init(const char *path, char *const argv[])
{
	static char *const envp[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/", "TERM=linux",
				     NULL};
	struct thread *t = current;
	struct exec_args *args;
	struct proc *p = proc_alloc();
	int err = -ENOMEM;

	KASSERT(!t->proc && !init_proc);
	if (!p || !(p->fds = fdtable_create()) || !(t->arch.fpu = thread_fpu_alloc()))
		panic("no memory for the first process: give the domain more memory");
	p->cwd = vnode_get(root_vnode);
	p->root = vnode_get(root_vnode);
	p->umask = 022;
	limits_default(p->limits);
	proc_add_first(p, t);
	proc_attach(p, NULL);
	t->tid = p->pid;
	init_proc = p;
	t->proc = p;
	open_console();
	err = exec_args_kernel(argv, envp, &args);
	if (!err)
		err = proc_exec(path, args);
	if (err)
		panic("the first program, %s, cannot be started: %s (%s).\n"
		      "  Is the root image whole? Another program can be named by the kernel "
		      "argument "
		      "init=PATH",
		      path, why(err), error_text(err));
	printk("starting %s\n", path);
	boot_mark("init");
}
