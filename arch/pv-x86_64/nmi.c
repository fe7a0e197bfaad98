/* SPDX-License-Identifier: MIT */
/*
 * Non-maskable interrupts: `xl trigger NAME nmi`.
 *
 * Natively vector 2 of the IDT, raised by failing hardware, a watchdog, or a button on the front of
 * a server, for a machine that does nothing any more: it comes whatever the interrupt flag says,
 * and not again until the next iret. Here Xen keeps both properties. It bounces to the entry of
 * vector 2 in the trap table (callback_op's CALLBACKTYPE_nmi writes the very same entry), whatever
 * the event mask says, and holds further ones back until the iret hypercall. It masks events on the
 * way in.
 *
 * So it may come between any two instructions of the kernel, and what that means is here:
 *
 *   the stack       always good for a frame: the kernel uses no red zone, and between its last pop
 *                   and the iret hypercall all that is still needed lies above the stack pointer
 *   counters        may miss one; the trace ring reserves a place first
 *   locks           may be half taken. spin_lock() counts in irq_depth and notes beside it if
 *                   interrupts were on; both are put back here as they were. A lock that the
 *                   interrupted code holds will not be given back, so none may be waited for. Only
 *                   those of messages and console are in our way: if irq_depth is 0, this CPU holds
 *                   no lock; if it is not, and a message is being printed, the frame is copied and
 *                   an event, sent to ourselves, prints it as soon as that message is out
 *   everything else is only read, and may be found half changed
 */
#include <printk.h>
#include "hypercall.h"
#include "pv.h"

static int later_port;
static struct trapframe later_frame;
static volatile bool later;
static volatile bool expected; /* by the self-test */

static void print_later(void *unused)
{
	(void)unused;
	if (later)
		nmi_interrupt(&later_frame);
	later = false;
}

bool nmi_test(void)
{
	expected = true;
	hyp_vcpu_op(VCPUOP_send_nmi, this_cpu()->id, NULL);
	return !__atomic_exchange_n(&expected, false, __ATOMIC_SEQ_CST);
}

void nmi_init(void)
{
	later_port = evtchn_bind_ipi(print_later, NULL, "nmi, later");
}

void pv_nmi(struct trapframe *tf)
{
	struct cpu *c = this_cpu();
	unsigned depth = c->irq_depth;
	bool were_on = c->irq_were_on;

	tf->cs &= 0xffff; /* PV: the event mask lies above the selector */
	tf->cr2 = 0;
	c->counters[CNT_nmis]++;
	if (!machine || __atomic_exchange_n(&expected, false, __ATOMIC_SEQ_CST))
		return;
	c->irq_depth = depth + 1;
	trace(trap, tf->vector, tf->rip, 0);
	if (depth == 0 || !(printk_busy() || pv_console_busy())) {
		nmi_interrupt(tf);
	} else if (!later && later_port > 0) {
		later_frame = *tf;
		later = true;
		evtchn_send(later_port);
	}
	c->irq_depth = depth;
	c->irq_were_on = were_on;
}
