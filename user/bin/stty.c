/* SPDX-License-Identifier: MIT */
/*
 * stty [-a | -g] [setting...]: show or change the terminal on standard input. Settings: the flags
 * that -a shows (- before a name turns it off), sane, raw, cooked, cbreak, size, speed, rows N,
 * cols N, min N, time N (tenths of a second), intr ^C and the other characters, and what -g has
 * printed: all of it, as numbers.
 */
#include "../lib/util.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios tio, before;
static struct winsize ws;

static const struct flag {
	const char *name;
	tcflag_t *field;
	tcflag_t bit;
	bool sane;
} flags[] = {
	{"brkint", &tio.c_iflag, BRKINT, true},   {"ignbrk", &tio.c_iflag, IGNBRK, false},
	{"icrnl", &tio.c_iflag, ICRNL, true},     {"inlcr", &tio.c_iflag, INLCR, false},
	{"igncr", &tio.c_iflag, IGNCR, false},    {"istrip", &tio.c_iflag, ISTRIP, false},
	{"ixon", &tio.c_iflag, IXON, true},       {"ixoff", &tio.c_iflag, IXOFF, false},
	{"ixany", &tio.c_iflag, IXANY, false},    {"imaxbel", &tio.c_iflag, IMAXBEL, true},
	{"iutf8", &tio.c_iflag, IUTF8, true},     {"ocrnl", &tio.c_oflag, OCRNL, false},
	{"onocr", &tio.c_oflag, ONOCR, false},    {"onlret", &tio.c_oflag, ONLRET, false},
	{"tab3", &tio.c_oflag, TAB3, false},      {"opost", &tio.c_oflag, OPOST, true},
	{"onlcr", &tio.c_oflag, ONLCR, true},     {"isig", &tio.c_lflag, ISIG, true},
	{"icanon", &tio.c_lflag, ICANON, true},   {"iexten", &tio.c_lflag, IEXTEN, true},
	{"echo", &tio.c_lflag, ECHO, true},       {"echoe", &tio.c_lflag, ECHOE, true},
	{"echok", &tio.c_lflag, ECHOK, true},     {"echonl", &tio.c_lflag, ECHONL, false},
	{"echoctl", &tio.c_lflag, ECHOCTL, true}, {"echoke", &tio.c_lflag, ECHOKE, true},
	{"ignpar", &tio.c_iflag, IGNPAR, false},  {"inpck", &tio.c_iflag, INPCK, false},
	{"parmrk", &tio.c_iflag, PARMRK, false},  {"noflsh", &tio.c_lflag, NOFLSH, false},
	{"tostop", &tio.c_lflag, TOSTOP, false},
};

static const struct {
	const char *name;
	int index;
	unsigned char sane;
} chars[] = {
	{"intr", VINTR, 3},      {"quit", VQUIT, 28},   {"erase", VERASE, 127},
	{"kill", VKILL, 21},     {"eof", VEOF, 4},      {"start", VSTART, 17},
	{"stop", VSTOP, 19},     {"susp", VSUSP, 26},   {"rprnt", VREPRINT, 18},
	{"werase", VWERASE, 23}, {"lnext", VLNEXT, 22}, {"eol", VEOL, 0},
	{"eol2", VEOL2, 0},
};

static void show(bool everything)
{
	printf("rows %u; columns %u;\n", ws.ws_row, ws.ws_col);
	for (size_t i = 0; i < ARRAY_LEN(chars); i++) {
		unsigned char c = tio.c_cc[chars[i].index];

		if (!everything && c == chars[i].sane)
			continue;
		if (c == 0)
			printf("%s = <undef>; ", chars[i].name);
		else if (c < ' ' || c == 127)
			printf("%s = ^%c; ", chars[i].name, c ^ 64);
		else
			printf("%s = %c; ", chars[i].name, c);
	}
	if (!(tio.c_lflag & ICANON))
		printf("min = %d; time = %d; ", tio.c_cc[VMIN], tio.c_cc[VTIME]);
	putchar_unlocked('\n');
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		bool on = *flags[i].field & flags[i].bit;

		if (everything || on != flags[i].sane)
			printf("%s%s ", on ? "" : "-", flags[i].name);
	}
	putchar_unlocked('\n');
}

/* For a later stty: the flags and the characters, in hexadecimal. */
static void save(void)
{
	printf("%x:%x:%x:%x", tio.c_iflag, tio.c_oflag, tio.c_cflag, tio.c_lflag);
	for (int i = 0; i < NCCS; i++)
		printf(":%x", tio.c_cc[i]);
	putchar('\n');
}

