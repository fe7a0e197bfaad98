/* SPDX-License-Identifier: MIT */
/*
 * What is said to a SATA disk: commands byte by byte as the specification has them, and what is
 * made of IDENTIFY data, right or random.
 * SOURCES: drivers/native/ata.c
 */
#include "test.h"

#include <mm.h>
#include "../../drivers/native/ata.h"

void *mmap(void *addr, unsigned long n, int prot, int flags, int fd, long offset);
void *memset(void *p, int c, unsigned long n);
int memcmp(const void *a, const void *b, unsigned long n);

#define PAGES 300ul

/* Pages in the direct map: the n-th has physical address n * PAGE_SIZE. */
static char *memory(void)
{
	static char *at;

	if (!at)
		at = mmap((void *)DIRECT_MAP, PAGES * PAGE_SIZE, 3, 0x100022, -1, 0);
	CHECK_EQ((unsigned long)at, DIRECT_MAP);
	return at;
}

static struct ahci_table *table(void)
{
	return (struct ahci_table *)memset(memory() + PAGE_SIZE, 0xa5, PAGE_SIZE);
}

TEST(a_command_byte_by_byte)
{
	static const uint8_t fis[20] = {0x27, 0x80, 0x25, 0x00, 0x56, 0x34, 0x12, 0x40, 0xbc, 0x9a,
					0x78, 0x00, 0x08, 0x01, 0,    0,    0,    0,    0,    0};
	struct ata_command c = ata_transfer(false, 0x789abc123456, 0x108, -1);
	struct ahci_table *t = table();
	struct ahci_header h;

	memset(&h, 0xa5, sizeof(h));
	ahci_command(&h, t, &c);
	CHECK(!memcmp(t->fis, fis, sizeof(fis)));
	CHECK_EQ(h.flags, 5);
	CHECK_EQ(h.nr_prds, 0);
	CHECK_EQ(h.moved, 0);
	CHECK_EQ(h.table, PAGE_SIZE);
}

TEST(queued_commands)
{
	static const uint8_t fis[20] = {0x27, 0x80, 0x61, 0x34, 1, 0, 0, 0x40, 0, 0,
					0,    0x12, 0xf8, 0,    0, 0, 0, 0,    0, 0};
	struct ata_command c = ata_transfer(true, 1, 0x1234, 31);
	struct ahci_table *t = table();
	struct ahci_header h = {0};

	ahci_command(&h, t, &c);
	CHECK(!memcmp(t->fis, fis, sizeof(fis)));
	CHECK_EQ(h.flags, 5 | AHCI_HEADER_WRITE);
	c = ata_transfer(false, 1, 65536, 0);
	CHECK_EQ(c.command, ATA_READ_QUEUED);
	CHECK_EQ(c.features, 0); /* 65536 */
	CHECK_EQ(c.count, 0);
	c = ata_transfer(true, 1, 65536, -1);
	CHECK_EQ(c.command, ATA_WRITE_DMA_EXT);
	CHECK_EQ(c.count, 0);
}

TEST(memory_as_it_lies)
{
	static struct block_vec vecs[AHCI_PRDS];
	struct block_request rq = {.vecs = vecs, .nr_vecs = AHCI_PRDS};
	struct ahci_table *t = table();
	struct ahci_header h = {0};

	for (unsigned i = 0; i < AHCI_PRDS; i++) {
		unsigned off = (unsigned)(test_random() % 8) * 512;

		vecs[i].va = memory() + (2 + i) * PAGE_SIZE + off;
		vecs[i].len = (1 + (uint32_t)test_random() % (8 - off / 512)) * 512;
	}
	ahci_data(&h, t, &rq);
	CHECK_EQ(h.nr_prds, AHCI_PRDS);
	for (unsigned i = 0; i < AHCI_PRDS; i++) {
		CHECK_EQ(t->prd[i].addr, (unsigned long)((char *)vecs[i].va - memory()));
		CHECK_EQ(t->prd[i].last, vecs[i].len - 1);
		CHECK_EQ(t->prd[i].reserved, 0);
	}
	ahci_scratch(&h, t, 512);
	CHECK_EQ(h.nr_prds, 1);
	CHECK_EQ(t->prd[0].addr, PAGE_SIZE + AHCI_SCRATCH);
	CHECK_EQ(t->prd[0].last, 511);
}

TEST(trim_lists)
{
	for (int round = 0; round < 2000; round++) {
		static uint64_t list[6 * 64 + 1];
		uint64_t lba = test_random() >> 20, left = 1 + test_random() % 40000000, at = lba;
		unsigned blocks = 1 + (unsigned)(test_random() % 6), used, n = 0;
		uint64_t named;

		memset(list, 0xa5, sizeof(list));
		named = ata_trim_list(list, blocks, lba, left, &used);
		CHECK(named > 0 && named <= left && used >= 1 && used <= blocks);
		CHECK(named == left || named == blocks * 64ul * 0xffff);
		for (; n < blocks * 64 && list[n] >> 48; n++) {
			CHECK_EQ(list[n] & 0xffffffffffff, at);
			at += list[n] >> 48;
		}
		CHECK_EQ(at, lba + named);
		CHECK_EQ((n + 63) / 64, used);
		for (; n < blocks * 64; n++) /* a range of no length is none */
			CHECK_EQ(list[n], 0);
		CHECK_EQ(list[blocks * 64], 0xa5a5a5a5a5a5a5a5);
	}
}

