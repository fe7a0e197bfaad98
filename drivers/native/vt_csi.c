/* SPDX-License-Identifier: MIT */
/*
 * Control sequences of the terminal: ESC [ parameters letter. ECMA-48, section 8.3, names each;
 * those with `?` are DEC's and xterm's. A parameter that is missing or 0 means 1 for most.
 */
#include "vt.h"

#include <printk.h>
#include <string.h>

/* Parameter @i, or @otherwise where it is missing or 0. */
static int param(const struct vt *vt, unsigned i, int otherwise)
{
	return i < vt->nr_params && i < VT_PARAMS && vt->param[i] ? (int)vt->param[i] : otherwise;
}

/* ---- where the cursor is ---- */

/* Up and down stop at the scroll region's edge, unless the cursor is beyond it. */
static void vertical(struct vt *vt, int by)
{
	int row = vt->cur.row, first = row >= vt->top ? vt->top : 0;
	int last = row <= vt->bottom ? vt->bottom : VT_ROWS - 1;

	vt_goto(vt, min(max(row + by, first), last), vt->cur.col);
}

static void back_tab(struct vt *vt, int n)
{
	int col = vt->cur.col;

	for (; n > 0 && col > 0; n--)
		while (--col > 0 && !vt_tab_at(vt, (unsigned)col))
			;
	vt_goto(vt, vt->cur.row, col);
}

static bool cursor(struct vt *vt, uint8_t final)
{
	int n = param(vt, 0, 1), row = vt->cur.row, col = vt->cur.col;
	int first = vt->cur.origin ? vt->top : 0;

	switch (final) {
	case 'A':
	case 'F':
		vertical(vt, -n);
		break;
	case 'B':
	case 'E':
	case 'e':
		vertical(vt, n);
		break;
	case 'C':
	case 'a':
		vt_goto(vt, row, col + n);
		break;
	case 'D':
		vt_goto(vt, row, col - n);
		break;
	case 'G':
	case '`':
		vt_goto(vt, row, n - 1);
		break;
	case 'd':
		vt_goto(vt, first + n - 1, col);
		break;
	case 'H':
	case 'f':
		vt_goto(vt, first + n - 1, param(vt, 1, 1) - 1);
		break;
	case 'I':
		for (; n > 0 && vt->cur.col < VT_COLS - 1; n--)
			vt_write(vt, "\t", 1);
		break;
	case 'Z':
		back_tab(vt, n);
		break;
	case 's':
		vt_save(vt);
		break;
	case 'u':
		vt_restore(vt);
		break;
	default:
		return false;
	}
	if (final == 'E' || final == 'F')
		vt->cur.col = 0;
	return true;
}

/* ---- what is on the screen ---- */

static void erase_rows(struct vt *vt, unsigned from, unsigned to)
{
	for (unsigned row = from; row < to; row++)
		vt_erase(vt, row, 0, VT_COLS);
}

static void erase_display(struct vt *vt, int how)
{
	unsigned row = vt->cur.row, col = vt->cur.col;

	if (how == 0) {
		vt_erase(vt, row, col, VT_COLS);
		erase_rows(vt, row + 1, VT_ROWS);
	} else if (how == 1) {
		erase_rows(vt, 0, row);
		vt_erase(vt, row, 0, col + 1);
	} else if (how == 2) {
		erase_rows(vt, 0, VT_ROWS);
	}
}

static void erase_line(struct vt *vt, int how)
{
	unsigned col = vt->cur.col;

	if (how == 0)
		vt_erase(vt, vt->cur.row, col, VT_COLS);
	else if (how == 1)
		vt_erase(vt, vt->cur.row, 0, col + 1);
	else if (how == 2)
		vt_erase(vt, vt->cur.row, 0, VT_COLS);
}

/* Make room at the cursor, or close up behind it; @n > 0: insert. */
static void shift_chars(struct vt *vt, int n)
{
	unsigned col = min(vt->cur.col, VT_COLS - 1), rest = VT_COLS - col;
	unsigned by = min((unsigned)(n < 0 ? -n : n), rest);
	uint16_t *at = vt_row(vt, vt->cur.row) + col;

	if (n > 0)
		memmove(at + by, at, (rest - by) * sizeof(*at));
	else
		memmove(at, at + by, (rest - by) * sizeof(*at));
	vt_erase(vt, vt->cur.row, n > 0 ? col : VT_COLS - by, by);
	vt->cur.wrap = false;
}

