/* SPDX-License-Identifier: MIT */
/* System calls about the system as a whole: its name, its state, random numbers, its end. */
#include <fs.h>
#include <machine.h>
#include <mm.h>
#include <parvix/reboot.h>
#include <printk.h>
#include <proc.h>
#include <random.h>
#include <stop.h>
#include <string.h>
#include <usercopy.h>
#include <version.h>
#include "syscall.h"

static char hostname[65] = "parvix";
static spinlock_t hostname_lock = SPINLOCK("hostname");

long sys_uname(struct trapframe *tf)
{
	struct parvix_utsname uts;

	memset(&uts, 0, sizeof(uts));
	strlcpy(uts.sysname, "Parvix", sizeof(uts.sysname));
	spin_lock(&hostname_lock);
	strlcpy(uts.nodename, hostname, sizeof(uts.nodename));
	spin_unlock(&hostname_lock);
	strlcpy(uts.release, PARVIX_RELEASE, sizeof(uts.release));
	snprintk(uts.version, sizeof(uts.version), "%s world on %.40s", boot_info.world,
		 boot_info.hypervisor);
	strlcpy(uts.machine, "x86_64", sizeof(uts.machine));
	return put_user(UADDR(ARG0(tf)), uts);
}

long sys_sethostname(struct trapframe *tf)
{
	char name[sizeof(hostname)];
	unsigned long n = ARG1(tf);

	if (!cred_root())
		return -EPERM;
	if (n >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, UADDR(ARG0(tf)), n))
		return -EFAULT;
	name[n] = 0;
	spin_lock(&hostname_lock);
	strlcpy(hostname, name, sizeof(hostname));
	spin_unlock(&hostname_lock);
	return 0;
}

long sys_sysinfo(struct trapframe *tf)
{
	struct parvix_sysinfo info = {
		.uptime_ns = (unsigned long)clock_now(),
		.page_size = PAGE_SIZE,
		.pages_total = pages_total(),
		.pages_free = pages_free(),
		.pages_cache = pcache_pages(),
		.processes = nr_procs,
	};

	sched_loads(info.loads);
	return put_user(UADDR(ARG0(tf)), info);
}

long sys_getrandom(struct trapframe *tf)
{
	unsigned long buf = ARG0(tf);
	size_t n = min(ARG1(tf), 1ul << 20), done = 0;
	uint8_t bytes[256];

	if (ARG2(tf) & ~(unsigned long)(GRND_NONBLOCK | 2))
		return -EINVAL;
	while (done < n) {
		size_t part = min(n - done, sizeof(bytes));

		random_bytes(bytes, part);
		if (copy_to_user(UADDR(buf + done), bytes, part))
			return -EFAULT;
		done += part;
		if (thread_interrupted())
			break;
		sched_relax();
	}
	return (long)done;
}

long sys_reboot(struct trapframe *tf)
{
	static const enum power_action actions[] = {POWER_HALT, POWER_OFF, POWER_REBOOT};
	struct proc *p = current_proc();
	unsigned long how = ARG0(tf);
	char who[48];

	if (!cred_root())
		return -EPERM;
	if (how > REBOOT_CRASH)
		return -EINVAL;
	if (how == REBOOT_CRASH)
		panic("crash on request of process %d (%s)", p->pid, p->name);
	snprintk(who, sizeof(who), "process %d (%s)", p->pid, p->name);
	system_end(actions[how], who);
}
