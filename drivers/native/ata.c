/* SPDX-License-Identifier: MIT */
/*
 * Building AHCI's commands, and reading what a disk says of itself.
 *
 * A command is 20 bytes, a "register FIS", named after the registers that a disk of 1986 had for
 * it: command, features, count, block address, device. Its form grew: the address has a low and a
 * high half of three bytes each, and queued commands carry the count in the features and their
 * number in the count.
 *
 * Beside it stands the list of memory pieces, physical addresses and lengths; the controller reads
 * and writes there by itself. Compare a block request's segments on Xen's ring: a grant reference
 * where the address is here, so that the other side can reach this page and no other.
 *
 * IDENTIFY DEVICE gives 256 words with bits for everything that disks ever could. A word group is
 * valid if its top bits say so (01). What is believed is checked: sizes must make sense, and the
 * checksum, if there is one, must be right.
 */
#include "ata.h"
#include <mm.h>
#include <string.h>

_Static_assert(sizeof(struct ahci_header) == 32, "32 of them are 1 KiB");
_Static_assert(sizeof(struct ahci_table) == PAGE_SIZE, "a page");
_Static_assert(offsetof(struct ahci_table, prd[1]) <= AHCI_SCRATCH, "one piece of scratch data");

#define FIS_TO_DEVICE 0x27
#define FIS_COMMAND 0x80 /* a new command, not a reset */
#define DEVICE_LBA 0x40
#define TRIM 1
#define RANGE_MAX 0xffffu
#define RANGES (ATA_BLOCK / sizeof(uint64_t))
#define SECTORS_MAX (1ull << 48)

static uint64_t phys(const void *va)
{
	return va_pfn(va).v * PAGE_SIZE + (unsigned long)va % PAGE_SIZE;
}

struct ata_command ata_transfer(bool write, uint64_t lba, uint32_t sectors, int tag)
{
	struct ata_command c = {.lba = lba, .write = write};

	if (tag < 0) {
		c.command = write ? ATA_WRITE_DMA_EXT : ATA_READ_DMA_EXT;
		c.count = (uint16_t)sectors; /* 0 means 65536 */
	} else {
		c.command = write ? ATA_WRITE_QUEUED : ATA_READ_QUEUED;
		c.features = (uint16_t)sectors;
		c.count = (uint16_t)(tag << 3);
	}
	return c;
}

void ahci_command(struct ahci_header *header, struct ahci_table *table, const struct ata_command *c)
{
	uint8_t *fis = table->fis;

	memset(fis, 0, 20);
	fis[0] = FIS_TO_DEVICE;
	fis[1] = FIS_COMMAND;
	fis[2] = c->command;
	fis[3] = (uint8_t)c->features;
	fis[7] = DEVICE_LBA;
	for (unsigned i = 0; i < 3; i++) {
		fis[4 + i] = (uint8_t)(c->lba >> 8 * i);
		fis[8 + i] = (uint8_t)(c->lba >> 8 * (i + 3));
	}
	fis[11] = (uint8_t)(c->features >> 8);
	fis[12] = (uint8_t)c->count;
	fis[13] = (uint8_t)(c->count >> 8);
	header->flags = (uint16_t)(AHCI_HEADER_FIS | (c->write ? AHCI_HEADER_WRITE : 0));
	header->nr_prds = 0;
	header->moved = 0;
	header->table = phys(table);
}

void ahci_data(struct ahci_header *header, struct ahci_table *table, const struct block_request *rq)
{
	for (unsigned i = 0; i < rq->nr_vecs; i++) {
		table->prd[i].addr = phys(rq->vecs[i].va);
		table->prd[i].reserved = 0;
		table->prd[i].last = rq->vecs[i].len - 1;
	}
	header->nr_prds = (uint16_t)rq->nr_vecs;
}

void ahci_scratch(struct ahci_header *header, struct ahci_table *table, uint32_t len)
{
	table->prd[0].addr = phys(table) + AHCI_SCRATCH;
	table->prd[0].reserved = 0;
	table->prd[0].last = len - 1;
	header->nr_prds = 1;
}

uint64_t ata_trim_list(uint64_t *list, unsigned blocks, uint64_t lba, uint64_t sectors,
		       unsigned *used)
{
	uint64_t named = 0;
	unsigned n = 0;

	memset(list, 0, (size_t)blocks * ATA_BLOCK);
	for (; n < blocks * RANGES && named < sectors; n++) {
		uint64_t len = min(sectors - named, (uint64_t)RANGE_MAX);

		list[n] = (lba + named) | len << 48;
		named += len;
	}
	*used = DIV_ROUND_UP(n, (unsigned)RANGES);
	return named;
}

/* ---- IDENTIFY DEVICE ---- */

/* Text has two characters in a word, the first in the upper byte, and spaces at the end. */
static void text(char *to, const uint16_t *word, unsigned nr_words)
{
	unsigned n = 0, end = 0;

	for (; n < 2 * nr_words; n++) {
		char c = (char)(n % 2 ? word[n / 2] : word[n / 2] >> 8);

		to[n] = c >= ' ' && c < 0x7f ? c : ' ';
		if (to[n] != ' ')
			end = n + 1;
	}
	to[end] = 0;
}

/* A word whose top bits say that the rest of it means something. */
static uint16_t valid(uint16_t word)
{
	return (word & 0xc000) == 0x4000 ? word : 0;
}

static bool checksum_ok(const uint8_t *data)
{
	uint8_t sum = 0;

	if (data[510] != 0xa5)
		return true; /* there is none */
	for (unsigned i = 0; i < ATA_BLOCK; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum == 0;
}

/* What it offers beyond reading and writing. */
static void features(const uint16_t *w, struct ata_identity *id)
{
	if (w[76] != 0xffff && w[76] & 0x100)
		id->depth = (w[75] & 31u) + 1;
	/* It can flush (83), and has a cache that is on (85, valid if 87 is). */
	id->cache = valid(w[83]) & 0x2000 && valid(w[87]) && w[85] & 0x20;
	if (w[169] & 1)
		id->trim_blocks = w[105] && w[105] != 0xffff ? w[105] : 1;
}

int ata_identify(const void *data, struct ata_identity *id)
{
	uint16_t w[ATA_BLOCK / 2];

	memcpy(w, data, sizeof(w));
	*id = (struct ata_identity){.sector = SECTOR_SIZE};
	if (w[0] & 0x8000)
		return -ENODEV;
	if (!checksum_ok(data))
		return -EIO;
	if (!(valid(w[83]) & 0x0400))
		return -EOPNOTSUPP;
	text(id->serial, &w[10], 10);
	text(id->firmware, &w[23], 4);
	text(id->model, &w[27], 20);
	id->sectors = w[100] | (uint64_t)w[101] << 16 | (uint64_t)w[102] << 32 |
		      (uint64_t)w[103] << 48;
	if (valid(w[106]) & 0x1000) {
		uint32_t words = w[117] | (uint32_t)w[118] << 16;

		if (words < SECTOR_SIZE / 2 || words > PAGE_SIZE / 2 || words & (words - 1))
			return -EIO;
		id->sector = words * 2;
	}
	if (!id->sectors || id->sectors > SECTORS_MAX)
		return -EIO;
	features(w, id);
	return 0;
}
