/* SPDX-License-Identifier: MIT */
/*
 * The boot order: read this first.
 *
 * arch/<world>/boot.S and boot.c have found out where we run, set `machine` and `boot_info`, and
 * made what a kernel cannot be without: a console, traps, per-CPU data, page tables that map all
 * memory. From here on nothing knows which world it is in: each line below starts one room of the
 * kernel, in the order in which they need each other.
 *
 *   line                  what it gives                       under PV it costs
 *   --------------------  ----------------------------------  ------------------------------
 *   page_init             free pages                          nothing: plain memory
 *   slab_init, kvm_init   kmalloc, guarded kernel stacks      a batch of updates per new stack
 *   sched_init            threads; this code becomes one      nothing
 *   fs_init ...           file systems and devices by name    nothing
 *   selftest              a line per facility                 a hypercall or two per facility
 *   start_drivers         disks, consoles, xenstore           their rings: pages and channels
 *   mount_root            the root file system                waiting for the disk
 *   proc_start_init       the first program                   pin its tables; then a multicall
 *                                                             per switch
 */
#include <bootarg.h>
#include <fs.h>
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <record.h>
#include <string.h>
#include <tty.h>
#include <version.h>

static unsigned selftest_failures;

static void selftest_report(const char *facility, bool ok, const char *detail)
{
	if (!ok)
		selftest_failures++;
	printk("  %-26s %s%s%s\n", facility, ok ? "OK" : "FAIL", detail[0] ? "  " : "", detail);
}

/* Facilities above the machine that boot depends on, each tried once for real. */
static void selftest_kernel(void)
{
	char text[40];
	unsigned long before = pages_free();
	struct page *pg = page_alloc(2, ALLOC_ZERO);
	bool zero = pg != NULL;

	for (size_t i = 0; zero && i < 4 * PAGE_SIZE / 8; i++)
		zero = ((uint64_t *)page_va(pg))[i] == 0;
	if (pg)
		page_put(pg);
	snprintk(text, sizeof(text), "%lu KiB free", pages_free() * (PAGE_SIZE / 1024));
	selftest_report("page allocator", zero && pages_free() == before, text);

	void *a = kmalloc(100, 0), *b = kmalloc(100, 0);

	selftest_report("small objects", a && b && a != b, "");
	kfree(a);
	kfree(b);

	void *stack = kstack_alloc();

	if (stack)
		memset((char *)stack - KSTACK_PAGES * PAGE_SIZE, 0xa5, KSTACK_PAGES * PAGE_SIZE);
	selftest_report("guarded kernel stacks", stack != NULL, "");
	kstack_free(stack);
}

static void selftest(void)
{
	printk("self-test:\n");
	machine->selftest(selftest_report);
	selftest_kernel();
	if (selftest_failures)
		printk("self-test: %u of the facilities above FAILED: expect trouble\n",
		       selftest_failures);
}

#define ROOT_WAIT (10 * NSEC_PER_SEC)
#define ROOT_PATIENCE NSEC_PER_SEC /* then it is said what is waited for */

/* The first disk as each world's drivers call it. */
#define FIRST_DISKS "xvda sda vda"

/* The named device, or the first there is of the RAM disk, the first disk and its partition. */
static void find_root(char *device, size_t size)
{
	bool named = boot_arg("root", device, size);
	struct block_device *bd;
	char part[16];

	if (!named && boot_info.ramdisk.v != PFN_NONE.v) {
		strlcpy(device, "ram0", size);
		return;
	}
	if (!named)
		strlcpy(device, FIRST_DISKS, size);
	bd = block_await(device, clock_now() + ROOT_PATIENCE);
	if (!bd) {
		printk("waiting for the root disk (%s)\n", device);
		bd = block_await(device, clock_now() + ROOT_WAIT - ROOT_PATIENCE);
	}
	if (bd && !named)
		strlcpy(device, bd->name, size);
	block_put(bd);
	snprintk(part, sizeof(part), "%s1", device);
	bd = named ? NULL : block_find_name(part);
	if (bd)
		strlcpy(device, part, size);
	block_put(bd);
}