/* ---- IDENTIFY ---- */

static void put_text(uint16_t *w, const char *text, unsigned nr_words)
{
	for (unsigned i = 0; i < 2 * nr_words; i++) {
		uint8_t c = *text ? (uint8_t)*text++ : ' ';

		w[i / 2] = i % 2 ? (uint16_t)(w[i / 2] | c) : (uint16_t)(c << 8);
	}
}

static void good_disk(uint16_t w[256])
{
	memset(w, 0, 512);
	put_text(&w[10], "S3R1AL", 10);
	put_text(&w[23], "1.0", 4);
	put_text(&w[27], "A disk of some size", 20);
	w[75] = 31;
	w[76] = 0x100;
	w[83] = 0x4000 | 0x2000 | 0x0400;
	w[85] = 0x20;
	w[87] = 0x4000;
	w[100] = 0x5678;
	w[101] = 0x1234;
	w[105] = 8;
	w[169] = 1;
}

static void checksum(uint16_t w[256])
{
	uint8_t *b = (uint8_t *)w, sum = 0;

	w[255] = 0xa5;
	for (unsigned i = 0; i < 511; i++)
		sum = (uint8_t)(sum + b[i]);
	b[511] = (uint8_t)-sum;
}

TEST(a_good_disk)
{
	uint16_t w[256];
	struct ata_identity id;

	good_disk(w);
	CHECK_EQ(ata_identify(w, &id), 0);
	CHECK_STR(id.serial, "S3R1AL");
	CHECK_STR(id.firmware, "1.0");
	CHECK_STR(id.model, "A disk of some size");
	CHECK_EQ(id.sectors, 0x12345678);
	CHECK_EQ(id.sector, 512);
	CHECK_EQ(id.depth, 32);
	CHECK(id.cache);
	CHECK_EQ(id.trim_blocks, 8);
	checksum(w);
	CHECK_EQ(ata_identify(w, &id), 0);
	w[20] ^= 1;
	CHECK_EQ(ata_identify(w, &id), -EIO);
}

TEST(what_a_disk_may_lack)
{
	uint16_t w[256];
	struct ata_identity id;

	good_disk(w);
	w[76] = 0xffff; /* not SATA: the word says nothing */
	w[87] = 0;      /* nor does the one before it */
	w[105] = 0;
	CHECK_EQ(ata_identify(w, &id), 0);
	CHECK_EQ(id.depth, 0);
	CHECK(!id.cache);
	CHECK_EQ(id.trim_blocks, 1);
	w[169] = 0;
	w[105] = 8;
	CHECK_EQ(ata_identify(w, &id), 0);
	CHECK_EQ(id.trim_blocks, 0);
	w[106] = 0x5000; /* sectors of 4096 bytes */
	w[117] = 2048;
	CHECK_EQ(ata_identify(w, &id), 0);
	CHECK_EQ(id.sector, 4096);
	w[106] = 0x9000; /* not valid */
	CHECK_EQ(ata_identify(w, &id), 0);
	CHECK_EQ(id.sector, 512);
}

TEST(disks_that_cannot_be_used)
{
	static const uint16_t sizes[] = {0, 1, 255, 257, 300, 2049, 4096};
	uint16_t w[256];
	struct ata_identity id;

	good_disk(w);
	w[0] = 0x8580; /* a CD drive */
	CHECK_EQ(ata_identify(w, &id), -ENODEV);
	good_disk(w);
	w[83] = 0x4000; /* 28 bits only */
	CHECK_EQ(ata_identify(w, &id), -EOPNOTSUPP);
	good_disk(w);
	w[100] = w[101] = 0;
	CHECK_EQ(ata_identify(w, &id), -EIO);
	w[103] = 2;
	CHECK_EQ(ata_identify(w, &id), -EIO);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		good_disk(w);
		w[106] = 0x5000;
		w[117] = sizes[i];
		CHECK_EQ(ata_identify(w, &id), -EIO);
	}
}

TEST(random_identities)
{
	unsigned good = 0;

	for (int round = 0; round < 50000; round++) {
		uint16_t w[256];
		struct ata_identity id;

		if (test_random() % 2) {
			good_disk(w);
			for (unsigned n = test_random() % 8; n; n--)
				w[test_random() % 256] = (uint16_t)test_random();
		} else {
			for (unsigned i = 0; i < 256; i++)
				w[i] = (uint16_t)test_random();
		}
		if (ata_identify(w, &id))
			continue;
		good++;
		CHECK(id.sectors && id.sectors <= 1ull << 48);
		CHECK(id.sector >= 512 && id.sector <= 4096 && !(id.sector & (id.sector - 1)));
		CHECK(id.depth <= 32);
		for (const char *c = id.model; *c; c++)
			CHECK(*c >= ' ' && *c < 0x7f);
	}
	CHECK(good > 1000);
}
