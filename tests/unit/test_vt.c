/* SPDX-License-Identifier: MIT */
/*
 * The terminal of a PC's screen: what programs write, what is then seen. Expected screens come from
 * the documents that vt.c names. Then nonsense, with memory on both sides that must stay as it is.
 *
 * SOURCES: drivers/native/vt.c drivers/native/vt_csi.c drivers/native/cp437.c
 */
#include "test.h"

#include "../../drivers/native/cp437.h"
#include "../../drivers/native/vt.h"

#include <string.h>

static struct {
	char before[512];
	struct vt vt;
	char after[512];
} mem;
static struct vt *const vt = &mem.vt;

static void start(const char *text)
{
	memset(&mem, 0x5a, sizeof(mem));
	vt_init(vt);
	vt_write(vt, text, strlen(text));
}

static void more(const char *text)
{
	vt_write(vt, text, strlen(text));
}

/* The glyphs of @row without the blanks at its end. */
static const char *line(unsigned row)
{
	static char text[VT_COLS + 1];
	unsigned n = 0;

	for (unsigned col = 0; col < VT_COLS; col++) {
		text[col] = (char)vt_row(vt, row)[col];
		if (text[col] != ' ')
			n = col + 1;
	}
	text[n] = 0;
	return text;
}

static unsigned attr(unsigned row, unsigned col)
{
	return vt_row(vt, row)[col] >> 8;
}

static unsigned glyph(unsigned row, unsigned col)
{
	return vt_row(vt, row)[col] & 0xff;
}

#define AT(r, c)                            \
	do {                                \
		CHECK_EQ(vt->cur.row, (r)); \
		CHECK_EQ(vt->cur.col, (c)); \
	} while (0)

/* 25 lines, "line 0" to "line 24". */
static void fill(void)
{
	char text[] = "\033[00;1Hline 00";

	start("");
	for (unsigned i = 0; i < VT_ROWS; i++) {
		text[2] = (char)('0' + (i + 1) / 10);
		text[3] = (char)('0' + (i + 1) % 10);
		text[12] = (char)('0' + i / 10);
		text[13] = (char)('0' + i % 10);
		more(text);
	}
}

TEST(text_and_control_characters)
{
	start("one\r\ntwo\tx\b\bY\nZ\rA");
	CHECK_STR(line(0), "one");
	CHECK_STR(line(1), "two    Yx");
	CHECK_STR(line(2), "A       Z");
	AT(2, 1);
	more("\b\b\b\b\a");
	AT(2, 0);
	more("\033[20hp\nq");
	CHECK_STR(line(3), "q");
}

TEST(last_column_waits)
{
	start("\033[1;80HX");
	AT(0, 79);
	more("\r");
	AT(0, 0);
	more("\033[1;80HXY");
	CHECK_EQ(glyph(0, 79), 'X');
	CHECK_STR(line(1), "Y");
	AT(1, 1);
	more("\033[1;80HX\033[KZ"); /* any function ends the waiting except erasing */
	CHECK_EQ(glyph(1, 0), 'Z');
	more("\033[?7l\033[3;80HAB");
	CHECK_EQ(glyph(2, 79), 'B');
	AT(2, 79);
}

TEST(scrolls_at_the_bottom)
{
	fill();
	AT(24, 7);
	more("\r\nnext");
	CHECK_STR(line(0), "line 01");
	CHECK_STR(line(23), "line 24");
	CHECK_STR(line(24), "next");
	fill();
	more("\033[H\033M");
	CHECK_STR(line(0), "");
	CHECK_STR(line(1), "line 00");
	CHECK_STR(line(24), "line 23");
}

TEST(scroll_region)
{
	fill();
	more("\033[3;5r");
	AT(0, 0);
	more("\033[5;1H\n");
	CHECK_STR(line(1), "line 01");
	CHECK_STR(line(2), "line 03");
	CHECK_STR(line(4), "");
	CHECK_STR(line(5), "line 05");
	more("\033[3;1H\033M");
	CHECK_STR(line(2), "");
	CHECK_STR(line(3), "line 03");
	more("\033[4;1H\033[L");
	CHECK_STR(line(3), "");
	CHECK_STR(line(4), "line 03");
	more("\033[3;1H\033[2M");
	CHECK_STR(line(2), "line 03");
	CHECK_STR(line(4), "");
	CHECK_STR(line(5), "line 05");
	more("\033[20;1H\033[M\033[L"); /* outside: nothing */
	CHECK_STR(line(19), "line 19");
	more("\033[25;1H\n");
	CHECK_STR(line(24), "line 24");
	more("\033[S");
	CHECK_STR(line(2), "");
	more("\033[?6h\033[2;1Hx\033[9;9Hy");
	CHECK_STR(line(3), "x");
	CHECK_EQ(glyph(4, 8), 'y');
	more("\033[5;3r\033[r\033[?6l\033[99;99H"); /* upside down: no region */
	AT(24, 79);
}

