/* SPDX-License-Identifier: MIT */
/* The first serial port, COM1: a 16550 at port 0x3f8, interrupt 4. drivers/native/uart.c */
#ifndef UART_H
#define UART_H

#include <types.h>

/* Is it there? Then it is at 115200 baud, 8 bits, no parity, one stop bit. Needs nothing. */
bool uart_find(void);
/* Outside, or in its FIFO, when this returns; lost if the port takes nothing for long. */
void uart_write(const char *text, size_t n);
/* What has come, without waiting. Returns bytes. */
size_t uart_read(char *buf, size_t n);
/* From now on it interrupts for input. 0, or as irq_bind_isa(). */
int uart_start(void);

#endif
