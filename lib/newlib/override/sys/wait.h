/* SPDX-License-Identifier: MIT */
/* The status of a child: exit code << 8; signal that killed it; signal << 8 | 0x7f when stopped;
 * 0xffff when continued.
 */
#ifndef _SYS_WAIT_H
#define _SYS_WAIT_H

#include <_ansi.h>
#include <sys/types.h>

#define WNOHANG 1
#define WUNTRACED 2
#define WSTOPPED WUNTRACED
#define WCONTINUED 4

#define WIFEXITED(w) (((w)&0x7f) == 0)
#define WIFSIGNALED(w) (((w)&0x7f) != 0 && ((w)&0x7f) != 0x7f)
#define WIFSTOPPED(w) (((w)&0xff) == 0x7f)
#define WIFCONTINUED(w) ((w) == 0xffff)
#define WEXITSTATUS(w) (((w) >> 8) & 0xff)
#define WTERMSIG(w) ((w)&0x7f)
#define WSTOPSIG(w) (((w) >> 8) & 0xff)
#define WCOREDUMP(w) (((w)&0x80) != 0)
#define W_EXITCODE(ret, sig) ((ret) << 8 | (sig))
#define W_STOPCODE(sig) ((sig) << 8 | 0x7f)
#define WCOREFLAG 0x80

_BEGIN_STD_C

struct rusage;

pid_t wait(int *);
pid_t waitpid(pid_t, int *, int);
#if __BSD_VISIBLE
pid_t wait3(int *, int, struct rusage *);
pid_t wait4(pid_t, int *, int, struct rusage *);
#endif
#ifdef _COMPILING_NEWLIB
pid_t _wait(int *);
#endif

_END_STD_C

#endif
