/* SPDX-License-Identifier: MIT */
/*
 * find [path...] [expression]: walk trees and test every file.
 *
 * -name -iname -path pattern, -type c, -size [+-]n[ck], -mtime -mmin [+-]n, -newer file, -perm
 * mode, -user, -links n, -empty, -maxdepth n, -mindepth n, -depth, -xdev, -prune, -print, -print0,
 * -delete, -exec command {} ; (or + at the end: many at once), ! ( ) -a -o.
 *
 * The words are made into a tree of nodes once, which is then evaluated for every file.
 */
#include "../lib/util.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH 256

struct node {
	bool (*test)(struct node *n, const char *path, const struct stat *st);
	struct node *left, *right;
	const char *text;
	long long number;
	char sign; /* '+' more than, '-' less than, 0 exactly */
	char unit;
	char **command;
	int words;
	char *batch[BATCH + 1];
	int batched;
};

static char **word;
static bool acts; /* an action is in the expression: no -print of our own */
static int walk_flags, max_depth = -1, min_depth;
static bool pruned;
static time_t now;
static struct node *batches[16];
static int batch_count;

static bool compare(const struct node *n, long long value)
{
	if (n->sign == '+')
		return value > n->number;
	if (n->sign == '-')
		return value < n->number;
	return value == n->number;
}

static bool eval(struct node *n, const char *path, const struct stat *st)
{
	return !n || n->test(n, path, st);
}

static bool test_and(struct node *n, const char *path, const struct stat *st)
{
	return eval(n->left, path, st) && eval(n->right, path, st);
}

static bool test_or(struct node *n, const char *path, const struct stat *st)
{
	return eval(n->left, path, st) || eval(n->right, path, st);
}

static bool test_not(struct node *n, const char *path, const struct stat *st)
{
	return !eval(n->left, path, st);
}

static bool test_true(struct node *n, const char *path, const struct stat *st)
{
	(void)n;
	(void)path;
	(void)st;
	return true;
}

static bool test_name(struct node *n, const char *path, const struct stat *st)
{
	char *base = path_base(path);
	bool match = fnmatch(n->text, base, (int)n->number) == 0;

	(void)st;
	free(base);
	return match;
}

static bool test_path(struct node *n, const char *path, const struct stat *st)
{
	(void)st;
	return fnmatch(n->text, path, 0) == 0;
}

static bool test_type(struct node *n, const char *path, const struct stat *st)
{
	char mode[11];

	(void)path;
	mode_string(st->st_mode, mode);
	return (mode[0] == '-' ? 'f' : mode[0]) == n->text[0];
}

static bool test_size(struct node *n, const char *path, const struct stat *st)
{
	long long unit = n->unit == 'c'   ? 1
			 : n->unit == 'k' ? 1024
			 : n->unit == 'M' ? 1 << 20
					  : 512;

	(void)path;
	return compare(n, (st->st_size + unit - 1) / unit);
}

static bool test_time(struct node *n, const char *path, const struct stat *st)
{
	(void)path;
	return compare(n, (now - st->st_mtime) / (n->unit == 'm' ? 60 : 86400));
}

static bool test_newer(struct node *n, const char *path, const struct stat *st)
{
	(void)path;
	return st->st_mtime > n->number;
}

static bool test_perm(struct node *n, const char *path, const struct stat *st)
{
	(void)path;
	if (n->sign == '-')
		return (st->st_mode & n->number) == n->number;
	return (st->st_mode & 07777) == n->number;
}

static bool test_user(struct node *n, const char *path, const struct stat *st)
{
	(void)path;
	return st->st_uid == (uid_t)n->number;
}

static bool test_links(struct node *n, const char *path, const struct stat *st)
{
	(void)path;
	return compare(n, (long long)st->st_nlink);
}

static bool test_empty(struct node *n, const char *path, const struct stat *st)
{
	char **names;
	bool empty;

	(void)n;
	if (S_ISREG(st->st_mode))
		return st->st_size == 0;
	if (!S_ISDIR(st->st_mode) || !(names = list_dir(path)))
		return false;
	empty = !names[0];
	list_free(names);
	return empty;
}

static bool do_prune(struct node *n, const char *path, const struct stat *st)
{
	(void)n;
	(void)path;
	(void)st;
	pruned = true;
	return true;
}

