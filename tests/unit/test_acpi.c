/* SPDX-License-Identifier: MIT */
/*
 * ACPI's tables: whole ones, old ones, damaged ones, and random ones. Each piece of memory that the
 * reader maps is a copy of its own, of exactly that length, so that the sanitizers see a read
 * beyond it. --seed repeats a run.
 *
 * SOURCES: arch/native-x86_64/acpi_tables.c
 */
#include "../../arch/native-x86_64/acpi_tables.h"
#include "test.h"

#include <printk.h>
#include <string.h>

/* Not <stdlib.h>: its types are not the kernel's. */
void *malloc(size_t size);
void free(void *p);
void abort(void) __noreturn;

#define BASE 0xe0000u
#define SIZE 0x4000u
#define FUZZ 20000
#define MAPPED_MAX 512

/* Where things are put, from BASE on. */
#define RSDP 0x100
#define RSDT 0x200
#define XSDT 0x300
#define MADT 0x400
#define FADT 0x800
#define DSDT 0xa00
#define DSDT_SIZE 0x100
#define FADT_SIZE 268
#define AML (DSDT + 80) /* the bytes of \_S5 */

static uint8_t mem[SIZE];
static void *mapped[MAPPED_MAX];
static unsigned nr_mapped, sentences;
static struct acpi_info info;

void printk(const char *fmt, ...)
{
	sentences++;
}

const void *acpi_map(uint64_t phys, size_t len)
{
	void *copy;

	if (phys < BASE || phys - BASE > SIZE || len > SIZE - (phys - BASE))
		return NULL;
	copy = malloc(len);
	memcpy(copy, mem + (phys - BASE), len);
	if (nr_mapped == MAPPED_MAX)
		abort();
	return mapped[nr_mapped++] = copy;
}

static void unmap_all(void)
{
	while (nr_mapped)
		free(mapped[--nr_mapped]);
}

static void put16(unsigned at, uint16_t v)
{
	memcpy(mem + at, &v, 2);
}

static void put32(unsigned at, uint32_t v)
{
	memcpy(mem + at, &v, 4);
}

static void put64(unsigned at, uint64_t v)
{
	memcpy(mem + at, &v, 8);
}

/* Make the sum of @len bytes 0 by the one at @where. */
static void seal(unsigned at, unsigned len, unsigned where)
{
	uint8_t sum = 0;

	mem[where] = 0;
	for (unsigned i = 0; i < len; i++)
		sum += mem[at + i];
	mem[where] = -sum;
}

static void seal_table(unsigned at)
{
	uint32_t len;

	memcpy(&len, mem + at + 4, 4);
	if (len >= 10 && len <= SIZE - at)
		seal(at, len, at + 9);
}

static void seal_all(void)
{
	static const unsigned tables[] = {RSDT, XSDT, MADT, FADT, DSDT};

	seal(RSDP, 20, RSDP + 8);
	seal(RSDP, 36, RSDP + 32);
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		seal_table(tables[i]);
}

static void table(unsigned at, const char *signature, uint32_t len)
{
	memcpy(mem + at, signature, 4);
	put32(at + 4, len);
}

static unsigned madt_entry(unsigned at, unsigned type, unsigned len)
{
	mem[at] = type;
	mem[at + 1] = len;
	return at + len;
}

static void override(unsigned at, unsigned bus, unsigned irq, uint32_t input, unsigned flags)
{
	madt_entry(at, 2, 10);
	mem[at + 2] = bus;
	mem[at + 3] = irq;
	put32(at + 4, input);
	put16(at + 8, flags);
}

/* Two CPUs, one of them off; one I/O APIC; 0 goes to input 2; 9 is level, active low. */
static void make_madt(void)
{
	unsigned at = MADT + 44;

	put32(at + 4, 1);
	at = madt_entry(at, 0, 8);
	at = madt_entry(at, 0, 8);
	put32(at + 4, 0xfec01000);
	put32(at + 8, 0);
	at = madt_entry(at, 1, 12);
	override(at, 0, 0, 2, 0);
	override(at + 10, 0, 9, 9, 0xf);
	table(MADT, "APIC", at + 20 - MADT);
}

static void put_register(unsigned at, unsigned space, uint64_t address)
{
	mem[at] = space;
	put64(at + 4, address);
}

