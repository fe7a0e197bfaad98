/* SPDX-License-Identifier: MIT */
/*
 * Options of the command line. newlib's own starts with optind = 0 and takes "-" for an option,
 * which ordinary programs stumble over.
 *
 * Operands before options are moved behind them, as GNU programs expect, unless the option string
 * starts with '+' or POSIXLY_CORRECT is set; with '-' each is returned as the argument of an option
 * with the value 1. The state between two calls is optind (the next word), @place (the rest of a
 * word of short options) and @skipped (how many operands stand before that word, to be moved when
 * it ends).
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *optarg;
int optind = 1, opterr = 1, optopt = '?', optreset;

static const char *place;
static int skipped;

static int is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* Moves argv[from] down to argv[to]; what was between moves up by one. */
static void move(char **argv, int from, int to)
{
	char *word = argv[from];

	for (; from > to; from--)
		argv[from] = argv[from - 1];
	argv[to] = word;
}

static int complain(char *const argv[], const char *optstring, const char *text, const char *name,
		    int n, int result)
{
	if (opterr && *optstring != ':')
		/* fiprintf: every program would have floating point in it otherwise. */
		fiprintf(stderr, "%s: %s'%.*s'\n", argv[0], text, n, name);
	return result;
}

static int short_option(int argc, char *const argv[], const char *optstring)
{
	const char *name = place++, *spec = strchr(optstring, *name);

	optopt = (unsigned char)*name;
	if (!*place) {
		place = NULL;
		optind++;
	}
	if (!spec || *name == ':')
		return complain(argv, optstring, "invalid option -- ", name, 1, '?');
	if (spec[1] != ':')
		return *name;
	optarg = NULL;
	if (place) {
		optarg = (char *)place;
		place = NULL;
		optind++;
	} else if (spec[2] != ':') {
		if (optind >= argc)
			return complain(argv, optstring, "option requires an argument -- ", name, 1,
					*optstring == ':' ? ':' : '?');
		optarg = argv[optind++];
	}
	return *name;
}

/* The index of the long option that @name is, or abbreviates; -1: none, -2: several. */
static int find_long(const struct option *opts, const char *name, size_t len)
{
	int i, found = -1;

	for (i = 0; opts[i].name; i++) {
		if (strncmp(opts[i].name, name, len))
			continue;
		if (!opts[i].name[len])
			return i;
		if (found < 0)
			found = i;
		else if (opts[i].has_arg != opts[found].has_arg ||
			 opts[i].flag != opts[found].flag || opts[i].val != opts[found].val)
			found = -2;
		if (found == -2)
			break;
	}
	/* An exact name may stand behind two that it abbreviates. */
	for (; found == -2 && opts[i].name; i++) {
		if (!strncmp(opts[i].name, name, len) && !opts[i].name[len])
			return i;
	}
	return found;
}

static int long_option(int argc, char *const argv[], const char *optstring,
		       const struct option *opts, int *index, int only)
{
	const char *word = argv[optind], *name = word + (word[1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	int i = find_long(opts, name, len), shown = (int)(name - word + len);

	if (i < 0 && only && word[1] != '-' && strchr(optstring, word[1]))
		return -1;
	optind++;
	optopt = 0;
	if (i < 0)
		return complain(argv, optstring,
				i == -1 ? "unrecognized option " : "ambiguous option ", word, shown,
				'?');
	optarg = NULL;
	optopt = opts[i].val;
	if (name[len] == '=') {
		if (opts[i].has_arg == no_argument)
			return complain(argv, optstring, "option takes no argument ", word, shown,
					'?');
		optarg = (char *)name + len + 1;
	} else if (opts[i].has_arg == required_argument) {
		if (optind >= argc)
			return complain(argv, optstring, "option requires an argument ", word,
					shown, *optstring == ':' ? ':' : '?');
		optarg = argv[optind++];
	}
	if (index)
		*index = i;
	if (!opts[i].flag)
		return opts[i].val;
	*opts[i].flag = opts[i].val;
	return 0;
}

/* At an option: takes it. Everything about operands is done by the caller. */
static int take(int argc, char *const argv[], const char *optstring, const struct option *opts,
		int *index, int only)
{
	const char *word = argv[optind];
	int ret;

	if (opts && (word[1] == '-' || (only && (word[2] || !strchr(optstring, word[1]))))) {
		ret = long_option(argc, argv, optstring, opts, index, only);
		if (ret != -1)
			return ret;
	}
	place = word + 1;
	return short_option(argc, argv, optstring);
}

static int parse(int argc, char *const argv[], const char *optstring, const struct option *opts,
		 int *index, int only)
{
	int order = *optstring == '+' || *optstring == '-' ? *optstring : 0, first, ret, n;

	if (order)
		optstring++;
	else if (getenv("POSIXLY_CORRECT"))
		order = '+';
	if (!optind || optreset) {
		optind = 1;
		optreset = 0;
		place = NULL;
	}
	if (place) {
		n = optind;
		ret = short_option(argc, argv, optstring);
	} else {
		if (optind >= argc || !argv[optind])
			return -1;
		if (order == '-' && !is_option(argv[optind])) {
			optarg = argv[optind++];
			return 1;
		}
		for (n = optind; !order && n < argc && !is_option(argv[n]); n++)
			;
		if (n >= argc || !is_option(argv[n]))
			return -1;
		skipped = n - optind;
		optind = n;
		if (!strcmp(argv[n], "--")) {
			optind++;
			ret = -1;
		} else {
			ret = take(argc, argv, optstring, opts, index, only);
		}
	}
	if (place)
		return ret;
	for (first = n - skipped; n < optind; n++)
		move((char **)argv, n, first++);
	optind = first;
	return ret;
}

int getopt(int argc, char *const argv[], const char *optstring)
{
	return parse(argc, argv, optstring, NULL, NULL, 0);
}

int getopt_long(int argc, char *const argv[], const char *optstring, const struct option *opts,
		int *index)
{
	return parse(argc, argv, optstring, opts, index, 0);
}

int getopt_long_only(int argc, char *const argv[], const char *optstring, const struct option *opts,
		     int *index)
{
	return parse(argc, argv, optstring, opts, index, 1);
}
