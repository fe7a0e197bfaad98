/* SPDX-License-Identifier: MIT */
/* Signals: newlib's numbers; sets are 64-bit words in which bit n stands for signal n. */
#ifndef PARVIX_SIGNAL_H
#define PARVIX_SIGNAL_H

#include <parvix/types.h>

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGEMT 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGBUS 10
#define SIGSEGV 11
#define SIGSYS 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGURG 16
#define SIGSTOP 17
#define SIGTSTP 18
#define SIGCONT 19
#define SIGCHLD 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGIO 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGLOST 29
#define SIGUSR1 30
#define SIGUSR2 31
/* 32 is the C library's own. From there on, signals queue. */
#define SIGRTMIN 33
#define SIGRTMAX 63
#define NSIG 64

#define SIG_SETMASK 0
#define SIG_BLOCK 1
#define SIG_UNBLOCK 2

#define SIG_DFL 0
#define SIG_IGN 1

#define SA_NOCLDSTOP 0x1
#define SA_SIGINFO 0x2
#define SA_ONSTACK 0x4
#define SA_RESTART 0x8
#define SA_NODEFER 0x10
#define SA_RESETHAND 0x20
#define SA_NOCLDWAIT 0x40

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define MINSIGSTKSZ 4096
#define SIGSTKSZ 16384

/* si_code */
#define SI_USER 1
#define SI_QUEUE 2
#define SI_TIMER 3
#define SI_ASYNCIO 4
#define SI_MESGQ 5
#define SI_TKILL 6
#define SI_KERNEL 0x80
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define ILL_ILLOPC 1
#define ILL_PRVOPC 5
#define FPE_INTDIV 1
#define FPE_INTOVF 2
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_STOPPED 5
#define CLD_CONTINUED 6

/* What sigaction(2) exchanges. The restorer is the fourth argument of the call. */
struct ksigaction {
	unsigned long sa_handler; /* SIG_DFL, SIG_IGN or an address */
	parvix_sigset_t sa_mask;
	unsigned long sa_flags;
};

struct parvix_siginfo {
	int si_signo;
	int si_code;
	int si_errno;
	parvix_pid_t si_pid;
	parvix_uid_t si_uid;
	int si_status;
	unsigned long si_addr;
	unsigned long si_value;
};

struct parvix_stack {
	unsigned long ss_sp;
	int ss_flags;
	int pad;
	unsigned long ss_size;
};

/* Machine context in the frame that a handler finds as its third argument. */
struct parvix_mcontext {
	unsigned long r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	unsigned long rip, rflags, rsp;
	unsigned long trapno, err, cr2;
};

struct parvix_ucontext {
	unsigned long uc_flags;
	unsigned long uc_link;
	struct parvix_stack uc_stack;
	parvix_sigset_t uc_sigmask;
	struct parvix_mcontext uc_mcontext;
	unsigned long uc_fpstate; /* user address of the saved FPU state, 64-byte aligned */
};

#define ITIMER_REAL 0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF 2

#define SIGEV_NONE 1
#define SIGEV_SIGNAL 2
#define SIGEV_THREAD 3 /* made by the C library out of the next */
#define SIGEV_THREAD_ID 4
#define TIMER_ABSTIME 4

#define CLOCK_REALTIME 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID 3
#define CLOCK_MONOTONIC 4
/* A clock's number says its kind and, of CPU time, the process or thread whose it is; 0: the
 * caller. */
#define CLOCK_KIND(id) ((id)&15)
#define CLOCK_WHO(id) ((parvix_pid_t)((id) >> 4))
#define CLOCK_OF(who, kind) ((unsigned long)(who) << 4 | (kind))

#endif
