/* SPDX-License-Identifier: MIT */
/*
 * Interrupts. Each processor has a local APIC: messages of devices (MSI) and of the I/O APIC arrive
 * there as vector numbers; of those that wait it passes on the highest to the processor, which
 * looks it up in its IDT, and passes on no other of the same class or a lower one until the kernel
 * writes to its "end of interrupt" register. It has a timer of its own.
 *
 * Its registers lie in memory (xAPIC), or are model-specific registers (x2APIC), if the firmware
 * has decided so: then it cannot be undone without a reset, so both are served.
 *
 * An interrupt is a vector, and a vector has one handler: a device's message needs no sharing. A
 * source that fires without end must not keep the processor for ever: if a vector comes more than
 * STORM times within STORM_WINDOW, the processor's task priority (CR8) is raised above all devices
 * for STORM_PAUSE. Meanwhile their interrupts wait in the local APIC; only the timer, of a higher
 * class, gets through. (A message cannot be masked here, as an event channel can.) The clock is
 * read only when a vector has come STORM times.
 *
 * Under PV an event channel is what a vector is here, bits in shared memory are what the APIC's
 * registers are, and there is no end to be signalled (arch/pv-x86_64/events.c). Here a write to the
 * APIC for each interrupt is the cost; in a virtual machine that would be an exit.
 */
#include "apic.h"
#include "acpi_tables.h"
#include <lock.h>
#include <printk.h>
#include <proc.h>
#include "../x86_64/cpuid.h"
#include "native.h"

#define STORM 10000
#define STORM_WINDOW (20 * NSEC_PER_MSEC) /* no disk of ours is so fast */
#define STORM_PAUSE (10 * NSEC_PER_MSEC)

#define CPUID_1_EDX_APIC (1u << 9)
#define APIC_BASE_X2APIC (1ul << 10)
#define APIC_BASE_ENABLE (1ul << 11)
#define MSR_X2APIC 0x800 /* + register / 16 */
#define MSR_TSC_DEADLINE 0x6e0

/* Registers (SDM 10.4.1). */
#define APIC_ID 0x20
#define APIC_VERSION 0x30
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_ERROR 0x280
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PERFORMANCE 0x340
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0

#define SPURIOUS_ENABLE 0x100
#define LVT_MASKED (1u << 16)
#define LVT_NMI (4u << 8)
#define LVT_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_16 3

static struct irq {
	void (*fn)(void *arg);
	void *arg;
	const char *name;
	uint64_t count;
	ktime_t since;
	unsigned recent; /* times that it came since */
	unsigned tally;  /* its member of cpu->events */
	bool eoi;        /* the local APIC waits for its end */
	bool said;       /* that it is nobody's */
} irqs[256];
static spinlock_t lock = SPINLOCK("irq");

static volatile void *regs; /* NULL: x2APIC */
static uint64_t errors;     /* that the local APIC has reported */
static struct ktimer storm_timer;
static bool storm_said;

/* ---- the local APIC ---- */

static uint32_t apic_read(unsigned reg)
{
	return regs ? mmio_read32(regs, reg) : (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
}

static void apic_write(unsigned reg, uint32_t v)
{
	if (regs)
		mmio_write32(regs, reg, v);
	else
		wrmsr(MSR_X2APIC + reg / 16, v);
}

unsigned apic_id(void)
{
	return regs ? apic_read(APIC_ID) >> 24 : apic_read(APIC_ID);
}

static void set_task_priority(unsigned long class)
{
	__asm__ volatile("movq %0, %%cr8" : : "r"(class) : "memory");
}

static void local_apic_find(void)
{
	uint64_t base;

	if (!(cpuid(1, 0).edx & CPUID_1_EDX_APIC))
		native_early_die(
			"the processor has no local APIC, or the firmware has switched it off: "
			"there is neither timer nor interrupt without it");
	base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;
	wrmsr(MSR_APIC_BASE, base);
	if (base & APIC_BASE_X2APIC)
		return;
	regs = mmio_map(base & PTE_FRAME, PAGE_SIZE);
	if (!regs)
		native_early_die("the local APIC's registers cannot be mapped");
}

static void local_apic_init(void)
{
	unsigned last_lvt = apic_read(APIC_VERSION) >> 16 & 0xff;

	set_task_priority(0);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_LVT_LINT0, LVT_MASKED); /* the 8259s */
	apic_write(APIC_LVT_LINT1, LVT_NMI);
	if (last_lvt >= 4)
		apic_write(APIC_LVT_PERFORMANCE, LVT_MASKED);
	if (last_lvt >= 5)
		apic_write(APIC_LVT_THERMAL, LVT_MASKED);
	apic_write(APIC_ERROR, 0);
	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
	apic_write(APIC_EOI, 0); /* the loader may have left one unfinished */
}

static void apic_error(void *unused)
{
	(void)unused;
	apic_write(APIC_ERROR, 0); /* the write fetches what has been collected */
	if (errors++ == 0)
		printk("interrupts: the local APIC reports an error, 0x%x\n",
		       apic_read(APIC_ERROR));
}

/* Never called: the local APIC gives this vector if what it was about to pass on has gone away. */
static void apic_spurious(void *unused)
{
	(void)unused;
}

void apic_init(void)
{
	local_apic_find();
	pic_off();
	local_apic_init();
	irqs[VECTOR_ERROR] =
		(struct irq){.fn = apic_error, .name = "local APIC errors", .eoi = true};
	irqs[VECTOR_SPURIOUS] = (struct irq){.fn = apic_spurious, .name = "spurious"};
	ioapic_init();
}

