/* SPDX-License-Identifier: MIT */
/*
 * The start-of-day self-test, natively: each facility that boot relies on, tried once for real
 * (`noselftest` skips it). Shorter than PV's, because fewer things can be refused.
 */
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include "../x86_64/selftest.h"
#include "native.h"

#define TIMER_SPAN (2 * NSEC_PER_MSEC)
#define TIMER_PATIENCE (200 * NSEC_PER_MSEC)

static void test_clock(report_fn report)
{
	ktime_t first = native_clock_monotonic(), second = native_clock_monotonic();
	char text[80];

	snprintk(text, sizeof(text), "two readings %ld ns apart", second - first);
	report("clock", first > 0 && second >= first, text);
}

/* The timer's interrupt ends the wait; a clock that stands still would never. */
static void test_timer(report_fn report)
{
	ktime_t start = native_clock_monotonic(), late;
	uint64_t before = counter_read(CNT_events);
	bool was_on = native_irq_enabled();
	char text[60];

	native_irq_disable();
	native_timer_set(start + TIMER_SPAN);
	native_irq_enable();
	while (counter_read(CNT_events) == before &&
	       native_clock_monotonic() - start < TIMER_PATIENCE)
		cpu_relax();
	late = native_clock_monotonic() - start - TIMER_SPAN;
	if (!was_on)
		native_irq_disable();
	snprintk(text, sizeof(text), "%ld us after its time", late / NSEC_PER_USEC);
	report("one-shot timer", counter_read(CNT_events) != before && late >= 0, text);
}

static void test_address_space(report_fn report)
{
	struct mmu m;
	bool ok = false;
	pte_t *slot;

	if (mmu_create(&m)) {
		report("address space", false, "no memory");
		return;
	}
	slot = mmu_slot(&m, PAGE_SIZE * 16, true);
	if (slot) {
		mmu_set(&m, PAGE_SIZE * 16, slot, pte_make(kernel_mmu.top, PTE_P | PTE_A | PTE_NX));
		mmu_publish(&m);
		mmu_load(&m);
		ok = *(volatile uint64_t *)(PAGE_SIZE * 16 + KERNEL_SLOT_IMAGE * 8) != 0;
		mmu_set_now(&m, PAGE_SIZE * 16, slot, PTE_NONE);
		ok &= selftest_write((char *)(PAGE_SIZE * 16)) == TRAP_PF;
		mmu_load(&kernel_mmu);
		mmu_retire(&m);
	}
	mmu_destroy(&m);
	report("address space", ok, "loaded, changed, flushed");
}

void native_selftest(void (*report)(const char *facility, bool ok, const char *detail))
{
	selftest_traps(report);
	test_clock(report);
	test_timer(report);
	test_address_space(report);
}
