/* SPDX-License-Identifier: MIT */
/*
 * The boot record. How long a boot takes, and which part of it, can be asked only if each part says
 * when it was done; and because under a hypervisor time is mostly a matter of how often one calls
 * it, every mark notes the calls too. Labels are the same in every world, so that two boots can be
 * laid side by side.
 */
#include <bootmark.h>
#include <fs.h>
#include <lock.h>
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <string.h>

#define MARKS 32
#define MARK_NAME 24

static struct {
	const char *name;
	uint64_t tsc;
	uint64_t calls;
} marks[MARKS];
static unsigned nr_marks;
static spinlock_t marks_lock = SPINLOCK("boot marks");
static char user_names[MARKS][MARK_NAME];

/* Calls to the hypervisor so far, of every kind. */
static uint64_t calls_so_far(void)
{
	uint64_t sum = 0;

	for (unsigned c = 0; c < nr_cpus; c++)
		for (unsigned i = 0; machine->call_names && i < MAX_CALLS; i++)
			sum += cpus[c].calls[i];
	return sum;
}

void boot_mark(const char *name)
{
	spin_lock(&marks_lock);
	if (nr_marks < MARKS) {
		marks[nr_marks].name = name;
		marks[nr_marks].tsc = nr_marks ? rdtsc_now() : boot_info.entry_tsc;
		marks[nr_marks].calls = calls_so_far();
		trace(boot, nr_marks, 0, 0);
		nr_marks++;
	}
	spin_unlock(&marks_lock);
}

void boot_mark_once(const char *name)
{
	for (unsigned i = 0; i < nr_marks; i++)
		if (marks[i].name == name)
			return;
	boot_mark(name);
}

static ssize_t boot_read(void *arg, uint64_t pos, char *buf, size_t size)
{
	size_t len = 0;
	char *text = kmalloc(MARKS * 80, 0);

	(void)arg;
	if (!text)
		return -ENOMEM;
	for (unsigned i = 0; i < nr_marks; i++)
		len += snprintk(text + len, MARKS * 80 - len, "%s %lu %lu\n", marks[i].name,
				marks[i].tsc - marks[0].tsc, marks[i].calls);
	size_t n = pos < len ? min(len - pos, size) : 0;

	memcpy(buf, text + pos, n);
	kfree(text);
	return n;
}

static ssize_t boot_write(void *arg, const char *buf, size_t n)
{
	char *name = user_names[nr_marks < MARKS ? nr_marks : MARKS - 1];
	size_t len = 0;

	(void)arg;
	while (len < n && len < MARK_NAME - 1 && buf[len] > ' ' && buf[len] < 127)
		len++;
	if (len == 0)
		return -EINVAL;
	memcpy(name, buf, len);
	name[len] = 0;
	boot_mark(name);
	return n;
}

static struct proc_file boot_file = {
	.name = "boot",
	.mode = 0644,
	.read = boot_read,
	.write = boot_write,
};

void boot_record_init(void)
{
	procfs_register(&boot_file);
}
