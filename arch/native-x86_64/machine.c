/* SPDX-License-Identifier: MIT */
/* The table of machine operations for the native world. */
#include <mm.h>
#include <printk.h>
#include "native.h"

static void native_start_drivers(void)
{
	native_drivers_start();
}

static size_t native_describe(char *buf, size_t size)
{
	size_t n = snprintk(buf, size, "loader: %s\nmemory: %lu frames, the last is %lu\n",
			    loader.name, pages_present(), nr_pages - 1);

	n += acpi_describe(buf + n, size - n);
	n += time_describe(buf + n, size - n);
	return n + irq_describe(buf + n, size - n);
}

const struct machine native_machine = {
	.name = "native",
	.user_cs = USER_CS,
	.user_ss = USER_SS,
	.trap_return = native_trap_return,

	.irq_enable = native_irq_enable,
	.irq_disable = native_irq_disable,
	.irq_enabled = native_irq_enabled,
	.idle = native_idle,

	.switch_to = native_switch_to,
	.set_fs_base = native_set_fs_base,

	.top_create = native_top_create,
	.top_destroy = native_top_destroy,
	.table_publish = native_table_publish,
	.table_retire = native_table_retire,
	.table_link = native_table_link,
	.pte_write = native_pte_write,
	.pte_commit = native_pte_commit,
	.pte_write_now = native_pte_write_now,
	.pte_pending = native_pte_pending,
	.mmu_load = native_mmu_load,

	.clock_monotonic = native_clock_monotonic,
	.clock_wall_offset = native_clock_wall_offset,
	.timer_set = native_timer_set,

	.console_write = native_console_write,
	.console_read = native_console_read,

	.start_drivers = native_start_drivers,

	.power = native_power,

	.describe = native_describe,
	.selftest = native_selftest,
};
