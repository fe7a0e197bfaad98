/* SPDX-License-Identifier: MIT */
/*
 * The line discipline: what is typed, what the screen shows, what a program reads. The screen is a
 * small model of a terminal, so that editing is judged by what a person would see.
 *
 * SOURCES: kernel/tty/ldisc.c
 */
#include "test.h"

#include "../../kernel/tty/ldisc.h"

#include <parvix/signal.h>
#include <string.h>

static struct tty tty;
static char shown[65536]; /* bytes as the device got them */
static size_t nr_shown;
static size_t device_takes = ~0ul; /* at most so many bytes a call */

static size_t dev_write(struct tty_device *dev, const char *buf, size_t n)
{
	(void)dev;
	n = min(n, device_takes);
	n = min(n, sizeof(shown) - 1 - nr_shown);
	memcpy(shown + nr_shown, buf, n);
	nr_shown += n;
	shown[nr_shown] = 0;
	return n;
}

static struct tty_device device = {.write = dev_write};

static void start(void)
{
	memset(&tty, 0, sizeof(tty));
	tty.dev = &device;
	device_takes = ~0ul;
	nr_shown = 0;
	shown[0] = 0;
	ldisc_init(&tty);
}

static int type_bytes(const char *s, size_t n)
{
	int sig = 0;

	for (size_t i = 0; i < n; i++) {
		int got = ldisc_input(&tty, s[i]);

		sig = got ? got : sig;
	}
	ldisc_flush(&tty);
	return sig;
}

static int type(const char *s)
{
	return type_bytes(s, strlen(s));
}

/* What a read of @n bytes returns, as a string; "<eof>" for none at an end of file, "<wait>". */
static const char *reads(size_t n)
{
	static char buf[TTY_BUF + 1];
	bool eof;
	size_t got;

	if (!ldisc_ready(&tty))
		return "<wait>";
	got = ldisc_read(&tty, buf, n, &eof);
	buf[got] = 0;
	return eof ? "<eof>" : buf;
}

/* The line of the screen on which the cursor is, blanks at its end cut off. */
static const char *screen_line(void)
{
	static char line[512];
	unsigned col = 0, end = 0;

	memset(line, ' ', sizeof(line));
	for (size_t i = 0; i < nr_shown; i++) {
		unsigned char c = shown[i];

		if (c == '\n') {
			memset(line, ' ', sizeof(line));
		} else if (c == '\r') {
			col = 0;
		} else if (c == '\b') {
			col -= col > 0;
		} else if (c == '\t') {
			col += 8 - col % 8;
		} else if (c >= ' ' && (c & 0xc0) != 0x80) {
			line[col++] = c >= 0xc0 ? 'U' : (char)c;
		}
	}
	for (unsigned i = 0; i < sizeof(line) - 1; i++)
		if (line[i] != ' ')
			end = i + 1;
	line[end] = 0;
	return line;
}

static void set_flags(tcflag_t lflag_off, tcflag_t lflag_on)
{
	struct termios t = tty.termios;

	t.c_lflag = (t.c_lflag & ~lflag_off) | lflag_on;
	ldisc_set_termios(&tty, &t);
}

TEST(a_line_is_read_when_it_is_complete)
{
	start();
	type("hel");
	CHECK_STR(reads(100), "<wait>");
	type("lo\r");
	CHECK_STR(reads(100), "hello\n");
	CHECK_STR(shown, "hello\r\n");
	CHECK_STR(reads(100), "<wait>");
}

TEST(one_read_gets_one_line)
{
	start();
	type("one\rtwo\r");
	CHECK_EQ(ldisc_readable(&tty), 8);
	CHECK_STR(reads(100), "one\n");
	CHECK_STR(reads(2), "tw");
	CHECK_STR(reads(100), "o\n");
	CHECK_STR(reads(100), "<wait>");
}

