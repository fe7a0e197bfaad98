/* SPDX-License-Identifier: MIT */
/*
 * Is this file a program, and where does it want to be?
 *
 * A file is input from outside and may be cut short, damaged, or made with bad intent, so nothing
 * in it is used before it has been compared with something known: sizes with the file's size,
 * addresses with the end of user space, sums by subtraction from the other side, so that they
 * cannot wrap. The functions here touch only the bytes they are given: tests/unit runs them on the
 * host under a sanitizer, with millions of damaged headers.
 *
 * Loaded is what PT_LOAD says, nothing else. PT_GNU_STACK is not looked at: the stack is never
 * executable. PT_TLS is the C library's affair. PT_INTERP means a dynamic program: there is no
 * dynamic linker, so it is refused here instead of crashing later.
 */
#include <elf.h>
#include <parvix/mman.h>
#include <pte.h>

#define ET_EXEC 2
#define EM_X86_64 62
#define PT_LOAD 1
#define PT_DYNAMIC 2
#define PT_INTERP 3
#define PF_X 1
#define PF_W 2
#define PF_R 4

static bool header_ok(const struct elf_header *h, size_t n)
{
	static const uint8_t magic[7] = {0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little */, 1};

	for (size_t i = 0; i < sizeof(magic); i++)
		if (h->ident[i] != magic[i])
			return false;
	if (h->type != ET_EXEC || h->machine != EM_X86_64 || h->version != 1)
		return false;
	if (h->phentsize != sizeof(struct elf_segment) || h->phnum == 0)
		return false;
	return h->phoff <= n && h->phnum <= (n - h->phoff) / sizeof(struct elf_segment) &&
	       h->phoff % 8 == 0;
}

static bool segment_ok(const struct elf_segment *s, uint64_t file_size)
{
	if (s->filesz > s->memsz || s->offset > file_size || s->filesz > file_size - s->offset)
		return false;
	/* The lowest page is never mapped, so that a null pointer faults. */
	if (s->vaddr < PAGE_SIZE || s->vaddr > USER_END || s->memsz > USER_END - s->vaddr)
		return false;
	return s->vaddr % PAGE_SIZE == s->offset % PAGE_SIZE;
}

static unsigned prot_of(uint32_t flags)
{
	return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
	       (flags & PF_X ? PROT_EXEC : 0);
}

static bool add_load(struct elf_plan *plan, const struct elf_segment *s)
{
	struct elf_load *l = &plan->load[plan->loads];
	unsigned long in_page = s->vaddr % PAGE_SIZE;

	if (plan->loads == ELF_LOADS)
		return false;
	l->start = s->vaddr - in_page;
	l->end = ROUND_UP(s->vaddr + s->memsz, PAGE_SIZE);
	l->offset = s->offset - in_page;
	l->file_end = s->filesz ? s->offset + s->filesz : 0;
	l->prot = prot_of(s->flags);
	/* Ascending and apart by at least nothing: two segments never share a page. */
	if (plan->loads && l->start < plan->load[plan->loads - 1].end)
		return false;
	plan->loads++;
	plan->brk = l->end;
	return true;
}

static bool entry_ok(const struct elf_plan *plan)
{
	for (unsigned i = 0; i < plan->loads; i++)
		if ((plan->load[i].prot & PROT_EXEC) && plan->entry >= plan->load[i].start &&
		    plan->entry < plan->load[i].end)
			return true;
	return false;
}

int elf_check(const void *head, size_t n, uint64_t file_size, struct elf_plan *plan)
{
	struct elf_header h;
	struct elf_segment s;

	if (n < sizeof(h) || n > file_size)
		return -ENOEXEC;
	__builtin_memcpy(&h, head, sizeof(h));
	if (!header_ok(&h, n))
		return -ENOEXEC;
	plan->loads = 0;
	plan->entry = h.entry;
	plan->phdr = 0;
	plan->phnum = h.phnum;
	plan->brk = 0;
	for (unsigned i = 0; i < h.phnum; i++) {
		__builtin_memcpy(&s, (const char *)head + h.phoff + i * sizeof(s), sizeof(s));
		if (s.type == PT_INTERP || s.type == PT_DYNAMIC)
			return -ENOEXEC;
		if (s.type != PT_LOAD || s.memsz == 0)
			continue;
		if (!segment_ok(&s, file_size) || !add_load(plan, &s))
			return -ENOEXEC;
		if (h.phoff >= s.offset && h.phoff - s.offset < s.filesz &&
		    h.phnum * sizeof(s) <= s.filesz - (h.phoff - s.offset))
			plan->phdr = s.vaddr + (h.phoff - s.offset);
	}
	return plan->loads && entry_ok(plan) ? 0 : -ENOEXEC;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Copy [from, to) and end it. */
static void cut(const char *head, size_t from, size_t to, char *out)
{
	size_t len = to - from;

	__builtin_memcpy(out, head + from, len);
	out[len] = 0;
}

int script_line(const char *head, size_t n, char interp[SCRIPT_LINE], char arg[SCRIPT_LINE])
{
	size_t end = 2, from, to;

	if (n < 3 || head[0] != '#' || head[1] != '!')
		return -ENOEXEC;
	n = n < SCRIPT_LINE ? n : SCRIPT_LINE;
	while (end < n && head[end] != '\n')
		if (head[end++] == 0)
			return -ENOEXEC;
	if (end == SCRIPT_LINE)
		return -ENOEXEC;
	while (end > 2 && blank(head[end - 1]))
		end--;
	for (from = 2; from < end && blank(head[from]);)
		from++;
	for (to = from; to < end && !blank(head[to]);)
		to++;
	if (to == from)
		return -ENOEXEC;
	cut(head, from, to, interp);
	while (to < end && blank(head[to]))
		to++;
	cut(head, to, end, arg);
	return 0;
}
