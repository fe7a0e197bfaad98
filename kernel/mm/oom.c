/* SPDX-License-Identifier: MIT */
/*
 * Out of memory. Memory is promised (fork, mmap, brk) more freely than it is there, because most of
 * what is promised is never used. When a fault finds nothing left, after everything that could be
 * reclaimed was, some process has to give its memory back: the one that holds most, but never
 * the first process. It is killed with a line that says so. One at a time: as long as a
 * victim is still dying, others wait for what it gives back.
 */
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>

/* Pages that the death of @p would give back, about; 0: not to be chosen. */
static unsigned long weight(const struct proc *p)
{
	if (p->pid == 1 || !p->aspace || (p->state != PROC_ALIVE && p->state != PROC_STOPPED))
		return 0;
	return p->aspace->pages + p->aspace->mmu.tables;
}

struct victim {
	pid_t pid;
	char name[16];
	unsigned long pages;
	bool dying; /* one is on its way already */
};

static struct victim choose(void)
{
	struct victim v = {.pid = 0};
	struct proc *p;

	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all) {
		unsigned long pages = weight(p);

		/* Also one that has let go of its address space: the pages are on their way. */
		if (p->killed && p->pid != 1 && p->state != PROC_ZOMBIE)
			v.dying = true;
		if (pages <= v.pages || p->killed)
			continue;
		v.pid = p->pid;
		v.pages = pages;
		memcpy(v.name, p->name, sizeof(v.name));
	}
	spin_unlock(&proc_lock);
	return v;
}

bool oom_kill(void)
{
	struct proc *p = current_proc(), *victim;
	struct victim v = choose();

	if (v.dying)
		return false;
	if (!v.pid)
		return true; /* nobody but the first process is left */
	printk("out of memory: killing process %d (%.16s), which has %lu pages\n", v.pid, v.name,
	       v.pages);
	trace(oom, v.pid, v.pages, 0);
	spin_lock(&proc_lock);
	victim = proc_find(v.pid);
	spin_unlock(&proc_lock);
	if (victim)
		signal_send(victim, SIGKILL, NULL);
	return victim == p;
}
