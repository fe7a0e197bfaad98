/* SPDX-License-Identifier: MIT */
/* The table of machine operations for the PV world. */
#include <mm.h>
#include <printk.h>
#include "hypercall.h"
#include "pv.h"

/* Instead of looking for devices on the PC's buses: the bus that xenstore is. Cost: two hypercalls
 * for the grant table, then requests to xenstored. */
void pv_start_drivers(void)
{
	grants_init();
	pvfront_start();
}

/* Instead of what firmware tells: what Xen tells. Cost: a hypercall a bound event channel. */
size_t pv_describe(char *buf, size_t size)
{
	size_t n = features_describe(buf, size);

	n += snprintk(buf + n, size - n, "memory: %lu frames, at most %lu\n", pages_present(),
		      pages_max());
	n += grants_describe(buf + n, size - n);
	n += snprintk(buf + n, size - n, "events:\n");
	return n + hv_events_describe(buf + n, size - n);
}

const struct machine pv_machine = {
	.name = "pv",
	.user_cs = FLAT_USER_CS,
	.user_ss = FLAT_USER_SS,
	.trap_return = pv_trap_return,

	.irq_enable = pv_irq_enable,
	.irq_disable = pv_irq_disable,
	.irq_enabled = pv_irq_enabled,
	.idle = pv_idle,

	.switch_to = pv_switch_to,
	.set_fs_base = pv_set_fs_base,

	.top_create = pv_top_create,
	.top_destroy = pv_top_destroy,
	.table_publish = pv_table_publish,
	.table_retire = pv_table_retire,
	.table_link = pv_table_link,
	.pte_write = pv_pte_write,
	.pte_commit = pv_pte_commit,
	.pte_write_now = pv_pte_write_now,
	.pte_pending = pv_pte_pending,
	.mmu_load = pv_mmu_load,

	.clock_monotonic = pv_clock_monotonic,
	.clock_wall_offset = pv_clock_wall_offset,
	.timer_set = pv_timer_set,

	.console_write = pv_console_write,
	.console_read = pv_console_read,

	.start_drivers = pv_start_drivers,

	.power = pv_power,

	.call_names = hypercall_names,
	.describe = pv_describe,
	.selftest = pv_selftest,
};
