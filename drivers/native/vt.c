/* SPDX-License-Identifier: MIT */
/*
 * The terminal that a PC's screen is not by itself: the screen is an array of characters, and
 * programs write as to the VT100 and its descendants, which Parvix calls "xterm" (TERM). A Xen
 * domain has no such thing: it sends bytes, and whoever sits in front of `xl console` brings the
 * terminal.
 *
 * Bytes are text, control characters, or sequences:
 *
 *   ESC c ...           a few functions of one letter
 *   ESC [ 1 ; 2 X       a control sequence (CSI): parameters, then the letter that says what to do;
 *                       vt_csi.c
 *   ESC ] ... BEL       a string for a window manager (OSC, and DCS, PM, APC): skipped
 *   0x1e k              the mark of a kernel message for programs that read the console: skipped
 *
 * Sources: ECMA-48; DEC, VT100 User Guide; xterm's "ctlseqs". Text is UTF-8. A character in the
 * last column leaves the cursor there; only the next one goes to a new line (the VT100's way, on
 * which full-screen programs rely). Everything unknown is swallowed as a whole.
 *
 * A message of the kernel may come in the middle of a program's, even, in a panic or a
 * non-maskable interrupt, in the middle of vt_write(): row and column are checked where a cell is
 * touched.
 */
#include "vt.h"

#include <string.h>
#include "cp437.h"

uint16_t *vt_row(struct vt *vt, unsigned row)
{
	return vt->cell[vt->line[min(row, VT_ROWS - 1u)]];
}

/* VGA numbers colours blue 1, red 4. */
static const uint8_t vga_colour[8] = {0, 4, 2, 6, 1, 5, 3, 7};

static uint16_t attribute(const struct vt_pen *p)
{
	uint8_t fg = p->fg, bg = p->bg;

	if (p->underline && fg == 7)
		fg = 6; /* there is no line under a character in colours */
	if (p->dim)
		fg = 8;
	if (p->bold)
		fg |= 8;
	if (p->reverse) {
		uint8_t was = fg;

		fg = bg;
		bg = was;
	}
	return (uint16_t)((vga_colour[fg & 7] | (fg & 8) | vga_colour[bg & 7] << 4 | p->blink << 7)
			  << 8);
}

/* Erased cells have the background that is set, and nothing else. */
static uint16_t blank(const struct vt *vt)
{
	struct vt_pen pen = {.fg = 7, .bg = vt->cur.pen.bg};

	return attribute(&pen) | ' ';
}

void vt_erase(struct vt *vt, unsigned row, unsigned col, unsigned n)
{
	uint16_t *cells = vt_row(vt, row), with = blank(vt);

	for (unsigned i = col; i < VT_COLS && i - col < n; i++)
		cells[i] = with;
}

void vt_scroll(struct vt *vt, unsigned top, unsigned bottom, int n)
{
	unsigned rows = bottom - top + 1, by = min((unsigned)(n < 0 ? -n : n), rows);
	uint8_t was[VT_ROWS];

	if (bottom >= VT_ROWS || top > bottom)
		return;
	memcpy(was, vt->line, sizeof(was));
	for (unsigned i = 0; i < rows; i++)
		vt->line[top + i] = was[top + (i + (n > 0 ? by : rows - by)) % rows];
	for (unsigned i = 0; i < by; i++)
		vt_erase(vt, n > 0 ? bottom - i : top + i, 0, VT_COLS);
}

void vt_goto(struct vt *vt, int row, int col)
{
	int first = vt->cur.origin ? vt->top : 0, last = vt->cur.origin ? vt->bottom : VT_ROWS - 1;

	vt->cur.row = (uint8_t)min(max(row, first), last);
	vt->cur.col = (uint8_t)min(max(col, 0), VT_COLS - 1);
	vt->cur.wrap = false;
}

