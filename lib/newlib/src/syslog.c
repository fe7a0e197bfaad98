/* SPDX-License-Identifier: MIT */
/* There is no log daemon: messages go to the console, one line each. */
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

extern char *__progname;

static const char *tag;
static int options;
static int mask = 0xff;

void openlog(const char *ident, int opts, int facility)
{
	(void)facility;
	tag = ident;
	options = opts;
}

void closelog(void)
{
	tag = NULL;
	options = 0;
}

int setlogmask(int new)
{
	int old = mask;

	if (new)
		mask = new;
	return old;
}

/* Copies @fmt with %m replaced by the text of @err. */
static void expand(char *out, size_t size, const char *fmt, int err)
{
	const char *text = strerror(err);
	size_t n = 0;

	for (; *fmt && n + 1 < size; fmt++) {
		if (fmt[0] == '%' && fmt[1] == 'm') {
			n += strlcpy(out + n, text, size - n);
			n = n < size ? n : size - 1;
			fmt++;
		} else {
			out[n++] = *fmt;
			if (fmt[0] == '%' && fmt[1] && n + 1 < size)
				out[n++] = *++fmt;
		}
	}
	out[n] = 0;
}

void vsyslog(int priority, const char *fmt, va_list ap)
{
	char text[256], line[512];
	int saved = errno, n, fd;

	if (!(mask & LOG_MASK(priority & LOG_PRIMASK)))
		return;
	expand(text, sizeof(text), fmt, saved);
	n = snprintf(line, sizeof(line), "%s", tag ? tag : __progname);
	if (options & LOG_PID)
		n += snprintf(line + n, sizeof(line) - n, "[%d]", (int)getpid());
	n += snprintf(line + n, sizeof(line) - n, ": ");
	n += vsnprintf(line + n, sizeof(line) - n, text, ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	if (line[n - 1] != '\n')
		line[n++] = '\n';
	fd = open(_PATH_CONSOLE, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0) {
		write(fd, line, n);
		close(fd);
	}
	if (fd < 0 || (options & LOG_PERROR))
		write(2, line, n);
	errno = saved;
}

void syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsyslog(priority, fmt, ap);
	va_end(ap);
}
