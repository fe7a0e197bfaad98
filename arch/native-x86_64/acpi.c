/* SPDX-License-Identifier: MIT */
/*
 * ACPI on this machine: find the tables, keep what acpi_tables.c has read out of them. Without them
 * a PC is what it was in 1995: interrupt controllers, clock and timer at their traditional places,
 * and no way to switch it off.
 *
 * Under PV the initial domain could read the same tables; but all that they describe is Xen's.
 */
#include "acpi_tables.h"
#include <bootarg.h>
#include <printk.h>
#include "native.h"

static struct acpi_info info;
static volatile void *reset_va, *sleep_va; /* of those registers, if they are in memory */

const struct acpi_info *const acpi = &info;

const void *acpi_map(uint64_t phys, size_t len)
{
	return firmware_map(phys, len);
}

/* Old firmware leaves it in the first KiB of its extended data area, or in its ROM
 * (ACPI 5.2.5.1). */
static uint64_t search_low_memory(void)
{
	const uint16_t *ebda = firmware_map(0x40e, sizeof(*ebda));
	uint64_t found = 0;

	if (ebda && *ebda >= 0x8000 && *ebda < 0xa000)
		found = acpi_search_rsdp((uint64_t)*ebda << 4, 1024);
	return found ? found : acpi_search_rsdp(0xe0000, 0x20000);
}

static volatile void *map_register(const struct acpi_register *r)
{
	return r->space == ACPI_SPACE_MEMORY ? mmio_map(r->address, 1) : NULL;
}

static bool write_register(const struct acpi_register *r, volatile void *va, uint8_t v)
{
	if (va)
		*(volatile uint8_t *)va = v;
	else if (r->space == ACPI_SPACE_PORT)
		out8(r->address, v);
	else
		return false;
	return true;
}

bool acpi_reset(void)
{
	return write_register(&info.reset, reset_va, info.reset_value);
}

bool acpi_sleep_register(uint8_t v)
{
	return write_register(&info.sleep, sleep_va, v);
}

void acpi_init(uint64_t rsdp)
{
	const char *wrong = "the kernel argument noacpi says so";

	acpi_defaults(&info);
	if (!boot_flag("noacpi")) {
		if (!rsdp)
			rsdp = search_low_memory();
		wrong = rsdp ? acpi_read(rsdp, &info) : "there is no root pointer";
	}
	if (wrong)
		printk("acpi: not used, the PC's traditional places count: %s\n", wrong);
	reset_va = map_register(&info.reset);
	sleep_va = map_register(&info.sleep);
}

size_t acpi_describe(char *buf, size_t size)
{
	size_t n = snprintk(buf, size, "acpi:");

	for (unsigned i = 0; i < info.nr_tables && n < size; i++)
		n += snprintk(buf + n, size - n, " %.4s", info.table[i].signature);
	n += snprintk(buf + n, size - n, "%s\n", info.nr_tables ? "" : " none");
	return n;
}
