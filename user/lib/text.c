/* SPDX-License-Identifier: MIT */
/* Modes, sizes, numbers, signals as text, and back. */
#include "util.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void mode_string(mode_t mode, char *buf)
{
	static const char bits[] = "rwxrwxrwx";
	char type = '?';

	if (S_ISREG(mode))
		type = '-';
	else if (S_ISDIR(mode))
		type = 'd';
	else if (S_ISLNK(mode))
		type = 'l';
	else if (S_ISCHR(mode))
		type = 'c';
	else if (S_ISBLK(mode))
		type = 'b';
	else if (S_ISFIFO(mode))
		type = 'p';
	else if (S_ISSOCK(mode))
		type = 's';
	buf[0] = type;
	for (int i = 0; i < 9; i++)
		buf[1 + i] = (mode & (0400u >> i)) ? bits[i] : '-';
	if (mode & S_ISUID)
		buf[3] = (mode & 0100) ? 's' : 'S';
	if (mode & S_ISGID)
		buf[6] = (mode & 0010) ? 's' : 'S';
	if (mode & S_ISVTX)
		buf[9] = (mode & 0001) ? 't' : 'T';
	buf[10] = '\0';
}

/* The bits that the letters after an operator stand for, spread over user, group and others. */
static int letters_to_bits(const char **text, mode_t mode, bool is_dir)
{
	const char *s = *text;
	int bits = 0;

	for (;; s++) {
		switch (*s) {
		case 'r':
			bits |= 0444;
			break;
		case 'w':
			bits |= 0222;
			break;
		case 'x':
			bits |= 0111;
			break;
		case 'X':
			if (is_dir || (mode & 0111))
				bits |= 0111;
			break;
		case 's':
			bits |= S_ISUID | S_ISGID;
			break;
		case 't':
			bits |= S_ISVTX;
			break;
		case 'u':
			bits |= (int)((mode >> 6) & 7) * 0111;
			break;
		case 'g':
			bits |= (int)((mode >> 3) & 7) * 0111;
			break;
		case 'o':
			bits |= (int)(mode & 7) * 0111;
			break;
		default:
			*text = s;
			return bits;
		}
	}
}

int mode_parse(const char *s, mode_t start, bool is_dir, mode_t mask)
{
	int mode = (int)(start & 07777);

	if (isdigit((unsigned char)*s)) {
		char *end;
		unsigned long value = strtoul(s, &end, 8);

		return *end || value > 07777 ? -1 : (int)value;
	}
	for (;;) {
		int who = 0, allowed;

		for (; strchr("ugoa", *s) && *s; s++) {
			if (*s == 'u' || *s == 'a')
				who |= 0700 | S_ISUID;
			if (*s == 'g' || *s == 'a')
				who |= 0070 | S_ISGID;
			if (*s == 'o' || *s == 'a')
				who |= 0007;
			if (*s == 'a')
				who |= S_ISVTX;
		}
		allowed = who ? who | S_ISVTX : (int)(07777 & ~mask);
		if (*s != '+' && *s != '-' && *s != '=')
			return -1;
		while (*s == '+' || *s == '-' || *s == '=') {
			char op = *s++;
			int bits = letters_to_bits(&s, (mode_t)mode, is_dir) & allowed;

			if (op == '+')
				mode |= bits;
			else if (op == '-')
				mode &= ~bits;
			else
				mode = (mode & ~(who ? who : 0777)) | bits;
		}
		if (*s == '\0')
			return mode;
		if (*s++ != ',')
			return -1;
	}
}

void human_size(unsigned long long bytes, char *buf)
{
	static const char units[] = "BKMGTPE";
	unsigned long long scaled;
	int unit = 0;

	if (bytes < 1024) {
		snprintf(buf, 8, "%llu", bytes);
		return;
	}
	/* Tenths, rounded up: what is there must fit where this says it does. */
	for (scaled = bytes; scaled >= 1024 * 1024; unit++)
		scaled = (scaled + 1023) / 1024;
	unit++;
	scaled = (scaled * 10 + 1023) / 1024;
	if (scaled < 100)
		snprintf(buf, 8, "%llu.%llu%c", scaled / 10, scaled % 10, units[unit]);
	else
		snprintf(buf, 8, "%llu%c", (scaled + 9) / 10, units[unit]);
}

bool parse_size(const char *text, unsigned long long *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno)
		return false;
	switch (*end) {
	case 'k':
	case 'K':
		*value <<= 10;
		end++;
		break;
	case 'm':
	case 'M':
		*value <<= 20;
		end++;
		break;
	case 'g':
	case 'G':
		*value <<= 30;
		end++;
		break;
	}
	return *end == '\0';
}

long parse_number(const char *text, const char *what)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end)
		fatalx("invalid %s: %s", what, text);
	return value;
}

double parse_time(const char *text)
{
	static const char letters[] = "smhd";
	static const int units[] = {1, 60, 3600, 86400};
	const char *letter;
	char *end;
	double n = strtod(text, &end);
	bool digits = end != text;

	letter = *end ? strchr(letters, *end) : NULL;
	if (letter)
		end++;
	if (!digits || *end || !(n >= 0) || n > 1e9)
		fatalx("invalid time: %s", text);
	return letter ? n * units[letter - letters] : n;
}

static const struct {
	int sig;
	const char *name;
} signals[] = {
	{SIGHUP, "HUP"},   {SIGINT, "INT"},       {SIGQUIT, "QUIT"},   {SIGILL, "ILL"},
	{SIGTRAP, "TRAP"}, {SIGABRT, "ABRT"},     {SIGBUS, "BUS"},     {SIGFPE, "FPE"},
	{SIGKILL, "KILL"}, {SIGSEGV, "SEGV"},     {SIGSYS, "SYS"},     {SIGPIPE, "PIPE"},
	{SIGALRM, "ALRM"}, {SIGTERM, "TERM"},     {SIGURG, "URG"},     {SIGSTOP, "STOP"},
	{SIGTSTP, "TSTP"}, {SIGCONT, "CONT"},     {SIGCHLD, "CHLD"},   {SIGTTIN, "TTIN"},
	{SIGTTOU, "TTOU"}, {SIGIO, "IO"},         {SIGXCPU, "XCPU"},   {SIGXFSZ, "XFSZ"},
	{SIGPROF, "PROF"}, {SIGVTALRM, "VTALRM"}, {SIGWINCH, "WINCH"}, {SIGUSR1, "USR1"},
	{SIGUSR2, "USR2"},
};

int signal_number(const char *text)
{
	if (isdigit((unsigned char)*text)) {
		char *end;
		long n = strtol(text, &end, 10);

		return *end || n > 64 ? -1 : (int)n;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (strcasecmp(text, signals[i].name) == 0)
			return signals[i].sig;
	return -1;
}

const char *signal_name(int sig)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (signals[i].sig == sig)
			return signals[i].name;
	return NULL;
}
