/* SPDX-License-Identifier: MIT */
/*
 * The start-of-day self-test: each facility that boot relies on, tried once for real. A student who
 * breaks one sees which; the price is a few dozen hypercalls (`noselftest` skips it).
 */
#include <lock.h>
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "../x86_64/selftest.h"
#include "hypercall.h"
#include "pv.h"

typedef void (*report_fn)(const char *facility, bool ok, const char *detail);

static void test_frames(report_fn report)
{
	unsigned long bad = 0, n = boot_info.nr_present, step = max(n / 1024, 1ul);
	char text[60];

	for (unsigned long pfn = 0; pfn < n; pfn += step)
		if (mfn_to_pfn(pfn_to_mfn(PFN(pfn))).v != pfn)
			bad++;
	snprintk(text, sizeof(text), "%lu frames of %lu, p2m %lu KiB", n, nr_pages,
		 nr_pages * 8 / 1024);
	report("p2m and m2p agree", bad == 0, text);
}

static volatile unsigned events_seen;

static void event_seen(void *unused)
{
	(void)unused;
	events_seen++;
}

static void test_events(report_fn report)
{
	int port = evtchn_bind_ipi(event_seen, NULL, "self-test");
	bool was_on = machine->irq_enabled(), held, unmasked;

	if (port < 0) {
		report("event channels", false, "no port");
		return;
	}
	machine->irq_disable();
	events_seen = 0;
	evtchn_send(port);
	held = events_seen == 0;
	machine->irq_enable();
	unmasked = events_seen == 1;
	evtchn_send(port);
	report("event channels", held && unmasked && events_seen == 2, "");
	evtchn_close(port);
	if (!was_on)
		machine->irq_disable();
}

/*
 * A domain may be its own peer. *@domid becomes its number, which nothing else tells: a port that
 * DOMID_SELF may bind to is shown with the number in its place.
 */
static void test_interdomain(report_fn report, unsigned *domid)
{
	struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF};
	int near = evtchn_alloc_unbound(DOMID_SELF, event_seen, NULL, "self-test");
	struct evtchn_status status = {.dom = DOMID_SELF, .port = near};
	struct evtchn_close close;
	bool was_on = machine->irq_enabled(), sent = false, refused = false;
	char text[60];

	if (near < 0 || hyp_event_channel_op(EVTCHNOP_status, &status)) {
		report("events between domains", false, "no port");
		return;
	}
	*domid = status.u.unbound.dom;
	bind.remote_port = near;
	events_seen = 0;
	if (hyp_event_channel_op(EVTCHNOP_bind_interdomain, &bind) == 0) {
		machine->irq_enable();
		events_seen = 0; /* binding sets off one by itself */
		sent = evtchn_send(bind.local_port) == 0 && events_seen == 1;
		if (!was_on)
			machine->irq_disable();
		close.port = bind.local_port;
		evtchn_close(near);
		refused = evtchn_send(near) == -EIO && events_seen == 1;
		hyp_event_channel_op(EVTCHNOP_close, &close);
	}
	snprintk(text, sizeof(text), "we are domain %u", *domid);
	report("events between domains", sent && refused, text);
}

/* Have Xen copy the page granted as @ref to @to, as another domain would. */
static bool copy_by_grant(unsigned ref, pfn_t to)
{
	struct gnttab_copy copy = {
		.source = {.u.ref = ref, .domid = DOMID_SELF},
		.dest = {.u.gmfn = pfn_to_mfn(to).v, .domid = DOMID_SELF},
		.len = PAGE_SIZE,
		.flags = GNTCOPY_source_gref,
	};

	return hyp_grant_table_op(GNTTABOP_copy, &copy, 1) == 0 && copy.status == GNTST_okay;
}

/*
 * A page that is mapped through its grant must not be taken back. Not in a PVH domain: a frame that
 * it maps from itself would go to the new place instead of being at both.
 */
static bool busy_while_mapped(unsigned domid, grant_t ref, const unsigned long *page)
{
	struct gnttab_map_grant_ref map = {
		.host_addr = GRANT_TEST_VA,
		.flags = GNTMAP_host_map | GNTMAP_readonly,
		.ref = ref,
		.dom = domid,
	};
	struct gnttab_unmap_grant_ref unmap = {.host_addr = GRANT_TEST_VA};
	bool seen, busy;

	if (hyp_grant_table_op(GNTTABOP_map_grant_ref, &map, 1) || map.status != GNTST_okay)
		return false;
	seen = *(volatile unsigned long *)GRANT_TEST_VA == *page;
	busy = grant_end(ref) == -EBUSY;
	unmap.handle = map.handle;
	hyp_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
	return seen && busy && unmap.status == GNTST_okay;
}

