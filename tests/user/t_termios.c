/* SPDX-License-Identifier: MIT */
/*
 * Terminal settings, flag by flag: what becomes of typed bytes, what is echoed, what becomes of
 * output. Reading by count and time, flow and flushing are in t_termios_io.c.
 */
#include "termios.h"

#define LINES (ICANON | IEXTEN)

/* Type, and compare what is read and what is shown. */
#define TYPED(typed, read, shown)                 \
	do {                                      \
		CHECK(type(typed));               \
		CHECK_STR(gets_line(), read);     \
		CHECK_THAT(shows(shown), #typed); \
	} while (0)

/* ---- c_iflag ---- */

TEST(carriage_returns)
{
	static const struct {
		tcflag_t flags;
		const char *read;
	} cases[] = {
		{0, "a\rb\nc"},     {ICRNL, "a\nb\nc"},
		{INLCR, "a\rb\rc"}, {ICRNL | INLCR, "a\nb\rc"},
		{IGNCR, "ab\nc"},   {IGNCR | ICRNL | INLCR, "ab\rc"},
	};

	REQUIRE(begin(0, 0, 0));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char buf[16] = "";
		size_t got = 0, len = strlen(cases[i].read);

		set_flags(cases[i].flags, 0, 0);
		CHECK(type("a\rb\nc"));
		while (got < len && comes(slave, PATIENCE))
			got += read(slave, buf + got, sizeof(buf) - got);
		CHECK_STR(buf, cases[i].read);
	}
	finish();
}

TEST(eighth_bits)
{
	REQUIRE(begin(ISTRIP, 0, 0));
	TYPED("\341b", "ab", "");
	set_flags(0, 0, 0);
	TYPED("\341b", "\341b", "");
	finish();
}

/* A byte 0377 could be the mark of an error: with PARMRK it is doubled, unless stripped. */
TEST(marked_bytes)
{
	REQUIRE(begin(PARMRK, 0, 0));
	set_min_time(3, 0);
	TYPED("\377b", "\377\377b", "");
	set_flags(PARMRK | ISTRIP, 0, 0);
	set_min_time(2, 0);
	TYPED("\377b", "\177b", "");
	set_flags(0, 0, 0);
	set_min_time(2, 0);
	TYPED("\377b", "\377b", "");
	set_flags(PARMRK, 0, LINES);
	TYPED("x\377\n", "x\377\377\n", "");
	finish();
}

/* Breaks and parity are nothing that a pseudo-terminal could see: the flags are kept, no more. */
TEST(flags_for_real_lines_are_kept)
{
	const tcflag_t all = IGNBRK | BRKINT | IGNPAR | INPCK;
	struct termios t;

	REQUIRE(begin(all, 0, 0));
	CHECK_EQ(tcgetattr(slave, &t), 0);
	CHECK_EQ(t.c_iflag & all, all);
	CHECK(type("a\0b"));
	CHECK_STR(gets_line(), "a");
	CHECK_EQ(write(master, "\0c", 2), 2); /* a NUL is a byte, not a break */
	CHECK(comes(slave, PATIENCE));
	finish();
}

TEST(characters_of_several_bytes)
{
	REQUIRE(begin(IUTF8, 0, LINES | ECHO | ECHOE));
	TYPED("a\303\244\177b\n", "ab\n", "a\303\244\b \bb\n");
	set_flags(0, 0, LINES | ECHO | ECHOE);
	TYPED("a\303\244\177\177b\n", "ab\n", "a\303\244\b \b\b \bb\n");
	finish();
}

/* ---- canonical input ---- */

TEST(lines)
{
	char c[3];

	REQUIRE(begin(0, 0, LINES));
	CHECK(type("one"));
	CHECK_STR(gets_within(QUIET), "<nothing>");
	CHECK(type(" line\nand another\nrest"));
	CHECK_STR(gets_line(), "one line\n");
	CHECK_EQ(read(slave, c, 3), 3); /* a part of a line */
	CHECK_STR(gets_line(), " another\n");
	CHECK_STR(gets_within(QUIET), "<nothing>");
	CHECK(type("\n"));
	CHECK_STR(gets_line(), "rest\n");
	finish();
}

