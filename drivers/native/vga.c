/* SPDX-License-Identifier: MIT */
/*
 * The screen in text mode: an array of 80x25 cells (glyph, attribute) in the adapter's memory, and
 * a cursor that a pair of registers places. What to show is vt.c's business; here the array there
 * is copied to the array here. The adapter's memory is slow, and every access is an exit under a
 * hypervisor, so it is never read, and only cells that have changed are written, once for a piece
 * of text and not once for a line.
 *
 * If firmware or loader have switched to a picture of pixels, the adapter says so (or the loader
 * does, later), and there is no screen for us. Source: IBM VGA reference, graphics controller
 * (miscellaneous register), CRT controller.
 */
#include "vga.h"

#include <pc.h>
#include <string.h>
#include "vt.h"

#define MISC_READ 0x3cc
#define MISC_COLOUR 0x01 /* the CRT controller is at 0x3d4 */
#define GRAPHICS 0x3ce   /* index; data behind it */
#define GRAPHICS_MISC 0x06
#define PIXELS 0x01
#define MAP_MASK 0x0c
#define MAP_B8000 0x0c
#define CRTC 0x3d4
#define CRTC_LAST_COLUMN 0x01
#define CRTC_CURSOR_START 0x0a
#define CURSOR_OFF 0x20
#define CRTC_START_HIGH 0x0c /* cell in the upper left corner */
#define CRTC_START_LOW 0x0d
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f

#define ROW_WORDS (VT_COLS / 4) /* of four cells, to write them at once */
#define WORDS (VT_ROWS * ROW_WORDS)

static struct vt vt;
static uint64_t shown[WORDS];
static volatile uint64_t *screen;
static unsigned cursor_at;
static bool cursor_off, taken;
static uint8_t cursor_start;

static uint8_t crtc_read(uint8_t index)
{
	out8(CRTC, index);
	return in8(CRTC + 1);
}

static void crtc_write(uint8_t index, uint8_t v)
{
	out16(CRTC, (uint16_t)(index | v << 8));
}

static bool shows_text(void)
{
	uint8_t misc = in8(MISC_READ), graphics;

	if (misc == 0xff || !(misc & MISC_COLOUR))
		return false;
	out8(GRAPHICS, GRAPHICS_MISC);
	graphics = in8(GRAPHICS + 1);
	return graphics != 0xff && !(graphics & PIXELS) && (graphics & MAP_MASK) == MAP_B8000 &&
	       crtc_read(CRTC_LAST_COLUMN) == VT_COLS - 1;
}

static bool keeps(volatile uint16_t *cell, uint16_t v)
{
	*cell = v;
	return *cell == v;
}

static uint64_t word(unsigned i)
{
	uint64_t v;

	memcpy(&v, vt_row(&vt, i / ROW_WORDS) + i % ROW_WORDS * 4, sizeof(v));
	return v;
}

bool vga_find(void *text)
{
	volatile uint16_t *cell = text;
	uint16_t was = *cell;
	bool found = shows_text() && keeps(cell, 0x5a5a) && keeps(cell, 0xa5a5);

	*cell = was;
	if (found) {
		screen = text;
		vt_init(&vt);
	}
	return found;
}

/* Only when there is something to show: until then it may be somebody else's (Xen's). */
static void take_screen(void)
{
	for (unsigned i = 0; i < WORDS; i++)
		shown[i] = ~word(i);
	crtc_write(CRTC_START_HIGH, 0);
	crtc_write(CRTC_START_LOW, 0);
	cursor_start = crtc_read(CRTC_CURSOR_START) & ~CURSOR_OFF;
	crtc_write(CRTC_CURSOR_START, cursor_start);
	cursor_at = VT_ROWS * VT_COLS;
	taken = true;
}

void vga_moved(void *text)
{
	screen = text;
}

void vga_write(const char *text, size_t n)
{
	vt_write(&vt, text, n);
}

void vga_show(void)
{
	unsigned at = vt.cur.row * VT_COLS + vt.cur.col;

	if (!taken)
		take_screen();
	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t v = word(i);

		if (shown[i] != v)
			screen[i] = shown[i] = v;
	}
	if (at != cursor_at) {
		crtc_write(CRTC_CURSOR_HIGH, (uint8_t)(at >> 8));
		crtc_write(CRTC_CURSOR_LOW, (uint8_t)at);
		cursor_at = at;
	}
	if (vt.hidden != cursor_off) {
		cursor_off = vt.hidden;
		crtc_write(CRTC_CURSOR_START, cursor_start | (cursor_off ? CURSOR_OFF : 0));
	}
}

bool vga_asked(void)
{
	return vt.reply_len > 0;
}

size_t vga_reply(char *buf, size_t n)
{
	return vt_reply(&vt, buf, n);
}

bool vga_app_cursor(void)
{
	return vt.app_cursor;
}
