/* SPDX-License-Identifier: MIT */
/*
 * System calls: one function for each line of PARVIX_SYSCALLS, all of the same type, so that the
 * table needs no casts. A function takes its arguments from the caller's registers by ARG0 .. ARG5
 * and returns the result or -errno. They are thin: fetch, check, call the room that knows.
 */
#ifndef SYSCALL_H
#define SYSCALL_H

#include <frame.h>
#include <parvix/syscall.h>
#include <types.h>

#define X(n, name, args) long sys_##name(struct trapframe *tf);
PARVIX_SYSCALLS(X)
#undef X

#define ARG0(tf) ((tf)->rdi)
#define ARG1(tf) ((tf)->rsi)
#define ARG2(tf) ((tf)->rdx)
#define ARG3(tf) ((tf)->r10)
#define ARG4(tf) ((tf)->r8)
#define ARG5(tf) ((tf)->r9)

/*
 * An argument that is a path: its text, and where a relative one starts (NULL: the working
 * directory). name_get() takes the directory's descriptor, AT_FDCWD if the call has none, and the
 * user's address of the text: 0, or -EFAULT, -ENAMETOOLONG, -ENOMEM, -EBADF, -ENOTDIR and there is
 * nothing to put. Sleeps.
 */
struct name {
	struct vnode *at;
	char *path;
	char few[128];
};
int name_get(struct name *n, int dirfd, unsigned long path);
void name_put(struct name *n);

#endif
