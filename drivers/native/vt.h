/* SPDX-License-Identifier: MIT */
/*
 * A terminal: bytes in, a screen of characters and colours out. Pure logic (tests/unit/test_vt.c);
 * drivers/native/vga.c shows what is here. No locks: the caller's.
 */
#ifndef VT_H
#define VT_H

#include <types.h>

#define VT_ROWS 25
#define VT_COLS 80
#define VT_PARAMS 16
#define VT_BLANK 0x0720 /* a space, light grey on black */

/* How the next character looks. Colours as in SGR: 0 black, 1 red, 2 green ... 7 white, 8: bright.
 */
struct vt_pen {
	uint8_t fg, bg;
	bool bold, dim, underline, blink, reverse;
};

/* What ESC 7 keeps and ESC 8 brings back. */
struct vt_cursor {
	uint8_t row, col;
	bool wrap; /* the last column is written: the next character begins a new line */
	bool origin;
	struct vt_pen pen;
	bool graphics[2]; /* character sets G0, G1: special graphics instead of ASCII */
	uint8_t set;
};

enum vt_state { VT_TEXT, VT_ESC, VT_ESC_SKIP, VT_CHARSET, VT_CSI, VT_STRING, VT_MARK };

struct vt {
	uint16_t cell[VT_ROWS][VT_COLS]; /* as VGA has it: glyph, attribute << 8; vt_row() */
	uint8_t line[VT_ROWS]; /* which of them is shown in a row: to scroll is to turn these */
	struct vt_cursor cur;
	uint8_t top, bottom; /* scroll region, inclusive */
	bool autowrap, insert, newline_mode, hidden;
	bool app_cursor; /* cursor keys send ESC O A instead of ESC [ A */
	uint8_t tabs[VT_COLS / 8];
	uint8_t last; /* glyph, to be repeated */

	bool alternate;                  /* the other screen is shown; */
	uint16_t away[VT_ROWS][VT_COLS]; /* this is the one that is not */
	struct vt_cursor saved[2];       /* by screen */

	enum vt_state state;
	unsigned param[VT_PARAMS], nr_params;
	uint8_t private, intermediate; /* of a control sequence, or 0 */
	uint32_t utf8;                 /* character so far, */
	uint8_t utf8_left;             /* and how many bytes are missing */

	char reply[24]; /* what the terminal answers; vt_reply() */
	uint8_t reply_len;
};

void vt_init(struct vt *vt);
void vt_write(struct vt *vt, const char *text, size_t n);
/* The VT_COLS cells of a row. */
uint16_t *vt_row(struct vt *vt, unsigned row);
/* Fetch what the terminal has to say to the program, as if typed. Returns bytes. */
size_t vt_reply(struct vt *vt, char *buf, size_t n);
/* vt_csi.c: a control sequence is complete. */
void vt_csi(struct vt *vt, uint8_t final);

/* For vt_csi.c. */
void vt_goto(struct vt *vt, int row, int col);                        /* clamped to the screen */
void vt_erase(struct vt *vt, unsigned row, unsigned col, unsigned n); /* cells of one row */
void vt_scroll(struct vt *vt, unsigned top, unsigned bottom, int n);  /* > 0: text moves up */
void vt_save(struct vt *vt);
void vt_restore(struct vt *vt);
void vt_put(struct vt *vt, uint8_t glyph);
bool vt_tab_at(const struct vt *vt, unsigned col);

#endif
