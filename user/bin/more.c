/* SPDX-License-Identifier: MIT */
/*
 * more [file...]: show text a screen at a time. Space: next screen, Enter: next line, q: enough,
 * /text: go on to a line with the text. When the output is no terminal it copies, as cat does.
 */
#include "../lib/util.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int keys = -1; /* the terminal, to read keys from: standard input may be the text */
static struct termios saved;
static int rows = 24, cols = 80;
static char *search;

static void restore(void)
{
	if (keys >= 0)
		tcsetattr(keys, TCSADRAIN, &saved);
}

static void on_signal(int sig)
{
	restore();
	signal(sig, SIG_DFL);
	raise(sig);
}

static bool set_up(void)
{
	struct termios raw;
	struct winsize ws;

	keys = open("/dev/tty", O_RDONLY);
	if (keys < 0 || tcgetattr(keys, &saved) < 0)
		return false;
	atexit(restore);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	raw = saved;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(keys, TCSADRAIN, &raw);
	if (ioctl(1, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 1 && ws.ws_col > 0) {
		rows = ws.ws_row;
		cols = ws.ws_col;
	}
	return true;
}

static char read_key(void)
{
	char c;

	return read(keys, &c, 1) == 1 ? c : 'q';
}

static void read_search(void)
{
	char buf[80];
	size_t n = 0;
	char c;

	printf("\r\033[K/");
	fflush(stdout);
	while ((c = read_key()) != '\n' && c != '\r' && n < sizeof(buf) - 1) {
		if ((c == '\b' || c == 127) && n > 0) {
			n--;
			fputs("\b \b", stdout);
		} else if ((unsigned char)c >= ' ' && c != 127) {
			buf[n++] = c;
			putchar_unlocked(c);
		}
		fflush(stdout);
	}
	buf[n] = '\0';
	free(search);
	search = n ? xstrdup(buf) : NULL;
}

/* Ask how to go on; returns the lines to show next, 0 for the end. */
static int prompt(const char *name)
{
	printf("\033[7m%s\033[m", name ? name : "--More--");
	fflush(stdout);
	for (;;) {
		char c = read_key();
		int lines = -1;

		if (c == ' ' || c == 'f')
			lines = rows - 1;
		else if (c == '\n' || c == '\r' || c == 'j')
			lines = 1;
		else if (c == 'd')
			lines = rows / 2;
		else if (c == 'q' || c == 'Q' || c == 4)
			lines = 0;
		else if (c == '/') {
			read_search();
			lines = rows - 1;
		}
		if (lines >= 0) {
			printf("\r\033[K");
			fflush(stdout);
			return lines;
		}
	}
}

/* Lines of the screen that @line takes. */
static int height(const char *line)
{
	int col = 0;

	for (; *line; line++) {
		if (*line == '\t')
			col = (col | 7) + 1;
		else if (((unsigned char)*line & 0xc0) != 0x80)
			col++;
	}
	return col ? (col + cols - 1) / cols : 1;
}

static bool show(FILE *f, const char *name)
{
	char *line = NULL;
	size_t size = 0, len;
	int left = rows - 1;

	while (read_line(f, &line, &size, &len)) {
		if (search && !strstr(line, search))
			continue;
		if (left - height(line) < 0) {
			left = prompt(name);
			if (left == 0) {
				free(line);
				return false;
			}
			if (search && !strstr(line, search))
				continue;
		}
		free(search);
		search = NULL;
		left -= height(line);
		puts(line);
	}
	free(line);
	return true;
}

static void copy(FILE *f)
{
	int c;

	while ((c = getc_unlocked(f)) != EOF)
		putchar_unlocked(c);
}

int main(int argc, char **argv)
{
	bool paging;

	prog_init(argv);
	if (argc == 1 && isatty(0))
		usage("[file...]");
	paging = isatty(1) && set_up();
	for (int i = argc > 1 ? 1 : 0; i < argc; i++) {
		FILE *f = open_input(i ? argv[i] : NULL);

		if (!f)
			continue;
		if (!paging)
			copy(f);
		else if (!show(f, i ? argv[i] : NULL))
			break;
		if (paging && i > 0 && i + 1 < argc && prompt("--Next file--") == 0)
			break;
		close_input(f);
	}
	return finish();
}
