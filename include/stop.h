/* SPDX-License-Identifier: MIT */
/*
 * Stopping the system, and asking it things, from outside: for a power button, a toolstack, a key
 * of the console (kernel/proc/stop.c, sysrq.c).
 */
#ifndef STOP_H
#define STOP_H

#include <machine.h>

/*
 * An orderly stop on request of @who: init is told by the signal that poweroff, reboot and halt
 * send. If it cannot be told, or has not ended the system in time (kernel argument
 * stop-timeout=SECONDS, 30), processes are killed, disks written as far as they can be, and the
 * machine stops all the same. Returns at once; a second call changes what happens at the end. Any
 * thread.
 */
void system_stop(enum power_action how, const char *who);
/* The last step of an orderly stop: write the disks, say @who (a process) did it, end. */
void system_end(enum power_action how, const char *who) __noreturn;
/* Send @sig to every process but the first. */
void system_signal_all(int sig);

/*
 * Do what the key stands for and print at least one line about it; 'h' or an unknown one lists
 * them. For a thread; what may take long (writing disks) is left to a thread of its own.
 */
void sysrq_key(char key);

#endif
