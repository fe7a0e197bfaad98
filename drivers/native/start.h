/* SPDX-License-Identifier: MIT */
/* What start.c calls, beside the disks' drivers of disk.h. */
#ifndef NATIVE_START_H
#define NATIVE_START_H

/* Serial port and keyboard get their interrupts. Called once, by a thread. */
void native_consoles_start(void);

#endif
