/* SPDX-License-Identifier: MIT */
/* The screen of a PC in text mode: 80x25 at physical address 0xb8000. drivers/native/vga.c */
#ifndef VGA_H
#define VGA_H

#include <types.h>

#define VGA_TEXT 0xb8000ul

/* Is there a screen, and does it show text? Its memory is mapped at @text. The first vga_show()
 * clears it. */
bool vga_find(void *text);
/* The screen's memory is mapped at @text now. */
void vga_moved(void *text);
void vga_write(const char *text, size_t n);
/* Bring the screen up to what has been written. */
void vga_show(void);
/* What the terminal answers to programs that ask, and whether there is something. Returns bytes. */
bool vga_asked(void);
size_t vga_reply(char *buf, size_t n);
/* Cursor keys are to send what programs expect that have asked for it (xterm's DECCKM). */
bool vga_app_cursor(void);

#endif
