/* SPDX-License-Identifier: MIT */
/*
 * xenstore COMMAND ..., or xenstore-COMMAND ...: the tree of names and values that the domains of a
 * host share. Options and output are those of the programs of the same names that come with Xen.
 *
 * It is all files (docs/lifecycle.md): a node PATH has its value in /xen/store/PATH.value, its
 * permissions in PATH.perms, and reading PATH.watch waits for a change. A path that does not begin
 * with a slash is below the domain's own directory.
 */
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define STORE "/xen/store"
#define SELF STORE "/.self"
#define VALUE_MAX 4096
#define WATCH_MAX 16

struct options {
	bool flat, prefix, tidy, upto, recurse, raw;
	long number; /* of events; -1: no end */
};

/*
 * The file of @path with @suffix, in new memory: /xen/store/a.dir/b.value for /a/b. A node on the
 * way may have a value and no children: .dir makes it a directory all the same.
 */
static char *file_of(const char *path, const char *suffix)
{
	const char *top = *path == '/' ? STORE : SELF "/";
	char *file = xmalloc(strlen(top) + 5 * strlen(path) + strlen(suffix) + 1);
	char *to = stpcpy(file, top);

	for (const char *s = path; *s; s++) {
		if (*s == '/' && s > path)
			to = stpcpy(to, ".dir");
		*to++ = *s;
	}
	strcpy(to, suffix);
	return file;
}

static int open_of(const char *path, const char *suffix, int flags)
{
	char *file = file_of(path, suffix);
	int fd = open(file, flags, 0644);

	free(file);
	return fd;
}

/* The contents into @buf of @size bytes, a 0 behind; their number, or -1. */
static ssize_t get(const char *path, const char *suffix, char *buf, size_t size)
{
	int fd = open_of(path, suffix, O_RDONLY);
	ssize_t n = -1, all = 0;

	if (fd < 0)
		return -1;
	while (all < (ssize_t)size - 1 && (n = read(fd, buf + all, size - 1 - all)) > 0)
		all += n;
	close(fd);
	buf[all] = '\0';
	return n < 0 ? -1 : all;
}

/* xenstored makes what is missing above a new node; a file system does not. */
static void make_parents(const char *path)
{
	char *part = xstrdup(path);

	for (char *s = strchr(part + 1, '/'); s; s = strchr(s + 1, '/')) {
		char *dir;

		*s = '\0';
		dir = file_of(part, "");
		mkdir(dir, 0755);
		free(dir);
		*s = '/';
	}
	free(part);
}

/* One write: it replaces the whole, and nobody sees the value empty in between. */
static bool put(const char *path, const char *suffix, const char *data, size_t n)
{
	int fd = open_of(path, suffix, O_WRONLY | O_CREAT);
	bool ok;

	if (fd < 0 && errno == ENOENT) {
		make_parents(path);
		fd = open_of(path, suffix, O_WRONLY | O_CREAT);
	}
	ok = fd >= 0 && write(fd, data, n) == (ssize_t)n;

	return (fd < 0 || close(fd) == 0) && ok;
}

/* The names below @path; NULL and errno. A value is a directory without names. */
static char **children(const char *path)
{
	char *dir = file_of(path, "");
	char **names = list_dir(dir);

	if (!names && errno == ENOTDIR) {
		names = xmalloc(sizeof(*names));
		*names = NULL;
	}
	free(dir);
	return names;
}

/* ---- values as text ---- */

/* Printable characters as they are, others as \t \n \r \\ \ooo \xhh. New memory. */
static char *escape(const char *value, size_t n)
{
	char *text = xmalloc(4 * n + 1), *to = text;

	for (size_t i = 0; i < n; i++) {
		static const char special[] = "\t\n\r\\", letters[] = "tnr\\";
		unsigned char c = value[i];
		const char *at = c ? strchr(special, c) : NULL;

		if (at)
			to += sprintf(to, "\\%c", letters[at - special]);
		else if (c >= ' ' && c <= '~')
			*to++ = c;
		else
			to += sprintf(to, c < 010 ? "\\%03o" : "\\x%02x", c);
	}
	*to = '\0';
	return text;
}

/* Back, in place; the number of bytes. */
static size_t unescape(char *text)
{
	static const char letters[] = "tnr", means[] = "\t\n\r";
	char *to = text;

	for (const char *s = text; *s;) {
		char digits[4] = "", *end;
		const char *at;
		bool hex;

		if (*s != '\\' || !s[1]) {
			*to++ = *s++;
			continue;
		}
		hex = *++s == 'x';
		at = strchr(letters, *s);
		if (hex || (*s >= '0' && *s <= '7')) {
			strncpy(digits, s + hex, hex ? 2 : 3);
			*to++ = strtol(digits, &end, hex ? 16 : 8);
			s += hex + (end - digits);
		} else {
			*to++ = at ? means[at - letters] : *s;
			s++;
		}
	}
	return to - text;
}

/* ---- the commands: one path each, 0 or 1 ---- */

