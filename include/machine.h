/* SPDX-License-Identifier: MIT */
/*
 * The machine: everything that a kernel does differently under a hypervisor, as one table of
 * operations.
 *
 * Boot code finds out which world it is in and sets `machine`. Each operation stands in
 * arch/native-x86_64/ and in arch/pv-x86_64/ in files of the same name, in the same order. Page
 * tables have their own header, <mmu.h>, whose world-dependent part is below as well. All run with
 * interrupts off unless said otherwise; none sleeps.
 *
 *   operation     native                   PV
 *   ------------  -----------------------  ------------------------------------------------------
 *   irq_*         cli, sti, pushf          evtchn_upcall_mask in shared_info; look at pending
 *   idle          sti; hlt                 SCHEDOP_block
 *   switch_to     mov cr3, TSS.rsp0,       one multicall: NEW_BASEPTR + NEW_USER_BASEPTR,
 *                 wrmsr FS base            stack_switch, set_segment_base
 *   trap_return   iretq, sysretq           HYPERVISOR_iret        (entry.S)
 *   table_*       -                        tables read-only, pin
 *   pte_*         store, invlpg            queue, mmu_update, MMUEXT_INVLPG_LOCAL ...
 *   clock_*       TSC, RTC                 pvclock in shared_info
 *   timer_set     local APIC               VCPUOP_set_singleshot_timer
 *   console_*     UART, screen, keyboard   HYPERVISOR_console_io / console ring
 *   power         ports, triple fault      SCHEDOP_shutdown
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <cpu.h>
#include <frame.h>
#include <mmu.h>
#include <types.h>

#define BOOT_RANGES 64

/* What boot code hands to kernel_main(). Strings live for ever. */
struct boot_info {
	const char *cmdline;
	pfn_t ramdisk;              /* first frame of the boot module, or PFN_NONE */
	unsigned long ramdisk_size; /* bytes */
	/* Frames that are free; the boot module's may be among them. All others below
	 * nr_present are in use (image, tables, boot data) or no memory at all. */
	struct boot_range {
		pfn_t first;
		unsigned long n;
	} free[BOOT_RANGES];
	unsigned nr_free;
	unsigned long nr_present; /* frames [0, nr_present) are there; up to nr_pages: absent, may
				     come */
	unsigned long nr_holes;   /* of those, how many are no memory: devices, firmware */
	const char *world;        /* "pv", "pvh", "native" */
	char hypervisor[64];      /* "Xen 4.17.6", or "none" */
	uint64_t entry_tsc;       /* time stamp of the first instruction */
	uint64_t tsc_khz;         /* rate of the time stamp counter, once the clock runs */
	const char *clock;        /* what the clock is made of: "pvclock", "tsc" */
};

extern struct boot_info boot_info;

enum power_action { POWER_OFF, POWER_REBOOT, POWER_HALT, POWER_CRASH };

/* State of a thread that the machine keeps: in struct thread. */
struct thread_arch {
	unsigned long rsp;        /* saved stack pointer (struct switchframe) while not running */
	unsigned long kstack_top; /* top of the kernel stack */
	unsigned long fs_base;    /* user TLS */
	void *fpu; /* fpu_state_size bytes, 64-byte aligned; NULL for kernel threads */
};

struct machine {
	const char *name;
	/* Selectors of a user frame (64-bit code, stack). Frames from user mode carry them. */
	uint16_t user_cs, user_ss;
	/* Restore the trapframe at %rsp and return to it (entry.S; jumped to, not called). */
	void (*trap_return)(void);

	/* Interrupt flag of this CPU. irq_enable delivers what became pending meanwhile. */
	void (*irq_enable)(void);
	void (*irq_disable)(void);
	bool (*irq_enabled)(void);
	/* Wait for an interrupt: called with interrupts off, returns with them on. */
	void (*idle)(void);

	/*
	 * What a thread switch must tell the machine before the registers change: page tables of
	 * @to_mmu if they differ from those loaded, kernel stack for entries from user mode, FS
	 * base. One multicall under PV, the queue included.
	 */
	void (*switch_to)(struct thread_arch *from, struct thread_arch *to, struct mmu *to_mmu);
	void (*set_fs_base)(unsigned long base);

