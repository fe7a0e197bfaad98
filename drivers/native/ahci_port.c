/* SPDX-License-Identifier: MIT */
/*
 * A SATA port: bringing it up, and putting it right.
 *
 * The port has two engines. One receives what the disk sends and puts it into memory (FIS receive);
 * the other takes commands from the list (start). Each has a switch and a light that says whether
 * it runs; they go on in that order and off in the other, and nothing that they use may be changed
 * before the light is out. Below is the link, whose state is in SSTS.
 *
 * After an error the command engine stands still and the disk waits to be asked. Stopping and
 * starting the engine is enough if one unqueued command failed. If queued ones were in flight, or
 * the link made the error, or the disk does not answer, the link is reset: the disk forgets all
 * that it was told, and says hello anew. Then IDENTIFY, because behind the link may be another disk
 * now. (The error log would say which queued command failed; sending each again by itself says it
 * too, and needs no log.)
 *
 * All of it takes milliseconds or, when a motor starts, seconds; so the port has a thread, which
 * the interrupt wakes.
 */
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "ahci.h"

#define ENGINE_SPAN (500 * NSEC_PER_MSEC)
#define LINK_SPAN NSEC_PER_SEC
#define READY_SPAN (30 * NSEC_PER_SEC) /* a motor may have to start */
#define IDENTIFY_SPAN (10 * NSEC_PER_SEC)
#define REPORT_SPAN NSEC_PER_SEC /* between two lines about errors; the block layer's say where */
#define MAJOR_SD 8
#define ALL_ONES (~0u)

static struct disk_family family = {.prefix = "sd", .major = MAJOR_SD};

/* Wait until (register & @mask) is @value. */
static bool await(struct ahci_port *p, unsigned reg, uint32_t mask, uint32_t value, ktime_t span)
{
	ktime_t deadline = clock_now() + span;

	while ((port_read(p, reg) & mask) != value) {
		if (clock_now() >= deadline)
			return false;
		disk_nap(NSEC_PER_MSEC);
	}
	return true;
}

static bool link_up(const struct ahci_port *p)
{
	return (port_read(p, PORT_SSTS) & SSTS_DET) == SSTS_DET_UP;
}

int ahci_port_stop(struct ahci_port *p)
{
	uint32_t cmd = port_read(p, PORT_CMD);
	bool ok;

	port_write(p, PORT_CMD, cmd & ~CMD_START);
	ok = await(p, PORT_CMD, CMD_RUNS, 0, ENGINE_SPAN);
	port_write(p, PORT_CMD, cmd & ~(CMD_START | CMD_FIS));
	ok &= await(p, PORT_CMD, CMD_FIS_RUNS, 0, ENGINE_SPAN);
	return ok ? 0 : -EIO;
}

/* COMRESET: held for a millisecond at least. */
static void link_reset(struct ahci_port *p)
{
	p->counts.resets++;
	port_write(p, PORT_SCTL, SCTL_NO_SLEEP | SCTL_RESET);
	disk_nap(2 * NSEC_PER_MSEC);
	port_write(p, PORT_SCTL, SCTL_NO_SLEEP);
	await(p, PORT_SSTS, SSTS_DET, SSTS_DET_UP, LINK_SPAN);
}

static void forget_errors(struct ahci_port *p)
{
	port_write(p, PORT_SERR, ALL_ONES);
	port_write(p, PORT_IS, ALL_ONES);
}

/* IDENTIFY in slot 0, the only command; interrupts of the port are off. */
static int identify(struct ahci_port *p, struct ata_identity *id)
{
	struct ata_command c = {.command = ATA_IDENTIFY};
	struct ahci_table *table = p->slot[0].table;

	ahci_command(port_header(p, 0), table, &c);
	ahci_scratch(port_header(p, 0), table, ATA_BLOCK);
	memset((char *)table + AHCI_SCRATCH, 0, ATA_BLOCK);
	barrier();
	port_write(p, PORT_CI, 1);
	if (!await(p, PORT_CI, 1, 0, IDENTIFY_SPAN))
		return -ETIMEDOUT;
	if (port_read(p, PORT_TFD) & TFD_ERROR)
		return -EIO;
	return ata_identify((char *)table + AHCI_SCRATCH, id);
}

/*
 * Both engines on, and the disk says what it is. -ENODEV: there is none, or it is no disk (a CD
 * drive is left alone); -ETIMEDOUT: it does not get ready.
 */
static int bring_up(struct ahci_port *p, bool reset, struct ata_identity *id)
{
	port_write(p, PORT_CMD, CMD_ACTIVE | CMD_FIS | CMD_SPIN_UP | CMD_POWER);
	if (reset)
		link_reset(p);
	if (!link_up(p))
		return -ENODEV;
	forget_errors(p);
	if (!await(p, PORT_TFD, TFD_BUSY | TFD_DRQ, 0, READY_SPAN))
		return -ETIMEDOUT;
	if (port_read(p, PORT_SIG) != SIG_DISK)
		return -ENODEV;
	port_write(p, PORT_CMD, port_read(p, PORT_CMD) | CMD_START);
	return identify(p, id);
}

