/* SPDX-License-Identifier: MIT */
/*
 * What is said to a SATA disk, as bytes: commands, where the data is, what the disk says of itself.
 * No registers, no locks: tests/unit/test_ahci.c runs it on the host. Specifications: ATA/ATAPI
 * Command Set 3 (commands, IDENTIFY DEVICE), Serial ATA AHCI 1.3.1, chapter 4 (structures).
 */
#ifndef NATIVE_ATA_H
#define NATIVE_ATA_H

#include <block.h>

/* ---- AHCI's structures in memory ---- */

/* An entry of the command list. */
struct ahci_header {
	uint16_t flags; /* AHCI_HEADER_* and the command's length in units of 4 bytes */
	uint16_t nr_prds;
	volatile uint32_t moved; /* bytes; the controller counts */
	uint64_t table;          /* physical address */
	uint32_t reserved[4];
};
#define AHCI_HEADER_FIS 5u /* the command is 20 bytes */
#define AHCI_HEADER_WRITE 0x40u

/* A piece of memory. */
struct ahci_prd {
	uint64_t addr;
	uint32_t reserved;
	uint32_t last; /* bytes - 1, odd */
};

/* A command and where its data is: one page, so that each slot has its own. */
#define AHCI_PRDS 248u
struct ahci_table {
	uint8_t fis[64]; /* the command as it goes over the wire */
	uint8_t atapi[16];
	uint8_t reserved[48];
	struct ahci_prd prd[AHCI_PRDS];
};

/* What a command without data of the caller's sends or receives lies in the unused part of its
 * page. */
#define AHCI_SCRATCH 1024u /* offset */
#define ATA_BLOCK 512u

/* ---- commands ---- */
#define ATA_READ_DMA_EXT 0x25
#define ATA_WRITE_DMA_EXT 0x35
#define ATA_READ_QUEUED 0x60
#define ATA_WRITE_QUEUED 0x61
#define ATA_FLUSH_EXT 0xea
#define ATA_DATA_SET 0x06 /* with feature 1: TRIM */
#define ATA_IDENTIFY 0xec

struct ata_command {
	uint8_t command;
	uint16_t features, count;
	uint64_t lba;
	bool write; /* data goes to the disk */
};

/* Reading or writing @sectors (up to 65536) from @lba on; @tag: queued, with that number; -1: not.
 */
struct ata_command ata_transfer(bool write, uint64_t lba, uint32_t sectors, int tag);
/* Fill in @table's command and @header; the data as set by one of the two below. */
void ahci_command(struct ahci_header *header, struct ahci_table *table,
		  const struct ata_command *c);
/* The data of @rq as it lies in memory (at most AHCI_PRDS pieces). */
void ahci_data(struct ahci_header *header, struct ahci_table *table,
	       const struct block_request *rq);
/* @len bytes in the table's own page. */
void ahci_scratch(struct ahci_header *header, struct ahci_table *table, uint32_t len);
/*
 * A list for TRIM in @list of @blocks times 64 entries: as much as fits of @sectors from @lba on.
 * Returns the sectors that it names; *@used: blocks filled.
 */
uint64_t ata_trim_list(uint64_t *list, unsigned blocks, uint64_t lba, uint64_t sectors,
		       unsigned *used);

/* ---- IDENTIFY DEVICE ---- */
struct ata_identity {
	char model[41], serial[21], firmware[9];
	uint64_t sectors;
	unsigned sector;      /* bytes */
	unsigned depth;       /* commands in flight by queueing (NCQ); 0: no queueing */
	bool cache;           /* writes go to a cache that a power cut empties */
	unsigned trim_blocks; /* of 64 ranges, in one command; 0: no TRIM */
};
/* @data: 256 words, little-endian. 0, -ENODEV: not an ATA disk; -EIO: nonsense; -EOPNOTSUPP: too
 * old to be addressed with 48 bits. */
int ata_identify(const void *data, struct ata_identity *id);

#endif