TEST(end_of_file)
{
	REQUIRE(begin(0, 0, LINES | ECHO));
	TYPED("\004", "<end>", "");
	TYPED("ab\004", "ab", "ab"); /* ends the line only */
	CHECK(type("cd\n\004"));
	CHECK_STR(gets_line(), "cd\n");
	CHECK_STR(gets_line(), "<end>");
	CHECK(shows("cd\n"));
	set_char(VEOF, 'E');
	TYPED("x\004E", "x\004", "x\004");
	set_char(VEOF, _POSIX_VDISABLE);
	TYPED("xE\n", "xE\n", "xE\n");
	finish();
}

TEST(other_ends_of_line)
{
	REQUIRE(begin(0, 0, LINES | ECHO));
	set_char(VEOL, '.');
	set_char(VEOL2, ';');
	TYPED("a.", "a.", "a.");
	TYPED("b;", "b;", "b;");
	set_flags(0, 0, ICANON);
	TYPED("c;d.", "c;d.", ""); /* the second one is an extension */
	set_char(VEOL, _POSIX_VDISABLE);
	TYPED("e.f\n", "e.f\n", "");
	finish();
}

TEST(erasing)
{
	REQUIRE(begin(0, 0, LINES | ECHO | ECHOE));
	TYPED("abc\177\177d\n", "ad\n", "abc\b \b\b \bd\n");
	TYPED("\177\n", "\n", "\n"); /* nothing there */
	TYPED("two words\027X\n", "two X\n", "two words\b \b\b \b\b \b\b \b\b \bX\n");
	set_char(VERASE, 'e');
	TYPED("abe\177\n", "a\177\n", "ab\b \b\177\n");
	/* A finished line is not touched any more. */
	CHECK(type("past\nee\025\027x\n"));
	CHECK_STR(gets_line(), "past\n");
	CHECK_STR(gets_line(), "x\n");
	finish();
}

TEST(killing_a_line)
{
	REQUIRE(begin(0, 0, LINES | ECHO | ECHOE | ECHOK | ECHOKE));
	TYPED("abc\025d\n", "d\n", "abc\b \b\b \b\b \bd\n");
	set_flags(0, 0, LINES | ECHO | ECHOK | ECHOCTL);
	TYPED("abc\025d\n", "d\n", "abc^U\nd\n");
	set_flags(0, 0, LINES | ECHO | ECHOCTL);
	TYPED("abc\025d\n", "d\n", "abc^Ud\n");
	set_flags(0, 0, LINES);
	TYPED("abc\025d\n", "d\n", "");
	finish();
}

TEST(taken_literally)
{
	REQUIRE(begin(ICRNL, 0, LINES | ISIG | ECHO | ECHOCTL));
	TYPED("a\026\003\026\004\026\177b\n", "a\003\004\177b\n", "a^\b^C^\b^D^\b^?b\n");
	set_flags(ICRNL, 0, LINES);
	TYPED("a\026\r\026\nb\n", "a\r\nb\n", "");
	set_flags(0, 0, ICANON | ECHO); /* without IEXTEN an ordinary byte */
	TYPED("a\026b\n", "a\026b\n", "a\026b\n");
	finish();
}

TEST(showing_the_line_again)
{
	REQUIRE(begin(0, 0, LINES | ECHO | ECHOCTL));
	TYPED("ab\022c\n", "abc\n", "ab^R\nabc\n");
	finish();
}

