/* SPDX-License-Identifier: MIT */
/*
 * What the files of this directory share: a PC's processor and the few devices that a kernel cannot
 * do without (interrupt controllers, a timer, the power switch). The twin of
 * arch/pv-x86_64/pv.h; PVH uses the processor's part of it. Both worlds are in one image, so what
 * has a twin of the same purpose there is called native_ here.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <machine.h>
#include <pc.h>
#include <pte.h>
#include <types.h>

/* ---- boot.c, boot_multiboot.c: what the loader has left ---- */
/* One loader's story, told alike: filled in before memory is managed. Physical addresses. */
#define LOADER_RANGES 64
struct loader_info {
	const char *name; /* "PVH", "multiboot2" */
	char cmdline[1024];
	uint64_t module, module_size; /* the first boot module, or 0 */
	uint64_t rsdp;                /* ACPI's root pointer, or 0: look for it */
	struct loader_range {
		uint64_t start, size;
		bool ram; /* usable; anything else is left alone */
	} range[LOADER_RANGES];
	unsigned nr_ranges;
	bool pixels; /* the screen shows pixels, not text */
	char rsdp_copy[36];
};
extern struct loader_info loader;
/* Fill @l from what is at physical address @info; @magic: what was in %eax. False: neither loader.
 */
bool loader_read(struct loader_info *l, uint32_t magic, uint64_t info);
void loader_add_range(struct loader_info *l, uint64_t start, uint64_t size, bool ram);

/* Model-specific registers. */
#define MSR_APIC_BASE 0x1b
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	count(msr_io);
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return ((uint64_t)hi << 32) | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	count(msr_io);
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

/* ---- earlycon.c ---- */
/* A sentence on every console that can be reached, then stop: for errors before printk and panic
 * work. */
void native_early_die(const char *sentence) __noreturn;
void native_early_print(const char *text);
void native_early_print_hex(const char *before, unsigned long v);
void native_console_early(
	void); /* the first C call: finds UART, screen, debug port; memory identity-mapped */
void native_console_moved(void); /* memory is reached by the direct map now */
size_t native_console_write(const char *text, size_t n);
size_t native_console_read(char *buf, size_t n);
/* In a PVH domain, once Xen is found: who speaks and stops in place of these. NULL: a PC. */
struct native_early {
	void (*print)(const char *text);
	__noreturn void (*die)(const char *sentence);
};
extern const struct native_early *native_early_instead; /* boot.c */

/* ---- trap.c ---- */
#define VECTOR_FIRST 32 /* of interrupts; the exceptions are below */
void native_trap_init(void);
void native_trap(struct trapframe *tf);
void native_trap_return(void);                   /* entry.S */
extern void (*native_nmi)(struct trapframe *tf); /* who takes one; PVH: arch/pv-x86_64/nmi.c */

/* ---- irq.c ---- */
void native_irq_enable(void);
void native_irq_disable(void);
bool native_irq_enabled(void);
void native_idle(void);

/* ---- cpu.c: descriptor tables, system-call registers, thread switch ---- */
#define KERNEL_CS 0x08
#define KERNEL_SS 0x10
#define USER_SS 0x1b
#define USER_CS 0x23
#define TSS_SELECTOR 0x28
void cpu_tables_init(void); /* GDT, TSS, GS base, before traps */
void native_cpu_init(void); /* SYSCALL and what else the processor must be told */
void native_switch_to(struct thread_arch *from, struct thread_arch *to, struct mmu *to_mmu);
void native_set_fs_base(unsigned long base);

/* ---- mmu_boot.c, mmu.c ---- */
void native_mmu_boot(void);           /* the kernel's own tables, from those of boot.S */
#define DIRECT_MAP_MAX (512ull << 30) /* bytes: one top-level slot */
#define KERNEL_SLOT_DIRECT PT_INDEX(DIRECT_MAP, 4)
#define KERNEL_SLOT_KVM PT_INDEX(KVM_BASE, 4)
#define KERNEL_SLOT_IMAGE PT_INDEX(KERNEL_BASE, 4)
/* Physical memory, while the first 4 GiB are identity-mapped (until native_mmu_boot()) and after
 * it.
 */
void *boot_va(uint64_t phys);
/* Frames for boot data, zeroed; before page_init() only. */
pfn_t native_boot_frames(unsigned long n);
int native_top_create(struct mmu *m);
void native_top_destroy(struct mmu *m);
int native_table_publish(struct mmu *m);
void native_table_retire(struct mmu *m);
void native_table_link(struct mmu *m, pfn_t table, unsigned level);
void native_pte_write(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte);
void native_pte_commit(void);
void native_pte_write_now(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte);
pte_t native_pte_pending(pte_t *slot);
void native_mmu_load(struct mmu *m);
static inline void load_cr3(pfn_t top)
{
	__asm__ volatile("movq %0, %%cr3" ::"r"(top.v << PAGE_SHIFT) : "memory");
}
void flush_forget(void); /* queue.c: what waits on this CPU to be flushed has been */

/* ---- mmio.c: besides mmio_map() of <pc.h> ---- */
/* Memory that the direct map does not have because the firmware keeps it: mapped for reading, for
 * ever. Any time after native_mmu_boot(). NULL: no such address, or no room. */
const void *firmware_map(uint64_t phys, size_t len);

/* ---- acpi.c ---- */
struct acpi_info;
extern const struct acpi_info *const acpi; /* acpi_tables.h */
/* Read the tables that start at @rsdp (0: look for them in low memory). Finds nothing: no error,
 * the PC's traditional places count. After native_mmu_boot() and printk. */
void acpi_init(uint64_t rsdp);
/* Write to the FADT's reset register, or to its sleep register. False: there is none. */
bool acpi_reset(void);
bool acpi_sleep_register(uint8_t v);
size_t acpi_describe(char *buf, size_t size); /* a line for /proc/machine */

/* ---- apic.c ---- */
void apic_init(void);               /* after acpi_init(); 8259s off, local and I/O APIC on */
void irq_dispatch(unsigned vector); /* from native_trap(), vectors from VECTOR_FIRST on */
/* A vector whose interrupt needs no end to be signalled (Xen's upcall): @fn is called. The vector,
 * -ENOSPC. Works without apic_init(). */
int irq_alloc_vector(void (*fn)(void *), void *arg, const char *name);
size_t irq_describe(char *buf, size_t size); /* controllers and vectors, for /proc/machine */
/* The local APIC's timer, for time.c. @fn is called for its interrupt. It counts down once from
 * what timer_arm() gives it; or waits for a value of the time-stamp counter. 0: off. */
bool timer_has_tsc_deadline(void);
void timer_start(void (*fn)(void *), bool tsc_deadline);
void timer_arm(uint32_t ticks);
void timer_arm_tsc(uint64_t tsc);
uint32_t timer_left(void);

/* ---- time.c ---- */
void native_time_init(void); /* after apic_init() */
ktime_t native_clock_monotonic(void);
ktime_t native_clock_wall_offset(void);
void native_timer_set(ktime_t deadline);
size_t time_describe(char *buf, size_t size);

/* ---- power.c ---- */
void native_power(enum power_action what) __noreturn;

/* ---- machine.c ---- */
extern const struct machine native_machine;
void native_selftest(void (*report)(const char *facility, bool ok, const char *detail));

#endif
