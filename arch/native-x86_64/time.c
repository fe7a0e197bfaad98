/* SPDX-License-Identifier: MIT */
/*
 * Time.
 *
 * The clock is the processor's time-stamp counter: one instruction, a multiplication. How fast it
 * counts nobody tells, so it is measured against a counter whose rate is a matter of standards:
 *
 *     ACPI's power management timer   3.579545 MHz, a port that the FADT names
 *     channel 2 of the 8254 (PIT)     1.193182 MHz, the one that once drove the loudspeaker
 *
 * Three moments are taken, a millisecond apart; each is the best of a few, for on a machine that
 * is shared somebody may hold us up between two reads. If the first and the second half agree, the
 * whole counts. 2 ms give a rate good to some hundred parts in a million. (The price is that many
 * instructions of waiting, once; under PV Xen has done it.)
 *
 * That the counter's rate is constant, and the same on all CPUs, is true of every PC since about
 * 2008.
 *
 * The date is the battery clock's (rtc.c), read once.
 *
 * Timer: one shot, no tick, as under PV. The local APIC counts down from a number at its bus's
 * rate, measured in the same 2 ms; or, if CPUID says so, waits for a value of the time-stamp
 * counter. A deadline that is too far away for its 32 bits is reached in steps. There is no moment
 * at which the interrupt could be missed: it is set with interrupts off, one that has come
 * meanwhile waits in the local APIC, and `sti; hlt` lets it in only when the processor already
 * waits (irq.c). Cost: a store to the APIC, or a wrmsr, where PV has a hypercall.
 */
#include "acpi_tables.h"
#include <printk.h>
#include "native.h"
#include "rtc.h"

#define TSC_HZ_MIN 100000000ul
#define TSC_HZ_MAX 10000000000ul
#define TSC_HZ_GUESS 1000000000ul /* if nothing else is known */
#define HALVES_PER_SECOND 1000    /* a half of the measurement: 1 ms */
#define GIVE_UP 100000000ul       /* ticks in a half: a millisecond at 100 GHz */
#define READS_MAX (1u << 22)      /* the same, if not even the TSC counts */
#define TRIES 5

#define FRACTION 28 /* bits of the factors below */
#define STEP_MAX (3600 * NSEC_PER_SEC)

static uint64_t boot_tsc;                     /* monotonic 0 */
static uint64_t ns_per_tick;                  /* 32 bits of fraction */
static uint64_t tsc_per_ns, apic_per_ns;      /* FRACTION bits */
static uint64_t tsc_hz = TSC_HZ_MAX, apic_hz; /* until it is known: udelay() rather too long */
static bool tsc_deadline;
static const char *measured_by = "nothing";
static ktime_t wall_offset;
static ktime_t armed[MAX_CPUS];

/* ---- measuring ---- */

struct reference {
	const char *name;
	uint32_t hz, mask; /* rate; bits that count */
	uint32_t (*read)(void);
};

static uint32_t pm_timer_read(void)
{
	return in32(acpi->pm_timer);
}

/* Counts down; it is latched, then read in two halves. */
static uint32_t pit_read(void)
{
	uint32_t v;

	out8(0x43, 0x80);
	v = in8(0x42);
	return -(v | (uint32_t)in8(0x42) << 8);
}

/* Mode 2, from 65536 on and over again; the gate (bit 0 of port 0x61) on, the loudspeaker off. */
static void pit_start(void)
{
	out8(0x61, (in8(0x61) & ~2) | 1);
	out8(0x43, 0xb4);
	out8(0x42, 0);
	out8(0x42, 0);
}

struct moment {
	uint64_t tsc;
	uint32_t ref, apic;
};

static struct moment look(const struct reference *ref)
{
	uint64_t before, width, best = ~0ul;
	struct moment m = {0}, now;

	for (unsigned i = 0; i < 4; i++) {
		before = rdtsc_now();
		now.ref = ref->read();
		now.apic = timer_left();
		width = rdtsc_now() - before;
		now.tsc = before + width / 2;
		if (width < best)
			m = now;
		best = min(width, best);
	}
	return m;
}

/* The first moment a millisecond after @from. False: the reference does not count. */
static bool next_moment(const struct reference *ref, struct moment from, struct moment *m)
{
	for (unsigned i = 0; i < READS_MAX && rdtsc_now() - from.tsc < GIVE_UP; i++) {
		if (((ref->read() - from.ref) & ref->mask) < ref->hz / HALVES_PER_SECOND)
			continue;
		*m = look(ref);
		return true;
	}
	return false;
}

/* Ticks per second between two moments; 0: impossible. */
static uint64_t rate(const struct reference *ref, struct moment a, struct moment b, uint64_t ticks)
{
	uint32_t passed = (b.ref - a.ref) & ref->mask;

	return passed && ticks < GIVE_UP * 10 ? ticks * ref->hz / passed : 0;
}

