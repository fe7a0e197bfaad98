/* SPDX-License-Identifier: MIT */
#ifndef RTC_H
#define RTC_H

#include <types.h>

/*
 * The date of the battery clock, in seconds since 1970 (the chip is taken to keep UTC). @cmos reads
 * its memory; @century is the index of the century's byte, or 0. -EIO: there is no clock, it does
 * not stand still for a moment, or what it says is no date.
 */
int rtc_read(uint8_t (*cmos)(uint8_t index), uint8_t century, int64_t *seconds);

#endif
