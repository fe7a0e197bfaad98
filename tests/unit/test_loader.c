/* SPDX-License-Identifier: MIT */
/*
 * What loaders leave in memory: both formats, cut short, and random bytes (reading ends, stays in
 * bounds, and nothing is longer than there is room for). --seed repeats a run.
 *
 * SOURCES: arch/native-x86_64/loader.c lib/string.c
 */
#include "../../arch/native-x86_64/native.h"
#include "test.h"

#include <string.h>

#define SIZE 4096
#define AT 64 /* physical address of the loader's information; 0 is none */
#define ROUNDS 20000
#define MULTIBOOT2 0x36d76289u
#define PVH 0x336ec578u

static unsigned char memory[SIZE] __attribute__((aligned(8)));
static struct loader_info found;

void *boot_va(uint64_t phys)
{
	CHECK(phys < SIZE);
	return memory + phys % SIZE;
}

static void put32(unsigned at, uint32_t v)
{
	memcpy(memory + at, &v, 4);
}

static void put64(unsigned at, uint64_t v)
{
	memcpy(memory + at, &v, 8);
}

static bool read_at(uint32_t magic)
{
	memset(&found, 0, sizeof(found));
	return loader_read(&found, magic, AT);
}

static void make_pvh(unsigned version)
{
	memset(memory, 0, SIZE);
	put32(AT, PVH);
	put32(AT + 4, version);
	put32(AT + 12, 1);
	put64(AT + 16, 512);  /* modules */
	put64(AT + 24, 600);  /* command line */
	put64(AT + 32, 4000); /* RSDP */
	put64(AT + 40, 1024); /* memory */
	put32(AT + 48, 3);
	put64(512, 0x800000);
	put64(520, 1234);
	strlcpy((char *)memory + 600, "root=sda quiet", 100);
	for (unsigned i = 0; i < 3; i++) {
		put64(1024 + 24 * i, i << 20);
		put64(1032 + 24 * i, 1 << 20);
		put32(1040 + 24 * i, i == 1 ? 2 : 1);
	}
}

TEST(pvh)
{
	make_pvh(1);
	CHECK(read_at(0));
	CHECK_EQ(strcmp(found.cmdline, "root=sda quiet"), 0);
	CHECK_EQ(found.module, 0x800000);
	CHECK_EQ(found.module_size, 1234);
	CHECK_EQ(found.rsdp, 4000);
	CHECK_EQ(found.nr_ranges, 3);
	CHECK(found.range[0].ram && !found.range[1].ram && found.range[2].start == 2 << 20);
}

TEST(pvh_without_a_memory_map)
{
	make_pvh(0);
	CHECK(read_at(0));
	CHECK_EQ(found.nr_ranges, 0);
}

TEST(what_is_neither)
{
	make_pvh(1);
	put32(AT, PVH + 1);
	CHECK(!read_at(0));
	CHECK(!loader_read(&found, 0, 0));
	CHECK(!loader_read(&found, MULTIBOOT2, 0));
}

/* A tag at @at; returns where the next one goes. */
static unsigned tag(unsigned at, uint32_t type, uint32_t size)
{
	put32(at, type);
	put32(at + 4, size);
	return (at + size + 7) & ~7u;
}

static void make_multiboot2(void)
{
	unsigned at = AT + 8, next;

	memset(memory, 0, SIZE);
	next = tag(at, 1, 8 + 9);
	strlcpy((char *)memory + at + 8, "root=sda", 100);
	at = next;
	next = tag(at, 3, 16 + 2);
	put32(at + 8, 0x800000);
	put32(at + 12, 0x800400);
	at = next;
	next = tag(at, 6, 16 + 2 * 24);
	put32(at + 8, 24);
	put64(at + 16, 0);
	put64(at + 24, 0x9f000);
	put32(at + 32, 1);
	put64(at + 40, 0x100000);
	put64(at + 48, 0x7f00000);
	put32(at + 56, 1);
	at = tag(next, 0, 8);
	put32(AT, at - AT);
}

TEST(multiboot2)
{
	make_multiboot2();
	CHECK(read_at(MULTIBOOT2));
	CHECK_EQ(strcmp(found.cmdline, "root=sda"), 0);
	CHECK_EQ(found.module, 0x800000);
	CHECK_EQ(found.module_size, 0x400);
	CHECK_EQ(found.nr_ranges, 2);
	CHECK_EQ(found.range[1].size, 0x7f00000);
}

TEST(ranges_beyond_all_addresses_are_left_out)
{
	memset(&found, 0, sizeof(found));
	loader_add_range(&found, ~0ull - 4096, 8192, true);
	loader_add_range(&found, 4096, 0, true);
	CHECK_EQ(found.nr_ranges, 0);
	for (unsigned i = 0; i < 2 * LOADER_RANGES; i++)
		loader_add_range(&found, (uint64_t)i << 20, 4096, true);
	CHECK_EQ(found.nr_ranges, LOADER_RANGES);
}

/* Whole information, then a few bytes of it anew; its total size stays what there is. */
TEST(damaged)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		make_multiboot2();
		for (unsigned n = 1 + test_random() % 8; n; n--)
			memory[AT + 8 + test_random() % 160] = (unsigned char)test_random();
		put32(AT, (uint32_t)(test_random() % (SIZE - AT)));
		CHECK(read_at(MULTIBOOT2));
		CHECK(found.nr_ranges <= LOADER_RANGES);
		CHECK(memchr(found.cmdline, 0, sizeof(found.cmdline)) != NULL);
	}
}
