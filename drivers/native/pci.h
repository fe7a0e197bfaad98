/* SPDX-License-Identifier: MIT */
/*
 * PCI: the devices, what they are and where their registers are (walk.c), and what a driver needs
 * of the bus (pci.c). Specification: PCI Local Bus 3.0, chapter 6; PCI-to-PCI Bridge 1.2, 3.2.
 */
#ifndef NATIVE_PCI_H
#define NATIVE_PCI_H

#include <list.h>
#include <types.h>

/* The configuration space's registers. */
#define PCI_VENDOR 0x00
#define PCI_COMMAND 0x04
#define PCI_STATUS 0x06
#define PCI_CLASS 0x08 /* revision in the low byte */
#define PCI_HEADER 0x0e
#define PCI_BAR(n) (0x10u + 4 * (n))
#define PCI_BUSES 0x18 /* of a bridge: primary, secondary, subordinate */
#define PCI_CAPS 0x34

#define PCI_COMMAND_IO 0x001u
#define PCI_COMMAND_MEMORY 0x002u
#define PCI_COMMAND_MASTER 0x004u
#define PCI_COMMAND_NO_INTX 0x400u
#define PCI_STATUS_CAPS 0x10u
#define PCI_HEADER_MULTI 0x80u

#define PCI_CAP_MSI 0x05
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX 0x11

#define PCI_BARS 6u

/* A range of registers. Size 0: there is none; base 0: the firmware gave it no place. */
struct pci_bar {
	uint64_t base, size; /* ports or physical address; bytes */
	bool io;
};

struct pci_device {
	struct list link;
	uint16_t address; /* bus << 8 | device << 3 | function */
	uint16_t vendor, id;
	uint32_t class; /* class, subclass, interface: 0x010601 is AHCI */
	uint8_t revision;
	uint8_t bridge_to; /* the bus behind it; 0: no bridge */
	struct pci_bar bar[PCI_BARS];
	/* The driver's, once it has taken the device: */
	const char *driver;
	void *private;
	/* Lines about the device for /proc/pci; bytes. NULL: none. */
	size_t (*describe)(struct pci_device *dev, char *buf, size_t size);
	volatile void *msix; /* its table, once mapped */
};

/* ---- configuration space; any context. What is not there reads as ones. ---- */
uint32_t pci_config_read(uint16_t address, unsigned reg); /* @reg a multiple of 4 */
void pci_config_write(uint16_t address, unsigned reg, uint32_t v);
void pci_config_write16(uint16_t address, unsigned reg, uint16_t v); /* @reg a multiple of 2 */
static inline uint32_t pci_read32(const struct pci_device *dev, unsigned reg)
{
	return pci_config_read(dev->address, reg & ~3u);
}
static inline uint16_t pci_read16(const struct pci_device *dev, unsigned reg)
{
	return (uint16_t)(pci_read32(dev, reg) >> (reg & 2) * 8);
}
static inline uint8_t pci_read8(const struct pci_device *dev, unsigned reg)
{
	return (uint8_t)(pci_read32(dev, reg) >> (reg & 3) * 8);
}

/* ---- walk.c ---- */
/* Append all devices that there are to @devices; returns how many. Threads and boot. */
unsigned pci_walk(struct list *devices);
/* The capability @id behind the one at @after (0: the first): its place in the configuration space,
 * or 0. A list that runs in circles ends. */
unsigned pci_capability(const struct pci_device *dev, uint8_t id, unsigned after);
/* @len bytes at @offset of memory range @bar: their physical address, or 0 if the range is no
 * memory, has no place, or is shorter. */
uint64_t pci_bar_memory(const struct pci_device *dev, unsigned bar, uint64_t offset, uint64_t len);

/* ---- pci.c ---- */
void pci_start(void); /* finds the devices, makes /proc/pci */
/* The device behind @dev, or the first (NULL); NULL: no more. */
struct pci_device *pci_next(struct pci_device *dev);
/* Answer to loads and stores, and read and write memory; or none of it any more. */
void pci_enable(struct pci_device *dev, bool on);
/* Map registers, for ever. NULL: there are none, or no memory. */
volatile void *pci_map(struct pci_device *dev, unsigned bar, uint64_t offset, uint64_t len);
/*
 * Interrupt number @entry of the device calls @fn(@arg), on any of its CPUs (pc.h, irq_alloc_msi).
 * A device with MSI-X has several, one with MSI has number 0. A vector is for ever, so what @arg
 * points to is too. Threads and boot. 0, -ENOSPC, -EOPNOTSUPP: it has no such interrupt.
 */
int pci_interrupt(struct pci_device *dev, unsigned entry, void (*fn)(void *), void *arg,
		  const char *name);

#endif