TEST(erase_word_and_kill)
{
	start();
	type("abc\x7f\x7fxy");
	CHECK_STR(screen_line(), "axy");
	type(" two  words\x17");
	CHECK_STR(screen_line(), "axy two");
	type("\x17");
	CHECK_STR(screen_line(), "axy");
	type("\x15");
	CHECK_STR(screen_line(), "");
	type("\x7f\x17\x15ok\r");
	CHECK_STR(reads(100), "ok\n");
}

TEST(erase_of_wide_things)
{
	start();
	type("a\tb\x01\xc3\xa4"); /* tab, control character, two-byte character */
	CHECK_STR(screen_line(), "a       b^AU");
	type("\x7f");
	CHECK_STR(screen_line(), "a       b^A");
	type("\x7f");
	CHECK_STR(screen_line(), "a       b");
	type("\x7f\x7fz");
	CHECK_STR(screen_line(), "az");
	type("\r");
	CHECK_STR(reads(100), "az\n");
}

TEST(erase_of_tab_behind_a_prompt)
{
	start();
	ldisc_output(&tty, "name: ", 6);
	ldisc_flush(&tty);
	type("\tx\x7f\x7fy");
	CHECK_STR(screen_line(), "name: y");
}

TEST(utf8_only_if_asked)
{
	start();
	tty.termios.c_iflag &= ~IUTF8;
	type("\xc3\xa4\x7f\r");
	CHECK_STR(reads(100), "\xc3\n");
}

TEST(echo_without_erase_flags)
{
	start();
	set_flags(ECHOE | ECHOKE, 0);
	type("ab\x7f");
	CHECK_STR(shown, "ab^?");
	type("\x15");
	CHECK_STR(shown, "ab^?^U\r\n");
	type("c\r");
	CHECK_STR(reads(100), "c\n");
}

TEST(no_echo)
{
	start();
	set_flags(ECHO, 0);
	type("secret\x7f\r");
	CHECK_STR(shown, "");
	CHECK_STR(reads(100), "secre\n");
	set_flags(0, ECHONL);
	type("x\r");
	CHECK_STR(shown, "\r\n");
}

TEST(end_of_file)
{
	start();
	type("\x04");
	CHECK_STR(reads(100), "<eof>");
	type("abc\x04");
	CHECK_STR(reads(100), "abc");
	CHECK_STR(reads(100), "<wait>");
	/* The read that just fits takes the end of file with it. */
	type("abc\x04");
	CHECK_STR(reads(3), "abc");
	CHECK_STR(reads(100), "<wait>");
	/* ... but not one that stands alone behind a line. */
	type("a\r\x04");
	CHECK_STR(reads(2), "a\n");
	CHECK_STR(reads(100), "<eof>");
	CHECK_EQ(ldisc_readable(&tty), 0);
}

TEST(literal_next)
{
	start();
	type("a\x16\x7f\x16\x03\x16\r\r");
	CHECK_STR(reads(100), "a\x7f\x03\r\n");
	type("\x16\nx\r"); /* a literal newline does not end the line */
	CHECK_STR(reads(100), "\nx\n");
}

TEST(reprint)
{
	start();
	type("abc\x12");
	CHECK_STR(shown, "abc^R\r\nabc");
	type("\x7f\r");
	CHECK_STR(reads(100), "ab\n");
}

TEST(other_ends_of_line)
{
	start();
	tty.termios.c_cc[VEOL] = ';';
	type("a;b\r");
	CHECK_STR(reads(100), "a;");
	CHECK_STR(reads(100), "b\n");
}

TEST(signals)
{
	start();
	CHECK_EQ(type("abc\x03"), SIGINT);
	CHECK_STR(screen_line(), "abc^C");
	CHECK_STR(reads(100), "<wait>");
	type("d\r");
	CHECK_STR(reads(100), "d\n");
	CHECK_EQ(type("\x1c"), SIGQUIT);
	CHECK_EQ(type("\x1a"), SIGTSTP);
	set_flags(0, NOFLSH);
	CHECK_EQ(type("x\x03y\r"), SIGINT);
	CHECK_STR(reads(100), "xy\n");
	set_flags(ISIG, 0);
	CHECK_EQ(type("\x03\r"), 0);
	CHECK_STR(reads(100), "\x03\n");
	/* A character set to 0 is none. */
	set_flags(0, ISIG);
	tty.termios.c_cc[VINTR] = 0;
	CHECK_EQ(type_bytes("\0", 1), 0);
}

