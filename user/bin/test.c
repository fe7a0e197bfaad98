/* SPDX-License-Identifier: MIT */
/*
 * test expression, [ expression ]: status 0 if it is true, 1 if not, 2 if it is no expression.
 *
 * A recursive descent over the words:  or := and { -o and }   and := not { -a not }
 * not := ! not | ( or ) | operator word | word operator word | word
 * With up to four words POSIX counts them to decide; trying the binary form before the unary one
 * comes to the same.
 */
#include "../lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char **word; /* the next word; NULL at the end */

static void bad(const char *what) NORETURN;
static void bad(const char *what)
{
	warningx("%s", what);
	exit(2);
}

static long long number(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	while (*end == ' ' || *end == '\t')
		end++;
	if (end == text || *end) {
		warningx("%s: not a whole number", text);
		exit(2);
	}
	return n;
}

static bool newer(const char *a, const char *b)
{
	struct stat sa, sb;

	if (stat(a, &sa) < 0)
		return false;
	if (stat(b, &sb) < 0)
		return true;
	if (sa.st_mtim.tv_sec != sb.st_mtim.tv_sec)
		return sa.st_mtim.tv_sec > sb.st_mtim.tv_sec;
	return sa.st_mtim.tv_nsec > sb.st_mtim.tv_nsec;
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

/* 1, 0, or -1 if @op is not a binary operator. */
static int binary(const char *a, const char *op, const char *b)
{
	if (strcmp(op, "=") == 0 || strcmp(op, "==") == 0)
		return strcmp(a, b) == 0;
	if (strcmp(op, "!=") == 0)
		return strcmp(a, b) != 0;
	if (strcmp(op, "<") == 0)
		return strcmp(a, b) < 0;
	if (strcmp(op, ">") == 0)
		return strcmp(a, b) > 0;
	if (strcmp(op, "-eq") == 0)
		return number(a) == number(b);
	if (strcmp(op, "-ne") == 0)
		return number(a) != number(b);
	if (strcmp(op, "-lt") == 0)
		return number(a) < number(b);
	if (strcmp(op, "-le") == 0)
		return number(a) <= number(b);
	if (strcmp(op, "-gt") == 0)
		return number(a) > number(b);
	if (strcmp(op, "-ge") == 0)
		return number(a) >= number(b);
	if (strcmp(op, "-nt") == 0)
		return newer(a, b);
	if (strcmp(op, "-ot") == 0)
		return newer(b, a);
	if (strcmp(op, "-ef") == 0)
		return same_file(a, b);
	return -1;
}

static int unary(char op, const char *arg)
{
	struct stat st;
	bool found;

	switch (op) {
	case 'n':
		return *arg != '\0';
	case 'z':
		return *arg == '\0';
	case 't':
		return isatty((int)number(arg));
	case 'r':
		return access(arg, R_OK) == 0;
	case 'w':
		return access(arg, W_OK) == 0;
	case 'x':
		return access(arg, X_OK) == 0;
	case 'h':
	case 'L':
		return lstat(arg, &st) == 0 && S_ISLNK(st.st_mode);
	}
	if (!op || !strchr("edfbcpSsugk", op))
		return -1;
	found = stat(arg, &st) == 0;
	switch (op) {
	case 'e':
		return found;
	case 'd':
		return found && S_ISDIR(st.st_mode);
	case 'f':
		return found && S_ISREG(st.st_mode);
	case 'b':
		return found && S_ISBLK(st.st_mode);
	case 'c':
		return found && S_ISCHR(st.st_mode);
	case 'p':
		return found && S_ISFIFO(st.st_mode);
	case 'S':
		return found && S_ISSOCK(st.st_mode);
	case 's':
		return found && st.st_size > 0;
	case 'u':
		return found && (st.st_mode & S_ISUID);
	case 'g':
		return found && (st.st_mode & S_ISGID);
	default:
		return found && (st.st_mode & S_ISVTX);
	}
}

static bool parse_or(void);

static bool parse_not(void)
{
	const char *first = word[0];
	int value;

	if (!first)
		bad("an argument is missing");
	if (word[1] && word[2]) {
		value = binary(first, word[1], word[2]);
		if (value >= 0) {
			word += 3;
			return value;
		}
	}
	if (strcmp(first, "!") == 0 && word[1]) {
		word++;
		return !parse_not();
	}
	if (strcmp(first, "(") == 0 && word[1]) {
		word++;
		value = parse_or();
		if (!*word || strcmp(*word, ")") != 0)
			bad(") is missing");
		word++;
		return value;
	}
	if (first[0] == '-' && first[1] && !first[2] && word[1]) {
		value = unary(first[1], word[1]);
		if (value >= 0) {
			word += 2;
			return value;
		}
	}
	word++;
	return *first != '\0';
}

static bool parse_and(void)
{
	bool value = parse_not();

	while (*word && strcmp(*word, "-a") == 0) {
		word++;
		value = parse_not() && value;
	}
	return value;
}

static bool parse_or(void)
{
	bool value = parse_and();

	while (*word && strcmp(*word, "-o") == 0) {
		word++;
		value = parse_and() || value;
	}
	return value;
}

int main(int argc, char **argv)
{
	bool value;

	prog_init(argv);
	if (strcmp(prog_name, "[") == 0) {
		if (argc < 2 || strcmp(argv[argc - 1], "]") != 0)
			bad("] is missing");
		argv[argc - 1] = NULL;
	}
	word = argv + 1;
	if (!*word)
		return 1;
	value = parse_or();
	if (*word)
		bad("too many arguments");
	return !value;
}
