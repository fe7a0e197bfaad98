/* SPDX-License-Identifier: MIT */
/*
 * What the small programs below user/bin share: messages in Unix's form, memory that never fails
 * quietly, sizes and modes as text, and a walk over a tree of files.
 *
 * A program calls prog_init() first and ends with finish(): output goes through stdio, and a full
 * disk is noticed only when the buffer is written, which may be at the very end.
 */
#ifndef USER_UTIL_H
#define USER_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * newlib's printf and scanf families without floating point: a program is half as large. The few
 * that print fractions define USE_FLOAT before they include this.
 */
#if defined(__parvix__) && !defined(USE_FLOAT)
#define printf iprintf
#define fprintf fiprintf
#define vfprintf vfiprintf
#define snprintf sniprintf
#define asprintf asiprintf
#define sscanf siscanf
#define fscanf fiscanf
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(f, a) __attribute__((format(__printf__, f, a)))
#define NORETURN __attribute__((noreturn))

/* Exit status of a program so far: 0, or what the first trouble set; finish() returns it. */
extern int exit_status;
extern const char *prog_name;

/* Take the last part of argv[0] as the name that messages begin with. */
void prog_init(char **argv);

/*
 * "name: text: No such file or directory" on standard error, or without the last part (x).
 * warning*() set exit_status to 1 and return; fatal*() exit with 1.
 */
void warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void warningx(const char *fmt, ...) PRINTF_LIKE(1, 2);
void fatal(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;
void fatalx(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;

/* "usage: name text", exit status 2. */
void usage(const char *text) NORETURN;

/* Flush standard output; returns exit_status, or 1 with a message if the output was lost. */
int finish(void);

/* As in the C library, but exit with a message when memory is out. */
void *xmalloc(size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);

/* "dir/name" in new memory, without doubling a slash. */
char *path_join(const char *dir, const char *name);
/* The part after the last slash; trailing slashes do not count, "/" is its own name. */
char *path_base(const char *path);

/* Next line of @f without its newline in *@buf, which grows as needed (NULL and *@size 0 to begin
 * with); false at the end. A line may contain zero bytes: *@len is the truth. */
bool read_line(FILE *f, char **buf, size_t *size, size_t *len);

/* Open @path for reading; "-" and NULL are standard input. NULL with a message on failure. */
FILE *open_input(const char *path);
void close_input(FILE *f);

/* Write all of it, whatever the kernel takes at a time. False with errno set. */
bool write_all(int fd, const void *data, size_t len);

/* "drwxr-xr-x" into @buf[11]. */
void mode_string(mode_t mode, char *buf);

/*
 * Apply "755" or "u+x,go-w" to @mode (permission bits and S_ISUID..; @is_dir matters for X);
 * who-less symbolic parts obey @mask. Returns -1 if @text is not a mode.
 */
int mode_parse(const char *text, mode_t mode, bool is_dir, mode_t mask);

/* "512", "1.5K", "20M" into @buf[8], in powers of 1024. */
void human_size(unsigned long long bytes, char *buf);

/* A whole non-negative number, with k, M, G behind it for powers of 1024; false if it is not. */
bool parse_size(const char *text, unsigned long long *value);

/* A whole number in decimal, a sign allowed; exit with usage-like message otherwise. */
long parse_number(const char *text, const char *what);

/* A time in seconds, with fractions, or with s, m, h or d behind it; exits with a message. */
double parse_time(const char *text);

/* User and group by name or number; names for numbers (decimal if unknown, in static memory). */
bool find_user(const char *text, uid_t *uid);
bool find_group(const char *text, gid_t *gid);
const char *user_name(uid_t uid);
const char *group_name(gid_t gid);

/* Signals: name without SIG, or number, to number (-1: none); the name, or NULL. */
int signal_number(const char *text);
const char *signal_name(int sig);

/*
 * What cp and mv do with their operands: @one(source, target), or, if @target is a directory,
 * @one(source, target/last part of source) for each of the @n sources. Several sources and no
 * directory: fatal.
 */
void each_to_target(char **sources, int n, const char *target,
		    void (*one)(const char *from, const char *to));

/*
 * Run a program found in PATH and wait for it. Its status as a shell has it: 128 + N when signal N
 * ended it, 127 if it cannot be run (which has been said).
 */
int run_command(char **args);

/* Ask on the terminal; true if the answer begins with y. */
bool ask(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * Walk a tree. @visit is called for every file with its path, its lstat() result (of what it
 * points to where WALK_FOLLOW, or WALK_FOLLOW_TOP and depth 0, asks for that) and its depth;
 * directories first, or after their contents with WALK_DEPTH_FIRST. It returns WALK_ON, or
 * WALK_PRUNE not to enter this directory. Trouble is reported and the walk goes on.
 */
enum {
	WALK_DEPTH_FIRST = 1,
	WALK_FOLLOW = 2,
	WALK_FOLLOW_TOP = 4,
	WALK_ONE_DEVICE = 8,
};
enum walk_next { WALK_ON, WALK_PRUNE };
typedef enum walk_next (*walk_fn)(const char *path, const struct stat *st, int depth, void *ctx);
void walk(const char *path, int flags, walk_fn visit, void *ctx);

/* A directory's names, sorted by strcmp, without "." and ".."; ends with NULL. NULL and errno if
 * it cannot be read. list_free() gives it back. */
char **list_dir(const char *path);
void list_free(char **names);

/* The whole of a small file (/proc) as a string, in new memory; NULL and errno on failure. */
char *read_file(const char *path, size_t *len);

#endif
