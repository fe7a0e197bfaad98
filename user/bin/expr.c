/* SPDX-License-Identifier: MIT */
/*
 * expr expression: evaluate words: | & = != < > <= >= + - * / % : ( ). For old scripts; the shell
 * does it better by $((...)). Status 0 if the result is neither "" nor 0, 1 if it is, 2 on an
 * error.
 */
#include "../lib/util.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

static char **word;

static void bad(const char *what) NORETURN;
static void bad(const char *what)
{
	warningx("%s", what);
	exit(2);
}

static bool is_number(const char *s)
{
	s += *s == '-';
	return *s && strspn(s, "0123456789") == strlen(s);
}

static char *from_number(long long n)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%lld", n);
	return xstrdup(buf);
}

static bool is_null(const char *s)
{
	return *s == '\0' || (is_number(s) && atoll(s) == 0);
}

/* Match @pattern at the beginning: what \(...\) matched, or the length. */
static char *match(const char *s, const char *pattern)
{
	regmatch_t m[2];
	regex_t re;
	char *anchored = xmalloc(strlen(pattern) + 2), *result;
	bool found;

	anchored[0] = '^';
	strcpy(anchored + 1, pattern + (*pattern == '^'));
	if (regcomp(&re, anchored, 0) != 0)
		bad("invalid regular expression");
	found = regexec(&re, s, 2, m, 0) == 0;
	if (re.re_nsub > 0) {
		size_t n = found && m[1].rm_so >= 0 ? (size_t)(m[1].rm_eo - m[1].rm_so) : 0;

		result = xmalloc(n + 1);
		if (n)
			memcpy(result, s + m[1].rm_so, n);
		result[n] = '\0';
	} else {
		result = from_number(found ? m[0].rm_eo : 0);
	}
	regfree(&re);
	free(anchored);
	return result;
}

static char *calculate(const char *a, const char *op, const char *b)
{
	long long x, y, order;

	if (*op == ':')
		return match(a, b);
	if (strchr("=<>!", *op)) {
		order = is_number(a) && is_number(b) ? (atoll(a) > atoll(b)) - (atoll(a) < atoll(b))
						     : strcmp(a, b);
		if (strcmp(op, "=") == 0)
			return from_number(order == 0);
		if (strcmp(op, "!=") == 0)
			return from_number(order != 0);
		if (op[1] == '=' && order == 0)
			return from_number(1);
		return from_number(*op == '<' ? order < 0 : order > 0);
	}
	if (!is_number(a) || !is_number(b))
		bad("not a number");
	x = atoll(a);
	y = atoll(b);
	if ((*op == '/' || *op == '%') && y == 0)
		bad("division by zero");
	switch (*op) {
	case '+':
		return from_number(x + y);
	case '-':
		return from_number(x - y);
	case '*':
		return from_number(x * y);
	case '/':
		return from_number(x / y);
	default:
		return from_number(x % y);
	}
}

/* Operators by level, the weakest first. */
static const char *const levels[] = {" | ", " & ", " = != < > <= >= ", " + - ", " * / % ", " : "};

static bool at_level(size_t level)
{
	char key[8];

	if (!*word || strlen(*word) > 2 || !**word)
		return false;
	snprintf(key, sizeof(key), " %s ", *word);
	return strstr(levels[level], key) != NULL;
}

static char *parse(size_t level)
{
	char *left, *right;

	if (level == ARRAY_LEN(levels)) {
		if (!*word)
			bad("an argument is missing");
		if (strcmp(*word, "(") != 0)
			return *word++;
		word++;
		left = parse(0);
		if (!*word || strcmp(*word++, ")") != 0)
			bad(") is missing");
		return left;
	}
	left = parse(level + 1);
	while (at_level(level)) {
		const char *op = *word++;

		right = parse(level + 1);
		if (*op == '|')
			left = !is_null(left) ? left : !is_null(right) ? right : "0";
		else if (*op == '&')
			left = !is_null(left) && !is_null(right) ? left : "0";
		else
			left = calculate(left, op, right);
	}
	return left;
}

int main(int argc, char **argv)
{
	char *result;

	prog_init(argv);
	if (argc < 2)
		bad("an expression is missing");
	word = argv + 1;
	result = parse(0);
	if (*word)
		bad("the expression goes on where it should end");
	puts(result);
	return finish() ? 3 : is_null(result);
}
