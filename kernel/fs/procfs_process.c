/* SPDX-License-Identifier: MIT */
/*
 * Processes as text: /proc/processes and the files of /proc/PID. The formats are in docs/proc.md.
 *
 * What is under proc_lock is copied to a struct process; the address space is kept by a reference
 * and looked at afterwards, because its lock may sleep. Arguments are read through the page tables
 * of the space, page by page, where they are present: nothing is faulted in for a curious reader.
 */
#include "procfs.h"

#include <machine.h>
#include <pte.h>
#include <printk.h>
#include <string.h>
#include <symbols.h>
#include <tty.h>

#define CMDLINE_SHOWN 256
#define TTY_NR (5 << 8 | 1) /* how Linux writes the number of /dev/console */

static char state_letter(const struct proc *p)
{
	const struct thread *t;

	if (p->state == PROC_ZOMBIE || !proc_thread(p))
		return 'Z';
	if (p->state == PROC_STOPPED)
		return 'T';
	list_for_each (t, &p->threads, proc_link)
		if (t->state != THREAD_SLEEPING)
			return 'R';
	return 'S';
}

static void look_signals(struct proc *p, struct process *out)
{
	out->pending = p->sig.pending.set;
	for (int sig = 1; sig < NSIG; sig++) {
		unsigned long handler = p->sig.action[sig].sa_handler;

		if (handler == SIG_IGN)
			out->ignored |= 1ul << sig;
		else if (handler != SIG_DFL)
			out->caught |= 1ul << sig;
	}
}

/* proc_lock held. */
static void look_locked(struct proc *p, struct process *out)
{
	const struct thread *t = proc_thread(p);
	ktime_t utime, stime;

	proc_times(p, &utime, &stime);
	*out = (struct process){
		.pid = p->pid,
		.ppid = p->parent ? p->parent->pid : 0,
		.pgid = p->pgid,
		.sid = p->sid,
		.tpgid = p->ctty ? p->ctty->pgrp : -1,
		.tty = tty_name(p->ctty),
		.state = state_letter(p),
		.cred = p->cred,
		.umask = p->umask,
		.nice = t ? t->priority - 20 : 0,
		.utime_us = (uint64_t)(utime / 1000),
		.stime_us = (uint64_t)(stime / 1000),
		.start_ms = p->start / NSEC_PER_MSEC,
		.blocked = t ? t->sigmask : 0,
		.threads = t ? p->nr_threads : 0,
		.aspace = p->aspace,
	};
	look_signals(p, out);
	memcpy(out->name, p->name, sizeof(out->name));
	out->name[sizeof(out->name) - 1] = 0;
	if (out->aspace) {
		aspace_get(out->aspace);
		out->rss = out->aspace->pages;
		out->vsz = out->aspace->pages_mapped;
	}
}

int process_look(pid_t pid, struct process *out)
{
	struct proc *p;

	spin_lock(&proc_lock);
	p = proc_find(pid);
	if (p && p->state == PROC_EMBRYO)
		p = NULL;
	if (p)
		look_locked(p, out);
	spin_unlock(&proc_lock);
	return p ? 0 : -ESRCH;
}

void process_done(struct process *p)
{
	if (p->aspace)
		aspace_put(p->aspace);
	p->aspace = NULL;
}

pid_t process_next(pid_t pid)
{
	struct proc *p, *same;
	pid_t found = 0;

	spin_lock(&proc_lock);
	same = proc_find(pid);
	if (same && same->state != PROC_EMBRYO) {
		spin_unlock(&proc_lock);
		return pid;
	}
	list_for_each (p, &all_procs, all) {
		if (p->state != PROC_EMBRYO && p->pid >= pid && (!found || p->pid < found))
			found = p->pid;
	}
	spin_unlock(&proc_lock);
	return found;
}

/* ---- another process's memory ---- */