static int do_read(const char *path, const struct options *o)
{
	char value[VALUE_MAX + 1], *text;
	ssize_t n = get(path, ".value", value, sizeof(value));

	if (n < 0) {
		warning("couldn't read path %s", path);
		return 1;
	}
	if (o->prefix)
		printf("%s: ", path);
	if (o->raw) {
		fwrite(value, 1, n, stdout);
		return 0;
	}
	text = escape(value, n);
	puts(text);
	free(text);
	return 0;
}

static int do_exists(const char *path, const struct options *o)
{
	char value[VALUE_MAX + 1];

	(void)o;
	return get(path, ".value", value, sizeof(value)) < 0;
}

static int do_list(const char *path, const struct options *o)
{
	char **names = children(path);

	if (!names) {
		warning("could not list path %s", path);
		return 1;
	}
	for (char **name = names; *name; name++)
		printf("%s%s%s\n", o->prefix ? path : "", o->prefix ? "/" : "", *name);
	list_free(names);
	return 0;
}

static bool remove_tree(const char *path)
{
	char **names = children(path), *file = file_of(path, "");
	bool ok = true;

	for (char **name = names; name && *name && ok; name++) {
		char *below = path_join(path, *name);

		ok = remove_tree(below);
		free(below);
	}
	if (names)
		list_free(names);
	ok = ok && (rmdir(file) == 0 || (errno == ENOTDIR && unlink(file) == 0));
	free(file);
	return ok;
}

/* Nothing in it and no value. */
static bool is_empty(const char *path)
{
	char value[2], **names = children(path);
	bool empty = names && !*names && get(path, ".value", value, sizeof(value)) == 0;

	if (names)
		list_free(names);
	return empty;
}

static int do_rm(const char *path, const struct options *o)
{
	char *at = xstrdup(path), *slash;

	do {
		if (!remove_tree(at)) {
			warning("could not remove path %s", at);
			free(at);
			return 1;
		}
		slash = o->tidy ? strrchr(at, '/') : NULL;
		if (slash)
			*slash = '\0';
	} while (slash && *at && is_empty(at));
	free(at);
	return 0;
}

/* ---- ls ---- */

static int width = 80, dotted = 60;

static void ls_line(const char *path, const char *name, int depth, const struct options *o)
{
	static const char tag[] = " = \"...\"";
	const int tag_len = sizeof(tag) - 1;
	char value[VALUE_MAX + 1], *text;
	ssize_t n = get(path, ".value", value, sizeof(value));
	int col = 0;

	if (o->flat)
		fputs(path, stdout);
	else
		col = printf("%*s%.*s", depth, "", width - tag_len - depth, name);
	if (n < 0) {
		putchar_unlocked(':');
	} else {
		text = escape(value, n);
		if (width < col + n + tag_len) {
			printf(" = \"%.*s\\...\"", width - tag_len - col, text);
			col = width;
		} else {
			col += printf(" = \"%s\"", text);
		}
		free(text);
		if (o->prefix && col < width) {
			putchar_unlocked(' ');
			for (col++; col < dotted && col < width; col++)
				putchar_unlocked(col & 1 ? '.' : ' ');
		}
	}
	if (o->prefix && get(path, ".perms", value, sizeof(value)) > 0) {
		value[strcspn(value, "\n")] = '\0';
		for (char *s = value; *s; s++)
			if (*s == ' ')
				*s = ',';
		printf("  (%s)", value);
	}
	putchar_unlocked('\n');
}

/* What may not be listed is passed over, except at the top. */
static int ls_tree(const char *path, int depth, const struct options *o)
{
	char **names = children(path);

	if (!names) {
		if (depth == 0)
			warning("%s", path);
		return 1;
	}
	for (char **name = names; *name; name++) {
		char *below = path_join(path, *name);

		ls_line(below, *name, depth, o);
		ls_tree(below, depth + 1, o);
		free(below);
	}
	list_free(names);
	return 0;
}

static int do_ls(const char *path, const struct options *o)
{
	return ls_tree(path, 0, o);
}

/* ---- those with more than paths ---- */

static void write_all_values(char **args, const struct options *o)
{
	for (; *args; args += 2) {
		size_t n = o->raw ? strlen(args[1]) : unescape(args[1]);

		if (!put(args[0], ".value", args[1], n))
			fatal("could not write path %s", args[0]);
	}
}

static void set_perms(const char *path, const char *perms, bool recurse)
{
	char **names;

	if (!put(path, ".perms", perms, strlen(perms)))
		fatal("cannot set the permissions of %s", path);
	names = recurse ? children(path) : NULL;
	for (char **name = names; name && *name; name++) {
		char *below = path_join(path, *name);

		set_perms(below, perms, true);
		free(below);
	}
	if (names)
		list_free(names);
}

static void change_perms(char *path, char **args, const struct options *o)
{
	char perms[1024] = "", *slash;

	for (; *args; args++) {
		if (strlen(*args) < 2 || !strchr("nrwb", **args) ||
		    strspn(*args + 1, "0123456789") != strlen(*args + 1))
			fatalx("not a permission: %s", *args);
		if (strlen(perms) + strlen(*args) + 2 > sizeof(perms))
			fatalx("too many permissions");
		strcat(strcat(perms, *perms ? " " : ""), *args);
	}
	set_perms(path, perms, o->recurse);
	while (o->upto && (slash = strrchr(path, '/')) && slash != path) {
		*slash = '\0';
		set_perms(path, perms, false);
	}
}

