/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings (lib/string.c), as in C's own <string.h> unless said. The macros let the
 * compiler put small copies of known size in line; it calls the functions for the others.
 */
#ifndef STRING_H
#define STRING_H

#include <types.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c); /* @c 0: the end of the string */
char *strrchr(const char *s, int c);
/* Copy @src, cut to @size - 1 bytes, always with a 0 unless @size is 0. Returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);

/* Whole pages: 512 steps of eight bytes each, nothing else. */
static inline void copy_page(void *dst, const void *src)
{
	unsigned long n = PAGE_SIZE / 8;

	__asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(n)::"memory");
}

static inline void zero_page(void *dst)
{
	unsigned long n = PAGE_SIZE / 8;

	__asm__ volatile("rep stosq" : "+D"(dst), "+c"(n) : "a"(0ul) : "memory");
}

#define memcpy(dst, src, n) __builtin_memcpy(dst, src, n)
#define memset(dst, c, n) __builtin_memset(dst, c, n)
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)
#define strlen(s) __builtin_strlen(s)

#endif
