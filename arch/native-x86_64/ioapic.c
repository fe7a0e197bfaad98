/* SPDX-License-Identifier: MIT */
/*
 * Wires. Before PCI each interrupt of a PC was a wire to one of two 8259 chips, which told the
 * processor one vector at a time. They are still there; we move their vectors away from the
 * exceptions and mask all of their inputs. The I/O APIC, to which the same wires go, has an entry
 * of 64 bits for each input: vector, destination, whether high or low means "interrupt", edge or
 * level, mask. It is reached through two registers, index and data.
 *
 * Which input the ISA bus's wire n has, the firmware's tables say: n, but for a few (the old timer,
 * 0, is usually at input 2).
 *
 * Under PV there are no wires: Xen owns them, and an event channel takes their place (events.c).
 */
#include "acpi_tables.h"
#include "apic.h"
#include <lock.h>
#include <printk.h>
#include "native.h"

#define PIC1 0x20
#define PIC2 0xa0

#define IOAPIC_VERSION 1 /* bits 16 to 23: number of the last entry */
#define IOAPIC_ENTRY 0x10
#define ENTRY_LOW (1u << 13)
#define ENTRY_LEVEL (1u << 15)
#define ENTRY_MASKED (1u << 16)

static struct ioapic {
	volatile void *regs;
	uint64_t address;
	uint32_t first, inputs;
} ioapics[ACPI_IOAPICS];
static unsigned nr_ioapics;
static spinlock_t lock = SPINLOCK("ioapic"); /* index and data belong together */

/* Initialisation is four bytes: start, first vector, how the two are wired, 8086 mode. */
void pic_off(void)
{
	out8(PIC1, 0x11);
	out8(PIC2, 0x11);
	out8(PIC1 + 1, VECTOR_8259);
	out8(PIC2 + 1, VECTOR_8259 + 8);
	out8(PIC1 + 1, 4);
	out8(PIC2 + 1, 2);
	out8(PIC1 + 1, 1);
	out8(PIC2 + 1, 1);
	out8(PIC1 + 1, 0xff);
	out8(PIC2 + 1, 0xff);
}

static uint32_t ioapic_read(const struct ioapic *io, uint32_t index)
{
	mmio_write32(io->regs, 0, index);
	return mmio_read32(io->regs, 0x10);
}

static void ioapic_write(const struct ioapic *io, uint32_t index, uint32_t v)
{
	mmio_write32(io->regs, 0, index);
	mmio_write32(io->regs, 0x10, v);
}

static void ioapic_add(uint64_t address, uint32_t first)
{
	struct ioapic *io = &ioapics[nr_ioapics];
	uint32_t version;

	io->regs = mmio_map(address, 0x20);
	if (!io->regs)
		return;
	version = ioapic_read(io, IOAPIC_VERSION);
	if (version == ~0u || version == 0) /* nobody answers */
		return;
	io->address = address;
	io->first = first;
	io->inputs = (version >> 16 & 0xff) + 1;
	for (uint32_t i = 0; i < io->inputs; i++)
		ioapic_write(io, IOAPIC_ENTRY + 2 * i, ENTRY_MASKED);
	nr_ioapics++;
}

void ioapic_init(void)
{
	for (unsigned i = 0; i < acpi->nr_ioapics; i++)
		ioapic_add(acpi->ioapic[i].address, acpi->ioapic[i].first);
	if (nr_ioapics == 0)
		printk("interrupts: no I/O APIC: keyboard and serial port cannot interrupt\n");
}

int ioapic_route(uint32_t input, bool active_low, bool level, unsigned vector, unsigned apic_id)
{
	for (unsigned i = 0; i < nr_ioapics; i++) {
		const struct ioapic *io = &ioapics[i];
		uint32_t n = input - io->first;

		if (input < io->first || n >= io->inputs)
			continue;
		spin_lock(&lock);
		ioapic_write(io, IOAPIC_ENTRY + 2 * n + 1, apic_id << 24);
		ioapic_write(io, IOAPIC_ENTRY + 2 * n,
			     vector | (active_low ? ENTRY_LOW : 0) | (level ? ENTRY_LEVEL : 0));
		spin_unlock(&lock);
		return 0;
	}
	return -ENODEV;
}

size_t ioapic_describe(char *buf, size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; i < nr_ioapics && n < size; i++)
		n += snprintk(buf + n, size - n, "I/O APIC: at 0x%lx, inputs %u to %u\n",
			      ioapics[i].address, ioapics[i].first,
			      ioapics[i].first + ioapics[i].inputs - 1);
	return min(n, size);
}
