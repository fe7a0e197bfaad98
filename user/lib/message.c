/* SPDX-License-Identifier: MIT */
/* Messages, exit status, memory. */
#include "util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int exit_status;
const char *prog_name = "?";

void prog_init(char **argv)
{
	const char *slash;

	if (!argv[0])
		return;
	slash = strrchr(argv[0], '/');
	prog_name = slash ? slash + 1 : argv[0];
}

/* Standard output first, so that the two appear in the order they were made. */
static void message(const char *fmt, va_list args, int error)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", prog_name);
	vfprintf(stderr, fmt, args);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	exit_status = 1;
}

void warning(const char *fmt, ...)
{
	int error = errno;
	va_list args;

	va_start(args, fmt);
	message(fmt, args, error);
	va_end(args);
}

void warningx(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(fmt, args, 0);
	va_end(args);
}

void fatal(const char *fmt, ...)
{
	int error = errno;
	va_list args;

	va_start(args, fmt);
	message(fmt, args, error);
	va_end(args);
	exit(1);
}

void fatalx(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(fmt, args, 0);
	va_end(args);
	exit(1);
}

void usage(const char *text)
{
	fprintf(stderr, "usage: %s %s\n", prog_name, text);
	exit(2);
}

int finish(void)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		warning("standard output");
		_exit(1);
	}
	return exit_status;
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		fatalx("out of memory");
	return p;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		fatalx("out of memory");
	return p;
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

bool ask(const char *fmt, ...)
{
	va_list args;
	char answer[128];

	fflush(stdout);
	fprintf(stderr, "%s: ", prog_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}
