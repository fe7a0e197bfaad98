/* SPDX-License-Identifier: MIT */
/*
 * The part of ELF that execve needs: static programs for x86-64 (System V ABI, chapters 4 and 5).
 * kernel/proc/elf.c; pure, tested and fuzzed on the host.
 */
#ifndef ELF_H
#define ELF_H

#include <types.h>

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF header");

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf_segment) == 56, "ELF program header");

#define ELF_HEAD 1024 /* header and program headers must lie in the first ELF_HEAD bytes */
#define ELF_LOADS 8   /* segments to be loaded, at most */

/* One segment as it will be mapped: page-aligned range, and what of the file goes there. */
struct elf_load {
	unsigned long start, end; /* pages */
	uint64_t offset;          /* in the file, of `start` */
	uint64_t file_end;        /* in the file, behind the segment's bytes; 0: all zeros */
	unsigned prot;            /* PROT_* */
};

struct elf_plan {
	unsigned loads;
	struct elf_load load[ELF_LOADS]; /* by address, not overlapping */
	unsigned long entry;
	unsigned long phdr; /* where the program finds its program headers in memory, or 0 */
	unsigned phnum;
	unsigned long brk; /* end of the last segment, page aligned */
};

/*
 * Check the first @n bytes of a file of @file_size bytes and say how to map it. 0, or -ENOEXEC for
 * anything that is not a well-formed static program whose segments fit into user space.
 */
int elf_check(const void *head, size_t n, uint64_t file_size, struct elf_plan *plan);

/*
 * The first line of a script, "#!interpreter [argument]": copies both out of @head (@n bytes).
 * -ENOEXEC: it is not one, or the line does not end within SCRIPT_LINE bytes. @arg is empty if
 * there is none; all of the rest of the line is one argument.
 */
#define SCRIPT_LINE 256
int script_line(const char *head, size_t n, char interp[SCRIPT_LINE], char arg[SCRIPT_LINE]);

#endif
