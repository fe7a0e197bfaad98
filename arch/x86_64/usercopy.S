/* SPDX-License-Identifier: MIT */
/*
 * Copies between kernel and user memory.
 *
 * The user's half of the page tables is there in kernel mode too, so a copy is a copy; what is
 * special is that the address comes from a program. If it is bad, the processor faults on one of
 * the instructions that stand in the exception table (pairs: address that may fault, where to go on
 * instead), the fault handler finds it there when the fault cannot be resolved, and the routine
 * returns the number of bytes not copied. No address is looked up beforehand: the good case costs
 * nothing.
 *
 * Under instruction counting each round of a `rep` counts as one instruction, so eight bytes at a
 * time and then the rest byte by byte is both what an old processor and what the emulator's figures
 * like. C callers: arch/x86_64/usercopy.c.
 */
#define EXTABLE(from, to)              \
	.pushsection .extable, "a";    \
	.balign 8;                     \
	.quad from, to;                \
	.popsection

	.text

/* size_t user_copy(void *dst, const void *src, size_t n): bytes not copied. One side is user memory. */
	.globl user_copy
	.type user_copy, @function
user_copy:
	movq %rdx, %rcx
	andl $7, %edx
	shrq $3, %rcx
1:	rep movsq
	movl %edx, %ecx
2:	rep movsb
	xorl %eax, %eax
	ret
	EXTABLE(1b, 3f)
	EXTABLE(2b, 4f)
3:	leaq (%rdx, %rcx, 8), %rax
	ret
4:	movq %rcx, %rax
	ret
	.size user_copy, . - user_copy

/* size_t user_clear(void *dst, size_t n): bytes not cleared. */
	.globl user_clear
	.type user_clear, @function
user_clear:
	xorl %eax, %eax
	movq %rsi, %rcx
	andl $7, %esi
	shrq $3, %rcx
1:	rep stosq
	movl %esi, %ecx
2:	rep stosb
	ret
	EXTABLE(1b, 3f)
	EXTABLE(2b, 4f)
3:	leaq (%rsi, %rcx, 8), %rax
	ret
4:	movq %rcx, %rax
	ret
	.size user_clear, . - user_clear

/*
 * ssize_t user_strncpy(char *dst, const char *src, size_t size): length if a 0 was among the first
 * @size bytes (copied too), @size if there was none, -1 on a fault.
 */
	.globl user_strncpy
	.type user_strncpy, @function
user_strncpy:
	xorl %eax, %eax
1:	cmpq %rdx, %rax
	je 3f
2:	movb (%rsi, %rax), %cl
	movb %cl, (%rdi, %rax)
	testb %cl, %cl
	je 3f
	incq %rax
	jmp 1b
3:	ret
	EXTABLE(2b, 4f)
4:	movq $-1, %rax
	ret
	.size user_strncpy, . - user_strncpy
