/* SPDX-License-Identifier: MIT */
/*
 * Partition tables: whole ones, damaged ones, and random ones (reading ends, nothing lies outside
 * of the disk). --seed repeats a run.
 *
 * SOURCES: kernel/fs/partition.c
 */
#include "../../kernel/fs/partition.h"
#include "test.h"

#include <string.h>

#define SECTORS 2048u
#define FUZZ 20000

static unsigned char disk[SECTORS][512], page[2][512];
static struct partition out[PARTITIONS_MAX];
static unsigned reads;

static int read_disk(struct partition_disk *d, uint64_t sector, void *buf)
{
	reads++;
	if (sector >= SECTORS)
		return -EIO;
	memcpy(buf, disk[sector], 512);
	return 0;
}

static int read_table(void)
{
	struct partition_disk d = {.name = "disk",
				   .sector = 512,
				   .nr_sectors = SECTORS,
				   .read = read_disk,
				   .buf = page[0],
				   .head = page[1]};

	reads = 0;
	return partitions_read(&d, out);
}

static void put32(void *at, uint32_t v)
{
	memcpy(at, &v, 4);
}

static void put64(void *at, uint64_t v)
{
	memcpy(at, &v, 8);
}

static void mbr_entry(unsigned sector, unsigned i, unsigned type, uint32_t start, uint32_t size)
{
	unsigned char *e = disk[sector] + 446 + 16 * i;

	disk[sector][510] = 0x55;
	disk[sector][511] = 0xaa;
	e[4] = (unsigned char)type;
	put32(e + 8, start);
	put32(e + 12, size);
}

/* Two primary partitions, and three in an extended one. */
static void make_mbr(void)
{
	memset(disk, 0, sizeof(disk));
	mbr_entry(0, 0, 0x83, 64, 100);
	mbr_entry(0, 1, 0x82, 200, 50);
	mbr_entry(0, 3, 0x05, 1000, 900);
	mbr_entry(1000, 0, 0x83, 8, 100);
	mbr_entry(1000, 1, 0x05, 200, 100);
	mbr_entry(1200, 0, 0x83, 8, 50);
	mbr_entry(1200, 1, 0x05, 400, 100);
	mbr_entry(1400, 0, 0x83, 1, 10);
}

/* Once more, independent of the kernel's. */
static uint32_t crc(const unsigned char *p, size_t n)
{
	uint32_t table[256], c = ~0u;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int k = 0; k < 8; k++)
			table[i] = table[i] & 1 ? table[i] >> 1 ^ 0xedb88320 : table[i] >> 1;
	}
	while (n--)
		c = table[(c ^ *p++) & 255] ^ c >> 8;
	return ~c;
}

static void gpt_header(unsigned at, unsigned entries, unsigned other)
{
	unsigned char *h = disk[at];

	memcpy(h, "EFI PART", 8);
	put32(h + 8, 0x10000);
	put32(h + 12, 92);
	put64(h + 24, at);
	put64(h + 32, other);
	put64(h + 40, 34);
	put64(h + 48, SECTORS - 34);
	put64(h + 72, entries);
	put32(h + 80, 128);
	put32(h + 84, 128);
	put32(h + 88, crc(disk[entries], 128 * 128));
	put32(h + 16, 0);
	put32(h + 16, crc(h, 92));
}

static void make_gpt(void)
{
	memset(disk, 0, sizeof(disk));
	mbr_entry(0, 0, 0xee, 1, SECTORS - 1);
	for (unsigned i = 0; i < 128; i += 5) {
		unsigned char *e = disk[2] + 128 * i;

		memset(e, 0x11, 32);
		put64(e + 32, 40 + i * 10);
		put64(e + 40, 45 + i * 10);
	}
	memcpy(disk[SECTORS - 33], disk[2], 32 * 512);
	gpt_header(1, 2, SECTORS - 1);
	gpt_header(SECTORS - 1, SECTORS - 33, 1);
}

static void check_one(unsigned i, unsigned nr, uint64_t start, uint64_t size)
{
	CHECK_EQ(out[i].nr, nr);
	CHECK_EQ(out[i].start, start);
	CHECK_EQ(out[i].size, size);
}

TEST(no_table)
{
	memset(disk, 0, sizeof(disk));
	CHECK_EQ(read_table(), 0);
	mbr_entry(0, 0, 0x83, 64, 100);
	disk[0][446] = 0x33; /* the code of a boot sector */
	CHECK_EQ(read_table(), 0);
}

TEST(primary_and_logical)
{
	make_mbr();
	REQUIRE_EQ(read_table(), 5);
	check_one(0, 1, 64, 100);
	check_one(1, 2, 200, 50);
	check_one(2, 5, 1008, 100);
	check_one(3, 6, 1208, 50);
	check_one(4, 7, 1401, 10);
}

TEST(a_chain_that_leads_back)
{
	make_mbr();
	mbr_entry(1400, 1, 0x05, 200, 100);
	CHECK(read_table() >= 5);
	CHECK(reads < 100);
	make_mbr();
	mbr_entry(1400, 1, 0x05, 0, 100); /* to the first */
	CHECK_EQ(read_table(), 5);
	make_mbr();
	mbr_entry(1400, 1, 0x05, 0xfffffff0, 100);
	CHECK_EQ(read_table(), 5);
}

TEST(partitions_outside_are_left_out)
{
	make_mbr();
	mbr_entry(0, 0, 0x83, SECTORS - 10, 11);
	mbr_entry(0, 1, 0x83, 0xffffffff, 0xffffffff);
	REQUIRE_EQ(read_table(), 3);
	check_one(0, 5, 1008, 100);
}

TEST(gpt)
{
	make_gpt();
	REQUIRE_EQ(read_table(), 26);
	check_one(0, 1, 40, 6);
	check_one(25, 126, 40 + 1250, 6);
}

TEST(gpt_with_one_table_damaged)
{
	make_gpt();
	disk[1][20] ^= 1;
	CHECK_EQ(read_table(), 26);
	make_gpt();
	disk[5][100] ^= 1; /* the array */
	CHECK_EQ(read_table(), 26);
	make_gpt();
	disk[1][0] ^= 1;
	disk[SECTORS - 1][30] ^= 1;
	CHECK_EQ(read_table(), 0);
}

TEST(random_damage)
{
	for (unsigned i = 0; i < FUZZ; i++) {
		unsigned many = 1 + (unsigned)(test_random() >> 20) % 8;
		int n;

		if (i % 2)
			make_mbr();
		else
			make_gpt();
		while (many--) {
			static const unsigned short where[] = {0, 1, 2, 3, 1000, 1200, SECTORS - 1};
			unsigned r = (unsigned)(test_random() >> 20);
			unsigned char *s = disk[where[r % ARRAY_SIZE(where)]];

			if (r & 1 << 12)
				put32(s + (r >> 16) % 509, (uint32_t)(test_random() >> 16));
			else
				s[(r >> 16) % 512] ^= 1u << (r >> 8) % 8;
		}
		if (i % 4 == 0) { /* a liar knows the sum */
			put32(disk[1] + 16, 0);
			put32(disk[1] + 16, crc(disk[1], 92));
		}
		n = read_table();
		REQUIRE(n >= 0 && n <= PARTITIONS_MAX && reads < 700);
		for (int k = 0; k < n; k++)
			REQUIRE(out[k].start && out[k].size && out[k].start < SECTORS &&
				out[k].size <= SECTORS - out[k].start);
	}
}