static bool measure(const struct reference *ref)
{
	struct moment a, b, c;
	uint64_t one, two;

	for (unsigned i = 0; i < TRIES; i++) {
		a = look(ref);
		if (!next_moment(ref, a, &b) || !next_moment(ref, b, &c))
			return false;
		one = rate(ref, a, b, b.tsc - a.tsc);
		two = rate(ref, b, c, c.tsc - b.tsc);
		tsc_hz = rate(ref, a, c, c.tsc - a.tsc);
		apic_hz = rate(ref, a, c, a.apic - c.apic);
		if (tsc_hz >= TSC_HZ_MIN && tsc_hz <= TSC_HZ_MAX && one - two + one / 64 < one / 32)
			break;
	}
	measured_by = ref->name;
	return tsc_hz >= TSC_HZ_MIN && tsc_hz <= TSC_HZ_MAX;
}

/* Nothing counts: at least the two clocks that we use shall agree. */
static void guess(void)
{
	uint64_t start = rdtsc_now(), passed = 0;
	uint32_t left = timer_left();

	for (unsigned i = 0; i < READS_MAX && passed < TSC_HZ_GUESS / HALVES_PER_SECOND; i++)
		passed = rdtsc_now() - start;
	if (passed == 0)
		native_early_die("the processor's time-stamp counter stands still");
	tsc_hz = TSC_HZ_GUESS;
	apic_hz = (left - timer_left()) * (TSC_HZ_GUESS / passed);
	printk("clock: neither ACPI's timer nor the PIT counts: 1 GHz is assumed, and time will "
	       "run too fast or too slow\n");
}

static void measure_rates(void)
{
	struct reference pm = {"the ACPI timer", 3579545, acpi->pm_timer_32 ? ~0u : 0xffffff,
			       pm_timer_read};
	struct reference pit = {"the PIT", 1193182, 0xffff, pit_read};

	timer_arm(~0u);
	if (!acpi->pm_timer || !measure(&pm)) {
		pit_start();
		if (!measure(&pit))
			guess();
	}
	timer_arm(0);
	boot_tsc = rdtsc_now();
	ns_per_tick = ((uint64_t)NSEC_PER_SEC << 32) / tsc_hz;
	tsc_per_ns = (tsc_hz << FRACTION) / NSEC_PER_SEC;
	apic_per_ns = (apic_hz << FRACTION) / NSEC_PER_SEC;
	boot_info.clock = "tsc";
	boot_info.tsc_khz = tsc_hz / 1000;
}

/* ---- the date ---- */

/* Bit 7 of the index would switch NMIs off. */
static uint8_t cmos_read(uint8_t index)
{
	out8(0x70, index);
	return in8(0x71);
}

static void read_date(void)
{
	int64_t seconds;

	if (acpi->rtc_absent || rtc_read(cmos_read, acpi->rtc_century, &seconds)) {
		printk("clock: the battery clock gives no date: it is 1970\n");
		return;
	}
	wall_offset = seconds * NSEC_PER_SEC - native_clock_monotonic();
}

/* ---- clock ---- */

ktime_t native_clock_monotonic(void)
{
	return ((unsigned __int128)(rdtsc_now() - boot_tsc) * ns_per_tick) >> 32;
}

ktime_t native_clock_wall_offset(void)
{
	return wall_offset;
}

void udelay(unsigned microseconds)
{
	uint64_t start = rdtsc_now(), ticks = microseconds * (tsc_hz / 1000000 + 1);

	while (rdtsc_now() - start < ticks)
		cpu_relax();
}

/* ---- timer ---- */

static void program(ktime_t left)
{
	unsigned __int128 ns = min(max(left, 0l), STEP_MAX);

	if (tsc_deadline)
		timer_arm_tsc(rdtsc_now() + (uint64_t)(ns * tsc_per_ns >> FRACTION) + 1);
	else
		timer_arm(min((uint64_t)(ns * apic_per_ns >> FRACTION) + 1, (uint64_t)UINT32_MAX));
}

void native_timer_set(ktime_t deadline)
{
	ktime_t *now_armed = &armed[this_cpu()->id];

	if (deadline == *now_armed)
		return;
	*now_armed = deadline;
	trace(timer, deadline, 0, 0);
	if (deadline != KTIME_NEVER)
		program(deadline - native_clock_monotonic());
	else if (tsc_deadline)
		timer_arm_tsc(0);
	else
		timer_arm(0);
}

/* Too early if it was set anew while it was waiting, or is a step on the way. */
static void timer_event(void *unused)
{
	ktime_t *now_armed = &armed[this_cpu()->id], left;

	(void)unused;
	if (*now_armed == KTIME_NEVER)
		return;
	left = *now_armed - native_clock_monotonic();
	if (left > 0) {
		program(left);
		return;
	}
	*now_armed = KTIME_NEVER;
	timer_interrupt();
}

void native_time_init(void)
{
	armed[this_cpu()->id] = KTIME_NEVER;
	timer_start(timer_event, false);
	measure_rates();
	tsc_deadline = timer_has_tsc_deadline();
	if (tsc_deadline)
		timer_start(timer_event, true);
	else if (apic_hz == 0)
		native_early_die("the local APIC's timer does not count");
	read_date();
}

size_t time_describe(char *buf, size_t size)
{
	int n = snprintk(buf, size, "clock: TSC at %lu kHz, measured by %s\n", tsc_hz / 1000,
			 measured_by);

	if (tsc_deadline)
		return n + snprintk(buf + n, size - n, "timer: local APIC, TSC deadline\n");
	return n + snprintk(buf + n, size - n, "timer: local APIC, one shot at %lu kHz\n",
			    apic_hz / 1000);
}
