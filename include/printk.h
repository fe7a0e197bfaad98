/* SPDX-License-Identifier: MIT */
/*
 * Messages, panics and assertions (kernel/trace/printk.c, panic.c).
 *
 * printk() works from the first C instruction: text goes into the message ring (read by dmesg
 * through /proc/kmsg) and, at once and synchronously, to the machine's console. With the kernel
 * argument `console-mark` each line of the kernel's begins with "\x1ek" so that a program reading
 * the console can tell the kernel's lines from a user's.
 */
#ifndef PRINTK_H
#define PRINTK_H

#include <stdarg.h>
#include <types.h>

/* Formats: d i u x X o c s p %, with - 0 # width .precision and l ll z h hh; %s of NULL prints
 * "(null)". */
void printk(const char *fmt, ...) __printf(1, 2);
void vprintk(const char *fmt, va_list ap);
/* Into @buf, always 0-terminated unless @size is 0. Return the length of what is there (not of what
 * was cut off): `len += snprintk(buf + len, size - len, ...)` is safe. */
int snprintk(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vsnprintk(char *buf, size_t size, const char *fmt, va_list ap);

/* Copy message ring text from absolute byte position *@pos (moved forward; 0: the oldest kept).
 * Returns bytes. */
size_t kmsg_read(uint64_t *pos, char *buf, size_t size);
/* What an error number (EIO or -EIO) means, for a message: "input/output error". Never NULL. */
const char *error_text(int err);
/* Kernel argument `quiet` keeps messages off the console (not out of the ring); a panic always
 * prints. Returns what it was. */
bool printk_set_console(bool on);
extern bool printk_mark;
/* Somebody is in the middle of a message: for an NMI, which must not wait for him. */
bool printk_busy(void);
/* A panic is under way: locks are not waited for, `quiet` does not count. */
extern bool panicking;

struct trapframe;
/* Say what, where (registers, symbolised backtrace, trace tail), then machine->crash(). Never
 * returns. */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;
void panic_frame(const struct trapframe *tf, const char *fmt, ...) __printf(2, 3) __noreturn;
void backtrace_print(unsigned long rip, unsigned long rbp);
/* Symbol of @addr as "name+0x12"; the table is made by the build from the kernel's own symbols. */
void symbol_name(unsigned long addr, char *buf, size_t size);

/* For the kernel's own invariants only; never for anything that a peer or user program can cause.
 */
#define KASSERT(cond)                                                                    \
	do {                                                                             \
		if (unlikely(!(cond)))                                                   \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond); \
	} while (0)

#endif
