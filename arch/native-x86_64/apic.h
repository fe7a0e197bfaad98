/* SPDX-License-Identifier: MIT */
/* The interrupt controllers, among themselves. "SDM" is Intel's manual, volume 3A. */
#ifndef APIC_H
#define APIC_H

#include <types.h>

/*
 * Vectors. An interrupt of a higher class (16 vectors) is served before one of a lower class. The
 * 8259s are masked, but for their "spurious" interrupts they need a place.
 */
#define VECTOR_8259 0x20   /* 16 of them */
#define VECTOR_DEVICE 0x30 /* up to VECTOR_DEVICE_END - 1: given out */
#define VECTOR_DEVICE_END 0xe0
#define VECTOR_TIMER 0xf0 /* the local APIC's own, above every device's */
#define VECTOR_ERROR 0xfe
#define VECTOR_SPURIOUS 0xff

/* apic.c */
unsigned apic_id(void); /* of this CPU */

/* ioapic.c */
void pic_off(void);
void ioapic_init(void);
/* Send what comes in at the machine's input @input to CPU @apic_id as @vector. -ENODEV: no such
 * input. */
int ioapic_route(uint32_t input, bool active_low, bool level, unsigned vector, unsigned apic_id);
size_t ioapic_describe(char *buf, size_t size);

#endif
