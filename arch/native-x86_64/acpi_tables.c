/* SPDX-License-Identifier: MIT */
/*
 * ACPI's tables. A root pointer, marked "RSD PTR ", names a table of addresses (the RSDT with 4
 * bytes for each, or the XSDT with 8); at each of these lies a table that begins with four letters,
 * its length, and a byte that makes the sum of all its bytes 0. We want two of them:
 *
 *   APIC (MADT)   a list of the interrupt controllers, and where the wires of the ISA bus end
 *   FACP (FADT)   ports of the power management: off switch, timer, reset; and the address of the
 *   DSDT          a program for an interpreter that we do not have. The one thing in it without
 *                 which a PC cannot be switched off is the package \_S5, two small numbers, and
 *                 that is found by its name and checked byte by byte.
 *
 * Firmware is as often wrong as other programs. Nothing is read before its length was checked, and
 * what does not fit is left out with a sentence.
 */
#include "acpi_tables.h"
#include <printk.h>
#include <string.h>

#define HEADER 36 /* bytes: signature, length, revision, checksum, who made it */
#define TABLE_MAX (1u << 20)

static uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool sum_is_zero(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum += *p++;
	return sum == 0;
}

/* ---- root pointer and lists ---- */

static bool rsdp_good(const uint8_t *p)
{
	return memcmp(p, "RSD PTR ", 8) == 0 && sum_is_zero(p, 20);
}

uint64_t acpi_search_rsdp(uint64_t phys, size_t len)
{
	const uint8_t *p = len < 20 ? NULL : acpi_map(phys, len);

	for (size_t at = 0; p && at + 20 <= len; at += 16)
		if (rsdp_good(p + at))
			return phys + at;
	return 0;
}

/* The table at @phys as a whole, NULL if it is damaged; it is called @what in the sentence. */
static const uint8_t *table_at(uint64_t phys, const char what[4], uint32_t *len)
{
	const uint8_t *p = acpi_map(phys, HEADER);
	const char *wrong = NULL;

	if (!p) {
		wrong = "cannot be reached";
	} else if (memcmp(p, what, 4) != 0) {
		wrong = "has another name";
	} else {
		*len = get32(p + 4);
		if (*len < HEADER || *len > TABLE_MAX)
			wrong = "has an impossible length";
		else if (!(p = acpi_map(phys, *len)))
			wrong = "cannot be reached";
		else if (!sum_is_zero(p, *len))
			wrong = "has a wrong checksum";
	}
	if (!wrong)
		return p;
	printk("acpi: table %.4s at 0x%lx %s: ignored\n", what, phys, wrong);
	return NULL;
}

/* Remember where everything is that the root table lists. */
static const char *read_root(uint64_t phys, const char what[4], unsigned width,
			     struct acpi_info *info)
{
	uint32_t len;
	const uint8_t *root = table_at(phys, what, &len), *header;

	if (!root)
		return "the root table is damaged";
	for (uint32_t at = HEADER; at + width <= len && info->nr_tables < ACPI_TABLES;
	     at += width) {
		uint64_t where = width == 8 ? get64(root + at) : get32(root + at);

		header = where ? acpi_map(where, HEADER) : NULL;
		if (!header)
			continue;
		memcpy(info->table[info->nr_tables].signature, header, 4);
		info->table[info->nr_tables++].phys = where;
	}
	return NULL;
}

const void *acpi_find(const struct acpi_info *info, const char signature[4], uint32_t *len)
{
	for (unsigned i = 0; i < info->nr_tables; i++)
		if (memcmp(info->table[i].signature, signature, 4) == 0)
			return table_at(info->table[i].phys, signature, len);
	return NULL;
}

/* ---- MADT ---- */

