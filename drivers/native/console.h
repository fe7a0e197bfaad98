/* SPDX-License-Identifier: MIT */
/*
 * The consoles of a PC as one: serial port, screen with keyboard, QEMU's debug port. No locks: the
 * caller's (arch/native-x86_64/earlycon.c). drivers/native/console.c
 */
#ifndef NATIVE_CONSOLE_H
#define NATIVE_CONSOLE_H

#include <types.h>

/* Find what is there; needs nothing. @screen: where VGA_TEXT (vga.h) is mapped. */
void consoles_find(void *screen);
/* The screen's memory is at @screen now; NULL: it shows pixels. The kernel argument `console=` is
 * obeyed from now on. */
void consoles_choose(void *screen);
/* To all of them. @message: the kernel's own, whose lines end with a mere newline. */
void consoles_write(const char *text, size_t n, bool message);
/* What has been typed, and what the screen's terminal answers. Returns bytes. */
size_t consoles_read(char *buf, size_t n);
/* After a program's output: if the screen's terminal has been asked something, have its answer
 * read. Locks up to <lock.h>'s order 5 may be held, so the consoles' own not. */
void consoles_answer(void);

#endif
