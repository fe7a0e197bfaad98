/* SPDX-License-Identifier: MIT */
/*
 * What the kernel wants to know from the firmware's ACPI tables, and how it is read out of them
 * (acpi_tables.c, which knows no hardware: tests/unit/test_acpi.c runs it on the host). "ACPI" with
 * a number is a section of the Advanced Configuration and Power Interface Specification 6.4.
 */
#ifndef ACPI_TABLES_H
#define ACPI_TABLES_H

#include <types.h>

#define ACPI_TABLES 64 /* that are remembered */
#define ACPI_IOAPICS 8
#define ISA_IRQS 16

/* A register, wherever it is: a "generic address structure" (ACPI 5.2.3.2). */
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_PORT 1
#define ACPI_SPACE_NONE 0xff
struct acpi_register {
	uint8_t space;
	uint64_t address;
};

struct acpi_info {
	unsigned nr_tables;
	struct {
		char signature[4];
		uint64_t phys;
	} table[ACPI_TABLES];

	/* MADT: the interrupt controllers (ACPI 5.2.12). */
	bool madt;
	unsigned nr_cpus; /* that can be used */
	unsigned nr_ioapics;
	struct {
		uint64_t address;
		uint32_t first; /* of its inputs, in the numbers of the whole machine */
	} ioapic[ACPI_IOAPICS];
	/* Where the wires of the ISA bus end: identity, unless an override says otherwise. */
	struct isa_wire {
		uint32_t input;
		bool active_low, level;
	} isa[ISA_IRQS];

	/* FADT: fixed registers (ACPI 5.2.9). A port that is 0 is not there. */
	bool fadt;
	uint16_t pm1a_control, pm1b_control;
	uint16_t pm_timer;
	bool pm_timer_32; /* bits; otherwise 24 */
	uint16_t smi_command;
	uint8_t acpi_enable; /* to be written there if the firmware has kept these registers */
	uint8_t rtc_century; /* index of the century in the CMOS memory, or 0 */
	bool rtc_absent;
	struct acpi_register reset, sleep; /* sleep: of machines that have no PM1 control */
	uint8_t reset_value;

	/* DSDT: the firmware's program. We do not run it; we look for two things in it. */
	bool s5;            /* the package \_S5 was found: */
	uint8_t s5_type[2]; /* what to write to PM1a and PM1b control to switch off */
	bool pvpanic;       /* QEMU's device that tells of a panic is named */
};

/* @len bytes of physical memory at @phys for reading, for ever; NULL: not to be had. Given by
 * whoever uses this: acpi.c, the unit test. */
const void *acpi_map(uint64_t phys, size_t len);

/* What a PC has whose firmware says nothing. */
void acpi_defaults(struct acpi_info *info);
/*
 * Read all tables below the root pointer at @rsdp into @info, which becomes the defaults first.
 * Returns NULL, or a sentence: why there are none. A single table that is damaged is reported and
 * left out.
 */
const char *acpi_read(uint64_t rsdp, struct acpi_info *info);
/* The table, mapped and checked as a whole; *@len bytes. NULL: none, or damaged. */
const void *acpi_find(const struct acpi_info *info, const char signature[4], uint32_t *len);
/* The root pointer on a 16-byte boundary of the @len bytes at @phys, or 0. */
uint64_t acpi_search_rsdp(uint64_t phys, size_t len);

#endif