/* Up to @n bytes at @addr, as far as pages are present. The space's lock is held. */
static size_t peek(struct aspace *as, unsigned long addr, char *buf, size_t n)
{
	size_t done = 0;

	while (done < n && addr < USER_END) {
		size_t off = addr & (PAGE_SIZE - 1);
		size_t part = min(PAGE_SIZE - off, n - done);
		pte_t *slot = mmu_slot(&as->mmu, addr, false);
		pte_t pte = slot ? mmu_get(&as->mmu, slot) : PTE_NONE;

		if (!pte_present(pte))
			break;
		memcpy(buf + done, (char *)pfn_va(pte_pfn(pte)) + off, part);
		done += part;
		addr += part;
	}
	return done;
}

/* The argument strings, or the environment's, at most @max bytes; through @put, piece by piece. */
static void text_strings(struct text *t, struct aspace *as, bool environment, size_t max,
			 void (*put)(struct text *t, const char *s, size_t n))
{
	unsigned long at, end;
	char buf[128];

	if (!as)
		return;
	mutex_lock(&as->lock);
	at = environment ? as->arg_end : as->arg_start;
	end = environment ? as->env_end : as->arg_end;
	if (end > at && end - at > max)
		end = at + max;
	while (at < end) {
		size_t n = peek(as, at, buf, min(end - at, sizeof(buf)));

		if (n == 0)
			break;
		put(t, buf, n);
		at += n;
	}
	mutex_unlock(&as->lock);
}

/* One line: the zeros between arguments become spaces. */
static void put_line(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = s[i];
		char shown = c == 0 ? ' ' : c < ' ' || c == 0x7f ? '?' : (char)c;

		text_bytes(t, &shown, 1);
	}
}

static void put_plain(struct text *t, const char *s, size_t n)
{
	text_bytes(t, s, n);
}

/* ---- texts ---- */

static void text_name(struct text *t, const struct process *p)
{
	size_t n = strnlen(p->name, sizeof(p->name));

	if (n)
		text_clean(t, p->name, n, '_');
	else
		text_bytes(t, "-", 1);
}

/* All but the arguments of a line of /proc/processes. */
static void text_line(struct text *t, const struct process *p)
{
	text_printf(t, "%d %d %d %d %d %s %c %u %d %lu %lu %lu %lu %lu ", p->pid, p->ppid, p->pgid,
		    p->sid, p->tpgid, p->tty, p->state, p->cred.euid, p->nice, p->utime_us,
		    p->stime_us, p->rss * (PAGE_SIZE / 1024), p->vsz * (PAGE_SIZE / 1024),
		    p->start_ms);
	text_name(t, p);
}

/*
 * Linux's format, for the programs that know it: 52 fields, of which those that mean nothing here
 * are 0. Times in 1/100 s, vsize in bytes, rss in pages.
 */
static int make_stat(struct text *t, pid_t pid)
{
	struct process p;
	int err = process_look(pid, &p);

	if (err)
		return err;
	text_printf(t, "%d (", p.pid);
	text_name(t, &p);
	text_printf(t, ") %c %d %d %d %d %d 0 0 0 0 0 %lu %lu 0 0 %d %d %u 0 %lu %lu %lu", p.state,
		    p.ppid, p.pgid, p.sid, strcmp(p.tty, "-") ? TTY_NR : 0, p.tpgid,
		    p.utime_us / 10000, p.stime_us / 10000, p.nice + 20, p.nice, p.threads,
		    p.start_ms / 10, p.vsz * PAGE_SIZE, p.rss);
	for (int field = 25; field <= 52; field++)
		text_bytes(t, " 0", 2);
	text_bytes(t, "\n", 1);
	process_done(&p);
	return 0;
}

/* All of them, one after the other; who comes or goes meanwhile is in it or not. */
int procfs_make_processes(struct text *t)
{
	struct process p;

	for (pid_t pid = process_next(1); pid > 0; pid = process_next(pid + 1)) {
		if (process_look(pid, &p))
			continue;
		text_line(t, &p);
		text_bytes(t, " ", 1);
		/* The last argument's 0 would be a space at the end of the line. */
		text_strings(t, p.aspace, false, CMDLINE_SHOWN, put_line);
		if (t->len > 0 && t->len <= t->size && t->buf[t->len - 1] == ' ')
			t->len--;
		text_bytes(t, "\n", 1);
		process_done(&p);
		sched_relax();
	}
	return 0;
}

