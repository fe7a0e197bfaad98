/* SPDX-License-Identifier: MIT */
/*
 * System requests: one key each, for a system that does not answer otherwise. Where the key comes
 * from is not this file's business: a keyboard's magic combination, or a toolstack.
 */
#include <fs.h>
#include <printk.h>
#include <proc.h>
#include <stop.h>
#include <string.h>

static void sync_thread(void *unused)
{
	(void)unused;
	printk("sysrq: sync: %s\n", fs_sync() ? "some could not be written" : "done");
}

static void read_only_thread(void *unused)
{
	(void)unused;
	fs_shutdown();
	printk("sysrq: the file systems are read-only\n");
}

/* The disks may be what hangs, and then the next key must still be heard. */
static void start(void (*fn)(void *))
{
	if (!kthread_create("sysrq", fn, NULL))
		printk("sysrq: no memory\n");
}

static void sync_disks(void)
{
	printk("sysrq: sync\n");
	start(sync_thread);
}

static void read_only(void)
{
	printk("sysrq: remount read-only\n");
	start(read_only_thread);
}

static void reboot(void)
{
	printk("sysrq: restart, now\n");
	machine->power(POWER_REBOOT);
}

static void power_off(void)
{
	printk("sysrq: power-off, now\n");
	machine->power(POWER_OFF);
}

static void crash(void)
{
	panic("crash on request (sysrq)");
}

static const char *state_of(const struct proc *p)
{
	static const char *const words[] = {
		[THREAD_NEW] = "new",         [THREAD_READY] = "ready",
		[THREAD_RUNNING] = "running", [THREAD_SLEEPING] = "sleeping",
		[THREAD_STOPPED] = "stopped", [THREAD_DEAD] = "dead",
	};

	if (p->state == PROC_ZOMBIE || !p->thread)
		return "zombie";
	if (p->state == PROC_STOPPED)
		return "stopped";
	return p->thread->state == THREAD_SLEEPING && !p->thread->sleep_intr
		       ? "blocked"
		       : words[p->thread->state];
}

static bool not_running(const struct proc *p)
{
	return p->thread && p->state != PROC_ZOMBIE && p->thread->state != THREAD_RUNNING;
}

static void tasks(void)
{
	struct proc *p;

	printk("sysrq: %u processes\n", nr_procs);
	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all)
		printk("  %5d %5d %-8s %s\n", p->pid, p->parent ? p->parent->pid : 0, state_of(p),
		       p->name);
	spin_unlock(&proc_lock);
}

/* Where the threads sleep that no signal wakes. */
static void blocked(void)
{
	struct proc *p;
	unsigned n = 0;

	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all) {
		const struct switchframe *sw;

		if (strcmp(state_of(p), "blocked") != 0)
			continue;
		sw = (const struct switchframe *)p->thread->arch.rsp;
		printk("  %5d %s: ", p->pid, p->name);
		backtrace_print(sw->rip, sw->rbp);
		n++;
	}
	spin_unlock(&proc_lock);
	printk("sysrq: %u blocked\n", n);
}

static void memory(void)
{
	printk("sysrq: %lu KiB: %lu free, %lu in the page cache, %zu in small objects\n",
	       pages_total() * (PAGE_SIZE / 1024), pages_free() * (PAGE_SIZE / 1024),
	       pcache_pages() * (PAGE_SIZE / 1024), kmalloc_used() / 1024);
}

static void terminate_all(void)
{
	printk("sysrq: SIGTERM to all but init\n");
	system_signal_all(SIGTERM);
}

static void kill_all(void)
{
	printk("sysrq: SIGKILL to all but init\n");
	system_signal_all(SIGKILL);
}

static void backtraces(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		const struct thread *t = cpus[i].thread;

		printk("sysrq: CPU %u runs %s (%u more ready)\n", i, t ? t->name : "nothing",
		       cpus[i].nr_running);
		if (&cpus[i] == this_cpu())
			backtrace_print(0, (unsigned long)__builtin_frame_address(0));
	}
}

/* Of programs that want the CPU: the one that spins is among them. */
static void registers(void)
{
	struct proc *p;

	printk("sysrq: user registers of the processes that are ready to run\n");
	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all) {
		const struct trapframe *tf = p->thread ? p->thread->frame : NULL;

		if (!tf || !not_running(p) || p->thread->state != THREAD_READY)
			continue;
		printk("  %5d %s: rip %016lx rsp %016lx rflags %lx rax %lx rdi %lx rsi %lx\n",
		       p->pid, p->name, tf->rip, tf->rsp, tf->rflags, tf->rax, tf->rdi, tf->rsi);
	}
	spin_unlock(&proc_lock);
}

static const struct {
	char key;
	const char *text;
	void (*fn)(void);
} keys[] = {
	{'b', "restart now", reboot},
	{'c', "crash", crash},
	{'e', "SIGTERM to all", terminate_all},
	{'i', "SIGKILL to all", kill_all},
	{'l', "backtrace", backtraces},
	{'m', "memory", memory},
	{'o', "power off now", power_off},
	{'p', "registers", registers},
	{'s', "sync", sync_disks},
	{'t', "tasks", tasks},
	{'u', "remount read-only", read_only},
	{'w', "blocked tasks", blocked},
};

static void help(void)
{
	char line[320];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		n += snprintk(line + n, sizeof(line) - n, " %c %s,", keys[i].key, keys[i].text);
	printk("sysrq:%s 0 kernel messages off the console, 1-9 on it\n", line);
}

void sysrq_key(char key)
{
	/* Whoever asks wants to read the answer. */
	bool on = printk_set_console(true);
	void (*fn)(void) = help;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == key)
			fn = keys[i].fn;
	if (key >= '0' && key <= '9') {
		on = key != '0';
		printk("sysrq: kernel messages %s the console\n", on ? "on" : "off");
	} else {
		fn();
	}
	printk_set_console(on);
}
