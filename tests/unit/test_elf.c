/* SPDX-License-Identifier: MIT */
/*
 * ELF headers and script lines: what execve accepts, and that nothing in a damaged file makes the
 * check read or plan outside of what it was given.
 * SOURCES: kernel/proc/elf.c
 */
#include "test.h"

#include <elf.h>
#include <parvix/mman.h>
#include <pte.h>

#define FILE_SIZE 0x6000
#define BASE 0x1100000ul

static struct {
	struct elf_header h;
	struct elf_segment s[4];
	char rest[ELF_HEAD - 64 - 4 * 56];
} __attribute__((aligned(16))) file;
_Static_assert(sizeof(file) == ELF_HEAD, "head");

static struct elf_plan plan;

/* Text at BASE, data with zeros behind it, as the linker lays a small program out. */
static void good_file(void)
{
	__builtin_memset(&file, 0, sizeof(file));
	file.h = (struct elf_header){
		.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
		.type = 2,
		.machine = 62,
		.version = 1,
		.entry = BASE + 0x120,
		.phoff = 64,
		.phentsize = 56,
		.phnum = 3,
		.ehsize = 64,
	};
	file.s[0] = (struct elf_segment){1, 5, 0, BASE, BASE, 0x3456, 0x3456, 0x1000};
	file.s[1] = (struct elf_segment){1,      6,      0x4f00, BASE + 0x4f00, BASE + 0x4f00,
					 0x1000, 0x3000, 0x1000};
	file.s[2] = (struct elf_segment){0x6474e551, 6, 0, 0, 0, 0, 0, 16};
}

static int check(void)
{
	return elf_check(&file, sizeof(file), FILE_SIZE, &plan);
}

TEST(a_small_program_is_planned)
{
	good_file();
	REQUIRE_EQ(check(), 0);
	CHECK_EQ(plan.loads, 2);
	CHECK_EQ(plan.entry, BASE + 0x120);
	CHECK_EQ(plan.phdr, BASE + 64);
	CHECK_EQ(plan.phnum, 3);
	CHECK_EQ(plan.load[0].start, BASE);
	CHECK_EQ(plan.load[0].end, BASE + 0x4000);
	CHECK_EQ(plan.load[0].offset, 0);
	CHECK_EQ(plan.load[0].file_end, 0x3456);
	CHECK_EQ(plan.load[0].prot, PROT_READ | PROT_EXEC);
	CHECK_EQ(plan.load[1].start, BASE + 0x4000);
	CHECK_EQ(plan.load[1].end, BASE + 0x8000);
	CHECK_EQ(plan.load[1].offset, 0x4000);
	CHECK_EQ(plan.load[1].file_end, 0x5f00);
	CHECK_EQ(plan.load[1].prot, PROT_READ | PROT_WRITE);
	CHECK_EQ(plan.brk, BASE + 0x8000);
}

