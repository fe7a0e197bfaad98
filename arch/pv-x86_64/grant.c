/* SPDX-License-Identifier: MIT */
/*
 * Grants: how another domain gets at a page of ours.
 *
 * Natively a driver tells its device a physical address, and the device reads and writes there; an
 * IOMMU, if there is one, holds the list of pages that it may touch. Between domains that list is
 * the rule. Each domain has a table of grants, "domain D may use my frame F" (reading only, or
 * writing too), at places called references. The reference is what the domains tell each other: a
 * number in a ring or in xenstore, worth nothing to anybody but D. With it D asks Xen to map the
 * frame into its own address space or to copy from or to it; Xen looks into our table, and marks
 * the entry as in use while it is.
 *
 * So to give a page away, and to end that, we write and read memory: no hypercall in either
 * direction, about 140 instructions each. The price is on the other side, where mapping costs a
 * hypercall and a TLB flush at its end. The table is Xen's memory, mapped here at GRANT_BASE; it
 * grows by a frame (512 grants) when none is free, up to what the domain may have
 * (`max_grant_frames` in its configuration). Under PV, GNTTABOP_setup_table tells the new frame's
 * machine number, which goes into a page-table entry. A PVH domain cannot enter Xen's frames in its
 * tables, it has only its own frame numbers: there Xen is asked to put the frame in place of one of
 * ours (XENMEM_add_to_physmap), whose own memory it gets back.
 *
 * A peer may keep a mapping for as long as it likes, and forever if it has a fault. No call revokes
 * it. A frame that is still mapped must not become anybody else's memory, or the peer would read
 * and write that; so grant_end_page() sets reference and page aside, and a timer looks again, first
 * soon, then less and less often.
 */
#include <lock.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include "grant_table.h"
#include "hypercall.h"
#include "pv.h"

/* The last 2 MiB of the area, but for their last page (pv.h). */
#define GRANT_BASE (KVM_BASE + KVM_SIZE - PT_SPAN(2))
#define RETRY_FIRST (10 * NSEC_PER_MSEC)
#define RETRY_LAST (10 * NSEC_PER_SEC)
#define RETRY_BATCH 64u

static spinlock_t lock = SPINLOCK("grants");
static struct grant_table table = {.entries = (struct grant_entry_v1 *)GRANT_BASE};
static pte_t *slots;        /* entries that map the table */
static unsigned max_frames; /* 0: not known yet */
static xen_pfn_t frame_list[GRANT_FRAMES_MAX];
static bool growth_failed; /* said once */

static struct ktimer retry_timer;
static ktime_t retry_delay;
static bool aside_said;

static unsigned ask_max_frames(void)
{
	struct gnttab_query_size query = {.dom = DOMID_SELF};

	if (hyp_grant_table_op(GNTTABOP_query_size, &query, 1) || query.status != GNTST_okay)
		return 1;
	return min(query.max_nr_frames, GRANT_FRAMES_MAX);
}

static void growth_refused(const char *why, long err)
{
	if (!growth_failed)
		printk("grants: the table stays at %u frames of %u: %s (%ld)\n", table.frames,
		       max_frames, why, err);
	growth_failed = true;
}

/* Map frame number @n of the table. */
static bool frame_map(unsigned n)
{
	uint64_t refusals = queue_refusals();

	mmu_set_now(
		&kernel_mmu, GRANT_BASE + n * PAGE_SIZE, slots + n,
		(pte_t){(frame_list[n] << PAGE_SHIFT) | PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX});
	return refusals == queue_refusals();
}

/* PV: ask for one frame more, frame_list[] tells where they are. 0, or what Xen answers. */
static long frame_ask(void)
{
	struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = table.frames + 1};
	long err;

	set_xen_guest_handle(setup.frame_list, frame_list);
	err = hyp_grant_table_op(GNTTABOP_setup_table, &setup, 1);
	return err ? err : setup.status;
}

/* PVH: the next frame of the table comes in place of a page of ours, for ever. */
static long frame_place(void)
{
	struct page *pg = page_alloc(0, ALLOC_ATOMIC);
	long err;

	if (!pg)
		return -ENOMEM;
	frame_list[table.frames] = page_pfn(pg).v;
	err = hyp_add_to_physmap(XENMAPSPACE_grant_table, table.frames, page_pfn(pg).v);
	if (err)
		page_put(pg);
	return err;
}