static bool do_print(struct node *n, const char *path, const struct stat *st)
{
	(void)st;
	fputs(path, stdout);
	putchar_unlocked(n ? n->unit : '\n');
	return true;
}

static bool do_delete(struct node *n, const char *path, const struct stat *st)
{
	(void)n;
	if (strcmp(path, ".") == 0)
		return true;
	if ((S_ISDIR(st->st_mode) ? rmdir(path) : unlink(path)) == 0)
		return true;
	warning("%s", path);
	return false;
}

static char *replace_braces(const char *text, const char *path)
{
	size_t room = strlen(text) + 1, plen = strlen(path);
	char *out, *o;

	for (const char *s = text; (s = strstr(s, "{}")); s += 2)
		room += plen;
	out = o = xmalloc(room);
	while (*text) {
		if (text[0] == '{' && text[1] == '}') {
			memcpy(o, path, plen);
			o += plen;
			text += 2;
		} else {
			*o++ = *text++;
		}
	}
	*o = '\0';
	return out;
}

static bool do_exec(struct node *n, const char *path, const struct stat *st)
{
	char *args[n->words + 1];
	bool ok;

	(void)st;
	for (int i = 0; i < n->words; i++)
		args[i] = replace_braces(n->command[i], path);
	args[n->words] = NULL;
	ok = run_command(args) == 0;
	for (int i = 0; i < n->words; i++)
		free(args[i]);
	return ok;
}

static void flush_batch(struct node *n)
{
	char *args[n->words + BATCH + 1];

	if (!n->batched)
		return;
	memcpy(args, n->command, (size_t)n->words * sizeof(*args));
	memcpy(args + n->words, n->batch, (size_t)n->batched * sizeof(*args));
	args[n->words + n->batched] = NULL;
	if (run_command(args) != 0)
		exit_status = 1;
	while (n->batched > 0)
		free(n->batch[--n->batched]);
}

static bool do_exec_batch(struct node *n, const char *path, const struct stat *st)
{
	(void)st;
	n->batch[n->batched++] = xstrdup(path);
	if (n->batched == BATCH)
		flush_batch(n);
	return true;
}

/* -- from words to nodes -- */

static struct node *make(bool (*test)(struct node *, const char *, const struct stat *))
{
	struct node *n = xmalloc(sizeof(*n));

	memset(n, 0, sizeof(*n));
	n->test = test;
	return n;
}

static const char *operand(void)
{
	const char *name = word[-1];

	if (!*word)
		fatalx("%s: an argument is missing", name);
	return *word++;
}

static struct node *numeric(struct node *n)
{
	const char *text = operand(), *s = text;
	char *end;

	if (*s == '+' || *s == '-')
		n->sign = *s++;
	n->number = strtoll(s, &end, 10);
	if (*end && !n->unit)
		n->unit = *end++;
	if (end == s || *end)
		fatalx("invalid number: %s", text);
	return n;
}

static struct node *parse_exec(void)
{
	struct node *n = make(do_exec);

	acts = true;
	n->command = word;
	for (; *word && strcmp(*word, ";") != 0; word++) {
		if (strcmp(*word, "+") == 0 && n->words > 1 && strcmp(word[-1], "{}") == 0) {
			n->test = do_exec_batch;
			n->words--;
			if (batch_count == (int)ARRAY_LEN(batches))
				fatalx("too many -exec ... +");
			batches[batch_count++] = n;
			break;
		}
		n->words++;
	}
	if (!*word || !n->words)
		fatalx("-exec: the ; at its end is missing");
	word++;
	return n;
}

static struct node *parse_test(const char *name)
{
	struct node *n;
	struct stat st;
	uid_t uid;
	int mode;