static void line_feed(struct vt *vt)
{
	vt->cur.wrap = false;
	if (vt->cur.row == vt->bottom)
		vt_scroll(vt, vt->top, vt->bottom, 1);
	else if (vt->cur.row < VT_ROWS - 1)
		vt->cur.row++;
}

static void reverse_feed(struct vt *vt)
{
	vt->cur.wrap = false;
	if (vt->cur.row == vt->top)
		vt_scroll(vt, vt->top, vt->bottom, -1);
	else if (vt->cur.row > 0)
		vt->cur.row--;
}

void vt_save(struct vt *vt)
{
	vt->saved[vt->alternate] = vt->cur;
}

void vt_restore(struct vt *vt)
{
	vt->cur = vt->saved[vt->alternate];
}

bool vt_tab_at(const struct vt *vt, unsigned col)
{
	return col >= VT_COLS || vt->tabs[col / 8] & 1u << col % 8;
}

void vt_init(struct vt *vt)
{
	memset(vt, 0, sizeof(*vt));
	vt->cur.pen = (struct vt_pen){.fg = 7};
	vt->bottom = VT_ROWS - 1;
	vt->autowrap = true;
	memset(vt->tabs, 1, sizeof(vt->tabs));
	vt->saved[0] = vt->saved[1] = vt->cur;
	for (unsigned row = 0; row < VT_ROWS; row++) {
		vt->line[row] = (uint8_t)row;
		vt_erase(vt, row, 0, VT_COLS);
	}
	memcpy(vt->away, vt->cell, sizeof(vt->away));
}

void vt_put(struct vt *vt, uint8_t glyph)
{
	struct vt_cursor *c = &vt->cur;
	unsigned col;
	uint16_t *cells;

	if (c->wrap && vt->autowrap) {
		c->col = 0;
		line_feed(vt);
	}
	col = min(c->col, VT_COLS - 1);
	cells = vt_row(vt, c->row);
	if (vt->insert)
		memmove(cells + col + 1, cells + col, (VT_COLS - 1 - col) * sizeof(*cells));
	cells[col] = attribute(&c->pen) | glyph;
	vt->last = glyph;
	c->wrap = col == VT_COLS - 1;
	c->col = (uint8_t)min(col + 1, VT_COLS - 1u);
}

/* Marks that belong to the character before, and characters of no width. */
static bool no_width(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || c == 0xfeff ||
	       (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0x80 && c < 0xa0);
}

/* A byte of text, 0x20 to 0xff except 0x7f. */
static void text_byte(struct vt *vt, uint8_t b)
{
	if (vt->utf8_left && (b & 0xc0) == 0x80) {
		vt->utf8 = vt->utf8 << 6 | (b & 0x3f);
		if (--vt->utf8_left == 0 && !no_width(vt->utf8))
			vt_put(vt, cp437_glyph(vt->utf8));
		return;
	}
	if (vt->utf8_left)
		vt_put(vt, '?'); /* it ended too early */
	vt->utf8_left = 0;
	if (b < 0x80) {
		vt_put(vt, vt->cur.graphics[vt->cur.set & 1] ? cp437_graphics(b) : b);
	} else if (b >= 0xc2 && b < 0xf5) {
		vt->utf8_left = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
		vt->utf8 = b & (0x3f >> vt->utf8_left);
	} else {
		vt_put(vt, '?');
	}
}

static void tab(struct vt *vt)
{
	unsigned col = vt->cur.col + 1u;

	while (!vt_tab_at(vt, col))
		col++;
	vt->cur.col = (uint8_t)min(col, VT_COLS - 1u);
	vt->cur.wrap = false;
}

