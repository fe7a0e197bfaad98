/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

char *getpass(const char *prompt)
{
	static char line[128];
	FILE *tty = fopen("/dev/tty", "r+");
	struct termios old, noecho;
	char *got;

	if (!tty)
		return NULL;
	setbuf(tty, NULL);
	tcgetattr(fileno(tty), &old);
	noecho = old;
	noecho.c_lflag &= ~(ECHO | ISIG);
	tcsetattr(fileno(tty), TCSAFLUSH, &noecho);
	fputs(prompt, tty);
	got = fgets(line, sizeof(line), tty);
	if (got)
		line[strcspn(line, "\n")] = 0;
	fputs("\n", tty);
	tcsetattr(fileno(tty), TCSAFLUSH, &old);
	fclose(tty);
	return got;
}