	if (strcmp(name, "-name") == 0 || strcmp(name, "-iname") == 0) {
		n = make(test_name);
		n->text = operand();
		n->number = name[1] == 'i' ? FNM_CASEFOLD : 0;
	} else if (strcmp(name, "-path") == 0) {
		n = make(test_path);
		n->text = operand();
	} else if (strcmp(name, "-type") == 0) {
		n = make(test_type);
		n->text = operand();
	} else if (strcmp(name, "-size") == 0) {
		n = numeric(make(test_size));
	} else if (strcmp(name, "-mtime") == 0 || strcmp(name, "-mmin") == 0) {
		n = make(test_time);
		n->unit = name[2] == 'm' ? 'm' : 'd';
		numeric(n);
	} else if (strcmp(name, "-newer") == 0) {
		n = make(test_newer);
		if (stat(operand(), &st) < 0)
			fatal("%s", word[-1]);
		n->number = st.st_mtime;
	} else if (strcmp(name, "-perm") == 0) {
		n = make(test_perm);
		n->text = operand();
		n->sign = n->text[0] == '-' ? '-' : 0;
		mode = mode_parse(n->text + (n->sign != 0), 0, false, 0);
		if (mode < 0)
			fatalx("invalid mode: %s", n->text);
		n->number = mode;
	} else if (strcmp(name, "-user") == 0) {
		n = make(test_user);
		if (!find_user(operand(), &uid))
			fatalx("unknown user: %s", word[-1]);
		n->number = uid;
	} else if (strcmp(name, "-links") == 0) {
		n = numeric(make(test_links));
	} else if (strcmp(name, "-empty") == 0) {
		n = make(test_empty);
	} else {
		fatalx("%s: unknown test", name);
	}
	return n;
}

static struct node *parse_or(void);

static struct node *parse_one(void)
{
	const char *name = *word;
	struct node *n;

	if (!name)
		fatalx("the expression ends too early");
	word++;
	if (strcmp(name, "!") == 0 || strcmp(name, "-not") == 0) {
		n = make(test_not);
		n->left = parse_one();
	} else if (strcmp(name, "(") == 0) {
		n = parse_or();
		if (!*word || strcmp(*word++, ")") != 0)
			fatalx(") is missing");
	} else if (strcmp(name, "-exec") == 0) {
		n = parse_exec();
	} else if (strcmp(name, "-print") == 0 || strcmp(name, "-print0") == 0) {
		n = make(do_print);
		n->unit = name[6] ? '\0' : '\n';
		acts = true;
	} else if (strcmp(name, "-delete") == 0) {
		n = make(do_delete);
		walk_flags |= WALK_DEPTH_FIRST;
		acts = true;
	} else if (strcmp(name, "-prune") == 0) {
		n = make(do_prune);
	} else if (strcmp(name, "-depth") == 0) {
		walk_flags |= WALK_DEPTH_FIRST;
		n = make(test_true);
	} else if (strcmp(name, "-xdev") == 0) {
		walk_flags |= WALK_ONE_DEVICE;
		n = make(test_true);
	} else if (strcmp(name, "-maxdepth") == 0) {
		max_depth = (int)parse_number(operand(), "depth");
		n = make(test_true);
	} else if (strcmp(name, "-mindepth") == 0) {
		min_depth = (int)parse_number(operand(), "depth");
		n = make(test_true);
	} else {
		n = parse_test(name);
	}
	return n;
}

static struct node *parse_and(void)
{
	struct node *left = parse_one(), *n;

	while (*word && strcmp(*word, "-o") != 0 && strcmp(*word, ")") != 0) {
		if (strcmp(*word, "-a") == 0)
			word++;
		n = make(test_and);
		n->left = left;
		n->right = parse_one();
		left = n;
	}
	return left;
}

static struct node *parse_or(void)
{
	struct node *left = parse_and(), *n;

	while (*word && strcmp(*word, "-o") == 0) {
		word++;
		n = make(test_or);
		n->left = left;
		n->right = parse_and();
		left = n;
	}
	return left;
}

static enum walk_next visit(const char *path, const struct stat *st, int depth, void *ctx)
{
	struct node *root = ctx;

	pruned = false;
	if (depth >= min_depth && (max_depth < 0 || depth <= max_depth) && eval(root, path, st) &&
	    !acts)
		do_print(NULL, path, st);
	return pruned || depth == max_depth ? WALK_PRUNE : WALK_ON;
}

int main(int argc, char **argv)
{
	struct node *root;
	char **end;

	(void)argc;
	prog_init(argv);
	now = time(NULL);
	for (end = argv + 1; *end && !strchr("-!(", (*end)[0]); end++)
		;
	word = end;
	root = *word ? parse_or() : NULL;
	if (*word)
		fatalx("%s: not expected here", *word);
	if (end == argv + 1)
		walk(".", walk_flags, visit, root);
	for (char **path = argv + 1; path < end; path++)
		walk(*path, walk_flags, visit, root);
	for (int i = 0; i < batch_count; i++)
		flush_batch(batches[i]);
	return finish();
}
