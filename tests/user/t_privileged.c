/* SPDX-License-Identifier: MIT */
/*
 * What a program may not do, it must not get away with, and the kernel must survive: privileged
 * instructions, other people's addresses, odd flags and selectors at the moment of a system call.
 * Under PV this tests the borders between three parties that all meet in ring 3 and ring 0: the
 * program, the kernel, and the hypervisor which emulates some of these instructions for the kernel,
 * and must not do so for the program. Each case runs in a child of its own.
 */
#include "guest.h"

#ifdef __parvix__

#define SYS_getpid_text "4"

struct tried {
	const char *name;
	void (*code)(void);
	int signal; /* 0: must be survived; -1: whichever signal */
};

#define CODE(name, ...)                                                                          \
	static void name(void)                                                                   \
	{                                                                                        \
		__asm__ volatile(__VA_ARGS__ : : : "rax", "rbx", "rcx", "rdx", "r11", "memory"); \
	}

CODE(hlt, "hlt")
CODE(cli, "cli")
CODE(sti, "sti")
CODE(port, "inb $0x60, %%al")
CODE(read_cr0, "movq %%cr0, %%rax")
CODE(read_cr3, "movq %%cr3, %%rax")
CODE(write_cr4, "movq %%rax, %%cr4")
CODE(rdmsr, "rdmsr")
CODE(wrmsr, "wrmsr")
CODE(lgdt, "lgdt (%%rsp)")
CODE(invd, "invd")
CODE(swapgs, "swapgs")
CODE(sysret, "sysretq")
CODE(xsetbv, "xorl %%ecx, %%ecx; xorl %%eax, %%eax; xorl %%edx, %%edx; xsetbv")
CODE(int3, "int3")
CODE(int14, "int $14")
CODE(int80, "int $0x80")
CODE(int82, "int $0x82")
CODE(undefined, "ud2")
CODE(vmcall, "vmcall")
CODE(divide, "xorl %%ecx, %%ecx; movl $1, %%eax; cltd; idivl %%ecx")

static const struct tried instructions[] = {
	{"hlt", hlt, SIGSEGV},
	{"cli", cli, SIGSEGV},
	{"sti", sti, SIGSEGV},
	{"in", port, SIGSEGV},
	{"mov from cr0", read_cr0, SIGSEGV},
	{"mov from cr3", read_cr3, SIGSEGV},
	{"mov to cr4", write_cr4, SIGSEGV},
	{"rdmsr", rdmsr, SIGSEGV},
	{"wrmsr", wrmsr, SIGSEGV},
	{"lgdt", lgdt, SIGSEGV},
	{"invd", invd, SIGSEGV},
	{"swapgs", swapgs, SIGSEGV},
	{"sysret", sysret, SIGSEGV},
	{"xsetbv", xsetbv, SIGSEGV},
	{"int3", int3, SIGTRAP},
	{"int 14", int14, SIGSEGV},
	{"int 0x80", int80, SIGSEGV},
	{"int 0x82", int82, -1},
	{"ud2", undefined, SIGILL},
	{"vmcall", vmcall, SIGILL},
	{"divide by 0", divide, SIGFPE},
};