	/* Page tables (behind <mmu.h>, arch/x86_64/pgtable.c). */
	int (*top_create)(struct mmu *m);
	void (*top_destroy)(struct mmu *m);
	int (*table_publish)(struct mmu *m);
	void (*table_retire)(struct mmu *m);
	/* @table, of @level, is about to be linked into live tables: under PV its direct-map alias
	 * becomes read-only. */
	void (*table_link)(struct mmu *m, pfn_t table, unsigned level);
	void (*pte_write)(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte);
	void (*pte_commit)(void);
	/* Both in one, for a single entry that is not present or not for all that @pte allows. */
	void (*pte_write_now)(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte);
	pte_t (*pte_pending)(pte_t *slot);
	void (*mmu_load)(struct mmu *m);

	/* Time: monotonic nanoseconds since boot; wall clock = nanoseconds since 1970 at monotonic
	 * 0. */
	ktime_t (*clock_monotonic)(void);
	ktime_t (*clock_wall_offset)(void);
	/* One-shot timer of this CPU: timer_interrupt() is called at or after @deadline
	 * (monotonic). KTIME_NEVER: off. */
	void (*timer_set)(ktime_t deadline);

	/* Console: may be called at any time, from any context, traps or not. Returns bytes taken /
	 * read. */
	size_t (*console_write)(const char *text, size_t n);
	size_t (*console_read)(char *buf, size_t n);

	/* Devices beyond the console: called once by a thread, before the root file system is
	 * mounted; they may come up later, on threads of their own. */
	void (*start_drivers)(void);

	__noreturn void (*power)(enum power_action what);

	/* Names of the hypervisor's calls, for /proc/hypercalls; NULL ends. Index = index in
	 * cpu->calls. */
	const char *const *call_names;
	/* Text for /proc/machine: events by port, features, versions. Returns bytes written. */
	size_t (*describe)(char *buf, size_t size);
	/* Start-of-day self-test: calls report(name, ok, detail) for each facility. */
	void (*selftest)(void (*report)(const char *facility, bool ok, const char *detail));
};

extern const struct machine *machine;

/* arch/x86_64: common to all worlds. */
void context_switch(unsigned long *save_rsp,
		    unsigned long load_rsp); /* switch.S: callee-saved registers and stack */
void thread_start(void); /* switch.S: first return of a new thread: calls r12(r13), then leaves by
			    machine->trap_return */
extern unsigned fpu_state_size; /* bytes of the XSAVE (or FXSAVE) area */
void fpu_init_cpu(void);
void fpu_init_state(void *state);
void fpu_save(void *state);
/* Exceptions that are flagged in @state and not masked, the SSE unit's or the x87's: FPU_*. */
unsigned fpu_exceptions(const void *state, bool sse);
#define FPU_INVALID 0x01
#define FPU_DENORMAL 0x02
#define FPU_DIVIDE 0x04
#define FPU_OVERFLOW 0x08
#define FPU_UNDERFLOW 0x10
#define FPU_PRECISION 0x20
void fpu_restore(const void *state); /* the kernel's own image, always well formed */
/* Make a state copied from user memory (sigreturn) harmless to restore. Returns false if it is
 * nonsense. */
bool fpu_sanitize(void *state);
static inline uint64_t rdtsc_now(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((uint64_t)hi << 32) | lo;
}
/* Random seed material from the CPU and the machine (RDRAND if there, time stamps, start info). */
uint64_t machine_entropy(void);
/* The processor's names for itself, each ended by a 0 byte. */
void cpu_identify(char vendor[16], char name[52], unsigned *family, unsigned *model,
		  unsigned *stepping);

/*
 * What the kernel proper offers to the machine.
 */
void kernel_main(void) __noreturn; /* kernel/main.c: once traps, console and boot_info are there */
void trap_dispatch(struct trapframe *tf); /* kernel/proc/trap.c: an exception, interrupts as the
					     interrupted code had them */
void syscall_dispatch(
	struct trapframe *tf); /* kernel/syscall/: interrupts on; result goes into tf->rax */
/* Before a return to user mode if this_cpu()->work is not 0, interrupts off: reschedule, signals.
 * Returns with them off. */
void user_return_work(struct trapframe *tf);
void timer_interrupt(void);   /* interrupts off */
void console_interrupt(void); /* input is there */
/* A non-maskable interrupt, at any instruction but never inside the printing of a message; nothing
 * in here may wait for a lock. */
void nmi_interrupt(struct trapframe *tf);
/* Recovery address for a fault at kernel instruction @rip (user copies), or 0. */
unsigned long extable_find(unsigned long rip);

#endif
