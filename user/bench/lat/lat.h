/* SPDX-License-Identifier: MIT */
/* What lat's probes and the program that times them share. */
#ifndef LAT_H
#define LAT_H

#include <sys/types.h>

#define PAGE 4096

struct probe {
	const char *name;
	void (*setup)(void);
	void (*run)(unsigned n); /* do it @n times */
	void (*end)(void);       /* undo the setup */
	unsigned batch;
	unsigned per_run; /* operations in one of the n */
	unsigned size;    /* of what it works on: processes, files, pages */
	unsigned asleep;  /* nanoseconds that one of the n asks to sleep */
	enum { NO_DISK, READS, WRITES } disk;
};

extern const struct probe probes[]; /* ends with one that has no name */
extern const struct probe *now;     /* the one that is being measured */

extern char self_path[64];    /* this program */
extern const char *disk_path; /* of -d; NULL: none */
extern int may_write;         /* -w */

/* call.c: system calls, signals, pipes, timers */
void run_null(unsigned n);
void setup_zero(void), run_read(unsigned n), run_write(unsigned n);
void run_open(unsigned n), run_stat(unsigned n);
void setup_signal(void), run_signal(unsigned n);
void setup_pipe(void), run_pipe(unsigned n);
void setup_pingpong(void), setup_socket_pingpong(void), run_pingpong(unsigned n);
void setup_switch(void), run_switch(unsigned n);
void end_partners(void);
void run_timer_set(unsigned n);
void setup_timer_late(void), run_timer_late(unsigned n);

/* memory.c: processes and their pages */
void run_fork(unsigned n), run_exec(unsigned n);
void setup_area(void), end_area(void), setup_touched_area(void);
void run_fault(unsigned n), run_cow(unsigned n), run_mmap(unsigned n);

/* file.c: files in /tmp, and a disk */
void setup_file(void), end_file(void);
void run_file_read(unsigned n), run_file_write(unsigned n), run_file_fault(unsigned n);
void run_create(unsigned n);
void setup_directory(void), end_directory(void), run_lookup(unsigned n);
void setup_disk(void), run_disk_read(unsigned n), run_disk_write(unsigned n), end_disk(void);

#endif
