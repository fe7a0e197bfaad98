/* SPDX-License-Identifier: MIT */
/* The status of a child: exit code << 8; signal that killed it; signal << 8 | 0x7f when stopped;
 * 0xffff when continued.
 */
#ifndef _SYS_WAIT_H
#define _SYS_WAIT_H

#include <_ansi.h>
#include <sys/types.h>
#include <signal.h> /* siginfo_t */

#define WNOHANG 1
#define WUNTRACED 2
#define WSTOPPED WUNTRACED
#define WCONTINUED 4
#define WEXITED 8
#define WNOWAIT 16

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
#if __POSIX_VISIBLE >= 200809 || __XSI_VISIBLE >= 4
typedef enum { P_ALL, P_PID, P_PGID } idtype_t;
int waitid(idtype_t, id_t, siginfo_t *, int);
#endif
#if __BSD_VISIBLE
pid_t wait3(int *, int, struct rusage *);
pid_t wait4(pid_t, int *, int, struct rusage *);
#endif
#ifdef _COMPILING_NEWLIB
pid_t _wait(int *);
#endif

_END_STD_C

#endif
