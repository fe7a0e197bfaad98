/* SPDX-License-Identifier: MIT */
/*
 * Differences of counters, packed and unpacked again.
 * SOURCES: kernel/trace/delta.c
 */
#include "test.h"

#include <record.h>
#include <string.h>

#define MANY 256

static uint64_t old[MANY], now[MANY], sum[MANY];
static uint8_t buf[MANY * DELTA_MAX];

static void add_up(size_t len)
{
	unsigned index;
	uint64_t value;

	for (size_t at = 0; at < len;) {
		at = delta_unpack(buf, len, at, &index, &value);
		REQUIRE(index < MANY);
		sum[index] += value;
	}
}

static void start(void)
{
	memset(old, 0, sizeof(old));
	memset(now, 0, sizeof(now));
	memset(sum, 0, sizeof(sum));
}

TEST(what_is_equal_takes_no_room)
{
	bool cut = true;

	start();
	CHECK_EQ(delta_pack(old, now, MANY, buf, sizeof(buf), &cut), 0);
	CHECK(!cut);
}

TEST(bytes_are_as_described)
{
	static const uint8_t wanted[] = {3, 0x7f, 200, 0x80, 0x01, 255, 0xac, 0x02};
	bool cut;

	start();
	now[3] = 127;
	now[200] = 128;
	now[255] = 300;
	CHECK_EQ(delta_pack(old, now, MANY, buf, sizeof(buf), &cut), sizeof(wanted));
	CHECK(memcmp(buf, wanted, sizeof(wanted)) == 0);
}

TEST(the_largest_value_comes_back)
{
	bool cut;
	size_t len;

	start();
	for (unsigned i = 0; i < MANY; i++)
		now[i] = ~0ull;
	len = delta_pack(old, now, MANY, buf, sizeof(buf), &cut);
	CHECK_EQ(len, sizeof(buf));
	CHECK(!cut);
	add_up(len);
	CHECK(memcmp(sum, now, sizeof(now)) == 0);
}

TEST(differences_add_up)
{
	bool cut;

	start();
	for (int round = 0; round < 200; round++) {
		for (unsigned n = test_random() % 60; n > 0; n--)
			now[test_random() % MANY] += test_random() >> (8 + test_random() % 50);
		add_up(delta_pack(old, now, MANY, buf, sizeof(buf), &cut));
		REQUIRE(!cut);
		REQUIRE(memcmp(old, now, sizeof(now)) == 0);
	}
	CHECK(memcmp(sum, now, sizeof(now)) == 0);
}

TEST(what_did_not_fit_comes_with_the_next)
{
	bool cut = true;
	unsigned rounds = 0;

	start();
	for (unsigned i = 0; i < MANY; i++)
		now[i] = i;
	for (; cut; rounds++)
		add_up(delta_pack(old, now, MANY, buf, 40, &cut));
	CHECK(rounds > 10);
	CHECK(memcmp(sum, now, sizeof(now)) == 0);
}

TEST(a_cleared_counter_begins_anew)
{
	bool cut;

	start();
	old[7] = 1000;
	now[7] = 5;
	add_up(delta_pack(old, now, MANY, buf, sizeof(buf), &cut));
	CHECK_EQ(sum[7], 5);
	CHECK_EQ(old[7], 5);
}

TEST(damaged_bytes_end_where_the_buffer_does)
{
	unsigned index;
	uint64_t value;

	memset(buf, 0xff, sizeof(buf));
	for (size_t len = 1; len < 40; len++)
		for (size_t at = 0; at < len;) {
			size_t next = delta_unpack(buf, len, at, &index, &value);

			REQUIRE(next > at && next <= len);
			at = next;
		}
}