TEST(cursor_movement)
{
	start("\033[10;20H");
	AT(9, 19);
	more("\033[3A\033[2C");
	AT(6, 21);
	more("\033[B\033[5D");
	AT(7, 16);
	more("\033[99A\033[0D");
	AT(0, 15);
	more("\033[5E");
	AT(5, 0);
	more("\033[7G\033[12d");
	AT(11, 6);
	more("\033[F");
	AT(10, 0);
	more("\033[5;70f\033[99C");
	AT(4, 79);
	more("\0337\033[H\033[1m\0338");
	AT(4, 79);
	CHECK(!vt->cur.pen.bold);
	more("\033[H\033[2I");
	AT(0, 16);
	more("x\033[Z");
	AT(0, 16);
	more("\033[2Z");
	AT(0, 0);
	more("\033[3g\t");
	AT(0, 79);
	more("\033[5G\033H\r\t");
	AT(0, 4);
}

TEST(erasing_and_shifting)
{
	start("0123456789\033[1;4H\033[2P");
	CHECK_STR(line(0), "01256789");
	more("\033[3@");
	CHECK_STR(line(0), "012   56789");
	more("\033[2X\033[1K");
	CHECK_STR(line(0), "      56789");
	more("\033[8G\033[K");
	CHECK_STR(line(0), "      5");
	more("\033[2K");
	CHECK_STR(line(0), "");
	more("\rab\r\033[4hX\033[4lY");
	CHECK_STR(line(0), "XYb");
	more("\rq\033[5b");
	CHECK_STR(line(0), "qqqqqq");
	fill();
	more("\033[3;3H\033[J");
	CHECK_STR(line(1), "line 01");
	CHECK_STR(line(2), "li");
	CHECK_STR(line(3), "");
	fill();
	more("\033[3;3H\033[1J");
	CHECK_STR(line(1), "");
	CHECK_STR(line(2), "   e 02");
	CHECK_STR(line(3), "line 03");
	more("\033[2J");
	CHECK_STR(line(3), "");
	AT(2, 2);
}

TEST(colours)
{
	start("a\033[1mb\033[0;31mc\033[44md\033[7me\033[27;39;49mf\033[4mg\033[24;92mh\033[m");
	CHECK_EQ(attr(0, 0), 0x07);
	CHECK_EQ(attr(0, 1), 0x0f);
	CHECK_EQ(attr(0, 2), 0x04);
	CHECK_EQ(attr(0, 3), 0x14);
	CHECK_EQ(attr(0, 4), 0x41);
	CHECK_EQ(attr(0, 5), 0x07);
	CHECK_EQ(attr(0, 6), 0x03);
	CHECK_EQ(attr(0, 7), 0x0a);
	start("\033[38;5;9ma\033[38;5;21mb\033[48;2;0;255;0mc\033[0;2md\033[0;38;5;235me\033[;5mf");
	CHECK_EQ(attr(0, 0), 0x0c);
	CHECK_EQ(attr(0, 1), 0x09);
	CHECK_EQ(attr(0, 2), 0x29);
	CHECK_EQ(attr(0, 3), 0x08);
	CHECK_EQ(attr(0, 4), 0x00);
	CHECK_EQ(attr(0, 5), 0x87);
	start("\033[44m\033[K");
	CHECK_EQ(attr(0, 79), 0x17);
	start("\033[>4;2ma\033[?1;4mb"); /* not colours */
	CHECK_EQ(attr(0, 0), 0x07);
	CHECK_EQ(attr(0, 1), 0x07);
}

