/* SPDX-License-Identifier: MIT */
/*
 * The end. Natively: an ACPI port, the keyboard controller, a triple fault. Here one hypercall,
 * SCHEDOP_shutdown with a reason; the toolstack acts on it (destroys, restarts, keeps a crashed
 * domain for inspection, as the domain's configuration says). When it is the initial domain that
 * shuts down, Xen takes the whole machine with it: power off, reboot, or halt after a crash.
 */
#include <printk.h>
#include "hypercall.h"
#include "pv.h"

/*
 * Instead of ACPI's ports, a reset port, a triple fault: SCHEDOP_shutdown with a reason. Cost: a
 * hypercall.
 */
void pv_power(enum power_action what)
{
	static const unsigned reasons[] = {
		[POWER_OFF] = SHUTDOWN_poweroff,
		[POWER_REBOOT] = SHUTDOWN_reboot,
		[POWER_HALT] = SHUTDOWN_poweroff,
		[POWER_CRASH] = SHUTDOWN_crash,
	};
	struct sched_shutdown arg = {.reason = reasons[what]};
	long err;

	machine->irq_disable();
	console_drain();
	err = hyp_sched_op(SCHEDOP_shutdown, &arg);
	/* Nothing refuses this today. If something does, stay quiet rather than run on. */
	early_print_hex("power: SCHEDOP_shutdown refused: ", err);
	arg.reason = SHUTDOWN_crash;
	hyp_sched_op(SCHEDOP_shutdown, &arg);
	for (;;) {
		machine->irq_disable();
		hyp_sched_op(SCHEDOP_yield, NULL);
	}
}
