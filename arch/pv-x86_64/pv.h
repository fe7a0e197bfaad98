/* SPDX-License-Identifier: MIT */
/*
 * What the files of this directory share. Hypercalls: hypercall.h.
 *
 * Two worlds live here. PV has all of it. PVH has its processor from arch/native-x86_64 and the
 * rest, what is Xen's and no processor's, from here: events, grants, time, console, memory, power;
 * its own file is pvh.c.
 */
#ifndef PV_H
#define PV_H

#include <hv.h>
#include <machine.h>
#include <pte.h>
#include <types.h>
#include <xen/xen.h>

/* boot.c */
extern struct start_info start_info; /* our copy; PV only */
extern struct shared_info shared_info_page;
/* PVH's, too: stands in until shared_info is mapped: events masked, no time. */
extern struct vcpu_info early_vcpu_info;

/* Address space at the image's end for pages that Xen made: PVH only. */
extern char xen_console_page[], xen_store_page[];

/* What XENMEM_memory_map gives. */
struct e820_entry {
	uint64_t addr, size;
	uint32_t type;
} __packed;
#define E820_RAM 1

/* domain.c: what the domain was told at its birth, by start_info (PV, boot.c) or by parameters
 * (PVH, pvh.c). */
struct xen_birth {
	bool pvh;
	bool initial;                     /* the initial domain: neither of the two below */
	struct hv_channel console, store; /* page NULL: there is none, or not yet */
};
extern struct xen_birth birth;

/* The virtual CPU's own part of shared_info; until that is mapped, a stand-in with events masked.
 */
static inline struct vcpu_info *this_vcpu_info(void)
{
	return this_cpu()->arch;
}

/* earlycon.c. Print a sentence and crash the domain: for errors before printk and panic work. */
void early_die(const char *sentence) __noreturn;
void early_print(const char *text);
void early_print_hex(const char *before, unsigned long v);
size_t pv_console_write(const char *text, size_t n);
size_t pv_console_read(char *buf, size_t n);
/* The first thing of all: birth.console is filled in, its page reachable. */
void console_early(void);
/* birth.console.page is another address now, for ever, and the shared_info page is there. */
void console_moved(void);
void console_bind(void);
bool pv_console_busy(void); /* somebody is writing to the ring */
/* Wait until everything written has been read at the other end; not for ever. */
void console_drain(void);

/* trap.c */
void trap_init(void);
void pv_trap(struct trapframe *tf);
void pv_trap_return(void); /* entry.S */
void pv_failsafe(struct trapframe *tf);

/* nmi.c */
void nmi_init(void);
void pv_nmi(struct trapframe *tf);
/* For the self-test: does one that we send to ourselves come, with events masked? */
bool nmi_test(void);

/* irq.c */
void pv_irq_enable(void);
void pv_irq_disable(void);
bool pv_irq_enabled(void);
void pv_idle(void);

/* The same for short sections of the update queue, inline; PV only. */
static inline uint8_t irq_save(void)
{
	struct vcpu_info *v = this_vcpu_info();
	uint8_t mask = v->evtchn_upcall_mask;

	count(irq_flag);
	v->evtchn_upcall_mask = 1;
	barrier();
	return mask;
}

static inline void irq_restore(uint8_t mask)
{
	barrier();
	if (!mask)
		pv_irq_enable();
}

/* A batch of @n page-table updates goes to Xen. */
static inline void count_updates(unsigned n)
{
	struct cpu *c = this_cpu();

	c->counters[CNT_pte_updates] += n;
	c->counters[CNT_batches]++;
	c->updates[tally_size(n)]++;
}

/* events.c */
void events_init(void);
void events_deliver(void); /* all that is pending and not masked: from the upcall, interrupts off */
void pv_event(struct trapframe *tf);
int evtchn_bind_virq(unsigned virq, void (*fn)(void *), void *arg, const char *name);
int evtchn_bind_ipi(void (*fn)(void *), void *arg, const char *name);
/* The storm guard leaves @port alone: its source is one that we set off ourselves. */
void evtchn_never_throttle(unsigned port);

