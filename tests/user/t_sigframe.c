/* SPDX-License-Identifier: MIT */
/* Signal frames: what is saved and restored, faults and their addresses, alternate stacks, jumps.
 */
#include "guest.h"

#include <setjmp.h>
#include <sys/time.h>

static volatile sig_atomic_t hits, seen_code;
static void *volatile seen_addr;
static sigjmp_buf jump;

static void on_signal(int sig)
{
	(void)sig;
	hits++;
}

static void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(how, &set, NULL);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	on_signal(sig);
	seen_code = info->si_code;
	seen_addr = info->si_addr;
	siglongjmp(jump, 1);
}

static void catch_fault(int sig)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_fault;
	action.sa_flags = SA_SIGINFO;
	sigemptyset(&action.sa_mask);
	sigaction(sig, &action, NULL);
}

TEST(faults_tell_their_address)
{
	hits = 0;
	catch_fault(SIGSEGV);
	if (sigsetjmp(jump, 1) == 0)
		*(volatile char *)0x123450 = 1;
	CHECK_EQ(hits, 1);
	CHECK((unsigned long)seen_addr == 0x123450);
	CHECK_EQ(seen_code, SEGV_MAPERR);
	/* Once more: siglongjmp() has unblocked it. */
	if (sigsetjmp(jump, 1) == 0)
		*(volatile char *)(unsigned long)on_fault = 1;
	CHECK_EQ(hits, 2);
	CHECK(seen_addr == (void *)(unsigned long)on_fault);
	CHECK_EQ(seen_code, SEGV_ACCERR);
	signal(SIGSEGV, SIG_DFL);

	catch_fault(SIGFPE);
	if (sigsetjmp(jump, 1) == 0)
		__asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cltd; idiv %%ecx" ::
					 : "eax", "ecx", "edx");
	CHECK_EQ(hits, 3);
	CHECK_EQ(seen_code, FPE_INTDIV);
	signal(SIGFPE, SIG_DFL);

	catch_fault(SIGILL);
	if (sigsetjmp(jump, 1) == 0)
		__asm__ volatile("ud2");
	CHECK_EQ(hits, 4);
	signal(SIGILL, SIG_DFL);
}

static char *volatile nowhere = (char *)16; /* volatile: the compiler must not know */

TEST(a_blocked_fault_kills)
{
	CHECK_KILLED(CHILD_STATUS({
			     block(SIG_BLOCK, SIGSEGV);
			     handle(SIGSEGV, on_signal, 0);
			     *(volatile char *)nowhere = 1;
		     }),
		     SIGSEGV);
	CHECK_KILLED(CHILD_STATUS({
			     signal(SIGSEGV, SIG_IGN);
			     *(volatile char *)nowhere = 1;
		     }),
		     SIGSEGV);
}

static char alt_stack[65536] __attribute__((aligned(16)));
static volatile unsigned long handler_sp;

static void on_alt(int sig)
{
	char here;

	on_signal(sig);
	handler_sp = (unsigned long)&here;
}

static void on_overflow(int sig)
{
	on_alt(sig);
	_exit(handler_sp >= (unsigned long)alt_stack &&
			      handler_sp < (unsigned long)alt_stack + sizeof(alt_stack)
		      ? 33
		      : 34);
}

static int __attribute__((noinline)) recurse(int n)
{
	volatile char room[4096];

	room[0] = (char)n;
	return n < 0 ? 0 : recurse(n + 1) + (room[0] == (char)n);
}

TEST(alternate_stack)
{
	stack_t stack = {.ss_sp = alt_stack, .ss_size = sizeof(alt_stack)}, old;

	hits = 0;
	CHECK_EQ(sigaltstack(&stack, NULL), 0);
	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK(old.ss_sp == alt_stack && old.ss_size == sizeof(alt_stack) && old.ss_flags == 0);
	handle(SIGUSR1, on_alt, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK_EQ(hits, 1);
	CHECK(handler_sp >= (unsigned long)alt_stack &&
	      handler_sp < (unsigned long)alt_stack + sizeof(alt_stack));
	handle(SIGUSR1, on_alt, 0);
	raise(SIGUSR1);
	CHECK(handler_sp < (unsigned long)alt_stack ||
	      handler_sp >= (unsigned long)alt_stack + sizeof(alt_stack));
	/* What it is for: a stack overflow can be handled. */
	CHECK_EXIT(CHILD_STATUS({
			   handle(SIGSEGV, on_overflow, SA_ONSTACK);
			   recurse(1);
		   }),
		   33);
	stack.ss_size = 100;
	CHECK_ERRNO(sigaltstack(&stack, NULL), ENOMEM);
	stack.ss_flags = SS_DISABLE;
	CHECK_EQ(sigaltstack(&stack, NULL), 0);
	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK(old.ss_flags & SS_DISABLE);
	signal(SIGUSR1, SIG_DFL);
}

TEST(stack_overflow_without_one_kills)
{
	CHECK_KILLED(CHILD_STATUS({
			     handle(SIGSEGV, on_signal, 0); /* there is no room to run it */
			     recurse(1);
		     }),
		     SIGSEGV);
}

TEST(registers_survive_signals)
{
	struct itimerval every = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
	unsigned long bad = 0;

	hits = 0;
	handle(SIGALRM, on_signal, 0);
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < 20000 && hits < 20; i++)
		__asm__ volatile(
			"mov $0x1111, %%rax; mov $0x2222, %%rcx; mov $0x3333, %%rdx\n"
			"mov $0x4444, %%rsi; mov $0x5555, %%rdi; mov $0x6666, %%r8\n"
			"mov $0x7777, %%r9; mov $0x8888, %%r10; mov $0x9999, %%r11\n"
			"mov $0xaaaa, %%r12; mov $0xbbbb, %%r13; mov $20000, %%r14; std; stc\n"
			"1: dec %%r14; jnz 1b\n"
			"pushf; cld; pop %%r15; test $0x400, %%r15; jz 2f\n"
			"cmp $0x1111, %%rax; jne 2f; cmp $0x2222, %%rcx; jne 2f\n"
			"cmp $0x3333, %%rdx; jne 2f; cmp $0x4444, %%rsi; jne 2f\n"
			"cmp $0x5555, %%rdi; jne 2f; cmp $0x6666, %%r8; jne 2f\n"
			"cmp $0x7777, %%r9; jne 2f; cmp $0x8888, %%r10; jne 2f\n"
			"cmp $0x9999, %%r11; jne 2f; cmp $0xaaaa, %%r12; jne 2f\n"
			"cmp $0xbbbb, %%r13; je 3f\n"
			"2: incq %0\n"
			"3:"
			: "+m"(bad)
			:
			: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
			  "r14", "r15", "memory", "cc");
	setitimer(ITIMER_REAL, &off, NULL);
	CHECK_EQ(bad, 0);
	CHECK(hits > 0);
	signal(SIGALRM, SIG_DFL);
}

static void on_stray(int sig)
{
	(void)sig;
	siglongjmp(jump, 7);
}

TEST(siglongjmp_restores_the_mask)
{
	sigset_t now;
	volatile int rounds = 0;

	handle(SIGUSR1, on_stray, 0);
	if (sigsetjmp(jump, 1) == 0 || rounds < 3) {
		rounds++;
		raise(SIGUSR1);
	}
	CHECK_EQ(rounds, 3);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK_EQ(sigismember(&now, SIGUSR1), 0);
	signal(SIGUSR1, SIG_DFL);
}