static void read_override(const uint8_t *e, struct acpi_info *info)
{
	unsigned irq = e[3], polarity = e[8] & 3, trigger = e[8] >> 2 & 3;

	if (e[2] != 0 || irq >= ISA_IRQS) {
		printk("acpi: MADT: override for interrupt %u of bus %u, which is not ISA's\n", irq,
		       e[2]);
		return;
	}
	/* 0 is "as the bus does": ISA's are active high, and edges. */
	info->isa[irq] = (struct isa_wire){
		.input = get32(e + 4),
		.active_low = polarity == 3,
		.level = trigger == 3,
	};
}

static void read_madt_entry(const uint8_t *e, unsigned len, struct acpi_info *info)
{
	if (e[0] == 0 && len >= 8) {
		info->nr_cpus += get32(e + 4) & 1; /* local APIC: enabled */
	} else if (e[0] == 9 && len >= 16) {
		info->nr_cpus += get32(e + 8) & 1; /* the same, with a number above 254 */
	} else if (e[0] == 1 && len >= 12 && info->nr_ioapics < ACPI_IOAPICS) {
		info->ioapic[info->nr_ioapics].address = get32(e + 4);
		info->ioapic[info->nr_ioapics++].first = get32(e + 8);
	} else if (e[0] == 2 && len >= 10) {
		read_override(e, info);
	}
}

static void read_madt(struct acpi_info *info)
{
	uint32_t len, at = HEADER + 8;
	const uint8_t *madt = acpi_find(info, "APIC", &len);

	if (!madt)
		return;
	info->madt = true;
	info->nr_ioapics = 0; /* what it does not list is not there */
	info->nr_cpus = 0;
	while (at < len && len - at >= 2) {
		unsigned size = madt[at + 1];

		if (size < 2 || size > len - at) {
			printk("acpi: MADT: the entry at byte %u has an impossible length\n", at);
			break;
		}
		read_madt_entry(madt + at, size, info);
		at += size;
	}
	info->nr_cpus = max(info->nr_cpus, 1u);
}

/* ---- FADT ---- */

/* The register described at byte @at, if the table is long enough to have it. */
static struct acpi_register get_register(const uint8_t *fadt, uint32_t len, unsigned at)
{
	struct acpi_register r = {.space = ACPI_SPACE_NONE};

	if (at + 12 > len || get64(fadt + at + 4) == 0)
		return r;
	r.address = get64(fadt + at + 4);
	if (fadt[at] == ACPI_SPACE_MEMORY || (fadt[at] == ACPI_SPACE_PORT && r.address < 0x10000))
		r.space = fadt[at];
	return r;
}

static uint16_t get_port(const uint8_t *fadt, uint32_t len, unsigned at)
{
	uint32_t port = at + 4 <= len ? get32(fadt + at) : 0;

	return port < 0x10000 ? port : 0;
}

/* A port that has an old 4-byte field and a newer description, which counts if it is there. */
static uint16_t get_new_port(const uint8_t *fadt, uint32_t len, unsigned old, unsigned new)
{
	struct acpi_register r = get_register(fadt, len, new);

	return r.space == ACPI_SPACE_PORT ? r.address : get_port(fadt, len, old);
}

/* Offsets: ACPI 5.2.9, table 5.9. */
static void read_fixed(const uint8_t *fadt, uint32_t len, struct acpi_info *info)
{
	uint32_t flags = len >= 116 ? get32(fadt + 112) : 0;

	info->fadt = true;
	if (flags & 1u << 20) { /* "hardware-reduced": none of the ports, a sleep register */
		info->sleep = get_register(fadt, len, 244);
	} else {
		info->smi_command = get_port(fadt, len, 48);
		info->acpi_enable = len > 52 ? fadt[52] : 0;
		info->pm1a_control = get_new_port(fadt, len, 64, 172);
		info->pm1b_control = get_new_port(fadt, len, 68, 184);
		info->pm_timer = get_new_port(fadt, len, 76, 208);
		info->pm_timer_32 = flags & 1u << 8;
	}
	if (len > 108 && fadt[108] < 128)
		info->rtc_century = fadt[108];
	if (len >= 111)
		info->rtc_absent = get16(fadt + 109) & 1u << 5;
	if (flags & 1u << 10 && len > 128) {
		info->reset = get_register(fadt, len, 116);
		info->reset_value = fadt[128];
	}
}

