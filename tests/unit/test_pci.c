/* SPDX-License-Identifier: MIT */
/*
 * Finding PCI devices in a configuration space made here: as a PC has it, and of random bytes.
 * SOURCES: drivers/native/walk.c
 */
#include "test.h"

#include <mm.h>
#include "../../drivers/native/pci.h"

void *calloc(unsigned long n, unsigned long size);
void free(void *p);

/* A function: its 256 bytes, and which bits of its BARs can be set. */
struct function {
	uint16_t address;
	uint32_t space[64];
	uint32_t bar_mask[PCI_BARS];
	bool wild; /* every register reads as chance has it */
};

static struct function functions[16];
static unsigned nr_functions, reads, decoding_while_sized;

static struct function *at(uint16_t address)
{
	for (unsigned i = 0; i < nr_functions; i++)
		if (functions[i].address == address)
			return &functions[i];
	return NULL;
}

uint32_t pci_config_read(uint16_t address, unsigned reg)
{
	struct function *f = at(address);

	CHECK(reg < 256 && reg % 4 == 0);
	reads++;
	if (!f)
		return ~0u;
	return f->wild ? (uint32_t)test_random() : f->space[reg / 4];
}

void pci_config_write(uint16_t address, unsigned reg, uint32_t v)
{
	struct function *f = at(address);
	unsigned n = (reg - PCI_BAR(0)) / 4;

	CHECK(f && reg >= PCI_BAR(0) && n < PCI_BARS);
	if (!f)
		return;
	if (f->space[1] & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY))
		decoding_while_sized++;
	f->space[reg / 4] = (v & f->bar_mask[n]) | (f->space[reg / 4] & ~f->bar_mask[n]);
}

void pci_config_write16(uint16_t address, unsigned reg, uint16_t v)
{
	struct function *f = at(address);

	CHECK_EQ(reg, PCI_COMMAND);
	if (f)
		f->space[1] = (f->space[1] & 0xffff0000) | v;
}

static void reset(void)
{
	nr_functions = reads = decoding_while_sized = 0;
}

static struct function *add(uint16_t address, uint32_t id, uint32_t class)
{
	struct function *f = &functions[nr_functions++];

	*f = (struct function){.address = address};
	f->space[0] = id;
	f->space[1] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	f->space[2] = class << 8 | 7;
	return f;
}

static void bar(struct function *f, unsigned n, uint32_t value, uint32_t mask)
{
	f->space[4 + n] = value;
	f->bar_mask[n] = mask;
}

static void header(struct function *f, uint8_t type)
{
	f->space[3] |= (uint32_t)type << 16;
}

static unsigned walk(struct list *devices)
{
	list_init(devices);
	return pci_walk(devices);
}

static struct pci_device *first(struct list *devices)
{
	return list_first(devices, struct pci_device, link);
}

static void end(struct list *devices)
{
	while (!list_empty(devices)) {
		struct pci_device *dev = first(devices);

		list_del(&dev->link);
		kfree(dev);
	}
}

TEST(an_empty_bus)
{
	struct list devices;

	reset();
	CHECK_EQ(walk(&devices), 0);
	CHECK_EQ(reads, 32);
}

