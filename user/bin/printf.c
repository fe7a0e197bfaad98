/* SPDX-License-Identifier: MIT */
/*
 * printf format [argument...]: formatted output. The format is used again while arguments last;
 * missing ones count as "" and 0. Each conversion is cut out of the format and given to the C
 * library with the argument in the type it wants.
 */
#define USE_FLOAT
#include "../lib/util.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static char **args; /* what is left of the arguments */

static const char *next_arg(void)
{
	return *args ? *args++ : NULL;
}

static intmax_t next_int(void)
{
	const char *s = next_arg();
	char *end;
	intmax_t value;

	if (!s)
		return 0;
	if (*s == '\'' || *s == '"')
		return (unsigned char)s[1];
	errno = 0;
	value = strtoimax(s, &end, 0);
	if (errno == ERANGE && *s != '-') { /* the upper half of the unsigned ones */
		errno = 0;
		value = (intmax_t)strtoumax(s, &end, 0);
	}
	if (errno)
		warning("%s", s);
	else if (end == s || *end)
		warningx("%s: not a number", s);
	return value;
}

static double next_double(void)
{
	const char *s = next_arg();
	char *end;
	double value;

	if (!s)
		return 0;
	value = strtod(s, &end);
	if (end == s || *end)
		warningx("%s: not a number", s);
	return value;
}

/* Print the escape after a backslash at @s; returns where to go on. @zero: \0ooo, as in %b. */
static const char *escape(const char *s, bool zero)
{
	static const char from[] = "abefnrtv\\\"'", to[] = "\a\b\033\f\n\r\t\v\\\"'";
	const char *p = strchr(from, *s);

	if (*s >= '0' && *s <= '7') {
		int value = 0;

		for (int n = (zero && *s == '0') ? 4 : 3; n > 0 && *s >= '0' && *s <= '7'; n--)
			value = value * 8 + *s++ - '0';
		putchar_unlocked(value);
		return s;
	}
	if (*s == 'x') {
		char digits[3] = {0};
		size_t n = strspn(s + 1, "0123456789abcdefABCDEF");

		n = n > 2 ? 2 : n;
		memcpy(digits, s + 1, n);
		putchar_unlocked((int)strtol(digits, NULL, 16));
		return s + 1 + n;
	}
	if (*s == '\0' || !p) {
		putchar_unlocked('\\');
		return s;
	}
	putchar_unlocked(to[p - from]);
	return s + 1;
}

/* %b: a string with escapes; \c ends everything. */
static void print_b(const char *s)
{
	while (s && *s) {
		if (*s != '\\') {
			putchar_unlocked(*s++);
		} else if (s[1] == 'c') {
			exit(finish());
		} else {
			s = escape(s + 1, true);
		}
	}
}

/* One conversion, from the character after '%'; returns where the format goes on. */
static const char *convert(const char *s)
{
	char spec[64] = "%";
	size_t n = 1;
	int star;

	while (*s && strchr("-+ #0123456789.*", *s)) {
		if (*s == '*') {
			star = snprintf(spec + n, 12, "%d", (int)next_int());
			n += (size_t)star;
		} else {
			spec[n++] = *s;
		}
		s++;
		if (n > sizeof(spec) - 16)
			fatalx("the format is too long");
	}
	while (*s && strchr("hljztL", *s))
		s++;
	if (*s && strchr("diouxX", *s)) {
		snprintf(spec + n, sizeof(spec) - n, PRIdMAX);
		spec[strlen(spec) - 1] = *s;
		printf(spec, next_int());
	} else if (*s && strchr("aAeEfFgG", *s)) {
		snprintf(spec + n, sizeof(spec) - n, "%c", *s);
		printf(spec, next_double());
	} else if (*s == 's') {
		const char *arg = next_arg();

		spec[n++] = 's';
		printf(spec, arg ? arg : "");
	} else if (*s == 'c') {
		const char *arg = next_arg();

		if (arg && *arg)
			putchar_unlocked(*arg);
	} else if (*s == 'b') {
		print_b(next_arg());
	} else {
		fatalx("%%%c: unknown conversion", *s ? *s : ' ');
	}
	return s + 1;
}

static void print_once(const char *s)
{
	while (*s) {
		if (*s == '\\') {
			s = escape(s + 1, false);
		} else if (*s == '%' && s[1] == '%') {
			putchar_unlocked('%');
			s += 2;
		} else if (*s == '%') {
			s = convert(s + 1);
		} else {
			putchar_unlocked(*s++);
		}
	}
}

int main(int argc, char **argv)
{
	char **before;

	prog_init(argv);
	args = argv + 1;
	if (argc > 1 && strcmp(*args, "--") == 0)
		args++;
	if (!*args)
		usage("format [argument...]");
	const char *format = *args++;

	do {
		before = args;
		print_once(format);
	} while (*args && args != before);
	return finish();
}
