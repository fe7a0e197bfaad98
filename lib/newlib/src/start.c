/* SPDX-License-Identifier: MIT */
/*
 * From crt0 to main: find environment and auxiliary vector, set up thread-local storage, seed the
 * stack protector, run constructors, main, exit.
 *
 * Thread-local storage, x86-64 variant II: the linker lays out .tdata and .tbss as one template
 * (the PT_TLS segment); a thread's copy lies directly below the address in the %fs base, and the
 * word at %fs:0 holds that address itself, because code asks for it to compute the address of a
 * variable. The copy of the first thread is taken from the stack: nothing has to be allocated, and
 * the stack of main never ends before the program does. Above it there is room for the thread's
 * block (thread.h), in case the program ever has more of them. Programs without thread-local
 * variables skip all of it, the set_tls call included.
 */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "sys.h"
#include "thread.h"

extern uintptr_t __stack_chk_guard __attribute__((weak));
extern void __libc_init_array(void);
extern void __libc_fini_array(void);
extern int main(int, char **, char **);
extern char **environ;

const unsigned long *__parvix_auxv;
char *__progname = "";
char *program_invocation_name = "";
char *program_invocation_short_name = "";

void __parvix_start(unsigned long *sp) __attribute__((noreturn, used));

static unsigned long aux(unsigned long key)
{
	const unsigned long *a = __parvix_auxv;

	while (a[0] != AT_NULL && a[0] != key)
		a += 2;
	return a[0] == key ? a[1] : 0;
}

static const Elf64_Phdr *tls;     /* the template; NULL: there are no thread-local variables */
struct __pthread *__parvix_first; /* where the first thread's block may be */

size_t __parvix_tls_size(void)
{
	return tls ? (tls->p_memsz + tls->p_align - 1) & -tls->p_align : 0;
}

size_t __parvix_tls_align(void)
{
	return tls && tls->p_align > 16 ? tls->p_align : 16;
}

/* Fills the copy that ends at @tp from the template. */
void __parvix_tls_fill(char *tp)
{
	char *copy = tp - __parvix_tls_size();

	if (!tls)
		return;
	memcpy(copy, (const void *)tls->p_vaddr, tls->p_filesz);
	memset(copy + tls->p_filesz, 0, tls->p_memsz - tls->p_filesz);
}

static void tls_install(char *tp)
{
	__parvix_tls_fill(tp);
	__parvix_first = (struct __pthread *)tp;
	*(void **)tp = tp;
	__SYS1(SYS_set_tls, tp);
}

static void set_names(char *arg0)
{
	char *slash = strrchr(arg0, '/');

	program_invocation_name = arg0;
	__progname = program_invocation_short_name = slash ? slash + 1 : arg0;
}

void __parvix_start(unsigned long *sp)
{
	int argc = (int)sp[0];
	char **argv = (char **)(sp + 1);
	char **envp = argv + argc + 1;
	const Elf64_Phdr *ph;
	const unsigned char *seed;
	unsigned long i, n;

	environ = envp;
	while (*envp)
		envp++;
	__parvix_auxv = (const unsigned long *)(envp + 1);

	ph = (const Elf64_Phdr *)aux(AT_PHDR);
	n = ph ? aux(AT_PHNUM) : 0;
	for (i = 0; i < n; i++) {
		if (ph[i].p_type != PT_TLS)
			continue;
		/* Below tp the copy, above it the self pointer; tp aligned as the template asks. */
		char *block = __builtin_alloca(ph[i].p_memsz + 2 * ph[i].p_align + 32 +
					       offsetof(struct __pthread, own_reent));
		uintptr_t tp = (uintptr_t)block + ph[i].p_memsz + ph[i].p_align + 15;

		tls = &ph[i];
		tls_install((char *)(tp & -__parvix_tls_align()));
	}

	seed = (const unsigned char *)aux(AT_RANDOM);
	if (&__stack_chk_guard && seed) {
		memcpy(&__stack_chk_guard, seed, sizeof(__stack_chk_guard));
		/* A 0 byte first stops string functions from reading or writing the rest. */
		__stack_chk_guard &= ~(uintptr_t)0xff;
	}

	if (argc > 0)
		set_names(argv[0]);
	atexit(__libc_fini_array);
	__libc_init_array();
	exit(main(argc, argv, environ));
}
