/* SPDX-License-Identifier: MIT */
/*
 * Words as the shell expands them: by the shell. It is asked to print them, a 0 byte after each,
 * behind a first one that tells "no words" from "nothing came". Before that the text is looked
 * through for what POSIX forbids in it: characters that would end the command or begin another, and
 * commands where the caller wants none.
 */
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

extern char **environ;

/*
 * Whether the shell takes what follows "$((" for arithmetic, not for a command that begins with a
 * parenthesis: the one that closes the inner is followed by the one that closes the outer.
 */
static int is_arithmetic(const char *s)
{
	for (int depth = 0; *s; s++) {
		if (*s == '(')
			depth++;
		else if (*s == ')' && depth-- == 0)
			return s[1] == ')';
	}
	return 0;
}

/* 0, or what is wrong with the text. */
static int check(const char *s, int flags)
{
	int quote = 0, parens = 0, braces = 0, back = 0;

	for (; *s; s++) {
		if (quote == '\'') {
			quote = *s == '\'' ? 0 : quote;
			continue;
		}
		switch (*s) {
		case '\\':
			if (!*++s)
				return WRDE_SYNTAX;
			break;
		case '\'':
			if (!quote)
				quote = '\'';
			break;
		case '"':
			quote = quote ? 0 : '"';
			break;
		case '`':
			back = !back;
			if (flags & WRDE_NOCMD)
				return WRDE_CMDSUB;
			break;
		case '$':
			if (s[1] == '(') {
				if (flags & WRDE_NOCMD && !(s[2] == '(' && is_arithmetic(s + 3)))
					return WRDE_CMDSUB;
				parens++;
				s++;
			} else if (s[1] == '{') {
				braces++;
				s++;
			}
			break;
		case '(':
		case ')':
			if (parens)
				parens += *s == '(' ? 1 : -1;
			else if (!quote && !back)
				return WRDE_BADCHAR;
			break;
		case '}':
			if (braces) {
				braces--;
				break;
			} /* fall through */
		case '{':
		case '|':
		case '&':
		case ';':
		case '<':
		case '>':
		case '\n':
			if (!quote && !parens && !braces && !back)
				return WRDE_BADCHAR;
			break;
		}
	}
	return quote || parens || braces || back ? WRDE_SYNTAX : 0;
}

/* Starts the shell; what it prints comes from *@from. 0 or an error number. */
static int start(const char *words, int flags, int *from, pid_t *pid)
{
	char *argv[] = {"sh", "-c", "eval \"printf '%s\\0' x $1\"", "sh", (char *)words, NULL};
	char *strict[] = {"sh", "-u", "-c", argv[2], "sh", (char *)words, NULL};
	posix_spawn_file_actions_t fa;
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return errno;
	err = posix_spawn_file_actions_init(&fa);
	if (!err) {
		err = posix_spawn_file_actions_adddup2(&fa, fds[1], 1);
		if (!err && !(flags & WRDE_SHOWERR))
			err = posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
		if (!err)
			err = posix_spawn(pid, _PATH_BSHELL, &fa, NULL,
					  flags & WRDE_UNDEF ? strict : argv, environ);
		posix_spawn_file_actions_destroy(&fa);
	}
	close(fds[1]);
	if (err)
		close(fds[0]);
	*from = fds[0];
	return err;
}

/* All that the shell prints, in malloc's memory; its status. 0 or WRDE_NOSPACE. */
static int run(const char *words, int flags, char **text, size_t *len, int *status)
{
	size_t size = 0;
	ssize_t n = 1;
	pid_t pid;
	int from = -1;

	*text = NULL;
	*len = 0;
	if (start(words, flags, &from, &pid))
		return WRDE_NOSPACE;
	while (n > 0 || (n < 0 && errno == EINTR)) {
		if (*len == size) {
			char *more = realloc(*text, size = 2 * size + 512);

			if (!more)
				break;
			*text = more;
		}
		n = read(from, *text + *len, size - *len);
		*len += n > 0 ? (size_t)n : 0;
	}
	close(from);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return n ? WRDE_NOSPACE : 0;
}

/* Adds the words of @text, but for the first, to *@w. */
static int add(wordexp_t *w, const char *text, size_t len, int flags)
{
	size_t offs = flags & WRDE_DOOFFS ? w->we_offs : 0, n = w->we_wordc, more = 0;
	const char *at = text + strlen(text) + 1;
	char **v;

	for (const char *p = at; p < text + len; p++)
		more += !*p;
	v = realloc(w->we_wordv, (offs + n + more + 1) * sizeof(*v));
	if (!v)
		return WRDE_NOSPACE;
	if (!w->we_wordv)
		memset(v, 0, offs * sizeof(*v));
	w->we_wordv = v;
	for (; more; more--, at += strlen(at) + 1) {
		v[offs + n] = strdup(at);
		if (!v[offs + n])
			break;
		n++;
	}
	v[offs + n] = NULL;
	w->we_wordc = n;
	if (!(flags & WRDE_DOOFFS))
		w->we_offs = 0;
	return more ? WRDE_NOSPACE : 0;
}

int wordexp(const char *__restrict words, wordexp_t *__restrict w, int flags)
{
	int err = check(words, flags), status;
	char *text;
	size_t len;

	if (flags & WRDE_REUSE)
		wordfree(w);
	if (!(flags & WRDE_APPEND)) {
		w->we_wordc = 0;
		w->we_wordv = NULL;
	}
	if (err)
		return err;
	err = run(words, flags, &text, &len, &status);
	if (!err && (status || !len || text[len - 1])) {
		/* A variable without a value, or any other mistake? */
		err = WRDE_SYNTAX;
		if (flags & WRDE_UNDEF) {
			free(text);
			if (!run(words, flags & ~(WRDE_UNDEF | WRDE_SHOWERR), &text, &len,
				 &status) &&
			    !status)
				err = WRDE_BADVAL;
		}
	} else if (!err) {
		err = add(w, text, len, flags);
	}
	free(text);
	return err;
}

void wordfree(wordexp_t *w)
{
	for (size_t n = 0; w->we_wordv && n < w->we_wordc; n++)
		free(w->we_wordv[w->we_offs + n]);
	free(w->we_wordv);
	w->we_wordv = NULL;
	w->we_wordc = 0;
}