static void watch_for_disks(struct ahci_port *p)
{
	port_write(p, PORT_IE, IS_LINK | IS_CONNECT);
}

static int make_disk(struct ahci_port *p, const struct ata_identity *id)
{
	struct disk *disk = disk_make(&family, &ahci_driver);
	struct block_device *bd;

	if (!disk)
		return -ENOMEM;
	disk->owner = p;
	bd = &disk->bd;
	bd->size = id->sectors * id->sector;
	bd->sector = id->sector;
	bd->max_vecs = AHCI_PRDS;
	bd->can_flush = id->cache;
	bd->can_discard = id->trim_blocks;
	bd->discard_align = id->sector;
	p->id = *id;
	if (!(p->hba->cap & CAP_QUEUEING))
		p->id.depth = 0;
	p->depth = CAP_SLOTS(p->hba->cap);
	if (p->id.depth)
		p->depth = min(p->depth, p->id.depth);
	spin_lock(&p->lock);
	p->disk = disk;
	spin_unlock(&p->lock);
	printk("%s: %s, %lu MiB, %s, SATA port %u\n", bd->name, id->model, bd->size >> 20,
	       p->id.depth ? "queueing" : "no queueing", p->nr);
	return 0;
}

/* No disk any more, or none that works: all requests end with @err. */
static void detach(struct ahci_port *p, int err)
{
	struct disk *disk = p->disk;

	if (ahci_port_stop(p)) {
		/* It may still write to memory that is about to be somebody else's. */
		printk("ahci: port %u does not stop, the controller is cut off\n", p->nr);
		pci_enable(p->hba->pci, false);
	}
	ahci_queue_end(p, err);
	disk_remove(disk);
}

void ahci_port_attach(struct ahci_port *p)
{
	struct ata_identity id;
	int err = link_up(p) ? bring_up(p, false, &id) : -ENODEV;

	if (!err)
		err = make_disk(p, &id);
	if (err) {
		if (err != -ENODEV)
			printk("ahci: the disk at port %u cannot be used: %s\n", p->nr,
			       error_text(err));
		ahci_port_stop(p);
		/* It can still be told that something is plugged in. */
		port_write(p, PORT_CMD, CMD_FIS | CMD_SPIN_UP | CMD_POWER);
		forget_errors(p);
		watch_for_disks(p);
		return;
	}
	port_write(p, PORT_IS, ALL_ONES);
	port_write(p, PORT_IE, IS_WANTED);
	ahci_queue_start(p);
	if (disk_publish(p->disk))
		detach(p, -ENODEV);
}

static void report(struct ahci_port *p, unsigned why)
{
	const char *name = p->disk->bd.name;
	ktime_t now = clock_now();
	bool quiet = p->reported && now - p->reported < REPORT_SPAN;

	if (!quiet)
		p->reported = now;
	p->counts.errors += why & LOOK_ERROR;
	if (why & LOOK_TIMEOUT) {
		p->counts.timeouts++;
		printk("%s: the disk does not answer, its link is reset\n", name);
	} else if (why & LOOK_ERROR && !quiet) {
		printk("%s: the disk reports an error: status 0x%02x, error 0x%02x, %u commands in "
		       "flight\n",
		       name, p->task_file & 0xff, p->task_file >> 8 & 0xff, bits(p->busy));
	}
}

/* 0: the port works, and it is the same disk. */
static int recover(struct ahci_port *p, unsigned why)
{
	bool reset = why != LOOK_ERROR || p->queued;
	struct ata_identity id;
	int err;

	report(p, why);
	if (ahci_port_stop(p) || port_read(p, PORT_TFD) & (TFD_BUSY | TFD_DRQ))
		reset = true;
	err = bring_up(p, reset, &id);
	if (err)
		return err;
	if (id.sectors != p->id.sectors || strcmp(id.serial, p->id.serial) ||
	    strcmp(id.model, p->id.model))
		return -ENODEV;
	ahci_queue_sort(p, why);
	port_write(p, PORT_IS, ALL_ONES);
	port_write(p, PORT_IE, IS_WANTED);
	ahci_queue_start(p);
	return 0;
}

void ahci_port_thread(void *port)
{
	struct ahci_port *p = port;
	unsigned why;
	int err;

	for (;;) {
		spin_lock(&p->lock);
		while (!p->attention)
			sleep_on(&p->waitq, &p->lock, 0, KTIME_NEVER);
		why = p->attention;
		p->attention = 0;
		spin_unlock(&p->lock);
		err = p->disk ? recover(p, why) : 0;
		if (err)
			detach(p, link_up(p) && err != -ENODEV ? -EIO : -ENODEV);
		if (!p->disk)
			ahci_port_attach(p);
	}
}
