/* SPDX-License-Identifier: MIT */
/* echo [-neE] [text...]: print the arguments; -n: no newline, -e: with backslash escapes. */
#include "../lib/util.h"

#include <string.h>

/* Print @s with its escapes; false if \c asked for an end. */
static bool print_escaped(const char *s)
{
	static const char from[] = "abefnrtv\\", to[] = "\a\b\033\f\n\r\t\v\\";

	for (; *s; s++) {
		const char *p;

		if (*s != '\\' || !s[1]) {
			putchar_unlocked(*s);
			continue;
		}
		s++;
		if (*s == 'c')
			return false;
		if (*s == '0') {
			int value = 0;

			for (int n = 0; n < 3 && s[1] >= '0' && s[1] <= '7'; n++)
				value = value * 8 + *++s - '0';
			putchar_unlocked(value);
			continue;
		}
		p = strchr(from, *s);
		if (p)
			putchar_unlocked(to[p - from]);
		else
			printf("\\%c", *s);
	}
	return true;
}

int main(int argc, char **argv)
{
	bool newline = true, escapes = false;
	int i = 1;

	prog_init(argv);
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strspn(argv[i] + 1, "neE") != strlen(argv[i] + 1))
			break;
		for (const char *s = argv[i] + 1; *s; s++) {
			if (*s == 'n')
				newline = false;
			else
				escapes = *s == 'e';
		}
	}
	for (; i < argc; i++) {
		if (!escapes)
			fputs(argv[i], stdout);
		else if (!print_escaped(argv[i]))
			return finish();
		if (i + 1 < argc)
			putchar_unlocked(' ');
	}
	if (newline)
		putchar_unlocked('\n');
	return finish();
}
