/* SPDX-License-Identifier: MIT */
/*
 * The end. A PC has no one way to switch it off or to reset it, so several are tried, from the one
 * that its firmware names down to the one that the processor cannot refuse.
 *
 *   off      ACPI: write the sleep type of state S5, and the bit that says "now", to the PM1
 * control registers (ACPI 4.8.3.2.1); or to the sleep register of machines that have no PM1.
 *            Without ACPI: the port where QEMU has that register.
 *   reboot   the reset register of the FADT; the chip set's reset port; the keyboard controller,
 *            whose spare output is the processor's reset line since 1984; a triple fault
 *   halt     interrupts off, hlt, for ever
 *   crash    as halt, so that the message stays on the screen; kernel argument panic=reboot or
 *            panic=off for machines that nobody looks at. QEMU's pvpanic device is told, if the
 *            firmware names it: QEMU can then end with a status of its own (-action panic=...).
 *
 * Under PV all of this is one hypercall with a reason, and what follows is the toolstack's.
 */
#include "acpi_tables.h"
#include <bootarg.h>
#include <printk.h>
#include <string.h>
#include "native.h"

#define PM1_SCI_ENABLE 0x0001 /* the registers are the system's, not the firmware's */
#define PM1_SLEEP_TYPE 10     /* bits 10 to 12 */
#define PM1_SLEEP 0x2000
#define SLEEP_TYPE 2 /* the same in the sleep register */
#define SLEEP 0x20

#define QEMU_PM1_CONTROL 0x604
#define PVPANIC 0x505
#define RESET_CONTROL 0xcf9
#define KEYBOARD_COMMAND 0x64

#define PATIENCE_US 300000 /* for the machine to act */

static void __noreturn stop(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" ::: "memory");
}

/* Ask the firmware for the PM1 registers, if it still has them. */
static void take_pm1(void)
{
	if (!acpi->smi_command || !acpi->acpi_enable || in16(acpi->pm1a_control) & PM1_SCI_ENABLE)
		return;
	out8(acpi->smi_command, acpi->acpi_enable);
	for (unsigned us = 0; us < PATIENCE_US; us += 100) {
		if (in16(acpi->pm1a_control) & PM1_SCI_ENABLE)
			return;
		udelay(100);
	}
}

static void pm1_sleep(uint16_t port, uint8_t type)
{
	uint16_t v = in16(port) & ~(7u << PM1_SLEEP_TYPE);

	out16(port, v | type << PM1_SLEEP_TYPE | PM1_SLEEP);
}

static void power_off(void)
{
	if (acpi->s5 && acpi->pm1a_control) {
		take_pm1();
		pm1_sleep(acpi->pm1a_control, acpi->s5_type[0]);
		if (acpi->pm1b_control)
			pm1_sleep(acpi->pm1b_control, acpi->s5_type[1]);
	} else if (!acpi->s5 || !acpi_sleep_register(acpi->s5_type[0] << SLEEP_TYPE | SLEEP)) {
		out16(QEMU_PM1_CONTROL, PM1_SLEEP);
	}
	udelay(PATIENCE_US);
	native_early_print("power: this machine cannot switch itself off: you may do it now\n");
}

static void __noreturn triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __packed no_idt;

	__asm__ volatile("lidt %0; int3" : : "m"(no_idt) : "memory");
	stop();
}

static void __noreturn reboot(void)
{
	if (acpi_reset())
		udelay(PATIENCE_US);
	out8(RESET_CONTROL, 0x02); /* which reset: the processor's and the devices' .. */
	out8(RESET_CONTROL, 0x06); /* .. now */
	udelay(PATIENCE_US);
	for (unsigned i = 0; i < 1000 && in8(KEYBOARD_COMMAND) & 2; i++)
		udelay(10);
	out8(KEYBOARD_COMMAND, 0xfe);
	udelay(PATIENCE_US);
	triple_fault();
}

static enum power_action after_crash(void)
{
	char how[8];

	if (acpi->pvpanic && in8(PVPANIC) != 0xff)
		out8(PVPANIC, 1);
	if (!boot_arg("panic", how, sizeof(how)))
		return POWER_HALT;
	return strcmp(how, "reboot") == 0 ? POWER_REBOOT
	       : strcmp(how, "off") == 0  ? POWER_OFF
					  : POWER_HALT;
}

void native_power(enum power_action what)
{
	native_irq_disable();
	if (what == POWER_CRASH)
		what = after_crash();
	if (what == POWER_REBOOT)
		reboot();
	if (what == POWER_OFF)
		power_off();
	stop();
}