static void make_fadt(void)
{
	table(FADT, "FACP", FADT_SIZE);
	put32(FADT + 40, BASE + DSDT);
	put32(FADT + 48, 0xb2);
	mem[FADT + 52] = 2;
	put32(FADT + 64, 0x604);
	put32(FADT + 76, 0x608);
	mem[FADT + 108] = 0x32;
	put32(FADT + 112, 1 << 10 | 1 << 8);
	put_register(FADT + 116, ACPI_SPACE_PORT, 0xcf9);
	mem[FADT + 128] = 6;
	put_register(FADT + 184, ACPI_SPACE_PORT, 0x704);
}

static void make_dsdt(void)
{
	static const uint8_t s5[] = {0x08, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 1, 0, 0};

	memset(mem + DSDT, 0x70, DSDT_SIZE);
	table(DSDT, "DSDT", DSDT_SIZE);
	memcpy(mem + AML, s5, sizeof(s5));
	memcpy(mem + DSDT + 200, "QEMU0001", 9);
}

static void make_all(void)
{
	memset(mem, 0, sizeof(mem));
	memcpy(mem + RSDP, "RSD PTR ", 8);
	mem[RSDP + 15] = 2;
	put32(RSDP + 16, BASE + RSDT);
	put32(RSDP + 20, 36);
	put64(RSDP + 24, BASE + XSDT);
	table(RSDT, "RSDT", 36 + 8);
	put32(RSDT + 36, BASE + MADT);
	put32(RSDT + 40, BASE + FADT);
	table(XSDT, "XSDT", 36 + 16);
	put64(XSDT + 36, BASE + MADT);
	put64(XSDT + 44, BASE + FADT);
	make_madt();
	make_fadt();
	make_dsdt();
	seal_all();
}

static const char *read_all(void)
{
	const char *wrong;

	sentences = 0;
	wrong = acpi_read(BASE + RSDP, &info);
	unmap_all();
	return wrong;
}

static void check_whole(void)
{
	CHECK_EQ(info.nr_tables, 2);
	CHECK(info.madt);
	CHECK_EQ(info.nr_cpus, 1);
	CHECK_EQ(info.nr_ioapics, 1);
	CHECK_EQ(info.ioapic[0].address, 0xfec01000);
	CHECK_EQ(info.isa[0].input, 2);
	CHECK(!info.isa[0].level && !info.isa[0].active_low);
	CHECK_EQ(info.isa[9].input, 9);
	CHECK(info.isa[9].level && info.isa[9].active_low);
	CHECK_EQ(info.isa[4].input, 4);
	CHECK(info.fadt);
	CHECK_EQ(info.smi_command, 0xb2);
	CHECK_EQ(info.acpi_enable, 2);
	CHECK_EQ(info.pm1a_control, 0x604);
	CHECK_EQ(info.pm1b_control, 0x704);
	CHECK_EQ(info.pm_timer, 0x608);
	CHECK(info.pm_timer_32);
	CHECK_EQ(info.rtc_century, 0x32);
	CHECK(!info.rtc_absent);
	CHECK_EQ(info.reset.space, ACPI_SPACE_PORT);
	CHECK_EQ(info.reset.address, 0xcf9);
	CHECK_EQ(info.reset_value, 6);
	CHECK_EQ(info.sleep.space, ACPI_SPACE_NONE);
	CHECK(info.s5);
	CHECK_EQ(info.s5_type[0], 5);
	CHECK_EQ(info.s5_type[1], 1);
	CHECK(info.pvpanic);
}

TEST(whole_tables)
{
	make_all();
	CHECK(read_all() == NULL);
	CHECK_EQ(sentences, 0);
	check_whole();
}

TEST(the_first_version_has_an_rsdt_only)
{
	make_all();
	mem[RSDP + 15] = 0;
	put64(RSDP + 24, ~0ul); /* not there in that version */
	seal(RSDP, 20, RSDP + 8);
	CHECK(read_all() == NULL);
	check_whole();
}

TEST(a_damaged_xsdt_is_replaced_by_the_rsdt)
{
	make_all();
	mem[XSDT + 20]++;
	CHECK(read_all() == NULL);
	CHECK_EQ(sentences, 1);
	check_whole();
}

TEST(damaged_roots_are_told)
{
	make_all();
	mem[RSDP]++;
	CHECK(read_all() != NULL);
	make_all();
	mem[RSDT + 20]++;
	mem[XSDT + 20]++;
	CHECK(read_all() != NULL);
	CHECK_EQ(info.nr_tables, 0);
	CHECK_EQ(info.nr_ioapics, 1); /* the PC's usual one */
	CHECK(acpi_read(0x1000, &info) != NULL);
	CHECK(acpi_read(~0ul, &info) != NULL);
}

