# SPDX-License-Identifier: MIT
# A loader that starts the kernel wrongly. QEMU loads it by its multiboot header (version 1) and, beside it, the
# kernel's image; it puts what the test says into two registers and jumps into the image. Symbols, given to the
# assembler: ENTRY, EAX, EBX; or, without EBX, what is in `info` below.
	.text
	.balign 4
	.long 0x1badb002, 0, -0x1badb002
	.globl _start
_start:
	movl $EAX, %eax
.ifdef EBX
	movl $EBX, %ebx
.else
	movl $info, %ebx
.endif
	movl $ENTRY, %ecx
	jmp *%ecx

	.data
	.balign 4096
info:
	.include "info.s"