/* Below 0x20, or 0x7f. They count in the middle of a sequence, too. */
static void control(struct vt *vt, uint8_t b)
{
	switch (b) {
	case '\b':
		vt_goto(vt, vt->cur.row, vt->cur.col - 1);
		break;
	case '\t':
		tab(vt);
		break;
	case '\r':
		vt->cur.col = 0;
		vt->cur.wrap = false;
		break;
	case '\n':
	case '\v':
	case '\f':
		if (vt->newline_mode)
			vt->cur.col = 0;
		line_feed(vt);
		break;
	case 0x0e: /* shift out, shift in */
	case 0x0f:
		vt->cur.set = b == 0x0e;
		break;
	case 0x18: /* cancel */
	case 0x1a:
		vt->state = VT_TEXT;
		break;
	}
}

static void csi_begin(struct vt *vt)
{
	memset(vt->param, 0, sizeof(vt->param));
	vt->nr_params = 0;
	vt->private = vt->intermediate = 0;
	vt->state = VT_CSI;
}

/* The byte behind ESC. */
static void escape(struct vt *vt, uint8_t b)
{
	vt->state = VT_TEXT;
	switch (b) {
	case '[':
		csi_begin(vt);
		break;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		vt->state = VT_STRING;
		break;
	case '(':
	case ')':
		vt->intermediate = b;
		vt->state = VT_CHARSET;
		break;
	case '7':
		vt_save(vt);
		break;
	case '8':
		vt_restore(vt);
		break;
	case 'E':
		vt->cur.col = 0;
		line_feed(vt);
		break;
	case 'D':
		line_feed(vt);
		break;
	case 'M':
		reverse_feed(vt);
		break;
	case 'H':
		vt->tabs[vt->cur.col / 8] |= 1u << vt->cur.col % 8;
		break;
	case 'c':
		vt_init(vt);
		break;
	default: /* one more byte follows those below 0x30 */
		if (b >= 0x20 && b < 0x30)
			vt->state = VT_ESC_SKIP;
	}
}

static void csi_byte(struct vt *vt, uint8_t b)
{
	unsigned n = vt->nr_params;

	if (b >= '0' && b <= '9') {
		if (n < VT_PARAMS)
			vt->param[n] = min(vt->param[n] * 10 + b - '0', 9999u);
	} else if (b == ';' || b == ':') {
		vt->nr_params = min(n + 1, (unsigned)VT_PARAMS);
	} else if (b >= '<' && b <= '?') {
		vt->private = b;
	} else if (b < 0x30) {
		vt->intermediate = b;
	} else {
		vt->state = VT_TEXT;
		vt->nr_params = min(n + 1, (unsigned)VT_PARAMS);
		if (b < 0x7f)
			vt_csi(vt, b);
	}
}

static void byte(struct vt *vt, uint8_t b)
{
	if (vt->state == VT_STRING) {
		if (b == 0x1b)
			vt->state = VT_ESC; /* the string's end is ESC \ */
		else if (b == 0x07 || b == 0x18 || b == 0x1a)
			vt->state = VT_TEXT;
	} else if (b == 0x1b) {
		vt->state = VT_ESC;
		vt->utf8_left = 0;
	} else if (b == 0x1e) {
		vt->state = VT_MARK;
	} else if (b < 0x20 || b == 0x7f) {
		control(vt, b);
	} else if (vt->state == VT_TEXT) {
		text_byte(vt, b);
	} else if (vt->state == VT_ESC) {
		escape(vt, b);
	} else if (vt->state == VT_CSI) {
		csi_byte(vt, b);
	} else {
		if (vt->state == VT_CHARSET)
			vt->cur.graphics[vt->intermediate == ')'] = b == '0';
		else if (vt->state == VT_MARK && b != 'k')
			text_byte(vt, b);
		vt->state = VT_TEXT;
	}
}

void vt_write(struct vt *vt, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		byte(vt, (uint8_t)text[i]);
}

size_t vt_reply(struct vt *vt, char *buf, size_t n)
{
	size_t got = min(n, (size_t)vt->reply_len);

	memcpy(buf, vt->reply, got);
	memmove(vt->reply, vt->reply + got, vt->reply_len - got);
	vt->reply_len -= (uint8_t)got;
	return got;
}
