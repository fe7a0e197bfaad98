/* SPDX-License-Identifier: MIT */
/*
 * Finding the devices on PCI.
 *
 * Each function of each device has 256 bytes of configuration space, addressed by bus, device and
 * function. One that is not there reads as all ones. Bus 0 is always there; others are behind
 * bridges, whose registers say which bus that is (the firmware has numbered them). Each bus is
 * looked at once, whatever the bridges say.
 *
 * The registers proper of a function are elsewhere: up to six base address registers (BARs) say
 * where. The low bits of a BAR are fixed and say what it is; of the address bits those can be set
 * that a range of its size may begin at: writing ones and reading back tells the size. Meanwhile
 * the device would answer at a wrong address, so its decoders are switched off.
 *
 * Under Xen none of this exists for an ordinary domain: devices are directories in xenstore.
 */
#include <mm.h>
#include "pci.h"

#define DEVICES_MAX 256u /* of one bus: 32, of 8 functions */
#define CAPS_MAX 48      /* more do not fit behind the header */

/* The size that the writable bits of a BAR mean; 0: they mean none. */
static uint64_t size_of(uint64_t writable)
{
	uint64_t size = ~writable + 1;

	return writable && !(size & (size - 1)) ? size : 0;
}

static uint32_t bar_mask(const struct pci_device *dev, unsigned n, uint32_t value)
{
	uint32_t mask;

	pci_config_write(dev->address, PCI_BAR(n), ~0u);
	mask = pci_config_read(dev->address, PCI_BAR(n));
	pci_config_write(dev->address, PCI_BAR(n), value);
	return mask;
}

/* Decode BAR @n; returns how many registers it takes. */
static unsigned read_bar(struct pci_device *dev, unsigned n)
{
	struct pci_bar *bar = &dev->bar[n];
	uint32_t low = pci_config_read(dev->address, PCI_BAR(n)), mask = bar_mask(dev, n, low);
	bool wide = !(low & 1) && (low & 6) == 4;
	uint64_t value, writable;

	if (low & 1) {
		*bar = (struct pci_bar){.base = low & 0xfffcu, .io = true};
		bar->size = size_of(mask & 0xfffcu ? (mask & ~3u) | ~0xffffull : 0);
		return 1;
	}
	if (wide && n + 1 == PCI_BARS)
		return 1; /* the upper half is missing */
	value = low & ~15u;
	writable = mask & ~15u ? (mask & ~15u) | ~0xffffffffull : 0;
	if (wide) {
		uint32_t high = pci_config_read(dev->address, PCI_BAR(n + 1));

		value |= (uint64_t)high << 32;
		writable = (uint64_t)bar_mask(dev, n + 1, high) << 32 | (mask & ~15u);
	}
	bar->size = size_of(writable);
	if (bar->size && !(value & (bar->size - 1)))
		bar->base = value;
	return wide ? 2 : 1;
}

static void read_bars(struct pci_device *dev)
{
	uint16_t command = pci_read16(dev, PCI_COMMAND);

	pci_config_write16(dev->address, PCI_COMMAND,
			   command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (unsigned n = 0; n < PCI_BARS;)
		n += read_bar(dev, n);
	pci_config_write16(dev->address, PCI_COMMAND, command);
}

/* The function at @address, or NULL: there is none, or no memory. */
static struct pci_device *look(uint16_t address)
{
	uint32_t id = pci_config_read(address, PCI_VENDOR), class;
	struct pci_device *dev;

	if ((id & 0xffff) == 0xffff || !(id & 0xffff))
		return NULL;
	dev = kmalloc(sizeof(*dev), ALLOC_ZERO);
	if (!dev)
		return NULL;
	class = pci_config_read(address, PCI_CLASS);
	dev->address = address;
	dev->vendor = (uint16_t)id;
	dev->id = (uint16_t)(id >> 16);
	dev->class = class >> 8;
	dev->revision = (uint8_t) class;
	switch (pci_read8(dev, PCI_HEADER) & 0x7f) {
	case 0:
		/* The processor's own view of memory is behind the host bridge: hands off. */
		if (dev->class >> 16 != 6)
			read_bars(dev);
		break;
	case 1:
		dev->bridge_to = pci_read8(dev, PCI_BUSES + 1);
		break;
	}
	return dev;
}

unsigned pci_walk(struct list *devices)
{
	uint8_t buses[256] = {0};
	bool seen[256] = {true};
	unsigned nr_buses = 1, found = 0;

	for (unsigned i = 0; i < nr_buses; i++) {
		for (unsigned n = 0; n < DEVICES_MAX; n++) {
			struct pci_device *dev = look((uint16_t)(buses[i] << 8 | n));

			if (dev) {
				list_add_tail(devices, &dev->link);
				found++;
			}
			if (dev && !seen[dev->bridge_to]) {
				seen[dev->bridge_to] = true;
				buses[nr_buses++] = dev->bridge_to;
			}
			/* Function 0 says whether there are others. */
			if (n % 8 == 0 && !(dev && pci_read8(dev, PCI_HEADER) & PCI_HEADER_MULTI))
				n += 7;
		}
	}
	return found;
}

unsigned pci_capability(const struct pci_device *dev, uint8_t id, unsigned after)
{
	unsigned at = PCI_CAPS;
	bool passed = !after;

	if (!(pci_read16(dev, PCI_STATUS) & PCI_STATUS_CAPS))
		return 0;
	at = pci_read8(dev, at) & ~3u;
	for (unsigned i = 0; i < CAPS_MAX && at >= 0x40; i++) {
		if (passed && pci_read8(dev, at) == id)
			return at;
		passed |= at == after;
		at = pci_read8(dev, at + 1) & ~3u;
	}
	return 0;
}

uint64_t pci_bar_memory(const struct pci_device *dev, unsigned bar, uint64_t offset, uint64_t len)
{
	const struct pci_bar *b = &dev->bar[bar < PCI_BARS ? bar : 0];

	if (bar >= PCI_BARS || b->io || !b->base || offset > b->size || len > b->size - offset)
		return 0;
	return b->base + offset;
}