TEST(character_sets)
{
	start("\xc3\xa4\xe2\x94\x80\xf0\x9f\x98\x80"
	      "e\xcc\x81"
	      "\xff\xc3x\xe2\x80\x94");
	CHECK_EQ(glyph(0, 0), 0x84);
	CHECK_EQ(glyph(0, 1), 0xc4);
	CHECK_EQ(glyph(0, 2), '?');
	CHECK_EQ(glyph(0, 3), 'e');
	CHECK_EQ(glyph(0, 4), '?');
	CHECK_EQ(glyph(0, 5), '?');
	CHECK_EQ(glyph(0, 6), 'x');
	CHECK_EQ(glyph(0, 7), '-');
	start("\033(0lqkx\033(Blqk\033)0\016j\017j");
	CHECK_EQ(glyph(0, 0), 0xda);
	CHECK_EQ(glyph(0, 1), 0xc4);
	CHECK_EQ(glyph(0, 2), 0xbf);
	CHECK_EQ(glyph(0, 3), 0xb3);
	CHECK_EQ(glyph(0, 4), 'l');
	CHECK_EQ(glyph(0, 7), 0xd9);
	CHECK_EQ(glyph(0, 8), 'j');
	for (unsigned c = 0x20; c < 0x7f; c++)
		CHECK_EQ(cp437_glyph(c), c);
}

TEST(alternate_screen)
{
	start("shell\r\n$ vi\033[?1049h");
	CHECK_STR(line(0), "");
	more("\033[Htext\033[5;5H\033[?1049h\033[?1049l");
	CHECK_STR(line(0), "shell");
	CHECK_STR(line(1), "$ vi");
	AT(1, 4);
}

TEST(modes_and_answers)
{
	char buf[64];

	start("\033[?1h\033[?25l");
	CHECK(vt->app_cursor);
	CHECK(vt->hidden);
	more("\033[?12l\033[?25h\033[?1l");
	CHECK(!vt->app_cursor);
	CHECK(!vt->hidden);
	CHECK_EQ(vt_reply(vt, buf, sizeof(buf)), 0);
	more("\033[999;999H\033[6n");
	buf[vt_reply(vt, buf, sizeof(buf))] = 0;
	CHECK_STR(buf, "\033[25;80R");
	more("\033[c");
	CHECK_EQ(vt_reply(vt, buf, 2), 2);
	buf[vt_reply(vt, buf, sizeof(buf))] = 0;
	CHECK_STR(buf, "?6c");
	for (unsigned i = 0; i < 100; i++)
		more("\033[c");
	CHECK_EQ(vt_reply(vt, buf, sizeof(buf)) % 5, 0);
	more("\033[1;4;31m\033[2;3r\033[!p");
	CHECK_EQ(vt->bottom, VT_ROWS - 1);
	CHECK(!vt->cur.pen.bold);
}

TEST(what_is_unknown_is_swallowed)
{
	start("a\033]0;title\007b\033]2;t\033\\c\033P1$r\033\\d\033[1;2;3yE\033#8f\033%Gg\033[ "
	      "qh\033=i");
	CHECK_STR(line(0), "abcdEfghi");
	start("a\036kkernel"); /* the mark of a message */
	CHECK_STR(line(0), "akernel");
	start("a\036BEGIN");
	CHECK_STR(line(0), "aBEGIN");
	start("a\033[3\030b\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;7mc");
	CHECK_STR(line(0), "abc");
	start("\033[4\nCx"); /* a control character inside of a sequence works at once */
	AT(1, 5);
}

/* Any bytes: nothing beside the screen is written, and what must hold for the cursor holds. */
TEST(nonsense)
{
	static const char pieces[] =
		"\033\033\033[[[[;;;0123456789?>!:ABCDEFGHIJKLMPSTXZ@`abcdefghlmnrsu"
		"\r\n\t\b\016\017\036k78=cM()\x9b\xc3\xa4\xe2\x80";

	start("");
	for (unsigned i = 0; i < 200000; i++) {
		char text[16];
		size_t n = 1 + test_random() % sizeof(text);

		for (size_t k = 0; k < n; k++)
			text[k] = test_random() % 8 ? pieces[test_random() % (sizeof(pieces) - 1)]
						    : (char)test_random();
		vt_write(vt, text, n);
		if (vt->cur.row >= VT_ROWS || vt->cur.col >= VT_COLS || vt->top >= vt->bottom ||
		    vt->bottom >= VT_ROWS || vt->reply_len > sizeof(vt->reply)) {
			CHECK_THAT(0, "step %u: row %u col %u region %u to %u", i, vt->cur.row,
				   vt->cur.col, vt->top, vt->bottom);
			break;
		}
	}
	for (unsigned i = 0; i < sizeof(mem.before); i++) {
		CHECK_EQ(mem.before[i], 0x5a);
		CHECK_EQ(mem.after[i], 0x5a);
	}
}