#define TOUCH(name, address)                                                   \
	CODE(name##_read, "movabsq $" address ", %%rax; movq (%%rax), %%rbx")  \
	CODE(name##_write, "movabsq $" address ", %%rax; movq %%rbx, (%%rax)") \
	CODE(name##_jump, "movabsq $" address ", %%rax; jmp *%%rax")

TOUCH(null, "0")
TOUCH(direct_map, "0xffff888000000000")
TOUCH(image, "0xffffffffc0200000")
TOUCH(m2p, "0xffff800000000000")
TOUCH(xen, "0xffff82d080000000")
TOUCH(no_address, "0x8000000000000000")

#define TOUCHES(name)                                                                   \
	{#name " read", name##_read, SIGSEGV}, {#name " write", name##_write, SIGSEGV}, \
	{                                                                               \
#name " jump", name##_jump, SIGSEGV                                     \
	}

static const struct tried addresses[] = {
	TOUCHES(null), TOUCHES(direct_map), TOUCHES(image),
	TOUCHES(m2p),  TOUCHES(xen),        TOUCHES(no_address),
};

/* A system call in a state that no compiler makes; what comes after it says that it came back. */
#define CALL "movl $" SYS_getpid_text ", %%eax; syscall;"
#define FLAG_SET(bits) "pushfq; orq $" bits ", (%%rsp); popfq;"
#define FLAG_CLEAR(bits) "pushfq; andq $~" bits ", (%%rsp); popfq"

CODE(flag_tf, FLAG_SET("0x100") "nop; nop")
CODE(flag_df, "std;" CALL "cld")
CODE(flag_nt, FLAG_SET("0x4000") CALL FLAG_CLEAR("0x4000"))
CODE(flag_ac, FLAG_SET("0x40000") CALL FLAG_CLEAR("0x40000"))
CODE(flag_iopl, FLAG_SET("0x3000") "cli")
CODE(rsp_null, "xorl %%esp, %%esp;" CALL "pushq %%rax")
CODE(rsp_kernel, "movabsq $0xffff888000001000, %%rsp;" CALL "pushq %%rax")
CODE(rsp_no_address, "movabsq $0x8000000000000000, %%rsp;" CALL "pushq %%rax")
CODE(flat_selectors, "movl $0xe02b, %%eax; movl %%eax, %%ds; movl %%eax, %%es; movl %%eax, %%fs;"
		     "movl %%eax, %%gs;" CALL)
CODE(xen_selector, "movl $0xe008, %%eax; movl %%eax, %%ds")
CODE(ldt_selector, "movl $7, %%eax; movl %%eax, %%ds")
CODE(call_32,
     "movl $1f, %%eax; pushq $0xe023; pushq %%rax; lretq; .code32; 1: movl $" SYS_getpid_text
     ", %%eax; syscall; ud2; .code64")
CODE(bad_number, "movq $-1, %%rax; syscall; movl $12345, %%eax; syscall")

static const struct tried states[] = {
	{"TF", flag_tf, SIGTRAP},
	{"DF", flag_df, 0},
	{"NT", flag_nt, 0},
	{"AC", flag_ac, 0},
	{"IOPL 3, cli", flag_iopl, SIGSEGV},
	{"stack pointer 0", rsp_null, SIGSEGV},
	{"stack pointer in the kernel", rsp_kernel, SIGSEGV},
	{"stack pointer no address", rsp_no_address, SIGSEGV},
	{"flat selectors", flat_selectors, 0},
	{"a selector of Xen's", xen_selector, SIGSEGV},
	{"a selector of no table", ldt_selector, SIGSEGV},
	{"32-bit system call", call_32, SIGILL},
	{"numbers that are no call", bad_number, 0},
};

/* Under PV the descriptor table is Xen's, with segments that our own has not. */
static int wanted_signal(const struct tried *t)
{
	unsigned cs;

	__asm__("movl %%cs, %0" : "=r"(cs));
	if (cs < 0xe000 && (t->code == flat_selectors || t->code == call_32))
		return SIGSEGV;
	return t->signal;
}

static void try_all(const struct tried *t, unsigned n)
{
	for (; n > 0; n--, t++) {
		int status = CHILD_STATUS(t->code()), wanted = wanted_signal(t);
		bool killed = WIFSIGNALED(status);

		CHECK_THAT(wanted < 0   ? killed
			   : wanted > 0 ? killed && WTERMSIG(status) == wanted
					: WIFEXITED(status) && WEXITSTATUS(status) == 0,
			   "%s: %s, wanted signal %d", t->name, status_text(status), wanted);
	}
}

TEST(privileged_instructions)
{
	try_all(instructions, ARRAY_LEN(instructions));
}

TEST(addresses_of_others)
{
	try_all(addresses, ARRAY_LEN(addresses));
}

TEST(odd_states_at_system_calls)
{
	try_all(states, ARRAY_LEN(states));
}

#endif