/* ---- its timer ---- */

bool timer_has_tsc_deadline(void)
{
	return cpuid(1, 0).ecx & 1u << 24;
}

void timer_start(void (*fn)(void *), bool tsc_deadline)
{
	irqs[VECTOR_TIMER] = (struct irq){.fn = fn, .name = "timer", .eoi = true};
	irqs[VECTOR_TIMER].tally = tally_event("timer", VECTOR_TIMER);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (tsc_deadline ? LVT_TSC_DEADLINE : 0));
	/* A store to the APIC may be on its way still when a wrmsr is done (SDM 10.5.4.1). */
	__asm__ volatile("mfence" ::: "memory");
}

void timer_arm(uint32_t ticks)
{
	apic_write(APIC_TIMER_INITIAL, ticks);
}

void timer_arm_tsc(uint64_t tsc)
{
	wrmsr(MSR_TSC_DEADLINE, tsc);
}

uint32_t timer_left(void)
{
	return apic_read(APIC_TIMER_CURRENT);
}

/* ---- vectors ---- */

/* The storm's timer and its end are this CPU's: so is the task priority. */
static void storm_over(struct ktimer *t)
{
	(void)t;
	set_task_priority(0);
}

/* @irq came STORM times: within what time? */
static void storm_check(struct irq *irq, unsigned vector)
{
	ktime_t now = native_clock_monotonic(), span = now - irq->since;

	irq->recent = 0;
	irq->since = now;
	if (span > STORM_WINDOW || vector >= VECTOR_DEVICE_END || !irq->eoi)
		return;
	if (!storm_said)
		printk("interrupts: vector %u (%s) came %d times in %ld us: all devices are kept "
		       "waiting for a while, and so they will be again without a word\n",
		       vector, irq->name, STORM, span / NSEC_PER_USEC);
	storm_said = true;
	set_task_priority(VECTOR_DEVICE_END / 16 - 1);
	ktimer_set(&storm_timer, now + STORM_PAUSE, storm_over, NULL);
}

static void unclaimed(struct irq *irq, unsigned vector)
{
	if (!irq->said)
		printk("interrupts: vector %u came, which is nobody's\n", vector);
	irq->said = true;
	irq->eoi = vector >= VECTOR_DEVICE;
}

void irq_dispatch(unsigned vector)
{
	struct irq *irq = &irqs[vector & 0xff];
	void (*fn)(void *) = __atomic_load_n(&irq->fn, __ATOMIC_ACQUIRE);

	/* What needs no end to be signalled is Xen's upcall: its events are counted one by one. */
	if (likely(irq->eoi)) {
		count(events);
		this_cpu()->events[irq->tally]++;
		trace(event, vector, 0, 0);
	}
	irq->count++;
	if (unlikely(++irq->recent == STORM))
		storm_check(irq, vector);
	if (likely(fn))
		fn(irq->arg);
	else
		unclaimed(irq, vector);
	if (irq->eoi)
		apic_write(APIC_EOI, 0);
}

/* A free vector becomes @fn's. -ENOSPC: none is free. */
static int alloc(void (*fn)(void *), void *arg, const char *name, bool eoi)
{
	unsigned v = VECTOR_DEVICE;

	spin_lock(&lock);
	while (v < VECTOR_DEVICE_END && irqs[v].fn)
		v++;
	if (v < VECTOR_DEVICE_END) {
		irqs[v].arg = arg;
		irqs[v].name = name;
		irqs[v].eoi = eoi;
		irqs[v].tally = tally_event(name, v);
		__atomic_store_n(&irqs[v].fn, fn, __ATOMIC_RELEASE);
	}
	spin_unlock(&lock);
	return v < VECTOR_DEVICE_END ? (int)v : -ENOSPC;
}

int irq_alloc_vector(void (*fn)(void *), void *arg, const char *name)
{
	return alloc(fn, arg, name, false);
}

/* What a device writes, and where (SDM 10.11): the address has the CPU, the data the vector. */
int irq_alloc_msi(void (*fn)(void *), void *arg, const char *name, struct msi *out)
{
	int vector = alloc(fn, arg, name, true);

	if (vector < 0)
		return vector;
	out->address = 0xfee00000 | apic_id() << 12;
	out->data = vector;
	out->vector = vector;
	return 0;
}

int irq_bind_isa(unsigned irq, void (*fn)(void *), void *arg, const char *name)
{
	const struct isa_wire *wire;
	int vector, err;

	if (irq >= ISA_IRQS)
		return -ENODEV;
	wire = &acpi->isa[irq];
	vector = alloc(fn, arg, name, true);
	if (vector < 0)
		return vector;
	err = ioapic_route(wire->input, wire->active_low, wire->level, vector, apic_id());
	if (err)
		__atomic_store_n(&irqs[vector].fn, NULL, __ATOMIC_RELEASE);
	return err;
}

size_t irq_describe(char *buf, size_t size)
{
	size_t n = snprintk(buf, size, "local APIC: %s, %lu errors\n", regs ? "xAPIC" : "x2APIC",
			    errors);

	n += ioapic_describe(buf + n, size - n);
	n += snprintk(buf + n, size - n, "interrupts:\n");
	for (unsigned v = VECTOR_8259; v < ARRAY_SIZE(irqs) && n < size; v++)
		if (irqs[v].fn || irqs[v].count)
			n += snprintk(buf + n, size - n, "  vector %3u  %10lu  %s\n", v,
				      irqs[v].count, irqs[v].fn ? irqs[v].name : "nobody's");
	return min(n, size);
}
