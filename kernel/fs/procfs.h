/* SPDX-License-Identifier: MIT */
/* What the files of procfs share: the tree, open files, texts, links. */
#ifndef FS_PROCFS_H
#define FS_PROCFS_H

#include "internal.h"

/*
 * Text under construction. What does not fit is counted all the same: the caller then makes it
 * again with a larger buffer. Nothing in here allocates, so that text may be made under spinlocks.
 */
struct text {
	char *buf;
	size_t size, len;
	unsigned fd; /* of fdinfo/FD: which */
};
void text_printf(struct text *t, const char *fmt, ...) __printf(2, 3);
void text_bytes(struct text *t, const void *p, size_t n);
/* As text_bytes, but white space and control bytes as @instead. */
void text_clean(struct text *t, const char *s, size_t n, char instead);

struct procfs_entry {
	const char *name;
	mode_t mode;
	/* One of the four. The whole text at once; 0 or -errno. */
	int (*make)(struct text *t, pid_t pid);
	/* Piece by piece: a cursor, 0 at first, in whatever unit; bytes, 0 at the end. */
	size_t (*stream)(uint64_t *cursor, char *buf, size_t size);
	/* Bytes from a place, without limit; how many, 0 at the end, or -errno. */
	ssize_t (*raw)(pid_t pid, uint64_t pos, char *buf, size_t n);
	struct proc_file *registered;
	/* A word or two from root; may be NULL. 0 or -errno. */
	int (*command)(const char *word);
};
extern const struct procfs_entry procfs_system_files[], procfs_pid_files[]; /* end: no name */
extern const struct procfs_entry procfs_fdinfo;

int procfs_make_processes(struct text *t);
int procfs_make_mounts(struct text *t, pid_t pid);

int procfs_file_open(struct file *f, const struct procfs_entry *e, pid_t pid, unsigned fd);

/*
 * A look at one process, taken under proc_lock; the references are the caller's to give back
 * (process_done).
 */
struct process {
	pid_t pid, ppid, pgid, sid, tpgid;
	const char *tty;
	char state;
	struct cred cred;
	mode_t umask;
	int nice;
	unsigned threads;
	uint64_t utime_us, stime_us, start_ms;
	unsigned long rss, vsz; /* pages */
	sigset_t pending, blocked, ignored, caught;
	char name[16];
	struct aspace *aspace; /* referenced, or NULL */
};
/* -ESRCH: no such process. */
int process_look(pid_t pid, struct process *out);
/* The first process with a pid >= @pid; 0: none. */
pid_t process_next(pid_t pid);
void process_done(struct process *p);
/* May the current process see what belongs to @pid's owner? 0, -EACCES, -ESRCH. */
int process_private(pid_t pid);

/* Links (procfs_link.c): which, for /proc/PID; or descriptor numbers from LINK_FD on. */
enum { LINK_CWD, LINK_ROOT, LINK_EXE, LINK_FD = 16 };
ssize_t procfs_link_text(pid_t pid, unsigned which, char *buf, size_t size);
int procfs_link_follow(struct mount *mnt, pid_t pid, unsigned which, struct vnode **out);
/* The first open descriptor >= @fd of @pid; negative: none. */
int process_next_fd(pid_t pid, int fd);

#endif
