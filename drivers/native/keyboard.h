/* SPDX-License-Identifier: MIT */
/* The PS/2 keyboard: controller at ports 0x60 and 0x64, interrupt 1. drivers/native/keyboard.c */
#ifndef KEYBOARD_H
#define KEYBOARD_H

#include <types.h>

/* 0; -ENODEV: there is none; or as irq_bind_isa(). */
int keyboard_start(void);
/* What has been typed. Returns bytes. Any context. */
size_t keyboard_read(char *buf, size_t n);

#endif
