/* SPDX-License-Identifier: MIT */
/*
 * Floating-point and vector state belongs to a process: it survives switches to others that use it,
 * signal handlers that do, fork and system calls; and a new program starts with a clean one.
 */
#include "guest.h"

#include <cpuid.h>
#include <fenv.h>
#include <math.h>
#include <sys/time.h>

static bool have_avx(void)
{
	unsigned a, b, c, d, lo, hi;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX))
		return false;
	__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (lo & 6) == 6;
}

/*
 * Load all sixteen vector registers with a pattern, wait for @rounds of a loop, and count those
 * that have changed. No C code runs between: it might use the registers itself.
 */
static unsigned long sse_survives(unsigned long seed, unsigned long rounds)
{
	unsigned long in[32], out[32], bad = 0;

	for (int i = 0; i < 32; i++)
		in[i] = seed * (unsigned long)(i + 3) * 0x9e3779b97f4a7c15;
	__asm__ volatile(
		"movdqu (%1), %%xmm0; movdqu 16(%1), %%xmm1; movdqu 32(%1), %%xmm2\n"
		"movdqu 48(%1), %%xmm3; movdqu 64(%1), %%xmm4; movdqu 80(%1), %%xmm5\n"
		"movdqu 96(%1), %%xmm6; movdqu 112(%1), %%xmm7; movdqu 128(%1), %%xmm8\n"
		"movdqu 144(%1), %%xmm9; movdqu 160(%1), %%xmm10; movdqu 176(%1), %%xmm11\n"
		"movdqu 192(%1), %%xmm12; movdqu 208(%1), %%xmm13; movdqu 224(%1), %%xmm14\n"
		"movdqu 240(%1), %%xmm15\n"
		"1: dec %0; jnz 1b\n"
		"movdqu %%xmm0, (%2); movdqu %%xmm1, 16(%2); movdqu %%xmm2, 32(%2)\n"
		"movdqu %%xmm3, 48(%2); movdqu %%xmm4, 64(%2); movdqu %%xmm5, 80(%2)\n"
		"movdqu %%xmm6, 96(%2); movdqu %%xmm7, 112(%2); movdqu %%xmm8, 128(%2)\n"
		"movdqu %%xmm9, 144(%2); movdqu %%xmm10, 160(%2); movdqu %%xmm11, 176(%2)\n"
		"movdqu %%xmm12, 192(%2); movdqu %%xmm13, 208(%2); movdqu %%xmm14, 224(%2)\n"
		"movdqu %%xmm15, 240(%2)\n"
		: "+r"(rounds)
		: "r"(in), "r"(out)
		: "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
		  "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	for (int i = 0; i < 32; i++)
		bad += in[i] != out[i];
	return bad;
}

/* The upper halves of two registers, which only XSAVE keeps. */
__attribute__((target("avx"))) static unsigned long avx_survives(unsigned long seed,
								 unsigned long rounds)
{
	unsigned long in[8], out[8], bad = 0;

	for (int i = 0; i < 8; i++)
		in[i] = seed * (unsigned long)(i + 7) * 0x9e3779b97f4a7c15;
	__asm__ volatile("vmovdqu (%1), %%ymm5; vmovdqu 32(%1), %%ymm13\n"
			 "1: dec %0; jnz 1b\n"
			 "vmovdqu %%ymm5, (%2); vmovdqu %%ymm13, 32(%2); vzeroupper\n"
			 : "+r"(rounds)
			 : "r"(in), "r"(out)
			 : "memory", "cc", "xmm5", "xmm13");
	for (int i = 0; i < 8; i++)
		bad += in[i] != out[i];
	return bad;
}

/* The x87 stack: eight numbers pushed, popped in the other order. */
static unsigned long x87_survives(double seed, unsigned long rounds)
{
	double in[8], out[8];
	unsigned long bad = 0;

	for (int i = 0; i < 8; i++)
		in[i] = seed + i * 1.25;
	__asm__ volatile("fldl (%1); fldl 8(%1); fldl 16(%1); fldl 24(%1)\n"
			 "fldl 32(%1); fldl 40(%1); fldl 48(%1); fldl 56(%1)\n"
			 "1: dec %0; jnz 1b\n"
			 "fstpl 56(%2); fstpl 48(%2); fstpl 40(%2); fstpl 32(%2)\n"
			 "fstpl 24(%2); fstpl 16(%2); fstpl 8(%2); fstpl (%2)\n"
			 : "+r"(rounds)
			 : "r"(in), "r"(out)
			 : "memory", "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",
			   "st(6)", "st(7)");
	for (int i = 0; i < 8; i++)
		bad += in[i] != out[i];
	return bad;
}

TEST(across_switches)
{
	pid_t pids[4];

	for (int p = 0; p < 4; p++)
		pids[p] = START({
			for (unsigned long i = 1; i <= 12; i++) {
				/* Long enough to be interrupted, and system calls in between. */
				CHILD_CHECK(sse_survives(i * 4 + (unsigned long)p, 4000000) == 0);
				CHILD_CHECK(x87_survives((double)i + p, 2000000) == 0);
				if (have_avx())
					CHILD_CHECK(avx_survives(i * 4 + (unsigned long)p,
								 2000000) == 0);
				if (i % 4 == 0)
					sleep_ms(1);
			}
		});
	for (int p = 0; p < 4; p++)
		CHECK_EXIT(wait_status(pids[p]), 0);
	if (!have_avx())
		test_note("no AVX here");
}

static volatile int hits;

static void on_alarm(int sig)
{
	(void)sig;
	hits++;
	/* Use all of it in the handler. */
	if (sse_survives(0x5555, 10) || x87_survives(-3, 10) ||
	    (have_avx() && avx_survives(0x777, 10)))
		_exit(77);
}

TEST(across_signals)
{
	struct itimerval every = {{0, 2000}, {0, 2000}}, off = {{0, 0}, {0, 0}};
	unsigned long bad = 0;

	hits = 0;
	handle(SIGALRM, on_alarm, 0);
	setitimer(ITIMER_REAL, &every, NULL);
	for (unsigned long i = 1; i < 100 && hits < 30; i++) {
		bad += sse_survives(i, 2000000);
		bad += x87_survives((double)i, 1000000);
		if (have_avx())
			bad += avx_survives(i, 1000000);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	CHECK_EQ(bad, 0);
	CHECK(hits > 0);
	signal(SIGALRM, SIG_DFL);
}

static unsigned mxcsr(void)
{
	unsigned value;

	__asm__ volatile("stmxcsr %0" : "=m"(value));
	return value;
}

static void set_mxcsr(unsigned value)
{
	__asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static unsigned short x87_control(void)
{
	unsigned short value;

	__asm__ volatile("fnstcw %0" : "=m"(value));
	return value;
}

TEST(control_words)
{
	unsigned short nearest = x87_control(), up = (unsigned short)(nearest | 0x800);

	CHECK_EQ(mxcsr() & 0x7fc0, 0x1f80);
	CHECK_EQ(nearest, 0x37f);
	set_mxcsr(0x5f80); /* round up */
	__asm__ volatile("fldcw %0" : : "m"(up));
	CHECK_EXIT(CHILD_STATUS({ /* fork inherits */
				  CHILD_CHECK((mxcsr() & 0x7fc0) == 0x5f80);
				  CHILD_CHECK(x87_control() == up);
				  set_mxcsr(0x3f80);
		   }),
		   0);
	sleep_ms(5);
	CHECK_EQ(mxcsr() & 0x7fc0, 0x5f80);
	CHECK_EQ(x87_control(), up);
	set_mxcsr(0x1f80);
	__asm__ volatile("fldcw %0" : : "m"(nearest));
}

TEST(a_new_program_starts_clean)
{
	/* The shell's arithmetic by awk: were the rounding or precision inherited, this would
	 * differ. */
	CHECK_EXIT(CHILD_STATUS({
			   unsigned short odd = 0xc7f; /* toward zero, single precision */

			   set_mxcsr(0x7f80);
			   __asm__ volatile("fldcw %0" : : "m"(odd));
			   execl("/bin/sh", "sh", "-c",
				 "[ \"$(awk 'BEGIN { printf \"%.17g\", 2/3 }')\" = "
				 "0.66666666666666663 ]",
				 (char *)NULL);
		   }),
		   0);
}

TEST(arithmetic)
{
	volatile double two = 2, three = 3;
	volatile long double ld = 1;

	CHECK(sqrt(two) * sqrt(two) - 2 < 1e-15);
	CHECK(two / three > 0.66666 && two / three < 0.66667);
	CHECK(ld / 3 != (double)(ld / 3));
	CHECK(fabs(sin(0.5) - 0.479425538604203) < 1e-15);
	CHECK(isnan(sqrt(-two)));
	CHECK(isinf(two / (three - 3)));
}

TEST(an_unmasked_exception_is_sigfpe)
{
	/* By the x87 unit: QEMU does not raise those of the vector unit. */
	CHECK_KILLED(
		CHILD_STATUS({
			unsigned short unmasked = 0x37b; /* division by zero */

			__asm__ volatile("fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(unmasked));
		}),
		SIGFPE);
}