/* One more frame. Lock held, interrupts off. */
static bool grow(void)
{
	struct page *pg;
	long err;

	if (!slots || table.frames >= max_frames)
		return false;
	pg = page_alloc(0, ALLOC_ATOMIC);
	if (!pg)
		return false;
	err = birth.pvh ? frame_place() : frame_ask();
	if (err || !frame_map(table.frames)) {
		growth_refused(err ? "Xen does not give more" : "it cannot be mapped", err);
		page_put(pg);
		return false;
	}
	grant_table_add(&table, page_va(pg));
	return true;
}

void grants_init(void)
{
	/* A walk of the tables, which may make one, is for a thread; growing is not always. */
	if (!slots)
		slots = mmu_slot(&kernel_mmu, GRANT_BASE, true);
	if (!max_frames)
		max_frames = ask_max_frames();
	spin_lock(&lock);
	if (!table.frames && !grow())
		printk("grants: there is no table: no device will work\n");
	spin_unlock(&lock);
}

int grant_access(unsigned domid, pfn_t pfn, bool read_only, grant_t *out)
{
	unsigned long mfn = pfn_to_mfn(pfn).v;
	grant_t ref;

	if (mfn != (uint32_t)mfn)
		return -ERANGE;
	spin_lock(&lock);
	ref = grant_table_take(&table);
	if (unlikely(!ref) && grow())
		ref = grant_table_take(&table);
	spin_unlock(&lock);
	if (!ref)
		return -ENOSPC;
	grant_table_allow(&table, ref, domid, mfn, read_only);
	count(grants);
	*out = ref;
	return 0;
}

int grant_end(grant_t ref)
{
	int err = grant_table_revoke(&table, ref);

	if (err)
		return err;
	spin_lock(&lock);
	grant_table_give(&table, ref);
	spin_unlock(&lock);
	return 0;
}

/* In the timer's interrupt. */
static void retry(struct ktimer *t)
{
	uint32_t pfns[RETRY_BATCH];
	unsigned n, freed, left;

	spin_lock(&lock);
	n = grant_table_retry(&table, pfns, RETRY_BATCH, &freed);
	left = table.aside;
	retry_delay = freed ? RETRY_FIRST : min(retry_delay * 2, RETRY_LAST);
	spin_unlock(&lock);
	while (n)
		page_put(pfn_page(PFN((unsigned long)pfns[--n])));
	if (left)
		ktimer_set(t, clock_now() + retry_delay, retry, NULL);
}

void grant_end_page(grant_t ref, struct page *pg)
{
	unsigned domid = table.entries[ref].domid;
	bool say;

	if (!grant_end(ref)) {
		if (pg)
			page_put(pg);
		return;
	}
	count(grants_aside);
	spin_lock(&lock);
	grant_table_set_aside(&table, ref, pg ? page_pfn(pg).v : GRANT_NO_PFN);
	say = !aside_said;
	aside_said = true;
	retry_delay = RETRY_FIRST;
	spin_unlock(&lock);
	if (say)
		printk("grants: domain %u still uses a page whose grant has ended: set aside until "
		       "it does not, and so will others be without a word\n",
		       domid);
	ktimer_set(&retry_timer, clock_now() + RETRY_FIRST, retry, NULL);
}

void grant_usage(struct grant_usage *u)
{
	spin_lock(&lock);
	u->used = table.used;
	u->free = table.free;
	u->quarantined = table.aside;
	u->entries = table.frames * GRANTS_PER_FRAME;
	u->max_entries = max_frames * GRANTS_PER_FRAME;
	spin_unlock(&lock);
}

size_t grants_describe(char *buf, size_t size)
{
	struct grant_usage u;

	grant_usage(&u);
	return min(size, (size_t)snprintk(buf, size,
					  "grants: %u used, %u free, %u set aside; table of %u, at "
					  "most %u\n",
					  u.used, u.free, u.quarantined, u.entries, u.max_entries));
}
