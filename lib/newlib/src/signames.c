/* SPDX-License-Identifier: MIT */
/* Names of signals: "Hangup" and "HUP". */
#include <signal.h>
#include <stdio.h>
#include <string.h>

const char *const sys_siglist[NSIG] = {
	"Unknown signal",
	"Hangup",
	"Interrupt",
	"Quit",
	"Illegal instruction",
	"Trace trap",
	"Aborted",
	"EMT trap",
	"Floating point exception",
	"Killed",
	"Bus error",
	"Segmentation fault",
	"Bad system call",
	"Broken pipe",
	"Alarm clock",
	"Terminated",
	"Urgent I/O condition",
	"Stopped (signal)",
	"Stopped",
	"Continued",
	"Child exited",
	"Stopped (tty input)",
	"Stopped (tty output)",
	"I/O possible",
	"CPU time limit exceeded",
	"File size limit exceeded",
	"Virtual timer expired",
	"Profiling timer expired",
	"Window changed",
	"Resource lost",
	"User defined signal 1",
	"User defined signal 2",
};

const char *const sys_signame[NSIG] = {
	"EXIT", "HUP", "INT",  "QUIT", "ILL",    "TRAP", "ABRT",  "EMT",  "FPE",  "KILL", "BUS",
	"SEGV", "SYS", "PIPE", "ALRM", "TERM",   "URG",  "STOP",  "TSTP", "CONT", "CHLD", "TTIN",
	"TTOU", "IO",  "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "LOST", "USR1", "USR2",
};

void psignal(int sig, const char *text)
{
	const char *name = strsignal(sig);

	if (text && *text)
		fprintf(stderr, "%s: %s\n", text, name);
	else
		fprintf(stderr, "%s\n", name);
}

void psiginfo(const siginfo_t *info, const char *text)
{
	psignal(info->si_signo, text);
}
