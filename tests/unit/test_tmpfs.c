/* SPDX-License-Identifier: MIT */
/*
 * Entries of a tmpfs directory: found, listed, removed; a listing that changes interrupt.
 *
 * SOURCES: kernel/fs/tmpfs_dir.c
 */
#include "test.h"

#include "../../kernel/fs/tmpfs_dir.h"

#include <mm.h>
#include <printk.h>
#include <string.h>

#define NAMES 3000

static struct tdir dir;
static bool present[NAMES];

static size_t name_of(unsigned n, char *buf)
{
	return snprintk(buf, 32, "name-%u", n);
}

static struct tdir_entry *find(unsigned n)
{
	char name[32];
	size_t len = name_of(n, name);

	return tdir_find(&dir, name, len);
}

static void add(unsigned n)
{
	char name[32];
	size_t len = name_of(n, name);

	REQUIRE(tdir_add(&dir, name, len, (void *)(uintptr_t)(n + 1)));
	present[n] = true;
}

static void drop(unsigned n)
{
	tdir_remove(&dir, find(n));
	present[n] = false;
}

TEST(names_are_compared_whole)
{
	tdir_init(&dir);
	REQUIRE(tdir_add(&dir, "ab", 2, &dir));
	CHECK(tdir_find(&dir, "ab", 2) != NULL);
	CHECK(tdir_find(&dir, "a", 1) == NULL);
	CHECK(tdir_find(&dir, "abc", 3) == NULL);
	CHECK(tdir_find(&dir, "abc", 2) != NULL);
	CHECK_STR(tdir_find(&dir, "ab", 2)->name, "ab");
	tdir_free(&dir);
	CHECK(tdir_find(&dir, "ab", 2) == NULL);
}

TEST(many_come_and_go)
{
	unsigned count = 0;

	tdir_init(&dir);
	memset(present, 0, sizeof(present));
	for (unsigned step = 0; step < 60000; step++) {
		unsigned n = test_random() % NAMES;
		struct tdir_entry *e = find(n);

		REQUIRE((e != NULL) == present[n]);
		if (e) {
			REQUIRE_EQ((uintptr_t)e->node, n + 1);
			drop(n);
			count--;
		} else {
			add(n);
			count++;
		}
		REQUIRE_EQ(dir.count, count);
	}
	tdir_free(&dir);
	CHECK_EQ(dir.count, 0);
}

TEST(a_listing_neither_repeats_nor_skips)
{
	static unsigned char seen[NAMES];
	uint64_t pos = 0;
	struct tdir_entry *e;

	tdir_init(&dir);
	memset(present, 0, sizeof(present));
	for (unsigned n = 0; n < 200; n++)
		add(n);
	/* 0 .. 99 stay; of the others one goes and a new one comes at each step. */
	for (unsigned step = 0; (e = tdir_from(&dir, pos)); step++) {
		unsigned n = (uintptr_t)e->node - 1;

		REQUIRE(!seen[n]);
		seen[n] = 1;
		pos = e->number + 1;
		if (step < 100) {
			drop(100 + step);
			add(300 + step);
		}
		REQUIRE(step < NAMES);
	}
	for (unsigned n = 0; n < 100; n++)
		CHECK(seen[n]);
	tdir_free(&dir);
}

TEST(the_longest_name)
{
	static char longest[256];

	memset(longest, 'x', 255);
	tdir_init(&dir);
	REQUIRE(tdir_add(&dir, longest, 255, NULL));
	CHECK_EQ(tdir_find(&dir, longest, 255)->len, 255);
	tdir_free(&dir);
	CHECK(tdir_from(&dir, 0) == NULL);
}
