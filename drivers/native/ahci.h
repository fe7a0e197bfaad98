/* SPDX-License-Identifier: MIT */
/*
 * An AHCI controller: its registers, and what ahci.c (controller and ports), ahci_port.c (errors,
 * disks that come and go) and ahci_queue.c (requests) share. Specification: Serial ATA AHCI 1.3.1,
 * chapter 3 (registers), 10 (what software does).
 */
#ifndef NATIVE_AHCI_H
#define NATIVE_AHCI_H

#include <pc.h>
#include <proc.h>
#include "ata.h"
#include "disk.h"
#include "pci.h"

/* ---- registers of the controller ---- */
#define HBA_CAP 0x00
#define HBA_GHC 0x04
#define HBA_IS 0x08 /* a bit for each port; writing ones clears, as in PORT_IS and PORT_SERR */
#define HBA_PI 0x0c /* ports that there are */
#define HBA_CAP2 0x24
#define HBA_BOHC 0x28
#define HBA_PORTS 0x100u
#define HBA_PORT_SIZE 0x80u
#define HBA_SIZE 0x1100u

#define CAP_SLOTS(cap) (((cap) >> 8 & 31) + 1)
#define CAP_STAGGERED (1u << 27)
#define CAP_QUEUEING (1u << 30)
#define CAP_64 (1u << 31)
#define GHC_RESET (1u << 0)
#define GHC_INTERRUPTS (1u << 1)
#define GHC_AHCI (1u << 31)
#define CAP2_HANDOFF (1u << 0)
#define BOHC_FIRMWARE (1u << 0)
#define BOHC_SYSTEM (1u << 1)
#define BOHC_BUSY (1u << 4)

/* ---- registers of a port ---- */
#define PORT_CLB 0x00 /* command list: physical address, low and high */
#define PORT_FB 0x08  /* received FISes */
#define PORT_IS 0x10
#define PORT_IE 0x14
#define PORT_CMD 0x18
#define PORT_TFD 0x20
#define PORT_SIG 0x24
#define PORT_SSTS 0x28
#define PORT_SCTL 0x2c
#define PORT_SERR 0x30
#define PORT_SACT 0x34 /* queued commands that the disk has not done */
#define PORT_CI                                                                          \
	0x38 /* commands that the controller has not done: writing a bit is the doorbell \
	      */

#define IS_REGISTERS (1u << 0)      /* the disk sent its registers: a command has ended */
#define IS_DEVICE_BITS (1u << 3)    /* queued commands have ended */
#define IS_CONNECT (1u << 6)        /* a disk was plugged in */
#define IS_LINK (1u << 22)          /* the link came up or went down */
#define IS_FATAL 0x38000000u        /* host bus, interface: the link must be reset */
#define IS_TASK_FILE (1u << 30)     /* the disk reports an error */
#define IS_OTHER_ERRORS 0x05800010u /* overflow, interface non-fatal, wrong port, unknown FIS */
#define IS_ERRORS (IS_FATAL | IS_TASK_FILE | IS_OTHER_ERRORS)
#define IS_WANTED (IS_REGISTERS | IS_DEVICE_BITS | IS_CONNECT | IS_LINK | IS_ERRORS)
#define CMD_START (1u << 0)
#define CMD_SPIN_UP (1u << 1)
#define CMD_POWER (1u << 2)
#define CMD_FIS (1u << 4)
#define CMD_FIS_RUNS (1u << 14)
#define CMD_RUNS (1u << 15)
#define CMD_ACTIVE (1u << 28) /* the link's power state: active */
#define CMD_ICC (15u << 28)
#define TFD_ERROR 0x01u
#define TFD_DRQ 0x08u
#define TFD_BUSY 0x80u
#define SIG_DISK 0x00000101u
#define SSTS_DET 15u
#define SSTS_DET_NONE 0u
#define SSTS_DET_UP 3u
#define SCTL_RESET 1u
#define SCTL_NO_SLEEP 0x300u /* the link never goes to sleep by itself */

