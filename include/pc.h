/* SPDX-License-Identifier: MIT */
/*
 * What a PC offers to the drivers of its devices (drivers/native): ports, registers in memory, and
 * interrupts. The counterpart of <hv.h>, and as that, the whole of what the drivers ask for.
 *
 * A device is a set of registers, reached by port instructions or by loads and stores to physical
 * addresses where there is no memory; it reads and writes memory by itself (DMA, by physical
 * address: pfn << PAGE_SHIFT, pfn and mfn being the same here); and it interrupts. PCI devices
 * interrupt by writing a message to an address that the local APIC listens to (MSI), which needs no
 * wires and so no tables that say where the wires go; the few devices older than PCI have numbered
 * wires to the I/O APIC.
 *
 * Port and model-specific-register accesses are counted (trace.h): under a hypervisor each would be
 * an exit.
 */
#ifndef PC_H
#define PC_H

#include <cpu.h>
#include <types.h>

/* ---- ports ---- */
static inline uint8_t in8(uint16_t port)
{
	uint8_t v;

	count(port_io);
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t v;

	count(port_io);
	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t v;

	count(port_io);
	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void out8(uint16_t port, uint8_t v)
{
	count(port_io);
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

/* @n bytes to one port, in one instruction. */
static inline void out8_all(uint16_t port, const void *bytes, size_t n)
{
	count(port_io);
	__asm__ volatile("rep outsb" : "+S"(bytes), "+c"(n) : "d"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t v)
{
	count(port_io);
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t v)
{
	count(port_io);
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

/* ---- registers in memory ---- */
/* Map @len bytes of device registers at physical @phys, uncached, for ever. Threads and boot.
 * NULL: no memory or no address space. */
volatile void *mmio_map(uint64_t phys, size_t len);

static inline uint8_t mmio_read8(const volatile void *base, size_t offset)
{
	return *((const volatile uint8_t *)base + offset);
}

static inline void mmio_write8(volatile void *base, size_t offset, uint8_t v)
{
	*((volatile uint8_t *)base + offset) = v;
}

static inline uint16_t mmio_read16(const volatile void *base, size_t offset)
{
	return *(const volatile uint16_t *)((const volatile char *)base + offset);
}

static inline void mmio_write16(volatile void *base, size_t offset, uint16_t v)
{
	*(volatile uint16_t *)((volatile char *)base + offset) = v;
}

static inline uint32_t mmio_read32(const volatile void *base, size_t offset)
{
	return *(const volatile uint32_t *)((const volatile char *)base + offset);
}

static inline void mmio_write32(volatile void *base, size_t offset, uint32_t v)
{
	*(volatile uint32_t *)((volatile char *)base + offset) = v;
}

/* ---- interrupts (arch: apic.c) ---- */
/*
 * A handler runs in the interrupt: interrupts off, nothing may sleep; usually it wakes a thread.
 * @name lives for ever, for /proc/machine. The end of the interrupt is signalled after it returns.
 * Threads and boot only.
 */
struct msi {
	uint64_t address; /* what the device must write, and where */
	uint32_t data;
	unsigned vector;
};
/* A vector of its own for messages of a device. 0, -ENOSPC. */
int irq_alloc_msi(void (*fn)(void *), void *arg, const char *name, struct msi *out);
/* Interrupt @irq of the ISA bus (1: keyboard, 4: first serial port), as the firmware's tables route
 * it. 0, -ENOSPC, -ENODEV: there is no such wire. */
int irq_bind_isa(unsigned irq, void (*fn)(void *), void *arg, const char *name);

/* Busy waiting for hardware that answers within microseconds; at boot and in time-outs of registers
 * only. */
void udelay(unsigned microseconds);

/* Starts the drivers: consoles, PCI and the disks on it. Called once by a thread, before the root
 * file system is mounted. (drivers/native/start.c; machine->start_drivers) */
void native_drivers_start(void);

#endif
