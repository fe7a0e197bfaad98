/* SPDX-License-Identifier: MIT */
/*
 * What the loader has left in memory: a command line, a module (the root file system's image), and
 * a map of memory, without which a kernel cannot know what it may touch. A PV kernel is told the
 * same in struct start_info, except for the map: its memory has no holes.
 *
 * Two loaders, two formats, one result (struct loader_info):
 *
 *   PVH          struct hvm_start_info, version 0 (no memory map) or 1. Specification: Xen,
 *                docs/misc/pvh, and <xen/arch-x86/hvm/start_info.h>.
 *   multiboot2   a list of tags. Specification: Multiboot2, section 3.6.
 *
 * All of it is copied, because the memory that it lies in is free afterwards. Whatever is longer
 * than there is room for is cut; a tag or entry whose size makes no sense ends the reading.
 */
#include <string.h>
#include "native.h"

#define PVH_MAGIC 0x336ec578u
#define MULTIBOOT2_MAGIC 0x36d76289u
#define E820_RAM 1

struct pvh_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp;
	/* version 1: */
	uint64_t memmap;
	uint32_t memmap_entries, reserved;
};

struct pvh_module {
	uint64_t address, size, cmdline, reserved;
};

struct pvh_memory {
	uint64_t address, size;
	uint32_t type, reserved;
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "hvm_start_info");
_Static_assert(sizeof(struct pvh_module) == 32, "hvm_modlist_entry");
_Static_assert(sizeof(struct pvh_memory) == 24, "hvm_memmap_table_entry");

#define MB2_CMDLINE 1
#define MB2_MODULE 3
#define MB2_MEMORY 6
#define MB2_FRAMEBUFFER 8
#define MB2_RSDP_OLD 14
#define MB2_RSDP_NEW 15

struct mb2_tag {
	uint32_t type, size; /* size: with these eight bytes, without the padding */
};

struct mb2_module {
	struct mb2_tag tag;
	uint32_t start, end;
};

struct mb2_memory {
	struct mb2_tag tag;
	uint32_t entry_size, entry_version;
};

struct mb2_range {
	uint64_t start, size;
	uint32_t type, reserved;
};

struct mb2_framebuffer {
	struct mb2_tag tag;
	uint64_t address;
	uint32_t pitch, width, height;
	uint8_t bpp, type; /* 2: text */
};

void loader_add_range(struct loader_info *l, uint64_t start, uint64_t size, bool ram)
{
	if (!size || start + size < start || l->nr_ranges == LOADER_RANGES)
		return;
	l->range[l->nr_ranges++] = (struct loader_range){start, size, ram};
}

static void read_pvh(struct loader_info *l, const struct pvh_start_info *si)
{
	l->name = "PVH";
	if (si->cmdline)
		strlcpy(l->cmdline, boot_va(si->cmdline), sizeof(l->cmdline));
	if (si->nr_modules && si->modlist) {
		const struct pvh_module *m = boot_va(si->modlist);

		l->module = m->address;
		l->module_size = m->size;
	}
	l->rsdp = si->rsdp;
	if (si->version >= 1 && si->memmap) {
		const struct pvh_memory *m = boot_va(si->memmap);

		for (uint32_t i = 0; i < si->memmap_entries && i < LOADER_RANGES; i++)
			loader_add_range(l, m[i].address, m[i].size, m[i].type == E820_RAM);
	}
}

static void mb2_memory(struct loader_info *l, const struct mb2_memory *tag)
{
	uint32_t size = tag->entry_size;

	if (size < sizeof(struct mb2_range) || size % 8)
		return;
	for (uint32_t at = sizeof(*tag); at + size <= tag->tag.size; at += size) {
		const struct mb2_range *r = (const void *)((const char *)tag + at);

		loader_add_range(l, r->start, r->size, r->type == E820_RAM);
	}
}

static void mb2_tag(struct loader_info *l, const struct mb2_tag *tag)
{
	const struct mb2_module *mod = (const void *)tag;
	const struct mb2_framebuffer *fb = (const void *)tag;
	size_t text = tag->size - sizeof(*tag);

	switch (tag->type) {
	case MB2_CMDLINE:
		strlcpy(l->cmdline, (const char *)(tag + 1), min(text, sizeof(l->cmdline)));
		break;
	case MB2_MODULE:
		if (tag->size >= sizeof(*mod) && mod->end > mod->start && !l->module) {
			l->module = mod->start;
			l->module_size = mod->end - mod->start;
		}
		break;
	case MB2_MEMORY:
		if (tag->size >= sizeof(struct mb2_memory))
			mb2_memory(l, (const void *)tag);
		break;
	case MB2_FRAMEBUFFER:
		if (tag->size >= sizeof(*fb))
			l->pixels = fb->type != 2;
		break;
	case MB2_RSDP_OLD:
	case MB2_RSDP_NEW:
		/* A copy of the pointer: good enough to start from. */
		if (text <= sizeof(l->rsdp_copy) && (!l->rsdp || tag->type == MB2_RSDP_NEW)) {
			memcpy(l->rsdp_copy, tag + 1, text);
			l->rsdp = (unsigned long)l->rsdp_copy - KERNEL_BASE;
		}
		break;
	}
}

static void read_multiboot2(struct loader_info *l, const uint32_t *info)
{
	uint32_t total = info[0], at = 8;

	l->name = "multiboot2";
	while (at + sizeof(struct mb2_tag) <= total) {
		const struct mb2_tag *tag = (const void *)((const char *)info + at);

		if (tag->type == 0 || tag->size < sizeof(*tag) || tag->size > total - at)
			break;
		mb2_tag(l, tag);
		at += (tag->size + 7) & ~7u;
	}
}

bool loader_read(struct loader_info *l, uint32_t magic, uint64_t info)
{
	if (!info || info % 4)
		return false;
	if (magic == MULTIBOOT2_MAGIC)
		read_multiboot2(l, boot_va(info));
	else if (*(const uint32_t *)boot_va(info) == PVH_MAGIC)
		read_pvh(l, boot_va(info));
	else
		return false;
	return true;
}
