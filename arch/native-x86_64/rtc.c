/* SPDX-License-Identifier: MIT */
/*
 * The battery clock: an MC146818 of 1984, or what behaves as one. Six bytes of its memory are the
 * date, in binary or in decimal digits, with hours to 12 or to 24, as register B says; a seventh
 * has the century, at an index that only ACPI's FADT tells. Once a second it updates them, during
 * which they must not be read: a bit says so. But the update may begin between our reads, so they
 * are read until two readings are equal and the bit is clear before and after.
 *
 * Under PV Xen has read it, and publishes the date in shared memory.
 */
#include "rtc.h"
#include <string.h>

#define REG_A 0x0a
#define A_UPDATING 0x80
#define REG_B 0x0b
#define B_24_HOURS 0x02
#define B_BINARY 0x04
#define HOUR_PM 0x80

#define READINGS 1000 /* until two are equal: an update takes 2 ms, a reading 10 us */

enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, CENTURY, FIELDS };

/* False: an update was under way at the start. */
static bool read_once(uint8_t (*cmos)(uint8_t), uint8_t century, uint8_t f[FIELDS])
{
	static const uint8_t index[] = {0x00, 0x02, 0x04, 0x07, 0x08, 0x09};

	if (cmos(REG_A) & A_UPDATING)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(index); i++)
		f[i] = cmos(index[i]);
	f[CENTURY] = century ? cmos(century) : 0;
	return true;
}

static bool read_stable(uint8_t (*cmos)(uint8_t), uint8_t century, uint8_t f[FIELDS])
{
	uint8_t again[FIELDS];

	for (unsigned i = 0; i < READINGS; i++)
		if (read_once(cmos, century, f) && read_once(cmos, century, again) &&
		    memcmp(f, again, FIELDS) == 0)
			return true;
	return false;
}

/* Two decimal digits; 255: they are none. */
static uint8_t from_digits(uint8_t v)
{
	return (v & 0xf) > 9 || v >> 4 > 9 ? 255 : (v >> 4) * 10 + (v & 0xf);
}

/* All fields become numbers, the hour one from 0 to 23. */
static void decode(uint8_t f[FIELDS], uint8_t mode)
{
	bool pm = !(mode & B_24_HOURS) && f[HOUR] & HOUR_PM;

	if (!(mode & B_24_HOURS))
		f[HOUR] &= ~HOUR_PM;
	for (unsigned i = 0; i < FIELDS && !(mode & B_BINARY); i++)
		f[i] = from_digits(f[i]);
	if (!(mode & B_24_HOURS))
		f[HOUR] = f[HOUR] < 1 || f[HOUR] > 12 ? 255 : f[HOUR] % 12 + (pm ? 12 : 0);
}

static bool leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of(unsigned month, unsigned year)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && leap(year));
}

/* Days from 1970 to the first of January of @year. */
static int64_t days_to(unsigned year)
{
	unsigned before = year - 1;

	return (int64_t)(year - 1970) * 365 + (before / 4 - before / 100 + before / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400);
}

int rtc_read(uint8_t (*cmos)(uint8_t index), uint8_t century, int64_t *seconds)
{
	uint8_t f[FIELDS];
	unsigned year;
	int64_t days;

	if (!read_stable(cmos, century, f))
		return -EIO;
	decode(f, cmos(REG_B));
	/* Without a century, or with nonsense there: the chip is younger than 1980. */
	if (f[CENTURY] < 19 || f[CENTURY] > 22)
		f[CENTURY] = f[YEAR] < 80 ? 20 : 19;
	year = f[CENTURY] * 100u + f[YEAR];
	if (f[SECOND] > 59 || f[MINUTE] > 59 || f[HOUR] > 23 || f[YEAR] > 99 || year < 1970 ||
	    f[MONTH] < 1 || f[MONTH] > 12 || f[DAY] < 1 || f[DAY] > days_of(f[MONTH], year))
		return -EIO;
	days = days_to(year) + f[DAY] - 1;
	for (unsigned m = 1; m < f[MONTH]; m++)
		days += days_of(m, year);
	*seconds = ((days * 24 + f[HOUR]) * 60 + f[MINUTE]) * 60 + f[SECOND];
	return 0;
}
