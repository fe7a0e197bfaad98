/* SPDX-License-Identifier: MIT */
/*
 * PCI on a PC: configuration space by two ports, interrupts by messages, and /proc/pci.
 *
 * Port 0xcf8 takes the address of a register, port 0xcfc is then that register: two accesses that
 * belong together, hence the lock. (Newer machines have the same space mapped as memory as well;
 * what we need of it is in both.)
 *
 * A device interrupts by a store: of a number that the interrupt controller gave out, to an address
 * that it listens to (pc.h: struct msi). MSI has one such pair in the configuration space, MSI-X a
 * table of them in a BAR. Compare an event channel, which is one number, and a hypercall instead of
 * the store.
 */
#include <fs.h>
#include <lock.h>
#include <mm.h>
#include <pc.h>
#include <printk.h>
#include <string.h>
#include "pci.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA 0xcfc
#define TEXT_SIZE (32ul << 10)

#define MSI_CONTROL 2
#define MSI_ADDRESS 4
#define MSI_ENABLE 0x0001u
#define MSI_COUNT 0x0070u /* messages that it may vary by the low bits: none */
#define MSI_WIDE 0x0080u
#define MSIX_TABLE 4
#define MSIX_ENABLE 0x8000u
#define MSIX_MASK_ALL 0x4000u
#define MSIX_ENTRY 16u

static spinlock_t config_lock = SPINLOCK("pci config");
static struct list devices = LIST_INIT(devices);

/* ---- configuration space ---- */

static void select(uint16_t address, unsigned reg)
{
	out32(PORT_ADDRESS, 1u << 31 | (uint32_t)address << 8 | (reg & 0xfc));
}

uint32_t pci_config_read(uint16_t address, unsigned reg)
{
	uint32_t v;

	spin_lock(&config_lock);
	select(address, reg);
	v = in32(PORT_DATA);
	spin_unlock(&config_lock);
	return v;
}

void pci_config_write(uint16_t address, unsigned reg, uint32_t v)
{
	spin_lock(&config_lock);
	select(address, reg);
	out32(PORT_DATA, v);
	spin_unlock(&config_lock);
}

void pci_config_write16(uint16_t address, unsigned reg, uint16_t v)
{
	spin_lock(&config_lock);
	select(address, reg);
	out16((uint16_t)(PORT_DATA + (reg & 2)), v);
	spin_unlock(&config_lock);
}

/* ---- for drivers ---- */

struct pci_device *pci_next(struct pci_device *dev)
{
	struct list *next = dev ? dev->link.next : devices.next;

	return next == &devices ? NULL : list_entry(next, struct pci_device, link);
}

void pci_enable(struct pci_device *dev, bool on)
{
	uint16_t bits = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	uint16_t command = pci_read16(dev, PCI_COMMAND) | PCI_COMMAND_NO_INTX;

	pci_config_write16(dev->address, PCI_COMMAND, on ? command | bits : command & ~bits);
}

volatile void *pci_map(struct pci_device *dev, unsigned bar, uint64_t offset, uint64_t len)
{
	uint64_t phys = pci_bar_memory(dev, bar, offset, len);

	return phys ? mmio_map(phys, len) : NULL;
}

/* ---- interrupts ---- */

static void msi_set(struct pci_device *dev, unsigned cap, const struct msi *msi)
{
	uint16_t control = pci_read16(dev, cap + MSI_CONTROL);
	unsigned data = cap + (control & MSI_WIDE ? 12 : 8);

	pci_config_write(dev->address, cap + MSI_ADDRESS, (uint32_t)msi->address);
	if (control & MSI_WIDE)
		pci_config_write(dev->address, cap + MSI_ADDRESS + 4,
				 (uint32_t)(msi->address >> 32));
	pci_config_write16(dev->address, data, (uint16_t)msi->data);
	pci_config_write16(dev->address, cap + MSI_CONTROL, (control & ~MSI_COUNT) | MSI_ENABLE);
}