static void test_grants(report_fn report, unsigned domid)
{
	pfn_t a = page_alloc_pfn(ALLOC_ZERO), b = page_alloc_pfn(ALLOC_ZERO);
	struct grant_usage before, after;
	bool copied = false, busy = false, ended = false, closed = false;
	grant_t ref;

	grant_usage(&before);
	if (a.v == PFN_NONE.v || b.v == PFN_NONE.v || grant_access(domid, a, true, &ref)) {
		report("grants", false, "no grant");
		return;
	}
	*(unsigned long *)pfn_va(a) = 0x5eed;
	copied = copy_by_grant(ref, b) && *(unsigned long *)pfn_va(b) == 0x5eed;
	busy = birth.pvh || busy_while_mapped(domid, ref, pfn_va(a));
	ended = grant_end(ref) == 0;
	closed = !copy_by_grant(ref, b);
	grant_usage(&after);
	page_free_pfn(a);
	page_free_pfn(b);
	report("grants", copied && busy && ended && closed && before.used == after.used,
	       !(copied && busy && ended && closed) ? ""
	       : birth.pvh                          ? "copied, ended"
						    : "copied, mapped, kept while mapped, ended");
}

static void test_nmi(report_fn report)
{
	bool was_on = machine->irq_enabled(), came;

	machine->irq_disable();
	came = nmi_test();
	if (was_on)
		machine->irq_enable();
	report("non-maskable interrupt", came, "");
}

static void test_time(report_fn report)
{
	ktime_t a = pv_clock_monotonic(), b = pv_clock_monotonic();
	unsigned long year = pv_clock_wall_offset() / (NSEC_PER_SEC * 31556952) + 1970;
	char text[60];

	snprintk(text, sizeof(text), "two readings %ld ns apart, year %lu", b - a, year);
	report("clock", b > a && year >= 2020 && year < 2200, text);
}

static void test_timer(report_fn report)
{
	bool was_on = machine->irq_enabled(), came;
	ktime_t late;
	char text[40];

	machine->irq_disable();
	came = timer_test(100 * NSEC_PER_USEC, &late);
	if (was_on)
		machine->irq_enable();
	snprintk(text, sizeof(text), "%ld us after its time", late / NSEC_PER_USEC);
	report("one-shot timer", came && late >= 0, came ? text : "no event");
}

/* A space with one user page: made, pinned, read through, changed live, and taken back. */
static void test_space(report_fn report)
{
	const unsigned long va = 0x1100000;
	unsigned long before = pages_free();
	pfn_t a = page_alloc_pfn(ALLOC_ZERO), b = page_alloc_pfn(ALLOC_ZERO);
	struct mmu m, *old = this_cpu()->mmu;
	bool pinned = false, seen = false, changed = false;
	uint64_t flags = PTE_P | PTE_W | PTE_U | PTE_NX | PTE_A | PTE_D;
	pte_t *slot;

	if (a.v == PFN_NONE.v || b.v == PFN_NONE.v || mmu_create(&m)) {
		report("address space", false, "no memory");
		return;
	}
	*(unsigned long *)pfn_va(a) = 0x5eed;
	slot = mmu_slot(&m, va, true);
	if (slot) {
		mmu_set(&m, va, slot, pte_make(a, flags));
		pinned = mmu_publish(&m) == 0;
	}
	if (pinned) {
		mmu_load(&m);
		seen = *(volatile unsigned long *)va == 0x5eed;
		mmu_set(&m, va, slot, pte_make(b, flags));
		mmu_commit();
		changed = *(volatile unsigned long *)va == 0;
		mmu_load(old);
		mmu_retire(&m);
	}
	mmu_destroy(&m);
	page_free_pfn(a);
	page_free_pfn(b);
	report("address space", pinned && seen && changed && pages_free() == before,
	       birth.pvh ? "loaded, changed"
	       : pinned  ? "pinned, loaded, changed, unpinned"
			 : "not pinned");
}

/* Instead of the processor's part alone: also what Xen must grant. Cost: a few dozen hypercalls. */
void pv_selftest(report_fn report)
{
	char text[60];
	uint64_t calls = this_cpu()->calls[__HYPERVISOR_xen_version];
	unsigned domid = DOMID_SELF;

	hyp_xen_version(XENVER_version, NULL);
	snprintk(text, sizeof(text), "%s", boot_info.hypervisor);
	report("hypercalls", this_cpu()->calls[__HYPERVISOR_xen_version] == calls + 1, text);
	selftest_traps(report);
	if (!birth.pvh) {
		report("page tables read-only", selftest_write(pfn_va(kernel_mmu.top)) == TRAP_PF,
		       "");
		test_frames(report);
	}
	test_events(report);
	test_interdomain(report, &domid);
	test_nmi(report);
	test_time(report);
	test_timer(report);
	test_space(report);
	grants_init();
	test_grants(report, domid);
}