TEST(a_damaged_table_is_left_out_alone)
{
	make_all();
	mem[MADT + 30]++;
	CHECK(read_all() == NULL);
	CHECK(!info.madt);
	CHECK_EQ(info.ioapic[0].address, 0xfec00000);
	CHECK(info.fadt && info.s5);

	make_all();
	mem[DSDT + 30]++;
	CHECK(read_all() == NULL);
	CHECK(info.fadt && info.madt && !info.s5);
}

TEST(impossible_lengths)
{
	static const uint32_t lengths[] = {0, 35, SIZE, 1u << 20, (1u << 20) + 1, ~0u};

	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		make_all();
		put32(MADT + 4, lengths[i]);
		seal_table(MADT);
		CHECK(read_all() == NULL);
		CHECK(!info.madt);
		CHECK_EQ(sentences, 1);
	}
}

TEST(madt_entries_that_do_not_fit)
{
	make_all();
	mem[MADT + 44 + 1] = 0;
	seal_table(MADT);
	CHECK(read_all() == NULL);
	CHECK_EQ(info.nr_ioapics, 0);
	CHECK_EQ(info.nr_cpus, 1);

	make_all();
	mem[MADT + 44 + 8 + 1] = 200;
	seal_table(MADT);
	CHECK(read_all() == NULL);
	CHECK_EQ(sentences, 1);
	CHECK_EQ(info.nr_ioapics, 0);
}

TEST(overrides_of_other_buses_are_not_ours)
{
	make_all();
	override(MADT + 72, 1, 0, 5, 0);
	override(MADT + 82, 0, 16, 5, 0);
	seal_table(MADT);
	CHECK(read_all() == NULL);
	CHECK_EQ(sentences, 2);
	for (unsigned i = 0; i < ISA_IRQS; i++)
		CHECK_EQ(info.isa[i].input, i);
}

/* What lies behind the end of a short table counts as not there. */
TEST(fadt_of_every_length)
{
	for (unsigned len = 36; len <= FADT_SIZE; len++) {
		make_all();
		put32(FADT + 4, len);
		seal_table(FADT);
		CHECK(read_all() == NULL);
		CHECK_EQ(info.s5, len >= 44);
		CHECK_EQ(info.pm1a_control, len >= 68 ? 0x604 : 0);
		CHECK_EQ(info.pm1b_control, len >= 196 ? 0x704 : 0);
		CHECK_EQ(info.rtc_century, len > 108 ? 0x32 : 0);
		CHECK_EQ(info.reset.space, len > 128 ? ACPI_SPACE_PORT : ACPI_SPACE_NONE);
	}
}

TEST(ports_that_are_none)
{
	make_all();
	put32(FADT + 64, 0x10604);
	put_register(FADT + 116, ACPI_SPACE_PORT, 0x10000);
	put_register(FADT + 208, ACPI_SPACE_MEMORY, 0xfed00000);
	seal_table(FADT);
	CHECK(read_all() == NULL);
	CHECK_EQ(info.pm1a_control, 0);
	CHECK_EQ(info.reset.space, ACPI_SPACE_NONE);
	CHECK_EQ(info.pm_timer, 0x608);
}

TEST(hardware_reduced)
{
	make_all();
	put32(FADT + 112, 1 << 20 | 1 << 10);
	put_register(FADT + 244, ACPI_SPACE_MEMORY, 0xfea00010);
	seal_table(FADT);
	CHECK(read_all() == NULL);
	CHECK_EQ(info.pm1a_control, 0);
	CHECK_EQ(info.pm_timer, 0);
	CHECK_EQ(info.sleep.space, ACPI_SPACE_MEMORY);
	CHECK_EQ(info.sleep.address, 0xfea00010);
}

static bool s5_of(const void *bytes, unsigned n, unsigned at)
{
	make_all();
	memset(mem + DSDT + 36, 0x70, DSDT_SIZE - 36);
	memcpy(mem + at, bytes, n);
	seal_table(DSDT);
	CHECK(read_all() == NULL);
	return info.s5;
}

