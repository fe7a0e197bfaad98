/* SPDX-License-Identifier: MIT */
/*
 * xargs [-0rt] [-n count] [-I text] [command [argument...]]: run a command with the words of
 * standard input as further arguments, as many at a time as fit.
 */
#include "../lib/util.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_BYTES 65536 /* of arguments at a time; half of what execve() takes */
#define MAX_WORDS 2048

static bool zero, show;
static int worst; /* exit status to end with */

/* Next word in new memory, or NULL at the end. Without -0 quotes and backslashes protect blanks;
 * @whole_line: blanks inside belong to the word (-I). */
static char *next_word(bool whole_line)
{
	size_t room = 64, len = 0;
	char *buf = xmalloc(room);
	int c, quote = 0;
	bool any = false;

	while ((c = getchar_unlocked()) != EOF) {
		if (zero ? c == '\0' : !quote && (c == '\n' || (!whole_line && isspace(c)))) {
			if (any)
				break;
			continue;
		}
		if (!zero && !any && !quote && isspace(c))
			continue;
		any = true;
		if (!zero && quote && c == quote) {
			quote = 0;
			continue;
		}
		if (!zero && !quote && (c == '"' || c == '\'')) {
			quote = c;
			continue;
		}
		if (!zero && !quote && c == '\\' && (c = getchar_unlocked()) == EOF)
			break;
		if (len + 1 == room)
			buf = xrealloc(buf, room *= 2);
		buf[len++] = (char)c;
	}
	if (quote)
		fatalx("a quote is not closed");
	if (!any) {
		free(buf);
		return NULL;
	}
	buf[len] = '\0';
	return buf;
}

static void run(char **args)
{
	int status;
	pid_t pid;

	if (show) {
		for (char **a = args; *a; a++)
			fprintf(stderr, "%s%s", a > args ? " " : "", *a);
		fputc('\n', stderr);
	}
	pid = fork();
	if (pid == 0) {
		execvp(args[0], args);
		warning("%s", args[0]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		fatal("%s", args[0]);
	if (WIFSIGNALED(status))
		exit(125);
	if (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 126)
		exit(WEXITSTATUS(status));
	if (WEXITSTATUS(status) == 255)
		exit(124);
	if (status)
		worst = 123;
}

/* -I: the command once for each line, which stands wherever @mark does. */
static void run_replacing(char **command, int words, const char *mark)
{
	char *args[words + 1], *line;

	while ((line = next_word(true))) {
		for (int i = 0; i < words; i++) {
			char *at = strstr(command[i], mark);

			args[i] = command[i];
			if (at && asprintf(&args[i], "%.*s%s%s", (int)(at - command[i]), command[i],
					   line, at + strlen(mark)) < 0)
				fatalx("out of memory");
		}
		args[words] = NULL;
		run(args);
		for (int i = 0; i < words; i++)
			if (args[i] != command[i])
				free(args[i]);
		free(line);
	}
}

static void run_batches(char **command, int words, long max, bool if_any)
{
	char *args[MAX_WORDS + 1], *w = next_word(false);
	bool ran = false;

	if (words >= MAX_WORDS)
		fatalx("the command is too long");
	while (w || (!ran && !if_any)) {
		size_t bytes = 0;
		int n = words;

		memcpy(args, command, (size_t)words * sizeof(*args));
		while (w && n < MAX_WORDS && n - words < max && bytes + strlen(w) < MAX_BYTES) {
			bytes += strlen(w) + 1;
			args[n++] = w;
			w = next_word(false);
		}
		if (w && n == words)
			fatalx("an argument is too long");
		args[n] = NULL;
		run(args);
		ran = true;
		while (n > words)
			free(args[--n]);
	}
}

int main(int argc, char **argv)
{
	static char *echo[] = {"echo", NULL};
	const char *mark = NULL;
	long max = MAX_WORDS;
	bool if_any = false;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "+0rtn:I:")) != -1) {
		switch (c) {
		case '0':
			zero = true;
			break;
		case 'r':
			if_any = true;
			break;
		case 't':
			show = true;
			break;
		case 'n':
			max = parse_number(optarg, "count");
			break;
		case 'I':
			mark = optarg;
			break;
		default:
			usage("[-0rt] [-n count] [-I text] [command [argument...]]");
		}
	}
	if (max < 1)
		fatalx("invalid count: %ld", max);
	if (optind == argc) {
		argv = echo;
		argc = 1;
		optind = 0;
	}
	if (mark)
		run_replacing(argv + optind, argc - optind, mark);
	else
		run_batches(argv + optind, argc - optind, max, if_any);
	return worst ? worst : finish();
}
