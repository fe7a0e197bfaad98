/* SPDX-License-Identifier: MIT */
/*
 * argv, envp and the first page of a program's stack.
 *
 * The strings are copied out of the old program while it is still there, into one buffer that
 * begins with a page and grows up to ARG_MAX. When the new address space is ready they are
 * written to the top of its stack, with the pointers and the auxiliary vector below them, in the
 * order that the System V ABI asks for:
 *
 *     top    strings of argv, then of envp
 *            16 random bytes (AT_RANDOM: the C library's stack protector)
 *            0, 0                       end of the auxiliary vector
 *            AT_ENTRY ... AT_PAGESZ     pairs of words
 *            0, envp[envc - 1] ... envp[0]
 *            0, argv[argc - 1] ... argv[0]
 *     rsp    argc                       (a multiple of 16)
 */
#include <elf.h>
#include <mm.h>
#include <proc.h>
#include <random.h>
#include <string.h>
#include <usercopy.h>
#include "exec_args.h"

#define AT_NULL 0
#define AT_PHDR 3
#define AT_PHENT 4
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_ENTRY 9
#define AT_UID 11
#define AT_EUID 12
#define AT_GID 13
#define AT_EGID 14
#define AT_SECURE 23
#define AT_RANDOM 25
#define AUX_WORDS 24
#define RANDOM_BYTES 16
#define SMALL (4 * PAGE_SIZE) /* larger buffers are mapped page by page */

static void *buf_alloc(size_t size)
{
	return size <= SMALL ? kmalloc(size, 0)
			     : kvm_alloc((unsigned)DIV_ROUND_UP(size, PAGE_SIZE));
}

static void buf_free(void *buf, size_t size)
{
	if (size <= SMALL)
		kfree(buf);
	else
		kvm_free(buf, (unsigned)DIV_ROUND_UP(size, PAGE_SIZE));
}

void exec_args_free(struct exec_args *args)
{
	if (args->buf)
		buf_free(args->buf, args->size);
	kfree(args);
}

static struct exec_args *args_alloc(void)
{
	struct exec_args *args = kmalloc(sizeof(*args), ALLOC_ZERO);

	if (!args)
		return NULL;
	args->size = PAGE_SIZE;
	args->buf = buf_alloc(args->size);
	if (!args->buf) {
		kfree(args);
		return NULL;
	}
	return args;
}

/* Room for @more bytes behind those used. */
static int args_grow(struct exec_args *args, size_t more)
{
	size_t size = args->size;
	char *buf;

	if (more > ARG_MAX - args->used)
		return -E2BIG;
	while (size < args->used + more)
		size *= size < SMALL ? 4 : 2;
	if (size == args->size)
		return 0;
	buf = buf_alloc(size);
	if (!buf)
		return -ENOMEM;
	memcpy(buf, args->buf, args->used);
	buf_free(args->buf, args->size);
	args->buf = buf;
	args->size = size;
	return 0;
}

/* Strings and pointers together stay below ARG_MAX. */
static bool too_much(const struct exec_args *args)
{
	return args->used + (args->argc + args->envc) * sizeof(long) > ARG_MAX;
}

static int add_user(struct exec_args *args, uaddr_t string)
{
	for (;;) {
		ssize_t len = strncpy_from_user(args->buf + args->used, string,
						args->size - args->used);
		int err;

		if (len >= 0) {
			args->used += (size_t)len + 1;
			return 0;
		}
		if (len != -ENAMETOOLONG)
			return (int)len;
		if (args->size >= ARG_MAX)
			return -E2BIG;
		err = args_grow(args, args->size - args->used + 1);
		if (err)
			return err;
	}
}

static int add_kernel(struct exec_args *args, const char *string)
{
	size_t n = strlen(string) + 1;
	int err = args_grow(args, n);

	if (err)
		return err;
	memcpy(args->buf + args->used, string, n);
	args->used += n;
	return 0;
}

static int add_user_vector(struct exec_args *args, uaddr_t vec, unsigned *count)
{
	unsigned long pointer;
	int err;

	if (!vec.v)
		return 0;
	for (;; vec.v += sizeof(pointer)) {
		if (get_user(pointer, vec))
			return -EFAULT;
		if (!pointer)
			return 0;
		err = add_user(args, UADDR(pointer));
		if (err)
			return err;
		++*count;
		if (too_much(args))
			return -E2BIG;
	}
}