static void text_credentials(struct text *t, const struct cred *c)
{
	text_printf(t, "Uid:\t%u %u %u\nGid:\t%u %u %u\nGroups:\t", c->uid, c->euid, c->suid,
		    c->gid, c->egid, c->sgid);
	for (unsigned i = 0; i < c->ngroups; i++)
		text_printf(t, "%s%u", i ? " " : "", c->groups[i]);
	text_bytes(t, "\n", 1);
}

static const char *state_word(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'T':
		return "stopped";
	default:
		return "zombie";
	}
}

static int make_status(struct text *t, pid_t pid)
{
	struct process p;
	char exe[64];
	ssize_t n;
	int err = process_look(pid, &p);

	if (err)
		return err;
	text_bytes(t, "Name:\t", 6);
	text_name(t, &p);
	text_printf(t, "\nState:\t%c (%s)\nPid:\t%d\nPPid:\t%d\nPgid:\t%d\nSid:\t%d\nTty:\t%s\n",
		    p.state, state_word(p.state), p.pid, p.ppid, p.pgid, p.sid, p.tty);
	text_credentials(t, &p.cred);
	text_printf(t,
		    "Umask:\t%04o\nVmSize:\t%lu kB\nVmRSS:\t%lu kB\nVmBrk:\t%lu kB\nThreads:\t%u\n",
		    p.umask, p.vsz * (PAGE_SIZE / 1024), p.rss * (PAGE_SIZE / 1024),
		    p.aspace ? (p.aspace->brk - p.aspace->brk_start) / 1024 : 0, p.threads);
	text_printf(t, "SigPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		    p.pending, p.blocked, p.ignored, p.caught);
	n = procfs_link_text(pid, LINK_EXE, exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = 0;
	text_printf(t, "Start:\t%lu ms\nExe:\t%s\n", p.start_ms, exe);
	process_done(&p);
	return 0;
}

static int make_cmdline(struct text *t, pid_t pid)
{
	struct process p;
	int err = process_look(pid, &p);

	if (err)
		return err;
	text_strings(t, p.aspace, false, ARG_MAX, put_plain);
	process_done(&p);
	return 0;
}

static int make_environ(struct text *t, pid_t pid)
{
	struct process p;
	int err = process_private(pid);

	if (!err)
		err = process_look(pid, &p);
	if (err)
		return err;
	text_strings(t, p.aspace, true, ARG_MAX, put_plain);
	process_done(&p);
	return 0;
}

/* Linux's table. */
static int make_limits(struct text *t, pid_t pid)
{
	static const struct {
		const char *name, *unit;
	} kinds[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[RLIMIT_DATA] = {"Max data size", "bytes"},
		[RLIMIT_STACK] = {"Max stack size", "bytes"},
		[RLIMIT_CORE] = {"Max core file size", "bytes"},
		[RLIMIT_NOFILE] = {"Max open files", "files"},
		[RLIMIT_AS] = {"Max address space", "bytes"},
		[RLIMIT_NPROC] = {"Max processes", "processes"},
		[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
	};
	struct parvix_rlimit limits[RLIM_NLIMITS];
	struct proc *p;

	spin_lock(&proc_lock);
	p = proc_find(pid);
	if (p)
		memcpy(limits, p->limits, sizeof(limits));
	spin_unlock(&proc_lock);
	if (!p)
		return -ESRCH;
	text_printf(t, "%-25s %-20s %-20s %s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
		const unsigned long values[] = {limits[i].rlim_cur, limits[i].rlim_max};

		text_printf(t, "%-25s ", kinds[i].name);
		for (unsigned v = 0; v < 2; v++) {
			char number[24] = "unlimited";

			if (values[v] != RLIM_INFINITY)
				snprintk(number, sizeof(number), "%lu", values[v]);
			text_printf(t, "%-20s ", number);
		}
		text_printf(t, "%s\n", kinds[i].unit);
	}
	return 0;
}

static int make_comm(struct text *t, pid_t pid)
{
	struct process p;
	int err = process_look(pid, &p);

	if (err)
		return err;
	text_name(t, &p);
	text_bytes(t, "\n", 1);
	process_done(&p);
	return 0;
}

/* Linux's format: pages in all, in memory; the other five mean nothing here. */
static int make_statm(struct text *t, pid_t pid)
{
	struct process p;
	int err = process_look(pid, &p);

	if (err)
		return err;
	text_printf(t, "%lu %lu 0 0 0 0 0\n", p.vsz, p.rss);
	process_done(&p);
	return 0;
}

static int make_maps(struct text *t, pid_t pid)
{
	struct process p;
	int err = process_private(pid);

	if (!err)
		err = process_look(pid, &p);
	if (err)
		return err;
	if (p.aspace) {
		t->len = aspace_describe(p.aspace, t->buf, t->size);
		if (t->size - t->len < 128)
			t->len = t->size; /* cut: once more, larger */
	}
	process_done(&p);
	return 0;
}

/* The memory of another, or one's own: a read stops where nothing can be read. */
static ssize_t read_mem(pid_t pid, uint64_t pos, char *buf, size_t n)
{
	struct process p;
	size_t piece = min(n, PAGE_SIZE - (pos & (PAGE_SIZE - 1)));
	int err = process_private(pid);

	if (!err)
		err = process_look(pid, &p);
	if (err)
		return err;
	err = p.aspace ? aspace_read(p.aspace, pos, buf, piece) : -ESRCH;
	process_done(&p);
	if (err == -EFAULT)
		err = -EIO;
	return err ? err : (ssize_t)piece;
}

/*
 * Where each thread is in the kernel: the chain of frame pointers from where it gave the CPU up
 * (panic.c says what that looks like). It may go on at any moment, so a chain is believed only
 * within the stack.
 */
static void text_stack(struct text *t, const struct thread *th)
{
	unsigned long rsp = th->arch.rsp, top = th->arch.kstack_top, rbp;
	char name[80];

	text_printf(t, "thread %d (%s)\n", th->tid,
		    th->state == THREAD_SLEEPING ? "sleeping" : "running");
	if (th->state != THREAD_SLEEPING || rsp >= top || top - rsp > KSTACK_PAGES * PAGE_SIZE)
		return;
	rbp = ((const struct switchframe *)rsp)->rbp;
	while (rbp > rsp && rbp % 8 == 0 && rbp + 16 <= top) {
		const unsigned long *frame = (const unsigned long *)rbp;

		symbol_name(frame[1], name, sizeof(name));
		text_printf(t, "  %016lx  %s\n", frame[1], name);
		rsp = rbp;
		rbp = frame[0];
	}
}

static int make_stack(struct text *t, pid_t pid)
{
	struct thread *th;
	struct proc *p;

	if (!fs_superuser())
		return -EACCES;
	spin_lock(&proc_lock);
	p = proc_find(pid);
	if (p)
		list_for_each (th, &p->threads, proc_link)
			text_stack(t, th);
	spin_unlock(&proc_lock);
	return p ? 0 : -ESRCH;
}

const struct procfs_entry procfs_pid_files[] = {
	{.name = "stat", .mode = 0444, .make = make_stat},
	{.name = "status", .mode = 0444, .make = make_status},
	{.name = "cmdline", .mode = 0444, .make = make_cmdline},
	{.name = "comm", .mode = 0444, .make = make_comm},
	{.name = "environ", .mode = 0400, .make = make_environ},
	{.name = "limits", .mode = 0444, .make = make_limits},
	{.name = "mounts", .mode = 0444, .make = procfs_make_mounts},
	{.name = "statm", .mode = 0444, .make = make_statm},
	{.name = "maps", .mode = 0400, .make = make_maps},
	{.name = "stack", .mode = 0400, .make = make_stack},
	{.name = "mem", .mode = 0400, .raw = read_mem},
	{.name = NULL},
};
