/* SPDX-License-Identifier: MIT */
/*
 * The way from native boot code into the PVH world (arch/pv-x86_64/pvh.c): what a kernel on Xen
 * with a processor of its own asks for in place of a PC.
 */
#ifndef PVH_H
#define PVH_H

#include <types.h>

/* Does CPUID name Xen? Any time. */
bool pvh_find_xen(void);
/* Hypercalls, and Xen's console in place of the UART's. Before there is a memory map: touches
 * nothing beyond the image. */
void pvh_early(void);
/* If the loader has given no memory map (start info version 0): ask Xen. */
void pvh_memory_map(void);
/* All else: shared info, events, time, consoles; sets boot_info.world and machine, and goes on to
 * kernel_main(). After page tables and traps. */
void pvh_boot(void) __noreturn;

#endif