int exec_args_user(uaddr_t argv, uaddr_t envp, struct exec_args **out)
{
	struct exec_args *args = args_alloc();
	int err;

	if (!args)
		return -ENOMEM;
	err = add_user_vector(args, argv, &args->argc);
	if (!err)
		err = add_user_vector(args, envp, &args->envc);
	if (err)
		exec_args_free(args);
	else
		*out = args;
	return err;
}

int exec_args_kernel(char *const argv[], char *const envp[], struct exec_args **out)
{
	struct exec_args *args = args_alloc();
	int err = 0;

	if (!args)
		return -ENOMEM;
	for (; !err && argv[args->argc]; args->argc++)
		err = add_kernel(args, argv[args->argc]);
	for (; !err && envp[args->envc]; args->envc++)
		err = add_kernel(args, envp[args->envc]);
	if (err)
		exec_args_free(args);
	else
		*out = args;
	return err;
}

int exec_args_prepend(struct exec_args *args, const char *const strings[], unsigned n)
{
	size_t old = args->argc ? strlen(args->buf) + 1 : 0, more = 0, at = 0;
	int err;

	for (unsigned i = 0; i < n; i++)
		more += strlen(strings[i]) + 1;
	err = args_grow(args, more);
	if (err)
		return err;
	memmove(args->buf + more, args->buf + old, args->used - old);
	for (unsigned i = 0; i < n; i++) {
		size_t len = strlen(strings[i]) + 1;

		memcpy(args->buf + at, strings[i], len);
		at += len;
	}
	args->used += more - old;
	args->argc += n - (old ? 1 : 0);
	return too_much(args) ? -E2BIG : 0;
}

static size_t words(const struct exec_args *args)
{
	return 1 + args->argc + 1 + args->envc + 1 + AUX_WORDS;
}

size_t exec_args_space(const struct exec_args *args)
{
	return ROUND_UP(args->used + RANDOM_BYTES, 16) + ROUND_UP(words(args) * 8, 16);
}

/* Pointers to the strings, which will lie at @at, and the auxiliary vector. */
static void fill_vector(const struct exec_args *args, const struct elf_plan *plan,
			unsigned long *vec, unsigned long at, unsigned long random)
{
	const struct cred *c = &current_proc()->cred;
	bool secure = args->euid != c->uid || args->egid != c->gid;
	const unsigned long aux[AUX_WORDS] = {AT_PAGESZ,   PAGE_SIZE,   AT_PHDR,
					      plan->phdr,  AT_PHENT,    sizeof(struct elf_segment),
					      AT_PHNUM,    plan->phnum, AT_ENTRY,
					      plan->entry, AT_UID,      c->uid,
					      AT_EUID,     args->euid,  AT_GID,
					      c->gid,      AT_EGID,     args->egid,
					      AT_SECURE,   secure,      AT_RANDOM,
					      random,      AT_NULL,     0};
	const char *s = args->buf;

	*vec++ = args->argc;
	for (unsigned i = 0; i < args->argc + args->envc; i++) {
		if (i == args->argc)
			*vec++ = 0;
		*vec++ = at + (unsigned long)(s - args->buf);
		s += strlen(s) + 1;
	}
	if (args->envc == 0)
		*vec++ = 0;
	*vec++ = 0;
	memcpy(vec, aux, sizeof(aux));
}

int exec_args_write(struct exec_args *args, struct aspace *as, const struct elf_plan *plan,
		    unsigned long top, unsigned long room, unsigned long *rsp)
{
	size_t nwords = words(args);
	unsigned long strings = top - args->used, random = (strings - RANDOM_BYTES) & ~15ul;
	unsigned long *vec, bytes[RANDOM_BYTES / 8];
	int err;

	if (exec_args_space(args) > room / 2)
		return -E2BIG;
	vec = buf_alloc(nwords * 8);
	if (!vec)
		return -ENOMEM;
	fill_vector(args, plan, vec, strings, random);
	*rsp = (random - nwords * 8) & ~15ul;
	random_bytes(bytes, sizeof(bytes));
	err = aspace_write(as, strings, args->buf, args->used);
	if (!err)
		err = aspace_write(as, random, bytes, sizeof(bytes));
	if (!err)
		err = aspace_write(as, *rsp, vec, nwords * 8);
	buf_free(vec, nwords * 8);
	as->arg_end = as->arg_start = strings;
	as->env_end = strings + args->used;
	for (unsigned i = 0; i < args->argc; i++)
		as->arg_end += strlen(args->buf + (as->arg_end - strings)) + 1;
	return err;
}
