/* SPDX-License-Identifier: MIT */
/*
 * cp [-afipPRrvL] source... target: copy files and, with -R, trees. Special files and links are
 * copied as such with -R (and -P); -p keeps times, owner and mode. The data go in 64 KiB pieces,
 * and runs of zeros become holes where the source has them (its blocks are fewer than its size).
 */
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static bool force, interactive, preserve, recursive, verbose, keep_links;
static mode_t mask;

static void keep_attributes(const char *to, const struct stat *st)
{
	struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (!preserve)
		return;
	if (S_ISLNK(st->st_mode)) {
		if (lchown(to, st->st_uid, st->st_gid) < 0 && errno != EPERM)
			warning("%s", to);
		return;
	}
	/* The owner first: a change of it clears the set-id bits. */
	if (chown(to, st->st_uid, st->st_gid) < 0 && errno != EPERM)
		warning("%s", to);
	if (chmod(to, st->st_mode & 07777) < 0 || utimensat(AT_FDCWD, to, times, 0) < 0)
		warning("%s", to);
}

static bool all_zero(const char *buf, size_t len)
{
	return buf[0] == 0 && memcmp(buf, buf + 1, len - 1) == 0;
}

static bool copy_data(int in, const char *from, int out, const char *to, bool sparse)
{
	static char buf[65536];
	off_t size = 0;

	for (;;) {
		ssize_t n = read(in, buf, sizeof(buf));

		if (n < 0) {
			if (errno == EINTR)
				continue;
			warning("%s", from);
			return false;
		}
		if (n == 0)
			break;
		size += n;
		if (sparse && all_zero(buf, (size_t)n) && lseek(out, n, SEEK_CUR) >= 0)
			continue;
		if (!write_all(out, buf, (size_t)n)) {
			warning("%s", to);
			return false;
		}
	}
	if (sparse && ftruncate(out, size) < 0) {
		warning("%s", to);
		return false;
	}
	return true;
}

static bool copy_file(const char *from, const char *to, const struct stat *st)
{
	bool sparse = S_ISREG(st->st_mode) && (off_t)st->st_blocks * 512 < st->st_size;
	int in = open(from, O_RDONLY), out;
	bool ok;

	if (in < 0) {
		warning("%s", from);
		return false;
	}
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, st->st_mode & 0777);
	if (out < 0 && force && unlink(to) == 0)
		out = open(to, O_WRONLY | O_CREAT | O_TRUNC, st->st_mode & 0777);
	if (out < 0) {
		warning("%s", to);
		close(in);
		return false;
	}
	ok = copy_data(in, from, out, to, sparse);
	close(in);
	if (close(out) < 0 && ok) {
		warning("%s", to);
		ok = false;
	}
	return ok;
}

static bool copy_link(const char *from, const char *to)
{
	char target[1024];
	ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n < 0) {
		warning("%s", from);
		return false;
	}
	target[n] = '\0';
	unlink(to);
	if (symlink(target, to) < 0) {
		warning("%s", to);
		return false;
	}
	return true;
}

static void copy(const char *from, const char *to, int depth);

static bool copy_dir(const char *from, const char *to, const struct stat *st, int depth)
{
	struct stat made;
	char **names;

	if (!recursive) {
		warningx("%s is a directory (not copied without -R)", from);
		return false;
	}
	/* Writable while it is filled; its own mode afterwards. */
	if (mkdir(to, (st->st_mode & 0777) | 0700) < 0 && errno != EEXIST) {
		warning("%s", to);
		return false;
	}
	if (stat(to, &made) == 0 && !S_ISDIR(made.st_mode)) {
		errno = ENOTDIR;
		warning("%s", to);
		return false;
	}
	names = list_dir(from);
	if (!names) {
		warning("%s", from);
		return false;
	}
	for (size_t i = 0; names[i]; i++) {
		char *f = path_join(from, names[i]);
		char *t = path_join(to, names[i]);
		struct stat child;

		/* The copy may lie inside the original: do not copy it into itself for ever. */
		if (lstat(f, &child) == 0 && child.st_dev == made.st_dev &&
		    child.st_ino == made.st_ino)
			warningx("%s: not copied into itself", f);
		else
			copy(f, t, depth + 1);
		free(f);
		free(t);
	}
	list_free(names);
	if (!preserve && chmod(to, st->st_mode & 0777 & ~mask) < 0)
		warning("%s", to);
	return true;
}

static void copy(const char *from, const char *to, int depth)
{
	bool as_link = keep_links || (recursive && depth > 0);
	struct stat st, old;
	bool ok;

	if ((as_link ? lstat(from, &st) : stat(from, &st)) < 0) {
		warning("%s", from);
		return;
	}
	if (stat(to, &old) == 0) {
		if (old.st_dev == st.st_dev && old.st_ino == st.st_ino) {
			warningx("%s and %s are the same file", from, to);
			return;
		}
		if (!S_ISDIR(st.st_mode) && S_ISDIR(old.st_mode)) {
			errno = EISDIR;
			warning("%s", to);
			return;
		}
		if (interactive && !S_ISDIR(st.st_mode) && !ask("overwrite %s? ", to))
			return;
	}
	if (verbose)
		printf("%s -> %s\n", from, to);
	if (S_ISDIR(st.st_mode)) {
		ok = copy_dir(from, to, &st, depth);
	} else if (S_ISLNK(st.st_mode)) {
		ok = copy_link(from, to);
	} else if (S_ISREG(st.st_mode) || !recursive) {
		ok = copy_file(from, to, &st);
	} else {
		ok = mknod(to, st.st_mode, st.st_rdev) == 0;
		if (!ok)
			warning("%s", to);
	}
	if (ok)
		keep_attributes(to, &st);
}

static void copy_operand(const char *from, const char *to)
{
	copy(from, to, 0);
}

int main(int argc, char **argv)
{
	int c;

	prog_init(argv);
	mask = umask(0);
	umask(mask);
	while ((c = getopt(argc, argv, "afipPRrvL")) != -1) {
		switch (c) {
		case 'a':
			recursive = preserve = keep_links = true;
			break;
		case 'f':
			force = true;
			break;
		case 'i':
			interactive = true;
			break;
		case 'p':
			preserve = true;
			break;
		case 'P':
			keep_links = true;
			break;
		case 'R':
		case 'r':
			recursive = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'L':
			keep_links = false;
			break;
		default:
			usage("[-afipPRrvL] source... target");
		}
	}
	if (argc - optind < 2)
		usage("[-afipPRrvL] source... target");
	each_to_target(argv + optind, argc - optind - 1, argv[argc - 1], copy_operand);
	return finish();
}
