/* SPDX-License-Identifier: MIT */
/*
 * Stands in for <pc.h> where drivers/native is tested on the host: registers are functions of the
 * test, which plays the device.
 */
#ifndef PC_H
#define PC_H

#include <types.h>

uint32_t mmio_read32(const volatile void *base, size_t offset);
void mmio_write32(volatile void *base, size_t offset, uint32_t v);

#endif
