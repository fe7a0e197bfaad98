/* SPDX-License-Identifier: MIT */
/*
 * AHCI: the disk controller of a plain PC.
 *
 * The controller is a PCI device whose fifth BAR has its registers: some of its own, then 128 bytes
 * for each port, and at a port one disk. The rest is in memory. Each port is told two addresses:
 *
 *   command list   32 slots: flags, length, and the address of
 *                    a table: the command, and the list of memory pieces that its data is in
 *   received       what the disk sends: its registers after a command
 *
 * We give each port a page for both, and each slot a page for its table. A command is written
 * there, a bit set in the port's register CI, and some time later an interrupt says that the bit is
 * 0 again. No byte of data passes through the processor, and no instruction between the two is
 * ours: this is what a split driver's ring, grants and event channel stand for.
 *
 * Taking the controller over: the firmware may still be using it and is asked to stop (hand-off);
 * then a reset, so that nothing is left of what it did.
 */
#include "ahci.h"
#include <bootarg.h>
#include <mm.h>
#include <printk.h>

#define CLASS_AHCI 0x010601
#define AHCI_BAR 5
#define RESET_SPAN NSEC_PER_SEC
#define HANDOFF_SPAN (25 * NSEC_PER_MSEC)
#define HANDOFF_BUSY_SPAN (2 * NSEC_PER_SEC)
#define LINK_SPAN (10 * NSEC_PER_MSEC) /* who comes later is told by an interrupt */
#define ROUNDS_MAX 8

static bool await(struct ahci_hba *hba, unsigned reg, uint32_t bit, ktime_t span)
{
	ktime_t deadline = clock_now() + span;

	while (mmio_read32(hba->regs, reg) & bit) {
		if (clock_now() >= deadline)
			return false;
		disk_nap(NSEC_PER_MSEC);
	}
	return true;
}

/* The firmware lets go of the controller. It is a courtesy: the reset follows anyway. */
static void hand_off(struct ahci_hba *hba)
{
	if (!(mmio_read32(hba->regs, HBA_CAP2) & CAP2_HANDOFF))
		return;
	mmio_write32(hba->regs, HBA_BOHC, mmio_read32(hba->regs, HBA_BOHC) | BOHC_SYSTEM);
	if (!await(hba, HBA_BOHC, BOHC_FIRMWARE, HANDOFF_SPAN) &&
	    mmio_read32(hba->regs, HBA_BOHC) & BOHC_BUSY)
		await(hba, HBA_BOHC, BOHC_FIRMWARE, HANDOFF_BUSY_SPAN);
}

static int reset(struct ahci_hba *hba)
{
	hand_off(hba);
	mmio_write32(hba->regs, HBA_GHC, GHC_AHCI);
	mmio_write32(hba->regs, HBA_GHC, GHC_AHCI | GHC_RESET);
	if (!await(hba, HBA_GHC, GHC_RESET, RESET_SPAN))
		return -EIO;
	mmio_write32(hba->regs, HBA_GHC, GHC_AHCI);
	hba->cap = mmio_read32(hba->regs, HBA_CAP);
	return 0;
}

static void ahci_interrupt(void *arg)
{
	struct ahci_hba *hba = arg;
	uint32_t is;

	/* A message is sent when the first bit appears: look again until there is none. */
	for (unsigned i = 0; i < ROUNDS_MAX && (is = mmio_read32(hba->regs, HBA_IS)); i++) {
		for (uint32_t left = is; left; left &= left - 1) {
			struct ahci_port *p = hba->port[__builtin_ctz(left)];

			if (p)
				ahci_queue_interrupt(p);
		}
		mmio_write32(hba->regs, HBA_IS, is);
	}
}

static void *dma_page(void)
{
	struct page *pg = page_alloc(0, ALLOC_ZERO);

	return pg ? page_va(pg) : NULL;
}

static void port_free(struct ahci_port *p)
{
	for (unsigned i = 0; i < AHCI_SLOTS; i++)
		if (p->slot[i].table)
			page_free_pfn(va_pfn(p->slot[i].table));
	if (p->page)
		page_free_pfn(va_pfn(p->page));
	kfree(p);
}

/* Its memory. The port has been reset and is idle. */
static struct ahci_port *port_make(struct ahci_hba *hba, unsigned nr)
{
	struct ahci_port *p = kmalloc(sizeof(*p), ALLOC_ZERO);
	bool ok;

	if (!p)
		return NULL;
	p->hba = hba;
	p->nr = nr;
	p->regs = (volatile char *)hba->regs + HBA_PORTS + nr * HBA_PORT_SIZE;
	spin_init(&p->lock, "ahci");
	waitq_init(&p->waitq);
	list_init(&p->waiting);
	list_init(&p->again);
	ktimer_init(&p->watch);
	ok = (p->page = dma_page());
	for (unsigned i = 0; ok && i < CAP_SLOTS(hba->cap); i++)
		ok = (p->slot[i].table = dma_page());
	if (ok)
		return p;
	port_free(p);
	return NULL;
}