TEST(ranges_of_all_kinds)
{
	struct list devices;
	struct pci_device *dev;
	struct function *f;

	reset();
	f = add(0x00fa, 0x29228086, 0x010601);
	bar(f, 0, 0xc061, 0xffe0);         /* 32 ports, as QEMU has them */
	bar(f, 1, 0xfebd5000, 0xfffff000); /* 4 KiB */
	bar(f, 2, 0xfe00000c, 0xffffc000); /* 64 bits wide, prefetchable, 16 KiB */
	bar(f, 3, 0x00000012, 0xffffffff);
	bar(f, 4, 0x00000004, 0x00000000); /* 8 GiB, above 4 GiB */
	bar(f, 5, 0x00000200, 0xfffffffe);
	CHECK_EQ(walk(&devices), 0); /* function 2 without a function 0 is nobody */
	end(&devices);
	f->address = 0x00f8;
	CHECK_EQ(walk(&devices), 1);
	dev = first(&devices);
	CHECK_EQ(dev->vendor, 0x8086);
	CHECK_EQ(dev->id, 0x2922);
	CHECK_EQ(dev->class, 0x010601);
	CHECK_EQ(dev->revision, 7);
	CHECK(dev->bar[0].io && dev->bar[0].base == 0xc060 && dev->bar[0].size == 32);
	CHECK(!dev->bar[1].io && dev->bar[1].base == 0xfebd5000 && dev->bar[1].size == 0x1000);
	CHECK(dev->bar[2].base == 0x12fe000000 && dev->bar[2].size == 0x4000);
	CHECK_EQ(dev->bar[3].size, 0);
	CHECK(dev->bar[4].base == 0x20000000000 && dev->bar[4].size == 1ull << 33);
	/* Sized while it did not answer; then all is as before. */
	CHECK_EQ(decoding_while_sized, 0);
	CHECK_EQ(f->space[1], PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	CHECK_EQ(f->space[5], 0xfebd5000);
	CHECK_EQ(f->space[7], 0x12);

	CHECK_EQ(pci_bar_memory(dev, 1, 0xff0, 16), 0xfebd5ff0);
	CHECK_EQ(pci_bar_memory(dev, 1, 0xff0, 17), 0);
	CHECK_EQ(pci_bar_memory(dev, 1, ~0ull, 2), 0);
	CHECK_EQ(pci_bar_memory(dev, 0, 0, 4), 0); /* ports */
	CHECK_EQ(pci_bar_memory(dev, 3, 0, 4), 0); /* the upper half of another */
	CHECK_EQ(pci_bar_memory(dev, 6, 0, 4), 0);
	end(&devices);
}

TEST(ranges_that_cannot_be)
{
	struct list devices;
	struct pci_device *dev;
	struct function *f;

	reset();
	f = add(0x0008, 0x12345678, 0x010000);
	bar(f, 0, 0xfebd5000, 0xfff0f000); /* holes among the bits */
	bar(f, 1, 0, 0xfffff000);          /* the firmware gave it no place */
	bar(f, 5, 0x00000004, 0xfffff000); /* the upper half would be behind the last */
	CHECK_EQ(walk(&devices), 1);
	dev = first(&devices);
	CHECK_EQ(dev->bar[0].size, 0);
	CHECK(dev->bar[1].size == 0x1000 && dev->bar[1].base == 0);
	CHECK_EQ(pci_bar_memory(dev, 1, 0, 4), 0);
	CHECK_EQ(dev->bar[5].size, 0);
	end(&devices);
}

TEST(functions_and_bridges)
{
	struct list devices;
	struct function *f;

	reset();
	add(0x0000, 0x29c08086, 0x060000);
	f = add(0x00f8, 0x29188086, 0x060100);
	header(f, PCI_HEADER_MULTI);
	add(0x00fa, 0x29228086, 0x010601);
	f = add(0x0010, 0x000c1b36, 0x060400);
	header(f, 1);
	f->space[6] = 0x00020200; /* to bus 2 */
	f = add(0x0200, 0x000c1b36, 0x060400);
	header(f, 1);
	f->space[6] = 0x00030300; /* to bus 3 */
	f = add(0x0300, 0x10421af4, 0x010000);
	f = add(0x0301, 0x10421af4, 0x010000); /* function 0 does not say that there are more */
	CHECK_EQ(walk(&devices), 6);
	end(&devices);
}

TEST(bridges_in_a_circle)
{
	struct list devices;
	struct function *f;

	reset();
	f = add(0x0008, 0x000c1b36, 0x060400);
	header(f, 1);
	f->space[6] = 0x00010000 | 1 << 8;
	f = add(0x0100, 0x000c1b36, 0x060400);
	header(f, 1);
	f->space[6] = 1 << 8; /* to itself */
	f = add(0x0108, 0x000c1b36, 0x060400);
	header(f, 1); /* to bus 0 */
	CHECK_EQ(walk(&devices), 3);
	end(&devices);
}

static void capability(struct function *f, unsigned where, uint8_t id, uint8_t next)
{
	f->space[where / 4] = id | (uint32_t)next << 8;
}

TEST(capabilities)
{
	struct list devices;
	struct pci_device *dev;
	struct function *f;

	reset();
	f = add(0x0008, 0x10421af4, 0x010000);
	f->space[PCI_CAPS / 4] = 0x98;
	capability(f, 0x98, PCI_CAP_MSIX, 0x84);
	capability(f, 0x84, PCI_CAP_VENDOR, 0x70);
	capability(f, 0x70, PCI_CAP_VENDOR, 0x60 | 3); /* low bits are to be ignored */
	capability(f, 0x60, PCI_CAP_MSI, 0);
	CHECK_EQ(walk(&devices), 1);
	dev = first(&devices);
	CHECK_EQ(pci_capability(dev, PCI_CAP_MSIX, 0), 0); /* the status says that there are none */
	f->space[1] |= PCI_STATUS_CAPS << 16;
	CHECK_EQ(pci_capability(dev, PCI_CAP_MSIX, 0), 0x98);
	CHECK_EQ(pci_capability(dev, PCI_CAP_VENDOR, 0), 0x84);
	CHECK_EQ(pci_capability(dev, PCI_CAP_VENDOR, 0x84), 0x70);
	CHECK_EQ(pci_capability(dev, PCI_CAP_VENDOR, 0x70), 0);
	CHECK_EQ(pci_capability(dev, PCI_CAP_MSI, 0), 0x60);
	CHECK_EQ(pci_capability(dev, 0x10, 0), 0);
	/* A circle, and a pointer into the header, end. */
	capability(f, 0x60, PCI_CAP_MSI, 0x98);
	CHECK_EQ(pci_capability(dev, 0x10, 0), 0);
	capability(f, 0x60, PCI_CAP_MSI, 0x10);
	CHECK_EQ(pci_capability(dev, 0x10, 0), 0);
	end(&devices);
}

/* Whatever the registers say, it ends, and what is believed hangs together. */
static void random_round(void)
{
	struct list devices;
	struct pci_device *dev;
	unsigned n;

	reset();
	for (unsigned i = 0; i < 12; i++) {
		struct function *f = add((uint16_t)(test_random() % 4 << 8 | test_random() % 4 * 8),
					 (uint32_t)test_random() | 1, 0);

		for (unsigned k = 1; k < 64; k++)
			f->space[k] = (uint32_t)test_random();
		f->space[6] &= 0xffff03ff; /* buses near by */
		for (unsigned k = 0; k < PCI_BARS; k++)
			f->bar_mask[k] = test_random() % 2 ? (uint32_t)test_random()
							   : ~0u << test_random() % 32;
		f->wild = test_random() % 8 == 0;
	}
	n = walk(&devices);
	list_for_each (dev, &devices, link) {
		n--;
		for (unsigned k = 0; k < PCI_BARS; k++) {
			uint64_t size = dev->bar[k].size;

			CHECK(!(size & (size - 1)));
			CHECK(!size || dev->bar[k].base + size - 1 >= dev->bar[k].base);
			CHECK_EQ(pci_bar_memory(dev, k, size, 1), 0);
		}
		for (unsigned cap = 0, steps = 0; steps < 64; steps++) {
			cap = pci_capability(dev, (uint8_t)test_random(), cap);
			CHECK(cap == 0 || (cap >= 0x40 && cap <= 0xfc));
		}
	}
	CHECK_EQ(n, 0);
	end(&devices);
}

TEST(random_registers)
{
	for (int i = 0; i < 2000; i++)
		random_round();
}
