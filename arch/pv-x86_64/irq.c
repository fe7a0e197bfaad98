/* SPDX-License-Identifier: MIT */
/*
 * The interrupt flag. Natively cli, sti and pushf; in ring 3 these would fault, or silently do
 * nothing (popf). What Xen looks at before it interrupts a guest is a byte in memory shared with
 * it, vcpu_info.evtchn_upcall_mask, so:
 *
 *     cli     mask = 1
 *     sti     mask = 0, then look: an event that came while masked only set evtchn_upcall_pending,
 *             and nothing interrupts us for it later. If it is set, any hypercall makes Xen look on
 *             its way out; the cheapest is xen_version.
 *     sti;hlt SCHEDOP_block: Xen clears the mask and blocks in one step, unless an event is pending
 *
 * No hypercall is made in the common case: cli and sti cost a store each, as cheap as natively.
 * No fence is needed between the store to the mask and the load of the pending byte: Xen sets the
 * byte first and then, whatever the mask says, interrupts the processor we run on; if our store was
 * on its way at that moment, it has arrived when Xen leaves that interrupt and looks at the mask.
 */
#include "hypercall.h"
#include "pv.h"

/* Instead of `cli`: a byte in shared_info. Cost: a store. */
void pv_irq_disable(void)
{
	count(irq_flag);
	WRITE_ONCE(this_vcpu_info()->evtchn_upcall_mask, 1);
	barrier();
}

/*
 * Instead of `sti`: the byte is cleared, and what came meanwhile is looked for. Cost: a store
 * and a load; a hypercall if something came.
 */
void pv_irq_enable(void)
{
	struct vcpu_info *v = this_vcpu_info();

	count(irq_flag);
	barrier();
	WRITE_ONCE(v->evtchn_upcall_mask, 0);
	barrier();
	if (unlikely(READ_ONCE(v->evtchn_upcall_pending)))
		hyp_xen_version(XENVER_version, NULL);
}

/* Instead of `pushf`: the byte is read. Cost: a load. */
bool pv_irq_enabled(void)
{
	return !READ_ONCE(this_vcpu_info()->evtchn_upcall_mask);
}

/* Instead of `sti; hlt`: SCHEDOP_block, which unmasks and sleeps in one step. Cost: a hypercall. */
void pv_idle(void)
{
	hyp_sched_op(SCHEDOP_block, NULL);
}