static void shift_lines(struct vt *vt, int n)
{
	if (vt->cur.row < vt->top || vt->cur.row > vt->bottom)
		return;
	vt_scroll(vt, vt->cur.row, vt->bottom, n);
	vt->cur.col = 0;
	vt->cur.wrap = false;
}

static bool edit(struct vt *vt, uint8_t final)
{
	int n = param(vt, 0, 1);

	switch (final) {
	case 'J':
		erase_display(vt, param(vt, 0, 0));
		break;
	case 'K':
		erase_line(vt, param(vt, 0, 0));
		break;
	case 'X':
		vt_erase(vt, vt->cur.row, vt->cur.col, (unsigned)n);
		break;
	case '@':
		shift_chars(vt, n);
		break;
	case 'P':
		shift_chars(vt, -n);
		break;
	case 'L':
		shift_lines(vt, -n);
		break;
	case 'M':
		shift_lines(vt, n);
		break;
	case 'S':
		vt_scroll(vt, vt->top, vt->bottom, n);
		break;
	case 'T':
		vt_scroll(vt, vt->top, vt->bottom, -n);
		break;
	case 'b':
		for (n = min(n, VT_ROWS * VT_COLS); n > 0 && vt->last; n--)
			vt_put(vt, vt->last);
		break;
	default:
		return false;
	}
	return true;
}

/* ---- colours ---- */

/* Three intensities from 0 to 255 to one of 16 colours. */
static uint8_t nearest(unsigned r, unsigned g, unsigned b)
{
	unsigned rg = max(r, g), most = max(rg, b), half = most / 2;
	uint8_t hue = (uint8_t)((r > half) | (g > half) << 1 | (b > half) << 2);

	if (most < 64)
		return 0;
	if (hue == 7 && most < 140)
		return 8; /* dark grey is bright black */
	return most > 200 ? hue | 8 : hue;
}

static uint8_t of_256(unsigned n)
{
	unsigned grey = 8 + (n - 232) * 10;

	if (n < 16)
		return (uint8_t)n;
	if (n >= 232)
		return nearest(grey, grey, grey);
	n -= 16;
	return nearest(n / 36 * 51, n / 6 % 6 * 51, n % 6 * 51);
}

/* What follows 38 or 48: 5 and a number, or 2 and three intensities. Returns parameters used. */
static unsigned extended(const struct vt *vt, unsigned i, uint8_t *colour)
{
	if (param(vt, i, 0) == 5) {
		*colour = of_256((unsigned)param(vt, i + 1, 0) & 255);
		return 2;
	}
	if (param(vt, i, 0) == 2) {
		*colour = nearest((unsigned)param(vt, i + 1, 0), (unsigned)param(vt, i + 2, 0),
				  (unsigned)param(vt, i + 3, 0));
		return 4;
	}
	return 0;
}

static void rendition(struct vt_pen *pen, int n)
{
	switch (n) {
	case 0:
		*pen = (struct vt_pen){.fg = 7};
		break;
	case 1:
		pen->bold = true;
		break;
	case 2:
		pen->dim = true;
		break;
	case 4:
		pen->underline = true;
		break;
	case 5:
		pen->blink = true;
		break;
	case 7:
		pen->reverse = true;
		break;
	case 22:
		pen->bold = pen->dim = false;
		break;
	case 24:
		pen->underline = false;
		break;
	case 25:
		pen->blink = false;
		break;
	case 27:
		pen->reverse = false;
		break;
	}
}

static void select_graphic_rendition(struct vt *vt)
{
	struct vt_pen *pen = &vt->cur.pen;

	for (unsigned i = 0; i < vt->nr_params; i++) {
		int n = param(vt, i, 0);

		if (n == 38)
			i += extended(vt, i + 1, &pen->fg);
		else if (n == 48)
			i += extended(vt, i + 1, &pen->bg);
		else if (n >= 30 && n <= 39)
			pen->fg = n == 39 ? 7 : (uint8_t)(n - 30);
		else if (n >= 40 && n <= 49)
			pen->bg = n == 49 ? 0 : (uint8_t)(n - 40);
		else if (n >= 90 && n <= 97)
			pen->fg = (uint8_t)(n - 90 + 8);
		else if (n >= 100 && n <= 107)
			pen->bg = (uint8_t)(n - 100);
		else
			rendition(pen, n);
	}
}

/* ---- modes, questions ---- */