TEST(mapping_of_carriage_returns)
{
	start();
	tty.termios.c_iflag &= ~ICRNL;
	type("a\rb\n");
	CHECK_STR(reads(100), "a\rb\n");
	tty.termios.c_iflag |= INLCR;
	type("c\n");
	CHECK_STR(reads(100), "<wait>");
	tty.termios.c_iflag = IGNCR;
	type("d\r\n");
	CHECK_STR(reads(100), "c\rd\n");
	tty.termios.c_iflag = ISTRIP | ICRNL;
	type("\xe1\x8d");
	CHECK_STR(reads(100), "a\n");
}

TEST(flow_control)
{
	start();
	type("\x13");
	CHECK(!ldisc_writable(&tty));
	CHECK_EQ(ldisc_output(&tty, "later", 5), 5);
	CHECK(!ldisc_flush(&tty));
	CHECK_STR(shown, "");
	type("\x11");
	CHECK_STR(shown, "later");
	CHECK_STR(reads(100), "<wait>");
	tty.termios.c_iflag |= IXANY;
	type("\x13");
	type("x");
	CHECK(!tty.stopped);
	tty.termios.c_iflag &= ~(IXON | IXANY);
	type("\x13\r");
	CHECK_STR(reads(100), "x\x13\n");
	/* An interrupt lets output go on. */
	tty.termios.c_iflag |= IXON;
	type("\x13");
	type("\x03");
	CHECK(!tty.stopped);
}

TEST(output_processing)
{
	start();
	ldisc_output(&tty, "a\nb", 3);
	ldisc_flush(&tty);
	CHECK_STR(shown, "a\r\nb");
	CHECK_EQ(tty.column, 1);
	start();
	tty.termios.c_oflag |= TAB3;
	ldisc_output(&tty, "ab\tc\b\td\r\te", 10);
	ldisc_flush(&tty);
	CHECK_STR(shown, "ab      c\b        d\r        e");
	start();
	tty.termios.c_oflag = OPOST | OCRNL | ONLRET;
	ldisc_output(&tty, "x\ry", 3);
	ldisc_flush(&tty);
	CHECK_STR(shown, "x\ny");
	CHECK_EQ(tty.column, 1);
	start();
	tty.termios.c_oflag = OPOST | ONOCR;
	ldisc_output(&tty, "\rx\r\r", 4);
	ldisc_flush(&tty);
	CHECK_STR(shown, "x\r");
	start();
	tty.termios.c_oflag = ONLCR; /* nothing without OPOST */
	ldisc_output(&tty, "a\n", 2);
	ldisc_flush(&tty);
	CHECK_STR(shown, "a\n");
}

TEST(raw_mode)
{
	start();
	set_flags(ICANON | ECHO | ISIG | IEXTEN, 0);
	type("a\x7f\x04\x03\x16");
	CHECK_EQ(ldisc_readable(&tty), 5);
	CHECK_STR(reads(2), "a\x7f");
	CHECK_STR(reads(100), "\x04\x03\x16");
	CHECK_STR(shown, "");
}

TEST(changing_modes_keeps_what_was_typed)
{
	start();
	type("line\rrest\x04tail");
	set_flags(ICANON, 0);
	CHECK_EQ(ldisc_readable(&tty), 13);
	CHECK_STR(reads(3), "lin");
	set_flags(0, ICANON);
	CHECK_STR(reads(100), "e\n");
	CHECK_STR(reads(100), "rest");
	CHECK_STR(reads(100), "tail");
	CHECK_STR(reads(100), "<wait>");
	type("x\r");
	CHECK_STR(reads(100), "x\n");
}

