/* SPDX-License-Identifier: MIT */
/* System calls as text, for strace: their names, what kind each argument is, flags by name. */
#ifndef USER_CALLFMT_H
#define USER_CALLFMT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#define CALLS 200

struct call {
	const char *name;
	int args;
	/*
	 * A letter for each argument.
	 *   d decimal  u unsigned  x hex  o octal (modes)  m mode, of O_CREAT in the argument
	 * before  p address  f descriptor  a directory s string  b bytes, as many as the next
	 * argument says  t timespec  v timeval A string vector  e environment  O open flags  P
	 * protection  M map flags  K whence n signal  k action  y signal set  H how of sigprocmask
	 * h wait options  c fcntl command g ioctl request  C clock  j access mode  r io vector  D
	 * device number  F futex operation What the call writes, and so is known when it has
	 * returned: S string  B bytes, as many as the result says  T timespec  W wait status  Q
	 * stat  I int J int[2]  L action Y signal set  U pollfds, as many as the next argument says
	 */
	const char *kinds;
	char result; /* d, x, or - (does not return) */
};

/* False: there is no such call. */
bool call_find(int number, struct call *c);

/* Where the memory that arguments point to is read: @n bytes at @addr; how many there were. */
struct memory {
	size_t (*read)(struct memory *m, unsigned long addr, void *buf, size_t n);
	unsigned strings; /* bytes of a string that are shown */
};

/* Is argument @i known only when the call has returned? */
bool call_is_output(const struct call *c, int i);
/* Argument @i; @result: of the call, if it has returned. */
void call_put_argument(FILE *f, const struct call *c, int i, const unsigned long *args, long result,
		       struct memory *m);
/* "= 3", "= -1 ENOENT (No such file or directory)" */
void call_put_result(FILE *f, const struct call *c, long result);
const char *errno_name(int err); /* NULL: unknown */

#endif