static void show_alternate(struct vt *vt, bool on)
{
	if (on == vt->alternate)
		return;
	for (unsigned row = 0; row < VT_ROWS; row++) {
		uint16_t kept[VT_COLS];

		memcpy(kept, vt_row(vt, row), sizeof(kept));
		memcpy(vt_row(vt, row), vt->away[row], sizeof(kept));
		memcpy(vt->away[row], kept, sizeof(kept));
	}
	vt->alternate = on;
}

/* Cursor kept, the other screen, empty; and back. */
static void alternate_mode(struct vt *vt, bool on)
{
	if (on && !vt->alternate) {
		vt_save(vt);
		show_alternate(vt, true);
		erase_rows(vt, 0, VT_ROWS);
	} else if (!on && vt->alternate) {
		show_alternate(vt, false);
		vt_restore(vt);
	}
}

static void private_mode(struct vt *vt, unsigned mode, bool on)
{
	switch (mode) {
	case 1:
		vt->app_cursor = on;
		break;
	case 6:
		vt->cur.origin = on;
		vt_goto(vt, on ? vt->top : 0, 0);
		break;
	case 7:
		vt->autowrap = on;
		break;
	case 25:
		vt->hidden = !on;
		break;
	case 47:
	case 1047:
		show_alternate(vt, on);
		break;
	case 1048:
		if (on)
			vt_save(vt);
		else
			vt_restore(vt);
		break;
	case 1049:
		alternate_mode(vt, on);
		break;
	}
}

static void modes(struct vt *vt, bool on)
{
	for (unsigned i = 0; i < vt->nr_params; i++) {
		if (vt->private == '?')
			private_mode(vt, vt->param[i], on);
		else if (vt->private == 0 && vt->param[i] == 4)
			vt->insert = on;
		else if (vt->private == 0 && vt->param[i] == 20)
			vt->newline_mode = on;
	}
}

static void answer(struct vt *vt, const char *text)
{
	size_t n = strlen(text);

	if (n > sizeof(vt->reply) - vt->reply_len)
		return; /* nobody reads them */
	memcpy(vt->reply + vt->reply_len, text, n);
	vt->reply_len += (uint8_t)n;
}

static void report(struct vt *vt, int what)
{
	char text[24];

	if (what == 5)
		answer(vt, "\033[0n");
	if (what != 6)
		return;
	snprintk(text, sizeof(text), "\033[%u;%uR",
		 vt->cur.row + 1u - (vt->cur.origin ? vt->top : 0), vt->cur.col + 1u);
	answer(vt, text);
}

static void scroll_region(struct vt *vt)
{
	int top = param(vt, 0, 1), bottom = min(param(vt, 1, VT_ROWS), VT_ROWS);

	if (top >= bottom)
		return;
	vt->top = (uint8_t)(top - 1);
	vt->bottom = (uint8_t)(bottom - 1);
	vt_goto(vt, vt->cur.origin ? vt->top : 0, 0);
}

/* ESC [ ! p: everything as it was at first, the text stays. */
static void soft_reset(struct vt *vt)
{
	vt->top = 0;
	vt->bottom = VT_ROWS - 1;
	vt->insert = vt->newline_mode = vt->app_cursor = vt->hidden = false;
	vt->autowrap = true;
	vt->cur.origin = false;
	vt->cur.pen = (struct vt_pen){.fg = 7};
	vt->cur.graphics[0] = vt->cur.graphics[1] = false;
	vt->cur.set = 0;
}

static void clear_tabs(struct vt *vt)
{
	if (param(vt, 0, 0) == 3)
		memset(vt->tabs, 0, sizeof(vt->tabs));
	else if (param(vt, 0, 0) == 0)
		vt->tabs[vt->cur.col / 8] &= (uint8_t) ~(1u << vt->cur.col % 8);
}

void vt_csi(struct vt *vt, uint8_t final)
{
	if (final == 'p' && vt->intermediate == '!') {
		soft_reset(vt);
		return;
	}
	if (vt->intermediate)
		return;
	if (final == 'h' || final == 'l') {
		modes(vt, final == 'h');
		return;
	}
	if (vt->private || cursor(vt, final) || edit(vt, final))
		return;
	if (final == 'm')
		select_graphic_rendition(vt);
	else if (final == 'r')
		scroll_region(vt);
	else if (final == 'g')
		clear_tabs(vt);
	else if (final == 'n')
		report(vt, param(vt, 0, 0));
	else if (final == 'c' && param(vt, 0, 0) == 0)
		answer(vt, "\033[?6c"); /* a VT102 */
}