/* What save() has printed; false, with nothing changed, if it is something else. */
static bool restore(const char *text)
{
	unsigned long field[4 + NCCS] = {0};
	char *end;

	for (int i = 0; i < 4 + NCCS; i++) {
		if (!isxdigit((unsigned char)*text))
			return false;
		field[i] = strtoul(text, &end, 16);
		if (*end != (i < 3 + NCCS ? ':' : 0))
			return false;
		text = end + 1;
	}
	tio.c_iflag = (tcflag_t)field[0];
	tio.c_oflag = (tcflag_t)field[1];
	tio.c_cflag = (tcflag_t)field[2];
	tio.c_lflag = (tcflag_t)field[3];
	for (int i = 0; i < NCCS; i++)
		tio.c_cc[i] = (cc_t)field[4 + i];
	return true;
}

static void make_sane(void)
{
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		*flags[i].field &= ~flags[i].bit;
		if (flags[i].sane)
			*flags[i].field |= flags[i].bit;
	}
	for (size_t i = 0; i < ARRAY_LEN(chars); i++)
		tio.c_cc[chars[i].index] = chars[i].sane;
	tio.c_cc[VMIN] = 1;
	tio.c_cc[VTIME] = 0;
}

static void make_raw(void)
{
	tio.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | ISTRIP | IXON);
	tio.c_oflag &= ~(tcflag_t)OPOST;
	tio.c_lflag &= ~(tcflag_t)(ISIG | ICANON | IEXTEN);
	tio.c_cc[VMIN] = 1;
	tio.c_cc[VTIME] = 0;
}

static unsigned char parse_char(const char *text)
{
	if (text[0] == '^' && text[1] == '-')
		return 0;
	if (text[0] == '^' && text[1])
		return text[1] == '?' ? 127 : text[1] & 31;
	return (unsigned char)text[0];
}

/* Apply one setting; returns how many arguments it took, 0 if there is no such. */
static int apply(char **arg)
{
	bool on = arg[0][0] != '-';
	const char *name = arg[0] + !on;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (strcmp(name, flags[i].name) != 0)
			continue;
		*flags[i].field &= ~flags[i].bit;
		if (on)
			*flags[i].field |= flags[i].bit;
		return 1;
	}
	for (size_t i = 0; on && arg[1] && i < ARRAY_LEN(chars); i++) {
		if (strcmp(name, chars[i].name) == 0) {
			tio.c_cc[chars[i].index] = parse_char(arg[1]);
			return 2;
		}
	}
	if (strcmp(name, "sane") == 0 || strcmp(arg[0], "-raw") == 0 ||
	    strcmp(name, "cooked") == 0) {
		make_sane();
	} else if (strcmp(name, "raw") == 0) {
		make_raw();
	} else if (strcmp(name, "cbreak") == 0) {
		tio.c_lflag = on ? tio.c_lflag & ~(tcflag_t)ICANON : tio.c_lflag | ICANON;
		tio.c_cc[VMIN] = 1;
		tio.c_cc[VTIME] = 0;
	} else if ((strcmp(name, "min") == 0 || strcmp(name, "time") == 0) && arg[1]) {
		tio.c_cc[name[0] == 'm' ? VMIN : VTIME] = (cc_t)parse_number(arg[1], name);
		return 2;
	} else if ((strcmp(name, "rows") == 0 || strncmp(name, "col", 3) == 0) && arg[1]) {
		unsigned short n = (unsigned short)parse_number(arg[1], "size");

		if (name[0] == 'r')
			ws.ws_row = n;
		else
			ws.ws_col = n;
		if (ioctl(0, TIOCSWINSZ, &ws) < 0)
			fatal("standard input");
		return 2;
	} else {
		return restore(arg[0]);
	}
	return 1;
}

int main(int argc, char **argv)
{
	prog_init(argv);
	if (tcgetattr(0, &tio) < 0)
		fatal("standard input");
	before = tio;
	ioctl(0, TIOCGWINSZ, &ws);
	if (argc == 1 || (argc == 2 && strcmp(argv[1], "-a") == 0)) {
		show(argc == 2);
		return finish();
	}
	if (strcmp(argv[1], "-g") == 0) {
		save();
		return finish();
	}
	if (strcmp(argv[1], "speed") == 0) {
		puts("38400"); /* nothing here has one */
		return finish();
	}
	if (strcmp(argv[1], "size") == 0) {
		printf("%u %u\n", ws.ws_row, ws.ws_col);
		return finish();
	}
	for (int i = 1; i < argc;) {
		int used = apply(argv + i);

		if (!used)
			fatalx("%s: unknown setting", argv[i]);
		i += used;
	}
	/* From the background the size may be changed, and nothing else. */
	if (memcmp(&tio, &before, sizeof(tio)) != 0 && tcsetattr(0, TCSADRAIN, &tio) < 0)
		fatal("standard input");
	return finish();
}
