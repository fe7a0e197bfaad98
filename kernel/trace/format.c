/* SPDX-License-Identifier: MIT */
/*
 * printf's formatting, as much of it as a kernel needs: see <printk.h>. Pure text work, tested on
 * the host (tests/unit/test_format.c). The result is always a string, cut to the buffer; the return
 * value is its length, so that `len += snprintk(buf + len, size - len, ...)` can never run away.
 */
#include <printk.h>
#include <string.h>

struct out {
	char *buf;
	size_t size, len;
};

struct spec {
	bool left, zero, alt, plus, space, upper, is_signed;
	int width, precision; /* precision -1: none given */
	int length;           /* h -1, hh -2, l 1, ll 2, z t j 2 */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len++] = c;
}

static void put_n(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_text(struct out *o, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(o, text[i]);
}

static void put_padded(struct out *o, const struct spec *s, const char *text, size_t n)
{
	int pad = s->width > (int)n ? s->width - (int)n : 0;

	if (!s->left)
		put_n(o, ' ', pad);
	put_text(o, text, n);
	if (s->left)
		put_n(o, ' ', pad);
}

/* @prefix: sign, or 0x. Zeros for the precision or, with the flag 0, for the width go behind it. */
static void put_number(struct out *o, const struct spec *s, uint64_t v, unsigned base,
		       const char *prefix)
{
	const char *set = s->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[24];
	int n = 0, zeros, pad, prefix_len = strlen(prefix);

	for (; v; v /= base)
		digits[n++] = set[v % base];
	if (n == 0 && s->precision != 0)
		digits[n++] = '0';
	zeros = s->precision > n ? s->precision - n : 0;
	pad = s->width - prefix_len - zeros - n;
	if (s->zero && !s->left && s->precision < 0 && pad > 0) {
		zeros += pad;
		pad = 0;
	}
	if (!s->left)
		put_n(o, ' ', pad);
	put_text(o, prefix, prefix_len);
	put_n(o, '0', zeros);
	while (n)
		put(o, digits[--n]);
	if (s->left)
		put_n(o, ' ', pad);
}

static int parse_number(const char **fmt, va_list *ap)
{
	int n = 0;

	if (**fmt == '*') {
		(*fmt)++;
		return va_arg(*ap, int);
	}
	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		if (n < 10000)
			n = n * 10 + (**fmt - '0');
	return n;
}

static void parse_length(struct spec *s, const char **fmt)
{
	for (;; (*fmt)++) {
		if (**fmt == 'l')
			s->length++;
		else if (**fmt == 'h')
			s->length--;
		else if (**fmt == 'z' || **fmt == 't' || **fmt == 'j')
			s->length = 2;
		else
			return;
	}
}

static struct spec parse_spec(const char **fmt, va_list *ap)
{
	struct spec s = {.precision = -1};

	for (;; (*fmt)++) {
		if (**fmt == '-')
			s.left = true;
		else if (**fmt == '0')
			s.zero = true;
		else if (**fmt == '#')
			s.alt = true;
		else if (**fmt == '+')
			s.plus = true;
		else if (**fmt == ' ')
			s.space = true;
		else
			break;
	}
	s.width = parse_number(fmt, ap);
	if (s.width < 0) {
		s.left = true;
		s.width = -s.width;
	}
	if (**fmt == '.') {
		(*fmt)++;
		s.precision = parse_number(fmt, ap);
	}
	parse_length(&s, fmt);
	return s;
}

static uint64_t take_unsigned(const struct spec *s, va_list *ap)
{
	if (s->length > 0)
		return va_arg(*ap, unsigned long);
	unsigned v = va_arg(*ap, unsigned);

	return s->length == 0 ? v : s->length == -1 ? (unsigned short)v : (unsigned char)v;
}

static int64_t take_signed(const struct spec *s, va_list *ap)
{
	if (s->length > 0)
		return va_arg(*ap, long);
	int v = va_arg(*ap, int);

	return s->length == 0 ? v : s->length == -1 ? (short)v : (signed char)v;
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	if (!text)
		text = "(null)";
	put_padded(o, s, text, s->precision < 0 ? strlen(text) : strnlen(text, s->precision));
}

static void put_decimal(struct out *o, const struct spec *s, int64_t v)
{
	const char *sign = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";

	put_number(o, s, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, sign);
}

static void put_hex(struct out *o, struct spec *s, uint64_t v, bool upper)
{
	s->upper = upper;
	put_number(o, s, v, 16, s->alt && v ? (upper ? "0X" : "0x") : "");
}

/* One conversion; @c is its letter. Returns false if it is none of ours. */
static bool convert(struct out *o, struct spec *s, char c, va_list *ap)
{
	char ch;

	switch (c) {
	case 'd':
	case 'i':
		put_decimal(o, s, take_signed(s, ap));
		return true;
	case 'u':
		put_number(o, s, take_unsigned(s, ap), 10, "");
		return true;
	case 'o':
		put_number(o, s, take_unsigned(s, ap), 8, s->alt ? "0" : "");
		return true;
	case 'x':
	case 'X':
		put_hex(o, s, take_unsigned(s, ap), c == 'X');
		return true;
	case 'p':
		put_number(o, s, (uint64_t)va_arg(*ap, void *), 16, "0x");
		return true;
	case 'c':
		ch = va_arg(*ap, int);
		put_padded(o, s, &ch, 1);
		return true;
	case 's':
		put_string(o, s, va_arg(*ap, const char *));
		return true;
	case '%':
		put(o, '%');
		return true;
	}
	return false;
}

int vsnprintk(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = {.buf = buf, .size = size};
	va_list ap;

	va_copy(ap, args);
	while (*fmt) {
		const char *start = fmt;

		if (*fmt++ != '%') {
			put(&o, *start);
			continue;
		}
		struct spec s = parse_spec(&fmt, &ap);

		if (*fmt && convert(&o, &s, *fmt, &ap)) {
			fmt++;
			continue;
		}
		put_text(&o, start, fmt - start); /* as it stands, so that it is noticed */
	}
	va_end(ap);
	if (size)
		buf[o.len] = 0;
	return o.len;
}

int snprintk(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintk(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
