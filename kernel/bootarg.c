/* SPDX-License-Identifier: MIT */
/*
 * Words of the kernel's command line. Nothing here allocates: the first words are needed before
 * there is any memory to allocate.
 */
#include <bootarg.h>
#include <machine.h>
#include <string.h>

static bool is_end(const char *p)
{
	return *p == 0 || (p[0] == '-' && p[1] == '-' && (p[2] == ' ' || p[2] == 0));
}

static const char *skip_spaces(const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

static size_t word_length(const char *p)
{
	size_t n = 0;

	while (p[n] && p[n] != ' ')
		n++;
	return n;
}

const char *bootarg_find(const char *line, const char *name, char *buf, size_t size)
{
	const char *found = NULL;
	size_t want = strlen(name), len;

	for (const char *p = skip_spaces(line); !is_end(p); p = skip_spaces(p + len)) {
		len = word_length(p);
		if (len < want || memcmp(p, name, want) != 0)
			continue;
		if (len > want && p[want] != '=')
			continue;
		size_t skip = len > want ? want + 1 : want;
		size_t n = min(len - skip, size - 1);

		memcpy(buf, p + skip, n);
		buf[n] = 0;
		found = buf;
	}
	return found;
}

const char *boot_arg(const char *name, char *buf, size_t size)
{
	return bootarg_find(boot_info.cmdline, name, buf, size);
}

bool boot_flag(const char *name)
{
	char buf[8];

	if (!boot_arg(name, buf, sizeof(buf)))
		return false;
	return strcmp(buf, "0") != 0 && strcmp(buf, "no") != 0 && strcmp(buf, "off") != 0;
}

int boot_init_args(char *buf, size_t size, char *argv[], int max)
{
	const char *p = skip_spaces(boot_info.cmdline);
	int argc = 0;

	while (!is_end(p))
		p = skip_spaces(p + word_length(p));
	if (*p)
		p = skip_spaces(p + 2);
	while (*p && argc < max) {
		size_t len = word_length(p);

		if (len + 1 > size)
			break;
		memcpy(buf, p, len);
		buf[len] = 0;
		argv[argc++] = buf;
		buf += len + 1;
		size -= len + 1;
		p = skip_spaces(p + len);
	}
	return argc;
}
