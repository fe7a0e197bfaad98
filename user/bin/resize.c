/* SPDX-License-Identifier: MIT */
/*
 * resize [-c | -u] [-s ROWS COLS]: make the kernel's idea of the window's size right, for a
 * terminal behind a line that does not tell it (a console ring, a serial line).
 *
 * The terminal is asked: the cursor is sent to row and column 999, where it stops at the window's
 * lower right corner, and the terminal reports the place ("ESC [ row ; column R"). Where the
 * shell's variables are wanted, as on systems whose programs look at LINES and COLUMNS,
 * `eval $(resize)` sets them; -c prints commands for csh, -u for sh (the default). -s: the window
 * is to become ROWS by COLS, for terminals that can change it; then asks.
 */
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ASK "\0337\033[r\033[999;999H\033[6n"
#define BACK "\0338"
#define PATIENCE 3000 /* ms */

static int tty;
static struct termios before;

static void put_back(void)
{
	tcsetattr(tty, TCSADRAIN, &before);
}

static void on_signal(int sig)
{
	put_back();
	_exit(128 + sig);
}

/* "ESC [ ROWS ; COLS R" */
static bool parse_report(const char *report, int *rows, int *cols)
{
	char *end;

	if (strncmp(report, "\033[", 2) != 0)
		return false;
	*rows = strtol(report + 2, &end, 10);
	if (*end != ';')
		return false;
	*cols = strtol(end + 1, &end, 10);
	return *end == 'R';
}

/* Its answer, from ESC to R; anything typed before it is dropped. */
static bool read_report(int *rows, int *cols)
{
	struct pollfd wait = {.fd = tty, .events = POLLIN};
	char report[32], c;
	size_t n = 0;

	while (poll(&wait, 1, PATIENCE) > 0 && read(tty, &c, 1) == 1) {
		if (c == '\033')
			n = 0;
		if (n < sizeof(report) - 1)
			report[n++] = c;
		report[n] = '\0';
		if (c == 'R' && parse_report(report, rows, cols))
			return true;
	}
	return false;
}

static bool ask_terminal(int *rows, int *cols)
{
	bool got;

	if (!write_all(tty, ASK, strlen(ASK)))
		return false;
	got = read_report(rows, cols);
	return write_all(tty, BACK, strlen(BACK)) && got;
}

static void open_terminal(void)
{
	struct termios raw;

	tty = open("/dev/tty", O_RDWR);
	if (tty < 0)
		fatal("/dev/tty");
	if (tcgetattr(tty, &before) < 0)
		fatal("cannot read the terminal's settings");
	signal(SIGINT, on_signal);
	signal(SIGQUIT, on_signal);
	signal(SIGTERM, on_signal);
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_iflag &= ~(tcflag_t)ICRNL;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(tty, TCSAFLUSH, &raw) < 0)
		fatal("cannot change the terminal's settings");
}

static int number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (n < 1 || n > 9999 || *end)
		fatalx("%s: not a number of rows or columns", text);
	return n;
}

int main(int argc, char **argv)
{
	int rows = 0, cols = 0, opt;
	bool csh = false, set = false, ok;
	struct winsize size;
	char wish[32];

	prog_init(argv);
	while ((opt = getopt(argc, argv, "cus")) != -1) {
		if (opt == '?')
			usage("[-c | -u] [-s ROWS COLS]");
		csh = opt == 'c' || (csh && opt != 'u');
		set = set || opt == 's';
	}
	if (argc - optind != (set ? 2 : 0))
		usage("[-c | -u] [-s ROWS COLS]");
	if (set) {
		rows = number(argv[optind]);
		cols = number(argv[optind + 1]);
	}
	open_terminal();
	if (set) {
		snprintf(wish, sizeof(wish), "\033[8;%d;%dt", rows, cols);
		write_all(tty, wish, strlen(wish));
	}
	ok = ask_terminal(&rows, &cols);
	put_back();
	if (!ok)
		fatalx("the terminal does not answer");
	if (rows < 1 || cols < 1 || rows > 9999 || cols > 9999)
		fatalx("the terminal's answer, %d rows of %d, makes no sense", rows, cols);
	if (ioctl(tty, TIOCGWINSZ, &size) < 0)
		fatal("cannot read the size");
	size.ws_row = rows;
	size.ws_col = cols;
	if (ioctl(tty, TIOCSWINSZ, &size) < 0)
		fatal("cannot set the size");
	if (csh)
		printf("set noglob;\nsetenv COLUMNS '%d';\nsetenv LINES '%d';\nunset noglob;\n",
		       cols, rows);
	else
		printf("COLUMNS=%d;\nLINES=%d;\nexport COLUMNS LINES;\n", cols, rows);
	return finish();
}
