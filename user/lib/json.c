/* SPDX-License-Identifier: MIT */
#include "json.h"

/* One byte of a string as JSON, into @buf[6]. Its length. */
static size_t escape(unsigned char c, char *buf)
{
	static const char digits[] = "0123456789abcdef";

	if (c >= ' ' && c < 127) {
		size_t n = 0;

		if (c == '"' || c == '\\')
			buf[n++] = '\\';
		buf[n++] = (char)c;
		return n;
	}
	buf[0] = '\\';
	buf[1] = 'u';
	buf[2] = buf[3] = '0';
	buf[4] = digits[c >> 4];
	buf[5] = digits[c & 15];
	return 6;
}

size_t json_string(const char *s, char *buf, size_t size)
{
	size_t n = 0;

	buf[n++] = '"';
	for (; *s; s++) {
		char one[6];
		size_t m = escape((unsigned char)*s, one);

		if (n + m + 2 > size)
			break;
		for (size_t i = 0; i < m; i++)
			buf[n++] = one[i];
	}
	buf[n++] = '"';
	buf[n] = 0;
	return n;
}
