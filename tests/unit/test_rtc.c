/* SPDX-License-Identifier: MIT */
/*
 * The battery clock: dates in all its formats against the C library's calendar, an update in the
 * middle of a reading, no clock at all, and random contents. --seed repeats a run.
 *
 * SOURCES: arch/native-x86_64/rtc.c
 */
#include "../../arch/native-x86_64/rtc.h"
#include "test.h"

#include <errno.h>
#include <string.h>

/* Not <time.h>: its types are not the kernel's. */
struct tm {
	int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
	long tm_gmtoff;
	const char *tm_zone;
};
struct tm *gmtime_r(const long *when, struct tm *out);

#define CENTURY 0x32
#define BINARY 4
#define HOURS_24 2
#define DATES 50000
#define FUZZ 50000

static uint8_t memory[128];
static unsigned reads, update_at, update_for; /* the reading at which it ticks; how many it takes */
static int64_t time_after;
static uint8_t mode;

static uint8_t digits(unsigned v)
{
	return mode & BINARY ? v : v / 10 << 4 | v % 10;
}

static void set(int64_t seconds)
{
	long when = seconds;
	struct tm tm;
	unsigned hour;

	gmtime_r(&when, &tm);
	hour = mode & HOURS_24 ? tm.tm_hour : (tm.tm_hour + 11) % 12 + 1;
	memory[0] = digits(tm.tm_sec);
	memory[2] = digits(tm.tm_min);
	memory[4] = digits(hour) | (mode & HOURS_24 || tm.tm_hour < 12 ? 0 : 0x80);
	memory[7] = digits(tm.tm_mday);
	memory[8] = digits(tm.tm_mon + 1);
	memory[9] = digits(tm.tm_year % 100);
	memory[CENTURY] = digits((tm.tm_year + 1900) / 100);
	memory[0x0a] = 0x26;
	memory[0x0b] = mode;
}

/* During an update the fields are a mixture, and register A says so only from the start on. */
static uint8_t cmos(uint8_t index)
{
	reads++;
	if (update_at && reads == update_at) {
		memory[0x0a] |= 0x80;
		memory[0] = 0;
		memory[2] = 0xff;
	}
	if (update_at && reads == update_at + update_for)
		set(time_after);
	return memory[index & 127];
}

static int read_clock(uint8_t century, int64_t *seconds)
{
	reads = 0;
	return rtc_read(cmos, century, seconds);
}

static int64_t some_date(void) /* 1970 to 2199 */
{
	return (int64_t)(test_random() % 7258118400ul);
}

TEST(dates_in_every_format)
{
	int64_t got;

	update_at = 0;
	for (unsigned i = 0; i < DATES; i++) {
		int64_t want = some_date();

		mode = test_random() % 4 * 2;
		set(want);
		REQUIRE_EQ(read_clock(CENTURY, &got), 0);
		REQUIRE_EQ(got, want);
	}
}

TEST(a_clock_without_a_century)
{
	int64_t got, first = 315532800, last = 3471292799; /* 1980 to 2079 */

	update_at = 0;
	for (unsigned i = 0; i < DATES; i++) {
		int64_t want = first + (int64_t)(test_random() % (unsigned long)(last - first));

		mode = HOURS_24;
		set(want);
		if (i % 2)
			memory[CENTURY] = i; /* nonsense, mostly; right by chance now and then */
		if (i % 2 && ((i & 255) == 0x19 || (i & 255) == 0x20 || (i & 255) == 0x21 ||
			      (i & 255) == 0x22))
			continue;
		REQUIRE_EQ(read_clock(i % 2 ? CENTURY : 0, &got), 0);
		REQUIRE_EQ(got, want);
	}
}

/* At whichever read the update begins: the second before it, or the one after. */
TEST(an_update_between_two_reads)
{
	int64_t got, before = 1767225599; /* the last second of 2025 */

	mode = HOURS_24;
	time_after = before + 1;
	for (update_for = 1; update_for < 40; update_for += 3) {
		for (unsigned at = 1; at < 40; at++) {
			update_at = 0;
			set(before);
			update_at = at;
			CHECK_EQ(read_clock(CENTURY, &got), 0);
			CHECK(got == before || got == before + 1);
		}
	}
	update_at = 0;
}

TEST(no_clock)
{
	int64_t got = 5;

	update_at = 0;
	memset(memory, 0xff, sizeof(memory)); /* register A: an update that never ends */
	CHECK_EQ(read_clock(CENTURY, &got), -EIO);
	CHECK(reads < 100000);
	memset(memory, 0, sizeof(memory)); /* day 0 of month 0 */
	CHECK_EQ(read_clock(CENTURY, &got), -EIO);
	CHECK_EQ(got, 5);
}

TEST(dates_that_are_none)
{
	int64_t got;

	mode = HOURS_24;
	update_at = 0;
	set(951782400); /* 29 February 2000 */
	CHECK_EQ(read_clock(CENTURY, &got), 0);
	CHECK_EQ(got, 951782400);
	memory[9] = 1; /* of 2001 */
	CHECK_EQ(read_clock(CENTURY, &got), -EIO);
	set(0);
	memory[4] = 0x24;
	CHECK_EQ(read_clock(CENTURY, &got), -EIO);
	set(0);
	memory[0] = 0x1a; /* no decimal digit */
	CHECK_EQ(read_clock(CENTURY, &got), -EIO);
}

TEST(random_contents)
{
	unsigned dates = 0;
	int64_t got;

	update_at = 0;
	for (unsigned i = 0; i < FUZZ; i++) {
		for (unsigned j = 0; j < sizeof(memory); j++)
			memory[j] = test_random() % (i % 2 ? 13 : 256);
		memory[0x0a] &= 0x7f;
		if (read_clock(CENTURY, &got))
			continue;
		dates++;
		CHECK(got >= 0 && got < 10413792000); /* 2300 */
	}
	CHECK(dates > 0);
}
