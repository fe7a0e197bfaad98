/* SPDX-License-Identifier: MIT */
/*
 * The long double functions of <math.h>, that newlib lacks where long double is wider than double.
 * On x86-64 it is the 80-bit format of the x87, which computes most of them itself: this file is
 * about the cases that its instructions leave to the caller. Good to about a bit, but for angles
 * beyond 2^62, which are reduced with the processor's own 66 bits of pi, and for powl with large
 * exponents, that loses up to 14 bits.
 */
#include <limits.h>
#include <math.h>
#include <stdint.h>

union image {
	long double value;
	struct {
		uint64_t mantissa; /* with the leading 1 */
		uint16_t exp_sign; /* exponent + 16383, sign on top */
	};
};

/* Rounding */

enum { DOWN = 0x400, UP = 0x800, ZERO = 0xc00 };

static long double round_to(long double x, int mode)
{
	uint16_t old, new;

	__asm__("fnstcw %0" : "=m"(old));
	new = (uint16_t)((old & ~0xc00) | mode);
	__asm__("fldcw %1\n\tfrndint\n\tfldcw %2" : "+t"(x) : "m"(new), "m"(old));
	return x;
}

long double floorl(long double x)
{
	return round_to(x, DOWN);
}

long double ceill(long double x)
{
	return round_to(x, UP);
}

long double truncl(long double x)
{
	return round_to(x, ZERO);
}

long double rintl(long double x)
{
	__asm__("frndint" : "+t"(x));
	return x;
}

/* Differs from rintl in an exception flag only, which nobody reads here. */
long double nearbyintl(long double x)
{
	return rintl(x);
}

long double roundl(long double x)
{
	long double a = fabsl(x), t = truncl(a);

	return copysignl(a - t >= 0.5L ? t + 1 : t, x);
}

long lroundl(long double x)
{
	return (long)roundl(x);
}

long long llroundl(long double x)
{
	return (long long)roundl(x);
}

long lrintl(long double x)
{
	return (long)rintl(x);
}

long long llrintl(long double x)
{
	return (long long)rintl(x);
}

/* Parts of a number */

long double fabsl(long double x)
{
	__asm__("fabs" : "+t"(x));
	return x;
}

long double copysignl(long double x, long double y)
{
	union image a = {x}, b = {y};

	a.exp_sign = (uint16_t)((a.exp_sign & 0x7fff) | (b.exp_sign & 0x8000));
	return a.value;
}

static int is_special(long double x)
{
	union image a = {x};

	return (a.exp_sign & 0x7fff) == 0x7fff || x == 0;
}

long double frexpl(long double x, int *exp)
{
	union image a = {x};

	*exp = 0;
	if (is_special(x))
		return x;
	if (!(a.exp_sign & 0x7fff)) {
		a.value *= 0x1p64L; /* denormal */
		*exp = -64;
	}
	*exp += (a.exp_sign & 0x7fff) - 16382;
	a.exp_sign = (uint16_t)((a.exp_sign & 0x8000) | 16382);
	return a.value;
}

long double scalblnl(long double x, long n)
{
	long double by = n > 65536 ? 65536 : n < -65536 ? -65536 : n;

	__asm__("fscale" : "+t"(x) : "u"(by));
	return x;
}

long double scalbnl(long double x, int n)
{
	return scalblnl(x, n);
}

long double ldexpl(long double x, int n)
{
	return scalblnl(x, n);
}

long double logbl(long double x)
{
	int exp;

	if (x == 0)
		return -HUGE_VALL;
	if (is_special(x))
		return x * x;
	frexpl(x, &exp);
	return exp - 1;
}

int ilogbl(long double x)
{
	if (x == 0)
		return FP_ILOGB0;
	if (is_special(x))
		return isnan(x) ? FP_ILOGBNAN : INT_MAX;
	return (int)logbl(x);
}

long double modfl(long double x, long double *whole)
{
	*whole = truncl(x);
	return copysignl(isinf(x) ? 0 : x - *whole, x);
}

long double nextafterl(long double x, long double y)
{
	union image a = {x};

	if (isnan(x) || isnan(y))
		return x + y;
	if (x == y)
		return y;
	if (x == 0)
		return copysignl(0x1p-16445L, y);
	if ((x < y) == (x > 0)) { /* away from 0 */
		if (!++a.mantissa || (a.mantissa == 1ul << 63 && !(a.exp_sign & 0x7fff))) {
			a.mantissa = 1ul << 63;
			a.exp_sign++;
		}
	} else if (a.mantissa-- == 1ul << 63 && (a.exp_sign & 0x7fff)) {
		if (--a.exp_sign & 0x7fff)
			a.mantissa = ~0ul;
	}
	return a.value;
}

long double nexttowardl(long double x, long double y)
{
	return nextafterl(x, y);
}

double nexttoward(double x, long double y)
{
	if (isnan(x) || isnan(y))
		return (double)(x + y);
	return x == y ? (double)y : nextafter(x, y > x ? HUGE_VAL : -HUGE_VAL);
}

float nexttowardf(float x, long double y)
{
	if (isnan(x) || isnan(y))
		return (float)(x + y);
	return x == y ? (float)y : nextafterf(x, y > x ? HUGE_VALF : -HUGE_VALF);
}

/* Remainders: the instructions do a part of the work and say so in bit 10 of the status. */

long double fmodl(long double x, long double y)
{
	__asm__("1:	fprem\n\tfnstsw %%ax\n\ttestb $4, %%ah\n\tjnz 1b"
		: "+t"(x)
		: "u"(y)
		: "ax", "cc");
	return x;
}

long double remquol(long double x, long double y, int *quo)
{
	int negative = signbit(x) != signbit(y);
	uint16_t status;

	__asm__("1:	fprem1\n\tfnstsw %%ax\n\ttestb $4, %%ah\n\tjnz 1b"
		: "+t"(x), "=&a"(status)
		: "u"(y)
		: "cc");
	/* The low bits of the quotient are in C0, C3, C1. */
	*quo = (status >> 8 & 1) << 2 | (status >> 14 & 1) << 1 | (status >> 9 & 1);
	if (negative)
		*quo = -*quo;
	return x;
}

long double remainderl(long double x, long double y)
{
	int quo;

	return remquol(x, y, &quo);
}

long double fdiml(long double x, long double y)
{
	if (isnan(x) || isnan(y))
		return x + y;
	return x > y ? x - y : 0;
}

long double fmaxl(long double x, long double y)
{
	return isnan(x) ? y : isnan(y) || x > y ? x : y;
}

long double fminl(long double x, long double y)
{
	return isnan(x) ? y : isnan(y) || x < y ? x : y;
}