#define REFUSED(change)                                                   \
	do {                                                              \
		good_file();                                              \
		change;                                                   \
		CHECK_THAT(check() == -ENOEXEC, "accepted: %s", #change); \
	} while (0)

TEST(headers_of_other_kinds_are_refused)
{
	REFUSED(file.h.ident[0] = 0);
	REFUSED(file.h.ident[4] = 1); /* 32 bits */
	REFUSED(file.h.ident[5] = 2); /* big-endian */
	REFUSED(file.h.type = 3);     /* shared object, PIE */
	REFUSED(file.h.machine = 3);
	REFUSED(file.h.version = 0);
	REFUSED(file.h.phentsize = 55);
	REFUSED(file.h.phnum = 0);
	REFUSED(file.h.phnum = 0xffff);
	REFUSED(file.h.phnum = 18); /* the last does not fit into the head */
	REFUSED(file.h.phoff = ~0ull);
	REFUSED(file.h.phoff = ELF_HEAD);
	REFUSED(file.h.phoff = 65);
	REFUSED(file.s[2].type = 3); /* wants a dynamic linker */
	REFUSED(file.s[2].type = 2);
}

TEST(segments_in_wrong_places_are_refused)
{
	REFUSED(file.s[0].filesz = file.s[0].memsz + 1);
	REFUSED(file.s[0].offset = 1);
	REFUSED(file.s[0].vaddr = 0);
	REFUSED(file.s[1].offset = FILE_SIZE + 0xf00);
	REFUSED(file.s[1].filesz = FILE_SIZE);
	REFUSED(file.s[1].offset = ~0ull - 0xff; file.s[1].vaddr = BASE + 0x4f00);
	REFUSED(file.s[1].memsz = ~0ull);
	REFUSED(file.s[1].memsz = USER_END);
	REFUSED(file.s[1].vaddr = USER_END - 0x100; file.s[1].offset = 0x4f00);
	REFUSED(file.s[1].vaddr = 0xffff800000000f00ull);
	REFUSED(file.s[1].vaddr = BASE + 0x3f00); /* overlaps the text's last page */
	REFUSED(file.s[1].vaddr = 0x100f00);      /* below the first */
	REFUSED(file.h.entry = BASE + 0x4f00);    /* not in an executable segment */
	REFUSED(file.h.entry = 0);
	REFUSED(file.s[0].type = 0; file.s[1].type = 0);
}

TEST(a_truncated_file_is_refused)
{
	good_file();
	for (unsigned long n = 0; n < 64; n++)
		CHECK_EQ(elf_check(&file, n, FILE_SIZE, &plan), -ENOEXEC);
	CHECK_EQ(elf_check(&file, sizeof(file), 0x5eff, &plan), -ENOEXEC);
	CHECK_EQ(elf_check(&file, sizeof(file), 100, &plan), -ENOEXEC);
	CHECK_EQ(elf_check(&file, sizeof(file), 0x5f00, &plan), 0);
}

TEST(a_segment_of_zeros_has_no_file_part)
{
	good_file();
	file.s[2] = (struct elf_segment){1, 6, 0x6000, BASE + 0x9000, 0, 0, 0x123, 16};
	REQUIRE_EQ(check(), 0);
	CHECK_EQ(plan.loads, 3);
	CHECK_EQ(plan.load[2].file_end, 0);
	CHECK_EQ(plan.brk, BASE + 0xa000);
}

/* What is accepted must be safe to map, whatever the file says. */
static void plan_is_sane(uint64_t file_size)
{
	bool entry = false;

	CHECK(plan.loads > 0 && plan.loads <= ELF_LOADS);
	for (unsigned i = 0; i < plan.loads; i++) {
		const struct elf_load *l = &plan.load[i];

		CHECK(l->start < l->end && l->start >= PAGE_SIZE && l->end <= USER_END);
		CHECK(l->start % PAGE_SIZE == 0 && l->end % PAGE_SIZE == 0);
		CHECK(l->offset % PAGE_SIZE == 0 && l->file_end <= file_size);
		CHECK(!l->file_end || l->offset < l->file_end);
		CHECK(!l->file_end || l->file_end - l->offset <= l->end - l->start);
		CHECK(!i || l->start >= plan.load[i - 1].end);
		entry |= plan.entry >= l->start && plan.entry < l->end;
	}
	CHECK(entry);
}

TEST(damaged_files_are_refused_or_harmless)
{
	static const uint64_t odd[] = {0,      1,          0x7fff,   0x8000,       0xffff,
				       ~0ull,  1ull << 63, USER_END, USER_END - 1, 0xfff,
				       0x1000, FILE_SIZE};
	unsigned long accepted = 0;

	for (int round = 0; round < 300000; round++) {
		unsigned long changes = test_random() % 4 + 1;
		uint64_t size = test_random() % 4 ? FILE_SIZE : test_random() % (2 * FILE_SIZE);
		unsigned long n = size < ELF_HEAD ? size : ELF_HEAD;

		good_file();
		while (changes--) {
			unsigned long at = test_random() % (64 + 3 * 56);

			if (test_random() % 2)
				((uint8_t *)&file)[at] = (uint8_t)test_random();
			else
				((uint64_t *)&file)[at / 8] = test_random() % 2
								      ? odd[test_random() % 12]
								      : test_random();
		}
		if (elf_check(&file, n, size, &plan) == 0) {
			accepted++;
			plan_is_sane(size);
		}
	}
	CHECK(accepted > 1000); /* the loop tries more than headers that are refused at once */
}

static char interp[SCRIPT_LINE], arg[SCRIPT_LINE];

static int script(const char *text)
{
	return script_line(text, __builtin_strlen(text), interp, arg);
}

TEST(script_lines)
{
	REQUIRE_EQ(script("#!/bin/sh\necho\n"), 0);
	CHECK_STR(interp, "/bin/sh");
	CHECK_STR(arg, "");
	REQUIRE_EQ(script("#!  /bin/awk  -f  -v x \t\n"), 0);
	CHECK_STR(interp, "/bin/awk");
	CHECK_STR(arg, "-f  -v x");
	REQUIRE_EQ(script("#!/bin/sh"), 0); /* the file ends with the line */
	CHECK_STR(interp, "/bin/sh");
	CHECK_EQ(script("#!\n"), -ENOEXEC);
	CHECK_EQ(script("#!   \n"), -ENOEXEC);
	CHECK_EQ(script("#"), -ENOEXEC);
	CHECK_EQ(script(""), -ENOEXEC);
	CHECK_EQ(script("echo\n"), -ENOEXEC);
	CHECK_EQ(script_line("#!/bin\0sh\n", 10, interp, arg), -ENOEXEC);
}

TEST(script_lines_that_are_too_long_are_refused)
{
	char text[400];

	__builtin_memset(text, 'x', sizeof(text));
	text[0] = '#';
	text[1] = '!';
	CHECK_EQ(script_line(text, sizeof(text), interp, arg), -ENOEXEC);
	text[SCRIPT_LINE - 1] = '\n';
	CHECK_EQ(script_line(text, sizeof(text), interp, arg), 0);
	CHECK_EQ(__builtin_strlen(interp), SCRIPT_LINE - 3);
}
