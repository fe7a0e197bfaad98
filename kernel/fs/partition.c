/* SPDX-License-Identifier: MIT */
/*
 * Partition tables, of the two kinds that there are on PCs.
 *
 * MBR: sector 0 ends in 55 aa and has four entries (start and length in 32 bits: disks up to 2
 * TiB). One may be an "extended" partition: a chain of sectors like the first, each with a
 * partition
 * ("logical", numbered from 5) and a link to the next, whose place counts from the start of the
 * extended one. A damaged chain may lead anywhere, back too: only so many links are followed.
 *
 * GPT: the MBR has one entry of type ee over everything, so that old programs keep off. Sector 1
 * has a header, which says where the array of entries lies; header and array have checksums. The
 * last sector of the disk has another header, with an array of its own, for when the first is
 * damaged. (UEFI Specification 2.10, chapter 5.)
 */
#include "partition.h"

#include <printk.h>
#include <string.h>

#define MBR_TABLE 446
#define LINKS_MAX 60
#define GPT_HEADER 92 /* bytes of it that we know */
#define GPT_ENTRIES_MAX 1024

static uint32_t le32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t le64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The sum of Ethernet and zlib, a bit at a time: it is needed once for a disk. */
static uint32_t crc32(uint32_t crc, const unsigned char *p, size_t n)
{
	while (n--) {
		crc ^= *p++;
		for (unsigned i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return crc;
}

static bool take(struct partition_disk *disk, struct partition *out, int *n, unsigned nr,
		 uint64_t start, uint64_t size)
{
	if (!start || !size || start >= disk->nr_sectors || size > disk->nr_sectors - start) {
		printk("%s: partition %u is not on the disk: left out\n", disk->name, nr);
		return false;
	}
	if (*n == PARTITIONS_MAX)
		return false;
	out[(*n)++] = (struct partition){nr, start, size};
	return true;
}

/* ---- GPT ---- */

/* Check the entries against their checksum and take them; how many, or -1: damaged. */
static int gpt_entries(struct partition_disk *disk, const unsigned char *head,
		       struct partition *out)
{
	uint64_t at = le64(head + 72);
	uint32_t count = le32(head + 80), size = le32(head + 84), crc = ~0u;
	unsigned per;
	int n = 0;

	if (size < 128 || (size & (size - 1)) || size > disk->sector || count > GPT_ENTRIES_MAX)
		return -1;
	per = disk->sector / size;
	if (at >= disk->nr_sectors || DIV_ROUND_UP(count, per) > disk->nr_sectors - at)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		const unsigned char *e = (unsigned char *)disk->buf + i % per * size;

		if (i % per == 0 && disk->read(disk, at + i / per, disk->buf))
			return -1;
		crc = crc32(crc, e, size);
		if ((le64(e) | le64(e + 8)) && le64(e + 32) <= le64(e + 40))
			take(disk, out, &n, i + 1, le64(e + 32), le64(e + 40) - le64(e + 32) + 1);
	}
	return ~crc == le32(head + 88) ? n : -1;
}

/* By the header in sector @at; -1: damaged. */
static int gpt_read(struct partition_disk *disk, uint64_t at, struct partition *out)
{
	unsigned char *head = disk->head;
	uint32_t size, crc;

	if (at >= disk->nr_sectors || disk->read(disk, at, head) || memcmp(head, "EFI PART", 8) ||
	    le64(head + 24) != at)
		return -1;
	size = le32(head + 12);
	crc = le32(head + 16);
	if (size < GPT_HEADER || size > disk->sector)
		return -1;
	memset(head + 16, 0, 4);
	return ~crc32(~0u, head, size) == crc ? gpt_entries(disk, head, out) : -1;
}

static int gpt(struct partition_disk *disk, struct partition *out)
{
	int n = gpt_read(disk, 1, out);

	if (n >= 0)
		return n;
	n = gpt_read(disk, disk->nr_sectors - 1, out);
	printk("%s: GPT: the first table is damaged, %s\n", disk->name,
	       n < 0 ? "the second too: no partitions" : "the one at the end is used");
	return max(n, 0);
}

/* ---- MBR ---- */

struct mbr_entry {
	uint8_t status, chs1[3], type, chs2[3];
	uint32_t start, size;
};
_Static_assert(sizeof(struct mbr_entry) == 16, "MBR");

/* The four entries of a sector. False: it is something else. */
static bool mbr_entries(struct partition_disk *disk, uint64_t sector, struct mbr_entry e[4])
{
	const unsigned char *buf = disk->buf;

	if (sector >= disk->nr_sectors || disk->read(disk, sector, disk->buf) || buf[510] != 0x55 ||
	    buf[511] != 0xaa)
		return false;
	memcpy(e, buf + MBR_TABLE, 4 * sizeof(*e));
	for (unsigned i = 0; i < 4; i++)
		if (e[i].status & 0x7f) /* the boot sector of a file system */
			return false;
	return true;
}

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

static void logical(struct partition_disk *disk, uint64_t base, struct partition *out, int *n)
{
	uint64_t at = base;
	unsigned nr = 5;

	for (unsigned links = 0; links < LINKS_MAX; links++) {
		struct mbr_entry e[4];
		uint64_t next = 0;

		if (!mbr_entries(disk, at, e))
			break;
		for (unsigned i = 0; i < 4; i++) {
			if (is_extended(e[i].type))
				next = next ? next : base + e[i].start;
			else if (e[i].type && e[i].size)
				nr += take(disk, out, n, nr, at + e[i].start, e[i].size);
		}
		if (!next || next == base)
			return;
		at = next;
	}
	printk("%s: the chain of logical partitions is damaged\n", disk->name);
}

int partitions_read(struct partition_disk *disk, struct partition *out)
{
	uint64_t extended = 0;
	struct mbr_entry e[4];
	int n = 0;

	if (!mbr_entries(disk, 0, e))
		return 0;
	for (unsigned i = 0; i < 4; i++)
		if (e[i].type == 0xee)
			return gpt(disk, out);
	for (unsigned i = 0; i < 4; i++) {
		if (is_extended(e[i].type))
			extended = extended ? extended : e[i].start;
		else if (e[i].type && e[i].size)
			take(disk, out, &n, i + 1, e[i].start, e[i].size);
	}
	if (extended)
		logical(disk, extended, out, &n);
	return n;
}
