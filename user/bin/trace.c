/* SPDX-License-Identifier: MIT */
/*
 * trace [-n count] [-k kind] [-s on|off]: what the kernel has been doing, from /proc/trace. -k
 * shows records of one kind only, -n the last so many; -s turns records of system calls on or off
 * (there would be little room for others).
 *
 * trace command...: run it with system calls traced, then show the records of its time.
 */
#include "../lib/util.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACE "/proc/trace"

static const char *kind;
static char
	self[16]; /* " pid12 ": reading the trace makes records too, which nobody wants to see */

static void set_syscalls(bool on)
{
	const char *command = on ? "syscalls on" : "syscalls off";
	int fd = open(TRACE, O_WRONLY);

	if (fd < 0 || write(fd, command, strlen(command)) < 0)
		fatal(TRACE);
	close(fd);
}

static bool wanted(const char *line, size_t len)
{
	size_t n = kind ? strlen(kind) : 0;

	if (memmem(line, len, self, strlen(self)))
		return false;
	/* The kind is a word of its own: " fork ". */
	for (size_t i = 1; kind && i + n <= len; i++)
		if (line[i - 1] == ' ' && memcmp(line + i, kind, n) == 0 &&
		    (i + n == len || line[i + n] == ' '))
			return true;
	return !kind;
}

static void show(unsigned long long count)
{
	size_t len, lines = 0, skip;
	char *text = read_file(TRACE, &len), *line, *end;

	if (!text)
		fatal(TRACE);
	for (line = text; (end = strchr(line, '\n')); line = end + 1)
		lines += wanted(line, (size_t)(end - line));
	skip = lines > count ? lines - (size_t)count : 0;
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		if (!wanted(line, (size_t)(end - line)))
			continue;
		if (skip > 0)
			skip--;
		else
			fwrite(line, 1, (size_t)(end + 1 - line), stdout);
	}
	free(text);
}

static void run(char **args)
{
	set_syscalls(true);
	exit_status = run_command(args);
	set_syscalls(false);
}

int main(int argc, char **argv)
{
	unsigned long long count = ~0ULL;
	int c;

	prog_init(argv);
	snprintf(self, sizeof(self), " pid%d ", (int)getpid());
	while ((c = getopt(argc, argv, "+n:k:s:")) != -1) {
		switch (c) {
		case 'n':
			if (!parse_size(optarg, &count))
				fatalx("invalid number: %s", optarg);
			break;
		case 'k':
			kind = optarg;
			break;
		case 's':
			set_syscalls(strcmp(optarg, "on") == 0);
			return 0;
		default:
			usage("[-n count] [-k kind] [-s on|off] [command [argument...]]");
		}
	}
	if (optind < argc)
		run(argv + optind);
	show(count);
	return finish();
}