TEST(spellings_of_s5)
{
	CHECK(s5_of("\x08_S5_\x12\x04\x02\x00\x00", 10, AML));
	CHECK_EQ(info.s5_type[0], 0);
	CHECK(s5_of("\x08\\_S5_\x12\x06\x04\x01\x0a\x07\x00", 12, AML));
	CHECK_EQ(info.s5_type[0], 1);
	CHECK_EQ(info.s5_type[1], 7);
	CHECK(s5_of("\x08_S5_\x12\x47\x00\x02\x0a\x06\x0a\x06", 13, AML)); /* length in two bytes */
	CHECK_EQ(info.s5_type[1], 6);
	/* At the very end of the table, whole and one byte short. */
	CHECK(s5_of("\x08_S5_\x12\x04\x02\x01\x01", 10, DSDT + DSDT_SIZE - 10));
	CHECK(!s5_of("\x08_S5_\x12\x04\x02\x01", 9, DSDT + DSDT_SIZE - 9));
	CHECK(!s5_of("\x08_S5_", 5, DSDT + DSDT_SIZE - 5));
	CHECK(!s5_of("\x08_S5_\x12\xc4", 7, DSDT + DSDT_SIZE - 7));
	/* A mention is not a definition. */
	CHECK(!s5_of("\x70_S5_\x12\x04\x02\x00\x00", 10, AML));
	CHECK(!s5_of("\x08_S5_\x11\x04\x02\x00\x00", 10, AML));
	CHECK(!s5_of("\x08_S5_\x12\x04\x01\x00\x00", 10, AML));         /* one element */
	CHECK(!s5_of("\x08_S5_\x12\x06\x02\x0a\x08\x0a\x00", 12, AML)); /* more than three bits */
	CHECK(!s5_of("\x08_S5_\x12\x06\x02\x0b\x05\x00\x00", 12, AML)); /* two-byte integers */
}

TEST(the_root_pointer_is_searched)
{
	make_all();
	CHECK_EQ(acpi_search_rsdp(BASE, SIZE), BASE + RSDP);
	CHECK_EQ(acpi_search_rsdp(BASE, RSDP + 20), BASE + RSDP);
	CHECK_EQ(acpi_search_rsdp(BASE, RSDP + 19), 0);
	CHECK_EQ(acpi_search_rsdp(BASE, 0), 0);
	CHECK_EQ(acpi_search_rsdp(0x1000, SIZE), 0);
	mem[RSDP + 9]++;
	CHECK_EQ(acpi_search_rsdp(BASE, SIZE), 0);
	unmap_all();
}

/* More tables than are remembered. */
TEST(a_long_root_table)
{
	make_all();
	table(XSDT, "XSDT", 36 + 8 * 10);
	for (unsigned i = 0; i < 10; i++)
		put64(XSDT + 36 + 8 * i, BASE + MADT);
	seal_table(XSDT);
	CHECK(read_all() == NULL);
	CHECK_EQ(info.nr_tables, 10);
	memmove(mem + 0x2000, mem + XSDT, 36);
	put64(RSDP + 24, BASE + 0x2000);
	seal(RSDP, 36, RSDP + 32);
	table(0x2000, "XSDT", 36 + 8 * 200);
	for (unsigned i = 0; i < 200; i++)
		put64(0x2000 + 36 + 8 * i, BASE + FADT);
	seal_table(0x2000);
	CHECK(read_all() == NULL);
	CHECK_EQ(info.nr_tables, ACPI_TABLES);
	CHECK(info.fadt);
}

/* Whatever it says, what comes out is within its bounds. */
static void check_bounds(void)
{
	CHECK(info.nr_tables <= ACPI_TABLES);
	CHECK(info.nr_ioapics <= ACPI_IOAPICS);
	CHECK(info.nr_cpus >= 1);
	CHECK(info.s5_type[0] <= 7 || !info.s5);
	CHECK(info.s5_type[1] <= 7 || !info.s5);
	CHECK(info.rtc_century < 128);
	CHECK(info.reset.space != ACPI_SPACE_PORT || info.reset.address < 0x10000);
	CHECK(info.sleep.space != ACPI_SPACE_PORT || info.sleep.address < 0x10000);
}

TEST(random_damage)
{
	static const unsigned places[] = {RSDP, RSDT, XSDT, MADT, MADT + 44, FADT, FADT + 100, AML};
	unsigned told = 0;

	for (unsigned i = 0; i < FUZZ; i++) {
		make_all();
		for (unsigned n = 1 + test_random() % 6; n > 0; n--) {
			unsigned at = places[test_random() % ARRAY_SIZE(places)] +
				      test_random() % 128;

			mem[at] = test_random() % 4 ? test_random()
						    : (uint8_t[]){0, 1, 0x7f, 0xff}[n % 4];
		}
		if (test_random() % 8)
			seal_all();
		told += read_all() != NULL || sentences;
		check_bounds();
	}
	CHECK(told > FUZZ / 50); /* the damage reaches what is checked */
}