TEST(a_long_line_and_overflow)
{
	start();
	set_flags(ECHO, 0);
	for (unsigned i = 0; i < TTY_BUF - 1; i++)
		type("x");
	CHECK_EQ(nr_shown, 0);
	type("y"); /* one place is kept for the end of the line */
	CHECK_STR(shown, "\a");
	type("\r");
	CHECK_EQ(strlen(reads(TTY_BUF)), TTY_BUF);
	/* Full of complete lines: the rest is lost, the lines are not. */
	for (unsigned i = 0; i < TTY_BUF / 2 + 10; i++)
		type("z\r");
	for (unsigned i = 0; i < TTY_BUF / 2; i++)
		CHECK_STR(reads(100), "z\n");
	CHECK_STR(reads(100), "<wait>");
	type("again\r");
	CHECK_STR(reads(100), "again\n");
}

TEST(a_device_that_takes_little)
{
	size_t done = 0;
	char text[3000];

	start();
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = 'a' + i % 26;
	device_takes = 7;
	for (unsigned rounds = 0; done < sizeof(text) && rounds < 10000; rounds++) {
		done += ldisc_output(&tty, text + done, sizeof(text) - done);
		ldisc_flush(&tty);
	}
	while (!ldisc_flush(&tty))
		;
	CHECK_EQ(nr_shown, sizeof(text));
	CHECK_MEM(shown, text, sizeof(text));
	device_takes = 0;
	type("echo goes nowhere, but nothing breaks "
	     "............................................\r");
	CHECK_STR(reads(8), "echo goe");
}

/* Anything typed, in any mode, with a program that reads and changes modes at random. */
TEST(random_keys)
{
	static const char keys[] = "ab \t\r\n\x7f\x17\x15\x04\x16\x12\x03\x1a\x13\x11\xc3\xa4;";
	char buf[300];
	bool eof;

	start();
	for (unsigned step = 0; step < 300000; step++) {
		unsigned long r = test_random();

		if (r % 64 == 0) {
			struct termios t = tty.termios;

			t.c_lflag = test_random();
			t.c_iflag = test_random();
			t.c_oflag = test_random();
			ldisc_set_termios(&tty, &t);
		} else if (r % 64 < 4) {
			size_t n = test_random() % sizeof(buf);

			if (ldisc_ready(&tty))
				CHECK(ldisc_read(&tty, buf, n, &eof) <= n);
		} else if (r % 64 < 6) {
			ldisc_output(&tty, keys, sizeof(keys) - 1);
		} else {
			ldisc_input(&tty,
				    r & 1 << 20 ? keys[(r >> 8) % sizeof(keys)] : (char)(r >> 8));
		}
		if (r % 16 == 0)
			ldisc_flush(&tty);
		nr_shown = 0;
		REQUIRE(tty.in_tail - tty.in_head <= TTY_BUF);
		REQUIRE(tty.in_ready - tty.in_head <= tty.in_tail - tty.in_head);
		REQUIRE(tty.out_len <= TTY_OUT);
		REQUIRE(ldisc_readable(&tty) <= tty.in_ready - tty.in_head);
	}
}

/* ---- a device that keeps input (console rings) ---- */

/* Types what there is room for, a piece at a time; returns how much. */
static size_t type_with_room(const char *s, size_t n)
{
	size_t done = 0, room;

	while (done < n && (room = ldisc_input_room(&tty)) > 0) {
		room = min(room, min(n - done, (size_t)128));
		type_bytes(s + done, room);
		done += room;
	}
	return done;
}

TEST(with_room_asked_for_no_line_is_lost)
{
	static char text[65536];
	size_t sent = 0, read = 0, n;
	char line[TTY_BUF];
	bool eof;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 61 == 60 ? '\n' : 'a' + i % 26;
	start();
	while (sent < sizeof(text) || ldisc_ready(&tty)) {
		nr_shown = 0;
		sent += type_with_room(text + sent, sizeof(text) - sent);
		if (!ldisc_ready(&tty))
			break;
		n = ldisc_read(&tty, line, sizeof(line), &eof);
		CHECK_MEM(line, text + read, n);
		read += n;
	}
	CHECK_EQ(sent, sizeof(text));
	CHECK_EQ(read, sizeof(text) / 61 * 61);
}

