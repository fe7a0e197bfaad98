/* SPDX-License-Identifier: MIT */
/* Arguments and environment on their way from the old program to the new one (exec_args.c). */
#ifndef EXEC_ARGS_H
#define EXEC_ARGS_H

#include <proc.h>

struct elf_plan;

/* Strings one behind the other, each with its 0: argv's, then the environment's. */
struct exec_args {
	char *buf;
	size_t size, used;
	unsigned argc, envc;
	uid_t euid; /* of the new program, for the auxiliary vector */
	gid_t egid;
};

void exec_args_free(struct exec_args *args);
/* Put @n strings in the place of argv[0] (a script's interpreter). -E2BIG, -ENOMEM. */
int exec_args_prepend(struct exec_args *args, const char *const strings[], unsigned n);
/*
 * Write the start of a program's stack below @top into @as: argument count, pointers, auxiliary
 * vector, strings. *@rsp is where it begins, a multiple of 16. -E2BIG if more than half of @room.
 */
int exec_args_write(struct exec_args *args, struct aspace *as, const struct elf_plan *plan,
		    unsigned long top, unsigned long room, unsigned long *rsp);
/* Map the pages for it first: bytes that exec_args_write() is going to use. */
size_t exec_args_space(const struct exec_args *args);

#endif