/* 4095 bytes and the newline; what is typed beyond that is lost, the end is not. */
TEST(a_very_long_line)
{
	char part[101];
	const char *got;

	REQUIRE(begin(0, 0, LINES));
	memset(part, 'x', sizeof(part) - 1);
	part[sizeof(part) - 1] = 0;
	for (int i = 0; i < 50; i++)
		CHECK(type(part));
	CHECK(type("y\n"));
	got = gets_line();
	CHECK_EQ(strlen(got), 4096);
	CHECK(got[4095] == '\n' && got[4094] == 'x');
	TYPED("next\n", "next\n", "");
	finish();
}

TEST(editing_needs_canonical_mode)
{
	REQUIRE(begin(0, 0, IEXTEN));
	set_min_time(6, 0);
	TYPED("a\177\025\004\026\027", "a\177\025\004\026\027", "");
	finish();
}

TEST(typed_ahead_of_a_change)
{
	REQUIRE(begin(0, 0, LINES));
	CHECK(type("whole\npart"));
	CHECK_STR(gets_line(), "whole\n");
	set_flags(0, 0, 0); /* without lines it can be read */
	CHECK_STR(gets_line(), "part");
	CHECK(type("ab"));
	CHECK(comes(slave, PATIENCE));
	sleep_ms(QUIET);
	set_flags(0, 0, LINES);
	CHECK(type("\n"));
	for (size_t got = 0; got < 3;) { /* in one piece or in two */
		char buf[8];
		ssize_t n = comes(slave, PATIENCE) ? read(slave, buf, sizeof(buf)) : 0;

		REQUIRE(n > 0);
		CHECK(memcmp(buf, &"ab\n"[got], n) == 0);
		got += n;
	}
	finish();
}

/* ---- echo ---- */

TEST(echo_flags)
{
	REQUIRE(begin(0, 0, LINES | ECHO));
	TYPED("a\001\tb\177c\n", "a\001\tc\n", "a\001\tb\177c\n"); /* ^A and DEL as they are */
	set_flags(0, 0, LINES | ECHO | ECHOCTL);
	TYPED("a\001\tb\177c\n", "a\001\tc\n", "a^A\tb^?c\n");
	set_flags(0, 0, LINES | ECHO | ECHOE | ECHOCTL);
	TYPED("a\001\177b\n", "ab\n", "a^A\b \b\b \bb\n");
	set_flags(0, 0, LINES);
	TYPED("abc\177\n", "ab\n", "");
	set_flags(0, 0, LINES | ECHONL);
	TYPED("abc\n", "abc\n", "\n");
	set_flags(0, 0, ECHONL); /* for lines only */
	set_min_time(2, 0);
	TYPED("a\n", "a\n", "");
	set_flags(0, 0, ECHO);
	set_min_time(3, 0);
	TYPED("a\001\n", "a\001\n", "a\001\n");
	set_flags(0, OPOST | ONLCR, LINES | ECHO);
	TYPED("a\n", "a\n", "a\r\n"); /* the echo is output */
	finish();
}

/* ---- c_oflag ---- */

static void written(tcflag_t flags, const char *text, const char *shown)
{
	size_t n = strlen(text);

	set_flags(0, flags, 0);
	CHECK_EQ(write(slave, text, n), n);
	CHECK_THAT(shows(shown), "with flags 0%o", (unsigned)flags);
}

TEST(output_flags)
{
	REQUIRE(begin(0, 0, 0));
	written(0, "a\nb\tc\rd", "a\nb\tc\rd");
	written(ONLCR, "a\nb", "a\nb"); /* not without OPOST */
	written(OPOST, "\ra\nb\tc\rd", "\ra\nb\tc\rd");
	written(OPOST | ONLCR, "a\nb\n", "a\r\nb\r\n");
	written(OPOST | OCRNL, "a\rb", "a\nb");
	written(OPOST | ONLCR | TAB3, "\na\tb\n\tc", "\r\na       b\r\n        c");
	written(OPOST | ONLCR | ONOCR, "\n\ra\rb\r\r", "\r\na\rb\r");
	written(OPOST | ONLRET | TAB3, "\nab\n\tc", "\nab\n        c");
	written(OPOST | TAB3, "\rabc\b\b\tc", "\rabc\b\b       c");
	finish();
}