#define AHCI_PORTS 32u
#define AHCI_SLOTS 32u

/* In the port's page; the controller is told the first two. */
#define AHCI_LIST 0u
#define AHCI_RECEIVED 1024u

enum ahci_state {
	AHCI_EMPTY, /* no disk, or none that we can use */
	AHCI_ONLINE,
	AHCI_RECOVERING, /* requests wait until the port's thread has put things right */
};

/* Why the port's thread is to look: bits of port->attention. */
#define LOOK_ERROR 1u
#define LOOK_FATAL 2u
#define LOOK_TIMEOUT 4u
#define LOOK_LINK 8u

struct ahci_slot {
	struct block_request *rq; /* NULL: free */
	struct ahci_table *table;
	ktime_t since;
	uint64_t sectors; /* that this command of a discard names */
};

struct ahci_counts {
	uint64_t commands, queued, bytes; /* queued: those by NCQ */
	uint64_t doorbells, interrupts;
	uint64_t errors, timeouts, resets;
};

struct ahci_port {
	struct ahci_hba *hba;
	unsigned nr;
	volatile void *regs;
	char *page;      /* AHCI_LIST, AHCI_RECEIVED */
	spinlock_t lock; /* order 5; of all that follows */
	enum ahci_state state;
	struct disk *disk; /* NULL: AHCI_EMPTY */
	struct ata_identity id;
	unsigned depth; /* commands in flight, at most */
	struct ahci_slot slot[AHCI_SLOTS];
	uint32_t busy;              /* slots in use */
	uint32_t queued;            /* those of them with queued commands */
	bool exclusive;             /* the one command in flight tolerates no other */
	uint32_t task_file;         /* when the last error came */
	struct list waiting, again; /* again: one by one, first */
	unsigned attention;
	struct waitq waitq; /* the thread's */
	ktime_t reported;   /* the thread's: the last line about an error */
	struct ktimer watch;
	bool watching;
	struct ahci_counts counts;
};

struct ahci_hba {
	struct pci_device *pci;
	volatile void *regs;
	size_t size; /* of regs */
	uint32_t cap;
	struct ahci_port *port[AHCI_PORTS];
};

static inline uint32_t port_read(const struct ahci_port *p, unsigned reg)
{
	return mmio_read32(p->regs, reg);
}
static inline void port_write(struct ahci_port *p, unsigned reg, uint32_t v)
{
	mmio_write32(p->regs, reg, v);
}
/* How many bits are set. */
static inline unsigned bits(uint32_t mask)
{
	unsigned n = 0;

	for (; mask; mask &= mask - 1)
		n++;
	return n;
}
static inline struct ahci_header *port_header(struct ahci_port *p, unsigned slot)
{
	return (struct ahci_header *)(p->page + AHCI_LIST) + slot;
}

/* ---- ahci_queue.c ---- */
extern const struct block_driver ahci_driver;
extern ktime_t ahci_timeout; /* of a command */
/* What the interrupt asks: takes what is done, sends what waits. */
void ahci_queue_interrupt(struct ahci_port *p);
/* The port is as new: from here on requests are sent. */
void ahci_queue_start(struct ahci_port *p);
/*
 * The port has stopped. Each command that was in flight is to be sent again, by itself, so that an
 * error says whose it is. Those that were by themselves have failed: -EIO. So have, with
 * LOOK_TIMEOUT in @why, those that took too long.
 */
void ahci_queue_sort(struct ahci_port *p, unsigned why);
/* All requests end with @err; no new ones are taken. */
void ahci_queue_end(struct ahci_port *p, int err);

/* ---- ahci_port.c ---- */
/* A disk's thread: errors, plugging. @port */
void ahci_port_thread(void *port);
/* Is there a disk that we can use? Then it gets a name. Boot, or the port's thread. */
void ahci_port_attach(struct ahci_port *p);
/* Commands and received FISes off: the port touches no memory. -EIO: it does not obey. */
int ahci_port_stop(struct ahci_port *p);

#endif