/* grant.c */
void grants_init(void); /* the first frame of the table; needs memory */
/* Where the self-test maps a grant: the page behind the table's place. */
#define GRANT_TEST_VA (KVM_BASE + KVM_SIZE - PAGE_SIZE)
size_t grants_describe(char *buf, size_t size);

void pv_start_drivers(void); /* machine.c */

/* time.c */
void time_init(void);
ktime_t pv_clock_monotonic(void);
ktime_t pv_clock_wall_offset(void);
/* Xen's time, as hypercalls want it, for a monotonic one. */
uint64_t pv_system_time(ktime_t t);
void pv_timer_set(ktime_t deadline);
bool timer_test(ktime_t after, ktime_t *late);

/* power.c */
void pv_power(enum power_action what) __noreturn;

/* features.c */
void features_init(void);
bool xen_feature(unsigned bit);
size_t features_describe(char *buf, size_t size);

/* cpu.c */
void cpu_init(void);
void pv_switch_to(struct thread_arch *from, struct thread_arch *to, struct mmu *to_mmu);
void pv_set_fs_base(unsigned long base);

/* p2m.c */
void p2m_init(const struct start_info *si);
void p2m_relocate(void);
#define MFN_NONE MFN(~0ul)          /* an absent frame's */
void p2m_set(pfn_t pfn, mfn_t mfn); /* PVH: nothing */

/* mmu_boot.c: frames taken at boot, and the kernel's own page tables. */
void mmu_boot(unsigned long builder_end);
pfn_t boot_frames(unsigned long n);
void boot_frames_done(void);

/* mmu.c, queue.c */
#define KERNEL_SLOT_DIRECT PT_INDEX(DIRECT_MAP, 4)
#define KERNEL_SLOT_KVM PT_INDEX(KVM_BASE, 4)
#define KERNEL_SLOT_IMAGE PT_INDEX(KERNEL_BASE, 4)
/* Machine address of the direct-map entry of @pfn. */
uint64_t dmap_entry(pfn_t pfn);
#define DMAP_L2_MAX 64 /* GiB of memory that the direct map can cover */
extern pte_t *dmap_l2[DMAP_L2_MAX];
int pv_top_create(struct mmu *m);
void pv_top_destroy(struct mmu *m);
int pv_table_publish(struct mmu *m);
void pv_table_retire(struct mmu *m);
void pv_table_link(struct mmu *m, pfn_t table, unsigned level);
void pv_mmu_load(struct mmu *m);
struct mmuext_op;
void pv_load_ops(const struct mmu *m, struct mmuext_op *op);
void pv_loaded(struct mmu *m);
void mmu_kernel_half_init(pte_t *top);
/* Machine address of a page-table entry that is given by its direct-map address. */
static inline uint64_t pt_maddr(const pte_t *slot)
{
	return (machine_p2m[va_pfn(slot).v] << PAGE_SHIFT) + ((unsigned long)slot & ~PAGE_MASK);
}

void queue_init(void);
void pv_pte_write(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte);
void pv_pte_commit(void);
void pv_pte_write_now(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte);
pte_t pv_pte_pending(pte_t *slot);
/* Add an update by machine address; no TLB flush with it. */
void queue_update(uint64_t maddr, uint64_t val);
uint64_t queue_refusals(void); /* updates refused on this CPU so far */
/* Send @n updates now; -EIO and a message if one is refused. */
int mmu_update_now(const struct mmu_update *u, unsigned n, unsigned long caller);
int mmuext_now(const struct mmuext_op *op, unsigned n, unsigned long caller);
/* For cpu.c: put what waits into a multicall of the caller's. Returns entries used (0 to 2). */
unsigned queue_take(struct multicall_entry *mc);
void queue_taken(const struct multicall_entry *mc, unsigned n);

/* selftest.c */
void pv_selftest(void (*report)(const char *facility, bool ok, const char *detail));

/* machine.c */
size_t pv_describe(char *buf, size_t size);
extern const struct machine pv_machine, pvh_machine;

#endif