static int msix_set(struct pci_device *dev, unsigned cap, unsigned entry, const struct msi *msi)
{
	uint16_t control = pci_read16(dev, cap + MSI_CONTROL);
	uint32_t table = pci_read32(dev, cap + MSIX_TABLE);
	size_t at = entry * MSIX_ENTRY;

	if (!dev->msix)
		dev->msix = pci_map(dev, table & 7, table & ~7u,
				    ((control & 0x7ffu) + 1) * MSIX_ENTRY);
	if (!dev->msix)
		return -EOPNOTSUPP;
	mmio_write32(dev->msix, at, (uint32_t)msi->address);
	mmio_write32(dev->msix, at + 4, (uint32_t)(msi->address >> 32));
	mmio_write32(dev->msix, at + 8, msi->data);
	mmio_write32(dev->msix, at + 12, 0); /* not masked */
	pci_config_write16(dev->address, cap + MSI_CONTROL,
			   (control & ~MSIX_MASK_ALL) | MSIX_ENABLE);
	return 0;
}

int pci_interrupt(struct pci_device *dev, unsigned entry, void (*fn)(void *), void *arg,
		  const char *name)
{
	unsigned msix = pci_capability(dev, PCI_CAP_MSIX, 0);
	unsigned cap = msix ? msix : pci_capability(dev, PCI_CAP_MSI, 0);
	unsigned last = msix ? pci_read16(dev, msix + MSI_CONTROL) & 0x7ffu : 0;
	struct msi msi;
	int err;

	if (!cap || entry > last)
		return -EOPNOTSUPP;
	err = irq_alloc_msi(fn, arg, name, &msi);
	if (err)
		return err;
	if (msix)
		return msix_set(dev, msix, entry, &msi);
	msi_set(dev, cap, &msi);
	return 0;
}

/* ---- /proc/pci ---- */

static const char *class_name(uint32_t class)
{
	static const struct {
		uint32_t class, mask;
		const char *name;
	} names[] = {
		{0x010601, 0xffffff, "AHCI controller"}, {0x010000, 0xff0000, "storage"},
		{0x020000, 0xff0000, "network"},         {0x030000, 0xff0000, "display"},
		{0x060000, 0xffff00, "host bridge"},     {0x060100, 0xffff00, "ISA bridge"},
		{0x060400, 0xffff00, "PCI bridge"},      {0x0c0300, 0xffff00, "USB controller"},
		{0x0c0500, 0xffff00, "SMBus"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if ((class & names[i].mask) == names[i].class)
			return names[i].name;
	return "device";
}

static size_t describe(struct pci_device *dev, char *buf, size_t size)
{
	size_t n = snprintk(buf, size, "%02x:%02x.%u %04x:%04x class %06x %s", dev->address >> 8,
			    dev->address >> 3 & 31, dev->address & 7, dev->vendor, dev->id,
			    dev->class, class_name(dev->class));

	if (dev->bridge_to)
		n += snprintk(buf + n, size - n, " to bus %02x", dev->bridge_to);
	n += snprintk(buf + n, size - n, ", driver %s\n", dev->driver ? dev->driver : "none");
	for (unsigned i = 0; i < PCI_BARS; i++)
		if (dev->bar[i].size)
			n += snprintk(buf + n, size - n, "  bar %u: %s 0x%lx size 0x%lx\n", i,
				      dev->bar[i].io ? "ports" : "memory", dev->bar[i].base,
				      dev->bar[i].size);
	if (dev->describe)
		n += dev->describe(dev, buf + n, size - n);
	return n;
}

static ssize_t read_pci(void *arg, uint64_t pos, char *buf, size_t size)
{
	char *text = kmalloc(TEXT_SIZE, 0);
	struct pci_device *dev = NULL;
	size_t n = 0;

	(void)arg;
	if (!text)
		return -ENOMEM;
	while ((dev = pci_next(dev)) && n < TEXT_SIZE)
		n += describe(dev, text + n, TEXT_SIZE - n);
	n = min(n, TEXT_SIZE);
	n = pos < n ? min(n - pos, size) : 0;
	memcpy(buf, text + pos, n);
	kfree(text);
	return (ssize_t)n;
}

void pci_start(void)
{
	static struct proc_file file = {.name = "pci", .mode = 0444, .read = read_pci};

	pci_walk(&devices);
	procfs_register(&file);
}