/* "/local/domain/N", our own. */
static char *own_path(void)
{
	static char path[64] = "/";
	ssize_t n = readlink(SELF, path + 1, sizeof(path) - 2);

	path[1 + (n > 0 ? n : 0)] = '\0';
	return path;
}

/* The lines of one ready file; those of a relative watch are relative. */
static void print_changes(int fd, const char *path, const char *self, long *left)
{
	char lines[VALUE_MAX + 1];
	ssize_t n = read(fd, lines, sizeof(lines) - 1);
	size_t skip = strlen(self);

	if (n < 0)
		fatal("%s", path);
	lines[n] = '\0';
	for (char *line = strtok(lines, "\n"); line && *left; line = strtok(NULL, "\n")) {
		if (*path != '/' && strncmp(line, self, skip) == 0)
			line += skip;
		puts(line);
		if (*left > 0)
			--*left;
	}
	fflush(stdout);
}

static void watch(char **paths, const struct options *o)
{
	struct pollfd fds[WATCH_MAX];
	char *self = path_join(own_path(), "");
	long left = o->number;
	int n = 0;

	for (; paths[n]; n++) {
		if (n == WATCH_MAX)
			fatalx("more than %d paths", WATCH_MAX);
		fds[n] = (struct pollfd){.fd = open_of(paths[n], ".watch", O_RDONLY),
					 .events = POLLIN};
		if (fds[n].fd < 0)
			fatal("unable to add watch on %s", paths[n]);
	}
	while (left) {
		if (poll(fds, n, -1) < 0 && errno != EINTR)
			fatal("poll");
		for (int i = 0; i < n && left; i++)
			if (fds[i].revents & POLLIN)
				print_changes(fds[i].fd, paths[i], self, &left);
	}
}

/* ---- which ---- */

static const struct command {
	const char *name, *letters, *usage;
	int (*each)(const char *path, const struct options *o);
} commands[] = {
	{"read", "psR", "[-p] [-s] [-R] key [...]", do_read},
	{"write", "sR", "[-s] [-R] key value [...]", NULL},
	{"rm", "st", "[-s] [-t] key [...]", do_rm},
	{"exists", "ps", "[-p] [-s] key [...]", do_exists},
	{"list", "ps", "[-p] [-s] key [...]", do_list},
	{"ls", "fps", "[-f] [-p] [-s] [path]", do_ls},
	{"chmod", "urs", "[-u] [-r] [-s] key mode [mode ...]", NULL},
	{"watch", "n:", "[-n NUMBER] key [...]", NULL},
};

static const struct command *find_command(char ***argv)
{
	const char *name = strchr(prog_name, '-');

	if (name)
		name++;
	else
		name = *++*argv;
	for (size_t i = 0; name && i < ARRAY_LEN(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	usage("read|write|rm|exists|list|ls|chmod|watch ...");
}

static void parse(const struct command *cmd, int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt(argc, argv, cmd->letters)) != -1) {
		switch (c) {
		case 'f':
			o->flat = true;
			width = 1 << 30;
			dotted = 0;
			break;
		case 'p':
			o->prefix = true;
			break;
		case 'R':
			o->raw = true;
			break;
		case 'r':
			o->recurse = true;
			break;
		case 't':
			o->tidy = true;
			break;
		case 'u':
			o->upto = true;
			break;
		case 'n':
			o->number = parse_number(optarg, "number");
			break;
		case 's': /* talk to the daemon's socket: there is one way only here */
			break;
		default:
			usage(cmd->usage);
		}
	}
}

int main(int argc, char **argv)
{
	char *top[] = {own_path(), NULL}; /* an ordinary domain may not list the root */
	struct options o = {.number = -1};
	const struct command *cmd;
	struct winsize ws;
	char **all = argv, **args;

	prog_init(argv);
	cmd = find_command(&argv);
	argc -= argv - all;
	parse(cmd, argc, argv, &o);
	args = argv + optind;
	argc -= optind;
	if (strcmp(cmd->name, "ls") == 0) {
		if (!o.flat && ioctl(1, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 20)
			width = ws.ws_col - 2;
		if (!argc)
			args = top;
	} else if (!argc || (strcmp(cmd->name, "write") == 0 && argc % 2) ||
		   (strcmp(cmd->name, "chmod") == 0 && argc < 2)) {
		usage(cmd->usage);
	}
	if (cmd->each)
		for (; *args; args++)
			exit_status |= cmd->each(*args, &o);
	else if (cmd->name[0] == 'w' && cmd->name[1] == 'r')
		write_all_values(args, &o);
	else if (cmd->name[0] == 'w')
		watch(args, &o);
	else
		change_perms(args[0], args + 1, &o);
	return finish();
}
