/* SPDX-License-Identifier: MIT */
/* The glyphs of a PC's text screen, code page 437, and what a terminal is asked to show. */
#ifndef CP437_H
#define CP437_H

#include <types.h>

/* The glyph for Unicode character @c: itself, what looks nearly so, or '?'. */
uint8_t cp437_glyph(uint32_t c);
/* The glyph for @c (0x20 to 0x7e) in the VT100's set of special graphics: lines and corners. */
uint8_t cp437_graphics(uint8_t c);

#endif