/* ---- DSDT ---- */

/*
 * A package is: 0x12, its length in one to four bytes (the two highest bits of the first say how
 * many follow), the number of elements, the elements. Small integers are 0, 1, or 0x0a and a byte.
 */
static bool read_s5_package(const uint8_t *p, const uint8_t *end, uint8_t value[2])
{
	if (end - p < 2 || *p++ != 0x12)
		return false;
	if (end - p < 2 + (*p >> 6))
		return false;
	p += 1 + (*p >> 6);
	if (*p++ < 2)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		if (end - p >= 2 && *p == 0x0a)
			p++;
		else if (end - p < 1 || *p > 1)
			return false;
		value[i] = *p++;
		if (value[i] > 7) /* the field has three bits */
			return false;
	}
	return true;
}

/* Name (\_S5, Package () {...}) begins with 0x08, or 0x08 and a backslash. */
static bool is_s5_name(const uint8_t *start, const uint8_t *p)
{
	return memcmp(p, "_S5_", 4) == 0 && ((p - start >= 1 && p[-1] == 0x08) ||
					     (p - start >= 2 && p[-1] == '\\' && p[-2] == 0x08));
}

static void read_dsdt(uint64_t phys, struct acpi_info *info)
{
	uint32_t len;
	const uint8_t *start = table_at(phys, "DSDT", &len), *end;

	if (!start)
		return;
	end = start + len;
	for (const uint8_t *p = start + HEADER; end - p >= 4; p++) {
		if (!info->s5 && is_s5_name(start, p))
			info->s5 = read_s5_package(p + 4, end, info->s5_type);
		if (end - p >= 8 && memcmp(p, "QEMU0001", 8) == 0)
			info->pvpanic = true;
	}
}

static void read_fadt(struct acpi_info *info)
{
	uint32_t len;
	const uint8_t *fadt = acpi_find(info, "FACP", &len);
	uint64_t dsdt;

	if (!fadt)
		return;
	read_fixed(fadt, len, info);
	dsdt = len >= 148 ? get64(fadt + 140) : 0;
	if (!dsdt && len >= 44)
		dsdt = get32(fadt + 40);
	if (dsdt)
		read_dsdt(dsdt, info);
}

/* ---- all ---- */

void acpi_defaults(struct acpi_info *info)
{
	*info = (struct acpi_info){
		.nr_cpus = 1,
		.nr_ioapics = 1,
		.ioapic[0].address = 0xfec00000,
		.reset.space = ACPI_SPACE_NONE,
		.sleep.space = ACPI_SPACE_NONE,
	};
	for (unsigned i = 0; i < ISA_IRQS; i++)
		info->isa[i].input = i;
}

const char *acpi_read(uint64_t rsdp, struct acpi_info *info)
{
	const uint8_t *p = acpi_map(rsdp, 20);
	const char *wrong;
	uint64_t xsdt = 0;
	uint32_t rsdt;

	acpi_defaults(info);
	if (!p)
		return "the root pointer cannot be reached";
	if (!rsdp_good(p))
		return "the root pointer is damaged";
	rsdt = get32(p + 16);
	if (p[15] >= 2) {
		p = acpi_map(rsdp, 36);
		if (p && get32(p + 20) >= 36 && sum_is_zero(p, 36))
			xsdt = get64(p + 24);
	}
	if (xsdt && !read_root(xsdt, "XSDT", 8, info))
		wrong = NULL;
	else
		wrong = rsdt ? read_root(rsdt, "RSDT", 4, info) : "there is no root table";
	if (wrong)
		return wrong;
	read_madt(info);
	read_fadt(info);
	return NULL;
}
