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

	const struct thread *t = proc_thread(p);

	if (p->state == PROC_ZOMBIE || !t)
		return "zombie";
	if (p->state == PROC_STOPPED)
		return "stopped";
	return t->state == THREAD_SLEEPING && !t->sleep_intr ? "blocked" : words[t->state];
}

/*
 * A line for each process, in order of pid; @line returns its length, 0: none. The lock is not held
 * while the console takes it: that may be slow.
 */
static void list_processes(size_t (*line)(const struct proc *p, char *buf, size_t size))
{
	char buf[160];
	pid_t last = 0;

	for (;;) {
		const struct proc *p, *next = NULL;
		size_t n = 0;

		spin_lock(&proc_lock);
		list_for_each (p, &all_procs, all)
			if (p->pid > last && (!next || p->pid < next->pid))
				next = p;
		if (next) {
			last = next->pid;
			n = line(next, buf, sizeof(buf));
		}
		spin_unlock(&proc_lock);
		if (!next)
			return;
		if (n)
			printk("%s", buf);
	}
}

static size_t task_line(const struct proc *p, char *buf, size_t size)
{
	return snprintk(buf, size, "  %5d %5d %-8s %s\n", p->pid, p->parent ? p->parent->pid : 0,
			state_of(p), p->name);
}

static void tasks(void)
{
	printk("sysrq: %u processes\n", nr_procs);
	list_processes(task_line);
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
		sw = (const struct switchframe *)proc_thread(p)->arch.rsp;
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

static size_t register_line(const struct proc *p, char *buf, size_t size)
{
	const struct thread *t = proc_thread(p);
	const struct trapframe *tf = t ? t->frame : NULL;

	if (!tf || p->state != PROC_ALIVE || t->state != THREAD_READY)
		return 0;
	return snprintk(buf, size,
			"  %5d %s: rip %016lx rsp %016lx rflags %lx rax %lx rdi %lx rsi %lx\n",
			p->pid, p->name, tf->rip, tf->rsp, tf->rflags, tf->rax, tf->rdi, tf->rsi);
}

/* Of programs that want the CPU: the one that spins is among them. */
static void registers(void)
{
	printk("sysrq: user registers of the processes that are ready to run\n");
	list_processes(register_line);
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