/* "ram0 xvda", for the message that says that the root is not among them. */
static void list_devices(char *buf, size_t size)
{
	struct block_device *bd;
	size_t n = 0;

	strlcpy(buf, "none", size);
	for (unsigned i = 0; (bd = block_nth(i)) && n < size; i++) {
		n += (size_t)snprintk(buf + n, size - n, "%s%s", n ? " " : "", bd->name);
		block_put(bd);
	}
}

static void mount_root(void)
{
	char device[32], type[16], there[128];
	int err;

	if (boot_info.ramdisk.v != PFN_NONE.v) {
		err = ramdisk_init(boot_info.ramdisk, boot_info.ramdisk_size);
		if (err)
			printk("ram0: cannot be used: %s\n", error_text(err));
	}
	find_root(device, sizeof(device));
	if (!boot_arg("rootfstype", type, sizeof(type)))
		strlcpy(type, "ext2", sizeof(type));
	err = fs_mount_root(device, type, boot_flag("ro") ? MS_RDONLY : 0);
	if (err == -ENXIO || err == -ENODEV) {
		list_devices(there, sizeof(there));
		panic("no root file system: there is no device '%s' (there are: %s).\n"
		      "  Give an ext2 image as boot module (initial domain), a disk (any other), "
		      "or "
		      "name a device by root=",
		      device, there);
	}
	if (err)
		panic("no root file system: '%s' on '%s' cannot be mounted: %s.\n"
		      "  Is the image whole, and made by mke2fs? Check it with: e2fsck -fn IMAGE",
		      type, device, error_text(err));
	err = fs_mount("devfs", "/dev", "devfs", 0, NULL);
	if (err)
		printk("/dev: not mounted: %s (is there a directory /dev in the image?)\n",
		       error_text(err));
}

/* The rest of boot, in a thread of its own, so that it can sleep. It becomes the first process. */
static void boot_thread(void *unused)
{
	static char words[256];
	static char path[64] = "/sbin/init";
	char *argv[16] = {path};

	(void)unused;
	boot_mark("threads");
	machine->start_drivers();
	boot_mark("drivers");
	mount_root();
	boot_mark("root");
	boot_arg("init", path, sizeof(path));
	argv[1 + boot_init_args(words, sizeof(words), argv + 1, 14)] = NULL;
	proc_start_init(path, argv);
}

void kernel_main(void)
{
	printk_mark = boot_flag("console-mark");
	printk_set_console(!boot_flag("quiet"));
	printk("Parvix %s: %s world, hypervisor %s, %lu KiB of memory\n", PARVIX_RELEASE,
	       boot_info.world, boot_info.hypervisor,
	       (boot_info.nr_present - boot_info.nr_holes) * (PAGE_SIZE / 1024));
	boot_mark("machine");
	record_init();
	if (boot_flag("trace-syscalls"))
		trace_syscalls = TRACE_SYSCALLS_RING;

	page_init(); /* every frame not used yet becomes a free page */
	slab_init(); /* small objects on top of pages */
	kvm_init();  /* kernel stacks with guard pages */
	boot_mark("pages");
	fpu_init_cpu();
	sched_init(); /* this flow of control becomes the idle thread of CPU 0 */
	proc_init();
	boot_mark("scheduler");
	fs_init();  /* vnodes, page cache; ext2, tmpfs, devfs, procfs become known */
	tty_init(); /* the console becomes a terminal: /dev/console */

	mm_proc_init();
	crash_init();
	boot_mark("rooms");
	if (!boot_flag("noselftest"))
		selftest();

	boot_mark("self-test");
	if (!kthread_create("init", boot_thread, NULL))
		panic("no memory for the first thread: give the domain more memory");
	sched_idle(); /* from here on: run whoever is ready, else wait for an event */
}