/* ---- c_lflag ISIG, NOFLSH ---- */

static const int keys[][2] = {{3, SIGINT}, {034, SIGQUIT}, {26, SIGTSTP}};

/* In a session on the terminal, whose only process this is. The signal that comes, or 0. */
static int signal_within(int ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
	sigset_t set;
	int sig;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		sigaddset(&set, keys[i][1]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (ms == 0)
		return 0;
	sig = sigtimedwait(&set, NULL, &time);
	return sig < 0 ? 0 : sig;
}

#define IN_SESSION(...)                                                  \
	CHECK_EXIT(CHILD_STATUS({                                        \
			   CHILD_CHECK(setsid() > 0);                    \
			   CHILD_CHECK(ioctl(slave, TIOCSCTTY, 0) == 0); \
			   signal_within(0);                             \
			   __VA_ARGS__;                                  \
		   }),                                                   \
		   0)

TEST(signals_of_keys)
{
	REQUIRE(begin(0, 0, LINES | ISIG | ECHO | ECHOCTL));
	IN_SESSION({
		for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
			char shown[3] = {'^', (char)(keys[i][0] ^ 64), 0};
			char c = (char)keys[i][0];

			CHILD_CHECK(type("lost") && shows("lost"));
			CHILD_CHECK(write(master, &c, 1) == 1);
			CHILD_CHECK(signal_within(PATIENCE) == keys[i][1]);
			CHILD_CHECK(shows(shown));
			CHILD_CHECK(type("kept\n"));
			CHILD_CHECK(strcmp(gets_line(), "kept\n") == 0);
			CHILD_CHECK(shows("kept\n"));
		}
	});
	finish();
}

TEST(keys_without_signals)
{
	REQUIRE(begin(0, 0, LINES));
	IN_SESSION({
		CHILD_CHECK(type("a\003b\034c\032\n"));
		CHILD_CHECK(strcmp(gets_line(), "a\003b\034c\032\n") == 0);
		CHILD_CHECK(signal_within(QUIET) == 0);
		/* A character that is switched off. */
		set_flags(0, 0, LINES | ISIG);
		set_char(VINTR, _POSIX_VDISABLE);
		set_char(VQUIT, 'Q');
		CHILD_CHECK(write(master, "a\003\034\0\n", 5) == 5);
		CHILD_CHECK(comes(slave, PATIENCE));
		CHILD_CHECK(read(slave, (char[8]){0}, 8) == 5);
		CHILD_CHECK(signal_within(QUIET) == 0);
		CHILD_CHECK(type("Q"));
		CHILD_CHECK(signal_within(PATIENCE) == SIGQUIT);
		/* They work without canonical mode, too. */
		set_flags(0, 0, ISIG);
		CHILD_CHECK(type("Q"));
		CHILD_CHECK(signal_within(PATIENCE) == SIGQUIT);
	});
	finish();
}

TEST(signals_that_flush_nothing)
{
	REQUIRE(begin(0, 0, LINES | ISIG | NOFLSH));
	IN_SESSION({
		CHILD_CHECK(type("one\ntwo\003three\n"));
		CHILD_CHECK(signal_within(PATIENCE) == SIGINT);
		CHILD_CHECK(strcmp(gets_line(), "one\n") == 0);
		CHILD_CHECK(strcmp(gets_line(), "twothree\n") == 0);
		set_flags(0, 0, LINES | ISIG);
		CHILD_CHECK(type("one\ntwo\003three\n"));
		CHILD_CHECK(signal_within(PATIENCE) == SIGINT);
		CHILD_CHECK(strcmp(gets_line(), "three\n") == 0);
	});
	finish();
}