TEST(with_room_asked_for_no_byte_is_lost)
{
	static char text[20000];
	size_t sent = 0, read = 0, n;
	struct termios raw;
	char buf[1000];
	bool eof;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i * 7;
	start();
	raw = tty.termios;
	raw.c_lflag = 0;
	raw.c_iflag = 0;
	ldisc_set_termios(&tty, &raw);
	CHECK_EQ(type_with_room(text, sizeof(text)), TTY_BUF);
	sent = TTY_BUF;
	while (ldisc_ready(&tty)) {
		n = ldisc_read(&tty, buf, sizeof(buf), &eof);
		CHECK_MEM(buf, text + read, n);
		read += n;
		sent += type_with_room(text + sent, sizeof(text) - sent);
	}
	CHECK_EQ(read, sizeof(text));
}

TEST(marked_bytes_have_room_or_are_not_let_in)
{
	static char text[3 * TTY_BUF];
	size_t sent = 0, got = 0;
	struct termios t = {0};
	char buf[1000];
	bool eof;

	memset(text, 0xff, sizeof(text));
	start();
	t.c_iflag = PARMRK;
	ldisc_set_termios(&tty, &t);
	do {
		sent += type_with_room(text + sent, sizeof(text) - sent);
		got += ldisc_read(&tty, buf, sizeof(buf), &eof);
	} while (ldisc_ready(&tty));
	CHECK_EQ(sent, sizeof(text));
	CHECK_EQ(got, 2 * sizeof(text));
}

TEST(who_types_is_told_to_stop_and_go_on)
{
	struct termios t;
	char buf[TTY_BUF];
	bool eof;

	start();
	t = tty.termios;
	t.c_lflag = 0;
	t.c_iflag = IXOFF;
	ldisc_set_termios(&tty, &t);
	type_bytes(memset(buf, 'x', sizeof(buf)), TTY_BUF / 4 * 3);
	CHECK_STR(shown, "");
	device_takes = 0; /* it is said once the device takes it */
	type("x");
	device_takes = ~0ul;
	type("xx");
	CHECK_STR(shown, "\x13");
	device_takes = 0;
	ldisc_read(&tty, buf, TTY_BUF, &eof);
	CHECK_STR(shown, "\x13");
	device_takes = ~0ul;
	ldisc_flush(&tty);
	CHECK_STR(shown, "\x13\x11");
	/* A line that nobody can read yet must be allowed to end. */
	t.c_lflag = ICANON;
	ldisc_set_termios(&tty, &t);
	type_bytes(memset(buf, 'x', sizeof(buf)), TTY_BUF - 10);
	type("\n");
	CHECK_STR(shown, "\x13\x11\x13");
}

TEST(a_line_that_fills_the_buffer_can_still_be_ended)
{
	char line[TTY_BUF];
	bool eof;

	start();
	for (unsigned i = 0; i < TTY_BUF + 100; i++) {
		nr_shown = 0;
		CHECK(ldisc_input_room(&tty) > 0);
		type("x");
	}
	type("\r");
	CHECK_EQ(ldisc_read(&tty, line, sizeof(line), &eof), TTY_BUF);
}

TEST(input_waits_for_its_echo)
{
	start();
	device_takes = 0;
	while (ldisc_input_room(&tty) > 0)
		type("\t");
	CHECK(tty.out_len <= TTY_OUT);
	CHECK(tty.in_tail - tty.in_head <= TTY_OUT); /* the echo, not the buffer, was full */
	device_takes = ~0ul;
	ldisc_flush(&tty);
	CHECK(ldisc_input_room(&tty) > 0);
	tty.stopped = true; /* ^S: it must be possible to type ^Q */
	tty.out_len = TTY_OUT;
	CHECK(ldisc_input_room(&tty) > 0);
}