/* Tell the port its memory, and let the link come up. */
static void port_start(struct ahci_port *p)
{
	uint64_t phys = va_pfn(p->page).v * PAGE_SIZE;

	port_write(p, PORT_IE, 0);
	port_write(p, PORT_CLB, (uint32_t)(phys + AHCI_LIST));
	port_write(p, PORT_FB, (uint32_t)(phys + AHCI_RECEIVED));
	if (p->hba->cap & CAP_64) {
		port_write(p, PORT_CLB + 4, (uint32_t)(phys >> 32));
		port_write(p, PORT_FB + 4, (uint32_t)(phys >> 32));
	}
	port_write(p, PORT_SCTL, SCTL_NO_SLEEP);
	port_write(p, PORT_SERR, ~0u);
	port_write(p, PORT_CMD, CMD_ACTIVE | CMD_FIS | CMD_SPIN_UP | CMD_POWER);
}

static void ports_start(struct ahci_hba *hba)
{
	uint32_t present = mmio_read32(hba->regs, HBA_PI);

	for (unsigned i = 0; i < AHCI_PORTS; i++) {
		if (!(present & 1u << i) || HBA_PORTS + (i + 1) * HBA_PORT_SIZE > hba->size)
			continue;
		hba->port[i] = port_make(hba, i);
		if (hba->port[i])
			port_start(hba->port[i]);
		else
			printk("ahci: no memory for port %u\n", i);
	}
	disk_nap(LINK_SPAN);
	mmio_write32(hba->regs, HBA_IS, ~0u);
	mmio_write32(hba->regs, HBA_GHC, GHC_AHCI | GHC_INTERRUPTS);
	for (unsigned i = 0; i < AHCI_PORTS; i++) {
		struct ahci_port *p = hba->port[i];

		if (!p)
			continue;
		ahci_port_attach(p);
		if (!kthread_create("ahci", ahci_port_thread, p))
			printk("ahci: no memory for port %u's thread: errors stay\n", i);
	}
}

static size_t port_describe(struct ahci_port *p, char *buf, size_t size)
{
	const struct ahci_counts *c = &p->counts;
	size_t n = 0;

	spin_lock(&p->lock); /* the disk stays meanwhile */
	if (p->disk) {
		n = (size_t)snprintk(
			buf, size,
			"  %s: port %u, %s, serial %s, firmware %s, %lu sectors of %u, "
			"in flight %u, queueing %s, cache %s, trim %s\n",
			p->disk->bd.name, p->nr, p->id.model, p->id.serial, p->id.firmware,
			p->id.sectors, p->id.sector, p->depth, p->id.depth ? "yes" : "no",
			p->id.cache ? "yes" : "no", p->id.trim_blocks ? "yes" : "no");
		n += (size_t)snprintk(buf + n, size - n,
				      "    commands %lu queued %lu bytes %lu doorbells %lu "
				      "interrupts %lu errors %lu timeouts %lu resets %lu\n",
				      c->commands, c->queued, c->bytes, c->doorbells, c->interrupts,
				      c->errors, c->timeouts, c->resets);
	}
	spin_unlock(&p->lock);
	return n;
}

static size_t ahci_describe(struct pci_device *pci, char *buf, size_t size)
{
	struct ahci_hba *hba = pci->private;
	size_t n = 0;

	for (unsigned i = 0; i < AHCI_PORTS; i++)
		if (hba->port[i])
			n += port_describe(hba->port[i], buf + n, size - n);
	return n;
}

/* NULL, or why the controller cannot be used. */
static const char *hba_start(struct ahci_hba *hba)
{
	hba->size = min(hba->pci->bar[AHCI_BAR].size, (uint64_t)HBA_SIZE);
	hba->regs = pci_map(hba->pci, AHCI_BAR, 0, hba->size);
	if (!hba->regs || hba->size < HBA_PORTS)
		return "it has no registers";
	pci_enable(hba->pci, true);
	if (reset(hba))
		return "its reset does not end";
	if (!(hba->cap & CAP_64) && nr_pages > 1ul << 20)
		return "it reaches the first 4 GiB of memory only";
	if (pci_interrupt(hba->pci, 0, ahci_interrupt, hba, "ahci"))
		return "it cannot interrupt by messages";
	return NULL;
}

static void hba_make(struct pci_device *pci)
{
	struct ahci_hba *hba = kmalloc(sizeof(*hba), ALLOC_ZERO);
	const char *why = "no memory";

	if (hba) {
		hba->pci = pci;
		why = hba_start(hba);
	}
	if (why) {
		printk("ahci: the controller cannot be used: %s\n", why);
		return; /* what it has taken stays taken: an interrupt may still come */
	}
	pci->driver = "ahci";
	pci->private = hba;
	pci->describe = ahci_describe;
	ports_start(hba);
}

/* `ahci.timeout=SECONDS` */
static void read_args(void)
{
	char text[8];
	unsigned seconds = 0;

	if (!boot_arg("ahci.timeout", text, sizeof(text)))
		return;
	for (const char *c = text; *c >= '0' && *c <= '9'; c++)
		seconds = seconds * 10 + (unsigned)(*c - '0');
	if (seconds)
		ahci_timeout = seconds * NSEC_PER_SEC;
}

void ahci_start(void)
{
	read_args();
	for (struct pci_device *pci = pci_next(NULL); pci; pci = pci_next(pci))
		if (pci->class == CLASS_AHCI)
			hba_make(pci);
}
