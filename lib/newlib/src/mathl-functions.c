/* SPDX-License-Identifier: MIT */
/* Long double: logarithms, powers, angles. See mathl.c. */
#include <math.h>

#define LOG2_E 1.442695040888963407359924681001892137L
#define LN2_HIGH 0x1.62e42fefp-1L /* 32 bits: exact when multiplied by an exponent */
#define LN2_LOW 0x1.473de6af278ece6p-34L
#define TWO_PI 6.283185307179586476925286766559005768L

/* factor * log2(x) */
static long double ylog2(long double factor, long double x)
{
	long double result;

	__asm__("fyl2x" : "=t"(result) : "0"(x), "u"(factor) : "st(1)");
	return result;
}

static long double constant_ln2(void)
{
	long double c;

	__asm__("fldln2" : "=t"(c));
	return c;
}

/* 2^x - 1 for |x| <= 1 */
static long double pow2m1(long double x)
{
	__asm__("f2xm1" : "+t"(x));
	return x;
}

long double logl(long double x)
{
	return ylog2(constant_ln2(), x);
}

long double log2l(long double x)
{
	return ylog2(1, x);
}

long double log10l(long double x)
{
	long double c;

	__asm__("fldlg2" : "=t"(c));
	return ylog2(c, x);
}

long double log1pl(long double x)
{
	long double result;

	if (fabsl(x) >= 0.29L) /* beyond fyl2xp1's range */
		return logl(1 + x);
	__asm__("fyl2xp1" : "=t"(result) : "0"(x), "u"(constant_ln2()) : "st(1)");
	return result;
}

long double exp2l(long double x)
{
	long double whole;

	if (isnan(x) || isinf(x))
		return x > 0 || isnan(x) ? x : 0;
	whole = rintl(x);
	return scalblnl(1 + pow2m1(x - whole),
			fabsl(whole) > 65536 ? (x > 0 ? 65536 : -65536) : (long)whole);
}

long double expl(long double x)
{
	long double k;

	if (fabsl(x) > 12000 || isnan(x))
		return isnan(x) ? x : x > 0 ? scalblnl(1, 65536) : scalblnl(1, -65536);
	k = rintl(x * LOG2_E);
	return scalblnl(1 + pow2m1((x - k * LN2_HIGH - k * LN2_LOW) * LOG2_E), (long)k);
}

long double expm1l(long double x)
{
	return fabsl(x) < 0.69L ? pow2m1(x * LOG2_E) : expl(x) - 1;
}

static int is_integer(long double y)
{
	return y == truncl(y);
}

/* A whole exponent by squaring: a rounding error for each bit, none for small whole results. */
static long double power(long double x, unsigned long n)
{
	long double result = 1;

	for (; n; n >>= 1, x *= x) {
		if (n & 1)
			result *= x;
	}
	return result;
}

long double powl(long double x, long double y)
{
	long double a = fabsl(x), m, high, low, result;
	int exp;
	int odd = is_integer(y) && fabsl(fmodl(y, 2)) == 1;

	if (y == 0 || x == 1)
		return 1;
	if (isnan(x) || isnan(y))
		return x + y;
	if (isinf(y)) {
		if (a == 1)
			return 1;
		return (a > 1) == (y > 0) ? HUGE_VALL : 0;
	}
	if (x == 0 || isinf(x)) {
		result = (x == 0) == (y > 0) ? 0 : HUGE_VALL;
		return odd ? copysignl(result, x) : result;
	}
	if (x < 0 && !is_integer(y))
		return (x - x) / (x - x);
	if (is_integer(y) && fabsl(y) < 256) {
		result = power(x, (unsigned long)fabsl(y));
		return y > 0 ? result : 1 / result;
	}
	/* The exponent of x apart from its mantissa keeps the bits that the product would push out.
	 */
	m = frexpl(a, &exp);
	if (m < 0.7L) {
		m *= 2;
		exp--;
	}
	if (exp && fabsl(y) > 70000) {
		high = (exp > 0) == (y > 0) ? 65536 : -65536;
		low = 0;
	} else {
		high = rintl(y * exp);
		low = y * exp - high + ylog2(y, m);
	}
	result = fminl(fmaxl(rintl(low), -65536), 65536);
	high += result;
	result = fabsl(low) > 65536 ? 1 : 1 + pow2m1(low - result);
	result = scalblnl(result, (long)high);
	return x < 0 && odd ? -result : result;
}

long double cbrtl(long double x)
{
	long double y;

	if (x == 0 || isnan(x) || isinf(x))
		return x;
	y = copysignl(exp2l(log2l(fabsl(x)) / 3), x);
	return y - (y - x / (y * y)) / 3;
}

/* Angles */

static long double reduced(long double x)
{
	return fabsl(x) < 0x1p62L ? x : remainderl(x, TWO_PI);
}

long double sinl(long double x)
{
	x = reduced(x);
	__asm__("fsin" : "+t"(x));
	return x;
}

long double cosl(long double x)
{
	x = reduced(x);
	__asm__("fcos" : "+t"(x));
	return x;
}

long double tanl(long double x)
{
	x = reduced(x);
	__asm__("fptan\n\tfstp %%st(0)" : "+t"(x) : : "st(7)");
	return x;
}

long double atan2l(long double y, long double x)
{
	long double result;

	__asm__("fpatan" : "=t"(result) : "0"(x), "u"(y) : "st(1)");
	return result;
}

long double atanl(long double x)
{
	return atan2l(x, 1);
}

long double asinl(long double x)
{
	return atan2l(x, sqrtl((1 - x) * (1 + x)));
}

long double acosl(long double x)
{
	return atan2l(sqrtl((1 - x) * (1 + x)), x);
}

long double sinhl(long double x)
{
	long double a = fabsl(x), t;

	if (a > 11000)
		return copysignl(expl(a / 2) / 2 * expl(a / 2), x);
	t = expm1l(a);
	return copysignl((t + t / (t + 1)) / 2, x);
}

long double coshl(long double x)
{
	long double a = fabsl(x), t;

	if (a > 11000)
		return expl(a / 2) / 2 * expl(a / 2);
	t = expl(a);
	return (t + 1 / t) / 2;
}

long double tanhl(long double x)
{
	long double a = fabsl(x), t;

	if (a > 25)
		return copysignl(1, x);
	t = expm1l(2 * a);
	return isnan(x) ? x : copysignl(t / (t + 2), x);
}

long double asinhl(long double x)
{
	long double a = fabsl(x);

	if (a > 0x1p32L)
		return copysignl(logl(a) + constant_ln2(), x);
	return copysignl(log1pl(a + a * a / (1 + sqrtl(a * a + 1))), x);
}

long double acoshl(long double x)
{
	if (x > 0x1p32L)
		return logl(x) + constant_ln2();
	if (x < 1)
		return (x - x) / (x - x);
	return log1pl(x - 1 + sqrtl((x - 1) * (x + 1)));
}

long double atanhl(long double x)
{
	return copysignl(log1pl(2 * fabsl(x) / (1 - fabsl(x))) / 2, x);
}
